import { parse, stringify } from 'node:querystring';
import { isUrl } from '../../../contract/url';

/**
 * The texts that Twilio may have signed when it called an address: it is not of one mind about ports, and about which
 * characters it encodes. As received, as browsers write it (WHATWG), and that with a query as Node.js wrote it before; each
 * first without a port, then with the given one, or else the standard one.
 *
 * Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security, and twilio-node 6 `src/webhooks/webhooks.ts`
 *
 * @param address - complete: scheme, host, port if it has one, path, query; no fragment, which is never signed
 * @returns at most six, each once; none if it is not an address that Twilio could call
 */
export function signedForms(address: string): string[] {
  if (!isCallable(address)) return [];
  const { href, search } = new URL(address);
  const withLegacyQuery =
    search === '' ? href : `${href.slice(0, -search.length)}?${legacyQuery(search.slice(1))}`;
  const forms = [address, href, withLegacyQuery];
  return [...new Set(forms.flatMap((form) => [withoutPort(form), withPort(form)]))];
}

/** The address as a log may show it: it can hold a password, and a query is as long as the sender likes. */
export function shownAddress(address: string): string {
  const [, scheme = '', , rest = ''] = parts.exec(address) ?? [];
  return `${scheme}${rest.replace(/\?.*/s, '').slice(0, 200)}`;
}

/** Scheme; user and password; the rest, which begins with the host. */
const parts = /^(https?:\/\/)([^/?]*@)?(.*)$/is;

/**
 * Refuses what would be read as another address than it looks like: browsers skip tabs and control characters, and read a
 * backslash as a slash.
 */
function isCallable(address: string): boolean {
  return /^https?:\/\/[^\s\p{Cc}\\#]+$/iu.test(address) && address.isWellFormed() && isUrl(address);
}

function legacyQuery(query: string): string {
  // Without a limit of its own: what it left out would not be signed.
  return stringify(parse(query, '&', '=', { maxKeys: 0 }));
}

function withoutPort(address: string): string {
  return address.replace(authority, '$1$2');
}

function withPort(address: string): string {
  const standard = /^https/i.test(address) ? ':443' : ':80';
  return address.replace(authority, (_all, before: string, host: string, port: string | undefined) => {
    return `${before}${host}${port === undefined || port === ':' ? standard : port}`;
  });
}

/** Scheme, user and password; the host, which may be an IPv6 address in brackets; the port. */
const authority = /^(https?:\/\/(?:[^/?]*@)?)(\[[^\]]*\]|[^/?:]*)(:[0-9]*)?/i;
