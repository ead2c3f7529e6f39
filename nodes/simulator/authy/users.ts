import { qrPicture } from '../../lib/authenticator/qr-picture';
import { asFlag, asInteger, asObject, asText } from '../parameters';
import { deviceOf } from '../device';
import { isoSeconds } from '../iso-time';
import { readPhone } from '../phone-numbers';
import type { Reply } from '../reply';
import { isEmail } from '../email';
import { senderName } from '../sender-name';
import { Authenticator } from '../state/authenticator';
import type { User } from '../state/users';
import { type Call, type CallRoute, invalidParameter, requiredText, userOf } from './call';
import { Failure, success } from './replies';

/** Width and height of a QR code in pixels. The default is authy-ruby's; the maximum is the simulator's. */
const qrSize = { default: 300, max: 2000 };

/** Fits into a QR code, whatever its characters. */
const longestLabel = 200;

const activityTypes = ['password_reset', 'banned', 'unbanned', 'cookie_login'];

/** The users of the application: rows U1 to U9 of Authy's endpoints. */
export const userRoutes: readonly CallRoute[] = [
  { method: 'POST', path: '/protected/json/users/new', handle: create },
  { method: 'GET', path: '/protected/json/users/{id}/status', handle: status },
  { method: 'POST', path: '/protected/json/users/{id}/update', handle: update },
  // Three paths, each in use by some official client.
  { method: 'POST', path: '/protected/json/users/{id}/remove', handle: remove },
  { method: 'POST', path: '/protected/json/users/{id}/delete', handle: remove },
  { method: 'POST', path: '/protected/json/users/delete/{id}', handle: remove },
  { method: 'POST', path: '/protected/json/users/{id}/secret', handle: secret },
  { method: 'GET', path: '/protected/json/users/{id}/secret/export', handle: exportSecret },
  { method: 'GET', path: '/protected/json/users/{id}/phone_number', handle: exportPhoneNumber },
  { method: 'POST', path: '/protected/json/users/{id}/register_activity', handle: registerActivity },
  { method: 'GET', path: '/protected/json/registrations/status', handle: registrationStatus },
];

function create({ state, settings, params, language }: Call): Reply {
  const form = asObject(params['user']) ?? {};
  const email = asText(form['email']) ?? '';
  const phone = readPhone(asText(form['country_code']) ?? '', asText(form['cellphone']) ?? '');
  const fields = {
    ...(isEmail(email) ? {} : { email: 'is invalid' }),
    ...(phone === 'country' ? { country_code: 'is invalid' } : {}),
    ...(phone === 'number' ? { cellphone: 'is invalid' } : {}),
  };
  if (typeof phone === 'string' || Object.keys(fields).length > 0)
    throw new Failure('userNotValid', { fields });
  const { user, isNew } = state.users.register(phone, email);
  if (isNew) state.statistics.count('users_count');
  // On unless switched off; authy-php puts the switch inside `user`, where Authy ignores it.
  if (asFlag(params['send_install_link_via_sms'] ?? true)) {
    state.messages.send({
      authyId: user.id,
      phone: phone.e164,
      to: phone.e164,
      kind: 'install',
      via: 'sms',
      text: language.text('message.install', { sender: senderName(settings, language) }),
      language: language.tag,
    });
  }
  return success({ message: 'User created successfully.', user: { id: user.id } });
}

function status(call: Call): Reply {
  const user = userOf(call);
  const { national, countryCode } = user.phone;
  return success({
    status: {
      authy_id: user.id,
      confirmed: user.confirmed,
      registered: user.app,
      country_code: Number(countryCode),
      phone_number: `XXX-XXX-${national.slice(-4)}`,
      email: user.emails[0],
      devices: user.app ? [deviceOf(user).os_type] : [],
      has_hard_token: false,
      account_disabled: false,
      detailed_devices: [detailedDevice(user)],
      deleted_devices: [],
    },
    message: 'User status.',
  });
}

/** Every user has one, also users without the app. */
function detailedDevice(user: User): object {
  const device = deviceOf(user);
  const { app } = user;
  return {
    device_type: 'authy',
    os_type: app ? device.os_type : 'unknown',
    creation_date: device.registration_date,
    registration_device_id: app ? device.id : null,
    registration_method: app ? device.registration_method : null,
    device_id: app ? device.id : null,
    last_sync_date: app ? device.last_sync_date : null,
  };
}

function update(call: Call): Reply {
  const user = userOf(call);
  const email = asText(call.params['email']) ?? '';
  if (!isEmail(email)) throw new Failure('userNotValid', { fields: { email: 'is invalid' } });
  user.emails = [email, ...user.emails.slice(1).filter((other) => other !== email)];
  return success({ message: 'User was updated successfully' });
}

/** Authy takes a day to remove a user; the simulator does it at once, so that it can be seen. */
function remove(call: Call): Reply {
  const user = userOf(call);
  call.state.approvals.withdrawAll(user);
  call.state.users.remove(user);
  return success({ message: 'User was added to remove.' });
}

/**
 * Authy answers the address of a picture. Here it holds the picture itself: an address of the simulator's own leads nowhere on
 * another machine.
 */
function secret(call: Call): Reply {
  const user = userOf(call);
  const size = asInteger(call.params['qr_size']) ?? qrSize.default;
  if (!(size >= 1 && size <= qrSize.max)) {
    throw invalidParameter('qr_size', `Parameter must be an integer from 1 to ${qrSize.max}`);
  }
  const issuer = call.settings.appName;
  const label = asText(call.params['label']) ?? user.emails[0] ?? user.phone.e164;
  if (label.length > longestLabel) {
    throw invalidParameter('label', `Parameter must have at most ${longestLabel} characters`);
  }
  // A new secret each time: a picture that was shown before is invalid from now on.
  const authenticator = (user.authenticator = new Authenticator());
  user.hasQrCode = true;
  return success({ label, issuer, qr_code: qrPicture(authenticator.uri(issuer, label), size) });
}

/**
 * Source: https://www.twilio.com/docs/authy/export-totp-secret-seed-for-migrating-to-verify-totp. It is for authenticator apps,
 * not for the Authy app; what Authy answers for a user without one is not documented.
 */
function exportSecret(call: Call): Reply {
  const { authenticator, hasQrCode } = userOf(call);
  if (!hasQrCode) throw new Failure('authenticatorNotFound');
  const { code: otp } = authenticator.current(6, call.state.now());
  return success({ secret: authenticator.base32, otp });
}

/**
 * The only answer of Authy's without `success`.
 *
 * Source: https://www.twilio.com/docs/authy/export-api-for-authy-user-phone-numbers
 */
function exportPhoneNumber(call: Call): Reply {
  const { phone, createdAt } = userOf(call);
  const body = {
    phone_number: phone.written.replace(/^\+\d+ /, ''),
    country_code: phone.countryCode,
    e164: phone.e164,
    updated_at: isoSeconds(createdAt),
  };
  return { status: 200, body };
}

function registerActivity(call: Call): Reply {
  const user = userOf(call);
  const type = asText(call.params['type']) ?? '';
  if (!activityTypes.includes(type)) {
    throw new Failure('activityNotCreated', {
      message: `You can only create the following activities: ${activityTypes.join(', ')}`,
    });
  }
  user.activities.add({ at: call.state.now(), type, data: asObject(call.params['data']) ?? {} });
  return success({ message: 'Activity was created.' });
}

/** For users who register their own phone with an SDK: the simulator has none. */
function registrationStatus({ params }: Call): Reply {
  requiredText(params, 'custom_user_id');
  throw new Failure('registrationNotFound');
}
