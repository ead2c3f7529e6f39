import { objectId } from './state/random';
import type { VerifySettings } from './verify/settings';
import { isUrl } from '../lib/contract/url';

export type CallbackMethod = 'POST' | 'GET';

/** The year of the callback's format: callbacks of 2019 carry more about the device, with a list. */
export type CallbackForm = '2017' | '2019';

/** Where a callback goes. */
export interface CallbackTarget {
  readonly url: string;
  /** In PEM: the server there has to show one of these; absent: one that this machine trusts. */
  readonly certificates?: readonly (string | Buffer)[];
}

/** As it was set, or found out when needed, for a server that begins to listen later. */
export type CallbackAddress = string | (() => CallbackTarget | undefined);

/** What can be changed while the simulator runs. */
export interface Settings {
  apiKey: string;
  /** At most 30 characters count. */
  appName: string;
  /** Where answered approval requests are reported; undefined: nowhere. */
  callbackUrl: CallbackAddress | undefined;
  callbackMethod: CallbackMethod;
  callbackForm: CallbackForm;
  /** What Twilio Verify's clients use. */
  verify: VerifySettings;
}

/** The one application of the simulator, as Authy numbers applications. */
export const application = {
  serialId: 1,
  id: objectId('application'),
  plan: 'simulator',
} as const;

/** Where callbacks go now; undefined: nowhere. */
export function callbackTarget({ callbackUrl }: Readonly<Settings>): CallbackTarget | undefined {
  return typeof callbackUrl === 'string' ? { url: callbackUrl } : callbackUrl?.();
}

/**
 * What is wrong with a callback address, in words; undefined if nothing is.
 *
 * @param url - an absolute http or https address
 */
export function callbackUrlProblem(url: string): string | undefined {
  const parsed = isUrl(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    return 'the callback URL has to be an address such as http://127.0.0.1:1880/authy/callback';
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return 'the callback URL must not hold a user name or password';
  }
  return undefined;
}
