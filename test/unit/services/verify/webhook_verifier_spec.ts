import should from 'should';
import { uuidOf } from '../../../../nodes/lib/services/verify/sids';
import { VerifyWebhooks } from '../../../../nodes/lib/services/verify/webhook/verifier';
import { twilioSignature } from '../../../../nodes/simulator/verify/twilio-signature';
import { serviceSid, VerifyOnServer } from '../../../support/verify_on_server';

const hex = (digit: string): string => digit.repeat(32);
const challengeSid = `YC${hex('4')}`;
const [factorSid, accountSid] = [`YF${hex('3')}`, `AC${hex('6')}`];
const authToken = 'an-auth-token-of-the-tests';
const url = 'https://nodered.example/authy/callback';

describe('A webhook of Twilio, and the challenge that Twilio tells of', () => {
  const account = new VerifyOnServer();
  let identity: string;

  before(async () => {
    await account.start();
    const person = await account.people.add({
      ...{ phoneNumber: '+13175550142', countryCode: '1', email: 'ada@example.com' },
    });
    ({ identity } = person);
    account.asked.set(uuidOf(challengeSid), person.authyId);
  });
  after(() => account.stop());

  const verdictOn = (changes: object) => {
    const parameters = {
      ...{ uuid: hex('7'), type: 'challenge.approved', account_sid: accountSid, service_sid: serviceSid },
      ...{
        entity_identity: identity,
        factor_sid: factorSid,
        factor_type: 'push',
        challenge_sid: challengeSid,
      },
    };
    account.server.script({
      status: 200,
      json: {
        ...{ sid: challengeSid, account_sid: accountSid, service_sid: serviceSid, identity },
        ...{ factor_sid: factorSid, factor_type: 'push', status: 'approved' },
        ...{ date_created: '2026-01-01T00:00:00Z', date_responded: '2026-01-01T00:01:00Z' },
        ...changes,
      },
    });
    const webhooks = new VerifyWebhooks(
      authToken,
      '',
      () => Promise.resolve(account.service),
      (approvalId) => Promise.resolve(account.asked.get(approvalId)),
    );
    return webhooks.verify(
      {
        ...{ method: 'POST', url, query: '', body: parameters },
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-twilio-signature': twilioSignature(authToken, url, parameters),
        },
      },
      65_536,
    );
  };

  it('is believed as the challenge has it, so that what follows can fail', async () => {
    should(await verdictOn({})).match({
      accepted: true,
      answer: { decision: 'approved', nonce: Date.UTC(2026, 0, 1, 0, 1) / 1000 },
    });
  });

  for (const [what, changes, reason] of [
    ['without a time of the answer', { date_responded: null }, 'missingField'],
    ['with a time that is none', { date_responded: 'yesterday' }, 'missingField'],
    ['that is still open', { status: 'pending' }, 'statusDisagrees'],
    ['that has expired', { status: 'expired' }, 'statusDisagrees'],
    ['with a status that nobody knows', { status: 'Approved' }, 'statusUnreadable'],
    ['of another person', { identity: hex('9') }, 'statusUnreadable'],
    ['of an authenticator', { factor_type: 'totp' }, 'statusUnreadable'],
    ['of another account', { account_sid: `AC${hex('9')}` }, 'statusDisagrees'],
  ] as const) {
    it(`a challenge ${what}: ${reason}`, async () => {
      should(await verdictOn(changes)).match({ accepted: false, reason });
    });
  }
});
