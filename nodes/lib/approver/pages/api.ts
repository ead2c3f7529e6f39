import type { ServerResponse } from 'node:http';
import { AuthyError } from '../../contract/errors';
import { isObject, type JsonObject, member, parsedJson } from '../../contract/json';
import type { MountedRequest } from '../../contract/request-handler';
import { isJson } from '../../server/own-pages';
import { BodyTooLarge, readBody } from '../../server/request-body';
import { send, sendJson } from '../../server/send';
import type { Approver } from '../approver';
import type { SignedIn } from '../asking';
import { recoveredNumber } from '../enrolment';
import { Refused } from '../refused';
import { cookieOf, noCookie, sessionsOf } from '../sessions';
import { sendRefusal } from './refusal';
import { senderOf } from './sender';
import { isFromPage } from './guard';
import { signedOutState, stateOf } from './state';

/** In bytes. */
const mostBytes = 16_384;
/** Who takes longer to send a body has no use for an answer. In milliseconds. */
const longestBody = 10_000;

/** One call of the page, as it was received. */
interface Call {
  readonly approver: Approver;
  readonly sent: unknown;
  /** Where it comes from. */
  readonly sender: string;
  /** Whoever is signed in; for calls of strangers undefined. */
  readonly signedIn: SignedIn | undefined;
  /** Sets the cookie of the answer. */
  readonly setCookie: (header: string) => void;
}

type Answer = Promise<object>;

/** Calls that need no session. */
const ofStrangers: Readonly<Record<string, (call: Call) => Answer>> = {
  invitation: ({ approver, sent }) => approver.enrolment.open(sent),
  async enrol({ approver, sent, setCookie }) {
    const { session, number, recoveryCodes } = await approver.enrolment.enrol(sent);
    setCookie(cookieOf(session, approver.page));
    return { number, recoveryCodes };
  },
  'sign-in-options': async ({ approver }) => ({ options: await approver.signingIn.options() }),
  async 'sign-in'({ approver, sent, setCookie }) {
    setCookie(cookieOf(await approver.signingIn.signIn(sent), approver.page));
    return {};
  },
  async recover({ approver, sent, sender }) {
    const { floods, host, enrolment } = approver;
    const number = recoveredNumber(sent);
    const now = host.steady();
    assertNot(floods.recoveriesFrom.count(`${sender} ${number}`, now));
    assertNot(floods.recoveries.count(number, now));
    return { token: await enrolment.recover(sent) };
  },
};

/** Calls of a person on one of their phones. */
const ofOwners: Readonly<Record<string, (call: Call & { readonly signedIn: SignedIn }) => Answer>> = {
  'approve-options': ({ approver, signedIn, sent }) =>
    Promise.resolve({ options: approver.asking.approveOptions(signedIn, member(sent, 'id')) }),
  approve: ({ approver, signedIn, sent }) => done(approver.asking.approve(signedIn, sent)),
  deny: ({ approver, signedIn, sent }) => done(approver.asking.deny(signedIn, sent)),
  rename: ({ approver, signedIn, sent }) => done(approver.phones.renameOwn(signedIn, sent)),
  push: ({ approver, signedIn, sent }) => done(approver.phones.setPush(signedIn, sent)),
  async 'sign-out'({ approver, signedIn, setCookie }) {
    await approver.phones.signOut(signedIn);
    setCookie(noCookie(approver.page));
    return {};
  },
  async leave({ approver, signedIn, setCookie }) {
    await approver.phones.leave(signedIn);
    setCookie(noCookie(approver.page));
    return {};
  },
};

/**
 * Answers the calls of the page: `POST api/<name>` with JSON. Nothing is done for any other page.
 *
 * @param name - of the call
 */
export function answerCall(
  approver: Approver,
  name: string,
  request: MountedRequest,
  response: ServerResponse,
): void {
  carriedOut(approver, name, request, response).then(
    (answer) => sendJson(response, 200, answer),
    (error: unknown) => {
      // The client broke off, or took too long.
      if (request.destroyed && !request.complete) return;
      const refusal = refusalOf(error, approver);
      if (response.headersSent) return;
      // What is still to come of the body is not read.
      if (!request.complete) response.setHeader('Connection', 'close');
      sendRefusal(response, refusal);
    },
  );
}

async function carriedOut(
  approver: Approver,
  name: string,
  request: MountedRequest,
  response: ServerResponse,
): Promise<object> {
  if (name === 'probe' && approver.probes.areOpen(approver.host.steady()))
    return answerProbe(approver, request);
  if (!isFromPage(request, approver.page)) throw new Refused('foreign');
  if (!isJson(request)) throw new Refused('notJson');
  const setCookie = (header: string): void => void response.setHeader('Set-Cookie', header);
  const now = approver.host.steady();
  const sender = senderOf(request);
  const call = { approver, sender, setCookie };
  // Nothing is read of whoever sends too much.
  const assertNoFlood = (): void => assertNot(approver.floods.strangers.count(sender, now));
  const sessions = sessionsOf(request.headers.cookie);
  const forStrangers = Object.hasOwn(ofStrangers, name) ? ofStrangers[name] : undefined;
  if (forStrangers !== undefined) {
    assertNoFlood();
    return forStrangers({ ...call, sent: await bodyOf(request), signedIn: undefined });
  }
  let signedIn: SignedIn;
  try {
    signedIn = await approver.signingIn.signedIn(sessions);
  } catch (error) {
    // No cookie, or one that somebody has made up.
    assertNoFlood();
    await bodyOf(request);
    if (name === 'state' && error instanceof Refused && error.problem === 'signedOut') {
      return signedOutState(approver);
    }
    throw error;
  }
  assertNot(approver.floods.owners.count(signedIn.phone.id, now));
  const sent = await bodyOf(request);
  if (name === 'state') return stateOf(approver, signedIn, await approver.pushing.key());
  const forOwners = Object.hasOwn(ofOwners, name) ? ofOwners[name] : undefined;
  if (forOwners === undefined) throw new Refused('gone');
  return forOwners({ ...call, sent, signedIn });
}

/**
 * Answers this Node-RED itself, which looks whether the page's address leads here, and what stands in between does to a request.
 * So the request may be one that the page could not send.
 */
async function answerProbe(approver: Approver, request: MountedRequest): Promise<object> {
  if (!isJson(request)) throw new Refused('notJson');
  const nonce = member(await bodyOf(request), 'nonce');
  const now = approver.host.steady();
  const probe = approver.probes.find(nonce, now);
  if (probe === undefined) {
    assertNot(approver.floods.strangers.count(senderOf(request), now));
    throw new Refused(isFromPage(request, approver.page) ? 'signedOut' : 'foreign');
  }
  probe.call = { headers: request.headers };
  return { mine: true };
}

/**
 * Where the editor has the same address as the http nodes, Node-RED has read the body already, up to its own limit.
 *
 * @throws Refused - `invalid`, `tooLarge`; BodyTooLarge
 */
async function bodyOf(request: MountedRequest): Promise<JsonObject> {
  const sent = request.body === undefined ? parsedJson(await textOf(request)) : request.body;
  if (!isObject(sent)) throw new Refused('invalid');
  if (request.body !== undefined && JSON.stringify(sent).length > mostBytes) throw new Refused('tooLarge');
  return sent;
}

async function textOf(request: MountedRequest): Promise<string> {
  const late = setTimeout(() => request.destroy(), longestBody).unref();
  try {
    return (await readBody(request, mostBytes)).toString('utf8');
  } finally {
    clearTimeout(late);
  }
}

async function done(work: Promise<void>): Answer {
  await work;
  return {};
}

/** @throws Refused - `tooMany` */
function assertNot(wait: number): void {
  if (wait > 0) throw new Refused('tooMany', wait);
}

/** What the page may know of an error. The rest is in the log. */
function refusalOf(error: unknown, { host }: Approver): Pick<Refused, 'problem' | 'retryAfter'> {
  if (error instanceof Refused) return error;
  if (error instanceof BodyTooLarge) return { problem: 'tooLarge' };
  if (error instanceof AuthyError && error.code === 'AUTHY_USER_NOT_FOUND') return { problem: 'signedOut' };
  if (error instanceof AuthyError && error.code === 'AUTHY_INVALID_INPUT') return { problem: 'invalid' };
  host.log(`The page on which people answer could not do what was asked. ${(error as Error).message}`);
  return { problem: 'unavailable' };
}

/** Answers a request for a file of the page that is at the wrong address. */
export function sendElsewhere(response: ServerResponse, url: string): void {
  const remedy =
    `Open ${url}/ instead: this page answers there alone. ` +
    'If that is what you have opened, the reverse proxy has to pass the Host header on.\n';
  send(response, 421, 'text/plain; charset=utf-8', remedy);
}
