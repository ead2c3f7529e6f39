import fc from 'fast-check';

/**
 * How many random cases to try: as many as usual, times the environment variable RUNS.
 *
 * @param usual - in a plain `npm test`
 */
export function runs(usual: number): number {
  const factor = Number(process.env['RUNS'] ?? 1);
  if (!(factor > 0)) throw new Error(`RUNS must be a number above 0, not "${process.env['RUNS'] ?? ''}".`);
  return Math.ceil(usual * factor);
}

/** The settings of a fast-check property: a failure prints its seed, and SEED repeats it. */
export function cases(usual: number): { numRuns: number; seed?: number } {
  const seed = process.env['SEED'];
  return { numRuns: runs(usual), ...(seed === undefined ? {} : { seed: Number(seed) }) };
}

/** Random cases to try all at once, not one by one as a property does. Prints the seed that repeats them. */
export function samples<T>(arbitrary: fc.Arbitrary<T>, usual: number): T[] {
  const { numRuns, seed = Date.now() % 1_000_000 } = cases(usual);
  process.stdout.write(`      SEED=${seed}\n`);
  return fc.sample(arbitrary, { numRuns, seed });
}
