import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { Proxy } from './proxy';

/** What a request tells the agent beside Node's own options. */
export interface TunnelRequestOptions extends https.RequestOptions {
  /** Ends a tunnel that is being opened when nobody waits for it any more. */
  abandoned?: AbortSignal;
}

/** The proxy refuses to lead on; nothing of the request has left. `code` names its status, as `PROXY_HTTP_502`. */
class ProxyRefusal extends Error {
  readonly code: string;

  constructor(status: number) {
    super(`The proxy answered HTTP ${status}.`);
    this.code = `PROXY_HTTP_${status}`;
  }
}

/**
 * Connections through a proxy, by CONNECT, with TLS from end to end. Not the agent that axios brings: where the proxy
 * hangs up while connecting, that one waits without end, and keeps the connection to a proxy that does not answer.
 */
export class TunnelAgent extends https.Agent {
  constructor(
    private readonly proxy: Proxy,
    options: https.AgentOptions,
  ) {
    super(options);
  }

  /** Called by Node.js for each new connection, with the options of agent and request together. */
  override createConnection(
    options: TunnelRequestOptions,
    callback?: (error: Error | null, socket: Socket) => void,
  ): undefined {
    const host = options.host ?? '';
    const target = `${host.includes(':') ? `[${host}]` : host}:${options.port ?? 443}`;
    openTunnel(this.proxy, target, options).then(
      (socket) => callback?.(null, tls.connect({ ...(options as tls.ConnectionOptions), socket })),
      // There is no socket to an error, whatever the types say.
      (error: unknown) => callback?.(error as Error, undefined as unknown as Socket),
    );
  }
}

/** Asks the proxy for a connection to `host:port`. */
function openTunnel(
  { protocol, host, port, authorization }: Proxy,
  target: string,
  { abandoned, ca, rejectUnauthorized }: TunnelRequestOptions,
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
    if (abandoned?.aborted) abandon();
    abandoned?.addEventListener('abort', abandon, { once: true });
    request.once('close', () => abandoned?.removeEventListener('abort', abandon));
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
