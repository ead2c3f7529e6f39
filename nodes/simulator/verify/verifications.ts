import { isIP } from 'node:net';
import { isEmail } from '../email';
import { isoSeconds } from '../iso-time';
import { lineOf, readE164 } from '../phone-numbers';
import type { Reply } from '../reply';
import { senderName } from '../sender-name';
import type { SendingChannel } from '../state/messages';
import { randomCode } from '../state/random';
import type { Attempt, Payment, ServiceVerification } from '../state/service-verifications';
import { addressOf, owned, service, type VerifyCall, type VerifyRoute } from './call';
import type { Form } from './form';
import { isLocale } from './locales';
import { created, invalidParameter, notFound, ok, VerifyFailure } from './replies';
import { sidOf, uuidOf } from './sids';

/** Codes by text message, phone call, e-mail and WhatsApp. */
export const verificationRoutes: readonly VerifyRoute[] = [
  { method: 'POST', path: `${service}/Verifications`, handle: start },
  { method: 'GET', path: `${service}/Verifications/{verification}`, handle: read, isPolled: true },
  { method: 'POST', path: `${service}/Verifications/{verification}`, handle: end },
  { method: 'POST', path: `${service}/VerificationCheck`, handle: check },
];

/** `sna` is not among them: there is no carrier here that could tell whose line a request comes from. */
const channels = ['sms', 'call', 'email', 'whatsapp', 'auto'] as const;

const codeForm = /^[\dA-Za-z]{4,10}$/;

function start(call: VerifyCall): Reply {
  const { backend, verify, form, path } = call;
  const to = form.required('To');
  const wanted = form.oneOf('Channel', channels);
  if (wanted === undefined) throw invalidParameter('Channel', 'it is required');
  const channel = wanted === 'auto' ? (isEmail(to) ? 'email' : 'sms') : wanted;
  requireReachable(to, channel);
  const locale = form.value('Locale');
  if (locale !== undefined && !isLocale(locale)) throw notFound(path);
  const customCode = form.matching('CustomCode', codeForm);
  if (customCode !== undefined && !verify.customCodes) throw new VerifyFailure('featureOff');
  const payment = paymentOf(form);
  const name = form.upTo(32, 'CustomFriendlyName');
  requireValidOptions(form, channel);
  const attempt = backend.state.serviceVerifications.send({ to, channel, locale, payment, customCode }, () =>
    randomCode(verify.codeLength),
  );
  if (attempt === undefined) throw new VerifyFailure('sendsUsedUp');
  deliver(call, attempt, name);
  return created(view(call, attempt.verification));
}

/** @throws VerifyFailure - 60200: the channel does not reach such an address; 60205 */
function requireReachable(to: string, channel: SendingChannel): void {
  if (channel === 'email') {
    if (!isEmail(to)) throw invalidParameter('To', to);
    return;
  }
  const phone = readE164(to);
  if (phone === undefined) throw invalidParameter('To', to);
  const { refusal } = lineOf(phone);
  if (refusal === 'notProvisioned') throw invalidParameter('To', to);
  if (refusal === 'landline' && channel !== 'call') throw new VerifyFailure('landline');
}

/** Looks at what the simulator does nothing with. @throws VerifyFailure - 60200 */
function requireValidOptions(form: Form, channel: SendingChannel): void {
  form.oneOf('RiskCheck', ['enable', 'disable']);
  form.matching('SendDigits', /^[\dwW#*,]+$/);
  form.matching('TemplateSid', /^HJ[0-9a-fA-F]{32}$/);
  form.matching('AppHash', /^[\w+/]{11}$/);
  form.flag('EnableSnaClientToken');
  form.object('RateLimits');
  form.object('TemplateCustomSubstitutions');
  const ip = form.value('DeviceIp');
  if (ip !== undefined && isIP(ip) === 0) throw invalidParameter('DeviceIp', ip);
  if (form.object('ChannelConfiguration') !== undefined && channel !== 'email') {
    throw invalidParameter('ChannelConfiguration', 'it is for e-mail only');
  }
  const tags = Object.entries(form.texts('Tags') ?? {});
  if (tags.length > 10 || tags.flat().some((text) => text.length > 128)) {
    throw invalidParameter('Tags', 'at most 10 pairs of at most 128 characters are possible');
  }
}

/** @throws VerifyFailure - 60200: only one of the two is there */
function paymentOf(form: Form): Payment | undefined {
  const [amount, payee] = [form.value('Amount'), form.value('Payee')];
  if (amount !== undefined && payee !== undefined) return { amount, payee };
  if (amount !== undefined || payee !== undefined) {
    throw invalidParameter(amount === undefined ? 'Amount' : 'Payee', 'Amount and Payee belong together');
  }
  return undefined;
}

/** The code comes to the phone, or to the mailbox. */
function deliver({ backend }: VerifyCall, attempt: Attempt, name: string | undefined): void {
  const { settings, languages, state } = backend;
  const { verification, channel, locale } = attempt;
  const { to, code } = verification;
  const language = languages.ofLocale(locale);
  const sender = senderName({ appName: name ?? settings.appName }, language);
  state.messages.send({
    authyId: null,
    phone: to,
    to,
    kind: 'verification',
    via: channel,
    text: language.text('message.verification', { sender, code }),
    language: language.tag,
    code,
    locale: locale ?? null,
  });
}

function read(call: VerifyCall): Reply {
  const verification = find(call);
  const { serviceVerifications, now } = call.backend.state;
  const isThere = verification.end === 'canceled' || serviceVerifications.isPending(verification);
  if (!isThere) throw notFound(call.path);
  if (!verification.readings.take(now())) throw new VerifyFailure('tooManyRequests');
  return ok(view(call, verification));
}

function end(call: VerifyCall): Reply {
  const status = call.form.oneOf('Status', ['canceled', 'approved'] as const);
  if (status === undefined) throw invalidParameter('Status', 'it is required');
  const verification = find(call);
  const { serviceVerifications } = call.backend.state;
  if (!serviceVerifications.isPending(verification)) throw notFound(call.path);
  serviceVerifications.end(verification, status);
  return ok(view(call, verification));
}

function check(call: VerifyCall): Reply {
  const { form, path } = call;
  const { serviceVerifications } = call.backend.state;
  const code = form.required('Code', codeForm);
  const payment = paymentOf(form);
  const name = form.value('VerificationSid') ?? form.value('To');
  if (name === undefined) throw invalidParameter('To', 'To or VerificationSid is required');
  const verification = withName(call, name);
  if (verification === undefined || !serviceVerifications.isPending(verification)) throw notFound(path);
  if (serviceVerifications.check(verification, code, payment) === 'tooMany') {
    throw new VerifyFailure('checksUsedUp');
  }
  // The last wrong code is answered as those before it; that there were too many is the next answer.
  const status = verification.end ?? 'pending';
  return created({ ...outline(call, verification), status, sna_attempts_error_codes: [] });
}

/** The verification that the path names, by SID or address. @throws VerifyFailure - 20404 */
function find(call: VerifyCall): ServiceVerification {
  const verification = withName(call, call.values['verification'] ?? '');
  if (verification === undefined) throw notFound(call.path);
  return verification;
}

function withName({ backend }: VerifyCall, name: string): ServiceVerification | undefined {
  const { serviceVerifications } = backend.state;
  const uuid = uuidOf('VE', name);
  return uuid === undefined ? serviceVerifications.of(name) : serviceVerifications.withUuid(uuid);
}

function view(call: VerifyCall, verification: ServiceVerification) {
  const shared = outline(call, verification);
  return {
    ...shared,
    lookup: {},
    send_code_attempts: verification.attempts.map(({ at, channel, uuid }) => ({
      time: isoSeconds(at),
      channel: channel.toUpperCase(),
      attempt_sid: sidOf('VL', uuid),
    })),
    sna: null,
    url: addressOf(call, `/Verifications/${shared.sid}`),
  };
}

/** What the answer to a check says as well. */
function outline(call: VerifyCall, verification: ServiceVerification) {
  const { attempts, payment } = verification;
  return {
    ...owned(call, 'VE', verification.uuid),
    to: verification.to,
    channel: attempts.at(-1)?.channel,
    status: call.backend.state.serviceVerifications.statusOf(verification),
    valid: verification.end === 'approved',
    date_created: isoSeconds(verification.startedAt),
    date_updated: isoSeconds(verification.updatedAt),
    amount: payment?.amount ?? null,
    payee: payment?.payee ?? null,
  };
}
