import { AuthyError } from '../contract/errors';
import { promiseOf } from './in-turn';
import type { Decision } from '../contract/service';
import type { Ledger } from './ledger';
import { realTime, type Clock } from '../time';

/** Times are kept in minutes: a small whole number needs no extra memory, and a minute is exact enough. */
const minute = 60_000;
const hour = 60;
const week = 7 * 24 * hour;
/** A request that can be answered for ever counts as ended after a year. */
const year = 365 * 24 * hour;

/** How many requests and answers are known at once, some 70 MB. More are refused: none is forgotten before its time. */
const most = 500_000;

/** How many entries are checked, and forgotten if due, whenever one is added. */
const lookedAt = 20;

interface Entry {
  /** The user whom this account asked; undefined if it asked nobody. */
  recipient: string | undefined;
  decision: Decision | undefined;
  /** Until when it is known, in minutes of the steady clock. */
  until: number;
}

/** An account's requests and answers, in memory: after a restart, earlier ones are not known. */
export class MemoryLedger implements Ledger {
  private readonly entries = new Map<string, Entry>();
  /** The entries to check, by the number of the hour in which they are due. */
  private readonly due = new Map<number, string[]>();
  /** The entries of all hours before this one have been checked. */
  private nextHour: number;

  constructor(
    private readonly time: Clock = realTime,
    private readonly limit = most,
  ) {
    this.nextHour = hourOf(this.now());
  }

  asked(approvalId: string, recipient: string, seconds: number): Promise<void> {
    const open = seconds > 0 ? Math.ceil(seconds / 60) : year;
    return promiseOf(() => {
      this.entry(approvalId, open + week).recipient = recipient;
    });
  }

  recipientOf(approvalId: string): Promise<string | undefined> {
    return Promise.resolve(this.entries.get(approvalId)?.recipient);
  }

  decided(approvalId: string, decision: Decision): Promise<'first' | 'duplicate' | 'conflict'> {
    return promiseOf(() => {
      // A request ends with its answer.
      const entry = this.entry(approvalId, week);
      if (entry.decision === undefined) {
        entry.decision = decision;
        return 'first';
      }
      return entry.decision === decision ? 'duplicate' : 'conflict';
    });
  }

  /** How many are known. */
  get size(): number {
    return this.entries.size;
  }

  /** @param minutes - for how long from now on it has to be known, at least */
  private entry(approvalId: string, minutes: number): Entry {
    this.forget(lookedAt);
    const until = this.now() + minutes;
    const found = this.entries.get(approvalId);
    if (found === undefined) {
      if (this.entries.size >= this.limit) this.forget(Infinity);
      if (this.entries.size >= this.limit) throw full(this.entries.size);
    } else if (found.until >= until) {
      return found;
    }
    const entry = found ?? { recipient: undefined, decision: undefined, until };
    entry.until = until;
    this.entries.set(approvalId, entry);
    const dueHour = hourOf(until) + 1;
    const keys = this.due.get(dueHour);
    if (keys === undefined) this.due.set(dueHour, [approvalId]);
    else keys.push(approvalId);
    return entry;
  }

  /** Forgets due entries. It checks at most so many. */
  private forget(atMost: number): void {
    const now = this.now();
    for (let looked = 0; this.nextHour <= hourOf(now) && looked < atMost; looked++) {
      const key = this.due.get(this.nextHour)?.pop();
      if (key === undefined) {
        this.due.delete(this.nextHour);
        this.nextHour += 1;
      } else if ((this.entries.get(key)?.until ?? Infinity) <= now) {
        this.entries.delete(key);
      }
    }
  }

  private now(): number {
    return Math.ceil(this.time.steady() / minute);
  }
}

function hourOf(minutes: number): number {
  return Math.floor(minutes / hour);
}

function full(size: number): AuthyError {
  return new AuthyError(
    'AUTHY_STORE',
    `Keep the approvals in Redis, or restart Node-RED: ${size} approval requests of this account are remembered, as many ` +
      'as fit into memory; none may be forgotten yet.',
  );
}
