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
  onetouchSend: {},
  onetouchStatus: {},
} as const satisfies Abilities;
