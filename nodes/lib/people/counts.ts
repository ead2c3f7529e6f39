import type { MonthCounts, People, Person } from '../contract/people';
import type { ResultOf } from '../contract/results';
import { mostMonths } from './person';

type Counted = Exclude<keyof MonthCounts, 'month'>;
type Month = ResultOf<'appStats'>['months'][number];

/**
 * The person once something more was done for them. Where a clock is set to a time without a month, nothing is counted: that is
 * no reason to refuse what is counted.
 *
 * @param now - in milliseconds since 1970
 */
export function withCount(person: Person, now: number, what: Counted): Person {
  const month = monthOf(now);
  if (month === undefined) return person;
  const { counts = [] } = person;
  const before = counts.find((one) => one.month === month) ?? { month, sms: 0, calls: 0, auths: 0 };
  const after = { ...before, [what]: before[what] + 1 };
  const others = counts.filter((one) => one.month !== month);
  return { ...person, counts: [...others, after].slice(-mostMonths) };
}

/**
 * What was done for an account's people in the last months, the oldest first. Whoever was removed counts no more, and neither
 * does what services outside do.
 *
 * @param now - in milliseconds since 1970
 * @throws AuthyError - `AUTHY_STORE`
 */
export async function statisticsOf(people: People, now: number): Promise<{ total: number; months: Month[] }> {
  const today = new Date(now);
  const months = Array.from({ length: mostMonths }, (_, index) => {
    const first = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - mostMonths + 1 + index, 1));
    return { first, key: monthOf(first.getTime()), users: 0, sms: 0, calls: 0, auths: 0 };
  });
  let total = 0;
  for await (const { createdAt, counts = [] } of people.all()) {
    total += 1;
    for (const month of months) {
      if (month.key === undefined) continue;
      if (monthOf(createdAt) === month.key) month.users += 1;
      const counted = counts.find((one) => one.month === month.key);
      month.sms += counted?.sms ?? 0;
      month.calls += counted?.calls ?? 0;
      month.auths += counted?.auths ?? 0;
    }
  }
  return {
    total,
    months: months.map(({ first, users, sms, calls, auths }) => ({
      month: first.toLocaleString('en-US', { month: 'long', timeZone: 'UTC' }),
      year: first.getUTCFullYear(),
      smsCount: sms,
      callsCount: calls,
      usersCount: users,
      authsCount: auths,
      apiCallsCount: null,
    })),
  };
}

/** Of UTC, such as `2026-11`; undefined if its year has not four digits, or the time is none. */
function monthOf(time: number): string | undefined {
  const date = new Date(time);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? date.toISOString().slice(0, 7) : undefined;
}
