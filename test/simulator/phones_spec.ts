import should from 'should';
import { type Answer, Harness, phone, shouldFail } from './harness';

describe('simulator: phone verification', () => {
  const harness = new Harness();
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(() => harness.control('POST', '/reset'));

  const path = '/protected/json/phones';
  const start = (params: object = {}): Promise<Answer> =>
    harness.api('POST', `${path}/verification/start`, { ...phone, via: 'sms', ...params });
  const check = (verification_code: string): Promise<Answer> =>
    harness.api('GET', `${path}/verification/check`, { ...phone, verification_code });
  const status = (params: Record<string, unknown> = phone): Promise<Answer> =>
    harness.api('GET', `${path}/verification/status`, params);

  it('is started, pending, checked and verified as documented', async () => {
    const { status: code, body } = await start();
    code.should.equal(200);
    should(body['uuid']).match(/^[0-9a-f-]{36}$/);
    body.should.have.properties({
      success: true,
      carrier: 'Simulated Mobile',
      is_cellphone: true,
      is_ported: false,
      message: 'Text message sent to +1 317-555-0142.',
      seconds_to_expire: 599,
    });
    const [message] = await harness.messages();
    should(message).match({
      kind: 'verification',
      via: 'sms',
      authyId: null,
      to: '+13175550142',
      code: /^\d{4}$/,
    });

    harness.wait(100);
    (await status()).body.should.eql({
      success: true,
      message: 'Phone Verification status.',
      status: 'pending',
      seconds_to_expire: 499,
    });
    shouldFail(await check('00000'), 401, '60022');
    (await check(await harness.code('verification'))).body.should.eql({
      success: true,
      message: 'Verification code is correct.',
    });
    (await status({ uuid: body['uuid'] })).body.should.have.property('status', 'verified');
    const again = await check(await harness.code('verification'));
    shouldFail(again, 404, '60023');
    should(again.body['message']).equal('No pending verifications for +1 317-555-0142 found.');
  });

  it('sends the same code again within its time, by call too, and a new one after that', async () => {
    const first = await start();
    const code = await harness.code('verification');
    harness.wait(300);
    const second = await start({ via: 'call' });
    second.body.should.have.properties({ uuid: first.body['uuid'], seconds_to_expire: 299 });
    should(second.body['message']).startWith('Call to +1');
    (await harness.code('verification')).should.equal(code);
    harness.wait(300);
    (await status()).body.should.have.properties({ status: 'expired', seconds_to_expire: 0 });
    shouldFail(await check(code), 404, '60023');
    (await start()).body['uuid']?.should.not.equal(first.body['uuid']);
  });

  it('is gone after five wrong codes', async () => {
    await start();
    const code = await harness.code('verification');
    for (let tries = 0; tries < 5; tries++) shouldFail(await check('00000'), 401, '60022');
    shouldFail(await check(code), 404, '60023');
    shouldFail(await status(), 404, '60023');
  });

  it('takes a code length, a custom code, a custom message and a locale', async () => {
    await start({ code_length: '8', locale: 'es' });
    (await harness.code('verification')).should.match(/^\d{8}$/);
    const own = await start({ custom_code: '004711', custom_message: 'Hello, {{code}} it is.' });
    should(own.body['sms_id']).match(/^SM[0-9a-f]{32}$/);
    const message = (await harness.messages()).at(-1);
    should(message).have.property('code', '004711');
    should(message?.text).equal('Garage (simulator): Hello, 004711 it is.');
    (await check('004711')).status.should.equal(200);
  });

  it('names the parameter that is missing or wrong', async () => {
    for (const [params, name] of [
      [{ via: undefined }, 'via'],
      [{ via: 'pigeon' }, 'via'],
      [{ country_code: undefined }, 'country_code'],
      [{ country_code: 'US' }, 'country_code'],
      [{ phone_number: undefined }, 'phone_number'],
      [{ code_length: 3 }, 'code_length'],
      [{ code_length: '11' }, 'code_length'],
      [{ code_length: 'x' }, 'code_length'],
      [{ custom_code: '12' }, 'custom_code'],
      [{ custom_message: 'no code' }, 'custom_message'],
    ] as const) {
      const answer = await start(params);
      shouldFail(answer, 400, '60004');
      should(answer.body['message']).containEql(name);
    }
    shouldFail(await harness.api('GET', `${path}/verification/check`, phone), 400, '60004');
    shouldFail(await status({}), 400, '60042');
    shouldFail(await status({ country_code: '1' }), 400, '60042');
  });

  it('refuses numbers and countries that do not exist', async () => {
    shouldFail(await start({ phone_number: '12' }), 400, '60033');
    shouldFail(await start({ phone_number: 'abc' }), 400, '60033');
    shouldFail(await start({ country_code: '999' }), 403, '60078');
    shouldFail(await check('1234'), 404, '60023');
    shouldFail(await status(), 404, '60023');
    shouldFail(await status({ uuid: 'x' }), 404, '60023');
  });

  it('the end of a number decides its kind of line', async () => {
    const at = (ending: string): string => `317555${ending}`;
    shouldFail(await start({ phone_number: at('0000') }), 403, '60082');
    (await start({ phone_number: at('0000'), via: 'call' })).status.should.equal(200);
    shouldFail(await start({ phone_number: at('0003') }), 403, '60083');
  });

  describe('phone information', () => {
    const info = (ending: string): Promise<Answer> =>
      harness.api('GET', `${path}/info`, { country_code: '1', phone_number: `317555${ending}` });

    it('answers as documented', async () => {
      (await info('0142')).body.should.eql({
        success: true,
        message: 'Phone number information as of 2026-03-01 12:06:40 UTC'.replace(
          '12:06:40',
          new Date(harness.time).toISOString().slice(11, 19),
        ),
        type: 'cellphone',
        provider: 'Simulated Mobile',
        ported: false,
      });
    });

    it('depends only on the number', async () => {
      for (const [ending, expected] of [
        ['0000', { type: 'landline' }],
        ['0001', { type: 'voip' }],
        ['0002', { type: 'unknown', provider: null }],
        ['0009', { type: 'cellphone', ported: true }],
      ] as const) {
        (await info(ending)).body.should.have.properties(expected);
      }
      shouldFail(await info('0004'), 400, '60024');
      shouldFail(await info('0005'), 500, '60025');
      shouldFail(await harness.api('GET', `${path}/info`), 400, '60004');
    });
  });
});
