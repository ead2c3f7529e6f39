/** Makes changes of the same thing one after the other, and changes of different things at the same time. */
export class InTurn<Thing = string> {
  /** The last unfinished change of each thing. */
  private readonly last = new Map<Thing, Promise<unknown>>();

  /** Makes a change, in this very turn if no other is running. */
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

  /** Settles when no change is running. */
  async settled(): Promise<void> {
    while (this.last.size > 0) await Promise.allSettled(this.last.values());
  }
}

/** Does something at once; an exception becomes a rejection. */
export function promiseOf<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}
