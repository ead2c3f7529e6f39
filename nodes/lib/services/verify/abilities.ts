import type { Abilities } from '../../contract/service';

const app = {
  setting: 'verifyPush',
  reason:
    'Tick “Approvals by our own app” in the account if you have an app with Twilio’s SDK; otherwise choose an account on ' +
    'Authy for this node.',
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
  onetouchSend: {
    needs: app,
    refuses: {
      logos: { reason: 'leave them out: Twilio Verify shows no logos.' },
      secondsToExpire: {
        atLeast: 1,
        atMost: 3600,
        reason: 'set it to 1 to 3600: Twilio Verify keeps a request open for an hour at most.',
      },
    },
  },
  onetouchStatus: { needs: app },
} as const satisfies Abilities;
