import { createHmac } from 'node:crypto';

/** A tree of request parameters, as `JSON.parse` or {@link parseQuery} gives it. */
export type Params = Readonly<Record<string, unknown>>;

/** What a OneTouch signature is made over. */
export interface SignedRequest {
  /** The application's API key: the one sent as `X-Authy-API-Key`. */
  apiKey: string;
  /** The `X-Authy-Signature-Nonce` header, as received. */
  nonce: string;
  /** The HTTP method; its case does not matter. */
  method: string;
  /** The callback URL as configured at Authy: scheme, host, port if not the default, path; no query string. */
  url: string;
  /** The parsed JSON body of a POST, the un-nested query parameters of a GET. */
  params: Params;
}

/**
 * The canonical parameter string that Authy signs: what Ruby on Rails' `Hash#to_query` makes of the tree.
 * Names nest as `a[b]` and `a[]`, the members of an object are sorted by their finished encoded text
 * (not those of an object inside an array, which stay in order), null becomes an empty value, and an empty
 * object or array directly below an object adds nothing.
 *
 * Source: the Ruby sample of https://www.twilio.com/docs/authy/api/webhooks, and ActiveSupport 6.1
 * `core_ext/object/to_query.rb`, whose output the test vectors hold.
 *
 * @param params - the tree; values are strings, numbers, booleans, null, arrays and objects
 * @returns the string, without a leading `?`
 */
export function canonicalParams(params: Params): string {
  return canonicalObject(params);
}

/**
 * The signature of a callback: HMAC-SHA256 over `nonce|METHOD|url|canonical parameters`, keyed by the API key.
 *
 * Source: https://www.twilio.com/docs/authy/api/webhooks
 *
 * @returns base64, 44 characters
 */
export function signature({ params, ...request }: SignedRequest): string {
  return signatureOfCanonical({ ...request, canonical: canonicalParams(params) });
}

/**
 * As {@link signature}, for a parameter string that is canonical already: the raw query of a GET callback is.
 *
 * @param request - its string as text, or as the bytes of it
 */
export function signatureOfCanonical(
  request: Omit<SignedRequest, 'params'> & { canonical: string | Uint8Array },
): string {
  const { apiKey, nonce, method, url, canonical } = request;
  // In two parts: put together, the long one would be copied once more.
  return createHmac('sha256', apiKey)
    .update(`${nonce}|${method.toUpperCase()}|${url}|`)
    .update(canonical)
    .digest('base64');
}

/** @param path - the encoded name of the object; undefined at the top */
function canonicalObject(members: Params, path?: string): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(members)) {
    if (!isEmptyContainer(value)) {
      const name = encode(key);
      parts.push(canonicalValue(value, path === undefined ? name : `${path}%5B${name}%5D`));
    }
  }
  // As Rails has it: what lies below an array keeps its order, and a name that merely spells "[]" counts too.
  // The parts are ASCII, so comparing UTF-16 units is comparing bytes.
  if (!path?.includes('%5B%5D')) parts.sort();
  return parts.join('&');
}

function canonicalArray(elements: readonly unknown[], path: string): string {
  const name = `${path}%5B%5D`;
  // An empty array can only get here as an element of another one, and there Rails writes it as a null.
  if (elements.length === 0) return canonicalValue(null, name);
  return elements.map((element) => canonicalValue(element, name)).join('&');
}

/** @param name - encoded; each name is encoded once, and not with each that lies below it */
function canonicalValue(value: unknown, name: string): string {
  if (Array.isArray(value)) return canonicalArray(value, name);
  if (typeof value === 'object' && value !== null) return canonicalObject(value as Params, name);
  return `${name}=${encode(scalarText(value))}`;
}

/** What is written of a value that is neither array nor object. */
export function scalarText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      return '';
  }
}

function isEmptyContainer(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Ruby's `CGI.escape`: only letters, digits and `-_.~` stay, a space becomes `+`. */
export function encode(text: string): string {
  // Most names and texts have nothing to escape, and looking costs a tenth of escaping.
  if (unescaped.test(text)) return text;
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

const unescaped = /^[\w.~-]*$/;
