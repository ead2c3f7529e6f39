/** How long a kind of line is held back after one was written, in milliseconds. */
const interval = 10_000;

/**
 * A log that senders of requests cannot flood: one line of a kind per ten seconds; the next one says how many were left
 * out.
 */
export class RateLimitedLog {
  private readonly kinds = new Map<string, { suppressed: number; timer: NodeJS.Timeout }>();

  constructor(private readonly print: (line: string) => void) {}

  /** @param kind - one of a few words; lines of different kinds do not hold each other back */
  write(kind: string, line: string): void {
    const held = this.kinds.get(kind);
    if (held !== undefined) {
      held.suppressed += 1;
      return;
    }
    this.print(line);
    const timer = setTimeout(() => this.release(kind), interval);
    timer.unref();
    this.kinds.set(kind, { suppressed: 0, timer });
  }

  /** Whether a line of this kind would be left out now. */
  holds(kind: string): boolean {
    return this.kinds.has(kind);
  }

  close(): void {
    for (const { timer } of this.kinds.values()) clearTimeout(timer);
    this.kinds.clear();
  }

  private release(kind: string): void {
    const suppressed = this.kinds.get(kind)?.suppressed ?? 0;
    this.kinds.delete(kind);
    if (suppressed === 0) return;
    const lines =
      suppressed === 1 ? '1 more line of this kind was' : `${suppressed} more lines of this kind were`;
    this.print(`${lines} left out of the log (${kind}).`);
  }
}
