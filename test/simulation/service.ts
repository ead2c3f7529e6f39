import { AuthyError } from '../../nodes/lib/contract/errors';
import type { StatusReading } from '../../nodes/lib/approval/outcome';
import type { Random } from '../support/random';
import type { Scheduler } from './scheduler';

/** A request as the service has it, and the truth about it. Times are those of the world, in milliseconds. */
export interface OnPhone {
  readonly id: string;
  readonly authyId: string;
  /** The number of the message that asked. */
  readonly no: number;
  readonly createdAt: number;
  readonly expiresAt: number;
  answer: 'approved' | 'denied' | undefined;
  answeredAt: number | undefined;
}

/** How the service and the line to it behave, each as a probability. */
export interface ServiceFaults {
  /** A call that never reaches the service. */
  readonly refused: number;
  /** An answer that gets lost. */
  readonly lost: number;
  /** A status without the times of question and answer. */
  readonly noTimes: number;
  /** "Too many requests." */
  readonly tooMany: number;
  /** The longest a call or an answer takes on its way, in milliseconds. */
  readonly latency: number;
}

/** A service that has requests put on phones, and people who answer them or do not. */
export class Service {
  readonly requests = new Map<string, OnPhone>();
  /** Told when somebody has answered. */
  onAnswer: (request: OnPhone) => void = () => undefined;
  private ids = 0;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly faults: ServiceFaults,
    private readonly epoch: number,
    /** How far its clock is ahead of the truth, in milliseconds. */
    private readonly clockAhead: number,
  ) {}

  /** Puts a request on a phone. @returns its id */
  send(no: number, authyId: string, seconds: number): Promise<string> {
    return this.call(true, () => {
      const { now } = this.scheduler;
      const id = `r-${(this.ids += 1)}`;
      const request: OnPhone = {
        id,
        authyId,
        no,
        createdAt: now,
        expiresAt: now + seconds * 1000,
        answer: undefined,
        answeredAt: undefined,
      };
      this.requests.set(id, request);
      this.ask(request);
      return id;
    });
  }

  read(id: string): Promise<StatusReading> {
    return this.call(false, () => {
      const request = this.requests.get(id);
      if (request === undefined) throw new AuthyError('AUTHY_NOT_FOUND', 'There is no such request.');
      return this.statusOf(request);
    });
  }

  private statusOf({ id, authyId, createdAt, expiresAt, answer, answeredAt }: OnPhone): StatusReading {
    const isSilent = this.random.happens(this.faults.noTimes);
    const status = answer ?? (this.scheduler.now >= expiresAt ? 'expired' : 'pending');
    return {
      outcome: status,
      answer: { statusCode: 200, body: {} },
      result: {
        approvalId: id,
        authyId,
        status,
        notified: true,
        createdAt: isSilent ? null : this.text(createdAt),
        processedAt: isSilent || answeredAt === undefined ? null : this.text(answeredAt),
        secondsToExpire: null,
      },
    };
  }

  /** Whole seconds, as Authy writes them. */
  private text(at: number): string {
    const time = new Date(this.epoch + at + this.clockAhead);
    time.setUTCMilliseconds(0);
    return time.toISOString();
  }

  /** A person looks at the phone sooner or later, or not at all. */
  private ask(request: OnPhone): void {
    const { random, scheduler } = this;
    if (random.happens(0.15)) return;
    const lifetime = request.expiresAt - request.createdAt;
    const delay = random.happens(0.3) ? random.next() * 500 : random.next() * lifetime * 1.1;
    scheduler.after(delay, () => {
      if (scheduler.now >= request.expiresAt || request.answer !== undefined) return;
      request.answer = random.happens(0.7) ? 'approved' : 'denied';
      request.answeredAt = scheduler.now;
      this.onAnswer(request);
    });
  }

  private async call<T>(hasEffect: boolean, perform: () => T): Promise<T> {
    const { random, scheduler, faults } = this;
    await scheduler.sleep(random.next() * faults.latency);
    if (random.happens(faults.refused)) throw new AuthyError('AUTHY_NETWORK', 'Nothing was sent.');
    if (random.happens(faults.tooMany))
      throw new AuthyError('AUTHY_RATE_LIMITED', 'Too many.', { retryAfter: 2 });
    const answer = perform();
    await scheduler.sleep(random.next() * faults.latency);
    if (!random.happens(faults.lost)) return answer;
    await scheduler.sleep(3000);
    throw hasEffect
      ? new AuthyError('AUTHY_OUTCOME_UNKNOWN', 'It may have arrived.')
      : new AuthyError('AUTHY_TIMEOUT', 'No answer came in time.');
  }
}
