import { randomBytes, randomUUID } from 'node:crypto';
import { AuthyError, invalidInput } from '../contract/errors';
import { type JsonObject, member, textOrNull } from '../contract/json';
import { secondsText } from '../contract/sentences';
import { without } from '../contract/without';
import type { FoundRequest } from '../contract/approver';
import type { ValuesOf } from '../contract/operations';
import type {
  ApprovalProof,
  ApprovalRequest,
  Passkey,
  Person,
  Phone,
  RequestAnswer,
} from '../contract/people';
import { withCount } from '../people/counts';
import { knownPerson, lockedPerson, unknownPerson, usablePerson } from '../people/known';
import { longestText, mostDetails } from '../people/person';
import { type PageAddress, pageAddress } from './address';
import { challengeOf, hiddenHash, signedText } from './canonical';
import { takeCode } from './codes';
import type { ApproverHost } from './host';
import { afterNotMe, pauseLeft, pauseName } from './not-me';
import { notMeMessage } from './messages';
import { checkSignature, isNewer, type RequestOptions, requestOptions } from './passkeys';
import { plain } from './plain-text';
import { Refused } from './refused';
import { hasExpired, mostOpen, openRequests, withAnswer, withoutRequest, withRequest } from './requests';
import { phoneOf, type SessionToken } from './sessions';
import type { Telling } from './telling';

/** Authy's default, in seconds. */
const usualLifetime = 86_400;
const longestAsker = 100;

/** The person who is signed in, on which of their phones. */
export interface SignedIn {
  readonly session: SessionToken;
  readonly person: Person;
  readonly phone: Phone;
}

/** What somebody has decided, before it is safe. */
interface Decided {
  readonly decision: RequestAnswer['decision'];
  readonly notMe?: boolean;
  readonly grade: RequestAnswer['phone']['grade'];
  readonly proof?: ApprovalProof;
  /** Of the passkey, as it says now. */
  readonly counter?: number;
}

/** Asks people, and takes their answers. */
export class Asking {
  constructor(
    private readonly host: ApproverHost,
    private readonly telling: Telling,
  ) {}

  /** See `Approvals.ask`. */
  async ask(
    values: ValuesOf<'onetouchSend'>,
    { asker, signal }: { readonly asker: string; readonly signal?: AbortSignal | undefined },
  ): Promise<ApprovalRequest> {
    const { host } = this;
    const page = pageAddress(host);
    const { authyId, atLeast = 'code' } = values;
    const before = await usablePerson(host.people(), authyId);
    this.assertAnswerable(before, atLeast, page);
    if (page.grade === 'code') await this.assertAuthenticator(authyId);
    await this.telling.assertReachable(before, page, signal);
    const request = this.requestOf(values, asker);
    // Many quotation marks or control characters: what cannot be kept could never be approved.
    if (signedText(authyId, request).length > longestText) {
      throw invalidInput('details', `is too long. At most ${longestText} characters of JSON are possible.`);
    }
    host.noted.note(request.id, host.steady());
    const person = await host.people().change(authyId, (one) => {
      if (one.locked === true) throw lockedPerson();
      this.assertAnswerable(one, atLeast, page);
      if (openRequests(one, host).length >= mostOpen) throw tooManyOpen();
      return withRequest(one, request, host);
    });
    if (person === undefined) throw unknownPerson();
    try {
      await this.telling.ask(person, request, page);
    } catch (error) {
      await host.people().change(authyId, (one) => withoutRequest(one, request.id));
      this.telling.changed(authyId);
      throw error;
    }
    return request;
  }

  /** See `Approvals.find`. */
  async find(authyId: string, approvalId: string): Promise<FoundRequest> {
    const found = requestIn(await knownPerson(this.host.people(), authyId), approvalId);
    const isOver = found?.answer === undefined && found !== undefined && hasExpired(found, this.host);
    const request = isOver ? await this.settled(authyId, approvalId) : found;
    if (request === undefined) {
      throw new AuthyError(
        'AUTHY_NOT_FOUND',
        'Ask again: this Node-RED does not know (any more) of a request with this ID to this user.',
      );
    }
    const { answer } = request;
    const device = answer === undefined ? undefined : deviceOf(answer);
    const body = bodyOf(authyId, request, answer);
    return { request, hasExpired: hasExpired(request, this.host), device, body };
  }

  /** A request once the changes of its person that are under way are safe: one may be an answer that was given in time. */
  private async settled(authyId: string, approvalId: string): Promise<ApprovalRequest | undefined> {
    let request: ApprovalRequest | undefined;
    await this.host.people().change(authyId, (person) => {
      request = requestIn(person, approvalId);
      return undefined;
    });
    return request;
  }

  /** What a phone has to sign to approve. @throws Refused */
  approveOptions({ person, phone }: SignedIn, id: unknown): RequestOptions {
    const request = this.openRequest(person, id);
    const page = pageAddress(this.host);
    return requestOptions(challengeOf(signedText(person.authyId, request)), page, passkeyOf(phone));
  }

  /** @throws Refused */
  async approve(signedIn: SignedIn, sent: unknown): Promise<void> {
    const { person, phone } = signedIn;
    const id = member(sent, 'id');
    const request = this.openRequest(person, id);
    const page = pageAddress(this.host);
    // Where passkeys work, a code is not taken for one.
    if (page.grade === 'passkey') {
      const passkey = passkeyOf(phone);
      const text = signedText(person.authyId, request);
      const credential = member(sent, 'credential');
      const counter = await checkSignature(credential, challengeOf(text), passkey, page);
      const proof = proofOf(credential, text, passkey);
      await this.decide(signedIn, request, { decision: 'approved', grade: 'passkey', proof, counter });
      return;
    }
    if (request.atLeast === 'passkey') throw new Refused('passkeyNeeded');
    await takeCode(this.host, person.authyId, textOrNull(sent, 'code'));
    await this.decide(signedIn, request, { decision: 'approved', grade: 'code' });
  }

  /** @throws Refused */
  async deny(signedIn: SignedIn, sent: unknown): Promise<void> {
    const request = this.openRequest(signedIn.person, member(sent, 'id'));
    const notMe = member(sent, 'notMe') === true;
    const { grade } = pageAddress(this.host);
    await this.decide(signedIn, request, { decision: 'denied', notMe, grade });
  }

  /** A person may be asked, and could answer. @throws AuthyError */
  private assertAnswerable(person: Person, atLeast: ApprovalRequest['atLeast'], page: PageAddress): void {
    const pause = pauseLeft(person, this.host);
    if (pause > 0) {
      const retryAfter = Math.ceil(pause / 1000);
      throw new AuthyError(
        'AUTHY_USER_UNAVAILABLE',
        `Wait ${secondsText(retryAfter)}, or find out who has asked and end the pause in the sidebar “Authy people”: the user has ` +
          'said that they had nothing to do with the last request.',
        { retryAfter, badge: 'PAUSED' },
      );
    }
    if (atLeast === 'passkey' && page.grade !== 'passkey') {
      throw new AuthyError(
        'AUTHY_NOT_SENT',
        'Set the public URL of the account to an https address with a name: at its present one phones have no passkeys, and ' +
          'this request wants one.',
      );
    }
    if (usablePhones(person, page).length === 0) {
      const how = 'in the sidebar “Authy people” or with the node “invite user”';
      throw new AuthyError(
        'AUTHY_NOT_SENT',
        (person.phones ?? []).length === 0
          ? `Invite the user first ${how}: they have not set up a phone yet.`
          : `Invite the user again ${how}: they have set up their phones at another address of the page.`,
        { badge: 'NOT_INVITED' },
      );
    }
  }

  /** What people answer with, where passkeys do not work. @throws AuthyError - `AUTHY_NOT_SENT` if this person has none */
  private async assertAuthenticator(authyId: string): Promise<void> {
    if (await (await this.host.codes()).isKnown(authyId)) return;
    throw new AuthyError(
      'AUTHY_NOT_SENT',
      'Invite the user again, or make them a QR code and verify a code of it: at the present address of the page people answer ' +
        'with codes of their authenticator, and this service knows none of theirs.',
    );
  }

  private requestOf(values: ValuesOf<'onetouchSend'>, asker: string): ApprovalRequest {
    const {
      message,
      details = {},
      hiddenDetails,
      secondsToExpire = usualLifetime,
      atLeast = 'code',
    } = values;
    const rows = Object.entries(details);
    if (rows.length > mostDetails) {
      throw invalidInput('details', `has ${rows.length} rows. This Node-RED shows ${mostDetails} at most.`);
    }
    const createdAt = this.host.now();
    return {
      id: randomUUID(),
      asker: (asker === '' ? this.host.settings.name : asker).slice(0, longestAsker),
      message,
      details: rows,
      hidden: hiddenHash(hiddenDetails),
      atLeast,
      createdAt,
      expiresAt: secondsToExpire === 0 ? null : createdAt + secondsToExpire * 1000,
      nonce: randomBytes(16).toString('base64url'),
    };
  }

  /** @throws Refused - `gone`, `answered`, `expired` */
  private openRequest(person: Person, id: unknown): ApprovalRequest {
    const request = requestIn(person, id);
    if (request === undefined) throw new Refused('gone');
    if (request.answer !== undefined) throw new Refused('answered');
    if (hasExpired(request, this.host)) throw new Refused('expired');
    return request;
  }

  /**
   * Makes an answer safe, and hands it on: once, whatever is sent at the same time. The phone and its session still have to be
   * there, and the request as it was shown.
   */
  private async decide(
    { session, person: { authyId } }: SignedIn,
    shown: ApprovalRequest,
    decided: Decided,
  ): Promise<void> {
    const { host } = this;
    const at = host.now();
    let answer: RequestAnswer | undefined;
    const person = await host.people().change(authyId, (one) => {
      answer = undefined;
      const phone = phoneOf(one, session, at);
      if (one.locked === true) throw new Refused('locked');
      if (phone === undefined) throw new Refused('signedOut');
      const request = this.openRequest(one, shown.id);
      if (signedText(authyId, request) !== signedText(authyId, shown)) throw new Refused('changed');
      const after = withCounter(one, phone, decided.counter);
      const { decision, notMe = false, grade, proof } = decided;
      answer = {
        ...{ decision, notMe, at, phone: { id: phone.id, name: phone.name, grade } },
        ...(proof === undefined ? {} : { proof }),
      };
      const answered = withNotMe(withAnswer(after, request.id, answer), decided, at);
      return decision === 'approved' ? withCount(answered, at, 'auths') : answered;
    });
    if (person === undefined || answer === undefined) throw new Refused('signedOut');
    if (answer.notMe) host.noted.note(pauseName(person), host.steady());
    this.handOn(person, shown, answer);
    this.telling.changed(authyId);
    if (!answer.notMe) return;
    const pause = secondsText(Math.ceil(pauseLeft(person, host) / 1000));
    host.warn(
      `Find out who has asked: the user ${authyId} says that they have nothing to do with the request that they got from ` +
        `“${plain(shown.asker)}”. Nobody may ask them for ${pause}.`,
    );
    await this.telling.warn(person, notMeMessage(host, person, shown));
  }

  private handOn({ authyId }: Person, request: ApprovalRequest, answer: RequestAnswer): void {
    const { id, message, details } = request;
    this.host.answered({
      decision: answer.decision,
      approvalId: id,
      authyId,
      nonce: answer.at / 1000,
      about: {
        message,
        details: Object.fromEntries(details),
        hiddenDetails: null,
        device: deviceOf(answer),
      },
      body: bodyOf(authyId, request, answer),
    });
  }
}

/** The phone as a flow sees it. */
export function deviceOf({ phone: { name, grade }, proof }: RequestAnswer): JsonObject {
  return { name, grade, credentialId: proof?.credentialId ?? null };
}

/** A request and its answer as a flow sees them: with everything that is needed to check the signature later. */
export function bodyOf(
  authyId: string,
  { id, asker, message, createdAt, expiresAt, atLeast }: ApprovalRequest,
  answer: RequestAnswer | undefined,
): JsonObject {
  return {
    ...{ id, authyId, asker, message, createdAt, expiresAt, atLeast },
    answer:
      answer === undefined
        ? null
        : {
            ...{ decision: answer.decision, notMe: answer.notMe, at: answer.at },
            // A copy: flows may change what they get.
            ...{ device: deviceOf(answer), proof: answer.proof === undefined ? null : { ...answer.proof } },
          },
  };
}

/** The phones that can answer at an address. */
export function usablePhones({ phones = [] }: Person, { grade, rpId }: PageAddress): Phone[] {
  return phones.filter(({ passkey }) =>
    grade === 'passkey' ? passkey?.rpId === rpId : passkey === undefined,
  );
}

function requestIn({ requests = [] }: Person, id: unknown): ApprovalRequest | undefined {
  return requests.find((request) => request.id === id);
}

/** @throws Refused - `passkeyNeeded` */
function passkeyOf({ passkey }: Phone): Passkey {
  if (passkey === undefined) throw new Refused('passkeyNeeded');
  return passkey;
}

/** @throws Refused - the passkey has signed something else meanwhile, or is a copy */
function withCounter(person: Person, phone: Phone, counter: number | undefined): Person {
  if (counter === undefined) return person;
  const passkey = passkeyOf(phone);
  if (!isNewer(counter, passkey)) throw new Refused('passkeyRefused');
  const after = { ...phone, passkey: { ...passkey, counter } };
  return { ...person, phones: (person.phones ?? []).map((one) => (one.id === phone.id ? after : one)) };
}

/** "Not me" pauses the questions; an approval ends that. */
function withNotMe(person: Person, { decision, notMe }: Decided, at: number): Person {
  if (notMe === true) return { ...person, notMe: afterNotMe(at, person.notMe) };
  if (decision === 'denied') return person;
  return without(person, 'notMe');
}

function proofOf(credential: unknown, text: string, passkey: Passkey): ApprovalProof {
  const response = member(credential, 'response');
  const part = (name: string): string => textOrNull(response, name) ?? '';
  return {
    text,
    credentialId: passkey.id,
    publicKey: passkey.publicKey,
    authenticatorData: part('authenticatorData'),
    clientDataJSON: part('clientDataJSON'),
    signature: part('signature'),
  };
}

function tooManyOpen(): AuthyError {
  return new AuthyError(
    'AUTHY_LIMIT_REACHED',
    `Wait until the user has answered, or until a request has expired: ${mostOpen} are open.`,
  );
}
