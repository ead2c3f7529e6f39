import type { Route } from '../../lib/server/router';
import type { Params } from '../../lib/services/authy/callback/signature';
import type { Language } from '../../lib/texts/languages';
import { asText } from '../parameters';
import { type PhoneNumber, readPhone } from '../phone-numbers';
import type { Reply } from '../reply';
import type { Settings } from '../settings';
import type { State } from '../state/state';
import type { User } from '../state/users';
import { Failure, type FailureName } from './replies';

/** A request to one of Authy's endpoints, authenticated and read. */
export interface Call {
  readonly state: State;
  readonly settings: Readonly<Settings>;
  readonly params: Params;
  /** The language of the request's `locale`: for messages on the phone, and for a phone verification's answer. */
  readonly language: Language;
  /** The values in the path, by name. */
  readonly path: Readonly<Record<string, string>>;
}

/** Answers a call, or throws a {@link Failure}. */
export type CallHandler = (call: Call) => Reply;

export type CallRoute = Route<CallHandler> & {
  /** Whether waiting clients poll it. */
  readonly isPolled?: true;
};

/**
 * The user whose id the path holds.
 *
 * @param unknown - the endpoint's answer if there is no such user
 * @throws Failure - 60026, or `unknown`
 */
export function userOf({ state, path }: Call, unknown: FailureName = 'userNotFound'): User {
  const id = path['id'] ?? '';
  const user = /^[1-9]\d{0,14}$/.test(id) ? state.users.get(Number(id)) : undefined;
  if (user === undefined) throw new Failure(unknown);
  return user;
}

/**
 * The phone number of a phone verification or look-up.
 *
 * @throws Failure - 60004 naming what is missing, 60078, 60033
 */
export function phoneOf({ params }: Call): PhoneNumber {
  const countryCode = requiredText(params, 'country_code');
  const number = requiredText(params, 'phone_number');
  if (!/^\+?\d+$/.test(countryCode)) throw invalidParameter('country_code', 'Parameter must be an integer');
  const phone = readPhone(countryCode, number);
  if (phone === 'country') throw new Failure('countryInvalid');
  if (phone === 'number') throw new Failure('phoneInvalid');
  return phone;
}

/**
 * A parameter that has to be there.
 *
 * @throws Failure - 60004 naming it
 */
export function requiredText(params: Params, name: string): string {
  const text = asText(params[name]);
  if (text === undefined) throw invalidParameter(name, 'Parameter is required');
  return text;
}

/** The error that names a parameter, 60004. */
export function invalidParameter(name: string, problem: string): Failure {
  return new Failure('invalidParameter', { message: `Invalid parameter: ${name} - ${problem}` });
}
