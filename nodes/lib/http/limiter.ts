import { Cancelled, type Cancellation } from './cancellation';
import { AuthyError } from '../contract/errors';

interface Waiting {
  enter: () => void;
}

/** Limits the number of calls that run, that wait for a place, and that wait for a later try. */
export class Limiter {
  private running = 0;
  private later = 0;
  private readonly waiting = new Set<Waiting>();

  /**
   * @param maxRunning - places
   * @param maxWaiting - how many may queue for a place, and how many may wait for a later try
   */
  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /**
   * Takes a place, first come first served; {@link leave} gives it back.
   *
   * @returns resolves once there is one; undefined if one was free
   * @throws AuthyError - `AUTHY_BUSY` at once if the queue is full
   * @throws Cancelled - or rejects with it, if nobody waits for it any more
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
        'Slow the flow down, for example with a delay node, or raise the limit in the account: ' +
          `${this.running} calls are running and ${this.maxWaiting} wait. Nothing was sent.`,
      );
    }
    return this.turn(cancellation);
  }

  /**
   * Takes a place after a while, behind those that wait for one by then. Until then it holds none: a later try must not keep
   * others from asking now.
   *
   * @returns resolves once there is one; undefined if too many wait for a later try already
   * @throws Cancelled - rejects with it, if nobody waits for it any more
   */
  enterLater(milliseconds: number, cancellation: Cancellation): Promise<void> | undefined {
    if (this.later >= this.maxWaiting) return undefined;
    return this.afterPause(milliseconds, cancellation);
  }

  /** Gives a place back. It goes straight to the next in line, so no other can overtake. */
  leave(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.running -= 1;
      return;
    }
    this.waiting.delete(next);
    next.enter();
  }

  private async afterPause(milliseconds: number, cancellation: Cancellation): Promise<void> {
    this.later += 1;
    try {
      await pause(milliseconds, cancellation);
    } finally {
      this.later -= 1;
    }
    // Not refused if the queue is full: it was let in before.
    if (this.running < this.maxRunning) this.running += 1;
    else await this.turn(cancellation);
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

function pause(milliseconds: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new Cancelled());
    };
    const timer = setTimeout(() => {
      cancellation.off(stop);
      resolve();
    }, milliseconds);
    cancellation.onCancel(stop);
  });
}
