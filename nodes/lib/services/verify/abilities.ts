import type { Abilities } from '../../contract/service';

const noApprovals =
  'Choose an account on Authy for this node: with Twilio Verify it cannot ask for approvals.';

/**
 * What Verify does of the operations. It always sends a code: so `force` is not refused, whatever it says.
 *
 * Source: https://www.twilio.com/docs/verify/api
 */
export const abilities = {
  userCreate: {
    refuses: {
      sendInstallLink: {
        accepts: [false],
        reason: 'set it to false: with Twilio Verify people need no app to install.',
      },
    },
  },
  userStatus: {},
  userUpdate: {},
  userDelete: {},
  userQr: {},
  userActivity: { unsupported: 'Leave this node out: Twilio Verify does not record activities of users.' },
  tokenSms: {
    refuses: {
      action: { reason: 'leave it blank: codes of Twilio Verify belong to no action.' },
      actionMessage: { reason: 'leave it blank: codes of Twilio Verify belong to no action.' },
    },
  },
  tokenCall: {
    refuses: {
      action: { reason: 'leave it blank: codes of Twilio Verify belong to no action.' },
      actionMessage: { reason: 'leave it blank: codes of Twilio Verify belong to no action.' },
    },
  },
  tokenEmail: {},
  tokenVerify: {
    refuses: {
      action: { reason: 'leave it blank: codes of Twilio Verify belong to no action.' },
    },
  },
  phoneStart: {
    refuses: {
      codeLength: {
        // Verify's own default: a code that is longer than wanted is no weaker.
        atMost: 6,
        reason: 'set it to 6 or less: the Verify service itself sets the length of its codes.',
      },
      customMessage: { reason: 'leave it blank: make a template in the Twilio console instead.' },
    },
  },
  phoneCheck: {},
  phoneStatus: {},
  phoneInfo: {},
  appDetails: {},
  appStats: {},
  onetouchSend: { unsupported: noApprovals },
  onetouchStatus: { unsupported: noApprovals },
} as const satisfies Abilities;
