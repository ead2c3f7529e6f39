import { createHmac } from 'node:crypto';

/**
 * The signature of a webhook: HMAC-SHA1 over its address and its parameters, sorted by name, each as its name and its
 * value with nothing between them.
 *
 * Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
 *
 * @param url - as it is called, with port and query string, without fragment
 * @returns base64, 28 characters
 */
export function twilioSignature(
  authToken: string,
  url: string,
  params: Readonly<Record<string, string>>,
): string {
  const names = Object.keys(params).sort();
  const text = url + names.map((name) => name + (params[name] ?? '')).join('');
  return createHmac('sha1', authToken).update(text).digest('base64');
}
