import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher } from 'undici';
import { Connector, type Route } from './connector';

export interface Exchange {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Ends the exchange, and the connection with it. */
  readonly signal: AbortSignal;
  /** Told when the request is about to be written; until then no byte of it has left. */
  readonly onSent: () => void;
}

/** An answer as HTTP has it. */
export interface Reply {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** An answer that came compressed, which was not asked for: what it really holds could be of any size. */
export class ReplyCompressed extends Error {
  readonly code = 'ANSWER_COMPRESSED';
}

/**
 * The connections to one service, kept open between requests and used last in, first out.
 *
 * Each is a client of undici of its own, with one request at a time: undici's pool would share what is being opened, so
 * that nobody could tell which request a connection is opened for, and end it with that one.
 */
export class Connections {
  private readonly idle: Connection[] = [];
  private readonly connector: Connector;
  private isClosed = false;

  /** @param largestReply - in bytes */
  constructor(
    private readonly route: Route,
    private readonly largestReply: number,
  ) {
    this.connector = new Connector(route);
  }

  /**
   * Sends one request and reads its answer.
   *
   * @throws Error - with a `code`: the system's, OpenSSL's, undici's or that of {@link ReplyCompressed}; or the signal's
   *   reason
   */
  async exchange(exchange: Exchange): Promise<Reply> {
    const connection =
      this.idle.pop() ?? new Connection(this.route.origin, this.connector, this.largestReply);
    const reply = await connection.exchange(exchange);
    if (this.isClosed) connection.cut();
    else this.idle.push(connection);
    return reply;
  }

  /** Closes the idle connections, and those in use once they have brought their answer. */
  close(): void {
    this.isClosed = true;
    for (const connection of this.idle.splice(0)) connection.cut();
  }
}

class Connection {
  private readonly client: Client;
  /** Of the request that it is opened for. */
  private waiting: AbortSignal | undefined;

  constructor(origin: string, connector: Connector, largestReply: number) {
    this.client = new Client(origin, {
      connect: (_: buildConnector.Options, callback: buildConnector.Callback): void => {
        connector.open(this.waiting ?? AbortSignal.abort()).then(
          (socket: Socket) => callback(null, socket),
          (error: unknown) => callback(error as Error, null),
        );
      },
      maxResponseSize: largestReply,
      // The call has its own clock.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  exchange({ signal, onSent, ...request }: Exchange): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        signal.removeEventListener('abort', abandon);
        this.cut();
        reject(error);
      };
      const abandon = (): void => fail(signal.reason as Error);
      if (signal.aborted) {
        abandon();
        return;
      }
      signal.addEventListener('abort', abandon, { once: true });
      this.waiting = signal;
      let status = 0;
      let headers: Reply['headers'] = {};
      const chunks: Buffer[] = [];
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: onSent,
        onResponseStart(controller, statusCode, received) {
          status = statusCode;
          headers = received;
          const encoding = received['content-encoding'] ?? 'identity';
          if (encoding !== 'identity') controller.abort(new ReplyCompressed());
        },
        onResponseData(_, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          signal.removeEventListener('abort', abandon);
          resolve({ status, headers, text: textOf(chunks) });
        },
        onResponseError: (_, error) => fail(error),
      };
      this.client.dispatch({ ...request, body: request.body ?? null }, handler);
    });
  }

  /** Ends it, whatever it is doing. */
  cut(): void {
    void this.client.destroy();
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const [only] = chunks;
  const text = (chunks.length === 1 && only ? only : Buffer.concat(chunks)).toString();
  // JSON has none, and some servers write one: https://www.rfc-editor.org/rfc/rfc8259#section-8.1
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
