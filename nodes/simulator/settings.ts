import { objectId } from './state/random';

export type CallbackMethod = 'POST' | 'GET';

/** The year whose callbacks are sent: those of 2019 carry more about the device, among it a list. */
export type CallbackForm = '2017' | '2019';

/** What can be changed while the simulator runs. */
export interface Settings {
  apiKey: string;
  /** At most 30 characters count. */
  appName: string;
  /** Where answered approval requests are reported; undefined: nowhere. */
  callbackUrl: string | undefined;
  callbackMethod: CallbackMethod;
  callbackForm: CallbackForm;
}

/** The one application of the simulator, as Authy numbers applications. */
export const application = {
  serialId: 1,
  id: objectId('application'),
  plan: 'simulator',
} as const;

/**
 * What is wrong with a callback address, in words; undefined where nothing is.
 *
 * @param url - an absolute http or https address
 */
export function callbackUrlProblem(url: string): string | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    return 'the callback URL has to be an address such as http://127.0.0.1:1880/authy/callback';
  }
  if (parsed.username !== '' || parsed.password !== '') {
    return 'the callback URL must not hold a user name or password';
  }
  return undefined;
}
