import { BoundedMap } from './bounded';
import { capacities } from './limits';

/** The counters. */
export type Counter = 'sms_count' | 'calls_count' | 'users_count' | 'auths_count' | 'api_calls_count';

/** The counts of one month, as Authy answers them. */
export type Month = { readonly month: string; readonly year: number } & Record<Counter, number>;

// prettier-ignore
const monthNames = [
  'January', 'February', 'March', 'April', 'May', 'June',
  'July', 'August', 'September', 'October', 'November', 'December',
] as const;

/** Counts by month, in UTC. */
export class Statistics {
  private readonly byMonth = new BoundedMap<string, Month>(capacities.months);

  constructor(private readonly now: () => number) {}

  /** Oldest first; the current month is always there. */
  get months(): readonly Month[] {
    this.current();
    return this.byMonth.all;
  }

  count(counter: Counter): void {
    this.current()[counter] += 1;
  }

  clear(): void {
    this.byMonth.clear();
  }

  private current(): Month {
    const date = new Date(this.now());
    const key = date.toISOString().slice(0, 7);
    let month = this.byMonth.get(key);
    if (month === undefined) {
      month = {
        month: monthNames[date.getUTCMonth()] ?? '',
        year: date.getUTCFullYear(),
        sms_count: 0,
        calls_count: 0,
        users_count: 0,
        auths_count: 0,
        api_calls_count: 0,
      };
      this.byMonth.set(key, month);
    }
    return month;
  }
}
