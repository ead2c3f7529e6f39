import { AuthyError } from '../contract/errors';
import type { Claim, Found, Records } from './records';

/** The records of a gate whose account is set to a store that does not exist: no message is let in. */
export class Unusable implements Records {
  readonly name = 'nowhere';

  /** @param problem - a sentence that says what to do */
  constructor(private readonly problem: string) {}

  now(): number {
    return Date.now();
  }

  create(): Promise<boolean> {
    return Promise.reject(new AuthyError('AUTHY_BAD_CONFIG', this.problem));
  }

  update(): Promise<boolean> {
    return Promise.resolve(false);
  }

  claim(): Promise<Claim> {
    return Promise.resolve('missing');
  }

  unclaim(): Promise<void> {
    return Promise.resolve();
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  withdrawElsewhere(): Promise<boolean> {
    return Promise.resolve(true);
  }

  take(): Promise<Found[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
