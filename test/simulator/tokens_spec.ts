import should from 'should';
import { Secret, TOTP } from 'otpauth';
import { type Answer, Harness, shouldFail } from './harness';

describe('simulator: one-time tokens', () => {
  const harness = new Harness();
  let id: number;
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(async () => {
    await harness.control('POST', '/reset');
    id = await harness.createUser();
  });

  const send = (channel: string, params = {}): Promise<Answer> =>
    harness.api(channel === 'email' ? 'POST' : 'GET', `/protected/json/${channel}/${id}`, params);
  const verify = (token: string, params: object = { force: 'true' }): Promise<Answer> =>
    harness.api('GET', `/protected/json/verify/${token}/${id}`, params as Record<string, unknown>);

  it('sms, call and email are answered as documented', async () => {
    (await send('sms')).body.should.eql({
      success: true,
      message: 'SMS token was sent',
      cellphone: '+1-XXX-XXX-XX42',
    });
    (await send('call')).body.should.eql({
      success: true,
      message: 'Call started...',
      cellphone: '+1-XXX-XXX-XX42',
    });
    const { body } = await send('email');
    body.should.have.properties({
      success: true,
      message: 'Email token was sent',
      email: 'ada@example.com',
    });
    should(body['email_id']).match(/^EM[0-9a-f]{32}$/);
    const messages = await harness.messages(`?authyId=${id}`);
    messages
      .map(({ kind, via, to }) => [kind, via, to])
      .should.eql([
        ['sms', 'sms', '+13175550142'],
        ['call', 'call', '+13175550142'],
        ['email', 'email', 'ada@example.com'],
      ]);
    for (const { text, code } of messages) {
      should(code).match(/^\d{7}$/);
      text.should.containEql('simulator').and.containEql(code);
    }
    (await harness.messages('?phone=%2B13175550142')).should.have.length(3);
    (await harness.messages('?phone=%2B13175550199')).should.have.length(0);
  });

  it('shows action, action message and locale', async () => {
    await send('sms', { action: 'login', action_message: 'Log in from Bogotá', locale: 'es' });
    const [message] = await harness.messages();
    should(message).have.properties({ action: 'login', locale: 'es' });
    should(message?.text).containEql('Log in from Bogotá');
  });

  it('sms and call are ignored for a user who has the app, unless forced', async () => {
    await harness.control('PUT', `/users/${id}`, { app: true });
    for (const [channel, text] of [
      ['sms', /^Ignored:/],
      ['call', /^Call ignored/],
    ] as const) {
      for (const params of [{}, { force: 'false' }]) {
        const { status, body } = await send(channel, params);
        status.should.equal(200);
        body.should.have.properties({ success: true, ignored: true, device: 'android' });
        should(body['message']).match(text);
      }
      (await harness.messages()).filter(({ kind }) => kind === channel).should.be.empty();
      for (const force of ['true', 'True', '1'])
        (await send(channel, { force })).body.should.not.have.key('ignored');
      (await harness.messages()).filter(({ kind }) => kind === channel).should.have.length(3);
    }
  });

  for (const channel of ['sms', 'call', 'email']) {
    it(`the code by ${channel} is valid once and confirms the user`, async () => {
      await send(channel);
      const code = await harness.code(channel);
      const right = await verify(code);
      right.status.should.equal(200);
      right.text.should.containEql('"token":"is valid"');
      right.body.should.have.properties({ message: 'Token is valid.', token: 'is valid', success: 'true' });
      should(right.body['device']).have.properties({ os_type: 'sms', id: null, city: null });
      (await harness.user(id)).confirmed.should.be.true();
      const again = await verify(code);
      shouldFail(again, 401, '60019');
      again.body.should.have.property('token', 'is invalid');
    });
  }

  it('only the last code of a channel counts', async () => {
    await send('sms');
    const first = await harness.code('sms');
    await send('sms');
    shouldFail(await verify(first), 401, '60020');
    (await verify(await harness.code('sms'))).status.should.equal(200);
  });

  it('a code is not accepted after ten minutes', async () => {
    await send('sms');
    harness.wait(601);
    shouldFail(await verify(await harness.code('sms')), 401, '60020');
  });

  it('a wrong token is 401 with 60020', async () => {
    for (const token of ['0000000', '1', 'abcdef', '123456789012345']) {
      const answer = await verify(token);
      shouldFail(answer, 401, '60020');
      answer.body.should.eql({
        message: 'Token is invalid',
        token: 'is invalid',
        success: false,
        errors: { message: 'Token is invalid' },
        error_code: '60020',
      });
    }
  });

  it('without force, an unconfirmed user passes with any token; a confirmed one does not', async () => {
    for (const params of [{}, { force: 'false' }]) {
      (await verify('0000000', params)).body.should.have.property('token', 'is valid');
    }
    (await harness.user(id)).confirmed.should.be.false();
    await send('sms');
    (await verify(await harness.code('sms'), {})).status.should.equal(200);
    (await harness.user(id)).confirmed.should.be.true();
    shouldFail(await verify('0000000', {}), 401, '60020');
  });

  it('a code is valid only with the action it was sent for', async () => {
    await send('sms', { action: 'pay' });
    const code = await harness.code('sms');
    shouldFail(await verify(code), 401, '60020');
    shouldFail(await verify(code, { force: 'true', action: 'login' }), 401, '60020');
    (await verify(code, { force: 'true', action: 'pay' })).status.should.equal(200);
  });

  describe("the authenticator's code", () => {
    const totp = async (digits: number): Promise<TOTP> =>
      new TOTP({
        secret: Secret.fromBase32((await harness.user(id)).authenticator.secret),
        algorithm: 'SHA1',
        digits,
        period: 30,
      });

    it('of an authenticator app, six digits, is valid once', async () => {
      const code = (await totp(6)).generate({ timestamp: harness.time });
      (await verify(code)).status.should.equal(200);
      shouldFail(await verify(code), 401, '60019');
      harness.wait(30);
      (await verify((await totp(6)).generate({ timestamp: harness.time }))).status.should.equal(200);
    });

    it('of the Authy app, seven digits, is the code that the phone shows, and ends in the six digits', async () => {
      await harness.control('PUT', `/users/${id}`, { app: true });
      const { code, digits } = (await harness.user(id)).authenticator;
      digits.should.equal(7);
      code.should.equal((await totp(7)).generate({ timestamp: harness.time }));
      const right = await verify(code);
      right.status.should.equal(200);
      should(right.body['device']).have.property('os_type', 'android');
      shouldFail(await verify(code.slice(1)), 401, '60019');
    });

    it('may be one period old or early, but not more', async () => {
      const app = await totp(6);
      for (const [seconds, valid] of [
        [-30, true],
        [30, true],
        [-90, false],
        [90, false],
      ] as const) {
        const answer = await verify(app.generate({ timestamp: harness.time + seconds * 1000 }));
        if (valid) answer.status.should.equal(200);
        else shouldFail(answer, 401, '60020');
      }
    });
  });

  it('an empty token is 404', async () => {
    shouldFail(await harness.api('GET', `/protected/json/verify//${id}`), 404, '60000');
  });
});
