import type { RequestHandler } from 'express';

const ownNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Lets only this machine in. Listening on loopback alone is not enough: a web page anywhere can make the browser
 * of this machine send requests, under a name that it has pointed at 127.0.0.1 (DNS rebinding) or to the address
 * itself. The one shows by the Host header, the other by the Origin header.
 */
export const loopbackOnly: RequestHandler = (request, response, next) => {
  const { host, origin } = request.headers;
  if (isOwn(`http://${host ?? ''}`) && (origin === undefined || isOwn(origin))) {
    next();
    return;
  }
  response.status(403).json({ error: 'The Authy simulator answers this machine only.' });
};

function isOwn(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname, protocol } = new URL(url);
  return ownNames.has(hostname) && ['http:', 'https:'].includes(protocol);
}
