import type { CallbackMethod } from '../settings';

/** Why a callback got no answer, for the phone page to say in its language. */
export type CallbackFailure =
  'missing' | 'address' | 'lost' | 'stopped' | 'timeout' | 'closed' | 'connection';

/** The result of a callback: without status and error it is still running. */
export interface CallbackReport {
  /** Null if none is set. */
  readonly url: string | null;
  readonly method: CallbackMethod;
  /** Of the answer; of the last one if it is sent repeatedly. */
  readonly status?: number;
  /** Why there is no answer, in one word and in a sentence. */
  readonly failure?: CallbackFailure;
  readonly error?: string;
}
