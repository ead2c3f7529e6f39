/** How many are remembered: those of an hour at a high rate. */
const capacity = 50_000;

let ofProcess: Noted | undefined;

/**
 * When this process has seen something begin, by a clock that nobody can set. What is stored has the time of the computer's
 * clock; where this process has seen it itself, that clock cannot be set to make a code last longer, or a lock shorter.
 */
export class Noted {
  private readonly since = new Map<string, number>();

  /** The same one for all accounts: a deploy must not forget it. */
  static ofProcess(): Noted {
    return (ofProcess ??= new Noted());
  }

  /** @param now - by a clock that cannot be set, in milliseconds */
  note(what: string, now: number): void {
    this.since.delete(what);
    this.since.set(what, now);
    for (const oldest of this.since.keys()) {
      if (this.since.size <= capacity) break;
      this.since.delete(oldest);
    }
  }

  /** How long ago it was, in milliseconds; undefined if this process has not seen it. */
  age(what: string, now: number): number | undefined {
    const since = this.since.get(what);
    return since === undefined ? undefined : now - since;
  }
}
