// What the help of each node shows as its example: a message that comes in, and the one that goes out.
import { type OutcomeOf, operations, type Operation } from '../nodes/lib/contract/operations';
import type { OperationName, ResultOf } from '../nodes/lib/contract/results';

export type Message = Readonly<Record<string, unknown>>;

/** The example of a node. */
export interface HelpExample {
  /** Absent where nothing comes in. */
  readonly in?: Message;
  readonly out?: Message;
  /** The name of the output, where there are several. */
  readonly by?: string;
  /** Of an account, which no message goes through: some of its settings, by their labels. */
  readonly settings?: Readonly<Record<string, string>>;
}

const authyId = '12345678';
const phone = { phoneNumber: '+13175550123', countryCode: '1' };
const approvalId = '8f2c4a1e-6f0b-4d7e-9c55-1b0a7d3e2f64';
const verificationId = '3b9d7c52-0a4e-4f18-8d61-5e2f9a7c4b30';
const email = 'maria@example.com';
const sent = { sent: true, ignored: false, maskedPhone: '+1-XXX-XXX-XX23', device: null };

/** A text of a catalogue in the language of the help, with values for its placeholders. */
export type Text = (catalogue: string, key: string, values?: Readonly<Record<string, string>>) => string;

/** What goes into each operation, by the defaults of a new node, and what it comes to. The compiler holds it to the contract. */
const ofOperations: {
  readonly [N in OperationName]: {
    readonly in: Message;
    readonly result: ResultOf<N>;
    readonly outcome: OutcomeOf<N>;
  };
} = {
  userCreate: {
    in: { email, phoneNumber: phone.phoneNumber },
    result: { authyId, ...phone },
    outcome: 'created',
  },
  userStatus: {
    in: { authyId },
    result: {
      authyId,
      confirmed: true,
      registered: true,
      maskedPhone: sent.maskedPhone,
      countryCode: phone.countryCode,
      email,
      devices: ['android'],
      hasHardToken: false,
      accountDisabled: false,
      identity: null,
    },
    outcome: 'read',
  },
  userUpdate: { in: { authyId, email }, result: { authyId, email }, outcome: 'updated' },
  userDelete: { in: { authyId }, result: { authyId, deleted: true }, outcome: 'deleted' },
  userExport: {
    in: { authyId },
    result: { authyId, ...phone, totpSecret: null, token: null },
    outcome: 'read',
  },
  userImport: {
    in: { authyId, phoneNumber: phone.phoneNumber, payload: { totpSecret: 'JBSWY3DPEHPK3PXP' } },
    result: { authyId, ...phone, authenticator: 'imported' },
    outcome: 'imported',
  },
  userInvite: {
    in: { authyId },
    result: {
      authyId,
      url: 'https://home.example/approve/#i=…',
      qrCode: 'data:image/svg+xml;base64,…',
      expiresAt: '2026-11-28T12:10:00.000Z',
    },
    outcome: 'invited',
  },
  userQr: {
    in: { authyId },
    result: {
      authyId,
      qrCode: 'data:image/svg+xml;base64,…',
      label: email,
      issuer: 'Garage',
      recoveryCodes: ['482915036617', '…'],
    },
    outcome: 'made',
  },
  userActivity: { in: { authyId }, result: { authyId, activity: 'password_reset' }, outcome: 'recorded' },
  tokenSms: { in: { authyId }, result: { authyId, ...sent }, outcome: 'sent' },
  tokenCall: { in: { authyId }, result: { authyId, ...sent }, outcome: 'sent' },
  tokenEmail: { in: { authyId }, result: { authyId, sent: true, email, emailId: null }, outcome: 'sent' },
  tokenVerify: {
    in: { authyId, payload: '012345' },
    result: { authyId, valid: true, reason: null, device: null },
    outcome: 'valid',
  },
  phoneStart: {
    in: { phoneNumber: phone.phoneNumber },
    result: {
      ...phone,
      via: 'sms',
      verificationId,
      secondsToExpire: 599,
      carrier: null,
      isCellphone: true,
      isPorted: false,
    },
    outcome: 'sent',
  },
  phoneCheck: {
    in: { phoneNumber: phone.phoneNumber, payload: '0123' },
    result: { ...phone, valid: true, reason: null },
    outcome: 'valid',
  },
  phoneStatus: {
    in: { verificationId },
    result: { status: 'verified', secondsToExpire: null },
    outcome: 'read',
  },
  phoneInfo: {
    in: { phoneNumber: phone.phoneNumber },
    result: { ...phone, type: 'cellphone', provider: 'Example Mobile', ported: false },
    outcome: 'read',
  },
  appDetails: {
    in: {},
    result: {
      appId: 4711,
      name: 'Garage',
      plan: 'pay_as_you_go',
      smsEnabled: true,
      phoneCallsEnabled: true,
      onetouchEnabled: true,
    },
    outcome: 'read',
  },
  appStats: {
    in: {},
    result: {
      appId: 4711,
      totalUsers: 12,
      months: [
        {
          month: 'November',
          year: 2026,
          smsCount: 40,
          callsCount: 2,
          usersCount: 12,
          authsCount: 38,
          apiCallsCount: 95,
        },
      ],
    },
    outcome: 'read',
  },
  onetouchSend: { in: { authyId }, result: { approvalId, authyId, status: 'pending' }, outcome: 'sent' },
  onetouchStatus: {
    in: { approvalId },
    result: {
      approvalId,
      authyId,
      status: 'approved',
      notified: false,
      createdAt: '2026-11-28T12:00:00Z',
      processedAt: '2026-11-28T12:00:21Z',
      secondsToExpire: 86400,
    },
    outcome: 'approved',
  },
};

/** The examples of the nodes that are no operation. */
const ofOthers: Readonly<Record<string, (text: Text) => HelpExample>> = {
  'authy-config': (text) => ({
    settings: {
      [text('authy-config', 'label.service')]: text('authy-config', 'option.service.local'),
      [text('authy-config', 'label.localName')]: 'Garage',
      [text('authy-config', 'label.approverUrl')]: 'https://home.example/approve',
    },
  }),
  'authy-onetouch-approval': () => ({
    in: { authyId },
    out: {
      authyId,
      payload: {
        decision: 'approved',
        reason: null,
        approvalId,
        authyId,
        requestedAt: '2026-11-28T12:00:00.000Z',
        decidedAt: '2026-11-28T12:00:21.000Z',
        decidedBy: 'polling',
        device: null,
      },
      approvalId,
    },
    by: 'approved',
  }),
  'authy-onetouch-callback': () => ({
    in: { req: { method: 'POST', url: '/authy/callback' } },
    out: {
      statusCode: 200,
      payload: {
        status: 'approved',
        approvalId,
        authyId,
        message: 'Open the garage?',
        details: { Door: 'left' },
        hiddenDetails: null,
        device: null,
      },
      approvalId,
      authyId,
    },
    by: 'approved',
  }),
  'authy-notifications': (text) => ({
    out: {
      topic: 'code',
      payload: {
        title: text('authy-messages', 'code.title', { name: 'Garage' }),
        text: text('authy-messages', 'code.text', { name: 'Garage', code: '012345', minutes: '10' }),
        to: { authyId, phoneNumber: phone.phoneNumber, email, name: null },
        via: 'sms',
        expiresAt: 1795867800000,
        account: 'Garage',
      },
    },
  }),
};

/**
 * The example of a node.
 *
 * @param type the node's, such as `authy-token-sms`
 * @throws Error if the node has none
 */
export function exampleOf(type: string, text: Text): HelpExample {
  const other = ofOthers[type];
  if (other !== undefined) return other(text);
  const name = (Object.keys(operations) as OperationName[]).find((each) => operations[each].node === type);
  if (name === undefined) throw new Error(`${type} has no example for its help.`);
  const { carries, outcomes }: Operation = operations[name];
  const {
    in: message,
    result,
    outcome,
  }: { in: Message; result: object; outcome: string } = ofOperations[name];
  const handedOn = Object.fromEntries(Object.entries(result).filter(([member]) => carries.includes(member)));
  const outputs = new Set(Object.values(outcomes).map(([output]) => output));
  return {
    in: message,
    out: { ...message, payload: result, ...handedOn },
    ...(outputs.size > 1 ? { by: outcome } : {}),
  };
}
