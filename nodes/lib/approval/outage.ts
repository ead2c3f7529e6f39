import type { Time } from '../time';

/** Between two tries of a store that fails, in milliseconds. */
const between = 1000;
/** So many try at once while nobody knows whether it works again. */
const triesAtOnce = 50;

/**
 * Those that wait for a store which failed. There may be 100,000 of them: so a few try again each second, and all once one
 * of those got through.
 */
export class Outage {
  private waiting: (() => void)[] = [];
  private isOver = false;
  private cancel: (() => void) | undefined;

  constructor(private readonly time: Time) {}

  /** Resolves when it may be tried again. */
  wait(): Promise<void> {
    this.isOver = false;
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.cancel ??= this.time.after(between, this.letSomeTry);
    });
  }

  /** The store has answered. Those that wait may all try when the next few would have. */
  answered(): void {
    this.isOver = true;
  }

  /** Nobody waits any longer. */
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
