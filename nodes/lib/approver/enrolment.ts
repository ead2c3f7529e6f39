import { createHash, randomBytes } from 'node:crypto';
import type { MadeInvitation } from '../contract/approver';
import { AuthyError } from '../contract/errors';
import { member, textOrNull } from '../contract/json';
import type { Passkey, Person, Phone } from '../contract/people';
import { phone as readPhone } from '../contract/phone';
import { without } from '../contract/without';
import { unknownPerson, usablePerson } from '../people/known';
import { mostPhones } from '../people/person';
import {
  isRecoveryCode,
  newRecoveryCodes,
  recoveryCodesLeft,
  recoveryPlace,
  withoutRecoveryCode,
} from '../people/recovery';
import { type PageAddress, pageAddress } from './address';
import { takeCode } from './codes';
import type { ApproverHost } from './host';
import {
  invitationLifetime,
  invitationOf,
  type InvitationToken,
  isInvited,
  newSecret,
  readToken,
  tokenText,
} from './invitations';
import { invitationMessage, phoneAddedMessage } from './messages';
import { type CreationOptions, creationOptions, newPasskey } from './passkeys';
import { isPlain } from './plain-text';
import { Refused } from './refused';
import { newSession, type SessionToken, withSession } from './sessions';
import type { Telling } from './telling';

/** The side of a QR code that a phone reads from a screen, in pixels. */
const qrSize = 320;
/** Of a phone's name. */
export const longestName = 64;

/** What somebody needs to finish what an invitation has begun. */
export interface Opened {
  readonly grade: PageAddress['grade'];
  /** A name for the phone; blank if there is none to suggest. */
  readonly name: string;
  readonly options: CreationOptions | null;
  readonly authenticator:
    | { readonly isKnown: true }
    | { readonly isKnown: false; readonly address: string; readonly qr: string }
    | null;
}

export interface Enrolled {
  readonly session: SessionToken;
  readonly number: string;
  readonly recoveryCodes: readonly string[] | null;
}

/** How people get phones that answer for them. */
export class Enrolment {
  constructor(
    private readonly host: ApproverHost,
    private readonly telling: Telling,
  ) {}

  /** Makes an invitation that somebody shows to the person: nobody is told. @throws AuthyError - see `Approvals.invite` */
  async invite(authyId: string): Promise<MadeInvitation> {
    return (await this.made(authyId)).invitation;
  }

  /** See `Approvals.invite`. */
  async inviteAndTell(authyId: string): Promise<MadeInvitation> {
    const { invitation, person } = await this.made(authyId);
    await this.telling.byFlow(invitationMessage(this.host, person, invitation));
    return invitation;
  }

  /** Ends the invitation of a person, if there is one. @throws AuthyError - `AUTHY_USER_NOT_FOUND`, `AUTHY_STORE` */
  async withdraw(authyId: string): Promise<void> {
    const changed = await this.host.people().change(authyId, (one) => without(one, 'invitation'));
    if (changed === undefined) throw unknownPerson();
  }

  /** Opens an invitation: it stays usable until a phone was added. @throws Refused - `invitation` */
  async open(sent: unknown): Promise<Opened> {
    const token = tokenOf(sent);
    const page = pageAddress(this.host);
    const person = await this.invited(token);
    if (page.grade === 'code') return this.openWithCode(person);
    const challenge = randomBytes(32).toString('base64url');
    const changed = await this.host.people().change(token.authyId, (one) => {
      if (!isInvited(one, token, this.host) || one.invitation === undefined) throw new Refused('invitation');
      return { ...one, invitation: { ...one.invitation, challenge } };
    });
    if (changed === undefined) throw new Refused('invitation');
    const { name } = this.host.settings;
    const options = await creationOptions(changed, challenge, name, page);
    return { grade: 'passkey', name: '', options, authenticator: null };
  }

  /** Adds a phone, and signs it in. @throws Refused */
  async enrol(sent: unknown): Promise<Enrolled> {
    const token = tokenOf(sent);
    const page = pageAddress(this.host);
    // What is wrong with it must not cost a code.
    const name = nameOf(sent);
    const person = await this.invited(token);
    const passkey =
      page.grade === 'passkey' ? await this.passkeyOf(person, member(sent, 'credential'), page) : undefined;
    if (passkey === undefined) await takeCode(this.host, person.authyId, textOrNull(sent, 'code'));
    const made =
      recoveryCodesLeft(person) === undefined
        ? await newRecoveryCodes(this.host.people(), person)
        : undefined;
    const { session, changed, phone } = await this.add(token, person, name, passkey, made?.hashes);
    this.host.log(`The user ${changed.authyId} has added a phone that answers approval requests.`);
    this.telling.changed(changed.authyId);
    await this.telling.warn(changed, phoneAddedMessage(this.host, changed, phone.name), phone);
    // Somebody else may have made others meanwhile, or the code that has confirmed an authenticator has brought its own.
    const areKept = made !== undefined && changed.recovery?.[0] === made.hashes[0];
    return { session, number: numberOf(phone), recoveryCodes: areKept ? made.codes : null };
  }

  /**
   * A recovery code instead of a lost phone: it is used up, and makes an invitation. Who is not known gets the same answer as a
   * wrong code.
   *
   * @throws Refused - `wrongCode`
   */
  async recover(sent: unknown): Promise<string> {
    const typed = (textOrNull(sent, 'code') ?? '').replace(/[\s-]/g, '');
    const people = this.host.people();
    const number = recoveredNumber(sent);
    const person = number === '' ? undefined : await people.findByPhone(number);
    // The hashes are made for anybody, so that the time they take says nothing.
    const place = recoveryPlace(person ?? { authyId: '0' });
    const hashes = await people.hashes(place, isRecoveryCode(typed) ? typed : '');
    if (person === undefined || person.locked === true) throw new Refused('wrongCode');
    const changed = await people.change(person.authyId, (one) => {
      const after = one.locked === true ? undefined : withoutRecoveryCode(one, hashes);
      if (after === undefined) throw new Refused('wrongCode');
      return after;
    });
    if (changed === undefined) throw new Refused('wrongCode');
    this.host.log(`The user ${changed.authyId} has used a recovery code to add a phone.`);
    return (await this.newInvitation(changed.authyId)).token;
  }

  private async made(authyId: string): Promise<{ invitation: MadeInvitation; person: Person }> {
    const page = pageAddress(this.host);
    const { phones = [] } = await usablePerson(this.host.people(), authyId);
    if (phones.length >= mostPhones) throw tooManyPhones();
    const { token, madeAt, person } = await this.newInvitation(authyId);
    const url = `${page.url}/#i=${token}`;
    const expiresAt = madeAt + invitationLifetime;
    return { invitation: { url, qrCode: await qrOf(url), expiresAt }, person };
  }

  private async newInvitation(authyId: string): Promise<{ token: string; madeAt: number; person: Person }> {
    const secret = newSecret();
    const invitation = invitationOf(secret, this.host.now());
    const person = await this.host.people().change(authyId, (one) => ({ ...one, invitation }));
    if (person === undefined) throw unknownPerson();
    this.host.noted.note(invitation.hash, this.host.steady());
    return { token: tokenText({ authyId, secret }), madeAt: invitation.madeAt, person };
  }

  /** @throws Refused - `invitation` */
  private async invited(token: InvitationToken): Promise<Person> {
    const person = await this.host.people().find(token.authyId);
    if (person === undefined || !isInvited(person, token, this.host)) throw new Refused('invitation');
    return person;
  }

  private async openWithCode({ authyId }: Person): Promise<Opened> {
    const codes = await this.host.codes();
    const opened = { grade: 'code', name: '', options: null } as const;
    if (await codes.isKnown(authyId)) return { ...opened, authenticator: { isKnown: true } };
    const address = await codes.make(authyId);
    return { ...opened, authenticator: { isKnown: false, address, qr: await qrOf(address) } };
  }

  private async passkeyOf({ invitation }: Person, credential: unknown, page: PageAddress): Promise<Passkey> {
    if (invitation?.challenge === undefined) throw new Refused('passkeyRefused');
    return newPasskey(credential, invitation.challenge, page);
  }

  /** The invitation is used up with the phone that it adds: in one step, so it adds no second one. */
  private async add(
    token: InvitationToken,
    { invitation: opened }: Person,
    name: string,
    passkey: Passkey | undefined,
    recovery: Person['recovery'],
  ): Promise<{ session: SessionToken; changed: Person; phone: Phone }> {
    const addedAt = this.host.now();
    const id = randomBytes(16).toString('base64url');
    const session = newSession(token.authyId, id);
    const phone: Phone = withSession(
      { id, name, ...(passkey === undefined ? {} : { passkey }), sessions: [], addedAt },
      session,
      addedAt,
    );
    const changed = await this.host.people().change(token.authyId, ({ invitation, ...one }) => {
      const isSame = invitation !== undefined && invitation.challenge === opened?.challenge;
      if (!isSame || !isInvited({ ...one, invitation }, token, this.host)) throw new Refused('invitation');
      const phones = one.phones ?? [];
      if (phones.length >= mostPhones) throw tooManyPhones();
      if (passkey !== undefined && phones.some((other) => other.passkey?.id === passkey.id)) {
        throw new Refused('passkeyRefused');
      }
      return {
        ...one,
        phones: [...phones, phone],
        ...(recovery === undefined || recoveryCodesLeft(one) !== undefined ? {} : { recovery }),
      };
    });
    if (changed === undefined) throw new Refused('invitation');
    return { session, changed, phone };
  }
}

/** What draws it is loaded with the first one. */
async function qrOf(text: string): Promise<string> {
  const { qrPicture } = await import('../authenticator/qr-picture.js');
  return qrPicture(text, qrSize);
}

/** Two digits that the phone and the editor show, to see that it is the same phone. */
export function numberOf({ id, passkey }: Phone): string {
  const bytes = createHash('sha256')
    .update(`number of ${passkey?.publicKey ?? id}`)
    .digest();
  return String(bytes.readUInt32BE(0) % 100).padStart(2, '0');
}

/** @throws Refused - `invalid` */
export function nameOf(sent: unknown): string {
  const name = (textOrNull(sent, 'name') ?? '').trim();
  if (name === '' || name.length > longestName || !isPlain(name)) throw new Refused('invalid');
  return name;
}

/** @throws Refused - `invitation` */
function tokenOf(sent: unknown): InvitationToken {
  const token = readToken(member(sent, 'token'));
  if (token === undefined) throw new Refused('invitation');
  return token;
}

/** Whose phone is to be replaced: a phone number in E.164 format, however it is written; blank if it is none. */
export function recoveredNumber(sent: unknown): string {
  try {
    return readPhone((textOrNull(sent, 'phoneNumber') ?? '').trim(), undefined, 'possible').e164;
  } catch {
    return '';
  }
}

function tooManyPhones(): AuthyError {
  return new AuthyError('AUTHY_LIMIT_REACHED', `Remove a phone first: this user has ${mostPhones}.`);
}
