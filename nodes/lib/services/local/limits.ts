import type { CodeLimits } from '../../contract/people';

/*
 * What limits guessing and sending, as plain data. All times are in milliseconds, by one clock.
 *
 * Source: NIST SP 800-63B-4, 3.2.2 (rate limiting): at most 100 wrong attempts in a row.
 */

/** For how long a wrong code, or a code that was sent, counts. */
const window = 600_000;
/** So many wrong codes in that time lock, and so many codes may be sent in it. */
const [mostWrong, mostSent] = [5, 5];
/** From so many wrong codes in a row on, each further one locks: whoever guesses slowly is slowed down as well. */
const mostInARow = 50;
/** The first lock; each further one is twice as long, up to the longest. */
const [shortestLock, longestLock] = [600_000, 3_600_000];

/** Of somebody who has done nothing. */
export const noLimits: CodeLimits = { sent: [], wrong: [], wrongInARow: 0, locks: 0, lockedUntil: 0 };

/**
 * The limits as they count now. Times that are to come are those of a clock that was set back since: they count as now, so
 * that nothing ends sooner, and a lock ends after its longest time.
 *
 * @returns the same object if nothing is different
 */
export function asOf(now: number, limits: CodeLimits): CodeLimits {
  const recent = (times: readonly number[]): readonly number[] => {
    const counting = times.filter((time) => now - time < window);
    const settled = counting.map((time) => Math.min(time, now));
    return settled.length === times.length && settled.every((time, index) => time === times[index])
      ? times
      : settled;
  };
  const [sent, wrong] = [recent(limits.sent), recent(limits.wrong)];
  const lockedUntil = Math.min(limits.lockedUntil, now + longestLock);
  const isSame = sent === limits.sent && wrong === limits.wrong && lockedUntil === limits.lockedUntil;
  return isSame ? limits : { ...limits, sent, wrong, lockedUntil };
}

/**
 * Whether it is locked.
 *
 * @param limits - as of now
 * @param age - how long ago the last lock began, by a clock that nobody can set, if that is known: then it ends no sooner
 */
export function isLocked(now: number, { lockedUntil, locks }: CodeLimits, age?: number): boolean {
  return locks > 0 && (lockedUntil > now || (age !== undefined && age < lengthOf(locks)));
}

/** How long a lock is, by its number in a row. */
function lengthOf(lock: number): number {
  return Math.min(longestLock, shortestLock * 2 ** Math.min(lock - 1, 10));
}

/** One more wrong code. @param limits - as of now */
export function afterWrong(now: number, limits: CodeLimits): CodeLimits {
  const wrong = [...limits.wrong, now];
  const wrongInARow = limits.wrongInARow + 1;
  if (wrong.length < mostWrong && wrongInARow < mostInARow) return { ...limits, wrong, wrongInARow };
  const locks = limits.locks + 1;
  return { ...limits, wrong: [], wrongInARow, locks, lockedUntil: now + lengthOf(locks) };
}

/** A right code: nothing before it counts. What was sent does. */
export function afterRight(limits: CodeLimits): CodeLimits {
  return { ...noLimits, sent: limits.sent };
}

/** In how many milliseconds the next code may be sent; 0 if it may be now. @param limits - as of now */
export function sendsIn(now: number, { sent }: CodeLimits): number {
  const [oldest = now] = sent.slice(-mostSent);
  return sent.length < mostSent ? 0 : Math.max(1, oldest + window - now);
}

/** One more code was sent. @param limits - as of now */
export function afterSent(now: number, limits: CodeLimits): CodeLimits {
  return { ...limits, sent: [...limits.sent, now].slice(-mostSent) };
}
