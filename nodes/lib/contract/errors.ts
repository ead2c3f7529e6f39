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

/** A word of the badge, a key of the catalogue below `status.error`, where it tells more than the one of the code. */
export type BadgeWord = 'MISSING' | 'NOT_INVITED' | 'PAUSED';

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
  /** Not enumerable either: flows go by the code. */
  badge?: BadgeWord | undefined;
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
  declare readonly badge?: BadgeWord;

  constructor(
    readonly code: AuthyErrorCode,
    message: string,
    { response, badge, ...facts }: AuthyErrorFacts = {},
  ) {
    super(message);
    const known = Object.entries<unknown>(facts).filter(([, fact]) => fact !== undefined);
    // Absent facts stay absent, so that a printed error shows what is known and nothing else.
    Object.assign(this, Object.fromEntries(known));
    Object.defineProperties(this, {
      response: { value: response, enumerable: false },
      badge: { value: badge, enumerable: false },
    });
  }

  /** What Node-RED makes `msg.error.message` of for a Catch node: without the name, which says nothing to its reader. */
  override toString(): string {
    return this.message;
  }

  /** The error as plain data, as it goes to the log or into storage. */
  toJSON(): object {
    const { name, code, message, authyCode, statusCode, retryAfter, field } = this;
    return { name, code, message, authyCode, statusCode, retryAfter, field };
  }
}

/**
 * An error about one input. Node-RED shows the beginning of an error, and no more of a long one: so it begins with what the
 * flow builder sees, which only the node knows. Until then, that is the input's name in the table.
 */
export class InputError extends AuthyError {
  /**
   * @param problem - the rest of the sentence, as it follows the subject: ` is missing.`
   */
  constructor(
    code: 'AUTHY_INVALID_INPUT' | 'AUTHY_NOT_SUPPORTED',
    override readonly field: string,
    private readonly problem: string,
    badge?: BadgeWord,
  ) {
    super(code, field + problem, { field, badge });
    // A printed error shows its message, of which this is a part.
    Object.defineProperty(this, 'problem', { value: problem, enumerable: false });
  }

  /**
   * The same error about the same input by another name.
   *
   * @param subject - where its value comes from, such as `msg.email`
   * @param remedy - where that is changed, as a sentence; absent if the problem says it
   */
  about(subject: string, remedy?: string): AuthyError {
    const { code, field, problem, badge } = this;
    const end = remedy === undefined ? '' : ` ${remedy}`;
    return new AuthyError(code, subject + problem + end, { field, badge });
  }
}

/**
 * The error for an input that was refused before anything was sent.
 *
 * @param field - the input's name in the table
 * @param problem - what is wrong with it, as a sentence without its subject: `is missing.`
 */
export function invalidInput(field: string, problem: string): InputError {
  return new InputError('AUTHY_INVALID_INPUT', field, ` ${problem}`);
}

/** The same for an input that is not there. @param problem - as for {@link invalidInput} */
export function missingInput(field: string, problem = 'is missing.'): InputError {
  return new InputError('AUTHY_INVALID_INPUT', field, ` ${problem}`, 'MISSING');
}

/** The error for input of which the first word says what to do about it: a sentence that names the input itself. */
export function refusedInput(field: string, whatToDo: string, badge?: BadgeWord): AuthyError {
  return new AuthyError('AUTHY_INVALID_INPUT', whatToDo, { field, badge });
}

/** The error if a node has no account to ask. */
export function noAccount(
  whatToDo = 'Open the node and choose an account: none is chosen, or it is disabled.',
): AuthyError {
  return new AuthyError('AUTHY_NO_ACCOUNT', whatToDo);
}

/**
 * The error for an answer that is not as it should be: nothing is concluded from it.
 *
 * @param of - whose answer it is
 */
export function untrustedAnswer(
  problem: string,
  of = 'the service',
  facts: Pick<AuthyErrorFacts, 'statusCode' | 'response'> = {},
): AuthyError {
  return new AuthyError(
    'AUTHY_BAD_RESPONSE',
    `Check the base URL of the account, and the proxy: ${of}'s answer cannot be trusted (${problem}).`,
    facts,
  );
}

/** The error for a service that reports an outcome which the operation does not have. */
export function foreignOutcome(outcome: unknown): AuthyError {
  return untrustedAnswer(`${JSON.stringify(outcome)} is none of the outcomes of this operation`);
}
