import { AuthyError } from '../contract/errors';
import type { ApprovalAnswer } from '../contract/service';
import { DueTimes, type Placed } from './due-times';
import {
  expired,
  grace,
  type Outcome,
  outcomeOf,
  outcomeOfCallback,
  type Question,
  type StatusReading,
} from './outcome';
import type { Time } from '../time';

/** A message that is watched until it is decided. Several may wait for the answer to one request. */
export interface Watched extends Placed, Question {
  /** Of the request, in lower case. */
  readonly key: string;
  readonly recipient: string;
  /** When the service accepted the request, by {@link Time.steady}. */
  readonly askedAt: number;
  /** When its own time is over, by the same clock. */
  readonly endsAt: number;
  /** Since when it waits, by the same clock: a request that was seen open later was not answered before. */
  readonly waitsSince: number;
  /** Whether its time is not over yet, by every clock there is. */
  readonly isBeforeEnd: boolean;
  /** Whether there may be an answer already: then the status is read at once. */
  readonly mayBeAnswered: boolean;
  /** Whether an approval by callback is confirmed by reading the status. */
  readonly confirm: boolean;
  /** Reads the status, in at most so many milliseconds. */
  read(deadline: number): Promise<StatusReading>;
  /** The request was seen open while the message waited: an answer from now on is an answer to it. */
  seenOpen(): void;
  /** Half of the time is over without an answer; absent once it was called. */
  readonly remind: (() => void) | undefined;
  /** Called once; then the message is no longer watched. */
  decide(outcome: Outcome): void;
  /** The status could not be read; it will be tried again. */
  onUnreadable(error: unknown): void;
}

// All in milliseconds. Quick at first, while the person has the phone in hand; then a tenth of the time that has
// passed, so that a day costs no more readings than ten minutes do.
const shortestPause = 1000;
export const usualLongestPause = 15_000;
const shareOfAge = 1 / 10;

/** The service publishes no limit. Many open requests share this many readings a second. */
const readingsPerSecond = 10;
/** Leaves places for other calls of the account's nodes. */
const readingsAtOnce = 4;
const readingDeadline = 10_000;
/** A request whose status is unread this long after its end has expired; within the {@link grace}. */
const lastReadingDeadline = grace / 2;
/** The pause if the service says "too many requests" without a time. */
const rateLimitPause = 5000;
/** The number of messages handled without a break; then other work has its turn. */
const takenAtOnce = 100;
/** The longest timer. */
const longestTimer = 3_600_000;

/**
 * Watches the open requests of one account: reads their status, each in its own rhythm and with one timer for all, takes
 * callbacks, and ends requests that nobody answered.
 */
export class Watch {
  /** The longest time between two readings of a request, in milliseconds. */
  longestPause = usualLongestPause;

  // A message that only waits has entries in these two, and nowhere else.
  private readonly due = new DueTimes<Watched>();
  /** By the request's id. Most requests have one waiting message. */
  private readonly watching = new Map<string, Watched | readonly Watched[]>();
  /** Verified callbacks that said "approved", to be confirmed. */
  private readonly approvals = new Map<Watched, ApprovalAnswer>();
  /** The requests whose status is being read, and whether something came meanwhile that the reading cannot include. */
  private readonly readings = new Map<string, boolean>();
  private pausedUntil = -Infinity;
  private stopTimer: (() => void) | undefined;
  private timerAt = Infinity;
  private isTaking = false;

  constructor(private readonly time: Time) {}

  /** Whether nothing is watched. */
  get isIdle(): boolean {
    return this.watching.size === 0 && this.due.size === 0 && this.readings.size === 0;
  }

  add(message: Watched): void {
    const others = this.waitingFor(message.key);
    this.watching.set(message.key, others.length === 0 ? message : [...others, message]);
    // For a message that joined, an answer is certain to count once the request was seen open.
    if (message.mayBeAnswered || message.joinedAfter > 0) this.readSoon(message);
    else this.plan(message);
  }

  /** Stops watching a message, without an outcome. */
  remove(message: Watched): void {
    const others = this.waitingFor(message.key).filter((other) => other !== message);
    const [only] = others;
    if (only === undefined) this.watching.delete(message.key);
    else this.watching.set(message.key, others.length === 1 ? only : others);
    this.approvals.delete(message);
    this.due.delete(message);
    this.wakeUp();
  }

  /** Takes the answer of a verified callback, if it is about a request that is watched. */
  answered(answer: ApprovalAnswer): void {
    this.time.noticeSleep();
    for (const message of this.waitingFor(answer.approvalId)) {
      if (message.recipient !== answer.authyId) continue;
      const { isBeforeEnd } = message;
      const isAnswered = isBeforeEnd && message.joinedAfter === 0;
      if (isAnswered && (answer.decision === 'denied' || !message.confirm)) {
        this.decide(message, outcomeOfCallback(answer, this.time.wall()));
        continue;
      }
      const isApproval = isBeforeEnd && answer.decision === 'approved';
      if (isApproval && !this.approvals.has(message)) this.approvals.set(message, answer);
      // The status tells whether it came in time.
      this.readSoon(message);
    }
  }

  private waitingFor(key: string): readonly Watched[] {
    const found = this.watching.get(key);
    if (found === undefined) return [];
    return Array.isArray(found) ? (found as readonly Watched[]) : [found as Watched];
  }

  private readSoon(message: Watched): void {
    if (this.readings.has(message.key)) this.readings.set(message.key, true);
    this.plan(message, 0);
  }

  /** Plans the next look at the message. @param pause - in milliseconds; by default from its age */
  private plan(message: Watched, pause?: number): void {
    const now = this.time.steady();
    const { askedAt, endsAt } = message;
    const rhythm = Math.min(this.longestPause, Math.max(shortestPause, (now - askedAt) * shareOfAge));
    const fair = (this.watching.size / readingsPerSecond) * 1000;
    const wanted = now + (pause ?? Math.max(rhythm, this.approvals.has(message) ? 0 : fair));
    const allowed = Math.max(wanted, this.pausedUntil);
    this.due.set(message, Math.min(allowed, remindAt(message), endsAt));
    this.wakeUp();
  }

  /** One timer for the message that is due first; due messages have their turn after other waiting work. */
  private wakeUp(): void {
    const next = this.due.next();
    if (next === undefined || this.readings.size >= readingsAtOnce) {
      this.clearTimer();
      return;
    }
    const wait = next - this.time.steady();
    if (wait <= 0) {
      if (this.isTaking) return;
      this.isTaking = true;
      void this.time.turn().then(this.takeTurn);
    } else if (this.stopTimer === undefined || next < this.timerAt) {
      this.clearTimer();
      this.timerAt = next;
      this.stopTimer = this.time.after(Math.min(wait, longestTimer), this.takeTurn);
    }
  }

  private readonly takeTurn = (): void => {
    this.isTaking = false;
    this.clearTimer();
    this.time.noticeSleep();
    for (let taken = 0; taken < takenAtOnce && this.readings.size < readingsAtOnce; taken++) {
      const message = this.due.take(this.time.steady());
      if (message === undefined) break;
      this.attend(message);
    }
    this.wakeUp();
  };

  private clearTimer(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
    this.timerAt = Infinity;
  }

  private attend(message: Watched): void {
    const now = this.time.steady();
    if (now >= remindAt(message)) message.remind?.();
    // It is planned again when the reading of its request is done.
    if (this.readings.has(message.key)) return;
    if (now < message.endsAt && now < this.pausedUntil) {
      this.plan(message);
      return;
    }
    if (now >= message.endsAt + lastReadingDeadline) {
      this.decide(message, expired('statusUnreadable', this.time.wall()));
      return;
    }
    void this.read(message, now);
  }

  /** Reads the status of a request, for all messages that wait for it. Never rejects. */
  private async read(message: Watched, begunAt: number): Promise<void> {
    const { key } = message;
    const isOver = ({ endsAt }: Watched): boolean => begunAt >= endsAt;
    this.readings.set(key, false);
    let reading: StatusReading | undefined;
    try {
      reading = await message.read(isOver(message) ? lastReadingDeadline : readingDeadline);
    } catch (error) {
      if (error instanceof AuthyError && error.code === 'AUTHY_RATE_LIMITED') {
        const pause = error.retryAfter === undefined ? rateLimitPause : error.retryAfter * 1000;
        this.pausedUntil = this.time.steady() + pause;
      }
      message.onUnreadable(error);
    }
    const pause = this.readings.get(key) === true ? 0 : undefined;
    this.readings.delete(key);
    // Without messages that were decided or withdrawn meanwhile, and with those that joined.
    for (const waiting of this.waitingFor(key)) {
      if (reading?.outcome === 'pending' && waiting.waitsSince <= begunAt) waiting.seenOpen();
      const outcome = this.judge(waiting, reading, isOver(waiting));
      if (outcome === undefined) this.plan(waiting, pause);
      else this.decide(waiting, outcome);
    }
    this.wakeUp();
  }

  private judge(message: Watched, reading: StatusReading | undefined, isLast: boolean): Outcome | undefined {
    this.time.noticeSleep();
    const at = this.time.wall();
    if (reading === undefined) return isLast ? expired('statusUnreadable', at) : undefined;
    const { isBeforeEnd } = message;
    return outcomeOf(message, reading, { at, isBeforeEnd, isLast, approval: this.approvals.get(message) });
  }

  private decide(message: Watched, outcome: Outcome): void {
    this.remove(message);
    message.decide(outcome);
  }
}

/** When half of the time is over, or never. */
function remindAt({ remind, askedAt, endsAt }: Watched): number {
  return remind === undefined ? Infinity : (askedAt + endsAt) / 2;
}
