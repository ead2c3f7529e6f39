import should from 'should';
import { credentials, phone, service, shouldFail, VerifyHarness, wrong } from './verify_harness';

describe('simulator: verifications of Twilio Verify', () => {
  const harness = new VerifyHarness();
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(() => harness.control('DELETE', '/state'));

  const check = (form: Record<string, string>) => harness.verify('POST', '/VerificationCheck', form);
  const start = (form: Record<string, string> = {}) =>
    harness.verify('POST', '/Verifications', { To: phone, Channel: 'sms', ...form });

  it('answers the account and its API key, and nobody else', async () => {
    const { accountSid, authToken, apiKeySid, apiKeySecret } = credentials;
    const form = { To: phone, Channel: 'sms' };
    for (const user of [`${accountSid}:${authToken}`, `${apiKeySid}:${apiKeySecret}`]) {
      (await harness.twilio('POST', `${service}/Verifications`, form, user)).status.should.equal(201);
    }
    for (const user of [`${accountSid}:${apiKeySecret}`, `${apiKeySid}:${authToken}`, 'x:y', ':', '']) {
      const refused = await harness.twilio('POST', `${service}/Verifications`, form, user);
      shouldFail(refused, 401, 20003);
      should(refused.headers.get('www-authenticate')).equal('Basic realm="Twilio API"');
    }
    shouldFail(await harness.request('GET', service), 401, 20003);
  });

  it('knows one service, and no other path', async () => {
    const other = service.replace(/c3/g, 'd4');
    shouldFail(await harness.twilio('POST', `${other}/Verifications`), 404, 20404, /\/Services\/VAd4/);
    shouldFail(await harness.twilio('GET', '/v2/Nothing'), 404, 20404);
  });

  it('starts, checks wrong, checks right, and is gone', async () => {
    const { sid, code } = await harness.startVerification();
    sid.should.match(/^VE[0-9a-f]{32}$/);
    code.should.match(/^\d{6}$/);
    const wrongly = await check({ To: phone, Code: wrong(code) });
    wrongly.body.should.have.properties({ sid, status: 'pending', valid: false, channel: 'sms', to: phone });
    const rightly = await check({ VerificationSid: sid, Code: code });
    rightly.body.should.have.properties({ sid, status: 'approved', valid: true });
    shouldFail(await check({ To: phone, Code: code }), 404, 20404, /VerificationCheck/);
    shouldFail(await harness.verify('GET', `/Verifications/${sid}`), 404, 20404, new RegExp(sid));
    (await harness.startVerification()).sid.should.not.equal(sid);
  });

  it('has dates with whole seconds, and addresses that lead back', async () => {
    const { body } = await start();
    body.should.have.properties({
      account_sid: credentials.accountSid,
      service_sid: credentials.serviceSid,
      date_created: '2026-03-01T12:00:00Z',
      date_updated: '2026-03-01T12:00:00Z',
    });
    const path = String(body['url']).replace(harness.url, '');
    path.should.equal(`${service}/Verifications/${String(body['sid'])}`);
    (await harness.twilio('GET', path)).body.should.eql(body);
  });

  it('by each channel comes to the phone or the mailbox', async () => {
    for (const [to, channel, via, answered] of [
      [phone, 'sms', 'sms', 'sms'],
      [phone, 'call', 'call', 'call'],
      [phone, 'whatsapp', 'whatsapp', 'whatsapp'],
      ['+13175550143', 'auto', 'sms', 'sms'],
      ['ada@example.com', 'email', 'email', 'email'],
    ] as const) {
      const { body, status } = await start({ To: to, Channel: channel });
      status.should.equal(201);
      should(body['channel']).equal(answered);
      const message = (await harness.messages()).at(-1);
      should(message).have.properties({ to, phone: to, via, kind: 'verification', authyId: null });
      should(message?.text).containEql(message?.code).and.containEql('simulator');
    }
  });

  it('a second start keeps SID and code, and adds an attempt; the sixth is too many', async () => {
    const { sid, code } = await harness.startVerification();
    for (const [count, channel] of ['call', 'sms', 'whatsapp', 'sms'].entries()) {
      harness.wait(1);
      const { body } = await start({ Channel: channel });
      body.should.have.properties({ sid, channel, date_updated: `2026-03-01T12:00:0${count + 1}Z` });
      (body['send_code_attempts'] as unknown[]).should.have.length(count + 2);
      (await harness.code('verification')).should.equal(code);
    }
    const { body } = await harness.verify('GET', `/Verifications/${sid}`);
    const attempts = body['send_code_attempts'] as { channel: string; attempt_sid: string }[];
    attempts.map(({ channel }) => channel).should.eql(['SMS', 'CALL', 'SMS', 'WHATSAPP', 'SMS']);
    new Set(attempts.map(({ attempt_sid }) => attempt_sid)).size.should.equal(5);
    attempts.should.matchEach(({ attempt_sid }: { attempt_sid: string }) =>
      /^VL[0-9a-f]{32}$/.test(attempt_sid),
    );
    shouldFail(await start(), 429, 60203);
    (await harness.messages()).should.have.length(5);
    (await check({ To: phone, Code: code })).body.should.have.property('status', 'approved');
  });

  it('five codes may be tried, whether they are right or not', async () => {
    const { sid, code } = await harness.startVerification();
    for (let tries = 0; tries < 5; tries++) {
      (await check({ To: phone, Code: wrong(code) })).body.should.have.property('status', 'pending');
    }
    shouldFail(await check({ To: phone, Code: code }), 429, 60202);
    shouldFail(await check({ VerificationSid: sid, Code: code }), 429, 60202);
    (await harness.verify('GET', `/Verifications/${sid}`)).body.should.have.property(
      'status',
      'max_attempts_reached',
    );
    harness.wait(600);
    shouldFail(await check({ To: phone, Code: code }), 404, 20404);
  });

  it('lives for ten minutes', async () => {
    const { sid, code } = await harness.startVerification();
    harness.wait(599);
    (await harness.verify('GET', `/Verifications/${phone}`)).body.should.have.properties({
      sid,
      status: 'pending',
    });
    harness.wait(1);
    shouldFail(await harness.verify('GET', `/Verifications/${phone}`), 404, 20404);
    shouldFail(await check({ To: phone, Code: code }), 404, 20404);
    const again = await harness.startVerification();
    again.sid.should.not.equal(sid);
    (await check({ To: phone, Code: again.code })).body.should.have.property('valid', true);
  });

  it('is ended by the client: canceled stays readable, approved does not', async () => {
    const canceled = await harness.startVerification();
    const end = (path: string, status: string) =>
      harness.verify('POST', `/Verifications/${path}`, { Status: status });
    const { body, status } = await end(phone, 'canceled');
    status.should.equal(200);
    body.should.have.properties({ sid: canceled.sid, status: 'canceled', valid: false });
    for (const path of [phone, canceled.sid]) {
      const read = await harness.verify('GET', `/Verifications/${path}`);
      read.body.should.have.properties({ sid: canceled.sid, status: 'canceled' });
    }
    shouldFail(await check({ To: phone, Code: canceled.code }), 404, 20404);
    shouldFail(await end(canceled.sid, 'approved'), 404, 20404);
    const approved = await harness.startVerification();
    approved.sid.should.not.equal(canceled.sid);
    (await end(approved.sid, 'approved')).body.should.have.properties({ status: 'approved', valid: true });
    shouldFail(await harness.verify('GET', `/Verifications/${approved.sid}`), 404, 20404);
    (await harness.verify('GET', `/Verifications/${canceled.sid}`)).body.should.have.property(
      'status',
      'canceled',
    );
    shouldFail(await end(approved.sid, 'gone'), 400, 60200, /Status/);
    shouldFail(await end('+13175550177', 'canceled'), 404, 20404);
  });

  it('may be read 60 times a minute', async () => {
    const { sid } = await harness.startVerification();
    for (let reading = 0; reading < 60; reading++) {
      (await harness.verify('GET', `/Verifications/${sid}`)).status.should.equal(200);
    }
    shouldFail(await harness.verify('GET', `/Verifications/${sid}`), 429, 20429);
    harness.wait(60);
    (await harness.verify('GET', `/Verifications/${sid}`)).status.should.equal(200);
  });

  it('does not send text messages to a landline; it calls there', async () => {
    const landline = '+13175550000';
    for (const channel of ['sms', 'whatsapp']) {
      shouldFail(await start({ To: landline, Channel: channel }), 403, 60205);
    }
    (await start({ To: landline, Channel: 'call' })).status.should.equal(201);
    shouldFail(await start({ To: '+13175550003', Channel: 'call' }), 400, 60200, /To/);
  });

  it('speaks the language of the locale, and answers 404 to one that Verify does not have', async () => {
    await start({ Locale: 'de' });
    should((await harness.messages()).at(-1)).have.properties({ language: 'de', locale: 'de' });
    await start({ Locale: 'pt-BR' });
    should((await harness.messages()).at(-1)).have.property('language', 'pt-BR');
    await start({ Locale: 'hu' });
    should((await harness.messages()).at(-1)).have.properties({ language: 'en-US', locale: 'hu' });
    shouldFail(await start({ Locale: 'tlh' }), 404, 20404, /Verifications/);
    await start({ CustomFriendlyName: 'Greenhouse' });
    should((await harness.messages()).at(-1)?.text).match(/^Greenhouse/);
  });

  it('a code of the client needs a service that allows it', async () => {
    shouldFail(await start({ CustomCode: '123456' }), 403, 60204);
    const open = await new VerifyHarness({ verify: { customCodes: true, codeLength: 4 } }).start();
    try {
      (await open.startVerification({ CustomCode: 'AB12cd' })).code.should.equal('AB12cd');
      // Another code replaces it; the verification is the same.
      (await open.startVerification({ CustomCode: '77777' })).code.should.equal('77777');
      (await open.startVerification({ To: '+13175550143' })).code.should.match(/^\d{4}$/);
      for (const code of ['123', '12345678901', '12 34']) {
        shouldFail(
          await open.verify('POST', '/Verifications', { To: phone, Channel: 'sms', CustomCode: code }),
          400,
          60200,
          /CustomCode/,
        );
      }
    } finally {
      await open.stop();
    }
  });

  it('a payment is confirmed with what the person was shown', async () => {
    const payment = { Amount: '€39.99', Payee: 'Acme' };
    const { code } = await harness.startVerification(payment);
    (await check({ To: phone, Code: code })).body.should.have.property('valid', false);
    (await check({ To: phone, Code: code, ...payment, Amount: '€3.99' })).body.should.have.property(
      'valid',
      false,
    );
    (await check({ To: phone, Code: code, ...payment })).body.should.have.properties({
      valid: true,
      amount: '€39.99',
      payee: 'Acme',
    });
    shouldFail(await start({ Amount: '1' }), 400, 60200, /Payee/);
  });

  it('refuses what is not valid, and names it', async () => {
    const pairs = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`k${index}`, 'v']));
    for (const [form, name] of [
      [{ To: '' }, 'To'],
      [{ To: '3175550142' }, 'To'],
      [{ To: '+1317555' }, 'To'],
      [{ To: 'ada@example.com' }, 'To'],
      [{ Channel: 'email' }, 'To'],
      [{ Channel: '' }, 'Channel'],
      [{ Channel: 'pigeon' }, 'Channel'],
      [{ CustomFriendlyName: 'x'.repeat(33) }, 'CustomFriendlyName'],
      [{ SendDigits: 'abc' }, 'SendDigits'],
      [{ TemplateSid: 'HJ1' }, 'TemplateSid'],
      [{ AppHash: 'short' }, 'AppHash'],
      [{ DeviceIp: '300.1.1.1' }, 'DeviceIp'],
      [{ RiskCheck: 'maybe' }, 'RiskCheck'],
      [{ EnableSnaClientToken: 'maybe' }, 'EnableSnaClientToken'],
      [{ RateLimits: '{' }, 'RateLimits'],
      [{ RateLimits: '[]' }, 'RateLimits'],
      [{ ChannelConfiguration: '{}' }, 'ChannelConfiguration'],
      [{ Tags: '{"a":1}' }, 'Tags'],
      [{ Tags: JSON.stringify(pairs) }, 'Tags'],
      [{ Tags: JSON.stringify({ a: 'x'.repeat(129) }) }, 'Tags'],
    ] as const) {
      shouldFail(await start(form), 400, 60200, new RegExp(`\`${name}\``));
    }
    (await harness.messages()).should.be.empty();
    shouldFail(await check({ To: phone }), 400, 60200, /Code/);
    shouldFail(await check({ To: phone, Code: '123' }), 400, 60200, /Code/);
    shouldFail(await check({ Code: '123456' }), 400, 60200, /To/);
    const accepted = {
      Tags: '{"order":"17"}',
      RateLimits: '{"ip":"127.0.0.1"}',
      DeviceIp: '127.0.0.1',
      RiskCheck: 'disable',
      TemplateSid: `HJ${'0'.repeat(32)}`,
      AppHash: 'He42w354ol9',
      EnableSnaClientToken: 'false',
    };
    (await start(accepted)).status.should.equal(201);
  });

  it('reads forms only', async () => {
    const { accountSid, authToken } = credentials;
    const answer = await harness.request('POST', `${service}/Verifications`, {
      headers: {
        Authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ To: phone, Channel: 'sms' }),
    });
    shouldFail(answer, 400, 60200);
  });

  it('faults apply, in the form of Twilio', async () => {
    const faults = (...list: object[]) => harness.control('PUT', '/faults', { faults: list });
    await faults({ kind: 'status', status: 429, retryAfter: 2, path: '/VerificationCheck', times: 1 });
    (await start()).status.should.equal(201);
    const limited = await check({ To: phone, Code: '123456' });
    shouldFail(limited, 429, 20429);
    should(limited.headers.get('retry-after')).equal('2');
    await faults({ kind: 'status', status: 403, code: '60410', message: 'Blocked', times: 1 });
    shouldFail(await start(), 403, 60410, /^Blocked$/);
    await faults({ kind: 'status', status: 401, times: 1 });
    shouldFail(await start(), 401, 20003);
    await faults({ kind: 'drop', path: '/v2/', after: true, times: 1 });
    await start({ To: '+13175550143' }).should.be.rejected();
    (await harness.messages('?phone=%2B13175550143')).should.have.length(1);
    await faults({ kind: 'refuseGetBody' });
    (await harness.verify('GET', `/Verifications/${phone}`)).status.should.equal(200);
  });

  it('tells of requests without values, phone numbers and identities', async () => {
    harness.lines.length = 0;
    const { sid } = await harness.startVerification();
    await harness.verify('GET', `/Verifications/${phone}`);
    await harness.verify('POST', `/Verifications/${phone}`, { Status: 'canceled' });
    await harness.verify('GET', `/Verifications/${sid}`);
    const { body, text } = await harness.control('GET', '/requests');
    text.should.not.containEql(phone).and.not.containEql(credentials.authToken);
    should(body['requests']).match([
      { method: 'POST', path: `${service}/Verifications`, parameters: ['Channel', 'To'], status: 201 },
      { method: 'GET', path: `${service}/Verifications/***`, status: 200 },
      { method: 'POST', path: `${service}/Verifications/***`, parameters: ['Status'], status: 200 },
      { method: 'GET', path: `${service}/Verifications/${sid}`, status: 200 },
    ]);
    // Routine readings are not logged.
    harness.lines.should.have.length(2);
    harness.lines.join('\n').should.not.containEql(phone);
  });

  it('is described by the index of the control interface', async () => {
    const { body } = await harness.control('GET', '');
    should(body['endpoints']).containEql('POST /v2/Services/{service}/VerificationCheck');
    should(body['endpoints']).containEql('GET /protected/json/verify/{token}/{id}');
  });
});

describe('simulator: what clients of Twilio Verify have to send', () => {
  it('is new with each simulator, and keeps its form', () => {
    const [one, other] = [new VerifyHarness({ verify: { accountSid: '' } }), new VerifyHarness()];
    one.simulator.verify.accountSid.should.match(/^AC[0-9a-f]{32}$/);
    one.simulator.verify.accountSid.should.not.equal(other.simulator.verify.accountSid);
  });

  it('says what to give instead of what is wrong', () => {
    for (const [verify, problem] of [
      [{ accountSid: 'AC1' }, /^Give accountSid as AC and 32/],
      [{ serviceSid: credentials.accountSid }, /^Give serviceSid as VA/],
      [{ apiKeySid: `SK${'G'.repeat(32)}` }, /^Give apiKeySid/],
      [{ authToken: 'a b' }, /^Give authToken/],
      [{ codeLength: 3 }, /^Give codeLength/],
    ] as const) {
      should(() => new VerifyHarness({ verify })).throw(problem);
    }
  });

  it('can be changed while the simulator runs', async () => {
    const harness = await new VerifyHarness().start();
    harness.simulator.configure({ verify: { authToken: 'another' } });
    shouldFail(await harness.verify('POST', '/Verifications'), 401, 20003);
    const user = `${credentials.accountSid}:another`;
    shouldFail(await harness.twilio('POST', `${service}/Verifications`, {}, user), 400, 60200);
    await harness.stop();
  });
});
