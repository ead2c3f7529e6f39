import { untrustedAnswer } from '../../contract/errors';
import { member, textOrNull } from '../../contract/json';
import { expectSame, expectText } from './client';
import { type Handler, servicePath } from './context';
import { sidOf, uuidOf } from './sids';
import { verificationLifetime } from './started-verifications';
import { checkVerification, startVerification } from './verifications';

export const phoneStart: Handler<'phoneStart'> = async (context, values, call) => {
  const { phoneNumber, countryCode = '', via, locale, customCode } = values;
  const now = context.now();
  const { value, answer } = await startVerification(context, phoneNumber, via, { locale, customCode }, call);
  context.started.started(phoneNumber, value.sid, context.steady());
  const carrier = member(member(value.answer.body, 'lookup'), 'carrier');
  const left = (value.createdAt ?? now) + verificationLifetime - now;
  return {
    outcome: 'sent',
    result: {
      phoneNumber,
      countryCode,
      via,
      verificationId: uuidOf(value.sid),
      secondsToExpire: Math.max(0, Math.round(Math.min(left, verificationLifetime) / 1000)),
      carrier: textOrNull(carrier, 'name'),
      isCellphone: isCellphone(textOrNull(carrier, 'type')),
      isPorted: null,
    },
    answer,
  };
};

export const phoneCheck: Handler<'phoneCheck'> = async (
  context,
  { phoneNumber, countryCode = '', code },
  call,
) => {
  const { value, answer } = await checkVerification(context, { to: phoneNumber }, code, call);
  const { checked, sid = '' } = value;
  const result = { phoneNumber, countryCode };
  if (checked === 'approved') {
    context.started.approved(phoneNumber, sid, context.steady());
    return { outcome: 'valid', result: { ...result, valid: true, reason: null }, answer };
  }
  const isExpired = checked === 'notPending' && context.started.hasExpired(phoneNumber, context.steady());
  return {
    outcome: 'invalid',
    result: { ...result, valid: false, reason: isExpired ? 'expired' : checked },
    answer,
  };
};

export const phoneStatus: Handler<'phoneStatus'> = async (context, { verificationId, phoneNumber }, call) => {
  const sid = verificationId === undefined ? undefined : sidOf('VE', verificationId);
  const isApproved = context.started.isApproved({ id: sid, phoneNumber }, context.steady());
  const { value, answer } = await context.verify.call(
    { method: 'GET', path: servicePath(context, 'Verifications', sid ?? phoneNumber ?? ''), repeat: 'read' },
    ({ body }) => {
      if (sid === undefined) expectSame(body, 'to', phoneNumber ?? '');
      else expectSame(body, 'sid', sid);
      expectSame(body, 'service_sid', context.serviceSid);
      return { status: expectText(body, 'status'), createdAt: Date.parse(expectText(body, 'date_created')) };
    },
    call(),
    // Twilio forgets each one that has ended.
    { 20404: () => ({ status: isApproved ? 'approved' : 'expired', createdAt: NaN }) },
  );
  const left = value.createdAt + verificationLifetime - context.now();
  const secondsToExpire = Number.isNaN(left) ? null : Math.max(0, Math.round(left / 1000));
  switch (value.status) {
    case 'pending':
      return { outcome: 'read', result: { status: 'pending', secondsToExpire }, answer };
    case 'approved':
      return { outcome: 'read', result: { status: 'verified', secondsToExpire: null }, answer };
    case 'canceled':
    case 'max_attempts_reached':
    case 'deleted':
    case 'failed':
    case 'expired':
      return { outcome: 'read', result: { status: 'expired', secondsToExpire: null }, answer };
    default:
      throw untrustedAnswer('its status is not known');
  }
};

export const phoneInfo: Handler<'phoneInfo'> = async (context, { phoneNumber, countryCode = '' }, call) => {
  const { value, answer } = await context.lookups.call(
    {
      method: 'GET',
      path: `/v2/PhoneNumbers/${encodeURIComponent(phoneNumber)}`,
      fields: { Fields: context.lookup ? 'line_type_intelligence' : undefined },
      repeat: context.lookup ? 'readBilled' : 'read',
    },
    ({ body }) => {
      expectSame(body, 'phone_number', phoneNumber);
      const line = member(body, 'line_type_intelligence');
      return { type: lineType(textOrNull(line, 'type')), provider: textOrNull(line, 'carrier_name') };
    },
    call(),
  );
  return { outcome: 'read', result: { phoneNumber, countryCode, ...value, ported: null }, answer };
};

/** The types of lines, as they are called on every service; Twilio has some more, such as `tollFree`. */
function lineType(type: string | null): string | null {
  switch (type) {
    case null:
      return null;
    case 'mobile':
      return 'cellphone';
    case 'landline':
      return 'landline';
    case 'fixedVoip':
    case 'nonFixedVoip':
    case 'voip':
      return 'voip';
    default:
      return 'unknown';
  }
}

function isCellphone(type: string | null): boolean | null {
  return type === null ? null : type === 'mobile';
}
