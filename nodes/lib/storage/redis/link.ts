import { AuthyError } from '../../contract/errors';
import type { ScriptName } from './scripts';

/** Scripts that belong together: those of what an account keeps. */
export interface ScriptSet<Name extends string> {
  readonly sources: Readonly<Record<Name, string>>;
  /** The beginnings of the keys they use, without the account: they become KEYS[1], KEYS[2] and so on. */
  readonly prefixes: readonly string[];
  /** What is kept by them, for a sentence. */
  readonly kept: string;
}

/** The only way to use Redis: our scripts, for one account. */
export interface Scripts<Name extends string = ScriptName> {
  /**
   * Runs a script.
   *
   * @throws NothingDone - it certainly changed nothing, and never will
   * @throws AuthyError - `AUTHY_STORE`: nobody knows whether it ran, or still will
   */
  run(name: Name, ...args: (string | number)[]): Promise<unknown>;
}

/** The scripts of one account, and the messages that Redis sends by itself. */
export interface Link extends Scripts {
  /**
   * @param onReady - Redis can be reached, or can be again
   * @param onHint - takes texts that a script has published
   */
  open(onReady: () => void, onHint: (text: string) => void): void;
  /** Waits for commands on their way, for at most so many milliseconds, and ends the connections. */
  close(milliseconds: number): Promise<void>;
}

/** The error of a script that was certainly not run: it was not sent, or Redis refused it. */
export class NothingDone extends AuthyError {
  constructor(problem: string, kept?: string) {
    super('AUTHY_STORE', unreachable(problem, kept));
  }
}

/**
 * The sentence for a Redis that does not work.
 *
 * @param problem - the symptom
 * @param kept - what is kept there
 */
export function unreachable(problem: string, kept = 'open approval requests'): string {
  return `Check Redis, where the account keeps its ${kept}: it does not answer, ${problem}`;
}
