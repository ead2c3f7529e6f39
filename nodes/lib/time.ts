import os from 'node:os';

/** The clock and timer of a store. */
export interface Clock {
  /** Milliseconds since 1970, by the computer's clock, which somebody may set. */
  wall(): number;
  /**
   * Milliseconds by a monotonic clock: nobody can set it. They are whole: V8 would store each number with a fraction as
   * an object, and there may be 100,000 of them.
   */
  steady(): number;
  /** Calls back once, so many milliseconds from now. It does not keep the process alive. @returns cancels the call */
  after(milliseconds: number, call: () => void): () => void;
}

/** The clocks and timers of a process: given from outside, so that a simulation lets time pass as it likes. */
export interface Time extends Clock {
  /**
   * Checks whether the machine has slept, and adds that time to {@link steady}, whose clock may have stood still
   * meanwhile. Call it before anything that must not be done late.
   */
  noticeSleep(): void;
  /** Resolves when everything else that waits to run has had its turn. */
  turn(): Promise<void>;
}

/** How long the machine has slept since this process began, in milliseconds. */
let slept = 0;

/** The machine's uptime with sleep, minus the clock that may stand still during sleep. */
const difference = (): number => os.uptime() * 1000 - performance.now();
const differenceAtStart = difference();

/** The clocks and timers of this process. */
export const realTime: Time = {
  wall: () => Date.now(),
  steady: () => Math.round(performance.now() + slept),
  noticeSleep() {
    // On other systems performance.now() goes on during sleep, or os.uptime() follows a clock that can be set.
    if (process.platform !== 'linux') return;
    const seen = difference() - differenceAtStart;
    // The two are read one after the other, and rounded.
    if (seen > slept + 1000) slept = seen;
  },
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds).unref();
    return () => clearTimeout(timer);
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
};

/** Waits so many milliseconds. */
export function pause(time: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    time.after(milliseconds, resolve);
  });
}
