/**
 * Ends a call, or one attempt of it. What an `AbortController` and its signal do within one process and for one or two
 * listeners, at a fraction of their cost, which is a tenth of that of a whole call (docs/performance.md).
 */
export class Cancellation {
  private readonly listeners: (() => void)[] = [];
  private isDone = false;

  /** Whether it has happened. */
  get happened(): boolean {
    return this.isDone;
  }

  /** Happens; all that listen are told, once. */
  cancel(): void {
    if (this.isDone) return;
    this.isDone = true;
    for (const listener of this.listeners.splice(0)) listener();
  }

  /** Tells a listener when it happens: at once, where it has. */
  onCancel(listener: () => void): void {
    if (this.isDone) listener();
    else this.listeners.push(listener);
  }

  /** Tells a listener no more. */
  off(listener: () => void): void {
    const at = this.listeners.indexOf(listener);
    if (at >= 0) this.listeners.splice(at, 1);
  }
}

/** What a wait ends with that was cancelled. */
export class Cancelled extends Error {
  readonly code = 'CANCELLED';
}
