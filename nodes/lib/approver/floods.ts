/** How many addresses are remembered at once. */
const capacity = 20_000;

/** Limits how often something may be done within a minute. */
export class Flood {
  private counts = new Map<string, number>();
  private since = -Infinity;

  /** @param most - within a minute, for each of them */
  constructor(private readonly most: number) {}

  /**
   * Counts one more.
   *
   * @param who - for example an address
   * @param now - milliseconds by a clock that cannot be set
   * @returns in how many seconds it may be done again; 0 if it may now
   */
  count(who: string, now: number): number {
    if (now - this.since >= 60_000) {
      this.counts = new Map();
      this.since = now;
    }
    // Whoever comes from so many addresses is one crowd.
    const key = this.counts.has(who) || this.counts.size < capacity ? who : '';
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    return count <= this.most ? 0 : Math.ceil((this.since + 60_000 - now) / 1000);
  }
}

/** The limits of an account's page. */
export class Floods {
  /** Whoever is not signed in, by address. */
  readonly strangers = new Flood(30);
  /** Each phone. */
  readonly owners = new Flood(120);
  /** Recovery codes that are tried for one phone number from one address. */
  readonly recoveriesFrom = new Flood(5);
  /**
   * Recovery codes that are tried for one phone number. Ten codes of twelve digits leave guesses no chance at this rate (one in
   * 200,000 in a day), and whoever would lock the owner out by it needs 60 addresses at once.
   */
  readonly recoveries = new Flood(300);
}
