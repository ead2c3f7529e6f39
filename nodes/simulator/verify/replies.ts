import type { ErrorForm } from '../faults';
import type { Reply } from '../reply';

/**
 * Every error of Twilio's that the simulator answers: HTTP status, number, and its text.
 *
 * Source: https://www.twilio.com/docs/api/errors (60204, 60205, 60301, 60318 and 60323 as they are there), and
 * https://www.twilio.com/docs/verify/return-and-error-codes. Other texts are the simulator's own.
 */
const failures = {
  unauthorized: [401, 20003, 'Authenticate'],
  methodNotAllowed: [405, 20004, 'Method not allowed'],
  notFound: [404, 20404, 'The requested resource was not found'],
  tooManyRequests: [429, 20429, 'Too Many Requests'],
  internal: [500, 20500, 'Internal Server Error'],
  invalidParameter: [400, 60200, 'Invalid parameter'],
  checksUsedUp: [429, 60202, 'Max check attempts reached'],
  sendsUsedUp: [429, 60203, 'Max send attempts reached'],
  featureOff: [403, 60204, 'Service does not support this feature'],
  landline: [403, 60205, 'SMS is not supported by landline phone number'],
  entityExists: [409, 60301, 'Entity already exists'],
  triesUsedUp: [429, 60308, 'Max Challenge attempts reached'],
  confirmationsUsedUp: [429, 60310, 'Max Factor verification attempts reached'],
  challengesUsedUp: [429, 60312, 'Max Challenges limit reached'],
  tooManyFactors: [400, 60315, 'Max Factors limit reached'],
  unverified: [403, 60318, 'Factor is unverified'],
  challengeExpired: [403, 60323, 'Challenge expired'],
  factorsOfToday: [429, 60326, 'Max Factor creations per day reached'],
} as const satisfies Readonly<Record<string, readonly [status: number, code: number, message: string]>>;

export type VerifyFailureName = keyof typeof failures;

/** Thrown by the handler of a request: the answer is an error of Twilio's. */
export class VerifyFailure extends Error {
  override readonly name = 'VerifyFailure';
  readonly reply: Reply;

  /**
   * @param message - instead of the general one
   * @param headers - of the answer
   */
  constructor(failure: VerifyFailureName, message?: string, headers: Reply['headers'] = {}) {
    const [status, code, general] = failures[failure];
    super(message ?? general);
    this.reply = { ...failureReply(status, code, this.message), headers };
  }
}

/** The error that names a parameter, 60200. */
export function invalidParameter(name: string, problem: string): VerifyFailure {
  return new VerifyFailure('invalidParameter', `Invalid parameter \`${name}\`: ${problem}`);
}

/** The error about a resource that is not there, 20404. */
export function notFound(path: string): VerifyFailure {
  const resource = path.replace(/^\/v2/, '');
  return new VerifyFailure('notFound', `The requested resource ${resource} was not found`);
}

/** The error about credentials, 20003. */
export function unauthorized(): VerifyFailure {
  return new VerifyFailure('unauthorized', undefined, { 'WWW-Authenticate': 'Basic realm="Twilio API"' });
}

function failureReply(status: number, code: number, message: string): Reply {
  const more_info = `https://www.twilio.com/docs/errors/${code}`;
  return { status, body: { code, message, more_info, status } };
}

/** How Twilio writes the errors of faults: a status without an error of its own has the general one. */
export const verifyErrors: ErrorForm = {
  write: (status, code, message) => failureReply(status, Number(code ?? 20_000 + status), message),
  codeOf: (status) => (status === failures.unauthorized[0] ? String(failures.unauthorized[1]) : undefined),
  invalidRequest: String(failures.invalidParameter[1]),
};

export function ok(body: Readonly<Record<string, unknown>>): Reply {
  return { status: 200, body };
}

export function created(body: Readonly<Record<string, unknown>>): Reply {
  return { status: 201, body };
}

export const deleted: Reply = { status: 204, body: null };
