import { AuthyError } from './errors';

interface Waiting {
  enter: () => void;
}

/** Keeps the number of calls that are under way, and of those that wait for a place, bounded. */
export class Limiter {
  private running = 0;
  private readonly waiting = new Set<Waiting>();

  /**
   * @param maxRunning - places
   * @param maxWaiting - how many may queue for one
   */
  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /**
   * Waits for a place, first come first served.
   *
   * @returns gives the place back; to be called once
   * @throws AuthyError - `AUTHY_BUSY` at once where the queue is full
   * @throws the signal's reason, where it aborts the wait
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.running < this.maxRunning) {
      this.running += 1;
    } else {
      if (this.waiting.size >= this.maxWaiting) {
        throw new AuthyError(
          'AUTHY_BUSY',
          `${this.running} calls are under way and ${this.maxWaiting} wait; nothing was sent. ` +
            'Slow the flow down, for example with a delay node, or raise the limit in the account.',
        );
      }
      await this.turn(signal);
    }
    return () => this.leave();
  }

  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const place: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      const giveUp = (): void => {
        this.waiting.delete(place);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.add(place);
    });
  }

  /** The place goes straight to the next in line, so that nobody can overtake. */
  private leave(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.running -= 1;
      return;
    }
    this.waiting.delete(next);
    next.enter();
  }
}
