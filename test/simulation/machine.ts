import { idPrefix } from '../../nodes/lib/storage/records';
import type { Outside } from '../../nodes/lib/approval/outside';
import type { Time } from '../../nodes/lib/time';
import type { Scheduler } from './scheduler';

/**
 * A machine with one process of Node-RED: it may stand still for a while, sleep, be killed, and have a clock that is
 * wrong. What was to happen while it stood still happens when it goes on.
 */
export class Machine {
  /** Raised with each life of the process: what an earlier life waited for never happens. */
  life = 0;
  isRunning = false;
  private goesOnAt = 0;
  /** How far its clock is ahead of the truth, in milliseconds. */
  clockAhead = 0;
  private slept = 0;
  private noticed = 0;
  private ids = 0;
  /** Timers of the present life that have not gone off. */
  timers = 0;

  constructor(
    readonly name: string,
    private readonly scheduler: Scheduler,
    private readonly epoch: number,
  ) {}

  start(): void {
    this.life += 1;
    this.isRunning = true;
    this.goesOnAt = 0;
    this.timers = 0;
    this.slept = 0;
    this.noticed = 0;
  }

  /** The power fails, or somebody kills the process. */
  kill(): void {
    this.isRunning = false;
    this.life += 1;
  }

  /** @param isAsleep - whether the clock that cannot be set stands still as well */
  standStill(milliseconds: number, isAsleep: boolean): void {
    this.goesOnAt = Math.max(this.goesOnAt, this.scheduler.now + milliseconds);
    if (isAsleep) this.slept += milliseconds;
  }

  get standsStill(): boolean {
    return this.scheduler.now < this.goesOnAt;
  }

  /** Lets something happen in the present life of the process, when it does not stand still. */
  does(happen: () => void, life = this.life): void {
    if (this.life !== life || !this.isRunning) return;
    if (this.standsStill)
      this.scheduler.after(this.goesOnAt - this.scheduler.now, () => this.does(happen, life));
    else happen();
  }

  /** An answer that comes from outside: it is heard in the same life, or never. */
  hears<T>(answer: Promise<T>): Promise<T> {
    const { life } = this;
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => this.does(() => resolve(value), life),
        (error: unknown) => {
          const reason = error instanceof Error ? error : new Error('it failed');
          this.does(() => reject(reason), life);
        },
      );
    });
  }

  /** What the course of an approval request is given from outside. */
  outside(): Outside {
    const { life, scheduler } = this;
    const time: Time = {
      wall: () => this.epoch + scheduler.now + this.clockAhead,
      steady: () => Math.round(scheduler.now - this.slept + this.noticed),
      noticeSleep: () => (this.noticed = this.slept),
      after: (milliseconds, call) => {
        let isOver = false;
        const end = (): boolean => {
          if (isOver) return false;
          isOver = true;
          if (this.life === life) this.timers -= 1;
          return true;
        };
        this.timers += 1;
        const goesOff = (): void => {
          if (end()) call();
        };
        const stop = scheduler.after(milliseconds, () => this.does(goesOff, life));
        return () => {
          if (end()) stop();
        };
      },
      turn: () =>
        new Promise((resolve) => {
          scheduler.after(0, () => this.does(resolve, life));
        }),
    };
    return { time, newId: () => `${idPrefix}${this.name}_${(this.ids += 1)}` };
  }
}
