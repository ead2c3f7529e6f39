import type { Abilities } from '../../contract/service';

/** Authy does all operations: these nodes began as Authy's nodes. */
export const abilities = {
  userCreate: {},
  userStatus: {},
  userUpdate: {},
  userDelete: {},
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
