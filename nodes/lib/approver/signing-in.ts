import { createHmac, randomBytes } from 'node:crypto';
import { member, textOrNull } from '../contract/json';
import type { Person, Phone } from '../contract/people';
import { signaturesMatch } from '../contract/signed-requests';
import { formats } from '../contract/validation';
import { type PageAddress, pageAddress } from './address';
import type { SignedIn } from './asking';
import type { ApproverHost } from './host';
import {
  challengeOfCredential,
  checkSignature,
  isNewer,
  type RequestOptions,
  requestOptions,
} from './passkeys';
import { Refused } from './refused';
import { newSession, phoneOf, type SessionToken, withSession } from './sessions';

/** How long a browser may take to sign in, in milliseconds. */
const challengeLifetime = 180_000;

/** The bytes of a challenge: its time, random ones, and a MAC over both. So nothing has to be kept of it before it is used. */
const [timeLength, randomLength, macLength] = [8, 16, 32];

/** Signs browsers in as phones. */
export class SigningIn {
  constructor(private readonly host: ApproverHost) {}

  /** The person and the phone of the first session that counts. @throws Refused - `signedOut`, `locked` */
  async signedIn(sessions: readonly SessionToken[]): Promise<SignedIn> {
    for (const session of sessions) {
      const person = await this.host.people().find(session.authyId);
      const phone = person && phoneOf(person, session, this.host.now());
      if (person === undefined || phone === undefined) continue;
      if (person.locked === true) throw new Refused('locked');
      return { session, person, phone };
    }
    throw new Refused('signedOut');
  }

  /** What a phone has to sign that has a passkey of this page, and no session. @throws Refused - passkeys do not work here */
  async options(): Promise<RequestOptions> {
    const page = this.passkeyPage();
    const bytes = Buffer.alloc(timeLength + randomLength);
    bytes.writeBigUInt64BE(BigInt(this.host.now()));
    randomBytes(randomLength).copy(bytes, timeLength);
    const challenge = Buffer.concat([bytes, await this.macOf(bytes)]).toString('base64url');
    return requestOptions(challenge, page);
  }

  /** Signs a browser in by the passkey of one of its owner's phones. @throws Refused - `passkeyRefused`, `locked` */
  async signIn(sent: unknown): Promise<SessionToken> {
    const page = this.passkeyPage();
    const credential = member(sent, 'credential');
    const challenge = challengeOfCredential(credential);
    const madeAt = await this.timeOf(challenge);
    const { person, phone } = await this.ownerOf(credential);
    const { passkey } = phone;
    if (passkey === undefined) throw new Refused('passkeyRefused');
    const counter = await checkSignature(credential, challenge, passkey, page);
    const { authyId } = person;
    const session = newSession(authyId, phone.id);
    const changed = await this.host.people().change(authyId, (one) => {
      if (one.locked === true) throw new Refused('locked');
      const phones = (one.phones ?? []).map((other) => {
        if (other.id !== phone.id || other.passkey?.id !== passkey.id) return other;
        // A challenge signs in once; and one that is older than the last is one that somebody has kept.
        const isNew = isNewer(counter, other.passkey) && madeAt > (other.signedInAt ?? -1);
        if (!isNew) throw new Refused('passkeyRefused');
        const after = { ...other, passkey: { ...other.passkey, counter }, signedInAt: madeAt };
        return withSession(after, session, this.host.now());
      });
      return { ...one, phones };
    });
    if (changed === undefined || phoneOf(changed, session, this.host.now()) === undefined) {
      throw new Refused('passkeyRefused');
    }
    this.host.log(`The user ${authyId} has signed in on a phone that answers approval requests.`);
    return session;
  }

  private passkeyPage(): PageAddress {
    const page = pageAddress(this.host);
    if (page.grade !== 'passkey') throw new Refused('passkeyRefused');
    return page;
  }

  /** When a challenge of ours was made. @throws Refused - it is none, or too old */
  private async timeOf(challenge: string): Promise<number> {
    const bytes = Buffer.from(challenge, 'base64url');
    const signed = bytes.subarray(0, timeLength + randomLength);
    const mac = bytes.subarray(signed.length);
    const isOurs =
      bytes.length === signed.length + macLength &&
      bytes.toString('base64url') === challenge &&
      signaturesMatch(mac.toString('base64url'), (await this.macOf(signed)).toString('base64url'));
    if (!isOurs) throw new Refused('passkeyRefused');
    const madeAt = Number(signed.readBigUInt64BE());
    const age = this.host.now() - madeAt;
    if (age < 0 || age > challengeLifetime) throw new Refused('passkeyRefused');
    return madeAt;
  }

  private async macOf(bytes: Buffer): Promise<Buffer> {
    const key = await this.host.people().keyFor('signing in on the approver');
    return createHmac('sha256', key).update(bytes).digest();
  }

  /** A passkey knows whose it is. @throws Refused - nobody has it */
  private async ownerOf(credential: unknown): Promise<{ person: Person; phone: Phone }> {
    const handle = textOrNull(member(credential, 'response'), 'userHandle') ?? '';
    const authyId = Buffer.from(handle, 'base64url').toString('utf8');
    const person = formats.authyId.test(authyId) ? await this.host.people().find(authyId) : undefined;
    const id = member(credential, 'id');
    const phone = person?.phones?.find(({ passkey }) => passkey !== undefined && passkey.id === id);
    if (person === undefined || phone === undefined) throw new Refused('passkeyRefused');
    return { person, phone };
  }
}
