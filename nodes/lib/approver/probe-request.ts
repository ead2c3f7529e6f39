import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** How long an answer is waited for, in milliseconds. */
const longestWait = 6_000;
/** How much of an answer is read, in characters. */
const largest = 4_096;

/** A request to the public address of a page, as a phone would send it. */
export interface ProbeRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Certificates that are believed, for whatever name; otherwise those that this machine believes. */
  readonly certificates?: readonly (string | Buffer)[] | undefined;
  /** What is waited for: an answer that holds it is not read further. */
  readonly until: string;
}

/** What came back. */
export type ProbeReply =
  | {
      /** The status of the answer. */
      readonly status: number;
      readonly headers: http.IncomingHttpHeaders;
      /** Its beginning. */
      readonly text: string;
    }
  | {
      readonly status?: undefined;
      /** Of the system, OpenSSL or Node.js; `TIMEOUT` if no answer came in time. */
      readonly failure: string;
    };

/** Sends a request and reads the beginning of its answer. Redirections are not followed. Rejects only what cannot be sent at all. */
export function sendProbe(request: ProbeRequest): Promise<ProbeReply> {
  const { url, method, headers, body, certificates, until } = request;
  return new Promise((resolve) => {
    let answer: http.IncomingMessage | undefined;
    let text = '';
    const end = (failure: string): void => {
      clearTimeout(timer);
      sent.destroy();
      const { statusCode: status, headers = {} } = answer ?? {};
      resolve(status === undefined ? { failure } : { status, headers, text });
    };
    const options = {
      method,
      headers: { ...headers, ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }) },
      // A connection of before would say nothing about the certificate.
      agent: false,
      ...(certificates !== undefined && {
        ca: [...certificates],
        allowPartialTrustChain: true,
        checkServerIdentity: () => undefined,
      }),
    };
    const sent = (url.startsWith('https:') ? https : http).request(url, options);
    const timer = setTimeout(() => end('TIMEOUT'), longestWait);
    sent.on('error', ({ code = 'UNKNOWN' }: NodeJS.ErrnoException) => end(code));
    sent.on('response', (response) => {
      answer = response;
      const isCompressed = response.headers['content-encoding'] === 'gzip';
      const content: Readable = isCompressed ? response.pipe(createGunzip()) : response;
      content.setEncoding('utf8');
      content.on('data', (part: string) => {
        text += part;
        if (text.includes(until) || text.length > largest) end('UNKNOWN');
      });
      content.on('end', () => end('UNKNOWN'));
      for (const stream of [content, response]) stream.on('error', () => end('UNKNOWN'));
    });
    sent.end(body);
  });
}
