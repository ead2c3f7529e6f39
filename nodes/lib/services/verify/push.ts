import { AuthyError, invalidInput, untrustedAnswer } from '../../contract/errors';
import { textOrNull } from '../../contract/json';
import type { Person } from '../../contract/people';
import { characters } from '../../contract/validation';
import type { ApprovalStatus } from '../../contract/results';
import { type Answer, expectSame, expectText } from './client';
import { knownPerson, usablePerson, whoWasAsked } from '../../people/known';
import { type Context, type Handler, personPath } from './context';
import { listFactors } from './factors';
import { isSid, sidOf, uuidOf } from './sids';

/**
 * Approvals by an app of the customer's own, with Twilio's SDK: a person's device is a push factor, and a request is a
 * challenge to it.
 *
 * Source: https://www.twilio.com/docs/verify/push, https://www.twilio.com/docs/verify/api/challenge
 */

/** Twilio's default, in seconds. */
const usualLifetime = 300;

/** What Twilio takes at most, where it is less than the operation takes. */
const most = { fields: 20, value: 128, hidden: 1024 };

/** Asks on the device that was registered last. */
export const sendPush: Handler<'onetouchSend'> = async (context, values, call) => {
  const { authyId, message, details, hiddenDetails, secondsToExpire = usualLifetime } = values;
  const [fields, hidden] = [fieldsOf(details), hiddenOf(hiddenDetails)];
  const person = await usablePerson(context.people, authyId);
  const { value: factors } = await listFactors(context, person, call);
  const device = factors
    .filter(({ type, isVerified }) => type === 'push' && isVerified)
    .sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1))
    .at(-1);
  if (device === undefined) {
    throw new AuthyError(
      'AUTHY_NOT_SENT',
      'Have the user sign in to your app first: no app of theirs is registered at Twilio. Nothing was sent.',
    );
  }
  const expiresAt = new Date(context.now() + secondsToExpire * 1000);
  const { value: sid, answer } = await context.verify.call(
    {
      method: 'POST',
      path: personPath(context, person, 'Challenges'),
      fields: {
        FactorSid: device.sid,
        'Details.Message': message,
        'Details.Fields': fields,
        HiddenDetails: hidden,
        // Twilio reads and writes whole seconds.
        ExpirationDate: expiresAt.toISOString().replace(/\.\d+Z$/, 'Z'),
      },
      repeat: 'never',
    },
    ({ body }) => {
      const created = expectText(body, 'sid');
      if (!isSid('YC', created)) throw untrustedAnswer('its sid is not that of a challenge');
      expectChallenge(context, person, body);
      expectSame(body, 'factor_sid', device.sid);
      expectSame(body, 'status', 'pending');
      return created;
    },
    call(),
  );
  return { outcome: 'sent', result: { approvalId: uuidOf(sid), authyId, status: 'pending' }, answer };
};

/** Twilio finds a challenge only with the person who was asked, whom the caller or the account remembers. */
export const pushStatus: Handler<'onetouchStatus'> = async (context, { approvalId }, call) => {
  const authyId = await whoWasAsked(context, approvalId, call());
  const person = await knownPerson(context.people, authyId);
  const sid = sidOf('YC', approvalId);
  const { value, answer } = await context.verify.call(
    { method: 'GET', path: personPath(context, person, 'Challenges', sid), repeat: 'read' },
    ({ body }) => {
      expectSame(body, 'sid', sid);
      expectChallenge(context, person, body);
      return { status: statusOf(body), ...timesOf(body) };
    },
    call(),
  );
  const { status, createdAt, respondedAt, secondsToExpire } = value;
  return {
    outcome: status,
    result: {
      approvalId,
      authyId,
      status,
      notified: null,
      createdAt,
      // Twilio's examples have a time of response while there is none.
      processedAt: status === 'approved' || status === 'denied' ? respondedAt : null,
      secondsToExpire,
    },
    answer,
  };
};

/** Checks that an answer is about a push challenge of this service to this person. @throws AuthyError - `AUTHY_BAD_RESPONSE` */
function expectChallenge({ serviceSid }: Context, { identity }: Person, body: Answer['body']): void {
  expectSame(body, 'service_sid', serviceSid);
  expectSame(body, 'identity', identity);
  // A challenge of an authenticator is approved by a code: nobody has seen the question.
  expectSame(body, 'factor_type', 'push');
}

function statusOf(body: Answer['body']): ApprovalStatus {
  const status = expectText(body, 'status');
  switch (status) {
    case 'approved':
    case 'denied':
    case 'pending':
    case 'expired':
      return status;
    default:
      throw untrustedAnswer('its status is not known');
  }
}

interface Times {
  readonly createdAt: string | null;
  readonly respondedAt: string | null;
  /** From the request to its end. */
  readonly secondsToExpire: number | null;
}

function timesOf(body: Answer['body']): Times {
  const createdAt = textOrNull(body, 'date_created');
  const end = Date.parse(textOrNull(body, 'expiration_date') ?? '');
  const seconds = Math.round((end - Date.parse(createdAt ?? '')) / 1000);
  return {
    createdAt,
    respondedAt: textOrNull(body, 'date_responded'),
    secondsToExpire: Number.isNaN(seconds) ? null : seconds,
  };
}

/** @throws AuthyError - `AUTHY_INVALID_INPUT` */
function fieldsOf(details: Readonly<Record<string, string>> | undefined): readonly string[] {
  const rows = Object.entries(details ?? {});
  if (rows.length > most.fields) {
    throw invalidInput('details', `has ${rows.length} rows. Twilio Verify shows ${most.fields} at most.`);
  }
  return rows.map(([label, value]) => {
    if (characters(value) <= most.value) return JSON.stringify({ label, value });
    throw invalidInput(
      'details',
      `has a value of more than ${most.value} characters, that of “${label}”. Twilio Verify does not take it.`,
    );
  });
}

/** @throws AuthyError - `AUTHY_INVALID_INPUT` */
function hiddenOf(hiddenDetails: Readonly<Record<string, string>> | undefined): string | undefined {
  if (hiddenDetails === undefined) return undefined;
  const json = JSON.stringify(hiddenDetails);
  if (json.length <= most.hidden) return json;
  throw invalidInput(
    'hiddenDetails',
    `is too long. With Twilio Verify it has ${most.hidden} characters as JSON at most.`,
  );
}
