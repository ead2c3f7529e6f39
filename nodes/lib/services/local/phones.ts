import { lineOf } from '../../contract/phone';
import type { Handler } from './context';
import { codeMessage } from './messages';
import { randomDigits } from '../../people/random-digits';
import { codeLifetime } from './sent-code';

/** The number of digits, unless the flow wants another: as many as Authy's codes have. */
const usualDigits = 4;

export const phoneStart: Handler<'phoneStart'> = async (context, values, { signal }) => {
  const { phoneNumber, countryCode = '', via, locale, codeLength = usualDigits, customMessage } = values;
  const { phoneChecks } = context;
  const notify = await context.notifier(signal);
  const code = values.customCode ?? randomDigits(codeLength);
  const verificationId = phoneChecks.start(phoneNumber, code, context.steady());
  try {
    notify({
      topic: 'code',
      ...codeMessage(context, code, locale, customMessage),
      to: { authyId: null, phoneNumber, email: null, name: null },
      via,
      expiresAt: context.now() + codeLifetime,
    });
  } catch (error) {
    phoneChecks.cancel(phoneNumber, verificationId);
    throw error;
  }
  return {
    outcome: 'sent',
    result: {
      phoneNumber,
      countryCode,
      via,
      verificationId,
      secondsToExpire: codeLifetime / 1000,
      carrier: null,
      isCellphone: isCellphone(phoneNumber),
      isPorted: null,
    },
  };
};

export const phoneCheck: Handler<'phoneCheck'> = (
  { phoneChecks, steady },
  { phoneNumber, countryCode = '', code },
) => {
  const judged = phoneChecks.judge(phoneNumber, code, steady());
  const result = { phoneNumber, countryCode };
  return Promise.resolve(
    judged === 'valid'
      ? { outcome: 'valid', result: { ...result, valid: true, reason: null } }
      : { outcome: 'invalid', result: { ...result, valid: false, reason: judged } },
  );
};

export const phoneStatus: Handler<'phoneStatus'> = (
  { phoneChecks, steady },
  { verificationId, phoneNumber },
) => {
  // Nothing is known of one from before a restart: it does not count any more.
  const { state, left } = phoneChecks.find({ id: verificationId, phoneNumber }, steady()) ?? {
    state: 'expired',
    left: 0,
  };
  return Promise.resolve({
    outcome: 'read',
    result:
      state === 'pending'
        ? { status: 'pending', secondsToExpire: Math.max(0, Math.round(left / 1000)) }
        : { status: state === 'approved' ? 'verified' : 'expired', secondsToExpire: null },
  });
};

/** What the number itself says: nobody is asked. So it is not known who provides it, or whether it was taken along. */
export const phoneInfo: Handler<'phoneInfo'> = (_context, { phoneNumber, countryCode = '' }) => {
  return Promise.resolve({
    outcome: 'read',
    result: { phoneNumber, countryCode, type: lineType(phoneNumber), provider: null, ported: null },
  });
};

/** The types of lines, as they are called on every service. */
function lineType(phoneNumber: string): string | null {
  const line = lineOf(phoneNumber);
  switch (line) {
    case undefined:
      return null;
    case 'mobile':
      return 'cellphone';
    case 'other':
      return 'unknown';
    default:
      return line;
  }
}

function isCellphone(phoneNumber: string): boolean | null {
  const line = lineOf(phoneNumber);
  return line === undefined ? null : line === 'mobile';
}
