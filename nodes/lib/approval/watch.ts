import { AuthyError } from '../authy/errors';
import type { CallbackAnswer } from '../onetouch/callback';
import { DueTimes } from './due-times';
import { expired, grace, type Outcome, outcomeOf, outcomeOfCallback, type StatusReading } from './outcome';

/** A request that is watched until it is decided. */
export interface Watched {
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
  /** Half of the time is over without an answer; called once. */
  remind: (() => void) | undefined;
  /** Called once, and then the request is watched no more. */
  decide(outcome: Outcome): void;
  /** The status could not be read; it will be tried again. */
  onUnreadable(error: unknown): void;
}

interface Watching {
  readonly request: Watched;
  /** A verified callback that said "approved", to be confirmed. */
  approval: CallbackAnswer | undefined;
  remindAt: number;
  isReading: boolean;
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
  private readonly due = new DueTimes<Watching>();
  private readonly watching = new Map<string, Watching>();
  private reading = 0;
  private pausedUntil = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;
  private turn: NodeJS.Immediate | undefined;

  add(request: Watched): void {
    const watching: Watching = {
      request,
      approval: undefined,
      remindAt: request.remind === undefined ? Infinity : (request.askedAt + request.endsAt) / 2,
      isReading: false,
    };
    this.watching.set(key(request.approvalId), watching);
    this.plan(watching, request.hasRested ? 0 : undefined);
  }

  /** Stops watching a request, without an outcome. */
  remove(approvalId: string): void {
    const watching = this.watching.get(key(approvalId));
    if (watching !== undefined) this.end(watching);
  }

  /** Takes the answer of a verified callback, if it is about a request that is watched. */
  answered(answer: CallbackAnswer): void {
    const watching = this.watching.get(key(answer.approvalId));
    if (watching === undefined || watching.request.authyId !== answer.authyId) return;
    const { request } = watching;
    if (performance.now() >= request.endsAt) return;
    if (answer.decision === 'denied' || !request.confirm) {
      this.decide(watching, outcomeOfCallback(answer));
      return;
    }
    watching.approval ??= answer;
    if (!watching.isReading) this.plan(watching, 0);
  }

  /** When the request is looked at next. @param pause - in milliseconds; by its age where absent */
  private plan(watching: Watching, pause?: number): void {
    const now = performance.now();
    const { askedAt, endsAt } = watching.request;
    const rhythm = Math.min(longestPause, Math.max(shortestPause, (now - askedAt) * shareOfAge));
    const fair = (this.watching.size / readingsPerSecond) * 1000;
    const wanted = now + (pause ?? Math.max(rhythm, watching.approval === undefined ? fair : 0));
    const allowed = Math.max(wanted, this.pausedUntil);
    this.due.set(watching, Math.min(allowed, watching.remindAt, endsAt));
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
      const watching = this.due.take(performance.now());
      if (watching === undefined) break;
      this.attend(watching);
    }
    this.wakeUp();
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.timerAt = Infinity;
  }

  private attend(watching: Watching): void {
    const now = performance.now();
    const { request } = watching;
    if (now >= watching.remindAt) {
      watching.remindAt = Infinity;
      request.remind?.();
    }
    const isLast = now >= request.endsAt;
    if (!isLast && now < this.pausedUntil) {
      this.plan(watching);
      return;
    }
    if (now >= request.endsAt + lastReadingDeadline) {
      this.decide(watching, expired('statusUnreadable'));
      return;
    }
    this.reading += 1;
    watching.isReading = true;
    void this.read(watching, isLast).finally(() => {
      this.reading -= 1;
      watching.isReading = false;
      this.wakeUp();
    });
  }

  private async read(watching: Watching, isLast: boolean): Promise<void> {
    const { request, approval } = watching;
    let outcome: Outcome | undefined;
    try {
      const reading = await request.read(isLast ? lastReadingDeadline : readingDeadline);
      outcome = outcomeOf({ timeout: request.timeout, approval: watching.approval }, reading, isLast);
    } catch (error) {
      if (error instanceof AuthyError && error.code === 'AUTHY_RATE_LIMITED') {
        const pause = error.retryAfter === undefined ? rateLimitPause : error.retryAfter * 1000;
        this.pausedUntil = performance.now() + pause;
      }
      request.onUnreadable(error);
      if (isLast) outcome = expired('statusUnreadable');
    }
    // Meanwhile it may have been decided by a callback, or withdrawn.
    if (this.watching.get(key(request.approvalId)) !== watching) return;
    if (outcome !== undefined) this.decide(watching, outcome);
    // A callback that came while it was being read may say more than the reading did.
    else this.plan(watching, watching.approval === approval ? undefined : 0);
  }

  private decide(watching: Watching, outcome: Outcome): void {
    this.end(watching);
    watching.request.decide(outcome);
  }

  private end(watching: Watching): void {
    this.watching.delete(key(watching.request.approvalId));
    this.due.delete(watching);
    this.wakeUp();
  }
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
