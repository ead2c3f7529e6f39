import { Secret, TOTP } from 'otpauth';
import should from 'should';
import type { People } from '../../../../nodes/lib/contract/people';
import { filePeople } from '../../../../nodes/lib/people/file-people';
import { VerifyClient } from '../../../../nodes/lib/services/verify/client';
import { VerifyService } from '../../../../nodes/lib/services/verify/service';
import { StartedVerifications } from '../../../../nodes/lib/services/verify/started-verifications';
import { WrongTries } from '../../../../nodes/lib/services/verify/wrong-tries';
import { Simulator } from '../../../../nodes/simulator/simulator';
import { temporaryDirectory } from '../../../support/node_red';

const authyId = '1000001';
const phone = { phoneNumber: '+13175550177', countryCode: '1' };

describe('An imported authenticator that nobody could confirm', () => {
  /** The time, for the account and for its Twilio, in milliseconds since 1970. */
  let now = Date.now();
  let simulator: Simulator;
  let baseUrl: string;
  let people: People;
  let service: VerifyService;
  const totp = new TOTP({ secret: new Secret({ size: 20 }) });
  const totpSecret = totp.secret.base32;
  const code = (): string => totp.generate({ timestamp: now });

  beforeEach(async () => {
    simulator = new Simulator({ now: () => now });
    baseUrl = await simulator.listen();
    people = filePeople({ root: temporaryDirectory(), accountId: 'account' }, { tell: () => undefined });
    const { serviceSid, apiKeySid: user, apiKeySecret: secret } = simulator.verify;
    const client = (): VerifyClient =>
      new VerifyClient({ user, secret, baseUrl, deadline: 5000, maxInFlight: 10 });
    const memories = { started: new StartedVerifications(), wrongTries: new WrongTries() };
    service = new VerifyService(
      {
        ...{ verify: client(), lookups: client(), people, serviceSid, lookup: true },
        ...memories,
        hasOwnApp: false,
        approvals: () => {
          throw new Error('Nobody is asked here.');
        },
        recipientOf: () => Promise.resolve(undefined),
        now: () => now,
        steady: () => performance.now(),
      },
      5000,
    );
  });
  afterEach(async () => {
    service.close();
    await people.close();
    await simulator.close();
  });

  async function control(method: string, route: string, body?: object): Promise<unknown> {
    const response = await fetch(`${baseUrl}/simulator/${route}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.json();
  }

  /** Twilio makes the authenticator, and then the connection breaks before the code is looked at. */
  async function importBroken(): Promise<void> {
    const drop = { kind: 'drop', method: 'POST', path: '/Factors/YF', times: 1 };
    await control('PUT', 'faults', { faults: [drop] });
    const values = { authyId, ...phone, totpSecret, token: code() };
    await service.perform('userImport', values).should.be.rejectedWith({ code: 'AUTHY_OUTCOME_UNKNOWN' });
  }

  const verified = async (token: string): Promise<string | null> =>
    (await service.perform('tokenVerify', { authyId, token })).result.reason;

  const atTwilio = async (): Promise<boolean[]> => {
    const { factors } = (await control('GET', 'factors')) as { factors: { verified: boolean }[] };
    return factors.map((factor) => factor.verified);
  };

  it('within the hour: the first right code confirms it', async () => {
    await importBroken();
    should(await atTwilio()).eql([false]);
    now += 60_000;
    should(await verified(code())).be.null();
    should(await atTwilio()).eql([true]);
  });

  it('later: Twilio has forgotten it, and the first right code brings it there again', async () => {
    await importBroken();
    const used = code();
    now += 2 * 3_600_000;
    should(await verified(used)).equal('wrong');
    const token = code();
    should(await verified(token)).be.null();
    should(await verified(token)).equal('reused');
    should(await atTwilio()).eql([true]);
    should((await people.find(authyId))?.factors.map(({ state }) => state)).eql(['verified', 'verified']);
  });

  it('the same import again finishes it, within the hour and later', async () => {
    for (const later of [60_000, 2 * 3_600_000]) {
      await importBroken();
      now += later;
      const values = { authyId, ...phone, totpSecret, token: code() };
      should((await service.perform('userImport', values)).result.authenticator).equal('confirmed');
      should(await atTwilio()).eql([true]);
      await service.perform('userDelete', { authyId });
    }
  });

  it('two at the same time leave one at Twilio', async () => {
    const values = { authyId, ...phone, totpSecret, token: code() };
    const both = [1, 2].map(() => service.perform('userImport', values));
    const ends = (await Promise.all(both)).map(({ result }) => result.authenticator);
    should(ends).containEql('confirmed');
    should(await atTwilio()).eql([true]);
  });
});
