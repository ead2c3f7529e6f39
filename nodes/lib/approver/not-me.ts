import type { NotMe, Person } from '../contract/people';
import type { ApproverHost } from './host';

type Clocks = Pick<ApproverHost, 'now' | 'steady' | 'noted'>;

/** The first pause; each further one is twice as long, up to the longest. In milliseconds. */
const [shortest, longest] = [600_000, 86_400_000];

/** "Not me" was said once more: nobody may ask this person for a while. */
export function afterNotMe(now: number, before: NotMe | undefined): NotMe {
  const times = (before?.times ?? 0) + 1;
  return { times, until: now + lengthOf(times) };
}

/** What {@link Clocks.noted} knows a pause by. One that was ended and the next one may have the same number. */
export function pauseName({ authyId, notMe }: Pick<Person, 'authyId' | 'notMe'>): string {
  return `pause until ${notMe?.until ?? 0} of ${authyId}`;
}

/**
 * For how many milliseconds nobody may ask a person; 0 if everybody may. A clock that was set back makes it no longer than the
 * longest, and one that was set forward no shorter, if this process has seen it begin.
 */
export function pauseLeft(person: Pick<Person, 'authyId' | 'notMe'>, { now, steady, noted }: Clocks): number {
  const { notMe } = person;
  if (notMe === undefined) return 0;
  const age = noted.age(pauseName(person), steady()) ?? Infinity;
  return Math.max(0, Math.min(longest, notMe.until - now()), lengthOf(notMe.times) - age);
}

/** How long a pause is, by its number in a row. */
function lengthOf(times: number): number {
  return Math.min(longest, shortest * 2 ** Math.min(times - 1, 20));
}
