import type { Abilities } from '../../contract/service';

const noActions = 'leave it blank: codes of this Node-RED belong to no action.';

/** What this Node-RED does of the operations. `force` of "verify token" is not refused: a code always has to be right. */
export const abilities = {
  userCreate: {},
  userStatus: {},
  userUpdate: {},
  userDelete: {},
  userExport: { unsupported: 'Export the people of the account as a list instead.' },
  userImport: { unsupported: 'Import the people into the account as a list instead.' },
  userQr: {},
  userActivity: {},
  tokenSms: {
    notifies: true,
    refuses: { action: { reason: noActions }, actionMessage: { reason: noActions } },
  },
  tokenCall: {
    notifies: true,
    refuses: { action: { reason: noActions }, actionMessage: { reason: noActions } },
  },
  tokenEmail: { notifies: true },
  tokenVerify: { refuses: { action: { reason: noActions } } },
  phoneStart: { notifies: true },
  phoneCheck: {},
  phoneStatus: {},
  phoneInfo: {},
  appDetails: {},
  appStats: {},
  userInvite: {},
  onetouchSend: {
    refuses: { logos: { reason: 'leave them out: the page on which people answer shows no logos.' } },
  },
  onetouchStatus: {},
} as const satisfies Abilities;
