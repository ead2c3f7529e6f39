/** So many in so many milliseconds, wherever they begin. */
export interface LimitWindow {
  readonly count: number;
  readonly ms: number;
}

const minute = 60_000;

/** Windows of common lengths. */
export const within = {
  minute: (count: number): LimitWindow => ({ count, ms: minute }),
  hour: (count: number): LimitWindow => ({ count, ms: 60 * minute }),
  day: (count: number): LimitWindow => ({ count, ms: 1440 * minute }),
};

/** Counts what happens, and refuses what would be too much in any of its windows. */
export class RollingLimit {
  private times: number[] = [];

  constructor(private readonly windows: readonly LimitWindow[]) {}

  /** Counts one more, if there is room for it. @returns whether there was */
  take(now: number): boolean {
    const longest = Math.max(...this.windows.map(({ ms }) => ms));
    this.times = this.times.filter((time) => time > now - longest);
    const hasRoom = this.windows.every(
      ({ count, ms }) => this.times.filter((time) => time > now - ms).length < count,
    );
    if (hasRoom) this.times.push(now);
    return hasRoom;
  }
}
