import { textOrNull } from '../../contract/json';
import type { ValuesOf } from '../../contract/operations';
import { phone } from '../../contract/phone';
import type { PhoneResult, ResultOf } from '../../contract/results';
import { formats } from '../../contract/validation';
import { type Answer, untrusted } from './answer';
import type { Endpoint } from './endpoint';

type Export = Endpoint<ValuesOf<'userExport'>, 'read', ResultOf<'userExport'>>;

/**
 * Reads the phone number of a user: row U7. The secret follows, if it is asked for.
 *
 * Source: https://www.twilio.com/docs/authy/export-api-for-authy-user-phone-numbers
 */
export const phoneExport: Export = {
  method: 'GET',
  paths: ['/protected/json/users/{authyId}/phone_number'],
  repeat: 'read',
  saysSuccess: false,
  pathValues: ({ authyId }) => ({ authyId }),
  read: (answer, { authyId }) => ({
    outcome: 'read',
    result: { authyId, ...phoneOf(answer), totpSecret: null, token: null },
  }),
  next: ({ includeSecret }, known) => (includeSecret === true ? secretExport(known) : undefined),
};

/**
 * Reads the secret of a user's authenticator, and a code of it: row U6. What Authy answers for a user without one is not
 * documented; the two numbers are those that fit by name.
 *
 * Source: https://www.twilio.com/docs/authy/export-totp-secret-seed-for-migrating-to-verify-totp
 *
 * @param known - what is known of the user already
 */
function secretExport(known: ResultOf<'userExport'>): Export {
  const without = () => ({ outcome: 'read', result: known }) as const;
  return {
    method: 'GET',
    paths: ['/protected/json/users/{authyId}/secret/export'],
    repeat: 'read',
    secretMembers: ['secret', 'otp'],
    pathValues: ({ authyId }) => ({ authyId }),
    read: (answer) => ({
      outcome: 'read',
      result: { ...known, totpSecret: secretOf(answer), token: tokenOf(answer) },
    }),
    refusals: { 60109: without, 60113: without },
  };
}

function phoneOf(answer: Answer): PhoneResult {
  const number = textOrNull(answer.body, 'e164') ?? '';
  if (!number.startsWith('+')) throw untrusted('"e164" is not a phone number', answer);
  try {
    // A number that Authy serves may be newer than the rules known here.
    const { e164, countryCode } = phone(number, undefined, 'possible');
    return { phoneNumber: e164, countryCode };
  } catch {
    throw untrusted('"e164" is not a phone number', answer);
  }
}

/** Base32 has no case, and its padding no meaning. */
function secretOf(answer: Answer): string {
  const secret = (textOrNull(answer.body, 'secret') ?? '').toUpperCase().replace(/=+$/, '');
  if (!formats.totpSecret.test(secret)) throw untrusted('"secret" is not one', answer);
  return secret;
}

function tokenOf(answer: Answer): string {
  const token = textOrNull(answer.body, 'otp') ?? '';
  if (!/^[0-9]{6}$/.test(token)) throw untrusted('"otp" is not a code of six digits', answer);
  return token;
}
