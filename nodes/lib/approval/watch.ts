import { AuthyError } from '../authy/errors';
import type { CallbackAnswer } from '../onetouch/callback';
import { DueTimes, type Placed } from './due-times';
import { expired, grace, type Outcome, outcomeOf, outcomeOfCallback, type StatusReading } from './outcome';

/** A request that is watched until it is decided. */
export interface Watched extends Placed {
  readonly approvalId: string;
  readonly authyId: string;
  /** How long an answer counts, in seconds. */
  readonly timeout: number;
  /** By `performance.now()`, which no change of the clock moves. */
  readonly askedAt: number;
  readonly endsAt: number;
  /** Whether an answer may be there already: then it is read at once. */
  readonly hasRested: boolean;
  /** Whether an approval by callback is confirmed by reading the status. */
  readonly confirm: boolean;
  /** Reads the status, in at most so many milliseconds. */
  read(deadline: number): Promise<StatusReading>;
  /** Half of the time is over without an answer; absent once it was called. */
  readonly remind: (() => void) | undefined;
  /** Called once, and then the request is watched no more. */
  decide(outcome: Outcome): void;
  /** The status could not be read; it will be tried again. */
  onUnreadable(error: unknown): void;
}

// All in milliseconds. Quick at first, while the person has the phone in hand; then a tenth of the time that has
// passed, so that a day costs no more questions than ten minutes do.
const shortestPause = 1000;
const longestPause = 15_000;
const shareOfAge = 1 / 10;

/** The service publishes no limit. Many open requests share this many readings a second. */
const readingsPerSecond = 10;
/** Leaves places for what else the account's nodes have to ask. */
const readingsAtOnce = 4;
const readingDeadline = 10_000;
/** What is left unread so long after its end has expired; within the {@link grace}. */
const lastReadingDeadline = grace / 2;
/** Where the service says "too many requests" and not for how long. */
const rateLimitPause = 5000;
/** Looked at without a break; then whatever else waits has its turn. */
const takenAtOnce = 100;
/** Timers hold no more. */
const longestTimer = 3_600_000;

/**
 * Watches the open requests of one account: asks for their status, in a rhythm of its own for each and with one timer
 * for all, takes callbacks, and ends what nobody answered.
 */
export class Watch {
  // Of a request that only waits, nothing but its place in these two is kept.
  private readonly due = new DueTimes<Watched>();
  private readonly watching = new Map<string, Watched>();
  /** Verified callbacks that said "approved", to be confirmed. */
  private readonly approvals = new Map<Watched, CallbackAnswer>();
  /** The readings under way of requests that are watched. */
  private readonly readings = new Map<Watched, symbol>();
  /** How many readings are under way, also of requests that are watched no more. */
  private reading = 0;
  private pausedUntil = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;
  private turn: NodeJS.Immediate | undefined;

  add(request: Watched): void {
    this.watching.set(key(request.approvalId), request);
    this.plan(request, request.hasRested ? 0 : undefined);
  }

  /** Stops watching a request, without an outcome. */
  remove(approvalId: string): void {
    const request = this.watching.get(key(approvalId));
    if (request !== undefined) this.end(request);
  }

  /** Takes the answer of a verified callback, if it is about a request that is watched. */
  answered(answer: CallbackAnswer): void {
    const request = this.watching.get(key(answer.approvalId));
    if (request === undefined || request.authyId !== answer.authyId) return;
    if (performance.now() >= request.endsAt) return;
    if (answer.decision === 'denied' || !request.confirm) {
      this.decide(request, outcomeOfCallback(answer));
      return;
    }
    if (!this.approvals.has(request)) this.approvals.set(request, answer);
    if (!this.readings.has(request)) this.plan(request, 0);
  }

  /** When the request is looked at next. @param pause - in milliseconds; by its age where absent */
  private plan(request: Watched, pause?: number): void {
    const now = performance.now();
    const { askedAt, endsAt } = request;
    const rhythm = Math.min(longestPause, Math.max(shortestPause, (now - askedAt) * shareOfAge));
    const fair = (this.watching.size / readingsPerSecond) * 1000;
    const wanted = now + (pause ?? Math.max(rhythm, this.approvals.has(request) ? 0 : fair));
    const allowed = Math.max(wanted, this.pausedUntil);
    this.due.set(request, Math.min(allowed, remindAt(request), endsAt));
    this.wakeUp();
  }

  /** One timer for the request that is due first; what is due has its turn after what else is waiting to run. */
  private wakeUp(): void {
    const next = this.due.next();
    if (next === undefined || this.reading >= readingsAtOnce) {
      this.stopTimer();
      return;
    }
    const wait = next - performance.now();
    if (wait <= 0) {
      this.turn ??= setImmediate(() => this.takeTurn()).unref();
    } else if (this.timer === undefined || next < this.timerAt) {
      this.stopTimer();
      this.timerAt = next;
      this.timer = setTimeout(() => this.takeTurn(), Math.min(wait, longestTimer)).unref();
    }
  }

  private takeTurn(): void {
    this.turn = undefined;
    this.stopTimer();
    for (let taken = 0; taken < takenAtOnce && this.reading < readingsAtOnce; taken++) {
      const request = this.due.take(performance.now());
      if (request === undefined) break;
      this.attend(request);
    }
    this.wakeUp();
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.timerAt = Infinity;
  }

  private attend(request: Watched): void {
    const now = performance.now();
    if (now >= remindAt(request)) request.remind?.();
    const isLast = now >= request.endsAt;
    if (!isLast && now < this.pausedUntil) {
      this.plan(request);
      return;
    }
    if (now >= request.endsAt + lastReadingDeadline) {
      this.decide(request, expired('statusUnreadable'));
      return;
    }
    this.reading += 1;
    void this.read(request, isLast).finally(() => {
      this.reading -= 1;
      this.wakeUp();
    });
  }

  private async read(request: Watched, isLast: boolean): Promise<void> {
    const reading = Symbol();
    this.readings.set(request, reading);
    const approval = this.approvals.get(request);
    let outcome: Outcome | undefined;
    try {
      const status = await request.read(isLast ? lastReadingDeadline : readingDeadline);
      const { timeout } = request;
      outcome = outcomeOf({ timeout, approval: this.approvals.get(request) }, status, isLast);
    } catch (error) {
      if (error instanceof AuthyError && error.code === 'AUTHY_RATE_LIMITED') {
        const pause = error.retryAfter === undefined ? rateLimitPause : error.retryAfter * 1000;
        this.pausedUntil = performance.now() + pause;
      }
      request.onUnreadable(error);
      if (isLast) outcome = expired('statusUnreadable');
    }
    // Meanwhile it may have been decided by a callback, or withdrawn.
    if (this.readings.get(request) !== reading) return;
    this.readings.delete(request);
    if (outcome !== undefined) this.decide(request, outcome);
    // A callback that came while it was being read may say more than the reading did.
    else this.plan(request, this.approvals.get(request) === approval ? undefined : 0);
  }

  private decide(request: Watched, outcome: Outcome): void {
    this.end(request);
    request.decide(outcome);
  }

  private end(request: Watched): void {
    this.watching.delete(key(request.approvalId));
    this.approvals.delete(request);
    this.readings.delete(request);
    this.due.delete(request);
    this.wakeUp();
  }
}

/** Half of the time, or never. */
function remindAt({ remind, askedAt, endsAt }: Watched): number {
  return remind === undefined ? Infinity : (askedAt + endsAt) / 2;
}

function key(approvalId: string): string {
  return approvalId.toLowerCase();
}

const watches = new Map<string, Watch>();

/** The watch of an account. It outlives a deploy, as the requests do. */
export function watchOf(accountId: string): Watch {
  let watch = watches.get(accountId);
  if (watch === undefined) watches.set(accountId, (watch = new Watch()));
  return watch;
}
