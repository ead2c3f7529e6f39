/**
 * The clocks of this process, moved by tests: that of the computer, which somebody may set, and one that nobody can. The first
 * stands still between: no test depends on how long it takes.
 */
export class SetClock {
  private readonly wall = Date.now;
  private readonly steady = performance.now.bind(performance);
  private passed = 0;

  constructor() {
    const { steady } = this;
    let now = this.wall.call(Date);
    this.setTo = (time) => (now = time);
    Date.now = () => now;
    performance.now = () => steady() + this.passed;
  }

  /** Time goes by: both clocks show it. @param milliseconds - from now */
  pass(milliseconds: number): void {
    this.set(milliseconds);
    this.passed += milliseconds;
  }

  /** Somebody sets the computer's clock. @param milliseconds - forward, or back if it is negative */
  set(milliseconds: number): void {
    this.setTo(Date.now() + milliseconds);
  }

  /** Somebody sets the computer's clock to a time. @param time - in milliseconds since 1970 */
  readonly setTo: (time: number) => void;

  restore(): void {
    Date.now = this.wall;
    performance.now = this.steady;
  }
}
