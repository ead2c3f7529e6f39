/**
 * The time by a clock that nobody can set, in milliseconds. Whole ones: a fraction would make of each number that is kept
 * an object of its own, and there may be 100,000 of them.
 */
export function clock(): number {
  return Math.round(performance.now());
}
