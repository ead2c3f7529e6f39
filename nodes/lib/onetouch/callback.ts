import { isObject, member, textOrNull } from '../authy/response';
import type { Decision } from './approvals';
import { parseQuery, QueryError } from './query';
import { canonicalParams, type Params, signatureOfCanonical, signaturesMatch } from './signature';

/** A callback request as it reached the server. */
export interface CallbackRequest {
  method: string;
  /** By lower-case name. */
  headers: Readonly<Record<string, unknown>>;
  /** The address that Authy called: scheme, host, port if not the default, path. */
  url: string;
  /** The query string as received, without `?`. */
  query: string;
  /** The raw bytes, the text, or what a body parser made of them. */
  body: unknown;
}

export interface CallbackRules {
  /** Every key that may have signed; at least one. */
  apiKeys: readonly string[];
  /** In bytes. */
  maxSize: number;
}

/** Why a callback is not believed; part of the package's contract, as `msg.authy.reason`. */
export type Rejection =
  | 'method'
  | 'noApiKey'
  | 'noSignature'
  | 'noNonce'
  | 'compressed'
  | 'tooLarge'
  | 'tooComplex'
  | 'unreadableBody'
  | 'signatureMismatch'
  | 'numbersLost'
  | 'missingField'
  | 'statusDisagrees'
  | 'notAsked'
  | 'stale'
  | 'conflict'
  /** It may be right: what was asked and answered before could not be looked up. */
  | 'storeUnavailable';

/** What a verified callback says. */
export interface CallbackAnswer {
  decision: Decision;
  approvalId: string;
  authyId: string;
  /** Seconds since the epoch. */
  nonce: number;
  /** Everything it carried, parsed. */
  params: Params;
}

export type CallbackVerdict =
  { accepted: true; answer: CallbackAnswer } | { accepted: false; reason: Rejection; detail: string };

/** How deep and how wide a body may be. Authy's own are five deep, with some sixty members. */
const limits = { depth: 32, members: 2000 };

/** A rejection on its way out of the steps below. */
class Rejected extends Error {
  constructor(
    readonly reason: Rejection,
    detail: string,
  ) {
    super(detail);
  }
}

/**
 * Verifies a OneTouch callback: signature first, then what it says. Fails closed: anything missing, odd or
 * contradictory is a rejection.
 *
 * Source: https://www.twilio.com/docs/authy/api/push-authentications and …/webhooks
 */
export function verifyCallback(request: CallbackRequest, rules: CallbackRules): CallbackVerdict {
  try {
    return { accepted: true, answer: verified(request, rules) };
  } catch (error) {
    if (error instanceof Rejected) return { accepted: false, reason: error.reason, detail: error.message };
    throw error;
  }
}

/**
 * Which of several addresses a callback was signed for, to tell a user what to set; undefined for none of them.
 */
export function addressSignedFor(
  request: CallbackRequest,
  rules: CallbackRules,
  candidates: readonly string[],
): string | undefined {
  return candidates.find((url) => verifyCallback({ ...request, url }, rules).accepted);
}

function verified(request: CallbackRequest, rules: CallbackRules): CallbackAnswer {
  const method = request.method.toUpperCase();
  if (method !== 'POST' && method !== 'GET') {
    throw new Rejected('method', `the method is ${method.slice(0, 10)}, not POST or GET`);
  }
  if (rules.apiKeys.length === 0) throw new Rejected('noApiKey', 'the account has no API key to verify with');
  const signature = header(request, 'x-authy-signature', /^[A-Za-z0-9+/]{43}=$/, 'noSignature');
  // A decimal fraction has been seen in Authy's own samples.
  const nonce = header(request, 'x-authy-signature-nonce', /^[0-9]{1,15}(?:\.[0-9]{1,9})?$/, 'noNonce');

  const content = method === 'GET' ? queryContent(request, rules) : bodyContent(request, rules);
  const isSigned = content.canonical.some((canonical) =>
    rules.apiKeys.some((apiKey) =>
      signaturesMatch(
        signature,
        signatureOfCanonical({ apiKey, nonce, method, url: request.url, canonical }),
      ),
    ),
  );
  if (!isSigned) {
    if (content.mayHaveLostNumbers) {
      throw new Rejected(
        'numbersLost',
        'the signature does not match, and the parsed body has numbers whose text is lost; ' +
          'tick "Do not parse the request body" in the http in node',
      );
    }
    throw new Rejected('signatureMismatch', `the signature does not match ${method} ${request.url}`);
  }
  return { ...readAnswer(content.params), nonce: Number(nonce), params: content.params };
}

function header(request: CallbackRequest, name: string, form: RegExp, reason: Rejection): string {
  const value = member(request.headers, name);
  if (typeof value !== 'string' || !form.test(value)) {
    throw new Rejected(
      reason,
      value === undefined ? `there is no ${name} header` : `the ${name} header has another form`,
    );
  }
  return value;
}

/** The parameters of a request, and the canonical strings that may have been signed for them. */
interface Content {
  params: Params;
  canonical: string[];
  mayHaveLostNumbers?: boolean;
}

function queryContent({ query }: CallbackRequest, { maxSize }: CallbackRules): Content {
  if (query.length > maxSize) throw new Rejected('tooLarge', `the query is longer than ${maxSize} bytes`);
  const params = parsedQuery(query);
  checkShape(params, maxSize);
  // As Authy sends it the query is canonical already; a proxy on the way may have written it anew.
  return { params, canonical: [query, canonicalParams(params)] };
}

function bodyContent(request: CallbackRequest, { maxSize }: CallbackRules): Content {
  const encoding = member(request.headers, 'content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Rejected('compressed', 'the body is compressed, which Authy does not do');
  }
  const { body } = request;
  if (!Buffer.isBuffer(body) && typeof body !== 'string') {
    if (!isObject(body)) throw new Rejected('unreadableBody', 'there is no body, or it is not an object');
    checkShape(body, maxSize);
    return { params: body, canonical: [canonicalParams(body)], mayHaveLostNumbers: hasInexactNumber(body) };
  }
  if (Buffer.byteLength(body) > maxSize)
    throw new Rejected('tooLarge', `the body is larger than ${maxSize} bytes`);
  const text = Buffer.isBuffer(body) ? utf8(body) : body;
  if (textOrNull(request.headers, 'content-type')?.startsWith('application/x-www-form-urlencoded')) {
    const params = parsedQuery(text);
    checkShape(params, maxSize);
    return { params, canonical: [canonicalParams(params)] };
  }
  const params = parsedJson(text);
  checkShape(params, maxSize);
  return { params, canonical: [canonicalParams(parsedJson(withNumbersAsText(text)))] };
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Rejected('unreadableBody', 'the body is not UTF-8');
  }
}

function parsedJson(text: string): Params {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Rejected('unreadableBody', 'the body is not JSON');
  }
  if (!isObject(parsed)) throw new Rejected('unreadableBody', 'the body is not a JSON object');
  return parsed;
}

function parsedQuery(text: string): Params {
  try {
    return parseQuery(text, { depth: limits.depth, parameters: limits.members });
  } catch (error) {
    if (error instanceof QueryError) throw new Rejected('tooComplex', error.message);
    throw error;
  }
}

/**
 * Puts every number into quotes that JavaScript would write in another way than it was sent (1.0, 1e3, beyond
 * 2^53): what was signed is the text. Strings are skipped as a whole, and not by a regular expression: over a long one
 * its stack runs out.
 *
 * @param json - what `JSON.parse` has accepted
 */
function withNumbersAsText(json: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let open = json.indexOf('"'); open >= 0; open = json.indexOf('"', from)) {
    let close = json.indexOf('"', open + 1);
    while (isEscaped(json, close)) close = json.indexOf('"', close + 1);
    parts.push(quotedNumbers(json.slice(from, open)), json.slice(open, close + 1));
    from = close + 1;
  }
  return parts.join('') + quotedNumbers(json.slice(from));
}

function isEscaped(json: string, at: number): boolean {
  let before = at;
  while (json[before - 1] === '\\') before -= 1;
  return (at - before) % 2 === 1;
}

function quotedNumbers(json: string): string {
  return json.replace(/-?[0-9][0-9.eE+-]*/g, (literal) =>
    String(Number(literal)) === literal ? literal : `"${literal}"`,
  );
}

/** Whether a parser may have changed how a number is written, so that its signature cannot be made again. */
function hasInexactNumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInexactNumber);
}

/** Bounds depth, number of members and amount of text, and refuses what is signed as something else is. */
function checkShape(root: Params, maxSize: number): void {
  let members = 0;
  let size = 0;
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === 'string') {
      size += value.length;
      checkText(value);
    }
    if (typeof value === 'object' && value !== null) {
      if (depth > limits.depth) throw new Rejected('tooComplex', `it is nested deeper than ${limits.depth}`);
      for (const [name, content] of Object.entries(value)) {
        members += 1;
        size += name.length;
        if (members > limits.members)
          throw new Rejected('tooComplex', `it has more than ${limits.members} members`);
        checkText(name);
        if (spellsPath(name, depth)) {
          throw new Rejected('unreadableBody', 'a name in it can be read in two ways');
        }
        visit(content, depth + 1);
      }
    }
    if (size > maxSize) throw new Rejected('tooLarge', `it holds more than ${maxSize} bytes`);
  };
  visit(root, 0);
}

/**
 * Whether a name would be signed as a nested one: `{"a[b]": 1}` as `{"a": {"b": 1}}`, `{"a": {"": 1}}` as
 * `{"a": [1]}`. Else one who has a genuine callback could move what it says to where nobody looks for it.
 */
function spellsPath(name: string, depth: number): boolean {
  return depth === 0 ? name.includes('[') : name === '' || name.includes('][');
}

/** Half of a surrogate pair is signed as U+FFFD is; no text of Authy's has one. */
function checkText(text: string): void {
  if (!text.isWellFormed()) throw new Rejected('unreadableBody', 'it holds text that is not Unicode');
}

/** Reads who decided what. The signature is right by now; the content must still be of one mind. */
function readAnswer(params: Params): Omit<CallbackAnswer, 'nonce' | 'params'> {
  const decision = member(params, 'status');
  if (decision !== 'approved' && decision !== 'denied') {
    throw new Rejected('missingField', 'its status is neither approved nor denied');
  }
  const approvalId = member(params, 'uuid');
  if (typeof approvalId !== 'string' || !/^[\w-]{1,64}$/.test(approvalId)) {
    throw new Rejected('missingField', 'it has no uuid');
  }
  const authyId = member(params, 'authy_id');
  if (!/^[1-9][0-9]{0,19}$/.test(typeof authyId === 'number' ? String(authyId) : stringOrNone(authyId))) {
    throw new Rejected('missingField', 'it has no authy_id');
  }
  const transaction = member(member(params, 'approval_request'), 'transaction');
  if (!isObject(transaction)) throw new Rejected('missingField', 'it has no approval_request');
  if (member(transaction, 'status') !== decision) {
    throw new Rejected('statusDisagrees', 'its outer and inner status are not the same');
  }
  return { decision, approvalId, authyId: String(authyId) };
}

function stringOrNone(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
