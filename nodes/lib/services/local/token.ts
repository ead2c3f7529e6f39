import { period, stepOf } from '../../authenticator/totp';
import type { KeyedHash, Person, Verification } from '../../contract/people';
import type { ResultOf } from '../../contract/results';
import { recipientOf, lockedPerson, unknownPerson, usablePerson } from '../../people/known';
import { isAmong } from '../../people/sealing';
import type { CodeVerdict } from '../../contract/approver';
import {
  activeOf,
  type Authenticator,
  lastStepOf,
  pendingOf,
  withConfirmed,
  withStep,
} from './authenticators';
import { sentPlace } from './codes';
import type { Context, Handler } from './context';
import { afterRight, afterWrong, asOf, isLocked, noLimits } from './limits';
import { recoveryMessage } from './messages';
import { withCount } from '../../people/counts';
import {
  fewRecoveryCodes,
  isRecoveryCode,
  recoveryCodesLeft,
  recoveryPlace,
  withoutRecoveryCode,
} from '../../people/recovery';
import { codeLifetime, mostTries } from './sent-code';

type Reason = NonNullable<ResultOf<'tokenVerify'>['reason']>;

/** How many steps before and after the present one a code of an authenticator may be of. Source: RFC 6238, 5.2 */
const window = 1;
/** A code so many steps away is wrong as well, but says that a clock is. */
const farWindow = 10;

/** What a person has typed: a token, and its hashes as what it may be. */
interface Typed {
  readonly token: string;
  readonly asSent: readonly KeyedHash[];
  readonly asRecovery: readonly KeyedHash[];
}

/** A way in which a token may be valid, and what came of it. */
interface Tried {
  readonly result: 'valid' | Reason;
  /** The person afterwards, if that changes anything. */
  readonly person?: Person;
  /** The recovery codes that are left, if it was one. */
  readonly left?: number;
}

/** The reasons, the one that says most first: a token may have been tried as several codes. */
const reasons: readonly Reason[] = ['reused', 'tooManyAttempts', 'expired', 'wrong', 'notPending'];

/**
 * A token is the code of an authenticator, the code that was sent, or a recovery code. It is judged while nobody else changes
 * the person, and what follows is stored before anybody is told: so no code is valid twice, and of any number of wrong codes at
 * once no more are judged than the limits allow.
 */
export const tokenVerify: Handler<'tokenVerify'> = async (context, { authyId, token }) => {
  const { people } = context;
  const { verification } = await usablePerson(people, authyId);
  const typed: Typed = {
    token,
    // Where there is nothing to compare with, no key is needed.
    asSent: verification?.hash === undefined ? [] : await people.hashes(sentPlace({ authyId }), token),
    asRecovery: isRecoveryCode(token) ? await people.hashes(recoveryPlace({ authyId }), token) : [],
  };
  let tried: Tried | undefined;
  let before: Person | undefined;
  await people.change(authyId, (person) => {
    before = person;
    tried = judged(context, person, typed);
    const { person: after, result } = tried;
    return after !== undefined && result === 'valid' ? withCount(after, context.now(), 'auths') : after;
  });
  if (tried === undefined || before === undefined) throw unknownPerson();
  const { result, left } = tried;
  if (result === 'wrong') tellOfClock(context, before, token);
  if (left !== undefined && left <= fewRecoveryCodes) await warnOfFew(context, before, left);
  return result === 'valid'
    ? { outcome: 'valid', result: { authyId, valid: true, reason: null, device: null } }
    : { outcome: 'invalid', result: { authyId, valid: false, reason: result, device: null } };
};

/** A way in which a token may be valid; undefined if it cannot be one of this person. */
type Way = (context: Context, person: Person, typed: Typed) => Tried | undefined;

/**
 * Judges a code of the person's authenticator alone, by the same limits: one that was sent is no answer to an approval request.
 *
 * @throws AuthyError - `AUTHY_USER_NOT_FOUND`, `AUTHY_USER_UNAVAILABLE`, `AUTHY_STORE`
 */
export async function checkAuthenticatorCode(
  context: Context,
  authyId: string,
  token: string,
): Promise<CodeVerdict> {
  let verdict: Tried['result'] | undefined;
  await context.people.change(authyId, (person) => {
    const tried = judged(context, person, { token, asSent: [], asRecovery: [] }, [asPending, asActive]);
    verdict = tried.result;
    return tried.person;
  });
  if (verdict === undefined) throw unknownPerson();
  return verdict === 'notPending' || verdict === 'expired' ? 'wrong' : verdict;
}

/**
 * Judges a token, unless the limits say that no code is looked at for a while.
 *
 * @throws AuthyError - `AUTHY_USER_UNAVAILABLE` if somebody has locked the person
 */
function judged(
  context: Context,
  person: Person,
  typed: Typed,
  ways: readonly Way[] = [asRecovery, asPending, asSent, asActive],
): Tried {
  if (person.locked === true) throw lockedPerson();
  const now = context.now();
  const limits = asOf(now, person.limits ?? noLimits);
  const isChanged = limits !== noLimits && limits !== person.limits;
  const lock = (number: number): string => `lock ${number} of ${person.authyId}`;
  if (isLocked(now, limits, context.noted.age(lock(limits.locks), context.steady()))) {
    return { result: 'tooManyAttempts', ...(isChanged ? { person: { ...person, limits } } : {}) };
  }
  const all: Tried[] = [];
  for (const attempt of ways) {
    const one = attempt(context, person, typed);
    if (one?.result === 'valid') {
      return { ...one, person: { ...(one.person ?? person), limits: afterRight(limits) } };
    }
    if (one !== undefined) all.push(one);
  }
  const result = reasons.find((reason) => all.some((one) => one.result === reason)) ?? 'notPending';
  // Of those that are not valid only a code that was sent changes: its tries are counted.
  const after = all.find((one) => one.person !== undefined)?.person ?? person;
  // What was right once is no guess.
  if (result === 'reused') return { result };
  // Where nothing can be right, nothing can be guessed.
  if (!all.some((one) => one.result === 'wrong')) {
    return after === person ? { result } : { result, person: after };
  }
  const next = afterWrong(now, limits);
  if (next.locks > limits.locks) context.noted.note(lock(next.locks), context.steady());
  return { result, person: { ...after, limits: next } };
}

// ---- the ways in which a token may be valid

function asRecovery(_context: Context, person: Person, { asRecovery: hashes }: Typed): Tried | undefined {
  if (hashes.length === 0 || recoveryCodesLeft(person) === undefined) return undefined;
  const after = withoutRecoveryCode(person, hashes);
  if (after === undefined) return { result: 'wrong' };
  return { result: 'valid', person: after, left: recoveryCodesLeft(after) ?? 0 };
}

/** The first right code of a new authenticator confirms it. */
function asPending(context: Context, person: Person, { token }: Typed): Tried | undefined {
  const pending = pendingOf(person);
  if (pending === undefined) return undefined;
  const tried = asCodeOf(context, person, pending, token);
  if (tried.person === undefined) return tried;
  return { ...tried, person: { ...person, factors: withConfirmed(tried.person.factors, pending) } };
}

function asActive(context: Context, person: Person, { token }: Typed): Tried | undefined {
  const active = activeOf(person);
  return active && asCodeOf(context, person, active, token);
}

function asCodeOf(context: Context, person: Person, authenticator: Authenticator, token: string): Tried {
  const step = stepOf(authenticator.secret, token, context.now(), window);
  if (step === undefined) return { result: 'wrong' };
  if (step <= lastStepOf(person, authenticator)) return { result: 'reused' };
  return { result: 'valid', person: { ...person, factors: withStep(person.factors, authenticator, step) } };
}

function asSent(context: Context, person: Person, { asSent: hashes }: Typed): Tried | undefined {
  const { verification } = person;
  if (verification?.hash === undefined) return undefined;
  const isRight = isAmong(hashes, verification.hash);
  // Somebody with an authenticator may type a code of that, long after one was sent.
  const isMeant = isRight || (activeOf(person) ?? pendingOf(person)) === undefined;
  const { channel, to, end, tries = 0 } = verification;
  const withIt = (change: Partial<Verification>): Person => ({
    ...person,
    verification: { ...verification, ...change },
  });
  if (end === 'approved') return isRight ? { result: 'reused' } : undefined;
  if (end === 'failed') return isMeant ? { result: 'tooManyAttempts' } : undefined;
  if (end === 'expired') return isMeant ? { result: 'expired' } : undefined;
  // The other address is no longer the person's.
  if (end === 'canceled' || to !== (channel === 'email' ? person.email : person.phoneNumber))
    return undefined;
  if (hasExpired(context, verification)) {
    return { result: isMeant ? 'expired' : 'notPending', person: withIt({ end: 'expired' }) };
  }
  if (isRight) return { result: 'valid', person: withIt({ end: 'approved' }) };
  const isLast = tries + 1 >= mostTries;
  return { result: 'wrong', person: withIt({ tries: tries + 1, ...(isLast ? { end: 'failed' } : {}) }) };
}

/**
 * By the computer's clock and, if this process has sent it, by one that nobody can set. A code of a time that is to come is
 * one from before the clock was set back: nobody knows how old it is.
 */
function hasExpired({ now, noted, steady }: Context, { id, startedAt }: Verification): boolean {
  const age = now() - startedAt;
  return age < 0 || age >= codeLifetime || (noted.age(id, steady()) ?? 0) >= codeLifetime;
}

// ---- what is told

/** A right code of another time: most people would look for the fault everywhere but in a clock. */
function tellOfClock({ now, log }: Context, person: Person, token: string): void {
  const at = now();
  for (const authenticator of [activeOf(person), pendingOf(person)]) {
    const step = authenticator && stepOf(authenticator.secret, token, at, farWindow);
    if (step === undefined) continue;
    const away = (step - Math.floor(at / 1000 / period)) * period;
    log(
      `Check the clock of this computer, and of the phone of the user ${person.authyId}: a code that is wrong now is right ` +
        `${Math.abs(away)} seconds ${away < 0 ? 'ago' : 'from now'}.`,
    );
    return;
  }
}

/** Nobody has to listen: the code was right. */
async function warnOfFew(context: Context, person: Person, left: number): Promise<void> {
  context.log(`Make a new QR code for the user ${person.authyId}: ${left} of their recovery codes are left.`);
  try {
    const notify = await context.notifier();
    notify({ topic: 'warning', ...recoveryMessage(context, left), to: recipientOf(person) });
  } catch {
    // The log has it.
  }
}
