import { Cancelled, type Cancellation } from './cancellation';
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
   * Takes a place, first come first served; {@link leave} gives it back.
   *
   * @returns resolves once there is one; undefined where it was free
   * @throws AuthyError - `AUTHY_BUSY` at once where the queue is full
   * @throws Cancelled - or rejects with it, where nobody waits for it any more
   */
  enter(cancellation: Cancellation): Promise<void> | undefined {
    if (cancellation.happened) throw new Cancelled();
    if (this.running < this.maxRunning) {
      this.running += 1;
      return undefined;
    }
    if (this.waiting.size >= this.maxWaiting) {
      throw new AuthyError(
        'AUTHY_BUSY',
        `${this.running} calls are under way and ${this.maxWaiting} wait; nothing was sent. ` +
          'Slow the flow down, for example with a delay node, or raise the limit in the account.',
      );
    }
    return this.turn(cancellation);
  }

  /** Gives a place back. It goes straight to the next in line, so that nobody can overtake. */
  leave(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.running -= 1;
      return;
    }
    this.waiting.delete(next);
    next.enter();
  }

  private turn(cancellation: Cancellation): Promise<void> {
    return new Promise((resolve, reject) => {
      const place: Waiting = {
        enter: () => {
          cancellation.off(giveUp);
          resolve();
        },
      };
      const giveUp = (): void => {
        this.waiting.delete(place);
        reject(new Cancelled());
      };
      this.waiting.add(place);
      cancellation.onCancel(giveUp);
    });
  }
}
