import { member } from '../contract/json';
import { AuthyError } from '../contract/errors';
import type { KeyedHash, Person, Phone, PushSubscription } from '../contract/people';
import { without } from '../contract/without';
import { unknownPerson, withLock } from '../people/known';
import { newRecoveryCodes } from '../people/recovery';
import type { SignedIn } from './asking';
import { nameOf } from './enrolment';
import type { ApproverHost } from './host';
import { pauseLeft } from './not-me';
import { Refused } from './refused';
import { withoutSession } from './sessions';
import type { Telling } from './telling';

/** What is done with phones that are there: by their owner on the page, or by whoever may change accounts in the editor. */
export class Phones {
  constructor(
    private readonly host: ApproverHost,
    private readonly telling: Telling,
  ) {}

  // ---- by their owner

  async renameOwn({ person, phone }: SignedIn, sent: unknown): Promise<void> {
    await this.rename(person.authyId, phone.id, nameOf(sent));
  }

  async signOut({ person, phone, session }: SignedIn): Promise<void> {
    await this.changePhone(person.authyId, phone.id, (one) => withoutSession(one, session));
  }

  async leave({ person, phone }: SignedIn): Promise<void> {
    await this.remove(person.authyId, phone.id);
  }

  /** A phone is told by Web Push from now on, or no longer. @throws Refused - `invalid` */
  async setPush({ person, phone }: SignedIn, sent: unknown): Promise<void> {
    const given = member(sent, 'subscription');
    const push = given === null ? undefined : await subscriptionOf(given);
    await this.changePhone(person.authyId, phone.id, (one) =>
      push === undefined ? without(one, 'push') : { ...one, push },
    );
  }

  // ---- by whoever runs it

  async rename(authyId: string, phoneId: string, name: string): Promise<void> {
    await this.changePhone(authyId, phoneId, (one) => ({ ...one, name }));
  }

  /** Its passkey, sessions and notifications end at once; requests stay open for the other phones. */
  async remove(authyId: string, phoneId: string): Promise<void> {
    await this.changePhone(authyId, phoneId, () => undefined);
    this.host.log(`A phone of the user ${authyId} was removed.`);
  }

  /** Locks a person, or unlocks them. Their open requests stay unanswered. */
  async lock(authyId: string, isLocked: boolean): Promise<void> {
    await withLock(this.host.people(), authyId, isLocked);
    this.telling.changed(authyId);
    this.host.log(`The user ${authyId} was ${isLocked ? 'locked' : 'unlocked'}.`);
  }

  /**
   * Ends the pause after "not me", if it is not over. The next one is as short as the first.
   *
   * @param pause - which one it is: the time until which it was stored. Whoever has seen one must not end the next one, which may be
   *   about somebody else's request
   * @throws AuthyError - `AUTHY_NOT_FOUND` if another one has begun
   */
  async endPause(authyId: string, pause: unknown): Promise<void> {
    let isEnded: boolean | undefined;
    await this.changePerson(authyId, (person) => {
      isEnded = pauseLeft(person, this.host) > 0;
      if (!isEnded) return person;
      if (person.notMe?.until === pause) return without(person, 'notMe');
      throw new AuthyError(
        'AUTHY_NOT_FOUND',
        'Look again: this user has said “not me” once more since then.',
      );
    });
    if (isEnded === true) this.host.log(`The pause of the user ${authyId} after “not me” was ended.`);
  }

  /** Removes a person with all that is kept of them: their pages are signed out. @throws AuthyError */
  async removePerson(authyId: string): Promise<void> {
    if (!(await this.host.people().remove(authyId))) throw unknownPerson();
    this.telling.changed(authyId);
    this.host.log(`The user ${authyId} was removed.`);
  }

  /** New recovery codes: all earlier ones end. @returns the codes, which nobody can read again */
  async renewRecovery(authyId: string): Promise<readonly string[]> {
    const { codes, hashes } = await newRecoveryCodes(this.host.people(), { authyId });
    await this.changePerson(authyId, (one) => withRecovery(one, hashes));
    this.host.log(`The user ${authyId} has new recovery codes.`);
    return codes;
  }

  private async changePerson(authyId: string, change: (person: Person) => Person): Promise<void> {
    if ((await this.host.people().change(authyId, change)) === undefined) throw unknownPerson();
    this.telling.changed(authyId);
  }

  /** @param change - returns undefined to remove it */
  private changePhone(
    authyId: string,
    phoneId: string,
    change: (phone: Phone) => Phone | undefined,
  ): Promise<void> {
    return this.changePerson(authyId, (person) => {
      const { phones = [] } = person;
      if (!phones.some(({ id }) => id === phoneId)) {
        throw new AuthyError('AUTHY_NOT_FOUND', 'Look again: this user has no such phone (any more).');
      }
      return {
        ...person,
        phones: phones.flatMap((one) => (one.id === phoneId ? (change(one) ?? []) : [one])),
      };
    });
  }
}

function withRecovery(person: Person, recovery: readonly KeyedHash[]): Person {
  return { ...person, recovery, factors: person.factors.map((factor) => without(factor, 'recovery')) };
}

/** @throws Refused - `invalid` */
async function subscriptionOf(given: unknown): Promise<PushSubscription> {
  const { readSubscription } = await import('./push/subscription.js');
  try {
    return readSubscription(given);
  } catch {
    throw new Refused('invalid');
  }
}
