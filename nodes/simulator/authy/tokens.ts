import { randomBytes } from 'node:crypto';
import { asFlag, asText } from '../parameters';
import type { Reply } from '../reply';
import { type Device, deviceOf } from '../device';
import { isEmail } from '../email';
import { senderName } from '../sender-name';
import type { Channel, User } from '../state/users';
import { type Call, type CallRoute, userOf } from './call';
import { Failure, success } from './replies';

/** One-time tokens: rows O1 to O4 of Authy's endpoints. */
export const tokenRoutes: readonly CallRoute[] = [
  { method: 'GET', path: '/protected/json/sms/{id}', handle: sms },
  { method: 'GET', path: '/protected/json/call/{id}', handle: call },
  { method: 'POST', path: '/protected/json/email/{id}', handle: email },
  { method: 'GET', path: '/protected/json/verify/{token}/{id}', handle: verify },
];

/** Word for word, with Authy's two spaces. */
const ignoredTexts = {
  sms: 'Ignored: SMS is not needed for smartphones. Pass force=true if you want to actually send it anyway.',
  call:
    'Call ignored. User is using  App Tokens and this call is not necessary. ' +
    'Pass force=true if you still want to call users that are using the App.',
} as const;

function sms(request: Call): Reply {
  const user = userOf(request);
  if (isIgnored(request, user)) return ignored(user, ignoredTexts.sms);
  sendCode(request, user, 'sms');
  request.state.statistics.count('sms_count');
  return success({ message: 'SMS token was sent', cellphone: maskedPhone(user) });
}

function call(request: Call): Reply {
  const user = userOf(request);
  if (isIgnored(request, user)) return ignored(user, ignoredTexts.call);
  sendCode(request, user, 'call');
  request.state.statistics.count('calls_count');
  return success({ message: 'Call started...', cellphone: maskedPhone(user) });
}

function email(request: Call): Reply {
  const user = userOf(request);
  const address = user.emails[0] ?? '';
  if (!isEmail(address)) throw new Failure('emailInvalid');
  sendCode(request, user, 'email');
  const emailId = `EM${randomBytes(16).toString('hex')}`;
  return success({ message: 'Email token was sent', email: address, email_id: emailId });
}

function verify(request: Call): Reply {
  const user = userOf(request, 'noSuchUser');
  const verdict = request.state.users.checkToken(
    user,
    request.path['token'] ?? '',
    asText(request.params['action']),
  );
  request.state.statistics.count('auths_count');
  if (verdict === 'right') return valid(user);
  // As documented, and dangerous: without force, every token of such a user passes.
  if (!user.confirmed && !asFlag(request.params['force'])) return valid(user);
  throw new Failure(verdict === 'reused' ? 'tokenReused' : 'tokenInvalid', { top: { token: 'is invalid' } });
}

function valid(user: User): Reply {
  return success({
    message: 'Token is valid.',
    token: 'is valid',
    success: 'true',
    device: user.app ? deviceOf(user) : smsDevice(user),
  });
}

/** For a user without the app nearly nothing is known, not even the address that it was registered from. */
function smsDevice(user: User): Partial<Record<keyof Device, unknown>> {
  const { registration_date, ...device } = deviceOf(user);
  const names = Object.keys(device).filter((name) => name !== 'registration_ip');
  const unknown: Record<string, null> = Object.fromEntries(names.map((name) => [name, null]));
  return { ...unknown, os_type: 'sms', registration_date };
}

function isIgnored({ params }: Call, user: User): boolean {
  return user.app && !asFlag(params['force']);
}

function ignored(user: User, message: string): Reply {
  return success({ message, cellphone: maskedPhone(user), device: deviceOf(user).os_type, ignored: true });
}

function maskedPhone({ phone }: User): string {
  return `+${phone.countryCode}-XXX-XXX-XX${phone.national.slice(-2)}`;
}

function sendCode({ state, settings, params, language }: Call, user: User, channel: Channel): void {
  const action = asText(params['action']);
  const purpose = asText(params['action_message']);
  const code = state.users.issueCode(user, channel, action);
  const sender = senderName(settings, language);
  state.messages.send({
    authyId: user.id,
    phone: user.phone.e164,
    to: channel === 'email' ? (user.emails[0] ?? '') : user.phone.e164,
    kind: channel,
    via: channel,
    text:
      purpose === undefined
        ? language.text('message.token', { sender, code })
        : language.text('message.tokenFor', { sender, purpose, code }),
    language: language.tag,
    code,
    action: action ?? null,
    locale: asText(params['locale']) ?? null,
  });
}
