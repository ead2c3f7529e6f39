import type { ApproverSettings, AuthenticatorCodes } from '../contract/approver';
import type { Notify } from '../contract/notification';
import type { People } from '../contract/people';
import type { ApprovalAnswer } from '../contract/service';
import type { Noted } from '../people/noted';

/** What an approver uses of its account. */
export interface ApproverHost {
  /** Of the account's node. */
  readonly accountId: string;
  readonly settings: ApproverSettings;
  /** Whether other Node-REDs have the same people: then they change without this one. */
  readonly isShared: boolean;
  /** Where the page is on this machine itself; undefined while Node-RED does not listen, or serves no http nodes. */
  ownUrl(): string | undefined;
  /** Why people do not reach the page, although it has an address: a sentence. Undefined if nothing is known against it. */
  noPage(): string | undefined;
  /** @throws AuthyError - `AUTHY_STORE` */
  people(): People;
  /** The codes of people's authenticators. @throws AuthyError - the account cannot be used */
  codes(): Promise<AuthenticatorCodes>;
  /** Whether the flow would tell somebody something. */
  isHeard(): boolean;
  /** Whether flows are being deployed: then nobody knows who listens. */
  isDeploying(): boolean;
  /** Has the flow tell somebody something, once all of its nodes are there. @throws AuthyError - as `Environment.notifier` */
  notifier(signal?: AbortSignal): Promise<Notify>;
  /** Takes an answer, once it is safe. */
  answered(answer: ApprovalAnswer): void;
  /** Of this Node-RED. */
  readonly language: string | undefined;
  /** The line must hold no secret. */
  log(line: string): void;
  /** The same for what somebody has to look at. */
  warn(line: string): void;
  readonly noted: Noted;
  /** Milliseconds since 1970, by a clock that somebody may set. */
  now(): number;
  /** Milliseconds by a clock that cannot be set. */
  steady(): number;
}
