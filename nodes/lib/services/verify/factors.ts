import { untrustedAnswer } from '../../contract/errors';
import { isObject, member, textOrNull } from '../../contract/json';
import type { Person } from '../../contract/people';
import { digits, period } from '../../authenticator/totp';
import type { CallOptions, ServiceAnswer } from '../../contract/service';
import { type Answer, expectSame, expectText, type Read } from './client';
import { type Context, personPath } from './context';
import { isSid } from './sids';
import { isUrl } from '../../contract/url';

/** A new authenticator at Twilio. */
interface CreatedFactor {
  readonly id: string;
  /** The address for authenticator apps, which holds the secret. */
  readonly uri: string;
  /** Without the secret. */
  readonly answer: ServiceAnswer;
}

/**
 * Makes an authenticator at Twilio, with a secret of ours. It counts once one of its codes has confirmed it.
 *
 * @param secret - in base32
 * @throws AuthyError
 */
export async function createFactor(
  context: Context,
  person: Person,
  name: string,
  secret: string,
  call: () => CallOptions,
): Promise<CreatedFactor> {
  const { value, answer } = await context.verify.call(
    {
      method: 'POST',
      path: personPath(context, person, 'Factors'),
      // Those of the service could be others, which the check of a code here does not have.
      fields: {
        ...{ FriendlyName: name, FactorType: 'totp', 'Binding.Secret': secret },
        ...{ 'Config.Alg': 'sha1', 'Config.TimeStep': String(period), 'Config.CodeLength': String(digits) },
        'Config.Skew': '1',
      },
      repeat: 'never',
    },
    ({ body }) => {
      const id = expectText(body, 'sid');
      if (!isSid('YF', id)) throw untrustedAnswer('its sid is not that of a factor');
      expectSame(body, 'service_sid', context.serviceSid);
      expectSame(body, 'identity', person.identity);
      expectSame(body, 'status', 'unverified');
      return { id, uri: uriOf(body, secret) };
    },
    call(),
  );
  return { ...value, answer };
}

/** The address for authenticator apps. @throws AuthyError - `AUTHY_BAD_RESPONSE` if it is not for our secret */
function uriOf(body: Answer['body'], secret: string): string {
  const binding = member(body, 'binding');
  const uri = isObject(binding) ? member(binding, 'uri') : undefined;
  if (typeof uri !== 'string' || !/^otpauth:\/\/totp\//.test(uri) || !isUrl(uri)) {
    throw untrustedAnswer('it has no address for authenticator apps');
  }
  const { searchParams } = new URL(uri);
  if (searchParams.get('secret') !== secret) throw untrustedAnswer('its secret is another one');
  const isOurs =
    (searchParams.get('algorithm') ?? 'SHA1').toUpperCase() === 'SHA1' &&
    (searchParams.get('digits') ?? '6') === String(digits) &&
    (searchParams.get('period') ?? '30') === String(period);
  if (!isOurs) throw untrustedAnswer('its authenticator makes other codes than were asked for');
  return uri;
}

/** A factor as Twilio lists it. */
interface ListedFactor {
  readonly sid: string;
  readonly type: string | null;
  readonly name: string | null;
  readonly isVerified: boolean;
  /** As Twilio writes it. */
  readonly createdAt: string;
}

/** The factors of a person, of all types. @throws AuthyError */
export async function listFactors(
  context: Context,
  person: Person,
  call: () => CallOptions,
): Promise<Read<ListedFactor[]>> {
  return context.verify.call<ListedFactor[]>(
    {
      method: 'GET',
      path: personPath(context, person, 'Factors'),
      // All of them: a person has 100 authenticators at most, and 20 devices.
      fields: { PageSize: '200' },
      repeat: 'read',
    },
    ({ body }) => {
      const factors = member(body, 'factors');
      if (!Array.isArray(factors)) throw untrustedAnswer('it has no list of factors');
      return factors
        .filter(
          (factor) => member(factor, 'identity') === person.identity && isSid('YF', member(factor, 'sid')),
        )
        .map((factor) => ({
          sid: textOrNull(factor, 'sid') ?? '',
          type: textOrNull(factor, 'factor_type'),
          name: textOrNull(factor, 'friendly_name'),
          isVerified: member(factor, 'status') === 'verified',
          createdAt: textOrNull(factor, 'date_created') ?? '',
        }));
    },
    call(),
    // Nobody has made a factor of theirs yet.
    { 20404: () => [] },
  );
}
