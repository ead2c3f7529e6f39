import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Cancellation } from './cancellation';
import type { Proxy } from './proxy';

/** The settings of `tls-config` that apply to the proxy as well: whom to trust. */
type Trust = Pick<SecureContextOptions, 'ca'> & { rejectUnauthorized?: boolean };

/** The proxy refuses the connection; nothing of the request has left. `code` names its status, as `PROXY_HTTP_502`. */
class ProxyRefusal extends Error {
  readonly code: string;

  constructor(status: number) {
    super(`The proxy answered HTTP ${status}.`);
    this.code = `PROXY_HTTP_${status}`;
  }
}

/**
 * Asks a proxy for a connection to another host, by CONNECT. Written here because the published agents take the proxy's
 * answer for the service's, and keep waiting for a proxy that has hung up.
 *
 * @param target - `host:port`
 * @param abandoned - ends the attempt when nobody waits for it any more
 * @returns the connection, on which nothing has been sent yet
 */
export function openTunnel(
  { protocol, host, port, authorization }: Proxy,
  target: string,
  abandoned: Cancellation,
  { ca, rejectUnauthorized }: Trust = {},
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const headers = {
      Host: target,
      ...(authorization === undefined ? {} : { 'Proxy-Authorization': authorization }),
    };
    const ask = { method: 'CONNECT', host, port, path: target, headers, agent: false as const };
    const request =
      protocol === 'https:' ? https.request({ ...ask, ca, rejectUnauthorized }) : http.request(ask);
    const abandon = (): void => {
      request.destroy();
    };
    abandoned.onCancel(abandon);
    request.once('close', () => abandoned.off(abandon));
    request.once('error', reject);
    request.once('connect', ({ statusCode = 0 }, socket: Socket) => {
      if (statusCode >= 200 && statusCode < 300) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new ProxyRefusal(statusCode));
    });
    request.end();
  });
}
