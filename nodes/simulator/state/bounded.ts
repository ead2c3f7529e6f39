/** A list that keeps the newest `capacity` items: the simulator's memory must not grow for ever. */
export class BoundedList<T> {
  private readonly items: T[] = [];

  constructor(private readonly capacity: number) {}

  /** Oldest first. */
  get all(): readonly T[] {
    return this.items;
  }

  add(item: T): void {
    this.items.push(item);
    if (this.items.length > this.capacity) this.items.shift();
  }

  clear(): void {
    this.items.length = 0;
  }
}

/** A map that forgets the entry added first once it holds more than `capacity`. */
export class BoundedMap<K, V> {
  private readonly entries = new Map<K, V>();

  constructor(private readonly capacity: number) {}

  /** Oldest first. */
  get all(): readonly V[] {
    return [...this.entries.values()];
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  /** Adds an entry as the newest one, also if the key was there before. */
  set(key: K, value: V): void {
    this.entries.delete(key);
    this.entries.set(key, value);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.capacity) break;
      this.entries.delete(oldest);
    }
  }

  delete(key: K): boolean {
    return this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }
}
