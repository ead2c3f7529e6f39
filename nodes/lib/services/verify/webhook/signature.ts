import { createHash, createHmac } from 'node:crypto';
import { unescape } from 'node:querystring';
import { isObject, member, textOrNull } from '../../../contract/json';
import type { CallbackRequest, Rejection } from '../../../contract/service';
import { hasForm, headerProblem, signaturesMatch } from '../../../contract/signed-requests';
import { shownAddress, signedForms } from './addresses';
import {
  type FormParameters,
  formParameters,
  jsonParameters,
  type Parameters,
  parsedFormParameters,
  textOf,
  UnreadableBody,
} from './parameters';

/*
 * What the signature of Twilio does not do, and what follows for whoever acts on a webhook:
 *
 * - It has neither time nor nonce: a webhook can be sent again for ever. Remember its `uuid`, and whether its challenge is
 *   still open.
 * - Names and values follow each other without anything between them: `ab=c` is signed like `a=bc`, and a form like one of
 *   which a part stands in the address instead. Whoever has seen a genuine webhook, and had a say in one of its texts, can
 *   move the borders of that text. So a parameter is only believed if it has the exact form that is expected of it (see
 *   `readEvent`), the query only if it is the expected one, and a challenge is decided by what Twilio's API says about it.
 * - Its key is the account's auth token, which opens everything else as well.
 */

export interface WebhookRules {
  /** The primary auth token of the account: Twilio does not sign with a secondary one. */
  readonly authToken: string | undefined;
  /** Of the body, in bytes. */
  readonly maxSize: number;
  /**
   * What the query has to be, without `?`, but for what Twilio adds to it: that of the address as configured at Twilio.
   * Undefined if nobody knows: then any query that is signed is accepted.
   */
  readonly query?: string | undefined;
}

/** Why a webhook is not believed. */
export interface Refused {
  readonly ok: false;
  readonly reason: Extract<
    Rejection,
    | 'method'
    | 'noApiKey'
    | 'noSignature'
    | 'compressed'
    | 'tooLarge'
    | 'tooComplex'
    | 'unreadableBody'
    | 'signatureMismatch'
    | 'missingField'
  >;
  /** A clause for the log. */
  readonly detail: string;
}

export type WebhookVerdict =
  /** With what was signed, so that nobody has to read the body again, and differently. */
  { readonly ok: true; readonly parameters: Parameters } | Refused;

/** What a signature is made over. */
export interface SignedWebhook {
  readonly authToken: string;
  /** Complete, with its query. */
  readonly address: string;
  /** Those of a form; none for JSON, which the query speaks for. */
  readonly parameters?: FormParameters | undefined;
}

/** How long an address may be, in characters. Node.js itself limits it, together with all headers, to 16 KiB. */
const longestAddress = 8192;

/** HMAC-SHA1 in base64. */
const signatureForm = /^[A-Za-z0-9+/]{27}=$/;
const hashForm = /^[0-9a-f]{64}$/;

/**
 * Verifies a webhook of Twilio. Fails closed: anything missing, odd or contradictory is a rejection, and nothing throws.
 * What costs least is looked at first. It takes POST alone, which is how Verify calls.
 *
 * Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
 *
 * @param request - its query is the received one; a query in its address is not used
 */
export function verifyWebhook(request: CallbackRequest, rules: WebhookRules): WebhookVerdict {
  const opened = open(request, rules);
  if ('reason' in opened) return opened;
  if (!isSigned(opened, request)) {
    const address = shownAddress(request.url);
    return refused('signatureMismatch', `the signature does not match ${request.method} ${address}`);
  }
  return { ok: true, parameters: opened.parameters };
}

/** Which of several addresses a webhook was signed for, to tell a user what to set; undefined for none of them. */
export function addressSignedFor(
  request: CallbackRequest,
  rules: WebhookRules,
  candidates: readonly string[],
): string | undefined {
  const opened = open(request, rules);
  if ('reason' in opened) return undefined;
  return candidates.find((url) => isSigned(opened, { ...request, url }));
}

/**
 * The signature of a webhook: HMAC-SHA1, keyed by the auth token, over the address and each parameter's name and value. The
 * names are sorted, so are the values of one name, and equal ones count once.
 *
 * Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
 *
 * @returns base64, 28 characters
 */
export function signatureOf({ authToken, address, parameters }: SignedWebhook): string {
  return signatureOfText(authToken, address, textOfParameters(parameters ?? new Map()));
}

function signatureOfText(authToken: string, address: string, parameters: string): string {
  return createHmac('sha1', authToken).update(address).update(parameters).digest('base64');
}

/** As it is signed. Sorts by UTF-16 units. */
function textOfParameters(parameters: FormParameters): string {
  return [...parameters.keys()]
    .sort()
    .flatMap((name) => [...new Set(parameters.get(name))].sort().map((value) => name + value))
    .join('');
}

/** A webhook but for its address. */
interface Opened {
  readonly authToken: string;
  readonly signature: string;
  readonly parameters: Parameters;
  /** What is signed of the parameters. */
  readonly text: string;
}

function open(request: CallbackRequest, rules: WebhookRules): Opened | Refused {
  const { method, headers, url, query } = request;
  const { authToken, maxSize } = rules;
  if (method.toUpperCase() !== 'POST') return refused('method', 'the method is not POST');
  if (authToken === undefined || authToken.trim() === '') {
    return refused('noApiKey', 'there is no auth token to verify with');
  }
  if (member(headers, 'x-twilio-webhooks-signature-settings') !== undefined) {
    return refused('noSignature', 'a webhooks rule has it signed with a shared key, not with the auth token');
  }
  const signature = member(headers, 'x-twilio-signature');
  if (!hasForm(signature, signatureForm)) {
    return refused('noSignature', headerProblem('x-twilio-signature', signature));
  }
  if (url.length + query.length > longestAddress) {
    return refused('tooLarge', `the address is longer than ${longestAddress} characters`);
  }
  const encoding = member(headers, 'content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    return refused('compressed', 'the body is compressed, which Twilio does not do');
  }
  const bodyHash = bodyHashIn(query);
  if (typeof bodyHash === 'object') return bodyHash;
  if (rules.query !== undefined && withoutBodyHash(query) !== rules.query) {
    return refused('signatureMismatch', 'the query is not the one of the configured address');
  }

  const type = textOrNull(headers, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/json') return openJson(request.body, bodyHash, { authToken, signature, maxSize });
  if (type !== 'application/x-www-form-urlencoded') {
    return refused('unreadableBody', 'its content type is neither that of a form nor that of JSON');
  }
  // Twilio gives hashes of JSON alone. Read as a form, a text in that JSON could pose as parameters.
  if (bodyHash !== undefined) {
    return refused('unreadableBody', 'it is a form, and its address has the hash of a JSON body');
  }
  const parameters = form(request.body, maxSize);
  if (parameters instanceof UnreadableBody) return refused(parameters.reason, parameters.detail);
  return { authToken, signature, parameters, text: textOfParameters(parameters) };
}

function openJson(
  body: unknown,
  bodyHash: string | undefined,
  { authToken, signature, maxSize }: { authToken: string; signature: string; maxSize: number },
): Opened | Refused {
  if (bodyHash === undefined) {
    return refused(
      'signatureMismatch',
      'the body is JSON, and nothing signs it: its address has no bodySHA256',
    );
  }
  if (!Buffer.isBuffer(body) && typeof body !== 'string') {
    return refused(
      'unreadableBody',
      'the body was parsed, and its signature is over its bytes; tick "Do not parse the request body" in the http in node',
    );
  }
  if (!isWithin(body, maxSize)) return tooLarge(maxSize);
  const hash = createHash('sha256').update(body).digest('hex');
  if (!signaturesMatch(bodyHash, hash)) {
    return refused('signatureMismatch', 'the body is another one than its address was signed for');
  }
  const text = textOf(body);
  if (text === undefined) return refused('unreadableBody', 'the body is not UTF-8');
  const parameters = jsonParameters(text);
  if (parameters instanceof UnreadableBody) return refused(parameters.reason, parameters.detail);
  return { authToken, signature, parameters, text: '' };
}

function form(body: unknown, maxSize: number): FormParameters | UnreadableBody {
  if (Buffer.isBuffer(body) || typeof body === 'string') {
    if (!isWithin(body, maxSize)) return new UnreadableBody('tooLarge', tooLarge(maxSize).detail);
    const text = textOf(body);
    return text === undefined
      ? new UnreadableBody('unreadableBody', 'the body is not UTF-8')
      : formParameters(text);
  }
  return isObject(body)
    ? parsedFormParameters(body, maxSize)
    : new UnreadableBody('unreadableBody', 'there is no body, or it is not a form');
}

/** Whether the signature is that of one of the forms of the address. All are compared, so that none is told by the time. */
function isSigned(
  { authToken, signature, text }: Opened,
  { url, query }: Pick<CallbackRequest, 'url' | 'query'>,
): boolean {
  let isOneOfThem = false;
  for (const address of signedForms(completeAddress(url, query))) {
    const matches = signaturesMatch(signature, signatureOfText(authToken, address, text));
    isOneOfThem = matches || isOneOfThem;
  }
  return isOneOfThem;
}

function completeAddress(url: string, query: string): string {
  const path = url.replace(/\?.*/s, '');
  return query === '' ? path : `${path}?${query}`;
}

/**
 * The hash of the body that the query has, if it has one.
 *
 * @returns a refusal if it has several, or one that is written otherwise than Twilio writes it
 */
function bodyHashIn(query: string): string | undefined | Refused {
  const pairs = query.split('&').filter(isBodyHash);
  const [pair, ...others] = pairs;
  if (pair === undefined) return undefined;
  const hash = pair.slice(bodyHashName.length + 1);
  return others.length === 0 && pair.startsWith(`${bodyHashName}=`) && hashForm.test(hash)
    ? hash
    : refused(
        'signatureMismatch',
        'the bodySHA256 of its address is not one SHA-256 in lower-case hexadecimal',
      );
}

function withoutBodyHash(query: string): string {
  return query
    .split('&')
    .filter((pair) => !isBodyHash(pair))
    .join('&');
}

const bodyHashName = 'bodySHA256';

/** However its name is encoded: another reader would decode it. */
function isBodyHash(pair: string): boolean {
  return unescape(pair.split('=', 1)[0] ?? '') === bodyHashName;
}

function isWithin(body: Buffer | string, maxSize: number): boolean {
  return Buffer.byteLength(body) <= maxSize;
}

function tooLarge(maxSize: number): Refused {
  return refused('tooLarge', `the body is larger than ${maxSize} bytes`);
}

function refused(reason: Refused['reason'], detail: string): Refused {
  return { ok: false, reason, detail };
}
