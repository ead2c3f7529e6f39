import { pathAndQuery } from './router';
import { isUrl } from '../contract/url';

/** The parts of a request of Node-RED's own Express that are used here. */
export interface ReceivedAt {
  readonly originalUrl: string;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Addresses {
  /** The address that the callback should have been signed for. */
  url: string;
  /** Other addresses of the same request, as a proxy may have changed it: for the hint in the log, computed when read. */
  readonly candidates: readonly string[];
  /** The query string as received, without `?`. */
  query: string;
}

/**
 * The address at which a callback was received. Authy signs the address as configured there, which behind a proxy
 * is not the one that this server sees.
 *
 * @param configured - the public URL from the node's settings, see {@link isPublicUrl}; decides if it is given
 * @param trustForwarded - whether `X-Forwarded-Proto` and `X-Forwarded-Host` decide otherwise. Anybody who can reach
 *   Node-RED can write them, so this is the user's choice
 */
export function addressesOf(
  request: ReceivedAt,
  configured: string | undefined,
  trustForwarded: boolean,
): Addresses {
  const { path, query } = pathAndQuery(request.originalUrl);
  const url = configured ?? `${trustForwarded ? forwardedOrigin(request) : seenOrigin(request)}${path}`;
  return {
    url,
    query,
    get candidates() {
      return candidatesOf(request, configured, path).filter((candidate) => candidate !== url);
    },
  };
}

/** Whether a text is an absolute address that a callback can come to, complete: no variable is left in it. */
export function isPublicUrl(text: string): boolean {
  return /^https?:\/\/[^\s/?#]+[^\s#]*$/.test(text) && !/\$[{(]/.test(text) && isUrl(text);
}

function seenOrigin({ protocol, headers }: ReceivedAt): string {
  return `${protocol}://${hostOf(headers)}`;
}

function forwardedOrigin({ protocol, headers }: ReceivedAt): string {
  return `${first(headers['x-forwarded-proto']) ?? protocol}://${forwardedHostOf(headers)}`;
}

function hostOf(headers: ReceivedAt['headers']): string {
  return first(headers['host']) ?? 'localhost';
}

function forwardedHostOf(headers: ReceivedAt['headers']): string {
  return first(headers['x-forwarded-host']) ?? hostOf(headers);
}

/** The likelier ones first: as configured, as seen, and as the proxy's headers say. */
function candidatesOf(request: ReceivedAt, configured: string | undefined, path: string): string[] {
  const { headers } = request;
  const schemes = new Set([
    request.protocol,
    first(headers['x-forwarded-proto']) ?? request.protocol,
    'https',
  ]);
  const hosts = new Set([hostOf(headers), forwardedHostOf(headers)]);
  const guesses = [...schemes].flatMap((scheme) =>
    [...hosts].flatMap((host) =>
      [host, ...withForwardedPort(host, scheme, headers)].flatMap((authority) =>
        ['', forwardedPrefixOf(headers)].map((prefix) => `${scheme}://${authority}${prefix}${path}`),
      ),
    ),
  );
  // Authy signs without the query.
  if (configured !== undefined) guesses.unshift(configured.replace(/\?.*$/, ''));
  const withSlash = guesses.map((guess) => (guess.endsWith('/') ? guess.slice(0, -1) : `${guess}/`));
  return [...new Set([...guesses, ...withSlash])];
}

/** The host with the port at which the proxy was called, left out if it is the default one. */
function withForwardedPort(host: string, scheme: string, headers: ReceivedAt['headers']): string[] {
  const port = first(headers['x-forwarded-port']);
  if (port === undefined || !/^[0-9]{1,5}$/.test(port)) return [];
  const name = host.replace(/:[0-9]+$/, '');
  return [port === (scheme === 'https' ? '443' : '80') ? name : `${name}:${port}`];
}

/** The prefix that the proxy removed from the path, with a slash before it and none after it. */
function forwardedPrefixOf(headers: ReceivedAt['headers']): string {
  const parts = first(headers['x-forwarded-prefix'])?.split('/').filter(Boolean) ?? [];
  return parts.map((part) => `/${part}`).join('');
}

/** The value of the outermost proxy, if several appended theirs. */
function first(header: string | string[] | undefined): string | undefined {
  const value = Array.isArray(header) ? header[0] : header;
  return value?.split(',')[0]?.trim() || undefined;
}
