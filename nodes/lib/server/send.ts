import { createHash } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { constants, gzipSync } from 'node:zlib';

/** Content that a browser may keep, as long as it asks each time whether it is still the same. */
export interface StaticFile {
  /** The media type, with the charset of a text. */
  readonly type: string;
  readonly plain: Representation;
  /**
   * Compressed, if that is less: made for the first who reads it. Nothing in a static file is secret, so its size may be
   * seen.
   */
  gzipped(): Representation | undefined;
}

interface Representation {
  readonly content: Buffer;
  /** Of these bytes (RFC 9110, 8.8.3). */
  readonly etag: string;
}

export function fileOf(content: Buffer, type: string): StaticFile {
  let made: { readonly gzipped: Representation | undefined } | undefined;
  return {
    type,
    plain: representationOf(content),
    gzipped() {
      made ??= { gzipped: compressed(content) };
      return made.gzipped;
    },
  };
}

function compressed(content: Buffer): Representation | undefined {
  const bytes = gzipSync(content, { level: constants.Z_BEST_COMPRESSION });
  return bytes.length < content.length ? representationOf(bytes) : undefined;
}

function representationOf(content: Buffer): Representation {
  return { content, etag: `"${createHash('sha256').update(content).digest('base64url')}"` };
}

/**
 * Sends a whole answer, unless somebody has answered already: settings may have a middleware that answers whoever has waited too
 * long. Nobody keeps it, and no browser guesses its type. As node:http does, the answer to HEAD is sent
 * without its content.
 *
 * @param headers - further ones, or others
 */
export function send(
  response: ServerResponse,
  status: number,
  type: string,
  content: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent) return;
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(content),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  response.end(content);
}

/** Sends an object as JSON, without spaces. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers?: OutgoingHttpHeaders,
): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(body), headers);
}

/** Sends a file, compressed to whoever reads that; or 304 if the browser has it already (RFC 9110, 13.1.2). */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: StaticFile,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent) return;
  const gzipped = readsGzip(request) ? file.gzipped() : undefined;
  const { content, etag } = gzipped ?? file.plain;
  response.appendHeader('Vary', 'Accept-Encoding');
  const kept = { 'Cache-Control': 'no-cache', ETag: etag, ...headers };
  if (hasAlready(request, etag)) response.writeHead(304, kept).end();
  else send(response, 200, file.type, content, gzipped ? { ...kept, 'Content-Encoding': 'gzip' } : kept);
}

/** Whether a client takes gzip, and does not only name it to refuse it (RFC 9110, 12.5.3). */
function readsGzip({ headers }: IncomingMessage): boolean {
  const codings = (headers['accept-encoding'] ?? '').split(',');
  return codings.some((coding) => /^\s*(?:x-)?gzip\s*(?:;(?!\s*q=0(?:\.0*)?\s*$)|$)/i.test(coding));
}

/** @param location - the address, which may be relative to that of the request */
export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { Location: location, 'Content-Length': 0 }).end();
}

function hasAlready({ headers }: IncomingMessage, etag: string): boolean {
  const known = (headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes(etag) || known.includes('*');
}
