/** Changes of the same thing one after the other, those of different things at the same time. */
export class InTurn<Thing = string> {
  /** The last change of each thing that is not done yet. */
  private readonly last = new Map<Thing, Promise<unknown>>();

  /** Makes a change, in this very turn where nothing is under way. */
  do<T>(thing: Thing, change: () => Promise<T>): Promise<T> {
    const before = this.last.get(thing);
    const changed = before === undefined ? change() : before.then(change, change);
    this.last.set(thing, changed);
    const forget = (): void => {
      if (this.last.get(thing) === changed) this.last.delete(thing);
    };
    changed.then(forget, forget);
    return changed;
  }

  /** Settles when nothing is under way. */
  async settled(): Promise<void> {
    while (this.last.size > 0) await Promise.allSettled(this.last.values());
  }
}

/** Does something at once; what it throws is a rejection. */
export function promiseOf<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}
