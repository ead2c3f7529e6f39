/**
 * What went wrong, as a flow can tell it apart: `error.code` of everything these nodes raise.
 * The codes are part of the package's contract; docs/errors.md lists them with what to do.
 */
export type AuthyErrorCode =
  // Nothing was sent.
  | 'AUTHY_INVALID_INPUT'
  | 'AUTHY_NOT_SUPPORTED'
  | 'AUTHY_NO_ACCOUNT'
  | 'AUTHY_NO_API_KEY'
  | 'AUTHY_BAD_CONFIG'
  | 'AUTHY_BUSY'
  | 'AUTHY_OPEN_LIMIT'
  | 'AUTHY_COOL_DOWN'
  | 'AUTHY_STORE'
  | 'AUTHY_CANCELLED'
  | 'AUTHY_NETWORK'
  | 'AUTHY_TLS'
  | 'AUTHY_TIMEOUT'
  // The service said no.
  | 'AUTHY_INVALID_API_KEY'
  | 'AUTHY_INVALID_REQUEST'
  | 'AUTHY_USER_NOT_FOUND'
  | 'AUTHY_USER_UNAVAILABLE'
  | 'AUTHY_NOT_FOUND'
  | 'AUTHY_NOT_ALLOWED'
  | 'AUTHY_ACCOUNT_SUSPENDED'
  | 'AUTHY_LIMIT_REACHED'
  | 'AUTHY_RATE_LIMITED'
  | 'AUTHY_NOT_SENT'
  | 'AUTHY_REJECTED'
  // No answer, or none to be trusted.
  | 'AUTHY_UNAVAILABLE'
  | 'AUTHY_BAD_RESPONSE'
  | 'AUTHY_OUTCOME_UNKNOWN';

export interface AuthyErrorFacts {
  /** The service's own error number, such as Authy's `60026`. */
  authyCode?: string | undefined;
  /** The HTTP status of the answer. */
  statusCode?: number | undefined;
  /** Seconds to wait before another try, if the service said so. */
  retryAfter?: number | undefined;
  /** The input that was refused. */
  field?: string | undefined;
  /** The parsed answer, without the API key. Not enumerable on the error: it may hold personal data, and errors are logged. */
  response?: unknown;
}

/**
 * The one error of this package. It holds text and plain data only, so it can be cloned, logged and put on a
 * message: never the request, its headers or the API key.
 */
export class AuthyError extends Error {
  override readonly name = 'AuthyError';
  declare readonly authyCode?: string;
  declare readonly statusCode?: number;
  declare readonly retryAfter?: number;
  declare readonly field?: string;
  declare readonly response?: unknown;

  constructor(
    readonly code: AuthyErrorCode,
    message: string,
    { response, ...facts }: AuthyErrorFacts = {},
  ) {
    super(message);
    const known = Object.entries<unknown>(facts).filter(([, fact]) => fact !== undefined);
    // Absent facts stay absent, so that a printed error shows what is known and nothing else.
    Object.assign(this, Object.fromEntries(known));
    Object.defineProperty(this, 'response', { value: response, enumerable: false });
  }

  /** The error as plain data, as it goes to the log or into storage. */
  toJSON(): object {
    const { name, code, message, authyCode, statusCode, retryAfter, field } = this;
    return { name, code, message, authyCode, statusCode, retryAfter, field };
  }
}

/**
 * The error for an input that was refused before anything was sent.
 *
 * @param field - the input's name, as on the panel and in the table
 * @param problem - what is wrong and what to do, as a sentence without the field's name
 */
export function invalidInput(field: string, problem: string): AuthyError {
  return new AuthyError('AUTHY_INVALID_INPUT', `${field}: ${problem}`, { field });
}

/** The error if a node has no account to ask. */
export function noAccount(
  whatToDo = 'No Authy account is chosen, or it is disabled. Open the node and choose one.',
): AuthyError {
  return new AuthyError('AUTHY_NO_ACCOUNT', whatToDo);
}

/** The error for an answer that is not as it should be: nothing is concluded from it. */
export function untrustedAnswer(problem: string): AuthyError {
  return new AuthyError('AUTHY_BAD_RESPONSE', `The service's answer cannot be trusted: ${problem}.`);
}

/** The error for a service that reports an outcome which the operation does not have. */
export function foreignOutcome(outcome: unknown): AuthyError {
  return untrustedAnswer(`${JSON.stringify(outcome)} is none of the outcomes of this operation`);
}
