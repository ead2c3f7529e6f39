import { AuthyError, untrustedAnswer } from '../../contract/errors';
import type { ResultOf } from '../../contract/results';
import type { CallOptions, ServiceAnswer } from '../../contract/service';
import type { Factor, Person } from '../../contract/people';
import { stepOf } from '../../authenticator/totp';
import { expectSame, expectText } from './client';
import { type Context, personPath, stillThere } from './context';
import { createFactor } from './factors';
import { isSid } from './sids';

/** Why a token is not valid. */
export type Reason = NonNullable<ResultOf<'tokenVerify'>['reason']>;

/** What somebody has typed. */
export interface Typed {
  readonly token: string;
  /** Whether it may be a code that was sent, whose tries Twilio counts. */
  readonly mayBeSent: boolean;
}

/** What came of a way in which a token may be valid. */
export interface Tried {
  readonly result: 'valid' | Reason;
  readonly answer?: ServiceAnswer | undefined;
}

/** A way in which a token may be valid. @returns undefined if it cannot be in this way */
export type Way = (
  context: Context,
  person: Person,
  typed: Typed,
  call: () => CallOptions,
) => Promise<Tried | undefined>;

/** Errors after which it is certain that Twilio has seen nothing. */
const notSeen: readonly unknown[] = [
  'AUTHY_NETWORK',
  'AUTHY_TLS',
  'AUTHY_BUSY',
  'AUTHY_CANCELLED',
  'AUTHY_TIMEOUT',
];

/** How many steps before and after the present one a code may be of: Twilio takes one, and clocks differ. */
const window = 2;

/** The time step of a code near now; undefined if it is of none. @param secret - in base32 */
export function stepNear(context: Context, secret: string, token: string): number | undefined {
  return stepOf(secret, token, context.now(), window);
}

/** How long Twilio keeps an authenticator at least that nobody confirms, in milliseconds. */
const unconfirmedLifetime = 3_600_000;

/**
 * An authenticator that was imported is not at Twilio yet. Its first right code brings it there, with the same secret: its
 * owner has nothing to do. What was imported stays, for another service that the account may be set to.
 */
export async function withImported(
  context: Context,
  person: Person,
  token: string,
  call: () => CallOptions,
): Promise<Person> {
  const imported = importedOf(context, person);
  if (imported?.secret === undefined) return person;
  const { authyId } = person;
  if (context.wrongTries.areTooMany(authyId, context.steady())) return person;
  if (stepNear(context, imported.secret, token) === undefined) {
    context.wrongTries.add(authyId, context.steady());
    return person;
  }
  const { id } = await createFactor(context, person, imported.name, imported.secret, call);
  const { serviceSid: service } = context;
  // It was brought to Twilio before, and then its code could not be asked about.
  const isGivenUp = (factor: Factor): boolean =>
    factor.state === 'unverified' && factor.service === service && factor.secret === imported.secret;
  const changed = await context.people.change(authyId, (one) => {
    if (one.identity !== person.identity || importedOf(context, one)?.id !== imported.id) return undefined;
    // A code that another service has accepted does not count again.
    const steps = one.factors.flatMap(({ secret, lastStep = -1 }) =>
      secret === imported.secret ? lastStep : [],
    );
    const used = Math.max(-1, ...steps);
    const factor: Factor = { ...imported, id, service, state: 'unverified', createdAt: context.now() };
    const others = one.factors.filter((other) => !isGivenUp(other));
    return { ...one, factors: [...others, used < 0 ? factor : { ...factor, lastStep: used }] };
  });
  // Either the ones before, or this one: another message with the same code was first.
  const left = changed === undefined ? [id] : person.factors.filter(isGivenUp).map((factor) => factor.id);
  for (const one of left) await deleteFactor(context, person, one, call);
  return changed ?? stillThere(context, person);
}

/** What is left at Twilio if this fails is never asked: nothing here knows it. */
async function deleteFactor(
  context: Context,
  person: Person,
  id: string,
  call: () => CallOptions,
): Promise<void> {
  await context.verify
    .call(
      { method: 'DELETE', path: personPath(context, person, 'Factors', id), repeat: 'repeatable' },
      () => undefined,
      call(),
    )
    .catch(() => undefined);
}

/** The authenticator of this service in a state: the newest. */
export const totpOf = (
  { serviceSid }: Context,
  { factors }: Person,
  state: Factor['state'],
): Factor | undefined =>
  factors
    .filter((factor) => factor.type === 'totp' && factor.state === state && factor.service === serviceSid)
    .at(-1);

/** Whether the person has an authenticator that is confirmed, and whose codes can be judged. */
export function hasAuthenticator(context: Context, person: Person): boolean {
  const verified = totpOf(context, person, 'verified');
  const all = verified === undefined ? person.factors.filter(isImported) : [verified];
  return all.some(({ secret }) => secret !== undefined);
}

/** Whether an authenticator was imported: no service knows it. */
export const isImported = ({ type, service }: Factor): boolean => type === 'totp' && service === undefined;

/**
 * The authenticator that was imported, as long as this service knows no other one of the person. One that nobody has confirmed
 * in time is not known there any more.
 */
function importedOf(context: Context, person: Person): Factor | undefined {
  if (totpOf(context, person, 'verified') !== undefined) return undefined;
  const imported = person.factors.filter(isImported).at(-1);
  const pending = totpOf(context, person, 'unverified');
  if (pending?.secret === undefined || pending.secret !== imported?.secret) return imported;
  return context.now() - pending.createdAt < unconfirmedLifetime ? undefined : imported;
}

/** The first right code of a new authenticator confirms it. */
export const confirmFactor: Way = async (context, person, typed, call) => {
  const factor = totpOf(context, person, 'unverified');
  if (factor === undefined) return undefined;
  const tried = await withStep(context, person, factor, typed, () =>
    context.verify.call<'valid' | Reason>(
      {
        method: 'POST',
        path: personPath(context, person, 'Factors', factor.id),
        fields: { AuthPayload: typed.token },
        repeat: 'never',
      },
      ({ body }) => {
        expectSame(body, 'sid', factor.id);
        expectSame(body, 'service_sid', context.serviceSid);
        expectSame(body, 'identity', person.identity);
        const status = expectText(body, 'status');
        if (status !== 'verified' && status !== 'unverified')
          throw untrustedAnswer('its status is not known');
        return status === 'verified' ? 'valid' : 'wrong';
      },
      call(),
      { 20404: () => 'notPending', 60310: () => 'tooManyAttempts', 60311: () => 'wrong' },
    ),
  );
  if (tried.result === 'valid') await putInPlace(context, person, factor, call);
  return tried;
};

/** A confirmed authenticator takes the place of the one before. */
async function putInPlace(
  context: Context,
  person: Person,
  { id, secret }: Factor,
  call: () => CallOptions,
): Promise<void> {
  const isFormer = (one: Factor): boolean =>
    one.id !== id && one.type === 'totp' && one.state === 'verified' && one.service === context.serviceSid;
  await context.people.change(person.authyId, ({ factors, ...others }) => ({
    ...others,
    factors: factors
      .filter((one) => !isFormer(one) && !(isImported(one) && one.secret !== secret))
      .map((one) => (one.id === id ? { ...one, state: 'verified' } : one)),
  }));
  for (const former of person.factors.filter(isFormer)) await deleteFactor(context, person, former.id, call);
}

/** A code of the authenticator in use. */
export const askFactor: Way = async (context, person, typed, call) => {
  const factor = totpOf(context, person, 'verified');
  if (factor === undefined) {
    if (importedOf(context, person) === undefined) return undefined;
    // This is not its code: otherwise it would be at Twilio by now.
    const areTooMany = context.wrongTries.areTooMany(person.authyId, context.steady());
    return { result: areTooMany ? 'tooManyAttempts' : 'wrong' };
  }
  // It cannot be judged, and the one that is to take its place has been.
  if (factor.secret === undefined && totpOf(context, person, 'unverified') !== undefined) return undefined;
  return withStep(context, person, factor, typed, () =>
    context.verify.call<'valid' | Reason>(
      {
        method: 'POST',
        path: personPath(context, person, 'Challenges'),
        fields: { FactorSid: factor.id, AuthPayload: typed.token },
        repeat: 'never',
      },
      ({ body }) => {
        if (!isSid('YC', expectText(body, 'sid')))
          throw untrustedAnswer('its sid is not that of a challenge');
        expectSame(body, 'factor_sid', factor.id);
        expectSame(body, 'service_sid', context.serviceSid);
        expectSame(body, 'identity', person.identity);
        const status = expectText(body, 'status');
        switch (status) {
          case 'approved':
            return 'valid';
          case 'pending':
          case 'denied':
            return 'wrong';
          case 'expired':
            return 'expired';
          default:
            throw untrustedAnswer('its status is not known');
        }
      },
      call(),
      {
        // Somebody has deleted it at Twilio, or the account was on another service.
        20404: () => 'notPending',
        60308: () => 'tooManyAttempts',
        60312: () => 'tooManyAttempts',
        60323: () => 'expired',
        60311: () => 'wrong',
        60324: () => 'wrong',
      },
    ),
  );
};

/**
 * Asks Twilio about a code. It can be valid only if it is a code of this authenticator by our own computation too, of a step
 * that has not been used: what Twilio says of a factor may be older than this code. The step counts as used before Twilio is
 * asked: so no code is accepted twice, also by two instances at once, or after a crash.
 */
async function withStep(
  context: Context,
  person: Person,
  { id, secret }: Factor,
  { token, mayBeSent }: Typed,
  ask: () => Promise<{ readonly value: 'valid' | Reason; readonly answer: ServiceAnswer }>,
): Promise<Tried> {
  if (secret === undefined) {
    throw new AuthyError(
      'AUTHY_STORE',
      'Make a new QR code for this user: the secret of their authenticator is not known here.',
    );
  }
  const step = stepNear(context, secret, token);
  if (step === undefined) {
    // Twilio has to count it, as this or as that.
    if (mayBeSent) return { result: 'wrong' };
    const { value, answer } = await ask();
    return { result: value === 'valid' ? 'wrong' : value, answer };
  }
  let before: number | undefined;
  const isFirst = await changeFactor(context, person, id, (factor) => {
    before = factor.lastStep;
    return step > (factor.lastStep ?? -1) ? { ...factor, lastStep: step } : undefined;
  });
  if (!isFirst) return { result: 'reused' };
  const release = (): Promise<boolean> =>
    changeFactor(context, person, id, (factor) => {
      const { lastStep, ...others } = factor;
      if (lastStep !== step) return undefined;
      return before === undefined ? others : { ...others, lastStep: before };
    });
  let asked;
  try {
    asked = await ask();
  } catch (error) {
    if (error instanceof AuthyError && notSeen.includes(error.code)) await release().catch(() => false);
    throw error;
  }
  const { value, answer } = asked;
  if (value === 'valid') await stillThere(context, person);
  // Twilio has refused it: it must not stand in the way of the codes before it.
  else await release();
  return { result: value, answer };
}

/** @param change - as that of {@link Context.people} @returns whether the factor was changed */
async function changeFactor(
  { people }: Context,
  { authyId, identity }: Person,
  id: string,
  change: (factor: Factor) => Factor | undefined,
): Promise<boolean> {
  const changed = await people.change(authyId, (person) => {
    const factor = person.identity === identity ? person.factors.find((one) => one.id === id) : undefined;
    const next = factor && change(factor);
    if (next === undefined) return undefined;
    return { ...person, factors: person.factors.map((one) => (one.id === id ? next : one)) };
  });
  return changed !== undefined;
}
