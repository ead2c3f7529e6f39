import { randomUUID } from 'node:crypto';
import { Authenticator, type AuthenticatorForm } from './authenticator';
import { RollingLimit, within } from './rolling-limit';

/** How many codes may be tried to confirm a factor. */
const confirmations = 5;

/** How long a factor is kept that nobody confirms, in milliseconds: an hour is the least that Twilio promises. */
const unconfirmedLifetime = 3_600_000;

/** Whose a factor is. */
export interface Owner {
  /** Lower case. */
  readonly uuid: string;
  /** What the client calls a person. */
  readonly identity: string;
}

interface FactorParts {
  /** Lower case. */
  readonly uuid: string;
  readonly entity: Owner;
  friendlyName: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly createdAt: number;
  updatedAt: number;
  isVerified: boolean;
}

/** An authenticator app, whose codes are checked here. */
export interface TotpFactor extends FactorParts {
  readonly type: 'totp';
  readonly authenticator: Authenticator;
  wrongCodes: number;
  /** How many challenges it may have. */
  readonly challenges: RollingLimit;
}

/** A device with an app of the customer's own, which is asked and answers. */
export interface PushFactor extends FactorParts {
  readonly type: 'push';
  /** The number of the phone that the app is on, in E.164; null if nobody has said. */
  readonly phone: string | null;
}

export type Factor = TotpFactor | PushFactor;

/** What a new factor has whatever its type. */
export interface FactorBase {
  readonly friendlyName: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

/**
 * A factor that is not confirmed yet.
 *
 * @param secret - in base 32; a new one if it is absent
 */
export function totpFactor(
  entity: Owner,
  base: FactorBase,
  form: AuthenticatorForm,
  secret: string | undefined,
  now: number,
): TotpFactor {
  const hasShortCodes = form.digits[0] <= 4;
  return {
    ...factorParts(entity, base, now),
    type: 'totp',
    isVerified: false,
    authenticator: new Authenticator(form, secret),
    wrongCodes: 0,
    challenges: new RollingLimit([within.hour(50), within.day(hasShortCodes ? 10 : 100)]),
  };
}

/** A factor that its app has confirmed. @param phone - that the app is on; see {@link PushFactor} */
export function pushFactor(entity: Owner, base: FactorBase, phone: string | null, now: number): PushFactor {
  return { ...factorParts(entity, base, now), type: 'push', phone, isVerified: true };
}

function factorParts(entity: Owner, base: FactorBase, now: number) {
  return { ...base, uuid: randomUUID(), entity, createdAt: now, updatedAt: now };
}

/** Judges the code that confirms a factor; a right one does. */
export function confirmFactor(factor: TotpFactor, code: string, now: number): 'right' | 'wrong' | 'tooMany' {
  if (factor.wrongCodes >= confirmations) return 'tooMany';
  factor.updatedAt = now;
  if (factor.authenticator.check(code, now) === 'wrong') {
    factor.wrongCodes += 1;
    return 'wrong';
  }
  factor.isVerified = true;
  return 'right';
}

/** Whether nobody confirmed it in time. */
export function isGivenUp({ isVerified, createdAt }: Factor, now: number): boolean {
  return !isVerified && now >= createdAt + unconfirmedLifetime;
}
