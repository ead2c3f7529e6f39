import { AuthyError } from '../contract/errors';
import type { Recipient } from '../contract/notification';
import type { ValuesOf } from '../contract/operations';
import type { People, Person } from '../contract/people';
import { without } from '../contract/without';
import type { CallOptions, Environment } from '../contract/service';

/** What every service does with people who are kept here. */

/** @throws AuthyError - `AUTHY_USER_NOT_FOUND`; `AUTHY_STORE` */
export async function knownPerson(people: People, authyId: string): Promise<Person> {
  const person = await people.find(authyId);
  if (person === undefined) throw unknownPerson();
  return person;
}

/**
 * Somebody who is to be asked, or to be believed.
 *
 * @throws AuthyError - as {@link knownPerson}; `AUTHY_USER_UNAVAILABLE` if they are locked
 */
export async function usablePerson(people: People, authyId: string): Promise<Person> {
  const person = await knownPerson(people, authyId);
  if (person.locked === true) throw lockedPerson();
  return person;
}

/** The error for a person who is locked. */
export function lockedPerson(): AuthyError {
  return new AuthyError(
    'AUTHY_USER_UNAVAILABLE',
    'Unlock the user first, in the sidebar “Authy people” of the editor: somebody has locked them.',
  );
}

/** The error for a person whom the account does not know (any more). */
export function unknownPerson(): AuthyError {
  return new AuthyError(
    'AUTHY_USER_NOT_FOUND',
    'Create the user first, or import them, with the same account: this one knows no user with this ID.',
  );
}

/**
 * The same phone number is the same person, whose e-mail address stays: otherwise whoever knows the number could have the
 * person's codes sent elsewhere.
 */
export async function created(
  people: People,
  { email, phoneNumber, countryCode = '' }: ValuesOf<'userCreate'>,
): Promise<Person> {
  const known = await people.findByPhone(phoneNumber);
  return known !== undefined && known.email !== '' ? known : people.add({ email, phoneNumber, countryCode });
}

/** Gives a person another e-mail address. A code that went to the old one no longer counts. @throws AuthyError */
export async function withEmail(people: People, authyId: string, email: string): Promise<Person> {
  const person = await people.change(authyId, ({ verification, ...one }) => ({
    ...one,
    email,
    ...(verification === undefined || verification.channel === 'email' ? {} : { verification }),
  }));
  if (person === undefined) throw unknownPerson();
  return person;
}

/** Locks a person, or unlocks them: while they are locked they are asked nothing, and no code of theirs counts. @throws AuthyError */
export async function withLock(people: People, authyId: string, isLocked: boolean): Promise<void> {
  const changed = await people.change(authyId, (one) =>
    isLocked ? { ...one, locked: true } : without(one, 'locked'),
  );
  if (changed === undefined) throw unknownPerson();
}

/**
 * Who was asked by an approval request.
 *
 * @throws AuthyError - `AUTHY_NOT_FOUND` if neither the caller nor the account knows
 */
export async function whoWasAsked(
  account: Pick<Environment, 'recipientOf'>,
  approvalId: string,
  { recipient }: CallOptions,
): Promise<string> {
  const authyId = recipient ?? (await account.recipientOf(approvalId));
  if (authyId !== undefined) return authyId;
  throw new AuthyError(
    'AUTHY_NOT_FOUND',
    'Ask again, or keep the open approvals of the account in Redis: this account does not know (any more) whom it asked.',
  );
}

/** @throws AuthyError - `AUTHY_NOT_SENT` if none is known */
export function emailOf({ email }: Person): string {
  if (email !== '') return email;
  throw new AuthyError(
    'AUTHY_NOT_SENT',
    'Set an e-mail address of the user first, with the node "update user": none is known.',
  );
}

/** The longest name of an authenticator that Twilio takes; here it is the same. */
const longestName = 64;

/** The name of a person's authenticator: the label; without one the e-mail address, or the ID. */
export function authenticatorName({ authyId, email }: Person, label: string | undefined): string {
  return (label ?? (email === '' ? authyId : email)).slice(0, longestName);
}

/** Whom a notification is for. */
export function recipientOf({ authyId, phoneNumber, email }: Person): Recipient {
  return { authyId, phoneNumber, email: email === '' ? null : email, name: null };
}

/** All but the last four digits hidden, as Authy shows it. */
export function masked(phoneNumber: string): string {
  return `XXX-XXX-${phoneNumber.slice(-4)}`;
}
