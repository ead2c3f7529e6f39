import type { IncomingMessage } from 'node:http';
import type { PageAddress } from '../address';

/**
 * Whether a request comes from the page itself, under its own address. `Origin` and `Sec-Fetch-Site` say which page makes the
 * browser send it, and no page can set them. `Host` says under which name the browser has found this machine: any web page may
 * point its own name here (DNS rebinding).
 *
 * Source: https://fetch.spec.whatwg.org/#origin-header, https://www.w3.org/TR/fetch-metadata/
 */
export function isFromPage({ method, headers }: IncomingMessage, page: PageAddress): boolean {
  if (!isAtPage(headers.host, page)) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  if (headers.origin !== undefined) return headers.origin === page.origin;
  // Browsers leave it out where nothing is changed.
  return method === 'GET' || method === 'HEAD';
}

/** Whether a request was sent to the page's own host. */
export function isAtPage(host: string | undefined, { host: own, isHttps }: PageAddress): boolean {
  const usual = isHttps ? ':443' : ':80';
  return (host ?? '').toLowerCase().replace(new RegExp(`${usual}$`), '') === own;
}
