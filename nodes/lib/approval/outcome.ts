import { type JsonObject, objectOrNull } from '../authy/response';
import type { CallbackAnswer } from '../onetouch/callback';
import type { Performed } from '../service';

/** Why a request expired; part of the package's contract, as `msg.payload.reason`. */
export type ExpiryReason =
  /** Nobody answered in time. */
  | 'noAnswer'
  /** The answer was given after the time was over. */
  | 'late'
  /** The status could not be read when the time was over. */
  | 'statusUnreadable'
  /** A callback said "approved", and the status never did. */
  | 'unconfirmed'
  /** It was approved in time, but the store let it be handed on only long after. */
  | 'overdue';

/**
 * How long after its end a request may still be approved, in milliseconds: for the last reading and for the store.
 * Whoever set a timeout of a minute does not expect the door to open after an hour.
 */
export const grace = 10_000;

/** What became of an approval request. */
export interface Outcome {
  readonly decision: 'approved' | 'denied' | 'expired';
  /** Null unless it expired. */
  readonly reason: ExpiryReason | null;
  /** Milliseconds since 1970. */
  readonly decidedAt: number;
  /** How the answer became known; `timeout` where none did. */
  readonly decidedBy: 'callback' | 'polling' | 'timeout';
  /** What the callback said of the phone. */
  readonly device: JsonObject | null;
  /** The answer that decided: the status as it was read, or the callback. */
  readonly statusCode?: number | undefined;
  readonly response?: JsonObject | undefined;
}

export type StatusReading = Performed<'onetouchStatus'>;

/** A request as far as its outcome depends on it. */
export interface Question {
  /** How long an answer counts, in seconds. */
  readonly timeout: number;
  /** A verified callback that said "approved". */
  readonly approval: CallbackAnswer | undefined;
}

/**
 * Judges a status that was read.
 *
 * @param isLast - whether the time is over, so that "pending" is an outcome too
 * @returns undefined while there is none
 */
export function outcomeOf(
  { timeout, approval }: Question,
  reading: StatusReading,
  isLast: boolean,
): Outcome | undefined {
  const { status } = reading.result;
  const answered = {
    decidedAt: processedAt(reading) ?? Date.now(),
    decidedBy: approval === undefined ? 'polling' : 'callback',
    device: approval === undefined ? null : objectOrNull(approval.params, 'device'),
    statusCode: reading.statusCode,
    response: reading.response,
  } as const;
  const facts = { statusCode: reading.statusCode, response: reading.response };
  if (status === 'approved' || status === 'denied') {
    return isInTime(reading, timeout, isLast)
      ? { ...answered, decision: status, reason: null }
      : expired('late', facts);
  }
  if (status === 'expired' || isLast) {
    return expired(approval === undefined ? 'noAnswer' : 'unconfirmed', facts);
  }
  return undefined;
}

/** A callback that decides by itself: a denial always does, an approval where it need not be confirmed. */
export function outcomeOfCallback({ decision, params }: CallbackAnswer): Outcome {
  return {
    decision,
    reason: null,
    decidedAt: Date.now(),
    decidedBy: 'callback',
    device: objectOrNull(params, 'device'),
    response: params,
  };
}

/** The time is over, and nothing was approved. */
export function expired(reason: ExpiryReason, facts: Pick<Outcome, 'statusCode' | 'response'> = {}): Outcome {
  return { decision: 'expired', reason, decidedAt: Date.now(), decidedBy: 'timeout', device: null, ...facts };
}

/**
 * Whether an answer was given in time. Both times are the service's, so that neither a clock that is wrong here nor
 * one that jumps makes a late answer count; they are whole seconds.
 */
function isInTime(reading: StatusReading, timeout: number, isLast: boolean): boolean {
  const [asked, answered] = [time(reading.result.createdAt), processedAt(reading)];
  if (asked === undefined || answered === undefined) return !isLast;
  return answered - asked <= timeout * 1000;
}

function processedAt(reading: StatusReading): number | undefined {
  return time(reading.result.processedAt);
}

function time(text: string | null): number | undefined {
  const parsed = text === null ? NaN : Date.parse(text);
  return Number.isNaN(parsed) ? undefined : parsed;
}
