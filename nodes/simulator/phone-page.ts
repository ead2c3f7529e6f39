import path from 'node:path';
import type { RequestHandler } from '../lib/contract/request-handler';
import { page } from '../lib/server/page';
import type { Languages } from '../lib/texts/languages';

/** Only the page's own files run or are fetched; logos may come from anywhere. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' http: https: data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const headers = { 'Content-Security-Policy': contentSecurityPolicy, 'Referrer-Policy': 'no-referrer' };

/** The phone page: it fetches its data from the control interface, one level above it. */
export function phonePage(languages: Languages): RequestHandler {
  return page(path.join(__dirname, 'phone'), languages, headers, ['/', '/index.html']);
}
