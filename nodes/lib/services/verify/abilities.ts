import type { Abilities } from '../../contract/service';

const ownPage = {
  setting: 'verifyPush',
  ticked: false,
  reason:
    'Leave this node out, or untick “Approvals by our own app” in the account: with an app of your own, people sign in there.',
} as const;

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
  userExport: {
    unsupported: 'Export the people of the account as a list instead: Twilio Verify itself knows nobody.',
  },
  userImport: {},
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
  userInvite: { needs: ownPage },
  onetouchSend: {
    refuses: {
      logos: { reason: 'leave them out: neither Twilio Verify nor the page of this Node-RED shows logos.' },
      secondsToExpire: {
        atLeast: 1,
        atMost: 3600,
        ifTicked: 'verifyPush',
        reason: 'set it to 1 to 3600: Twilio Verify keeps a request open for an hour at most.',
      },
      atLeast: {
        ifTicked: 'verifyPush',
        reason: 'leave it blank: with an app of your own, the app decides how an answer is given.',
      },
    },
  },
  onetouchStatus: {},
} as const satisfies Abilities;
