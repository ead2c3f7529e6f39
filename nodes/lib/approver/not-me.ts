import type { NotMe, Person } from '../contract/people';

/** The first pause; each further one is twice as long, up to the longest. In milliseconds. */
const [shortest, longest] = [600_000, 86_400_000];

/** "Not me" was said once more: nobody may ask this person for a while. */
export function afterNotMe(now: number, before: NotMe | undefined): NotMe {
  const times = (before?.times ?? 0) + 1;
  return { times, until: now + Math.min(longest, shortest * 2 ** Math.min(times - 1, 20)) };
}

/** For how many milliseconds nobody may ask a person; 0 if everybody may. A clock that was set back makes it no longer. */
export function pauseLeft(now: number, { notMe }: Pick<Person, 'notMe'>): number {
  if (notMe === undefined) return 0;
  return Math.min(longest, Math.max(0, notMe.until - now));
}
