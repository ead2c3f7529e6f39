import type { Time } from '../time';

/** The pause between two tries of a store that fails, in milliseconds. */
const between = 1000;
/** The number of tries at once while nobody knows whether the store works again. */
const triesAtOnce = 50;

/**
 * The queue of calls that wait for a failed store. There may be 100,000 of them: so a few try again each second, and all
 * once one of those has worked.
 */
export class Outage {
  private waiting: (() => void)[] = [];
  private isOver = false;
  private cancel: (() => void) | undefined;

  constructor(private readonly time: Time) {}

  /** Resolves when the caller may try again. */
  wait(): Promise<void> {
    this.isOver = false;
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.cancel ??= this.time.after(between, this.letSomeTry);
    });
  }

  /** The store has answered. All waiting calls may try when the next few would have. */
  answered(): void {
    this.isOver = true;
  }

  /** Ends all waits. */
  end(): void {
    this.cancel?.();
    this.cancel = undefined;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private readonly letSomeTry = (): void => {
    this.cancel = undefined;
    const some = this.waiting.splice(0, this.isOver ? Infinity : triesAtOnce);
    if (this.waiting.length > 0) this.cancel = this.time.after(between, this.letSomeTry);
    for (const resolve of some) resolve();
  };
}
