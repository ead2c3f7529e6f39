/** How many wrong codes of a person count before no further one is looked at, and for how long, in milliseconds. */
const [most, period] = [10, 3_600_000];

/** How many people are remembered: the newest. */
const capacity = 20_000;

/**
 * Counts wrong codes of authenticators that Twilio does not know yet, and so cannot limit. In memory: a restart begins anew.
 */
export class WrongTries {
  private readonly byPerson = new Map<string, { count: number; readonly since: number }>();

  /** Whether there were too many within the hour. */
  areTooMany(authyId: string, now: number): boolean {
    const known = this.byPerson.get(authyId);
    return known !== undefined && now - known.since < period && known.count >= most;
  }

  /** One more. */
  add(authyId: string, now: number): void {
    const known = this.byPerson.get(authyId);
    const isRunning = known !== undefined && now - known.since < period;
    this.byPerson.delete(authyId);
    this.byPerson.set(authyId, isRunning ? { ...known, count: known.count + 1 } : { count: 1, since: now });
    for (const oldest of this.byPerson.keys()) {
      if (this.byPerson.size <= capacity) break;
      this.byPerson.delete(oldest);
    }
  }
}
