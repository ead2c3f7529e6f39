import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

export interface ProxyRules {
  /** Where requests go. */
  readonly target: string;
  /** Taken off the path. */
  readonly strips?: string;
  /** Whether Node-RED sees the name under which it was called; otherwise that of the target. */
  readonly passesHost?: boolean;
  /** Whether an answer is held back until it is complete. */
  readonly buffers?: boolean;
  /** Headers of the request that do not reach the target. */
  readonly drops?: readonly string[];
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** A reverse proxy on 127.0.0.1, as people have them in front of Node-RED, with the mistakes that they make. */
export class ReverseProxy {
  private constructor(
    private readonly server: http.Server,
    private readonly scheme: string,
  ) {}

  static async start(rules: ProxyRules): Promise<ReverseProxy> {
    const answer: http.RequestListener = (request, response) => pass(rules, request, response);
    const server =
      rules.tls === undefined ? http.createServer(answer) : https.createServer(rules.tls, answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ReverseProxy(server, rules.tls === undefined ? 'http' : 'https');
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** @param name - of this machine */
  url(name = 'localhost'): string {
    return `${this.scheme}://${name}:${this.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function pass(
  { target, strips = '', passesHost = true, buffers = false, drops = [] }: ProxyRules,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): void {
  const { url = '', method, headers } = request;
  const path = url.startsWith(strips) ? url.slice(strips.length) : url;
  const kept = Object.fromEntries(
    Object.entries({ ...headers, ...(!passesHost && { host: new URL(target).host }) }).filter(
      ([name]) => !drops.includes(name),
    ),
  );
  const forwarded = http.request(new URL(path, target), { method, headers: kept }, (answer) => {
    const chunks: Buffer[] = [];
    const send = (): void => void response.writeHead(answer.statusCode ?? 502, answer.headers);
    if (!buffers) {
      send();
      answer.pipe(response);
      return;
    }
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('end', () => {
      send();
      response.end(Buffer.concat(chunks));
    });
  });
  forwarded.on('error', () => response.writeHead(502).end());
  response.on('close', () => forwarded.destroy());
  request.pipe(forwarded);
}
