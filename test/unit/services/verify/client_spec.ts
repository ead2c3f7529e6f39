import { Secret, TOTP } from 'otpauth';
import should from 'should';
import { AuthyError } from '../../../../nodes/lib/contract/errors';
import type { Person } from '../../../../nodes/lib/contract/people';
import type { ValuesOf } from '../../../../nodes/lib/contract/operations';
import type { OperationName } from '../../../../nodes/lib/contract/results';
import type { VerifyService } from '../../../../nodes/lib/services/verify/service';
import { uuidOf } from '../../../../nodes/lib/services/verify/sids';
import type { Step } from '../../../support/scripted_server';
import { credentials, serviceSid, VerifyOnServer } from '../../../support/verify_on_server';

const hex = (digit: string): string => digit.repeat(32);
const { user, secret } = credentials;
const phone = { phoneNumber: '+13175550142', countryCode: '1' };

const started = {
  sid: `VE${hex('2')}`,
  service_sid: serviceSid,
  to: phone.phoneNumber,
  channel: 'sms',
  status: 'pending',
  valid: false,
  date_created: '2026-01-01T00:00:00Z',
};

const refused = (status: number, code: number, message = 'No.'): Step => ({
  status,
  json: { code, message, more_info: '', status },
});

describe('A call to Twilio', () => {
  const account = new VerifyOnServer();
  const { server, people } = account;
  let person: Person;
  let service: VerifyService;

  before(async () => {
    ({ service } = await account.start());
    person = await people.add({ ...phone, email: 'ada@example.com' });
  });
  after(() => account.stop());
  beforeEach(() => server.seen.splice(0));

  async function errorOf<N extends OperationName>(
    name: N,
    values: ValuesOf<N>,
    ...steps: Step[]
  ): Promise<AuthyError> {
    server.script(...steps);
    return failureOf(name, values);
  }

  async function failureOf<N extends OperationName>(name: N, values: ValuesOf<N>): Promise<AuthyError> {
    try {
      await service.perform(name, values);
    } catch (error) {
      if (error instanceof AuthyError) return error;
      throw error;
    }
    throw new Error('It did not fail.');
  }

  const start = { ...phone, via: 'sms' } as const;

  it('carries the key as its user name and password, and a form with the plus of the number', async () => {
    server.script({ status: 201, json: started });
    await service.perform('phoneStart', { ...start, locale: 'de', customCode: '123456' });
    const [seen] = server.seen;
    should(seen?.method).equal('POST');
    should(seen?.url).equal(`/v2/Services/${serviceSid}/Verifications`);
    should(seen?.headers.authorization).equal(`Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`);
    should(seen?.headers['content-type']).equal('application/x-www-form-urlencoded');
    should(seen?.body).equal('To=%2B13175550142&Channel=sms&Locale=de&CustomCode=123456');
  });

  it('asks once more without a language that Twilio does not have, and never otherwise', async () => {
    server.script(refused(404, 20404), { status: 201, json: started });
    const { outcome } = await service.perform('phoneStart', { ...start, locale: 'af' });
    should(outcome).equal('sent');
    should(server.seen.map(({ body }) => new URLSearchParams(body).get('Locale'))).eql(['af', null]);
    server.seen.splice(0);
    should(await errorOf('phoneStart', start, refused(404, 20404))).match({ code: 'AUTHY_BAD_CONFIG' });
    should(server.seen).have.length(1);
  });

  for (const [status, number, code] of [
    [401, 20003, 'AUTHY_INVALID_API_KEY'],
    [403, 20003, 'AUTHY_INVALID_API_KEY'],
    [400, 60200, 'AUTHY_INVALID_REQUEST'],
    [429, 60203, 'AUTHY_LIMIT_REACHED'],
    [429, 60202, 'AUTHY_LIMIT_REACHED'],
    [403, 60205, 'AUTHY_NOT_SENT'],
    [429, 60212, 'AUTHY_RATE_LIMITED'],
    [403, 60220, 'AUTHY_NOT_ALLOWED'],
    [403, 60410, 'AUTHY_NOT_ALLOWED'],
    [403, 60605, 'AUTHY_NOT_ALLOWED'],
    [403, 21608, 'AUTHY_NOT_ALLOWED'],
    [400, 60217, 'AUTHY_BAD_CONFIG'],
    [500, 60200, 'AUTHY_INVALID_REQUEST'],
    [409, 99999, 'AUTHY_REJECTED'],
  ] as const) {
    it(`${number} with HTTP ${status} at a start is ${code}, and nothing is sent again`, async () => {
      const error = await errorOf('phoneStart', start, refused(status, number));
      should(error).match({ code, authyCode: String(number), statusCode: status });
      should(error.message).match(/^[A-Z].*Twilio said: "No\." \(\d+\)$/);
      should(server.seen).have.length(1);
    });
  }

  it('too many requests: a reading is made again after the pause that Twilio asks for, a start is not', async () => {
    const later: Step = {
      status: 429,
      json: { code: 20429, message: 'Later.' },
      headers: { 'Retry-After': '0' },
    };
    server.script(later, { status: 200, json: { sid: serviceSid, friendly_name: 'Door' } });
    should((await service.perform('appDetails', {})).result.name).equal('Door');
    should(server.seen).have.length(2);
    server.seen.splice(0);
    should(await errorOf('phoneStart', start, later)).match({ code: 'AUTHY_RATE_LIMITED', retryAfter: 0 });
    should(server.seen).have.length(1);
  });

  for (const [what, step, code] of [
    ['a connection that breaks', 'drop', 'AUTHY_OUTCOME_UNKNOWN'],
    ['HTML with HTTP 502', { status: 502, text: '<html>', type: 'text/html' }, 'AUTHY_OUTCOME_UNKNOWN'],
    ['an error without a number, with HTTP 500', { status: 500, json: {} }, 'AUTHY_OUTCOME_UNKNOWN'],
    ['HTML with HTTP 200', { status: 200, text: '<html>', type: 'text/html' }, 'AUTHY_BAD_RESPONSE'],
    [
      'a redirect',
      { status: 302, json: {}, headers: { Location: 'https://example.com' } },
      'AUTHY_BAD_RESPONSE',
    ],
    [
      'a success about another number',
      { status: 201, json: { ...started, to: '+13175550143' } },
      'AUTHY_BAD_RESPONSE',
    ],
    [
      'a success of another service',
      { status: 201, json: { ...started, service_sid: `VA${hex('9')}` } },
      'AUTHY_BAD_RESPONSE',
    ],
    [
      'a success that is approved already',
      { status: 201, json: { ...started, status: 'approved' } },
      'AUTHY_BAD_RESPONSE',
    ],
    [
      'a success with an error number',
      { status: 201, json: { ...started, code: 60200 } },
      'AUTHY_BAD_RESPONSE',
    ],
  ] as readonly (readonly [string, Step, string])[]) {
    it(`${what}: a start, a call and a check end in ${code}, and are not made again`, async () => {
      await people.change(person.authyId, (one) => ({
        ...one,
        verification: { id: started.sid, channel: 'sms', to: phone.phoneNumber, startedAt: Date.now() },
      }));
      const { authyId } = person;
      for (const attempt of [
        () => errorOf('phoneStart', start, step),
        () => errorOf('tokenCall', { authyId }, step),
        () => errorOf('tokenVerify', { authyId, token: '123456' }, step),
      ]) {
        should((await attempt()).code).equal(code);
        should(server.seen).have.length(1);
      }
    });
  }

  it('secrets that an answer repeats are removed, and phone numbers are not in errors', async () => {
    const authorization = Buffer.from(`${user}:${secret}`).toString('base64');
    const message = `No ${secret} for ${phone.phoneNumber}, ${authorization}.`;
    const error = await errorOf('phoneStart', start, refused(400, 60200, message));
    for (const text of [error.message, JSON.stringify(error), JSON.stringify(error.response)]) {
      should(text).not.containEql(secret);
      should(text).not.containEql(authorization);
    }
    should(error.message).not.containEql('13175550142');
  });

  it('a person without an e-mail address gets no code by e-mail, and Twilio is not asked', async () => {
    const other = await people.add({ phoneNumber: '+13175550143', countryCode: '1', email: '' });
    const error = await errorOf('tokenEmail', { authyId: other.authyId });
    should(error).match({ code: 'AUTHY_NOT_SENT', message: /^Set an e-mail address of the user first/ });
    should(server.seen).be.empty();
  });

  it('a factor that answers with another secret than was given is not believed', async () => {
    const uri = `otpauth://totp/Door:ada?secret=${'A'.repeat(32)}&issuer=Door`;
    const json = {
      ...{ sid: `YF${hex('3')}`, service_sid: serviceSid, identity: person.identity, status: 'unverified' },
      binding: { secret: 'A'.repeat(32), uri },
    };
    const error = await errorOf('userQr', { authyId: person.authyId }, { status: 201, json });
    should(error).match({ code: 'AUTHY_BAD_RESPONSE', message: /its secret is another one/ });
    should((await people.find(person.authyId))?.factors).be.empty();
  });

  describe('a yes of Twilio', () => {
    const approved: Step = { status: 200, json: { ...started, status: 'approved', valid: true } };
    const key = 'A'.repeat(32);
    const totp = new TOTP({ secret: Secret.fromBase32(key) });
    const factor = {
      id: `YF${hex('3')}`,
      type: 'totp',
      service: serviceSid,
      name: 'phone',
      secret: key,
      createdAt: 1,
    } as const;

    async function sentTo(channel: 'sms' | 'email', to: string): Promise<Person> {
      await people.remove(person.authyId);
      person = await people.add({ ...phone, email: 'ada@example.com' });
      const verification = { id: started.sid, channel, to, startedAt: Date.now() };
      await people.change(person.authyId, (one) => ({ ...one, verification }));
      return person;
    }

    it('counts once for a code that was sent, also for two messages at the same time', async () => {
      const { authyId } = await sentTo('sms', phone.phoneNumber);
      server.script(approved, approved);
      const ends = await Promise.all(
        [1, 2].map(() => service.perform('tokenVerify', { authyId, token: '123456' })),
      );
      should(ends.map(({ result }) => result.reason).sort()).eql(['reused', null].sort());
    });

    it('does not count for somebody who was removed meanwhile', async () => {
      const { authyId } = await sentTo('sms', phone.phoneNumber);
      server.script(approved);
      const end = service.perform('tokenVerify', { authyId, token: '123456' });
      const removed = people.remove(authyId);
      await end.should.be.rejectedWith({ code: 'AUTHY_USER_NOT_FOUND' });
      await removed;
      person = await people.add({ ...phone, email: 'ada@example.com' });
    });

    it('about a factor is no yes to a code of another time, or to a wrong one', async () => {
      const { authyId } = person;
      await people.change(authyId, (one) => ({ ...one, factors: [{ ...factor, state: 'unverified' }] }));
      const { identity } = person;
      const verified: Step = {
        status: 200,
        json: { sid: factor.id, service_sid: serviceSid, identity, status: 'verified' },
      };
      const later = totp.generate({ timestamp: Date.now() + 8 * 60_000 });
      for (const token of [later, '000000']) {
        server.script(verified);
        const { result } = await service.perform('tokenVerify', { authyId, token });
        should(result).match({ valid: false, reason: 'wrong' });
      }
      server.script(verified);
      const { result } = await service.perform('tokenVerify', { authyId, token: totp.generate() });
      should(result).match({ valid: true });
    });

    it('a code that Twilio refuses does not stand in the way of the one before', async () => {
      const { authyId, identity } = person;
      await people.change(authyId, (one) => ({ ...one, factors: [{ ...factor, state: 'verified' }] }));
      const challenge = (status: string): Step => ({
        status: 201,
        json: { sid: `YC${hex('4')}`, service_sid: serviceSid, identity, factor_sid: factor.id, status },
      });
      server.script(challenge('pending'));
      const next = totp.generate({ timestamp: Date.now() + 30_000 });
      should((await service.perform('tokenVerify', { authyId, token: next })).result).match({
        reason: 'wrong',
      });
      server.script(challenge('approved'));
      const { result } = await service.perform('tokenVerify', { authyId, token: totp.generate() });
      should(result).match({ valid: true });
    });

    it('to a later check of a number does not verify an earlier one', async () => {
      const [first, second] = [started.sid, `VE${hex('7')}`];
      server.script({ status: 201, json: started });
      await service.perform('phoneStart', start);
      server.script({ status: 200, json: { ...started, sid: second, status: 'approved', valid: true } });
      should((await service.perform('phoneCheck', { ...phone, code: '123456' })).outcome).equal('valid');
      for (const [sid, status] of [
        [first, 'expired'],
        [second, 'verified'],
      ] as const) {
        server.script(refused(404, 20404));
        const verificationId = uuidOf(sid);
        should((await service.perform('phoneStatus', { verificationId })).result).match({ status });
      }
    });
  });

  it('the secret of an authenticator is in no error', async () => {
    server.decide(({ body }) =>
      refused(400, 60200, `Invalid parameter ${new URLSearchParams(body).get('Binding.Secret') ?? ''}`),
    );
    const error = await failureOf('userQr', { authyId: person.authyId });
    const { body = '' } = server.seen.at(-1) ?? {};
    const made = new URLSearchParams(body).get('Binding.Secret') ?? '';
    should(made).match(/^[A-Z2-7]{32}$/);
    should(JSON.stringify([error.message, error, error.response])).not.containEql(made);
  });

  it('an authenticator that makes other codes than were asked for is not believed', async () => {
    const uri = (secretOf: string): string =>
      `otpauth://totp/a?secret=${secretOf}&digits=8&period=60&algorithm=SHA512`;
    server.decide(({ body }) => ({
      status: 201,
      json: {
        ...{ sid: `YF${hex('3')}`, service_sid: serviceSid, identity: person.identity, status: 'unverified' },
        binding: { uri: uri(new URLSearchParams(body).get('Binding.Secret') ?? '') },
      },
    }));
    const error = await failureOf('userQr', { authyId: person.authyId });
    should(error).match({ code: 'AUTHY_BAD_RESPONSE', message: /makes other codes/ });
  });

  it('a user is forgotten here only once Twilio has deleted what it knows of them', async () => {
    const { authyId } = person;
    await people.change(authyId, (one) => {
      const { verification, ...others } = one;
      return verification === undefined ? undefined : others;
    });
    should(await errorOf('userDelete', { authyId }, refused(403, 20003))).match({
      code: 'AUTHY_INVALID_API_KEY',
    });
    should(await people.find(authyId)).not.be.undefined();
    // "Not found" of another service than that of the account.
    should(await errorOf('userDelete', { authyId }, refused(404, 20404), refused(404, 20404))).match({
      code: 'AUTHY_BAD_CONFIG',
    });
    should(await people.find(authyId)).not.be.undefined();
    server.script({ status: 204, text: '', type: '' }, { status: 200, json: { sid: serviceSid } });
    should((await service.perform('userDelete', { authyId })).outcome).equal('deleted');
    should(await people.find(authyId)).be.undefined();
  });
});
