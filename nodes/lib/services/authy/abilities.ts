import type { Abilities } from '../../contract/service';

/** What Authy does of the operations: these nodes began as Authy's nodes. */
export const abilities = {
  userCreate: {},
  userStatus: {},
  userUpdate: {},
  userDelete: {},
  userExport: {},
  userImport: { unsupported: 'Use “create user” instead: Authy gives its users their IDs itself.' },
  userQr: {},
  userActivity: {},
  tokenSms: {},
  tokenCall: {},
  tokenEmail: {},
  tokenVerify: {},
  phoneStart: {},
  phoneCheck: {},
  phoneStatus: {},
  phoneInfo: {},
  appDetails: {},
  appStats: {},
  userInvite: {
    unsupported:
      'Leave this node out: with Authy people answer in the Authy app, which knows their phone number.',
  },
  onetouchSend: {
    refuses: {
      atLeast: { reason: 'leave it blank: Authy does not say how an answer was given.' },
    },
  },
  onetouchStatus: {},
} as const satisfies Abilities;
