import { randomUUID } from 'node:crypto';

/** One of the processes that share a Redis. It outlives a deploy. */
export class Instance {
  /**
   * Records that were given up while nobody knew whether Redis has them, by store and id. The next sign of
   * life makes sure that it does not.
   */
  readonly givenUp = new Map<string, () => (string | number)[]>();
  private number = 0;

  constructor(readonly id: string = randomUUID()) {}

  /**
   * The number of the next command. Redis refuses a command that is not newer than the last change of a record: one that
   * was given up may still arrive, after the command that replaced it.
   */
  next(): number {
    return (this.number += 1);
  }
}

export const thisInstance = new Instance();
