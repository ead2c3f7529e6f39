/** When a world begins, in milliseconds since 1970. */
export const epoch = Date.UTC(2026, 0, 1);

/** Something that will happen. */
interface Event {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
  isOff: boolean;
}

/** So many microtasks run after each event before the next one happens. */
const hops = 24;

/** Time as a simulation has it: nothing happens between two events, and all that waits for them happens at once. */
export class Scheduler {
  private readonly heap: Event[] = [];
  private order = 0;
  private time = 0;

  /** Milliseconds since the world began. */
  get now(): number {
    return this.time;
  }

  /** Lets something happen so many milliseconds from now; what is due at the same time happens in order. @returns calls it off */
  after(milliseconds: number, happen: () => void): () => void {
    const event: Event = {
      at: this.time + Math.max(0, milliseconds),
      order: this.order++,
      happen,
      isOff: false,
    };
    this.heap.push(event);
    this.rise(this.heap.length - 1);
    return () => {
      event.isOff = true;
    };
  }

  /** Resolves so many milliseconds from now. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(milliseconds, resolve);
    });
  }

  /** Lets events happen until there are none, or the time is over. */
  async run(until: number): Promise<void> {
    await settle();
    for (let next = this.take(until); next !== undefined; next = this.take(until)) {
      this.time = next.at;
      next.happen();
      await settle();
    }
    this.time = Math.max(this.time, until);
  }

  private take(until: number): Event | undefined {
    for (;;) {
      const [first] = this.heap;
      if (first === undefined || first.at > until) return undefined;
      const last = this.heap.pop() as Event;
      if (this.heap.length > 0) {
        this.heap[0] = last;
        this.sink();
      }
      if (!first.isOff) return first;
    }
  }

  private rise(from: number): void {
    let child = from;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.isBefore(child, parent)) return;
      this.swap(child, parent);
      child = parent;
    }
  }

  private sink(): void {
    for (let parent = 0; ;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < this.heap.length && this.isBefore(child, least)) least = child;
      }
      if (least === parent) return;
      this.swap(parent, least);
      parent = least;
    }
  }

  private isBefore(one: number, other: number): boolean {
    const [a, b] = [this.heap[one] as Event, this.heap[other] as Event];
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  private swap(one: number, other: number): void {
    const [a, b] = [this.heap[one] as Event, this.heap[other] as Event];
    this.heap[one] = b;
    this.heap[other] = a;
  }
}

const done = Promise.resolve();

async function settle(): Promise<void> {
  for (let hop = 0; hop < hops; hop++) await done;
}
