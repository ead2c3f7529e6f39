import type { Approvals } from '../../contract/approver';
import type { ValuesOf } from '../../contract/operations';
import type { OperationName } from '../../contract/results';
import type { CallOptions, Performed } from '../../contract/service';
import type { People, Person, Verification } from '../../contract/people';
import { knownPerson, lockedPerson, unknownPerson } from '../../people/known';
import type { VerifyClient } from './client';
import { type StartedVerifications, verificationLifetime } from './started-verifications';
import type { WrongTries } from './wrong-tries';

/** What the operations of an open account use. */
export interface Context {
  readonly verify: VerifyClient;
  readonly lookups: VerifyClient;
  readonly people: People;
  readonly serviceSid: string;
  /** Whether the type of a number's line may be looked up. */
  readonly lookup: boolean;
  /** Whether people approve in an app of the customer's own; otherwise on this Node-RED's own page. */
  readonly hasOwnApp: boolean;
  readonly approvals: () => Approvals;
  /** The verifications of phone numbers that were started here. */
  readonly started: StartedVerifications;
  readonly wrongTries: WrongTries;
  /** Who was asked by an approval request; undefined if that is not known (any more). @throws AuthyError - `AUTHY_STORE` */
  recipientOf(approvalId: string): Promise<string | undefined>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds by a clock that cannot be set: for what only this process remembers. */
  steady(): number;
}

/** Carries out an operation. @param call - gives the options of the next call, with what is left of the deadline */
export type Handler<N extends OperationName> = (
  context: Context,
  values: ValuesOf<N>,
  call: () => CallOptions,
) => Promise<Performed<N>>;

/** The path of a resource of the account's Verify service. @param parts - validated, each is escaped */
export function servicePath({ serviceSid }: Context, ...parts: readonly string[]): string {
  return ['/v2/Services', serviceSid, ...parts.map(encodeURIComponent)].join('/');
}

/** The path of a resource that belongs to a person. */
export function personPath(context: Context, { identity }: Person, ...parts: readonly string[]): string {
  return servicePath(context, 'Entities', identity, ...parts);
}

/** @throws AuthyError - `AUTHY_USER_NOT_FOUND`: the person was removed while Twilio was asked */
export async function stillThere(context: Context, { authyId, identity }: Person): Promise<Person> {
  const person = await knownPerson(context.people, authyId);
  if (person.identity !== identity) throw unknownPerson();
  return person;
}

/** @throws AuthyError - as {@link stillThere}; `AUTHY_USER_UNAVAILABLE`: the person was locked meanwhile */
export async function stillUsable(context: Context, before: Person): Promise<void> {
  const { locked } = await stillThere(context, before);
  if (locked === true) throw lockedPerson();
}

/** Whether Twilio knows it: a code that was made here, while the account was on another service, has a hash. */
export function isOfTwilio({ hash }: Verification): boolean {
  return hash === undefined;
}

/** The code that was sent to a person and may still be right. */
export function openVerification(context: Context, { verification }: Person): Verification | undefined {
  if (verification === undefined || verification.end !== undefined || !isOfTwilio(verification))
    return undefined;
  return context.now() - verification.startedAt < verificationLifetime ? verification : undefined;
}
