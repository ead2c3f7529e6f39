import { randomBytes } from 'node:crypto';
import { idPrefix } from '../storage/records';
import { realTime, type Time } from '../time';

/** The dependencies of an approval request's course, beside stores and service. */
export interface Outside {
  readonly time: Time;
  /** A new id for a record. */
  newId(): string;
}

/** The clocks, timers and random numbers of this process. */
export const outside: Outside = {
  time: realTime,
  // With the prefix, a text that just fits into 48 bytes of memory.
  newId: () => idPrefix + randomBytes(11).toString('hex'),
};
