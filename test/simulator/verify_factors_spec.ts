import { Secret, type TOTP, URI } from 'otpauth';
import should from 'should';
import { credentials, service, shouldFail, VerifyHarness, wrong } from './verify_harness';

const identity = 'person-0001';
const entity = `/Entities/${identity}`;

describe('simulator: people and factors of Twilio Verify', () => {
  const harness = new VerifyHarness();
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(() => harness.control('DELETE', '/state'));

  it('an entity is made once, read and deleted', async () => {
    const { status, body } = await harness.verify('POST', '/Entities', { Identity: identity });
    status.should.equal(201);
    should(body['sid']).match(/^YE[0-9a-f]{32}$/);
    body.should.have.properties({ identity, account_sid: credentials.accountSid });
    shouldFail(await harness.verify('POST', '/Entities', { Identity: identity }), 409, 60301);
    (await harness.verify('GET', entity)).body.should.eql(body);
    const gone = await harness.verify('DELETE', entity);
    gone.status.should.equal(204);
    gone.text.should.equal('');
    shouldFail(await harness.verify('GET', entity), 404, 20404, /person-0001/);
    shouldFail(await harness.verify('DELETE', entity), 404, 20404);
    for (const bad of ['', 'short', 'x'.repeat(65), 'ada@example.com', 'with space']) {
      shouldFail(await harness.verify('POST', '/Entities', { Identity: bad }), 400, 60200, /Identity/);
    }
  });

  it('a factor makes its entity, says its secret once, and is confirmed by a right code', async () => {
    const created = await harness.verify('POST', `${entity}/Factors`, {
      FriendlyName: 'Phone of Ada',
      FactorType: 'totp',
      Metadata: '{"os":"Android"}',
    });
    created.status.should.equal(201);
    const { binding, options, ...factor } = created.body;
    const { secret, uri } = binding as { secret: string; uri: string };
    should(options).be.null();
    factor.should.have.properties({
      identity,
      friendly_name: 'Phone of Ada',
      status: 'unverified',
      factor_type: 'totp',
      config: { alg: 'sha1', skew: 1, code_length: 6, time_step: 30 },
      metadata: { os: 'Android' },
    });
    const totp = URI.parse(uri) as TOTP;
    totp.secret.base32.should.equal(secret);
    should(totp).have.properties({ issuer: 'Garage', label: 'Phone of Ada' });
    const path = `${entity}/Factors/${String(factor['sid'])}`;
    (await harness.verify('GET', path)).body.should.eql(factor);
    (await harness.verify('GET', entity)).status.should.equal(200);

    const code = totp.generate({ timestamp: harness.time });
    const wrongly = await harness.verify('POST', path, { AuthPayload: wrong(code) });
    wrongly.status.should.equal(200);
    wrongly.body.should.have.property('status', 'unverified');
    (await harness.verify('POST', path, { AuthPayload: code })).body.should.have.property(
      'status',
      'verified',
    );
    // Once it is verified there is nothing left to confirm.
    (await harness.verify('POST', path, { AuthPayload: wrong(code) })).body.should.have.property(
      'status',
      'verified',
    );
    (await harness.verify('POST', path, { FriendlyName: 'Tablet' })).body.should.have.property(
      'friendly_name',
      'Tablet',
    );
    const listed = (await harness.verify('GET', `${entity}/Factors`)).body['factors'];
    should(listed).match([{ friendly_name: 'Tablet', status: 'verified' }]);
    (await harness.verify('DELETE', path)).status.should.equal(204);
    shouldFail(await harness.verify('GET', path), 404, 20404);
  });

  it('takes a secret of the client, and the form of its codes', async () => {
    const secret = new Secret({ size: 32 }).base32;
    const { app, sid } = await harness.createVerifiedFactor(identity, {
      'Binding.Secret': secret,
      'Config.Alg': 'sha256',
      'Config.TimeStep': '60',
      'Config.CodeLength': '8',
      'Config.Skew': '0',
    });
    app.code.should.match(/^\d{8}$/);
    const { body } = await harness.verify('GET', `${entity}/Factors/${sid}`);
    body.should.have.property('config', { alg: 'sha256', skew: 0, code_length: 8, time_step: 60 });
    const challenge = (code: string) =>
      harness.verify('POST', `${entity}/Challenges`, { FactorSid: sid, AuthPayload: code });
    const { code } = app;
    harness.wait(60);
    // Without skew the code of before is wrong.
    (await challenge(code)).body.should.have.property('status', 'pending');
    (await challenge(app.code)).body.should.have.property('status', 'approved');
  });

  it('five wrong codes are the last ones that confirm nothing', async () => {
    const { sid, app } = await harness.createFactor(identity);
    const confirm = (code: string) =>
      harness.verify('POST', `${entity}/Factors/${sid}`, { AuthPayload: code });
    for (let tries = 0; tries < 5; tries++) {
      (await confirm(wrong(app.code))).body.should.have.property('status', 'unverified');
    }
    shouldFail(await confirm(app.code), 429, 60310);
    (await harness.verify('GET', `${entity}/Factors/${sid}`)).body.should.have.property(
      'status',
      'unverified',
    );
  });

  it('an unconfirmed factor vanishes after an hour, a confirmed one stays', async () => {
    const unconfirmed = await harness.createFactor(identity);
    const confirmed = await harness.createVerifiedFactor(identity);
    harness.wait(3600);
    shouldFail(await harness.verify('GET', `${entity}/Factors/${unconfirmed.sid}`), 404, 20404);
    (await harness.verify('GET', `${entity}/Factors/${confirmed.sid}`)).status.should.equal(200);
    should((await harness.verify('GET', `${entity}/Factors`)).body['factors']).have.length(1);
  });

  it('a hundred factors are enough for a person, and a hundred of them a day', async function () {
    this.timeout(30_000);
    let last = '';
    for (let count = 0; count < 100; count++) last = (await harness.createFactor(identity)).sid;
    const create = () =>
      harness.verify('POST', `${entity}/Factors`, { FriendlyName: 'Too many', FactorType: 'totp' });
    shouldFail(await create(), 400, 60315);
    await harness.verify('DELETE', `${entity}/Factors/${last}`);
    shouldFail(await create(), 429, 60326);
    harness.wait(86_400);
    (await create()).status.should.equal(201);
  });

  it('refuses what is not valid, and names it', async () => {
    for (const [form, name] of [
      [{ FriendlyName: '' }, 'FriendlyName'],
      [{ FriendlyName: 'x'.repeat(65) }, 'FriendlyName'],
      [{ FactorType: '' }, 'FactorType'],
      [{ FactorType: 'push' }, 'FactorType'],
      [{ 'Binding.Secret': '0189' }, 'Binding.Secret'],
      [{ 'Config.Alg': 'md5' }, 'Config.Alg'],
      [{ 'Config.TimeStep': '61' }, 'Config.TimeStep'],
      [{ 'Config.Skew': '3' }, 'Config.Skew'],
      [{ 'Config.CodeLength': '2' }, 'Config.CodeLength'],
      [{ Metadata: 'text' }, 'Metadata'],
      [{ Metadata: JSON.stringify({ a: 'x'.repeat(1024) }) }, 'Metadata'],
    ] as const) {
      const given = { FriendlyName: 'Phone', FactorType: 'totp', ...form };
      shouldFail(
        await harness.verify('POST', `${entity}/Factors`, given),
        400,
        60200,
        new RegExp(`\`${name}\``),
      );
    }
    shouldFail(await harness.verify('GET', entity), 404, 20404);
    shouldFail(
      await harness.verify('POST', '/Entities/short/Factors', { FriendlyName: 'x', FactorType: 'totp' }),
      400,
      60200,
      /Identity/,
    );
    const { sid } = await harness.createFactor(identity);
    shouldFail(
      await harness.verify('POST', `${entity}/Factors/${sid}`, { AuthPayload: 'abc' }),
      400,
      60200,
      /AuthPayload/,
    );
    const other = await harness.createFactor('person-0002');
    shouldFail(await harness.verify('GET', `${entity}/Factors/${other.sid}`), 404, 20404);
  });

  it('lists come in pages whose addresses lead on', async () => {
    for (let count = 0; count < 5; count++)
      await harness.createFactor(identity, { FriendlyName: `No ${count}` });
    const names: string[] = [];
    let path: string | null = `${service}${entity}/Factors?PageSize=2`;
    for (let pages = 0; path !== null && pages < 9; pages++) {
      const { body } = await harness.twilio('GET', path);
      const meta = body['meta'] as { next_page_url: string | null; page: number };
      meta.should.have.properties({ key: 'factors', page_size: 2, page: pages });
      names.push(...(body['factors'] as { friendly_name: string }[]).map((factor) => factor.friendly_name));
      path = meta.next_page_url?.replace(harness.url, '') ?? null;
    }
    names.should.eql(['No 0', 'No 1', 'No 2', 'No 3', 'No 4']);
    shouldFail(await harness.verify('GET', `${entity}/Factors?PageSize=0`), 400, 60200, /PageSize/);
  });
});

describe('simulator: challenges by the authenticators of Twilio Verify', () => {
  const harness = new VerifyHarness();
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(() => harness.control('DELETE', '/state'));

  const challenge = (sid: string, code: string) =>
    harness.verify('POST', `${entity}/Challenges`, { FactorSid: sid, AuthPayload: code });
  const again = (sid: unknown, code: string) =>
    harness.verify('POST', `${entity}/Challenges/${String(sid)}`, { AuthPayload: code });

  it('a right code approves, a wrong one leaves it pending, and another try follows', async () => {
    const { sid, app } = await harness.createVerifiedFactor(identity);
    const right = await challenge(sid, app.code);
    right.status.should.equal(201);
    right.body.should.have.properties({
      status: 'approved',
      factor_sid: sid,
      factor_type: 'totp',
      identity,
      details: null,
      date_responded: '2026-03-01T12:00:00Z',
      expiration_date: '2026-03-01T12:05:00Z',
    });
    const pending = await challenge(sid, wrong(app.code));
    pending.status.should.equal(201);
    pending.body.should.have.properties({ status: 'pending', date_responded: null });
    const { sid: challengeSid } = pending.body;
    (await again(challengeSid, wrong(app.code))).body.should.have.property('status', 'pending');
    (await again(challengeSid, app.code)).body.should.have.property('status', 'approved');
    const read = await harness.verify('GET', `${entity}/Challenges/${String(challengeSid)}`);
    read.body.should.have.property('status', 'approved');
    should(read.headers.get('twilio-verify-signature-fields')).match(/sid/);
  });

  it('the window of a code is that of its neighbours', async () => {
    const { sid, app } = await harness.createVerifiedFactor(identity);
    const { code } = app;
    harness.wait(30);
    (await challenge(sid, code)).body.should.have.property('status', 'approved');
    harness.wait(30);
    (await challenge(sid, code)).body.should.have.property('status', 'pending');
  });

  it('five codes may be tried', async () => {
    const { sid, app } = await harness.createVerifiedFactor(identity);
    const { body } = await challenge(sid, wrong(app.code));
    for (let tries = 1; tries < 5; tries++) {
      (await again(body['sid'], wrong(app.code))).body.should.have.property('status', 'pending');
    }
    shouldFail(await again(body['sid'], app.code), 429, 60308);
  });

  it('expires after five minutes', async () => {
    const { sid, app } = await harness.createVerifiedFactor(identity);
    const { body } = await challenge(sid, wrong(app.code));
    harness.wait(300);
    shouldFail(await again(body['sid'], app.code), 403, 60323);
    (await harness.verify('GET', `${entity}/Challenges/${String(body['sid'])}`)).body.should.have.property(
      'status',
      'expired',
    );
  });

  it('a factor has 50 challenges an hour and 100 a day, with short codes 10 a day', async function () {
    this.timeout(30_000);
    const many = async (sid: string, count: number) => {
      for (let done = 0; done < count; done++) (await challenge(sid, '000000')).status.should.equal(201);
      shouldFail(await challenge(sid, '000000'), 429, 60312);
    };
    const { sid } = await harness.createVerifiedFactor(identity);
    await many(sid, 50);
    harness.wait(3600);
    await many(sid, 50);
    harness.wait(3600);
    await many(sid, 0);
    const short = await harness.createVerifiedFactor(identity, { 'Config.CodeLength': '4' });
    await many(short.sid, 10);
  });

  it('needs a factor of this person that is confirmed', async () => {
    const unconfirmed = await harness.createFactor(identity);
    shouldFail(await challenge(unconfirmed.sid, unconfirmed.app.code), 403, 60318);
    const other = await harness.createVerifiedFactor('person-0002');
    shouldFail(await challenge(other.sid, other.app.code), 404, 20404);
    shouldFail(await challenge('YF1', '123456'), 400, 60200, /FactorSid/);
    shouldFail(await challenge('', '123456'), 400, 60200, /FactorSid/);
    const { sid } = await harness.createVerifiedFactor(identity);
    for (const code of ['', '12', '123456789', 'abcdef']) {
      shouldFail(await challenge(sid, code), 400, 60200, /AuthPayload/);
    }
    const { body } = await harness.verify('POST', '/Entities/person-0002/Challenges', {
      FactorSid: other.sid,
      AuthPayload: other.app.code,
    });
    shouldFail(await harness.verify('GET', `${entity}/Challenges/${String(body['sid'])}`), 404, 20404);
  });

  it('lists them, newest first, by factor and status', async () => {
    const one = await harness.createVerifiedFactor(identity);
    const two = await harness.createVerifiedFactor(identity);
    const sids: string[] = [];
    for (const [factor, code] of [
      [one, one.app.code],
      [one, wrong(one.app.code)],
      [two, two.app.code],
    ] as const) {
      sids.push(String((await challenge(factor.sid, code)).body['sid']));
    }
    const list = async (form: Record<string, string>) => {
      const { body } = await harness.verify('GET', `${entity}/Challenges`, form);
      return (body['challenges'] as { sid: string }[]).map(({ sid }) => sids.indexOf(sid));
    };
    (await list({})).should.eql([2, 1, 0]);
    (await list({ Order: 'asc' })).should.eql([0, 1, 2]);
    (await list({ FactorSid: one.sid, Order: 'asc' })).should.eql([0, 1]);
    (await list({ Status: 'approved' })).should.eql([2, 0]);
    (await list({ PageSize: '1' })).should.eql([2]);
  });
});
