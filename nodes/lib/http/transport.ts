import axios, { type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { Cancelled } from './cancellation';
import { Connections, type Exchange, type Reply, ReplyCompressed } from './connections';
import type { Route } from './connector';
import { isLoopback, privateHost } from '../contract/private-host';
import { isSimulatorKey, simulatorKeyStart } from '../contract/simulator-key';
import { isUrl } from '../contract/url';

export interface TransportOptions extends Route {
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  statusCode: number;
  contentType: string;
  retryAfter: string | undefined;
  body: string;
}

/** An attempt that brought no answer. */
export class TransportError extends Error {
  override readonly name = 'TransportError';

  /**
   * @param kind - `aborted` by the cancellation, or what failed
   * @param reason - the system's code, such as `ECONNREFUSED`, or `PROXY_HTTP_502`, `NOT_HTTP`
   */
  constructor(
    readonly kind: 'aborted' | 'network' | 'tls' | 'tooLarge' | 'compressed',
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** The largest answer that is read, in bytes. Answers of services have a few thousand. */
const largestAnswer = 1024 * 1024;

/**
 * HTTP for the client: one attempt at a time, over connections that are kept open. axios makes the request and the answer;
 * our adapter uses undici, which needs a tenth of the time of axios's own adapter (docs/performance/figures.md).
 */
export class Transport {
  private readonly connections: Connections;
  private readonly axios = new axios.Axios({});

  constructor({ headers, ...route }: TransportOptions) {
    this.connections = new Connections({
      ...route,
      // Not given to axios, which would normalize them for each request. A compressed answer could be larger than it looks,
      // and answers of services are small.
      headers: { ...headers, 'Accept-Encoding': 'identity' },
      largestReply: largestAnswer,
    });
  }

  /**
   * Makes one attempt.
   *
   * @returns the answer, whatever its status
   * @throws TransportError - if there is none
   */
  async send(exchange: Exchange): Promise<HttpAnswer> {
    try {
      const { data } = await this.axios.request<Reply>({
        method: exchange.method,
        url: exchange.path,
        data: exchange.body?.text,
        adapter: (config) => this.carry(exchange, config),
      });
      return {
        statusCode: data.status,
        contentType: headerText(data.headers['content-type']) ?? '',
        retryAfter: headerText(data.headers['retry-after']),
        body: data.text,
      };
    } catch (error) {
      // The error of axios carries the request with its key: only its code is used.
      throw transportError(error);
    }
  }

  /** Closes the idle connections, and those in use once they have brought their answer. */
  close(): void {
    this.connections.close();
  }

  /** The adapter: https://github.com/axios/axios/tree/v1.x/lib/adapters. Redirects are not followed. */
  private async carry(exchange: Exchange, config: InternalAxiosRequestConfig): Promise<AxiosResponse<Reply>> {
    const data = await this.connections.exchange(exchange);
    return { data, status: data.status, statusText: '', headers: noHeaders, config };
  }
}

/** The answer's headers are in its data: making axios's headers of them would cost more than everything else. */
const noHeaders = new axios.AxiosHeaders();

function headerText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function transportError(error: unknown): TransportError {
  if (error instanceof Cancelled) return new TransportError('aborted', 'ABORTED');
  const { name, code = name === 'HTTPParserError' ? 'NOT_HTTP' : 'UNKNOWN' } = error as NodeJS.ErrnoException;
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return new TransportError('tooLarge', code);
  if (error instanceof ReplyCompressed) return new TransportError('compressed', code);
  // undici's code for a connection that the other end has closed.
  if (code === 'UND_ERR_SOCKET') return new TransportError('network', 'ECONNRESET');
  return new TransportError(isTlsFailure(code) ? 'tls' : 'network', code);
}

/** OpenSSL's names for a certificate or handshake that was not accepted. */
function isTlsFailure(code: string): boolean {
  return /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_|EPROTO)/.test(
    code,
  );
}

/**
 * Checks and normalizes the address of a service.
 *
 * @param baseUrl - such as `https://api.authy.com`
 * @param pathPrefix - the prefix of every path, such as `/v1`; may be empty
 * @param key - what is sent there: without encryption, to a private network, only what is no secret
 * @returns scheme, host, port and prefix without a trailing slash
 * @throws TypeError - with a sentence that says what to change
 */
export function serviceAddress(baseUrl: string, pathPrefix: string, key: string): string {
  if (!isUrl(baseUrl)) throw new TypeError('The base URL must be an address such as https://api.authy.com.');
  const url = new URL(baseUrl);
  const isSafeByHttp = isLoopback(url.hostname) || (privateHost.test(url.hostname) && isSimulatorKey(key));
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isSafeByHttp)) {
    throw new TypeError(
      'The base URL must begin with https://; http:// is for this machine, and for a simulator in a private network, whose ' +
        `key begins with ${simulatorKeyStart}.`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('The base URL must not contain a user name or password.');
  }
  if (url.search !== '' || url.hash !== '') {
    throw new TypeError('The base URL must not have a query or fragment.');
  }
  const prefix = `${url.pathname}/${pathPrefix}`.split('/').filter((step) => step !== '');
  if (!prefix.every((step) => /^[\w.~-]+$/.test(step) && !/^\.+$/.test(step))) {
    throw new TypeError('The path prefix may hold letters, digits, "-", "_", "." and "/" only.');
  }
  return [url.origin, ...prefix].join('/');
}
