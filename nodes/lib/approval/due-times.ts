interface Due<T> {
  readonly item: T;
  readonly at: number;
}

/**
 * Which of many items is due next: one clock for all of them, instead of a timer for each. A binary heap; an item
 * that is set anew leaves its old place behind, which is passed over when it comes up.
 */
export class DueTimes<T extends object> {
  private readonly heap: Due<T>[] = [];
  private readonly current = new Map<T, Due<T>>();

  get size(): number {
    return this.current.size;
  }

  /** Sets when an item is due, on whatever clock the caller keeps to. */
  set(item: T, at: number): void {
    const due = { item, at };
    this.current.set(item, due);
    this.heap.push(due);
    this.rise(this.heap.length - 1);
  }

  delete(item: T): void {
    this.current.delete(item);
  }

  /** When the first item is due; undefined where there is none. */
  next(): number | undefined {
    return this.first()?.at;
  }

  /** Takes out the first item if it is due by now. */
  take(now: number): T | undefined {
    const first = this.first();
    if (first === undefined || first.at > now) return undefined;
    this.pop();
    this.current.delete(first.item);
    return first.item;
  }

  private first(): Due<T> | undefined {
    for (;;) {
      const [top] = this.heap;
      if (top === undefined || this.current.get(top.item) === top) return top;
      this.pop();
    }
  }

  private pop(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    this.sink(0);
  }

  private rise(index: number): void {
    for (let child = index; child > 0;) {
      const parent = (child - 1) >> 1;
      if (this.at(parent) <= this.at(child)) return;
      this.swap(parent, child);
      child = parent;
    }
  }

  private sink(index: number): void {
    for (let parent = index; ;) {
      const left = 2 * parent + 1;
      const least = this.at(left + 1) < this.at(left) ? left + 1 : left;
      if (this.at(parent) <= this.at(least)) return;
      this.swap(parent, least);
      parent = least;
    }
  }

  private at(index: number): number {
    return this.heap[index]?.at ?? Infinity;
  }

  private swap(one: number, other: number): void {
    const [a, b] = [this.heap[one], this.heap[other]];
    if (a !== undefined && b !== undefined) [this.heap[one], this.heap[other]] = [b, a];
  }
}
