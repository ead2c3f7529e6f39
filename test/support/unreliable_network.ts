import net from 'node:net';
import type { Random } from './random';
import { ScriptedServer, type Step } from './scripted_server';

/** How a client is connected to the service. */
export type Way = 'plain' | 'tls' | 'proxy';

/** What the client can know about a failed attempt; decides whether it may repeat it. */
export type Failure =
  /** There was no connection: nothing can have been sent. */
  | 'notSent'
  /** Refused with 429, with a short Retry-After. */
  | 'rateLimited'
  /** Refused with 429, with a Retry-After that is longer than any call waits. */
  | 'rateLimitedForLong'
  /** The request was sent, and no answer of the service came. */
  | 'noAnswer'
  /** There is a connection, but not to the right server. */
  | 'insecure';

/** What goes wrong with one attempt. */
export interface Fate {
  readonly name: string;
  /** Two if it depends on which of two packets the client sees first. */
  readonly means: readonly Failure[];
  /** The ways on which it can happen. */
  readonly ways: readonly Way[];
  /** What happens to a connection, at its first bytes or before them. */
  readonly wire?: 'resetAtOnce' | 'resetAtFirstBytes' | 'cutFirstBytes' | 'nonsense' | ProxyFate;
  /** What the server does with a request. */
  readonly server?: Step | (() => Step);
}

type ProxyFate = 'proxyHangsUp' | 'proxyResets' | 'proxyAnswers502' | 'proxyDies';

const everyWay = ['plain', 'tls', 'proxy'] as const;

function answer(status: number, json: object, headers: Record<string, string> = {}): Step {
  return { status, json, headers: { Connection: 'close', ...headers } };
}

function page(status: number): Step {
  const headers = { Connection: 'close' };
  return { status, text: '<html>An error</html>', type: 'text/html', headers };
}

function limited(
  form: string,
  retryAfter: () => Record<string, string>,
  means: Failure = 'rateLimited',
): Fate {
  const body = { message: 'Too many requests', success: false, error_code: '60003' };
  return {
    name: `429, Retry-After ${form}`,
    means: [means],
    ways: everyWay,
    server: () => answer(429, body, retryAfter()),
  };
}

const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1000);
const unavailable = { message: 'Service unavailable', success: false };

/** Everything that goes wrong here. */
export const fates: readonly Fate[] = [
  // If a connection is reset before a byte is sent, the client may see either the connection or the reset first.
  {
    name: 'reset before the request',
    means: ['notSent', 'noAnswer'],
    ways: ['plain'],
    wire: 'resetAtOnce',
  },
  { name: 'reset before the handshake', means: ['notSent'], ways: ['tls'], wire: 'resetAtOnce' },
  { name: 'reset during the handshake', means: ['notSent'], ways: ['tls'], wire: 'resetAtFirstBytes' },
  { name: 'no TLS at the other end', means: ['insecure'], ways: ['tls'], wire: 'nonsense' },
  { name: 'reset during the request', means: ['noAnswer'], ways: ['plain'], wire: 'cutFirstBytes' },
  { name: 'proxy hangs up', means: ['notSent'], ways: ['proxy'], wire: 'proxyHangsUp' },
  { name: 'proxy resets', means: ['notSent'], ways: ['proxy'], wire: 'proxyResets' },
  { name: 'proxy answers 502', means: ['notSent'], ways: ['proxy'], wire: 'proxyAnswers502' },
  { name: 'proxy dies once connected', means: ['notSent'], ways: ['proxy'], wire: 'proxyDies' },
  { name: 'reset after the request', means: ['noAnswer'], ways: everyWay, server: 'reset' },
  { name: 'closed without an answer', means: ['noAnswer'], ways: everyWay, server: 'drop' },
  { name: 'half an answer', means: ['noAnswer'], ways: everyWay, server: 'truncate' },
  { name: '500 in JSON', means: ['noAnswer'], ways: everyWay, server: answer(500, unavailable) },
  { name: '502 in HTML', means: ['noAnswer'], ways: everyWay, server: page(502) },
  { name: '503 in JSON', means: ['noAnswer'], ways: everyWay, server: answer(503, unavailable) },
  { name: '504 in HTML', means: ['noAnswer'], ways: everyWay, server: page(504) },
  limited('absent', () => ({})),
  limited('0', () => ({ 'Retry-After': '0' })),
  limited('1', () => ({ 'Retry-After': '1' })),
  limited('as a date that has passed', () => ({ 'Retry-After': inSeconds(-60).toUTCString() })),
  limited('as a date to come', () => ({ 'Retry-After': inSeconds(1).toUTCString() })),
  limited('that is none', () => ({ 'Retry-After': 'soon' })),
  limited('below 0', () => ({ 'Retry-After': '-5' })),
  limited('of an hour', () => ({ 'Retry-After': '3600' }), 'rateLimitedForLong'),
  limited(
    'as a date in an hour',
    () => ({ 'Retry-After': inSeconds(3600).toUTCString() }),
    'rateLimitedForLong',
  ),
];

/** Never answers; separate from the others because it takes as long as the caller waits. */
export const silence: Fate = { name: 'silence', means: ['noAnswer'], ways: everyWay, server: 'hang' };

/**
 * A service behind a wire or a proxy, which treats each attempt as planned. It takes one call at a time, so that
 * everything that arrives belongs to that call.
 */
export class UnreliableNetwork {
  /** Requests, or parts of one, that have arrived since the last call began. */
  arrivals = 0;
  private planned: readonly Fate[] = [];
  /** The rest of the plan. */
  private plan: Fate[] = [];
  private last: Step = 'drop';
  private readonly server: ScriptedServer;
  private readonly wire: net.Server;
  private readonly sockets = new Set<net.Socket>();

  constructor(
    readonly way: Way,
    private readonly random: Random,
    certificate: { key: string; cert: string },
  ) {
    this.server = new ScriptedServer(way === 'plain' ? undefined : certificate);
    this.server.decide(() => this.serve());
    this.wire = net.createServer((socket) => this.connect(socket));
  }

  async start(): Promise<this> {
    await this.server.start();
    await new Promise<void>((resolve) => this.wire.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.wire.close(resolve));
    await this.server.stop();
  }

  /** The address of the wire, or of the proxy. */
  get port(): number {
    return (this.wire.address() as net.AddressInfo).port;
  }

  /**
   * Begins a call.
   *
   * @param plan - what happens to its attempts, one after the other
   * @param last - the answer to the attempts after those
   */
  begin(plan: readonly Fate[], last: object): void {
    this.planned = plan;
    this.plan = [...plan];
    this.arrivals = 0;
    // Sometimes the connection stays for the next call, sometimes not.
    const headers = this.random.happens(0.5) ? { Connection: 'close' } : undefined;
    this.last = { status: 200, json: last, ...(headers === undefined ? {} : { headers }) };
  }

  /** Whether a connection is left: then a fault of a new connection cannot happen to the next attempt. */
  get isConnected(): boolean {
    return typeof this.last === 'object' && this.last.headers === undefined && this.sockets.size > 0;
  }

  /** Ends all connections, and waits until they are closed. */
  async settle(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    while (this.sockets.size > 0 || this.server.open > 0)
      await new Promise((resolve) => setImmediate(resolve));
  }

  /** The part of the plan that has happened. */
  get met(): readonly Fate[] {
    return this.planned.slice(0, this.planned.length - this.plan.length);
  }

  private serve(): Step {
    this.arrivals += 1;
    const fate = this.plan.shift();
    if (fate === undefined) return this.last;
    if (fate.server === undefined) throw new Error(`"${fate.name}" came to the server.`);
    return typeof fate.server === 'function' ? fate.server() : fate.server;
  }

  /** The planned fault of a connection, if there is one; it happens once. */
  private takeWire(...can: Fate['wire'][]): Fate['wire'] {
    const wire = this.plan[0]?.wire;
    if (wire === undefined || !can.includes(wire)) return undefined;
    this.plan.shift();
    return wire;
  }

  private connect(client: net.Socket): void {
    this.hold(client);
    if (this.takeWire('resetAtOnce') !== undefined) {
      client.resetAndDestroy();
      return;
    }
    client.once('data', (bytes: Buffer) => {
      if (this.way === 'proxy') this.lead(client);
      else this.pass(client, bytes);
    });
  }

  private pass(client: net.Socket, bytes: Buffer): void {
    switch (this.takeWire('resetAtFirstBytes', 'cutFirstBytes', 'nonsense')) {
      case 'resetAtFirstBytes':
        client.resetAndDestroy();
        return;
      case 'cutFirstBytes':
        // A part of a request counts as a request: nobody knows what the server does with it.
        this.arrivals += 1;
        client.resetAndDestroy();
        return;
      case 'nonsense':
        client.end('220 mail.example ESMTP\r\n');
        return;
      default:
        this.join(client).write(bytes);
    }
  }

  /** Answers a CONNECT request. */
  private lead(client: net.Socket): void {
    const proxyFates = ['proxyHangsUp', 'proxyResets', 'proxyAnswers502', 'proxyDies'] as const;
    switch (this.takeWire(...proxyFates)) {
      case 'proxyHangsUp':
        client.end();
        return;
      case 'proxyResets':
        client.resetAndDestroy();
        return;
      case 'proxyAnswers502':
        client.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
        return;
      case 'proxyDies':
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.once('data', () => client.resetAndDestroy());
        return;
      default:
        this.join(client);
        client.write('HTTP/1.1 200 OK\r\n\r\n');
    }
  }

  /** Connects a client to the server, until one of them ends the connection. */
  private join(client: net.Socket): net.Socket {
    const server = this.hold(net.connect(this.server.port, '127.0.0.1'));
    const follow = (one: net.Socket, other: net.Socket): void => {
      one.on('data', (bytes: Buffer) => other.write(bytes));
      one.on('end', () => other.end());
      one.on('error', () => other.resetAndDestroy());
      one.on('close', () => other.destroySoon());
    };
    follow(client, server);
    follow(server, client);
    return server;
  }

  private hold(socket: net.Socket): net.Socket {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    return socket;
  }
}
