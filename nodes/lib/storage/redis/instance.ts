import { randomUUID } from 'node:crypto';

/** A process among those that share a Redis. It outlives what a deploy replaces. */
export class Instance {
  /**
   * Records that were given up while nobody knew whether Redis has them, by store and id: what is left to do is to make
   * sure that it has not, which whoever reaches Redis next does.
   */
  readonly givenUp = new Map<string, () => (string | number)[]>();
  private number = 0;

  constructor(readonly id: string = randomUUID()) {}

  /**
   * The number of what is asked next. Redis refuses what is not newer than the last change of a record: a command that
   * was given up may still arrive, after what was asked in its place.
   */
  next(): number {
    return (this.number += 1);
  }
}

export const thisInstance = new Instance();
