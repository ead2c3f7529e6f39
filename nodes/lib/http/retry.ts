/**
 * How an operation may be repeated. Decided per operation and never per HTTP method: some services send SMS, start
 * calls and use up tokens by GET.
 */
export type RepeatPolicy = keyof typeof policies;

interface Policy {
  /** Further attempts after HTTP 429, once Retry-After has passed. */
  afterRateLimit: number;
  /** Further attempts after a 5xx answer, or if no answer came once the request was on its way. */
  afterNoAnswer: number;
  /** Whether it does something at the service, so that after a lost answer nobody knows what happened. */
  hasEffect: boolean;
}

const policies = {
  /** Reads something that costs nothing. */
  read: { afterRateLimit: 2, afterNoAnswer: 2, hasEffect: false },
  /** Reads something that costs money. */
  readBilled: { afterRateLimit: 1, afterNoAnswer: 1, hasEffect: false },
  /** Does the same however often it is done. */
  repeatable: { afterRateLimit: 2, afterNoAnswer: 1, hasEffect: true },
  /** Sends a message, starts a call, uses up a token or an attempt. */
  never: { afterRateLimit: 0, afterNoAnswer: 0, hasEffect: true },
} as const satisfies Record<string, Policy>;

/** Further attempts if the request cannot have left: no name, no connection. Safe for every operation. */
const afterNotSent = 2;

/** The longest wait that a service may ask for, in milliseconds. */
const longestWait = 30_000;

/** The first pause; each further one may be twice as long. In milliseconds. */
const firstPause = 200;

/** Why an attempt failed: it decides whether to repeat it. */
export type Failure = 'notSent' | 'rateLimited' | 'noAnswer';

/** Whether an operation with this policy does something at the service. */
export function hasEffect(repeat: RepeatPolicy): boolean {
  return policies[repeat].hasEffect;
}

/**
 * Counts the attempts of one call.
 *
 * @param random - from 0 to 1, for the jitter
 */
export class Attempts {
  private readonly left: Record<Failure, number>;
  private pauses = 0;

  constructor(
    repeat: RepeatPolicy,
    private readonly random: () => number = Math.random,
  ) {
    const policy = policies[repeat];
    this.left = {
      notSent: afterNotSent,
      rateLimited: policy.afterRateLimit,
      noAnswer: policy.afterNoAnswer,
    };
  }

  /** How many further attempts there would be after a lost answer. */
  get afterNoAnswer(): number {
    return this.left.noAnswer;
  }

  /**
   * Counts a failure.
   *
   * @param retryAfter - the wait that the service asked for, in seconds
   * @returns how long to wait before the next attempt, in milliseconds; undefined if there is none
   */
  next(failure: Failure, retryAfter?: number): number | undefined {
    if (this.left[failure] <= 0) return undefined;
    this.left[failure] -= 1;
    if (retryAfter !== undefined) return Math.min(retryAfter * 1000, longestWait);
    // Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    return this.random() * firstPause * 2 ** this.pauses++;
  }
}

/** The formats of a date in HTTP; the last has no zone and means GMT all the same (RFC 9110, section 5.6.7). */
const httpDate =
  /^(?:\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT|\w{6,9}, \d{2}-\w{3}-\d{2} [\d:]{8} GMT|\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})$/;

/**
 * Reads a Retry-After header: seconds or an HTTP date (RFC 9110, section 10.2.3).
 *
 * @param now - milliseconds since the epoch
 * @returns seconds from now, at most 30; undefined if it is absent or in the wrong format
 */
export function retryAfterSeconds(header: string | undefined, now: number = Date.now()): number | undefined {
  const text = header?.trim() ?? '';
  if (/^[0-9]+$/.test(text)) return Math.min(Number(text), longestWait / 1000);
  if (!httpDate.test(text)) return undefined;
  const seconds = Math.ceil((Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) - now) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), longestWait / 1000) : undefined;
}
