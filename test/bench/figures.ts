// What a benchmark returns: numbers with their unit, by round.

/** `x` and `%` compare two contenders; all others are absolute. An empty one is a count. */
export type Unit = 'x' | '%' | 'calls/s' | 'checks/s' | 'bytes' | 'MB' | 'µs' | 'ms' | 's' | '';

/** What a figure has to reach, in its own unit; the median counts. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** One figure, with its value in each round. */
export interface Measure {
  readonly what: string;
  readonly unit: Unit;
  /** At least one; in the unit. */
  readonly rounds: readonly number[];
  readonly goal?: Goal;
}

/** The results of one benchmark. */
export interface Report {
  /** The main results: ratios, and everything else that has a goal. Shown first. */
  readonly ratios: readonly Measure[];
  /** The figures behind the ratios, and others worth knowing. */
  readonly figures: readonly Measure[];
  /** Sentences a reader needs to judge the figures. */
  readonly notes: readonly string[];
}

/** A benchmark: a file `<name>.bench.ts`, which exports this as `bench`. */
export interface Bench {
  readonly title: string;
  run(): Promise<Report>;
}

/** Median and extremes of some rounds, in their unit. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @param rounds - at least one */
export function spreadOf(rounds: readonly number[]): Spread {
  const sorted = [...rounds].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return { median: (lower + upper) / 2, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/** Whether the median reaches the goal; undefined if there is none. */
export function isMet({ rounds, goal }: Measure): boolean | undefined {
  if (goal === undefined) return undefined;
  const { median } = spreadOf(rounds);
  return 'atLeast' in goal ? median >= goal.atLeast : median <= goal.atMost;
}
