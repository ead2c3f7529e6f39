import type { NodeAPI } from 'node-red';
import type { Account } from '../account/account';
import { qrPicture } from '../authenticator/qr-picture';
import { isLoopback } from '../contract/private-host';
import { networkOrigins } from '../server/own-server';
import { phoneOf } from '../services/registry';
import { isSignedIn } from './admin-guard';
import type { Instances } from './instances';
import { serveJson } from './json-route';
import { isUrl } from '../contract/url';

/** What the panel shows of how a real phone opens the page of an account. */
type Answer =
  /** The page, and its QR code. */
  | { readonly ok: true; readonly url: string; readonly qrCode: string }
  /** There is a page, but this address leads a phone to nothing. */
  | {
      readonly ok: true;
      readonly url: null;
      /**
       * `signIn`: the phone has to sign in to the editor first. `loopback`: the editor is open under a name that means the phone
       * itself there. `none`: there is nothing to show.
       */
      readonly why: 'signIn' | 'loopback' | 'none';
      /** Where phones in the network reach the editor. */
      readonly addresses: readonly string[];
    };

/** In pixels. */
const size = 180;

/**
 * `POST authy-config/phone` for the panel of an account: `{id, editor}`, with the address at which the editor is open → {@link Answer}.
 * With a simulator it is about the phone page beside the editor, which is as safe as the editor's other requests: the guard lets
 * in addresses and names of this network, and asks for the permission. Otherwise it is about the page on which people answer.
 */
export function servePhoneCode(RED: NodeAPI, instances: Instances): void {
  serveJson(RED, 'authy-config/phone', 'authy-config.read', ({ id, editor }, request): Answer => {
    const [instance] = instances.of(String(id));
    if (instance === undefined) return none;
    if (!instance.account.isSimulated) return approvalPage(instance.account);
    if (phoneOf(instance.id) === undefined) return none;
    const address = editorAddress(editor);
    if (address === undefined) return none;
    if (isLoopback(address.hostname)) {
      const addresses = networkOrigins(RED).map((origin) => `${origin}${address.pathname}`);
      return { ok: true, url: null, why: 'loopback', addresses };
    }
    if (isSignedIn(request)) return { ok: true, url: null, why: 'signIn', addresses: [address.href] };
    return withCode(new URL(`authy-simulator/${encodeURIComponent(String(id))}/phone/`, address).href);
  });
}

const none: Answer = { ok: true, url: null, why: 'none', addresses: [] };

/** Only with an address that phones reach. */
function approvalPage({ approver }: Account): Answer {
  try {
    if (approver === undefined || approver.page.isLocalOnly) return none;
    return withCode(`${approver.page.url}/`);
  } catch {
    // It has no address.
    return none;
  }
}

function withCode(url: string): Answer {
  return { ok: true, url, qrCode: qrPicture(url, size) };
}

/** The address of the editor's page, up to its last slash. */
function editorAddress(editor: unknown): URL | undefined {
  if (typeof editor !== 'string' || !isUrl(editor)) return undefined;
  const { protocol, username, href } = new URL(editor);
  return /^https?:$/.test(protocol) && username === '' ? new URL('.', href) : undefined;
}
