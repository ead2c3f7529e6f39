import { hasPlainMembers, parseExact, withNumbersAsText } from '../../../contract/json-numbers';
import { isObject, member, objectOrNull, parsedJson, textOrNull } from '../../../contract/json';
import type {
  ApprovalAnswer,
  CallbackRequest,
  CallbackVerdict,
  CallbackVerifier,
  Rejection,
} from '../../../contract/service';
import { hasForm, headerProblem, signaturesMatch } from '../../../contract/signed-requests';
import { utf8 } from '../../../contract/utf8';
import { formats } from '../../../contract/validation';
import { limits, outOfBounds } from './bounds';
import { quickCanonical } from './quick-canonical';
import { parseQuery, QueryError } from './query';
import { canonicalParams, type Params, signatureOfCanonical } from './signature';

export interface CallbackRules {
  /** Every key that may have signed. */
  apiKeys: readonly string[];
  /** Why there is none, for the log. */
  noApiKey?: string;
  /** In bytes. */
  maxSize: number;
}

const signatureForm = /^[A-Za-z0-9+/]{43}=$/;
/** A decimal fraction has been seen in Authy's own samples. */
const nonceForm = /^[0-9]{1,15}(?:\.[0-9]{1,9})?$/;

type Refused = Extract<CallbackVerdict, { accepted: false }>;

// A refusal is returned and not thrown: made in one place, it costs next to nothing.
function refused(reason: Rejection, detail: string): Refused {
  return { accepted: false, reason, detail };
}

/**
 * Verifies a OneTouch callback: signature first, then what it says. Fails closed: anything missing, odd or
 * contradictory is a rejection. What costs least is looked at first.
 *
 * Source: https://www.twilio.com/docs/authy/api/push-authentications and …/webhooks
 */
export function verifyCallback(request: CallbackRequest, rules: CallbackRules): CallbackVerdict {
  const opened = open(request, rules);
  if ('reason' in opened) return opened;
  const { url } = request;
  const { method, nonce, content } = opened;
  if (!isSigned(opened, url, rules.apiKeys)) {
    const isParsedElsewhere = content.params === request.body;
    if (isParsedElsewhere && hasInexactNumber(content.params)) {
      return refused(
        'numbersLost',
        'the signature does not match, and the parsed body has numbers whose text is lost; ' +
          'tick "Do not parse the request body" in the http in node',
      );
    }
    return refused('signatureMismatch', `the signature does not match ${method} ${url}`);
  }
  return readAnswer(content.params, nonce);
}

/**
 * Which of several addresses a callback was signed for, to tell a user what to set; undefined for none of them.
 */
export function addressSignedFor(
  request: CallbackRequest,
  rules: CallbackRules,
  candidates: readonly string[],
): string | undefined {
  const opened = open(request, rules);
  if ('reason' in opened) return undefined;
  return candidates.find((url) => isSigned(opened, url, rules.apiKeys));
}

/** What a signature is made over, but for the address. */
interface Opened {
  readonly method: string;
  readonly signature: string;
  readonly nonce: string;
  readonly content: Content;
}

function open(request: CallbackRequest, rules: CallbackRules): Opened | Refused {
  const method = request.method.toUpperCase();
  if (method !== 'POST' && method !== 'GET') {
    return refused('method', `the method is ${method.slice(0, 10)}, not POST or GET`);
  }
  if (rules.apiKeys.length === 0)
    return refused('noApiKey', rules.noApiKey ?? 'there is no API key to verify with');
  const signature = member(request.headers, 'x-authy-signature');
  if (!hasForm(signature, signatureForm)) {
    return refused('noSignature', headerProblem('x-authy-signature', signature));
  }
  const nonce = member(request.headers, 'x-authy-signature-nonce');
  if (!hasForm(nonce, nonceForm)) {
    return refused('noNonce', headerProblem('x-authy-signature-nonce', nonce));
  }

  const content = method === 'GET' ? queryContent(request, rules) : bodyContent(request, rules);
  return 'reason' in content ? content : { method, signature, nonce, content };
}

/** Whether one of the keys has signed one of the strings, for this address. */
function isSigned(
  { signature, nonce, method, content }: Opened,
  url: string,
  apiKeys: readonly string[],
): boolean {
  for (const canonical of content.canonical) {
    for (const apiKey of apiKeys) {
      if (signaturesMatch(signature, signatureOfCanonical({ apiKey, nonce, method, url, canonical })))
        return true;
    }
  }
  return false;
}

/** The parameters of a request, and the canonical strings that may have been signed for them. */
interface Content {
  params: Params;
  canonical: readonly (string | Uint8Array)[];
}

function queryContent({ query }: CallbackRequest, { maxSize }: CallbackRules): Content | Refused {
  if (query.length > maxSize) return refused('tooLarge', `the query is longer than ${maxSize} bytes`);
  const content = formContent(query, maxSize);
  if ('reason' in content) return content;
  // As Authy sends it the query is canonical already; a proxy on the way may have written it anew.
  return { ...content, canonical: [query, ...content.canonical] };
}

function bodyContent(request: CallbackRequest, { maxSize }: CallbackRules): Content | Refused {
  const encoding = member(request.headers, 'content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    return refused('compressed', 'the body is compressed, which Authy does not do');
  }
  const { body } = request;
  if (!Buffer.isBuffer(body) && typeof body !== 'string') {
    if (!isObject(body)) return refused('unreadableBody', 'there is no body, or it is not an object');
    return treeContent(body, maxSize);
  }
  if (Buffer.byteLength(body) > maxSize) {
    return refused('tooLarge', `the body is larger than ${maxSize} bytes`);
  }
  const text = Buffer.isBuffer(body) ? utf8(body) : body;
  if (text === undefined) return refused('unreadableBody', 'the body is not UTF-8');
  const type = textOrNull(request.headers, 'content-type');
  return type?.startsWith('application/x-www-form-urlencoded')
    ? formContent(text, maxSize)
    : jsonContent(text, maxSize);
}

function jsonContent(json: string, maxSize: number): Content | Refused {
  const params = parsedJson(json);
  if (params === undefined) return refused('unreadableBody', 'the body is not JSON');
  if (!isObject(params)) return refused('unreadableBody', 'the body is not a JSON object');
  return treeContent(params, maxSize, json);
}

function formContent(form: string, maxSize: number): Content | Refused {
  let params: Params;
  try {
    params = parseQuery(form, { depth: limits.depth, parameters: limits.members });
  } catch (error) {
    if (error instanceof QueryError) return refused('tooComplex', error.message);
    throw error;
  }
  return treeContent(params, maxSize);
}

/**
 * @param json - the text that the tree was parsed from, if it is known: what was signed is how numbers are written there
 */
function treeContent(params: Params, maxSize: number, json?: string): Content | Refused {
  const isAsSent = json === undefined || hasPlainMembers(json);
  const canonical = isAsSent ? quickCanonical(params, maxSize) : undefined;
  if (canonical !== undefined) return { params, canonical: [canonical] };
  const problem = outOfBounds(params, maxSize);
  if (problem !== undefined) return refused(problem.reason, problem.detail);
  if (json === undefined) return { params, canonical: [canonicalParams(params)] };
  const signed = withNumbersAsText(json);
  // Where no number is written otherwise, parsing again would give the same.
  if (signed === json) return { params, canonical: [canonicalParams(params)] };
  return { params: parseExact(json) as Params, canonical: [canonicalParams(parsedJson(signed) as Params)] };
}

/** Whether a parser may have changed how a number is written, so that its signature cannot be made again. */
function hasInexactNumber(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInexactNumber);
}

const uuidForm = /^[\w-]{1,64}$/;

/** Reads who decided what. The signature is right by now; the content must still be of one mind. */
function readAnswer(params: Params, nonce: string): CallbackVerdict {
  const decision = member(params, 'status');
  if (decision !== 'approved' && decision !== 'denied') {
    return refused('missingField', 'its status is neither approved nor denied');
  }
  const approvalId = member(params, 'uuid');
  if (!hasForm(approvalId, uuidForm)) return refused('missingField', 'it has no uuid');
  const id = member(params, 'authy_id');
  const authyId = typeof id === 'number' ? String(id) : id;
  if (!hasForm(authyId, formats.authyId)) return refused('missingField', 'it has no authy_id');
  const transaction = member(member(params, 'approval_request'), 'transaction');
  if (!isObject(transaction)) return refused('missingField', 'it has no approval_request');
  if (member(transaction, 'status') !== decision) {
    return refused('statusDisagrees', 'its outer and inner status are not the same');
  }
  const answer: ApprovalAnswer = {
    decision,
    approvalId: approvalId.toLowerCase(),
    authyId,
    nonce: Number(nonce),
    about: {
      message: textOrNull(transaction, 'message'),
      details: objectOrNull(transaction, 'details'),
      hiddenDetails: objectOrNull(transaction, 'hidden_details'),
      device: objectOrNull(params, 'device'),
    },
    body: params,
  };
  return { accepted: true, answer };
}

/** Verifies the callbacks of one account. */
export class AuthyCallbacks implements CallbackVerifier {
  constructor(private readonly keys: Omit<CallbackRules, 'maxSize'>) {}

  verify(request: CallbackRequest, maxSize: number): CallbackVerdict {
    return verifyCallback(request, { ...this.keys, maxSize });
  }

  signedFor(request: CallbackRequest, maxSize: number, candidates: readonly string[]): string | undefined {
    return addressSignedFor(request, { ...this.keys, maxSize }, candidates);
  }
}
