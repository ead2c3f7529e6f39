import { randomBytes } from 'node:crypto';
import { asInteger, asText } from '../parameters';
import { lineOf, type PhoneNumber } from '../phone-numbers';
import type { Reply } from '../reply';
import { senderName } from '../sender-name';
import type { Verification } from '../state/verifications';
import { type Call, type CallRoute, invalidParameter, phoneOf, requiredText } from './call';
import { Failure, success } from './replies';

/** Digits of a code. Source: https://www.twilio.com/docs/verify/api/v1/verification */
const codeLength = { min: 4, max: 10, default: 4 };

/** Phone verification and information: rows V1 to V4 of Authy's endpoints. */
export const phoneRoutes: readonly CallRoute[] = [
  { method: 'POST', path: '/protected/json/phones/verification/start', handle: start },
  { method: 'GET', path: '/protected/json/phones/verification/check', handle: check },
  { method: 'GET', path: '/protected/json/phones/verification/status', handle: status, isPolled: true },
  { method: 'GET', path: '/protected/json/phones/info', handle: info },
];

function start(call: Call): Reply {
  const { state, settings, params, language } = call;
  const phone = phoneOf(call);
  const via = readVia(requiredText(params, 'via'));
  const length = asInteger(params['code_length']) ?? codeLength.default;
  if (!(length >= codeLength.min && length <= codeLength.max)) {
    throw invalidParameter(
      'code_length',
      `Parameter must be an integer from ${codeLength.min} to ${codeLength.max}`,
    );
  }
  const customCode = asText(params['custom_code']);
  if (customCode !== undefined && !/^\d{4,10}$/.test(customCode)) {
    throw invalidParameter('custom_code', 'Parameter must be 4 to 10 digits');
  }
  const customMessage = asText(params['custom_message']);
  if (customMessage?.includes('{{code}}') === false) {
    throw invalidParameter('custom_message', 'Parameter must contain {{code}}');
  }
  const line = lineOf(phone);
  if (line.refusal === 'notProvisioned' || (line.refusal === 'landline' && via === 'sms')) {
    throw new Failure(line.refusal);
  }
  const verification = state.verifications.start(phone, length, customCode);
  const { code } = verification;
  const sender = senderName(settings, language);
  state.messages.send({
    authyId: null,
    phone: phone.e164,
    to: phone.e164,
    kind: 'verification',
    via,
    ...(customMessage === undefined
      ? { text: language.text('message.verification', { sender, code }), language: language.tag }
      : {
          text: language.text('message.custom', { sender, text: customMessage.replaceAll('{{code}}', code) }),
        }),
    code,
    locale: asText(params['locale']) ?? null,
  });
  state.statistics.count(via === 'sms' ? 'sms_count' : 'calls_count');
  return success({
    carrier: line.carrier,
    is_cellphone: line.type === 'cellphone',
    is_ported: line.ported,
    message:
      via === 'sms'
        ? language.text('answer.sms', { phone: phone.written })
        : language.text('answer.call', { phone: phone.written }),
    seconds_to_expire: state.verifications.secondsLeft(verification),
    uuid: verification.uuid,
    ...(customCode === undefined ? {} : { sms_id: `SM${randomBytes(16).toString('hex')}` }),
  });
}

function readVia(via: string): 'sms' | 'call' {
  if (via !== 'sms' && via !== 'call') throw invalidParameter('via', "Parameter must be 'sms' or 'call'");
  return via;
}

function check(call: Call): Reply {
  const phone = phoneOf(call);
  const code = requiredText(call.params, 'verification_code');
  const verdict = call.state.verifications.check(phone, code);
  if (verdict === undefined) throw nothingPending(phone);
  if (verdict === 'wrong') throw new Failure('codeIncorrect');
  return success({ message: 'Verification code is correct.' });
}

function status(call: Call): Reply {
  const { verifications } = call.state;
  const verification = findVerification(call);
  return success({
    message: 'Phone Verification status.',
    status: verifications.statusOf(verification),
    seconds_to_expire: verifications.secondsLeft(verification),
  });
}

function findVerification(call: Call): Verification {
  const { verifications } = call.state;
  const uuid = asText(call.params['uuid']);
  if (uuid !== undefined) {
    const verification = verifications.withUuid(uuid);
    if (verification === undefined) throw new Failure('nothingPending');
    return verification;
  }
  if (
    asText(call.params['country_code']) === undefined ||
    asText(call.params['phone_number']) === undefined
  ) {
    throw new Failure('verificationParameters', {
      message: 'Phone Verification parameters are invalid: give uuid, or country_code and phone_number.',
    });
  }
  const phone = phoneOf(call);
  const verification = verifications.of(phone);
  if (verification === undefined) throw nothingPending(phone);
  return verification;
}

function nothingPending(phone: PhoneNumber): Failure {
  return new Failure('nothingPending', { message: `No pending verifications for ${phone.written} found.` });
}

function info(call: Call): Reply {
  const line = lineOf(phoneOf(call));
  if (line.lookupFailure !== undefined) throw new Failure(line.lookupFailure);
  const [date, time] = new Date(call.state.now()).toISOString().split(/[T.]/);
  return success({
    message: `Phone number information as of ${date ?? ''} ${time ?? ''} UTC`,
    type: line.type,
    provider: line.carrier,
    ported: line.ported,
  });
}
