import { AuthyError } from '../../contract/errors';
import type { ScriptName } from './scripts';

/** The one way in which anything is asked of Redis: a script of ours, for one account. */
export interface Scripts {
  /**
   * Runs a script.
   *
   * @throws NothingDone - it is certain that it changed nothing, and never will
   * @throws AuthyError - `AUTHY_STORE`: nobody knows whether it ran, or still will
   */
  run(name: ScriptName, ...args: (string | number)[]): Promise<unknown>;
}

/** The scripts of one account, and what comes from Redis unasked. */
export interface Link extends Scripts {
  /**
   * @param onReady - Redis can be reached, or can be again
   * @param onHint - takes what a script has published
   */
  open(onReady: () => void, onHint: (text: string) => void): void;
  /** Lets what is on its way arrive, for at most so many milliseconds, and ends the connections. */
  close(milliseconds: number): Promise<void>;
}

/** The error of a script that certainly was not run: it was not sent, or Redis refused it. */
export class NothingDone extends AuthyError {
  constructor(problem: string) {
    super('AUTHY_STORE', unreachable(problem));
  }
}

/** The sentence for a Redis that does not do what it is asked. @param problem - how that showed */
export function unreachable(problem: string): string {
  return `Redis, where the account keeps its open approval requests, does not answer: ${problem}`;
}
