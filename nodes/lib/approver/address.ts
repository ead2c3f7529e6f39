import net from 'node:net';
import { AuthyError } from '../contract/errors';
import type { ApproverSettings } from '../contract/approver';
import type { Grade } from '../contract/people';
import type { ApproverHost } from './host';

/** Where people reach the page of an account, and what that allows. */
export interface PageAddress {
  /** Without a slash at its end. */
  readonly url: string;
  /** Scheme, host and port, as browsers write it in `Origin`. */
  readonly origin: string;
  /** Host and port, as browsers write it in `Host`. */
  readonly host: string;
  /** The path, as browsers see it, without a slash at its end. */
  readonly path: string;
  /** What passkeys are bound to, if they work there. */
  readonly rpId: string;
  readonly isHttps: boolean;
  readonly grade: Grade;
  /** Whether only this machine reaches it. */
  readonly isLocalOnly: boolean;
}

/** Whether phones can be told by Web Push: it needs a secure context. */
export function canPush({ push, publicUrl }: ApproverSettings): boolean {
  return (
    push &&
    (publicUrl === undefined || publicUrl.startsWith('https://') || /^http:\/\/localhost[:/]/.test(publicUrl))
  );
}

/**
 * The address of an account's page. Passkeys need https and a name, or `localhost`.
 *
 * Source: https://www.w3.org/TR/webauthn-3/#rp-id, https://www.w3.org/TR/secure-contexts/
 *
 * @throws AuthyError - `AUTHY_BAD_CONFIG` if there is none, or it leads to something else
 */
export function pageAddress({
  settings,
  ownUrl,
  noPage,
}: Pick<ApproverHost, 'settings' | 'ownUrl' | 'noPage'>): PageAddress {
  const why = noPage();
  if (why !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', why);
  const text = settings.publicUrl ?? ownUrl();
  if (text === undefined) {
    throw new AuthyError(
      'AUTHY_BAD_CONFIG',
      'Enter the public URL of the account, at which people answer: this Node-RED serves no http nodes, or does not ' +
        'listen yet.',
    );
  }
  const { origin, host, hostname, protocol, pathname } = new URL(text);
  const path = pathname.replace(/\/+$/, '');
  const isHttps = protocol === 'https:';
  const isLocalhost = hostname === 'localhost' || hostname.endsWith('.localhost');
  const isAddress = net.isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
  return {
    url: `${origin}${path}`,
    origin,
    host,
    path,
    rpId: hostname,
    isHttps,
    grade: isLocalhost || (isHttps && !isAddress) ? 'passkey' : 'code',
    isLocalOnly: isLocalhost || /^(127\.|\[::1\])/.test(hostname),
  };
}
