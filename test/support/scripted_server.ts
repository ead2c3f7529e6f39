import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What the server does with one request. */
export type Step =
  | { status: number; json: unknown; headers?: Record<string, string> }
  | { status: number; text: string; type: string; headers?: Record<string, string> }
  /** Closes the connection after the request has come in. */
  | 'drop'
  /** The same with a reset, as from a process that was killed. */
  | 'reset'
  /** Never answers. */
  | 'hang'
  /** Begins an answer and closes the connection. */
  | 'truncate'
  /** Sends one byte of the body every few milliseconds, without end. */
  | 'drip'
  /** Sends a body without end, as fast as the client reads it. */
  | 'flood';

export interface SeenRequest {
  method: string;
  url: string;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** A server that answers by a script, one step per request, and records the requests. */
export class ScriptedServer {
  readonly seen: SeenRequest[] = [];
  connections = 0;
  /** How many of those have been answered, or will never be. */
  answered = 0;
  private next: (request: SeenRequest) => Step | Promise<Step> = () => 'drop';
  private readonly sockets = new Set<Socket>();
  private readonly server: http.Server;

  constructor(tls?: { key: string; cert: string }) {
    const listener: http.RequestListener = (request, response) => this.answer(request, response);
    this.server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
    // The client closes idle connections: if the server did, it could hit a request that is on its way.
    this.server.keepAliveTimeout = 0;
    this.server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  /** @param port - by default one that is free */
  async start(address = '127.0.0.1', port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(port, address, resolve));
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.server instanceof https.Server ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  /** How many connections are open. */
  get open(): number {
    return this.sockets.size;
  }

  /** The last step is repeated for all further requests. */
  script(...steps: Step[]): void {
    this.decide(() => (steps.length > 1 ? steps.shift() : steps[0]) ?? 'drop');
    this.seen.length = this.answered = 0;
  }

  /** Answers each request by this function, once it has decided. */
  decide(next: (request: SeenRequest) => Step | Promise<Step>): void {
    this.next = next;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const seen = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body,
      };
      this.seen.push(seen);
      const step = this.next(seen);
      if (step instanceof Promise) void step.then((decided) => this.perform(decided, response));
      else this.perform(step, response);
    });
  }

  private perform(step: Step, response: http.ServerResponse): void {
    this.answered += 1;
    const socket = response.socket;
    switch (step) {
      case 'drop':
        socket?.destroy();
        return;
      case 'reset':
        // A TLS socket cannot send a reset.
        if (socket instanceof TLSSocket) socket.destroy();
        else socket?.resetAndDestroy();
        return;
      case 'hang':
        return;
      case 'truncate':
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' });
        response.write('{"success":', () => socket?.destroy());
        return;
      case 'drip': {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        const timer = setInterval(() => response.write(' '), 10);
        response.on('close', () => clearInterval(timer));
        return;
      }
      case 'flood': {
        response.writeHead(200, { 'Content-Type': 'application/json' });
        const chunk = 'x'.repeat(65_536);
        const pour = (): void => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', pour);
        pour();
        return;
      }
      default: {
        const [type, text] =
          'json' in step ? ['application/json', JSON.stringify(step.json)] : [step.type, step.text];
        response.writeHead(step.status, { 'Content-Type': type, ...step.headers });
        response.end(text);
      }
    }
  }
}
