import type { Approvals } from '../../contract/approver';
import type { Notify } from '../../contract/notification';
import type { ValuesOf } from '../../contract/operations';
import type { People } from '../../contract/people';
import type { OperationName } from '../../contract/results';
import type { CallOptions, Performed } from '../../contract/service';
import type { Noted } from '../../people/noted';
import type { PhoneChecks } from './phone-checks';

/** What the operations of an open account use. */
export interface Context {
  /** What people see in messages and in their authenticator app. */
  readonly displayName: string;
  readonly people: People;
  readonly approvals: Approvals;
  /** Who was asked by an approval request; undefined if that is not known (any more). @throws AuthyError - `AUTHY_STORE` */
  recipientOf(approvalId: string): Promise<string | undefined>;
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
  options: CallOptions,
) => Promise<Performed<N>>;
