import type { Notify } from '../../contract/notification';
import type { ValuesOf } from '../../contract/operations';
import type { People } from '../../contract/people';
import type { OperationName } from '../../contract/results';
import type { Performed } from '../../contract/service';
import type { Noted } from './noted';
import type { PhoneChecks } from './phone-checks';

/** What the operations of an open account use. */
export interface Context {
  /** What people see in messages and in their authenticator app. */
  readonly displayName: string;
  readonly people: People;
  /** @throws AuthyError - `AUTHY_NOT_SENT` if nobody would be told */
  readonly notifier: (signal?: AbortSignal) => Promise<Notify>;
  /** Of this Node-RED. */
  readonly language: string | undefined;
  /** The line must hold no secret. */
  readonly log: (line: string) => void;
  readonly noted: Noted;
  readonly phoneChecks: PhoneChecks;
  /** Milliseconds since 1970, by a clock that somebody may set. */
  readonly now: () => number;
  /** Milliseconds by a clock that cannot be set: for what only this process remembers. */
  readonly steady: () => number;
}

/** Carries out an operation. */
export type Handler<N extends OperationName> = (
  context: Context,
  values: ValuesOf<N>,
  signal: AbortSignal | undefined,
) => Promise<Performed<N>>;
