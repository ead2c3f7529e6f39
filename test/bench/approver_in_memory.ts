import { randomBytes, randomUUID } from 'node:crypto';
import { type AuthenticationResponseJSON, verifyAuthenticationResponse } from '@simplewebauthn/server';
import { Secret, TOTP } from 'otpauth';
import type { PageAddress } from '../../nodes/lib/approver/address';
import { Approver } from '../../nodes/lib/approver/approver';
import type { SignedIn } from '../../nodes/lib/approver/asking';
import { invitationOf, newSecret, tokenText } from '../../nodes/lib/approver/invitations';
import { challengeOf } from '../../nodes/lib/approver/canonical';
import { newPasskey } from '../../nodes/lib/approver/passkeys';
import type { ApprovalRequest, People } from '../../nodes/lib/contract/people';
import { without } from '../../nodes/lib/contract/without';
import { KeptPeople } from '../../nodes/lib/people/kept-people';
import { Noted } from '../../nodes/lib/people/noted';
import type { Kept, PeopleStore, Row } from '../../nodes/lib/people/people-store';
import { Sealing } from '../../nodes/lib/people/sealing';
import { checkAuthenticatorCode } from '../../nodes/lib/services/local/token';
import type { Context } from '../../nodes/lib/services/local/context';
import { approverPage } from '../support/approver_process_flow';
import { newFactor } from '../support/people';
import { SoftwareAuthenticator } from '../support/software_authenticator';
import type { Contender } from './contest';
import { processorTime } from './processor_time';

export const libraryName = '@simplewebauthn/server alone';
export const approvalName = 'an approval, in memory';
export const bareCodeName = 'otpauth alone';
export const codeName = 'a code, in memory';

const origin = new URL(approverPage).origin;
const rpId = new URL(approverPage).hostname;
/** Of one turn. */
const approvals = 100;
const codes = 300;
/** People in a Map: all that is done with them, but no disk. */
class MemoryStore implements PeopleStore {
  private readonly texts = new Map<string, string>();
  private readonly ids = new Map<string, string>();

  placeOf(authyId: string): string {
    return authyId;
  }

  read(authyId: string): Promise<Row | undefined> {
    const text = this.texts.get(authyId);
    return Promise.resolve(text === undefined ? undefined : { authyId, text });
  }

  readByPhone(phoneNumber: string): Promise<Row | undefined> {
    return this.read(this.ids.get(phoneNumber) ?? '');
  }

  add({ authyId, text, person }: Kept): Promise<'done'> {
    this.texts.set(authyId, text);
    this.ids.set(person.phoneNumber, authyId);
    return Promise.resolve('done');
  }

  replace(_before: Kept, after: Kept): Promise<'done'> {
    return this.add(after);
  }

  remove(): Promise<'changed'> {
    return Promise.resolve('changed');
  }

  async *parts(): AsyncIterable<readonly Row[]> {
    yield await Promise.resolve([]);
  }

  count(): Promise<number> {
    return Promise.resolve(this.texts.size);
  }

  setAside(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** People in memory, with an approver that has no Node-RED, no HTTP and no disk. */
class InMemory {
  readonly people: People = new KeptPeople(
    new MemoryStore(),
    new Sealing('account', { credentialSecret: 'bench' }),
    () => undefined,
  );
  answers = 0;
  readonly approver = new Approver({
    accountId: 'account',
    settings: { name: 'Front door', path: '/approve', publicUrl: approverPage, push: false, showsText: true },
    isShared: false,
    ownUrl: () => undefined,
    noPage: () => undefined,
    people: () => this.people,
    codes: () => Promise.reject(new Error('There are none.')),
    isHeard: () => true,
    isDeploying: () => false,
    notifier: () => Promise.resolve(() => undefined),
    answered: () => void (this.answers += 1),
    language: undefined,
    log: () => undefined,
    warn: () => undefined,
    noted: new Noted(),
    now: () => Date.now(),
    steady: () => performance.now(),
  });
  private last = 0;

  async newPerson(): Promise<string> {
    const phoneNumber = `+4917${String(20_000_000 + (this.last += 1))}`;
    const { authyId } = await this.people.add({ phoneNumber, countryCode: '49', email: 'ada@example.com' });
    return authyId;
  }
}

/** What a phone sends for one request. */
interface Answer {
  readonly id: string;
  readonly credential: object;
}

/** A phone whose calls are function calls. */
class Phone {
  private readonly authenticator = new SoftwareAuthenticator(origin, false);
  private session: SignedIn['session'] | undefined;

  private constructor(
    private readonly memory: InMemory,
    readonly authyId: string,
  ) {}

  static async enrolled(memory: InMemory): Promise<Phone> {
    const authyId = await memory.newPerson();
    const phone = new Phone(memory, authyId);
    const secret = newSecret();
    await memory.people.change(authyId, (one) => ({ ...one, invitation: invitationOf(secret, Date.now()) }));
    const token = tokenText({ authyId, secret });
    const { enrolment } = memory.approver;
    const { options } = await enrolment.open({ token });
    const credential = phone.authenticator.create(options as NonNullable<typeof options>);
    ({ session: phone.session } = await enrolment.enrol({ token, name: 'Phone', credential }));
    return phone;
  }

  /** A new request, and the answer to it. */
  async asked(): Promise<Answer> {
    const { asking } = this.memory.approver;
    const question = { ...values, authyId: this.authyId };
    const { id } = await asking.ask(question, { asker: 'Front door' });
    const options = asking.approveOptions(await this.signedIn(), id);
    return { id, credential: this.authenticator.get(options) };
  }

  /** All that a call of the page does, but HTTP. */
  async approve(answer: Answer): Promise<void> {
    await this.memory.approver.asking.approve(await this.signedIn(), answer);
  }

  private signedIn(): Promise<SignedIn> {
    return this.memory.approver.signingIn.signedIn(this.session === undefined ? [] : [this.session]);
  }
}

const values = {
  message: 'Open the garage?',
  details: { Door: 'Garage' },
  hiddenDetails: undefined,
  logos: undefined,
  secondsToExpire: 600,
  atLeast: undefined,
};

/** The processor time of each piece of work, one after the other, in microseconds. */
async function timeOfEach(work: readonly (() => Promise<unknown>)[]): Promise<number> {
  const begun = processorTime();
  for (const piece of work) await piece();
  return ((processorTime() - begun) * 1000) / work.length;
}

/**
 * The approver's own work for an approval: session, signature, words, and the change of the person.
 *
 * @param history - how many requests each person has approved before: the record has their proofs
 */
export async function approvalContender(history: number): Promise<Contender> {
  const memory = new InMemory();
  const phones: Phone[] = [];
  const people = history === 0 ? approvals : approvals / 5;
  for (let number = 0; number < people; number++) {
    const phone = await Phone.enrolled(memory);
    for (let index = 0; index < history; index++) await phone.approve(await phone.asked());
    phones.push(phone);
  }
  return {
    name: history === 0 ? approvalName : `${approvalName}, after ${history} others`,
    async measure() {
      const work: (() => Promise<void>)[] = [];
      for (let index = 0; index < approvals; index++) {
        const phone = phones[index % people] as Phone;
        const answer = await phone.asked();
        work.push(() => phone.approve(answer));
      }
      const before = memory.answers;
      const time = await timeOfEach(work);
      if (memory.answers - before !== approvals) throw new Error('Not every answer was handed on.');
      // The requests of one turn must not be the history of the next.
      if (history === 0) {
        for (const { authyId } of phones)
          await memory.people.change(authyId, (one) => without(one, 'requests'));
      }
      return time;
    },
  };
}

/** What nobody can leave out: the library's check, with all that the approver gives it. */
export async function libraryContender(): Promise<Contender> {
  const authenticator = new SoftwareAuthenticator(origin, false);
  const challenge = challengeOf('a new passkey');
  const user = { id: Buffer.from('1').toString('base64url') };
  const page = { origin, rpId } as PageAddress;
  const passkey = await newPasskey(authenticator.create({ challenge, user }), challenge, page);
  const publicKey = new Uint8Array(Buffer.from(passkey.publicKey, 'base64url'));
  return {
    name: libraryName,
    measure() {
      const work = Array.from({ length: approvals }, (_item, index) => {
        const expectedChallenge = challengeOf(String(index));
        const response = authenticator.get({ challenge: expectedChallenge }) as AuthenticationResponseJSON;
        return async () => {
          const { verified } = await verifyAuthenticationResponse({
            response,
            expectedChallenge,
            expectedOrigin: origin,
            expectedRPID: rpId,
            credential: { id: passkey.id, publicKey, counter: 0 },
            requireUserVerification: true,
          });
          if (!verified) throw new Error('A wrong verdict.');
        };
      });
      return timeOfEach(work);
    },
  };
}

/** The check of an authenticator's code: its secret is decrypted, and the code is used up, before it is valid. */
export async function codeContender(): Promise<Contender> {
  const memory = new InMemory();
  const people: { authyId: string; secret: string }[] = [];
  for (let number = 0; number < codes; number++) {
    const authyId = await memory.newPerson();
    const secret = new Secret({ size: 20 }).base32;
    const factors = [newFactor({ service: 'local', secret })];
    await memory.people.change(authyId, (one) => ({ ...one, factors }));
    people.push({ authyId, secret });
  }
  let now = Date.now();
  const context = {
    people: memory.people,
    noted: new Noted(),
    now: () => now,
    steady: () => performance.now(),
  } as unknown as Context;
  return {
    name: codeName,
    measure() {
      // A code counts once: this turn is a step later.
      now += 30_000;
      const work = people.map(({ authyId, secret }) => {
        const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now });
        return async () => {
          if ((await checkAuthenticatorCode(context, authyId, code)) !== 'valid')
            throw new Error('A wrong verdict.');
        };
      });
      return timeOfEach(work);
    },
  };
}

/** The library's check of a code. */
export function bareCodeContender(): Contender {
  return {
    name: bareCodeName,
    measure() {
      const timestamp = Date.now();
      const work = Array.from({ length: codes }, () => {
        const secret = new Secret({ size: 20 }).base32;
        const token = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp });
        return () => {
          const delta = new TOTP({ secret: Secret.fromBase32(secret) }).validate({
            token,
            timestamp,
            window: 1,
          });
          return delta === 0 ? Promise.resolve() : Promise.reject(new Error('A wrong verdict.'));
        };
      });
      return timeOfEach(work);
    },
  };
}

/** Fills a store with people who have so many open requests each. */
export async function peopleWithOpenRequests(
  people: People,
  { people: count, each }: { readonly people: number; readonly each: number },
): Promise<void> {
  const requests = (): ApprovalRequest[] =>
    Array.from({ length: each }, () => ({
      id: randomUUID(),
      asker: 'Front door',
      message: 'Open the garage?',
      details: [['Door', 'Garage']],
      hidden: '',
      atLeast: 'code',
      createdAt: Date.now(),
      expiresAt: Date.now() + 86_400_000,
      nonce: randomBytes(16).toString('base64url'),
    }));
  const atOnce = 64;
  for (let from = 0; from < count; from += atOnce) {
    await Promise.all(
      Array.from({ length: Math.min(atOnce, count - from) }, async (_item, index) => {
        const phoneNumber = `+4917${String(20_000_000 + from + index)}`;
        const { authyId } = await people.add({ phoneNumber, countryCode: '49', email: 'ada@example.com' });
        await people.change(authyId, (one) => ({ ...one, requests: requests() }));
      }),
    );
  }
}
