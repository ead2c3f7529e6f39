import { randomBytes } from 'node:crypto';
import { type ApprovalRecord, type Found, idPrefix, type Records } from '../../nodes/lib/storage/records';
import type { Clock } from '../../nodes/lib/time';

/** A record as a gate makes one. */
export function newRecord(more: Partial<ApprovalRecord> = {}): ApprovalRecord {
  return {
    id: idPrefix + randomBytes(11).toString('hex'),
    accountId: 'account',
    recipient: '209',
    state: 'waiting',
    approvalId: '4a725520-bff5-0135-eb01-0e5d90336a8c',
    question: '',
    endsAt: Date.now() + 300_000,
    lifetime: 300_000,
    reminded: false,
    message: '{"payload":"open the door"}',
    epoch: 0,
    ...more,
  };
}

/** Records the events of a store. */
export class Told {
  readonly troubles: string[] = [];
  onAbandoned(): void {
    // No test needs it.
  }
  onWithdrawn(): void {
    // No test needs it.
  }
  onTrouble(sentence: string): void {
    this.troubles.push(sentence);
  }
}

/** Takes over all records that there are. */
export async function takeAll(records: Records, except = new Map<string, number>()): Promise<Found[]> {
  const all: Found[] = [];
  for (;;) {
    const found = await records.take(except);
    if (found.length === 0) return all;
    all.push(...found);
  }
}

/** A time that stands still until a test moves it; timers then go off. */
export class SetTime implements Clock {
  private now = 0;
  private offset: number;
  private readonly timers = new Set<{ at: number; action: () => void }>();

  constructor(wall = Date.now()) {
    this.offset = wall;
  }

  wall(): number {
    return this.now + this.offset;
  }

  steady(): number {
    return this.now;
  }

  after(milliseconds: number, action: () => void): () => void {
    const timer = { at: this.now + milliseconds, action };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Sets the computer's clock, and nothing else. */
  set(wall: number): void {
    this.offset = wall - this.now;
  }

  move(milliseconds: number): void {
    this.now += milliseconds;
    for (const timer of this.timers) {
      if (timer.at > this.now) continue;
      this.timers.delete(timer);
      timer.action();
    }
  }
}
