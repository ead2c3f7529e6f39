import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher } from 'undici';
import { Cancellation, Cancelled } from './cancellation';
import { Connector, type Route } from './connector';

/** The body of a request. */
export interface Body {
  /** Its media type. */
  readonly type: string;
  readonly text: string;
}

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query, from the service's root. */
  readonly path: string;
  readonly body?: Body | undefined;
  /** Ends the exchange, and the connection with it. */
  readonly cancellation: Cancellation;
  /** Called when the request is about to be written; until then no byte of it has left. */
  readonly onSent: () => void;
}

export interface ConnectionSettings extends Route {
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** In bytes. */
  readonly largestReply: number;
}

/** An HTTP answer. */
export interface Reply {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** An answer is compressed, although that was not requested: its real content could be of any size. */
export class ReplyCompressed extends Error {
  readonly code = 'ANSWER_COMPRESSED';
}

/**
 * The connections to one service, kept open between requests and used last in, first out.
 *
 * Each is a separate undici client, with one request at a time. undici's pool shares connections that are being opened: it
 * is not known for which request one is opened, so it cannot be ended with that request.
 */
export class Connections {
  private readonly idle: Connection[] = [];
  private readonly connector: Connector;
  private isClosed = false;

  constructor(private readonly settings: ConnectionSettings) {
    this.connector = new Connector(settings);
  }

  /**
   * Sends one request and reads its answer.
   *
   * @throws Error - with a `code`: from the system, OpenSSL, undici, {@link ReplyCompressed} or `Cancelled`
   */
  exchange(exchange: Exchange): Promise<Reply> {
    const connection = this.idle.pop() ?? new Connection(this.settings, this.connector, this.giveBack);
    return connection.exchange(exchange);
  }

  /** Closes the idle connections, and those in use once they have brought their answer. */
  close(): void {
    this.isClosed = true;
    for (const connection of this.idle.splice(0)) connection.cut();
  }

  private readonly giveBack = (connection: Connection): void => {
    if (this.isClosed) connection.cut();
    else this.idle.push(connection);
  };
}

class Connection {
  private readonly client: Client;
  private readonly headers: ConnectionSettings['headers'];
  /** The cancellation of the request that the connection is opened for. */
  private cancellation = new Cancellation();

  /** @param free - called when an answer has come and the next request can be sent */
  constructor(
    { origin, headers, largestReply }: ConnectionSettings,
    connector: Connector,
    private readonly free: (connection: Connection) => void,
  ) {
    this.headers = headers;
    this.client = new Client(origin, {
      connect: (_: buildConnector.Options, callback: buildConnector.Callback): void => {
        connector.open(this.cancellation).then(
          (socket: Socket) => callback(null, socket),
          (error: unknown) => callback(error as Error, null),
        );
      },
      maxResponseSize: largestReply,
      // The call has its own deadline.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  exchange({ method, path, body, cancellation, onSent }: Exchange): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        cancellation.off(abandon);
        // First: cutting it makes undici report its own error, which does not say why.
        reject(error);
        this.cut();
      };
      const abandon = (): void => fail(new Cancelled());
      cancellation.onCancel(abandon);
      if (cancellation.happened) return;
      this.cancellation = cancellation;
      let status = 0;
      let received: Reply['headers'] = {};
      let chunks: Buffer[] = [];
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: onSent,
        onResponseStart(controller, statusCode, headers) {
          status = statusCode;
          received = headers;
          chunks = [];
          const encoding = headers['content-encoding'] ?? 'identity';
          if (encoding !== 'identity') controller.abort(new ReplyCompressed());
        },
        onResponseData(_, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd: () => {
          cancellation.off(abandon);
          this.free(this);
          resolve({ status, headers: received, text: textOf(chunks) });
        },
        onResponseError: (_, error) => fail(error),
      };
      // A GET has no body, and must not say the type of one.
      const headers = body === undefined ? this.headers : { ...this.headers, 'Content-Type': body.type };
      this.client.dispatch({ method, path, headers, body: body?.text ?? null }, handler);
    });
  }

  /** Ends the connection, in any state. */
  cut(): void {
    void this.client.destroy();
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const [only] = chunks;
  const text = (chunks.length === 1 && only ? only : Buffer.concat(chunks)).toString();
  // JSON has no byte order mark, but some servers write one: https://www.rfc-editor.org/rfc/rfc8259#section-8.1
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}
