import { isoSeconds } from '../iso-time';
import { lineOf, readE164 } from '../phone-numbers';
import type { Reply } from '../reply';
import type { Attempt } from '../state/service-verifications';
import type { VerifyCall, VerifyRoute } from './call';
import { page } from './lists';
import { notFound, ok } from './replies';
import { sidOf, uuidOf } from './sids';

/** What was sent, and how much of it was given back. The summary comes first: its path looks like that of an attempt. */
export const attemptRoutes: readonly VerifyRoute[] = [
  { method: 'GET', path: '/v2/Attempts/Summary', handle: summary },
  { method: 'GET', path: '/v2/Attempts', handle: list },
  { method: 'GET', path: '/v2/Attempts/{attempt}', handle: read },
];

const channels = ['sms', 'call', 'email', 'whatsapp', 'rbm'] as const;

function summary(call: VerifyCall): Reply {
  const found = attemptsOf(call);
  const converted = found.filter((attempt) => attempt.converted).length;
  // As in Twilio's example: 81.818181818.
  const percentage = found.length === 0 ? 0 : Number(((converted / found.length) * 100).toFixed(9));
  return ok({
    total_attempts: found.length,
    total_converted: converted,
    total_unconverted: found.length - converted,
    conversion_rate_percentage: String(percentage),
    url: call.baseUrl + call.path,
  });
}

function list(call: VerifyCall): Reply {
  const { form } = call;
  const sid = form.matching('VerificationSid', /^VE[\dA-Fa-f]{32}$/);
  const to = form.value('ChannelData.To');
  const status = form.oneOf('Status', ['converted', 'unconverted']);
  const found = attemptsOf(call).filter(
    ({ verification, converted }) =>
      (sid === undefined || verification.uuid === uuidOf('VE', sid)) &&
      (to === undefined || verification.to === to) &&
      (status === undefined || converted === (status === 'converted')),
  );
  return page(call, 'attempts', [...found].reverse(), (attempt) => view(call, attempt));
}

function read(call: VerifyCall): Reply {
  const uuid = uuidOf('VL', call.values['attempt'] ?? '');
  const found = call.backend.state.serviceVerifications.attempts.find((attempt) => attempt.uuid === uuid);
  if (found === undefined) throw notFound(call.path);
  return ok(view(call, found));
}

/** The attempts that both calls mean. */
function attemptsOf({ form, backend, verify }: VerifyCall): readonly Attempt[] {
  const serviceSid = form.matching('VerifyServiceSid', /^VA[\dA-Fa-f]{32}$/);
  const [after, before] = [form.date('DateCreatedAfter'), form.date('DateCreatedBefore')];
  const country = form.matching('Country', /^[A-Z]{2}$/);
  const channel = form.oneOf('Channel', channels);
  const prefix = form.value('DestinationPrefix');
  return backend.state.serviceVerifications.attempts.filter(
    (attempt) =>
      (serviceSid === undefined || serviceSid === verify.serviceSid) &&
      (after === undefined || attempt.at >= after) &&
      (before === undefined || attempt.at <= before) &&
      (country === undefined || country === countryOf(attempt)) &&
      (channel === undefined || channel === attempt.channel) &&
      (prefix === undefined || attempt.verification.to.startsWith(prefix)),
  );
}

function countryOf({ verification }: Attempt): string | undefined {
  return readE164(verification.to)?.country;
}

function view({ verify, baseUrl }: VerifyCall, attempt: Attempt) {
  const { verification, channel, converted } = attempt;
  const sid = sidOf('VL', attempt.uuid);
  // Undefined if it was an e-mail.
  const phone = readE164(verification.to);
  return {
    sid,
    account_sid: verify.accountSid,
    service_sid: verify.serviceSid,
    verification_sid: sidOf('VE', verification.uuid),
    date_created: isoSeconds(attempt.at),
    date_updated: isoSeconds(attempt.updatedAt),
    conversion_status: converted ? 'converted' : 'unconverted',
    channel,
    // Nothing is charged here.
    price: { value: '0.00', currency: 'usd' },
    channel_data: {
      verification_sid: sidOf('VE', verification.uuid),
      to: verification.to,
      status: 'delivered',
      message_status: 'delivered',
      error_code: null,
      country: phone?.country ?? null,
      code_length: verification.code.length,
      locale: attempt.locale ?? null,
      mcc: null,
      mnc: null,
      carrier: phone === undefined ? null : lineOf(phone).carrier,
    },
    url: `${baseUrl}/v2/Attempts/${sid}`,
  };
}
