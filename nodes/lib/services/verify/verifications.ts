import { AuthyError, untrustedAnswer } from '../../contract/errors';
import { member } from '../../contract/json';
import type { CallOptions } from '../../contract/service';
import { type Answer, expectSame, expectText, type Read } from './client';
import { type Context, servicePath } from './context';
import { isSid } from './sids';

/** How a code is sent. */
export type Channel = 'sms' | 'call' | 'email';

/** A verification that was started. */
export interface StartedVerification {
  readonly sid: string;
  /** In milliseconds since 1970; null if the answer does not say. */
  readonly createdAt: number | null;
  readonly answer: Answer;
}

/** The result of a check of a code. */
export type Checked = 'approved' | 'wrong' | 'tooManyAttempts' | 'expired' | 'notPending';

interface Check {
  readonly checked: Checked;
  /** Of the verification; absent if there is none any more. */
  readonly sid?: string;
}

/**
 * Sends a code. Nothing is repeated once it may have left.
 *
 * @param to - a phone number in E.164 format, or an e-mail address
 * @throws AuthyError
 */
export async function startVerification(
  context: Context,
  to: string,
  channel: Channel,
  { locale, customCode }: { readonly locale?: string | undefined; readonly customCode?: string | undefined },
  call: () => CallOptions,
): Promise<Read<StartedVerification>> {
  const start = (
    language: string | undefined,
    refusals: Readonly<Record<number, () => undefined>>,
  ): Promise<Read<StartedVerification | undefined>> =>
    context.verify.call(
      {
        method: 'POST',
        path: servicePath(context, 'Verifications'),
        fields: { To: to, Channel: channel, Locale: language, CustomCode: customCode },
        repeat: 'never',
      },
      (answer) => started(context, to, answer),
      call(),
      refusals,
    );
  // Twilio answers "not found" for a language that it does not have: nothing was sent then.
  const first = await start(locale, locale === undefined ? noService : { 20404: () => undefined });
  const { value, answer } = first.value === undefined ? await start(undefined, noService) : first;
  if (value === undefined) throw untrustedAnswer('it is not that of a start');
  return { value, answer };
}

/** What it means if Twilio does not find a service itself. */
export const noService = {
  20404: (): undefined => {
    throw new AuthyError(
      'AUTHY_BAD_CONFIG',
      'Check the Service SID of the account: Twilio knows no such service. Nothing was done.',
    );
  },
};

function started(context: Context, to: string, answer: Answer): StartedVerification {
  const { body } = answer;
  const sid = expectText(body, 'sid');
  if (!isSid('VE', sid)) throw untrustedAnswer('its sid is not that of a verification');
  expectSame(body, 'service_sid', context.serviceSid);
  expectSame(body, 'to', to);
  expectSame(body, 'status', 'pending');
  const created = Date.parse(String(member(body, 'date_created')));
  return { sid, createdAt: Number.isNaN(created) ? null : created, answer };
}

/**
 * Checks a code. Nothing is repeated once it may have left: each check counts.
 *
 * @param of - the verification, or the number that the code was sent to
 * @throws AuthyError
 */
export async function checkVerification(
  context: Context,
  of: { readonly sid: string; readonly to: string } | { readonly to: string },
  code: string,
  call: () => CallOptions,
): Promise<Read<Check>> {
  return context.verify.call<Check>(
    {
      method: 'POST',
      path: servicePath(context, 'VerificationCheck'),
      fields: { Code: code, ...('sid' in of ? { VerificationSid: of.sid } : { To: of.to }) },
      repeat: 'never',
    },
    ({ body }) => {
      if (!isSid('VE', expectText(body, 'sid')))
        throw untrustedAnswer('its sid is not that of a verification');
      if ('sid' in of) expectSame(body, 'sid', of.sid);
      expectSame(body, 'service_sid', context.serviceSid);
      expectSame(body, 'to', of.to);
      return { checked: meaningOf(body), sid: expectText(body, 'sid') };
    },
    call(),
    {
      20404: () => ({ checked: 'notPending' }),
      60202: () => ({ checked: 'tooManyAttempts' }),
    },
  );
}

/** Anything else than `approved`, with nothing in the answer against it, is not a yes. */
function meaningOf(body: Answer['body']): Checked {
  const status = expectText(body, 'status');
  const valid = member(body, 'valid');
  if (status === 'approved') {
    if (valid === false) throw untrustedAnswer('it says approved, and that the code is not valid');
    return 'approved';
  }
  if (valid === true) throw untrustedAnswer(`it says ${JSON.stringify(status)}, and that the code is valid`);
  switch (status) {
    case 'pending':
      return 'wrong';
    case 'max_attempts_reached':
      return 'tooManyAttempts';
    case 'expired':
      return 'expired';
    case 'canceled':
    case 'deleted':
    case 'failed':
      return 'notPending';
    default:
      throw untrustedAnswer('its status is not known');
  }
}
