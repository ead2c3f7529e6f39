/** An item that stores its own place in the heap: absent or negative if it has none. */
export interface Placed {
  place?: number;
}

/**
 * Which of many items is due next: one clock for all of them, instead of a timer for each. A binary heap, in which each
 * item knows its place: so a removed item is released at once, and no map of all items is needed beside the heap. An item
 * is in one of these at a time.
 */
export class DueTimes<T extends object & Placed> {
  private readonly items: T[] = [];
  /** When the item in the same place is due: numbers on their own take eight bytes each. */
  private readonly times: number[] = [];

  get size(): number {
    return this.items.length;
  }

  /** Sets when an item is due, by the caller's clock. */
  set(item: T, at: number): void {
    const place = this.placeOf(item) ?? this.items.length;
    this.put(place, item, at);
    this.settle(place);
  }

  delete(item: T): void {
    const place = this.placeOf(item);
    if (place !== undefined) this.takeOut(place);
  }

  /** When the first item is due; undefined if there is none. */
  next(): number | undefined {
    return this.times[0];
  }

  /** Takes out the first item if it is due by now. */
  take(now: number): T | undefined {
    const [first] = this.items;
    if (first === undefined || this.at(0) > now) return undefined;
    this.takeOut(0);
    return first;
  }

  private placeOf({ place = -1 }: T): number | undefined {
    return place < 0 ? undefined : place;
  }

  private takeOut(place: number): void {
    const item = this.items[place];
    const [last, at] = [this.items.pop(), this.times.pop()];
    if (item !== undefined) item.place = -1;
    if (last === undefined || at === undefined || last === item) return;
    this.put(place, last, at);
    this.settle(place);
  }

  private put(place: number, item: T, at: number): void {
    this.items[place] = item;
    this.times[place] = at;
    item.place = place;
  }

  /** Moves the item at a place to its right place, up or down. */
  private settle(place: number): void {
    this.sink(this.rise(place));
  }

  private rise(place: number): number {
    let child = place;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (this.at(parent) <= this.at(child)) break;
      this.swap(parent, child);
      child = parent;
    }
    return child;
  }

  private sink(place: number): void {
    for (let parent = place; ;) {
      const left = 2 * parent + 1;
      const least = this.at(left + 1) < this.at(left) ? left + 1 : left;
      if (this.at(parent) <= this.at(least)) return;
      this.swap(parent, least);
      parent = least;
    }
  }

  private at(place: number): number {
    return place < this.times.length ? (this.times[place] ?? Infinity) : Infinity;
  }

  private swap(one: number, other: number): void {
    const [a, b] = [this.items[one], this.items[other]];
    const [atA, atB] = [this.at(one), this.at(other)];
    if (a === undefined || b === undefined) return;
    this.put(one, b, atB);
    this.put(other, a, atA);
  }
}
