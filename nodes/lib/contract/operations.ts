import { invalidInput, missingInput } from './errors';
import type { OperationName, Results } from './results';
import * as input from './validation';
import type { Parser } from './validation';

/** One input of an operation, and of the node's panel: where it comes from by default and what it may be. */
export interface Input<T, Required extends boolean = boolean> {
  readonly parse: Parser<T>;
  readonly required: Required;
  /** The TypedInput a new node begins with: value and type. */
  readonly default: readonly [value: string, type: string];
  /** Where it comes from, if that is not plain: a sentence for whoever lacks it. */
  readonly origin?: string;
  /** For an input that the panel offers as an editable list: makes one value of the entries of its rows. */
  readonly ofEntries?: (entries: readonly Entry[]) => unknown;
}

/** The type of a TypedInput whose value is an editable list in the panel. */
export const listType = 'list';

/** A row of such a list: its name and its value. */
export type Entry = readonly [name: string, value: unknown];

export type Inputs = Readonly<Record<string, Input<unknown>>>;

/** The validated values of inputs. */
export type Values<I extends Inputs> = {
  readonly [K in keyof I as I[K] extends Input<unknown, true> ? K : never]: ValueOf<I[K]>;
} & {
  readonly [K in keyof I as I[K] extends Input<unknown, true> ? never : K]?: ValueOf<I[K]> | undefined;
};

type ValueOf<I> = I extends Input<infer T> ? T : never;

/** Where an outcome leaves the node, and in which colour the badge says so. */
export type OutcomePort = readonly [output: number, fill: 'green' | 'yellow'];

/** One operation of any service: its inputs and its outcomes, but not how it is carried out. */
export interface Operation<Carried extends string = string> {
  /** The node's type. */
  readonly node: `authy-${string}`;
  readonly inputs: Inputs;
  /** All outcomes. Anything else that a service reports is an error, and leaves by no output. */
  readonly outcomes: Readonly<Record<string, OutcomePort>>;
  /** Members of the result that go on in the message beside the payload, so that nodes chain. */
  readonly carries: readonly Carried[];
  /** Checks the inputs together. @throws AuthyError - `AUTHY_INVALID_INPUT` */
  check?(values: Readonly<Record<string, unknown>>): void;
}

export function required<T>(parse: Parser<T>, value = '', type = 'str'): Input<T, true> {
  return { parse, required: true, default: [value, type] };
}

export function optional<T>(parse: Parser<T>, value = '', type = 'str'): Input<T, false> {
  return { parse, required: false, default: [value, type] };
}

/** An input that a panel edits row by row; without rows it has no value. */
function listed<T>(parse: Parser<T>, ofEntries: (entries: readonly Entry[]) => unknown): Input<T, false> {
  return { ...optional(parse, '[]', listType), ofEntries };
}

// Inputs that several operations share.
const authyId = {
  ...required(input.authyId, 'authyId', 'msg'),
  origin: 'It comes from the node “create user”, or from the sidebar “Authy people”.',
};
const phoneNumber = required(input.phoneNumber, 'phoneNumber', 'msg');
const countryCode = optional(input.countryCode, 'countryCode', 'msg');
const force = (value: boolean): Input<boolean, false> => optional(input.flag, String(value), 'bool');
const actionText = optional(input.text(255));
/** The languages that messages are written in. Source: https://www.twilio.com/docs/verify/api/v1/verification */
// prettier-ignore
export const languages = [
  'af', 'ar', 'ca', 'zh', 'zh-CN', 'zh-HK', 'hr', 'cs', 'da', 'nl', 'en', 'fi', 'fr', 'de', 'el', 'he', 'hi', 'hu',
  'id', 'it', 'ja', 'ko', 'ms', 'nb', 'pl', 'pt-BR', 'pt', 'ro', 'ru', 'es', 'sv', 'tl', 'th', 'tr', 'vi',
] as const;
const locale = optional(input.language(languages));

/** How far an answer on this Node-RED's own page can be trusted, see `Grade`. */
export const grades = ['passkey', 'code'] as const;

/** A code by SMS or phone call: the two differ only in their node. */
const sentCode = {
  inputs: {
    authyId,
    force: force(false),
    action: actionText,
    actionMessage: actionText,
    locale,
  },
  outcomes: { sent: [0, 'green'], ignored: [0, 'yellow'] },
  carries: ['authyId'],
} as const;

/**
 * THE table: every operation these nodes offer, with its inputs and its outcomes. Their results are in `results.ts`;
 * each service says how it carries them out (`services/`).
 */
export const operations = {
  userCreate: {
    node: 'authy-user-create',
    inputs: {
      email: required(input.email, 'email', 'msg'),
      phoneNumber,
      countryCode,
      // Authy's own default is to send one; these nodes send no text message that nobody asked for.
      sendInstallLink: optional(input.flag, 'false', 'bool'),
    },
    outcomes: { created: [0, 'green'] },
    carries: ['authyId', 'phoneNumber', 'countryCode'],
  },

  userStatus: {
    node: 'authy-user-status',
    inputs: { authyId },
    outcomes: { read: [0, 'green'] },
    carries: ['authyId'],
  },

  userUpdate: {
    node: 'authy-user-update',
    inputs: { authyId, email: required(input.email, 'email', 'msg') },
    outcomes: { updated: [0, 'green'] },
    carries: ['authyId'],
  },

  userDelete: {
    node: 'authy-user-delete',
    inputs: { authyId },
    outcomes: { deleted: [0, 'green'] },
    carries: ['authyId'],
  },

  userExport: {
    node: 'authy-user-export',
    // Whoever has a secret can make the codes: it is in a message only if somebody has asked for it.
    inputs: { authyId, includeSecret: optional(input.flag, 'false', 'bool') },
    outcomes: { read: [0, 'green'] },
    carries: ['authyId', 'phoneNumber', 'countryCode'],
  },

  userImport: {
    node: 'authy-user-import',
    inputs: {
      authyId,
      phoneNumber,
      countryCode,
      email: optional(input.email, 'email', 'msg'),
      totpSecret: optional(input.totpSecret, 'payload.totpSecret', 'msg'),
      token: optional(input.token, 'payload.token', 'msg'),
    },
    outcomes: { imported: [0, 'green'] },
    carries: ['authyId', 'phoneNumber', 'countryCode'],
    check({ totpSecret, token }) {
      if (token === undefined || totpSecret !== undefined) return;
      throw invalidInput(
        'token',
        'is there without the secret whose code it is. Give that as well, or no token.',
      );
    },
  },

  userQr: {
    node: 'authy-user-qr',
    inputs: {
      authyId,
      label: optional(input.text(200)),
      size: optional(input.integer(1, 2000), '300', 'num'),
    },
    outcomes: { made: [0, 'green'] },
    carries: ['authyId'],
  },

  userActivity: {
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
  },

  tokenSms: { node: 'authy-token-sms', ...sentCode },

  tokenCall: { node: 'authy-token-call', ...sentCode },

  tokenEmail: {
    node: 'authy-token-email',
    inputs: { authyId, force: force(false) },
    outcomes: { sent: [0, 'green'] },
    carries: ['authyId'],
  },

  tokenVerify: {
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
  },

  phoneStart: {
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
  },

  phoneCheck: {
    node: 'authy-phone-check',
    inputs: { phoneNumber, countryCode, code: required(input.verificationCode, 'payload', 'msg') },
    outcomes: { valid: [0, 'green'], invalid: [1, 'yellow'] },
    carries: ['phoneNumber', 'countryCode'],
  },

  phoneStatus: {
    node: 'authy-phone-status',
    inputs: {
      verificationId: optional(input.uuid, 'verificationId', 'msg'),
      phoneNumber: optional(input.phoneNumber, 'phoneNumber', 'msg'),
      countryCode,
    },
    outcomes: { read: [0, 'green'] },
    carries: [],
    check({ verificationId, phoneNumber }) {
      if (verificationId !== undefined || phoneNumber !== undefined) return;
      throw missingInput(
        'verificationId',
        'is missing, and so is the phone number. One of the two is needed.',
      );
    },
  },

  phoneInfo: {
    node: 'authy-phone-info',
    inputs: { phoneNumber, countryCode },
    outcomes: { read: [0, 'green'] },
    carries: ['phoneNumber', 'countryCode'],
  },

  appDetails: {
    node: 'authy-app-details',
    inputs: {},
    outcomes: { read: [0, 'green'] },
    carries: [],
  },

  appStats: {
    node: 'authy-app-stats',
    inputs: {},
    outcomes: { read: [0, 'green'] },
    carries: [],
  },

  userInvite: {
    node: 'authy-user-invite',
    inputs: { authyId },
    outcomes: { invited: [0, 'green'] },
    carries: ['authyId'],
  },

  onetouchSend: {
    node: 'authy-onetouch-send',
    inputs: {
      authyId,
      // The strictest limits of all official clients: nothing is cut on its way to the phone.
      message: required(input.text(144)),
      details: listed(input.pairs({ label: 20, value: 200 }), Object.fromEntries),
      hiddenDetails: listed(input.pairs({ label: 200, value: 200 }), Object.fromEntries),
      logos: listed(input.logos, (entries) => entries.map(([res, url]) => ({ res, url }))),
      // Authy's default is a day; 0 is "never".
      secondsToExpire: optional(input.integer(0, 31_536_000), '86400', 'num'),
      // Blank: an answer of any grade counts.
      atLeast: optional(input.oneOf(grades)),
    },
    outcomes: { sent: [0, 'green'] },
    carries: ['approvalId', 'authyId'],
  },

  onetouchStatus: {
    node: 'authy-onetouch-status',
    inputs: { approvalId: required(input.uuid, 'approvalId', 'msg') },
    outcomes: {
      approved: [0, 'green'],
      denied: [1, 'yellow'],
      pending: [2, 'yellow'],
      expired: [3, 'yellow'],
    },
    carries: ['approvalId', 'authyId'],
  },
} as const satisfies { readonly [N in OperationName]: Operation<keyof Results[N] & string> };

/** The validated values of an operation's inputs. */
export type ValuesOf<N extends OperationName> = Values<(typeof operations)[N]['inputs']>;

/** The outcomes of an operation. */
export type OutcomeOf<N extends OperationName> = keyof (typeof operations)[N]['outcomes'] & string;

/** Where an outcome leaves the node; undefined if the operation has no such outcome. */
export function portOf(name: OperationName, outcome: string): OutcomePort | undefined {
  const { outcomes }: Operation = operations[name];
  return Object.hasOwn(outcomes, outcome) ? outcomes[outcome] : undefined;
}
