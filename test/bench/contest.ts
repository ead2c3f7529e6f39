import { type Measure, spreadOf, type Unit } from './figures';

/** One of those that are compared. */
export interface Contender {
  readonly name: string;
  /** Does its work for one round and says how it went, in the unit of the contest. */
  measure(): number | Promise<number>;
}

export interface ContestOptions {
  /** Rounds that count; at least 5. Default 7. */
  rounds?: number;
  /** Rounds before them, for what is loaded and compiled once. Default 1. */
  warmUps?: number;
}

const defaultRounds = 7;
const fewestRounds = 5;

/**
 * Lets contenders take turns, round by round, in this process. Each round begins with another one, so that nobody always
 * comes first. Garbage is collected when V8 thinks fit: forced before each turn, it would make all of them twice as slow,
 * because V8 then begins with a young generation of the smallest size.
 *
 * @returns what each of them reached in each round
 * @throws RangeError - where there are too few rounds to speak of a median
 */
export async function contest(
  contenders: readonly Contender[],
  { rounds = defaultRounds, warmUps = 1 }: ContestOptions = {},
): Promise<Results> {
  if (rounds < fewestRounds) throw new RangeError(`A contest has at least ${fewestRounds} rounds.`);
  const reached = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < warmUps + rounds; round++) {
    const first = round % contenders.length;
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const value = await contender.measure();
      if (round >= warmUps) reached.get(contender.name)?.push(value);
    }
  }
  return new Results(reached);
}

/** What the contenders of a contest reached, by name. */
export class Results {
  constructor(private readonly reached: ReadonlyMap<string, readonly number[]>) {}

  /** What one reached, round by round. */
  of(name: string): readonly number[] {
    const rounds = this.reached.get(name);
    if (rounds === undefined) throw new Error(`"${name}" was not in this contest.`);
    return rounds;
  }

  /** What one reached per what another reached, round by round. */
  ratio(name: string, other: string): readonly number[] {
    const others = this.of(other);
    return this.of(name).map((value, round) => value / (others[round] ?? NaN));
  }

  /** Of some, the one with the largest median. */
  best(names: readonly string[]): string {
    const median = (name: string): number => spreadOf(this.of(name)).median;
    return names.reduce((best, name) => (median(name) > median(best) ? name : best));
  }

  /** One figure for each contender. */
  figures(unit: Unit, suffix = ''): Measure[] {
    return [...this.reached].map(([name, rounds]) => ({ what: name + suffix, unit, rounds }));
  }
}
