import {
  flagOrNull,
  isObject,
  type JsonObject,
  member,
  numberOrNull,
  objectOrNull,
  textOrNull,
  textsOf,
} from '../../contract/json';
import type { OutcomeOf, ValuesOf } from '../../contract/operations';
import { digits } from '../../contract/validation';
import type { OperationName, PhoneResult, ResultOf } from '../../contract/results';
import type { DoneBy } from '../../contract/service';
import type { abilities } from './abilities';
import { idOf, objectOf, untrusted } from './answer';
import { phoneExport } from './export';
import type { Endpoint, Outcome } from './endpoint';

/** A phone number in E.164 format and its own country code, as `readInputs` makes them from the inputs. */
interface PhoneValues {
  readonly phoneNumber: string;
  readonly countryCode?: string | undefined;
}

/** The phone number and country as Authy takes them: separately. */
function phoneParameters({ phoneNumber, countryCode = '' }: PhoneValues): {
  country_code: string;
  phone_number: string;
} {
  return { country_code: countryCode, phone_number: phoneNumber.slice(`+${countryCode}`.length) };
}

/** The phone number and country as results and messages hold them. */
function phoneResult({ phoneNumber, countryCode = '' }: PhoneValues): PhoneResult {
  return { phoneNumber, countryCode };
}

const approvalStatuses = ['approved', 'denied', 'pending', 'expired'] as const;

/** Authy has no shorter ones. */
const authyToken = digits(/^[0-9]{6,12}$/, 'a token of 6 to 12 digits');

/** A code by SMS or phone call: the two differ only in their path. */
function sendCode(path: string): EndpointOf<'tokenSms'> {
  return {
    method: 'GET',
    paths: [path],
    repeat: 'never',
    pathValues: ({ authyId }) => ({ authyId }),
    parameters: ({ force, action, actionMessage, locale }) => ({
      force,
      action,
      action_message: actionMessage,
      locale,
    }),
    read({ body }, { authyId }) {
      // The user has the Authy app and would not need the code: nothing was sent.
      const ignored = member(body, 'ignored') === true || member(body, 'ignored') === 'true';
      return {
        outcome: ignored ? 'ignored' : 'sent',
        result: {
          authyId,
          sent: !ignored,
          ignored,
          maskedPhone: textOrNull(body, 'cellphone'),
          device: textOrNull(body, 'device'),
        },
      };
    },
  };
}

/** How Authy is asked each operation, and how its answer is read. Source: https://www.twilio.com/docs/authy/api */
export const endpoints: { readonly [N in DoneBy<typeof abilities>]: EndpointOf<N> } = {
  userCreate: {
    method: 'POST',
    paths: ['/protected/json/users/new'],
    repeat: 'repeatable',
    parameters(values) {
      const { country_code, phone_number } = phoneParameters(values);
      return {
        user: { email: values.email, cellphone: phone_number, country_code },
        send_install_link_via_sms: values.sendInstallLink ?? false,
      };
    },
    read: (answer, values) => ({
      outcome: 'created',
      result: { authyId: idOf(objectOf(answer, 'user'), 'id', answer), ...phoneResult(values) },
    }),
  },

  userStatus: {
    method: 'GET',
    paths: ['/protected/json/users/{authyId}/status'],
    repeat: 'read',
    pathValues: ({ authyId }) => ({ authyId }),
    read(answer, { authyId }) {
      const status = objectOf(answer, 'status');
      if (idOf(status, 'authy_id', answer) !== authyId) throw untrusted('it is about another user', answer);
      const code = numberOrNull(status, 'country_code');
      return {
        outcome: 'read',
        result: {
          authyId,
          confirmed: flagOrNull(status, 'confirmed'),
          registered: flagOrNull(status, 'registered'),
          maskedPhone: textOrNull(status, 'phone_number'),
          countryCode: code === null ? null : String(code),
          email: textOrNull(status, 'email'),
          devices: textsOf(status, 'devices'),
          hasHardToken: flagOrNull(status, 'has_hard_token'),
          accountDisabled: flagOrNull(status, 'account_disabled'),
          identity: null,
        },
      };
    },
  },

  userUpdate: {
    method: 'POST',
    paths: ['/protected/json/users/{authyId}/update'],
    repeat: 'repeatable',
    pathValues: ({ authyId }) => ({ authyId }),
    parameters: ({ email }) => ({ email }),
    read: (_answer, { authyId, email }) => ({ outcome: 'updated', result: { authyId, email } }),
  },

  userDelete: {
    method: 'POST',
    // All three were documented, at different times; the first is today's.
    paths: [
      '/protected/json/users/{authyId}/remove',
      '/protected/json/users/{authyId}/delete',
      '/protected/json/users/delete/{authyId}',
    ],
    repeat: 'repeatable',
    pathValues: ({ authyId }) => ({ authyId }),
    read: (_answer, { authyId }) => ({ outcome: 'deleted', result: { authyId, deleted: true } }),
    doneBefore: {
      60026: (_answer, { authyId }) => ({ outcome: 'deleted', result: { authyId, deleted: true } }),
    },
  },

  userExport: phoneExport,

  userQr: {
    method: 'POST',
    paths: ['/protected/json/users/{authyId}/secret'],
    // Each call makes a new secret, so the code shown before is invalid.
    repeat: 'never',
    pathValues: ({ authyId }) => ({ authyId }),
    parameters: ({ label, size }) => ({ label, qr_size: size }),
    read(answer, { authyId }) {
      const qrCode = textOrNull(answer.body, 'qr_code');
      if (qrCode === null) throw untrusted('"qr_code" is missing', answer);
      const { body } = answer;
      return {
        outcome: 'made',
        result: {
          authyId,
          qrCode,
          label: textOrNull(body, 'label'),
          issuer: textOrNull(body, 'issuer'),
          recoveryCodes: null,
        },
      };
    },
  },

  userActivity: {
    method: 'POST',
    paths: ['/protected/json/users/{authyId}/register_activity'],
    repeat: 'never',
    pathValues: ({ authyId }) => ({ authyId }),
    parameters: ({ activity, data }) => ({ type: activity, data: isEmpty(data) ? undefined : data }),
    read: (_answer, { authyId, activity }) => ({ outcome: 'recorded', result: { authyId, activity } }),
  },

  tokenSms: sendCode('/protected/json/sms/{authyId}'),

  tokenCall: sendCode('/protected/json/call/{authyId}'),

  tokenEmail: {
    method: 'POST',
    paths: ['/protected/json/email/{authyId}'],
    repeat: 'never',
    pathValues: ({ authyId }) => ({ authyId }),
    parameters: ({ force }) => ({ force }),
    read: ({ body }, { authyId }) => ({
      outcome: 'sent',
      result: {
        authyId,
        sent: true,
        email: textOrNull(body, 'email'),
        emailId: textOrNull(body, 'email_id'),
      },
    }),
  },

  tokenVerify: {
    method: 'GET',
    paths: ['/protected/json/verify/{token}/{authyId}'],
    repeat: 'never',
    pathValues: ({ authyId, token }) => ({ authyId, token: authyToken(token, 'token') }),
    parameters: ({ force, action }) => ({ force: force ?? true, action }),
    read(answer, { authyId }) {
      if (member(answer.body, 'token') !== 'is valid') throw untrusted('"token" is not "is valid"', answer);
      return tokenOutcome(authyId, null, objectOrNull(answer.body, 'device'));
    },
    refusals: {
      60019: (_answer, { authyId }) => tokenOutcome(authyId, 'reused'),
      60020: (_answer, { authyId }) => tokenOutcome(authyId, 'wrong'),
    },
    unnumbered: [
      [401, /^Token is invalid\. Token was used recently\.?$/, '60019'],
      [401, /^Token is invalid\.?$/, '60020'],
    ],
  },

  phoneStart: {
    method: 'POST',
    paths: ['/protected/json/phones/verification/start'],
    repeat: 'never',
    parameters: (values) => ({
      ...phoneParameters(values),
      via: values.via,
      locale: values.locale,
      code_length: values.codeLength,
      custom_code: values.customCode,
      custom_message: values.customMessage,
    }),
    read: ({ body }, values) => ({
      outcome: 'sent',
      result: {
        ...phoneResult(values),
        via: values.via,
        verificationId: textOrNull(body, 'uuid'),
        secondsToExpire: numberOrNull(body, 'seconds_to_expire'),
        carrier: textOrNull(body, 'carrier'),
        isCellphone: flagOrNull(body, 'is_cellphone'),
        isPorted: flagOrNull(body, 'is_ported'),
      },
    }),
  },

  phoneCheck: {
    method: 'GET',
    paths: ['/protected/json/phones/verification/check'],
    repeat: 'never',
    parameters: (values) => ({ ...phoneParameters(values), verification_code: values.code }),
    read: (_answer, values) => codeOutcome(values, null),
    refusals: {
      60022: (_answer, values) => codeOutcome(values, 'wrong'),
      // Expired, verified already, or given up after too many attempts: the answer to "is it right?" is no.
      60023: (_answer, values) => codeOutcome(values, 'notPending'),
    },
    unnumbered: [
      [401, /^Verification code is incorrect\.?$/, '60022'],
      [404, /^No pending verifications for [+0-9 ()-]+ found\.?$/, '60023'],
    ],
  },

  phoneStatus: {
    method: 'GET',
    paths: ['/protected/json/phones/verification/status'],
    repeat: 'read',
    parameters({ verificationId, phoneNumber = '', countryCode }) {
      if (verificationId !== undefined) return { uuid: verificationId };
      return phoneParameters({ phoneNumber, countryCode });
    },
    read(answer) {
      const status = textOrNull(answer.body, 'status');
      if (status !== 'verified' && status !== 'pending' && status !== 'expired') {
        throw untrusted('"status" is not one of verified, pending, expired', answer);
      }
      return {
        outcome: 'read',
        result: { status, secondsToExpire: numberOrNull(answer.body, 'seconds_to_expire') },
      };
    },
  },

  phoneInfo: {
    method: 'GET',
    paths: ['/protected/json/phones/info'],
    repeat: 'readBilled',
    parameters: phoneParameters,
    read: ({ body }, values) => ({
      outcome: 'read',
      result: {
        ...phoneResult(values),
        type: textOrNull(body, 'type'),
        provider: textOrNull(body, 'provider'),
        ported: flagOrNull(body, 'ported'),
      },
    }),
  },

  appDetails: {
    method: 'GET',
    paths: ['/protected/json/app/details'],
    repeat: 'read',
    read(answer) {
      const app = objectOf(answer, 'app');
      return {
        outcome: 'read',
        result: {
          appId: numberOrNull(app, 'app_id'),
          name: textOrNull(app, 'name'),
          plan: textOrNull(app, 'plan'),
          smsEnabled: flagOrNull(app, 'sms_enabled'),
          phoneCallsEnabled: flagOrNull(app, 'phone_calls_enabled'),
          onetouchEnabled: flagOrNull(app, 'onetouch_enabled'),
        },
      };
    },
  },

  appStats: {
    method: 'GET',
    paths: ['/protected/json/app/stats'],
    repeat: 'read',
    read(answer) {
      const months = member(answer.body, 'stats');
      if (!Array.isArray(months)) throw untrusted('"stats" is missing', answer);
      return {
        outcome: 'read',
        result: {
          appId: numberOrNull(answer.body, 'app_id'),
          totalUsers: numberOrNull(answer.body, 'total_users'),
          months: months.filter(isObject).map((month) => ({
            month: textOrNull(month, 'month'),
            year: numberOrNull(month, 'year'),
            smsCount: numberOrNull(month, 'sms_count'),
            callsCount: numberOrNull(month, 'calls_count'),
            usersCount: numberOrNull(month, 'users_count'),
            authsCount: numberOrNull(month, 'auths_count'),
            apiCallsCount: numberOrNull(month, 'api_calls_count'),
          })),
        },
      };
    },
  },

  onetouchSend: {
    method: 'POST',
    paths: ['/onetouch/json/users/{authyId}/approval_requests'],
    repeat: 'never',
    pathValues: ({ authyId }) => ({ authyId }),
    parameters: ({ message, details, hiddenDetails, logos, secondsToExpire }) => ({
      message,
      details: isEmpty(details) ? undefined : details,
      hidden_details: isEmpty(hiddenDetails) ? undefined : hiddenDetails,
      logos: logos?.length === 0 ? undefined : logos,
      seconds_to_expire: secondsToExpire,
    }),
    read(answer, { authyId }) {
      const approvalId = textOrNull(objectOf(answer, 'approval_request'), 'uuid');
      if (approvalId === null || approvalId === '')
        throw untrusted('the approval request has no uuid', answer);
      return {
        outcome: 'sent',
        result: { approvalId: approvalId.toLowerCase(), authyId, status: 'pending' },
      };
    },
  },

  onetouchStatus: {
    method: 'GET',
    paths: ['/onetouch/json/approval_requests/{approvalId}'],
    repeat: 'read',
    pathValues: ({ approvalId }) => ({ approvalId }),
    read(answer, { approvalId }) {
      const request = objectOf(answer, 'approval_request');
      const status = approvalStatuses.find((candidate) => candidate === member(request, 'status'));
      if (status === undefined) throw untrusted('the status is none of the documented ones', answer);
      if (textOrNull(request, 'uuid')?.toLowerCase() !== approvalId) {
        throw untrusted('it is about another approval request', answer);
      }
      return {
        outcome: status,
        result: {
          approvalId,
          authyId: idOf(request, '_authy_id', answer),
          status,
          notified: flagOrNull(request, 'notified'),
          createdAt: textOrNull(request, 'created_at'),
          processedAt: textOrNull(request, 'processed_at'),
          secondsToExpire: numberOrNull(request, 'seconds_to_expire'),
        },
      };
    },
  },
};

/** An operation's endpoint at Authy. */
export type EndpointOf<N extends OperationName> = Endpoint<ValuesOf<N>, OutcomeOf<N>, ResultOf<N>>;

/** Whether a token was right: `problem` is null if so. */
function tokenOutcome(
  authyId: string,
  problem: 'wrong' | 'reused' | null,
  device: JsonObject | null = null,
): Outcome<OutcomeOf<'tokenVerify'>, ResultOf<'tokenVerify'>> {
  const valid = problem === null;
  return { outcome: valid ? 'valid' : 'invalid', result: { authyId, valid, reason: problem, device } };
}

/** Whether the code of a phone verification was right: `problem` is null if so. */
function codeOutcome(
  values: PhoneValues,
  problem: 'wrong' | 'notPending' | null,
): Outcome<OutcomeOf<'phoneCheck'>, ResultOf<'phoneCheck'>> {
  const valid = problem === null;
  return { outcome: valid ? 'valid' : 'invalid', result: { ...phoneResult(values), valid, reason: problem } };
}

function isEmpty(object: object | undefined): boolean {
  return object === undefined || Object.keys(object).length === 0;
}
