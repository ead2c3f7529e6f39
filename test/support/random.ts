/** A source of random numbers that a seed repeats. */
export class Random {
  private state: number;

  /** @param seed - a whole number; by default the environment variable SEED, or one from the clock */
  constructor(readonly seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)) {
    this.state = seed;
  }

  /** From 0 to 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }

  /** Whether something that happens with a probability happens. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }
}
