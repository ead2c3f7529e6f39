import type { JsonObject } from '../contract/json';
import type { ApprovalAnswer, Performed, ServiceAnswer } from '../contract/service';

/** Why a request expired; part of the package's contract, as `msg.payload.reason`. */
export type ExpiryReason =
  /** Nobody answered in time. */
  | 'noAnswer'
  /** The answer was given after the time was over. */
  | 'late'
  /** The answer was given, or may have been given, before this message joined the question. */
  | 'answeredBefore'
  /** It cannot be told whether the answer was given in time: a clock went back, or the service gave no times. */
  | 'clock'
  /** The status could not be read when the time was over. */
  | 'statusUnreadable'
  /** A callback said "approved", but the status never did. */
  | 'unconfirmed'
  /** It was approved in time, but the store let it be handed on only long after. */
  | 'overdue';

/**
 * How long after its end a request may still be approved, in milliseconds: for the last reading and for the store.
 * With a timeout of a minute, nobody expects the door to open after an hour.
 */
export const grace = 10_000;

/** The outcome of an approval request. */
export interface Outcome {
  readonly decision: 'approved' | 'denied' | 'expired';
  /** Null unless it expired. */
  readonly reason: ExpiryReason | null;
  /** Milliseconds since 1970. */
  readonly decidedAt: number;
  /** How the answer became known; `timeout` if none counts. */
  readonly decidedBy: 'callback' | 'polling' | 'timeout';
  /** The phone, as the callback or the status describes it. */
  readonly device: JsonObject | null;
  /** The answer that decided: the status as it was read, or the callback. */
  readonly answer?: ServiceAnswer | undefined;
}

export type StatusReading = Performed<'onetouchStatus'>;

/** The facts about a waiting message that its outcome depends on. */
export interface Question {
  /** How long after the service accepted the request an answer counts, in milliseconds. */
  readonly lifetime: number;
  /**
   * From when on an answer counts, after the same moment; 0 if every answer is one to this message: it asked, or the
   * request was seen open after it had joined.
   */
  readonly joinedAfter: number;
}

/** How a status was seen. */
export interface Seen {
  /** By a clock that may be set, in milliseconds since 1970. */
  readonly at: number;
  /** Whether the time was not over yet, by every clock there is; always false if Node-RED was away meanwhile. */
  readonly isBeforeEnd: boolean;
  /** Whether the reading began after the time was over, so that "pending" is an outcome too. */
  readonly isLast: boolean;
  /** A verified callback that said "approved". */
  readonly approval: ApprovalAnswer | undefined;
}

/**
 * Judges a status that was read.
 *
 * @returns undefined while there is no outcome
 */
export function outcomeOf(question: Question, reading: StatusReading, seen: Seen): Outcome | undefined {
  const { outcome: status, answer } = reading;
  const { approval } = seen;
  if (status === 'approved' || status === 'denied') {
    const problem = timingProblem(question, reading, seen);
    if (problem !== undefined) return expired(problem, seen.at, answer);
    return {
      decision: status,
      reason: null,
      decidedAt: time(reading.result.processedAt) ?? seen.at,
      decidedBy: approval === undefined ? 'polling' : 'callback',
      device: approval?.about.device ?? answer?.device ?? null,
      answer,
    };
  }
  if (status === 'expired' || seen.isLast) {
    return expired(approval === undefined ? 'noAnswer' : 'unconfirmed', seen.at, answer);
  }
  return undefined;
}

/**
 * A callback that decides by itself: a denial, or an approval that need not be confirmed.
 *
 * @param at - milliseconds since 1970
 */
export function outcomeOfCallback({ decision, about, body }: ApprovalAnswer, at: number): Outcome {
  return {
    decision,
    reason: null,
    decidedAt: at,
    decidedBy: 'callback',
    device: about.device,
    answer: { body },
  };
}

/** The time is over, and no answer counts. @param at - milliseconds since 1970 */
export function expired(reason: ExpiryReason, at: number, answer?: ServiceAnswer): Outcome {
  return {
    decision: 'expired',
    reason,
    decidedAt: at,
    decidedBy: 'timeout',
    device: null,
    answer,
  };
}

/**
 * Why an answer does not count, if it does not. Both times of the service are by its own clock, so that a wrong clock here
 * cannot make a late answer count. They are cut to whole seconds: their difference is wrong by less than a second, and
 * within that second the time at which the answer was seen here decides.
 */
function timingProblem(
  { lifetime, joinedAfter }: Question,
  { result }: StatusReading,
  { isBeforeEnd }: Seen,
): ExpiryReason | undefined {
  const [asked, answered] = [time(result.createdAt), time(result.processedAt)];
  if (asked === undefined || answered === undefined) {
    if (joinedAfter > 0) return 'answeredBefore';
    return isBeforeEnd ? undefined : 'clock';
  }
  const after = answered - asked;
  if (joinedAfter > 0 && after - accuracy < joinedAfter) return 'answeredBefore';
  if (after + accuracy <= lifetime) return undefined;
  return after - accuracy < lifetime && isBeforeEnd ? undefined : 'late';
}

/** How exact the difference of two times of the service is, in milliseconds. */
const accuracy = 1000;

function time(text: string | null): number | undefined {
  const parsed = text === null ? NaN : Date.parse(text);
  return Number.isNaN(parsed) ? undefined : parsed;
}
