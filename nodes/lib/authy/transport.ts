import http from 'node:http';
import https from 'node:https';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import axios, { type AxiosInstance, isAxiosError, isCancel } from 'axios';
import { isLoopback, type Proxy } from './proxy';
import { TunnelAgent, type TunnelRequestOptions } from './tunnel';

export interface TransportOptions {
  proxy?: Proxy | undefined;
  /** What Node-RED's `tls-config` node sets: certificates, trust, server name. */
  tls?: SecureContextOptions | undefined;
  /** Sent with every request. */
  headers: Readonly<Record<string, string>>;
}

export interface HttpRequest {
  method: 'GET' | 'POST';
  url: URL;
  /** The JSON body of a POST. */
  body?: string | undefined;
  /** Ends the attempt. */
  signal: AbortSignal;
  /** Told once bytes of the request may have left this machine; until then they certainly have not. */
  onSent: () => void;
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
   * @param kind - `aborted` by the signal, or what failed
   * @param reason - the system's word for it, such as `ECONNREFUSED`, or `PROXY_HTTP_502`
   */
  constructor(
    readonly kind: 'aborted' | 'network' | 'tls' | 'tooLarge',
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** The largest answer that is read, in bytes. Authy's own are a few thousand. */
const largestAnswer = 1024 * 1024;

/** HTTP for the client: one attempt at a time, over connections that are kept open. */
export class Transport {
  private readonly httpAgent = new http.Agent({ keepAlive: true });
  private readonly httpsAgent: https.Agent;
  private readonly axios: AxiosInstance;

  constructor({ proxy, tls, headers }: TransportOptions) {
    const agentOptions = { keepAlive: true, ...tls };
    this.httpsAgent =
      proxy === undefined ? new https.Agent(agentOptions) : new TunnelAgent(proxy, agentOptions);
    this.axios = axios.create({
      adapter: 'http',
      headers: { ...headers },
      // The agent knows the way.
      proxy: false,
      httpAgent: this.httpAgent,
      httpsAgent: this.httpsAgent,
      // Neither the key nor a token may follow a redirect to another place.
      maxRedirects: 0,
      maxContentLength: largestAnswer,
      // The answer is read as text here and judged by the client: status, type and body together.
      responseType: 'text',
      transformResponse: (data: string) => data,
      validateStatus: () => true,
    });
  }

  /**
   * Makes one attempt.
   *
   * @returns the answer, whatever its status
   * @throws TransportError - where there is none
   */
  async send({ method, url, body, signal, onSent }: HttpRequest): Promise<HttpAnswer> {
    try {
      const response = await this.axios.request<string>({
        method,
        url: url.href,
        // A GET has no body, and must not say the type of one.
        ...(body === undefined ? {} : { data: body, headers: { 'Content-Type': 'application/json' } }),
        signal,
        transport: watchedTransport(onSent, signal),
      });
      return {
        statusCode: response.status,
        contentType: headerText(response.headers['content-type']) ?? '',
        retryAfter: headerText(response.headers['retry-after']),
        body: response.data,
      };
    } catch (error) {
      // The error of axios carries the request with its key: nothing of it but the code goes on.
      throw transportError(error);
    }
  }

  /** Closes the idle connections, and those in use once they have brought their answer. */
  close(): void {
    retire(this.httpAgent);
    retire(this.httpsAgent);
  }
}

/** `agent.destroy()` would cut the connections in use as well, with the answers that are on their way. */
function retire(agent: http.Agent): void {
  // Asked by the agent whenever a connection becomes idle: https://nodejs.org/api/http.html#agentkeepsocketalivesocket
  Object.assign(agent, { keepSocketAlive: () => false });
  for (const sockets of Object.values(agent.freeSockets)) sockets?.forEach((socket) => socket.destroy());
}

function headerText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Node's own `http.request`, which tells when the connection stands: until then no byte has left. */
function watchedTransport(onSent: () => void, signal: AbortSignal): { request: typeof http.request } {
  const request = (options: https.RequestOptions, onResponse: (answer: http.IncomingMessage) => void) => {
    const client = options.protocol === 'https:' ? https : http;
    const outgoing = client.request(
      Object.assign(options, { abandoned: signal } satisfies TunnelRequestOptions),
      onResponse,
    );
    outgoing.once('socket', (socket) => {
      if (outgoing.reusedSocket) onSent();
      else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', onSent);
    });
    return outgoing;
  };
  return { request: request as typeof http.request };
}

function transportError(error: unknown): TransportError {
  if (isCancel(error)) return new TransportError('aborted', 'ABORTED');
  const code = (isAxiosError(error) ? error.code : (error as NodeJS.ErrnoException).code) ?? 'UNKNOWN';
  // Of axios's bad responses this is the one that was cut off here; the others broke off by themselves.
  if (isAxiosError(error) && error.message.startsWith('maxContentLength')) {
    return new TransportError('tooLarge', code);
  }
  return new TransportError(isTlsFailure(code) ? 'tls' : 'network', code);
}

/** OpenSSL's names for a certificate or handshake that was not accepted. */
function isTlsFailure(code: string): boolean {
  return /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|INVALID_CA|HOSTNAME_|EPROTO)/.test(
    code,
  );
}

/**
 * Checks the address of a service and brings it into one form.
 *
 * @param baseUrl - such as `https://api.authy.com`
 * @param pathPrefix - put before every path, such as `/v1`; may be empty
 * @returns scheme, host, port and prefix without a trailing slash
 * @throws TypeError - with a sentence that says what to change
 */
export function serviceAddress(baseUrl: string, pathPrefix = ''): string {
  if (!URL.canParse(baseUrl))
    throw new TypeError('The base URL must be an address such as https://api.authy.com.');
  const url = new URL(baseUrl);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw new TypeError('The base URL must begin with https://; http:// is for this machine only.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('The base URL must not carry a user name or password.');
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
