import os from 'node:os';

/** What a store goes by. */
export interface Clock {
  /** Milliseconds since 1970, by a clock that somebody may set. */
  wall(): number;
  /**
   * Milliseconds by a clock that cannot be set. Whole ones: a fraction would make an object of each number that is kept,
   * and there may be 100,000 of them.
   */
  steady(): number;
  /** Calls back once, so many milliseconds from now. It keeps no process alive. @returns calls it off */
  after(milliseconds: number, call: () => void): () => void;
}

/** The clocks and timers of a process: given from outside, so that a simulation lets time pass as it likes. */
export interface Time extends Clock {
  /**
   * Looks whether the machine has slept, and takes the time it did into account in {@link steady}, whose clock may have
   * stood still meanwhile. To be asked before something is done that must not be done late.
   */
  noticeSleep(): void;
  /** Resolves when whatever else is waiting to run has had its turn. */
  turn(): Promise<void>;
}

/** For how long the machine has slept since this process began, in milliseconds. */
let slept = 0;

/** The machine's time since its start, sleep included, less that of the clock which may stand still in it. */
const difference = (): number => os.uptime() * 1000 - performance.now();
const differenceAtStart = difference();

/** Those of this process. */
export const realTime: Time = {
  wall: () => Date.now(),
  steady: () => Math.round(performance.now() + slept),
  noticeSleep() {
    // Elsewhere the one clock does not stand still, or the other can be set.
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
