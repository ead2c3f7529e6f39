import { type Measure, spreadOf, type Unit } from './figures';

/** Something that is compared with others. */
export interface Contender {
  readonly name: string;
  /** Does its work for one round and returns the result, in the unit of the contest. */
  measure(): number | Promise<number>;
}

export interface ContestOptions {
  /** Rounds that count; at least 5. Default 7. */
  rounds?: number;
  /** Rounds before those, in which code is loaded and compiled. Default 1. */
  warmUps?: number;
}

const defaultRounds = 7;
const fewestRounds = 5;

/**
 * Lets contenders take turns, round by round, in this process. Each round begins with another one, so that none always
 * comes first. V8 decides when to collect garbage: forcing it before each turn would make all of them twice as slow,
 * because V8 then begins with a young generation of the smallest size.
 *
 * @returns the result of each of them in each round
 * @throws RangeError - if there are too few rounds for a median
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

/** The results of a contest, by the names of the contenders. */
export class Results {
  constructor(private readonly reached: ReadonlyMap<string, readonly number[]>) {}

  /** The results of one contender, round by round. */
  of(name: string): readonly number[] {
    const rounds = this.reached.get(name);
    if (rounds === undefined) throw new Error(`"${name}" was not in this contest.`);
    return rounds;
  }

  /** The results of one contender divided by those of another, round by round. */
  ratio(name: string, other: string): readonly number[] {
    const others = this.of(other);
    return this.of(name).map((value, round) => value / (others[round] ?? NaN));
  }

  /** Which of these contenders has the largest median. */
  best(names: readonly string[]): string {
    const median = (name: string): number => spreadOf(this.of(name)).median;
    return names.reduce((best, name) => (median(name) > median(best) ? name : best));
  }

  /** One figure for each contender. */
  figures(unit: Unit, suffix = ''): Measure[] {
    return [...this.reached].map(([name, rounds]) => ({ what: name + suffix, unit, rounds }));
  }
}
