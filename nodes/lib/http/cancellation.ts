/**
 * Ends a call, or one attempt of it. It replaces an `AbortController` and its signal within one process and for one or two
 * listeners, at a fraction of their cost, which is a tenth of the cost of a whole call (docs/performance/figures.md).
 */
export class Cancellation {
  private readonly listeners: (() => void)[] = [];
  private isDone = false;

  /** Whether the call was cancelled. */
  get happened(): boolean {
    return this.isDone;
  }

  /** Cancels the call, and calls each listener once. */
  cancel(): void {
    if (this.isDone) return;
    this.isDone = true;
    for (const listener of this.listeners.splice(0)) listener();
  }

  /** Adds a listener for the cancellation. If it has happened already, calls it at once. */
  onCancel(listener: () => void): void {
    if (this.isDone) listener();
    else this.listeners.push(listener);
  }

  /** Removes a listener. */
  off(listener: () => void): void {
    const at = this.listeners.indexOf(listener);
    if (at >= 0) this.listeners.splice(at, 1);
  }
}

/** The error of a wait that was cancelled. */
export class Cancelled extends Error {
  readonly code = 'CANCELLED';
}
