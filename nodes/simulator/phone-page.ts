import path from 'node:path';
import express, { type RequestHandler } from 'express';

/** Nothing but the page's own files runs or is fetched; logos may come from anywhere. */
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

const files = express.static(path.join(__dirname, 'phone'), {
  redirect: false,
  cacheControl: false,
  fallthrough: true,
});

/**
 * The files of the phone page, without any data: the page fetches that from the control interface, one level above
 * it. May be mounted anywhere, in any version of Express.
 */
export const phonePage: RequestHandler = (request, response, next) => {
  const [pathname = ''] = request.originalUrl.split('?');
  if (request.url.split('?')[0] === '/' && !pathname.endsWith('/')) {
    // The page's own addresses are relative to its folder; this one too, whatever is in front of it.
    response.statusCode = 302;
    response.setHeader('Location', `${pathname.split('/').at(-1) ?? ''}/`);
    response.end();
    return;
  }
  response.setHeader('Content-Security-Policy', contentSecurityPolicy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cache-Control', 'no-cache');
  void files(request, response, next);
};
