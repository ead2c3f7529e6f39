import type { Endpoint, Outcome } from '../services/authy/endpoint';
import { invalidInput } from './errors';
import { phone, type PhoneRule } from './phone';
import {
  flagOrNull,
  idOf,
  isObject,
  type JsonObject,
  member,
  numberOrNull,
  objectOf,
  objectOrNull,
  textOrNull,
  textsOf,
  untrusted,
} from '../http/response';
import * as input from './validation';
import type { Parser } from './validation';
import { type Entry, listType } from '../node/rows';

/** One input of an operation, and of the node's panel: where it comes from by default and what it may be. */
export interface Input<T, Required extends boolean = boolean> {
  readonly parse: Parser<T>;
  readonly required: Required;
  /** The TypedInput a new node begins with: value and type. */
  readonly default: readonly [value: string, type: string];
  /** Where the panel offers an editable list: what the entries of its rows are together. */
  readonly ofEntries?: (entries: readonly Entry[]) => unknown;
}

export type Inputs = Readonly<Record<string, Input<unknown>>>;

/** The validated values of an operation's inputs. */
export type Values<I extends Inputs> = {
  readonly [K in keyof I]: I[K] extends Input<infer T, infer Required>
    ? Required extends true
      ? T
      : T | undefined
    : never;
};

/** Where an outcome leaves the node, and in which colour the badge says so. */
export type OutcomePort = readonly [output: number, fill: 'green' | 'yellow'];

export interface Operation<
  I extends Inputs = Inputs,
  Name extends string = string,
  Result extends object = object,
> {
  /** The node's type. */
  readonly node: `authy-${string}`;
  readonly inputs: I;
  readonly outcomes: Readonly<Record<Name, OutcomePort>>;
  /** Members of the result that go on in the message beside the payload, so that nodes chain. */
  readonly carries: readonly (keyof Result & string)[];
  readonly authy: Endpoint<Values<I>, Name, Result>;
}

/** Infers the types of one entry, so that each part of it is checked against the others. */
function operation<const I extends Inputs, const Name extends string, Result extends object>(
  entry: Operation<I, Name, Result>,
): Operation<I, Name, Result> {
  return entry;
}

export function required<T>(parse: Parser<T>, value = '', type = 'str'): Input<T, true> {
  return { parse, required: true, default: [value, type] };
}

export function optional<T>(parse: Parser<T>, value = '', type = 'str'): Input<T, false> {
  return { parse, required: false, default: [value, type] };
}

/** An input that a panel edits row by row; without rows it is not given. */
function listed<T>(parse: Parser<T>, ofEntries: (entries: readonly Entry[]) => unknown): Input<T, false> {
  return { ...optional(parse, '[]', listType), ofEntries };
}

// Inputs that several operations share.
const authyId = required(input.authyId, 'authyId', 'msg');
const phoneNumber = required(input.phoneNumber, 'phoneNumber', 'msg');
const countryCode = optional(input.countryCode, 'countryCode', 'msg');
const force = (value: boolean): Input<boolean, false> => optional(input.flag, String(value), 'bool');
const actionText = optional(input.text(255));
/** The languages Authy writes its messages in. Source: https://www.twilio.com/docs/verify/api/v1/verification */
// prettier-ignore
const languages = [
  'af', 'ar', 'ca', 'zh', 'zh-CN', 'zh-HK', 'hr', 'cs', 'da', 'nl', 'en', 'fi', 'fr', 'de', 'el', 'he', 'hi', 'hu',
  'id', 'it', 'ja', 'ko', 'ms', 'nb', 'pl', 'pt-BR', 'pt', 'ro', 'ru', 'es', 'sv', 'tl', 'th', 'tr', 'vi',
] as const;
const locale = optional(input.oneOf(languages));

/** A code by SMS or phone call: the two differ in their path and in nothing else. */
function sendCode(node: 'authy-token-sms' | 'authy-token-call', path: string) {
  return operation({
    node,
    inputs: {
      authyId,
      force: force(false),
      action: actionText,
      actionMessage: actionText,
      locale,
    },
    outcomes: { sent: [0, 'green'], ignored: [0, 'yellow'] },
    carries: ['authyId'],
    authy: {
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
    },
  });
}

/** A phone number in E.164 form and its own country code: what {@link readInputs} makes of what was given. */
interface PhoneValues {
  readonly phoneNumber: string;
  readonly countryCode: string | undefined;
}

/** The phone number and country as Authy takes them: apart. */
function phoneParameters({ phoneNumber, countryCode = '' }: PhoneValues): {
  country_code: string;
  phone_number: string;
} {
  return { country_code: countryCode, phone_number: phoneNumber.slice(`+${countryCode}`.length) };
}

interface PhoneResult {
  phoneNumber: string;
  countryCode: string;
}

/** The phone number and country as results and messages hold them. */
function phoneResult({ phoneNumber, countryCode = '' }: PhoneValues): PhoneResult {
  return { phoneNumber, countryCode };
}

const approvalStatuses = ['approved', 'denied', 'pending', 'expired'] as const;

/**
 * Every operation these nodes offer: its inputs, its outcomes, how Authy is asked and how the answer is read.
 * Source: https://www.twilio.com/docs/authy/api
 */
export const operations = {
  userCreate: operation({
    node: 'authy-user-create',
    inputs: {
      email: required(input.email, 'email', 'msg'),
      phoneNumber,
      countryCode,
      // Authy's own default is to send one; a text message that nobody asked for is not ours.
      sendInstallLink: optional(input.flag, 'false', 'bool'),
    },
    outcomes: { created: [0, 'green'] },
    carries: ['authyId', 'phoneNumber', 'countryCode'],
    authy: {
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
  }),

  userStatus: operation({
    node: 'authy-user-status',
    inputs: { authyId },
    outcomes: { read: [0, 'green'] },
    carries: ['authyId'],
    authy: {
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
          },
        };
      },
    },
  }),

  userUpdate: operation({
    node: 'authy-user-update',
    inputs: { authyId, email: required(input.email, 'email', 'msg') },
    outcomes: { updated: [0, 'green'] },
    carries: ['authyId'],
    authy: {
      method: 'POST',
      paths: ['/protected/json/users/{authyId}/update'],
      repeat: 'repeatable',
      pathValues: ({ authyId }) => ({ authyId }),
      parameters: ({ email }) => ({ email }),
      read: (_answer, { authyId, email }) => ({ outcome: 'updated', result: { authyId, email } }),
    },
  }),

  userDelete: operation({
    node: 'authy-user-delete',
    inputs: { authyId },
    outcomes: { deleted: [0, 'green'] },
    carries: ['authyId'],
    authy: {
      method: 'POST',
      // All three are documented, at different times; the first is the one of today.
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
  }),

  userQr: operation({
    node: 'authy-user-qr',
    inputs: {
      authyId,
      label: optional(input.text(200)),
      size: optional(input.integer(1, 2000), '300', 'num'),
    },
    outcomes: { made: [0, 'green'] },
    carries: ['authyId'],
    authy: {
      method: 'POST',
      paths: ['/protected/json/users/{authyId}/secret'],
      // Each call makes a new secret, and with it the code that was shown before invalid.
      repeat: 'never',
      pathValues: ({ authyId }) => ({ authyId }),
      parameters: ({ label, size }) => ({ label, qr_size: size }),
      read(answer, { authyId }) {
        const qrCode = textOrNull(answer.body, 'qr_code');
        if (qrCode === null) throw untrusted('"qr_code" is missing', answer);
        const { body } = answer;
        return {
          outcome: 'made',
          result: { authyId, qrCode, label: textOrNull(body, 'label'), issuer: textOrNull(body, 'issuer') },
        };
      },
    },
  }),

  userActivity: operation({
    node: 'authy-user-activity',
    inputs: {
      authyId,
      activity: required(
        input.oneOf(['password_reset', 'banned', 'unbanned', 'cookie_login']),
        'password_reset',
      ),
      data: optional(input.dataObject, '{}', 'json'),
    },
    outcomes: { recorded: [0, 'green'] },
    carries: ['authyId'],
    authy: {
      method: 'POST',
      paths: ['/protected/json/users/{authyId}/register_activity'],
      repeat: 'never',
      pathValues: ({ authyId }) => ({ authyId }),
      parameters: ({ activity, data }) => ({ type: activity, data: isEmpty(data) ? undefined : data }),
      read: (_answer, { authyId, activity }) => ({ outcome: 'recorded', result: { authyId, activity } }),
    },
  }),

  tokenSms: sendCode('authy-token-sms', '/protected/json/sms/{authyId}'),

  tokenCall: sendCode('authy-token-call', '/protected/json/call/{authyId}'),

  tokenEmail: operation({
    node: 'authy-token-email',
    inputs: { authyId, force: force(false) },
    outcomes: { sent: [0, 'green'] },
    carries: ['authyId'],
    authy: {
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
  }),

  tokenVerify: operation({
    node: 'authy-token-verify',
    inputs: {
      authyId,
      token: required(input.token, 'payload', 'msg'),
      // Without force Authy accepts any token for a user who has not confirmed a device.
      force: force(true),
      action: actionText,
    },
    outcomes: { valid: [0, 'green'], invalid: [1, 'yellow'] },
    carries: ['authyId'],
    authy: {
      method: 'GET',
      paths: ['/protected/json/verify/{token}/{authyId}'],
      repeat: 'never',
      pathValues: ({ authyId, token }) => ({ authyId, token }),
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
  }),

  phoneStart: operation({
    node: 'authy-phone-start',
    inputs: {
      phoneNumber,
      countryCode,
      via: required(input.oneOf(['sms', 'call']), 'sms'),
      locale,
      codeLength: optional(input.integer(4, 10), '4', 'num'),
      customCode: optional(input.verificationCode),
      customMessage: optional(input.codeTemplate),
    },
    outcomes: { sent: [0, 'green'] },
    carries: ['phoneNumber', 'countryCode', 'verificationId'],
    authy: {
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
  }),

  phoneCheck: operation({
    node: 'authy-phone-check',
    inputs: { phoneNumber, countryCode, code: required(input.verificationCode, 'payload', 'msg') },
    outcomes: { valid: [0, 'green'], invalid: [1, 'yellow'] },
    carries: ['phoneNumber', 'countryCode'],
    authy: {
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
  }),

  phoneStatus: operation({
    node: 'authy-phone-status',
    inputs: {
      verificationId: optional(input.uuid, 'verificationId', 'msg'),
      phoneNumber: optional(input.phoneNumber, 'phoneNumber', 'msg'),
      countryCode,
    },
    outcomes: { read: [0, 'green'] },
    carries: [],
    authy: {
      method: 'GET',
      paths: ['/protected/json/phones/verification/status'],
      repeat: 'read',
      parameters({ verificationId, phoneNumber, countryCode }) {
        if (verificationId !== undefined) return { uuid: verificationId };
        if (phoneNumber !== undefined) return phoneParameters({ phoneNumber, countryCode });
        throw invalidInput('verificationId', 'is missing, and so is phoneNumber: one of the two is needed.');
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
  }),

  phoneInfo: operation({
    node: 'authy-phone-info',
    inputs: { phoneNumber, countryCode },
    outcomes: { read: [0, 'green'] },
    carries: ['phoneNumber', 'countryCode'],
    authy: {
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
  }),

  appDetails: operation({
    node: 'authy-app-details',
    inputs: {},
    outcomes: { read: [0, 'green'] },
    carries: [],
    authy: {
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
  }),

  appStats: operation({
    node: 'authy-app-stats',
    inputs: {},
    outcomes: { read: [0, 'green'] },
    carries: [],
    authy: {
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
  }),

  onetouchSend: operation({
    node: 'authy-onetouch-send',
    inputs: {
      authyId,
      // The strictest limits that any official client keeps: nothing is cut on its way to the phone.
      message: required(input.text(144)),
      details: listed(input.pairs({ label: 20, value: 200 }), Object.fromEntries),
      hiddenDetails: listed(input.pairs({ label: 200, value: 200 }), Object.fromEntries),
      logos: listed(input.logos, (entries) => entries.map(([res, url]) => ({ res, url }))),
      // Authy's default is a day; 0 is "never".
      secondsToExpire: optional(input.integer(0, 31_536_000), '86400', 'num'),
    },
    outcomes: { sent: [0, 'green'] },
    carries: ['approvalId', 'authyId'],
    authy: {
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
        return { outcome: 'sent', result: { approvalId, authyId, status: 'pending' } };
      },
    },
  }),

  onetouchStatus: operation({
    node: 'authy-onetouch-status',
    inputs: { approvalId: required(input.uuid, 'approvalId', 'msg') },
    outcomes: {
      approved: [0, 'green'],
      denied: [1, 'yellow'],
      pending: [2, 'yellow'],
      expired: [3, 'yellow'],
    },
    carries: ['approvalId', 'authyId'],
    authy: {
      method: 'GET',
      paths: ['/onetouch/json/approval_requests/{approvalId}'],
      repeat: 'read',
      pathValues: ({ approvalId }) => ({ approvalId }),
      read(answer, { approvalId }) {
        const request = objectOf(answer, 'approval_request');
        const status = approvalStatuses.find((candidate) => candidate === member(request, 'status'));
        if (status === undefined) throw untrusted('the status is none of the documented ones', answer);
        if (textOrNull(request, 'uuid')?.toLowerCase() !== approvalId.toLowerCase()) {
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
  }),
} as const;

export type OperationName = keyof typeof operations;

/** The result of an operation: what its node puts into `msg.payload`. */
export type ResultOf<N extends OperationName> = ReturnType<(typeof operations)[N]['authy']['read']>['result'];

type Checked = 'valid' | 'invalid';

/** Whether a token was right: `problem` is null if so. */
function tokenOutcome(
  authyId: string,
  problem: 'wrong' | 'reused' | null,
  device: JsonObject | null = null,
): Outcome<Checked, { authyId: string; valid: boolean; reason: typeof problem; device: typeof device }> {
  const valid = problem === null;
  return { outcome: valid ? 'valid' : 'invalid', result: { authyId, valid, reason: problem, device } };
}

/** Whether the code of a phone verification was right: `problem` is null if so. */
function codeOutcome(
  values: PhoneValues,
  problem: 'wrong' | 'notPending' | null,
): Outcome<Checked, PhoneResult & { valid: boolean; reason: typeof problem }> {
  const valid = problem === null;
  return { outcome: valid ? 'valid' : 'invalid', result: { ...phoneResult(values), valid, reason: problem } };
}

function isEmpty(object: object | undefined): boolean {
  return object === undefined || Object.keys(object).length === 0;
}

/**
 * Validates an operation's inputs. A phone number and its country code become what is meant by the two of them.
 *
 * @param entry - the operation
 * @param raw - what came from outside, by input name; blank is undefined, null or the empty text
 * @param phones - what a phone number has to be
 * @throws AuthyError - `AUTHY_INVALID_INPUT`, naming the input
 */
export function readInputs<I extends Inputs>(
  entry: Pick<Operation<I>, 'inputs'>,
  raw: Readonly<Record<string, unknown>>,
  phones: PhoneRule = 'valid',
): Values<I> {
  const values: Record<string, unknown> = {};
  for (const [name, { parse, required }] of Object.entries(entry.inputs)) {
    const value = raw[name];
    if (value !== undefined && value !== null && value !== '') values[name] = parse(value, name);
    else if (required) throw invalidInput(name, 'is missing.');
  }
  const { phoneNumber, countryCode } = values as Partial<PhoneValues>;
  if (phoneNumber !== undefined) {
    const meant = phone(phoneNumber, countryCode, phones);
    Object.assign(values, { phoneNumber: meant.e164, countryCode: meant.countryCode });
  }
  return values as Values<I>;
}
