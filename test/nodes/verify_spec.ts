import fs from 'node:fs';
import path from 'node:path';
import { Secret, TOTP } from 'otpauth';
import should from 'should';
import { renderSVG } from 'uqr';
import type { Factor, People } from '../../nodes/lib/contract/people';
import { filePeople } from '../../nodes/lib/people/file-people';
import { type Ending, Flow } from '../support/flow';
import { newNode } from '../support/operation_nodes';
import { phone, VerifyFlow } from '../support/verify_flow';

describe('Operation nodes against the simulator of Twilio Verify', () => {
  let verify: VerifyFlow;
  let authyId: string;

  beforeEach(async () => {
    verify = new VerifyFlow();
    await verify.start();
    const [user] = await ask('userCreate', { email: 'user@example.com', ...phone });
    authyId = String(user['authyId']);
  });
  afterEach(() => verify.stop());

  const ask: VerifyFlow['ask'] = (...asked) => verify.ask(...asked);
  const errorOf: VerifyFlow['errorOf'] = (...asked) => verify.errorOf(...asked);

  async function newestCode(): Promise<string> {
    const { messages } = (await verify.control('GET', '/messages')) as { messages: { code?: string }[] };
    return messages.at(-1)?.code ?? '';
  }

  const wrong = (code: string): string => code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));

  it('user: the same phone number has the same id; read, updated, deleted', async () => {
    const [again] = await ask('userCreate', { email: 'other@example.com', ...phone });
    should(again).eql({ authyId, ...phone });
    const [status] = await ask('userStatus', { authyId });
    status.should.have.properties({
      authyId,
      confirmed: false,
      // Otherwise whoever knows the number could have the codes sent elsewhere.
      email: 'user@example.com',
      countryCode: '1',
    });
    const [updated] = await ask('userUpdate', { authyId, email: 'new@example.com' });
    updated.should.eql({ authyId, email: 'new@example.com' });
    const [deleted] = await ask('userDelete', { authyId });
    deleted.should.eql({ authyId, deleted: true });
    should(await errorOf('userStatus', { authyId })).match({ code: 'AUTHY_USER_NOT_FOUND' });
    const [other] = await ask('userCreate', { email: 'new@example.com', ...phone });
    should(other['authyId']).not.equal(authyId);
  });

  it('user: their file is readable by the owner alone, and holds no secret in clear', async () => {
    await ask('userQr', { authyId });
    const secret = await secretOf();
    const files = (fs.readdirSync(verify.userDir, { recursive: true }) as string[])
      .map((file) => `${verify.userDir}/${file}`)
      .filter((file) => fs.statSync(file).isFile());
    should(files.some((file) => file.endsWith(`${authyId}.json`))).be.true();
    for (const file of files) {
      should(fs.statSync(file).mode & 0o77).equal(0, file);
      should(fs.readFileSync(file, 'utf8')).not.containEql(secret);
    }
  });

  for (const [name, property] of [
    ['tokenSms', 'maskedPhone'],
    ['tokenCall', 'maskedPhone'],
    ['tokenEmail', 'email'],
  ] as const) {
    it(`${name}: the code that was sent is valid, once`, async () => {
      const [sent, output] = await ask(name, { authyId });
      sent.should.have.properties({ authyId, sent: true }).and.have.property(property);
      output.should.equal(0);
      const code = await newestCode();
      should(await ask('tokenVerify', { authyId, payload: wrong(code) })).match([
        { valid: false, reason: 'wrong' },
        1,
      ]);
      should(await ask('tokenVerify', { authyId, payload: code })).match([{ valid: true, reason: null }, 0]);
      should(await ask('tokenVerify', { authyId, payload: code })).match([
        { valid: false, reason: 'notPending' },
        1,
      ]);
    });
  }

  for (const codeLength of [4, 10]) {
    it(`tokenVerify: takes codes of ${codeLength} digits, if the service sends those`, async () => {
      await verify.stop();
      verify = new VerifyFlow({ codeLength });
      await verify.start();
      const [user] = await ask('userCreate', { email: 'user@example.com', ...phone });
      const to = { authyId: String(user['authyId']) };
      await ask('tokenSms', to);
      const code = await newestCode();
      should(code).have.length(codeLength);
      should(await ask('tokenVerify', { ...to, payload: wrong(code) })).match([{ reason: 'wrong' }, 1]);
      should(await ask('tokenVerify', { ...to, payload: code })).match([{ valid: true }, 0]);
    });
  }

  it('tokenVerify: without a code that was sent nothing is valid, and Twilio is not asked', async () => {
    should(await ask('tokenVerify', { authyId, payload: '123456' })).match([
      { valid: false, reason: 'notPending' },
      1,
    ]);
    should(await verify.requestsTo('/VerificationCheck')).equal(0);
  });

  it('tokenVerify: tells an expired code, and too many tries', async () => {
    await ask('tokenSms', { authyId });
    const code = await newestCode();
    for (let tries = 0; tries < 5; tries++) {
      should(await ask('tokenVerify', { authyId, payload: wrong(code) })).match([
        { valid: false, reason: 'wrong' },
        1,
      ]);
    }
    for (let tries = 0; tries < 2; tries++) {
      should(await ask('tokenVerify', { authyId, payload: code })).match([
        { valid: false, reason: 'tooManyAttempts' },
        1,
      ]);
    }
    verify.ahead = 601_000;
    const [other] = await ask('userCreate', { email: 'b@example.com', phoneNumber: '+13175550143' });
    await ask('tokenSms', { authyId: other['authyId'] });
    const late = await newestCode();
    verify.ahead += 601_000;
    should(await ask('tokenVerify', { authyId: other['authyId'], payload: late })).match([
      { valid: false },
      1,
    ]);
  });

  it('a language that Twilio does not have: the code is sent in its own', async () => {
    const [sent] = await ask('tokenSms', { authyId }, { locale: 'tl', localeType: 'str' });
    should(sent['sent']).be.true();
  });

  /** Looks at the people of the account, or changes them, while no flow runs. */
  async function withPeople<T>(use: (people: People) => Promise<T>): Promise<T> {
    await verify.stopFlow();
    const place = { root: path.join(verify.userDir, 'authy-people'), accountId: 'account' };
    const people = filePeople(place, { tell: (sentence) => should(sentence).equal('') });
    try {
      return await use(people);
    } finally {
      await people.close();
    }
  }

  /** Gives the person an authenticator, as a list would. @returns its secret, and what the person's app shows */
  async function importFactor(name: string): Promise<{ factor: Factor; totp: TOTP }> {
    const secret = new Secret({ size: 20 }).base32;
    const factor: Factor = { id: 'imported-1', type: 'totp', state: 'verified', name, secret, createdAt: 1 };
    await withPeople((people) =>
      people.change(authyId, (person) => ({ ...person, factors: [...person.factors, factor] })),
    );
    return { factor, totp: new TOTP({ secret: Secret.fromBase32(secret) }) };
  }

  /** The secret of the person's newest authenticator, as the account keeps it. */
  const secretOf = (): Promise<string> =>
    withPeople(async (people) => (await people.find(authyId))?.factors.at(-1)?.secret ?? '');

  /** The person's app. */
  async function authenticator(): Promise<TOTP> {
    const secret = await secretOf();
    should(secret).match(/^[A-Z2-7]{32}$/);
    return new TOTP({ secret: Secret.fromBase32(secret) });
  }

  it('an authenticator: confirmed by its first right code; no code counts twice, also after a restart', async () => {
    const [{ qrCode, label, issuer }] = await ask('userQr', { authyId }, { label: 'Home', labelType: 'str' });
    should(String(qrCode)).startWith('data:image/svg+xml;base64,');
    should(label).equal('Home');
    should(issuer).be.a.String();
    const totp = await authenticator();
    const uri = new TOTP({ issuer: String(issuer), label: 'Home', secret: totp.secret }).toString();
    should(Buffer.from(String(qrCode).split(',')[1] ?? '', 'base64').toString()).equal(
      renderSVG(uri, { border: 4 }).replace('<svg ', '<svg width="300" height="300" '),
    );
    const code = totp.generate();
    should(await ask('tokenVerify', { authyId, payload: wrong(code) })).match([
      { valid: false, reason: 'wrong' },
      1,
    ]);
    should((await ask('userStatus', { authyId }))[0]).match({ confirmed: false });
    should(await ask('tokenVerify', { authyId, payload: code })).match([{ valid: true, reason: null }, 0]);
    should((await ask('userStatus', { authyId }))[0]).match({ confirmed: true, devices: ['Home'] });
    should(await ask('tokenVerify', { authyId, payload: code })).match([
      { valid: false, reason: 'reused' },
      1,
    ]);
    const next = totp.generate({ timestamp: Date.now() + 30_000 });
    should(await ask('tokenVerify', { authyId, payload: next })).match([{ valid: true, reason: null }, 0]);
    should(await ask('tokenVerify', { authyId, payload: next })).match([
      { valid: false, reason: 'reused' },
      1,
    ]);
    should(await ask('tokenVerify', { authyId, payload: code })).match([
      { valid: false, reason: 'reused' },
      1,
    ]);
  });

  it('a code of an authenticator is accepted once, however many ask at the same time', async () => {
    await ask('userQr', { authyId });
    const totp = await authenticator();
    const code = totp.generate();
    const running = await verify.node('tokenVerify');
    const endings = await Promise.all(
      Array.from({ length: 10 }, () => running.deliver({ authyId, payload: code })),
    );
    const valid = endings.filter(({ sent }) => sent[0]?.output === 0);
    should(valid).have.length(1);
  });

  it('an authenticator that was imported: its first right code brings it to Twilio, and counts', async () => {
    const { totp } = await importFactor('Old phone');
    const code = totp.generate();
    should(await ask('tokenVerify', { authyId, payload: wrong(code) })).match([
      { valid: false, reason: 'wrong' },
      1,
    ]);
    should(await verify.requestsTo('/Factors')).equal(0);
    should(await ask('tokenVerify', { authyId, payload: code })).match([{ valid: true, reason: null }, 0]);
    should(await ask('tokenVerify', { authyId, payload: code })).match([
      { valid: false, reason: 'reused' },
      1,
    ]);
    should((await ask('userStatus', { authyId }))[0]).match({ confirmed: true, devices: ['Old phone'] });
    const next = totp.generate({ timestamp: Date.now() + 30_000 });
    should(await ask('tokenVerify', { authyId, payload: next })).match([{ valid: true, reason: null }, 0]);
  });

  it('a code that was sent and one of an authenticator go through the same node', async () => {
    await ask('userQr', { authyId });
    const totp = await authenticator();
    should(await ask('tokenVerify', { authyId, payload: totp.generate() })).match([{ valid: true }, 0]);
    await ask('tokenSms', { authyId });
    should(await ask('tokenVerify', { authyId, payload: await newestCode() })).match([{ valid: true }, 0]);
    await ask('tokenSms', { authyId });
    const next = totp.generate({ timestamp: Date.now() + 30_000 });
    should(await ask('tokenVerify', { authyId, payload: next })).match([{ valid: true }, 0]);
  });

  it('phone: a verification is started, read and checked, and the number is looked up', async () => {
    const [started] = await ask('phoneStart', phone);
    started.should.have.properties({ ...phone, via: 'sms' });
    should(started['secondsToExpire']).be.within(598, 600);
    const { verificationId } = started;
    should((await ask('phoneStatus', { verificationId }))[0]).match({ status: 'pending' });
    should(await ask('phoneCheck', { ...phone, payload: '000000' })).match([
      { valid: false, reason: 'wrong' },
      1,
    ]);
    const code = await newestCode();
    should(await ask('phoneCheck', { ...phone, payload: code })).match([
      { ...phone, valid: true, reason: null },
      0,
    ]);
    should(await ask('phoneCheck', { ...phone, payload: code })).match([
      { valid: false, reason: 'notPending' },
      1,
    ]);
    should((await ask('phoneInfo', phone))[0]).match({ ...phone, type: 'cellphone', ported: null });
  });

  it('application: details and statistics', async () => {
    await ask('tokenSms', { authyId });
    should((await ask('appDetails', {}))[0]['name']).be.a.String();
    const [{ months }] = await ask('appStats', {});
    should(months).be.an.Array();
    should((months as { smsCount: number }[]).at(-1)?.smsCount).be.above(0);
  });

  it('what Verify does not do is said at deploy and by each message', async () => {
    for (const name of ['userExport', 'userActivity'] as const) {
      const error = await errorOf(name, { authyId });
      should(error).match({ code: 'AUTHY_NOT_SUPPORTED' });
      should(verify.flow?.statuses[0]?.text).endWith('NOT_SUPPORTED');
    }
    const logos = { logos: '[{"res":"default","url":"https://a.example/a.png"}]', logosType: 'json' };
    should(await errorOf('onetouchSend', { authyId }, { message: 'Open?', ...logos })).match({
      code: 'AUTHY_NOT_SUPPORTED',
      message: /^Logos: leave them out/,
    });
    const error = await errorOf('tokenSms', { authyId }, { action: 'login', actionType: 'str' });
    should(error).match({ code: 'AUTHY_NOT_SUPPORTED', message: /^Action: leave it blank/ });
    should(await verify.requestsTo('/Verifications')).equal(0);
  });

  it('a code that went to a former e-mail address no longer counts', async () => {
    await ask('tokenEmail', { authyId });
    const code = await newestCode();
    await ask('userUpdate', { authyId, email: 'new@example.com' });
    should(await ask('tokenVerify', { authyId, payload: code })).match([
      { valid: false, reason: 'notPending' },
      1,
    ]);
  });

  it('wrong codes of an authenticator reach Twilio, whose limits count them, and lock no right one out', async () => {
    await ask('userQr', { authyId });
    const totp = await authenticator();
    const code = totp.generate();
    for (let tries = 0; tries < 5; tries++) {
      should(await ask('tokenVerify', { authyId, payload: wrong(code) })).match([
        { valid: false, reason: 'wrong' },
        1,
      ]);
    }
    should(await ask('tokenVerify', { authyId, payload: code })).match([
      { valid: false, reason: 'tooManyAttempts' },
      1,
    ]);
    await ask('userQr', { authyId });
    const next = await authenticator();
    should(await ask('tokenVerify', { authyId, payload: next.generate() })).match([{ valid: true }, 0]);
  });

  it('an authenticator of another service does not count here, and an imported one goes on there', async () => {
    await ask('userQr', { authyId });
    const made = await authenticator();
    should(await ask('tokenVerify', { authyId, payload: made.generate() })).match([{ valid: true }, 0]);
    const imported = await importFactor('Old');
    // Another Twilio, which knows nobody.
    await verify.restart();
    const next = made.generate({ timestamp: Date.now() + 30_000 });
    should(await ask('tokenVerify', { authyId, payload: next })).match([
      { valid: false, reason: 'wrong' },
      1,
    ]);
    const code = imported.totp.generate();
    should(await ask('tokenVerify', { authyId, payload: code })).match([{ valid: true }, 0]);
    // And a third one: the code that the second has accepted does not count again.
    await verify.restart();
    should(await ask('tokenVerify', { authyId, payload: code })).match([
      { valid: false, reason: 'reused' },
      1,
    ]);
    const kept = await withPeople(async (people) => (await people.find(authyId))?.factors ?? []);
    should(kept.filter(({ service }) => service === undefined)).eql([imported.factor]);
  });

  it('an imported authenticator can be guessed ten times an hour', async () => {
    const code = (await importFactor('Old')).totp.generate();
    const running = await verify.node('tokenVerify');
    for (let tries = 0; tries < 10; tries++) {
      const { sent } = await running.deliver({ authyId, payload: wrong(code) });
      should(sent[0]).match({
        output: 1,
        message: { payload: { reason: tries < 9 ? 'wrong' : 'tooManyAttempts' } },
      });
    }
    const { sent } = await running.deliver({ authyId, payload: code });
    should(sent[0]).match({ output: 1, message: { payload: { reason: 'tooManyAttempts' } } });
  });

  describe('a user who comes from Authy', () => {
    const known = { authyId: '1000001', phoneNumber: '+13175550177', countryCode: '1' };
    let secret: string;
    let totp: TOTP;
    beforeEach(() => {
      totp = new TOTP({ secret: new Secret({ size: 20 }) });
      secret = totp.secret.base32;
    });

    const bring = (payload: object, more: object = {}): Promise<Ending> =>
      verify.end('userImport', { ...known, email: 'ada@example.com', payload, ...more });

    async function authenticatorOf(payload: object, more: object = {}): Promise<unknown> {
      const { sent, caught } = await bring(payload, more);
      should(caught.map(({ error }) => error?.message)).eql([]);
      const { authenticator, ...others } = sent[0]?.message.payload as Record<string, unknown>;
      should(others).eql(known);
      should(JSON.stringify(sent[0]?.message)).not.containEql(secret);
      return authenticator;
    }

    const refusal = async (payload: object, more: object = {}): Promise<unknown> =>
      (await bring(payload, more)).caught[0]?.error;

    const factorsOf = (id = known.authyId): Promise<readonly Factor[]> =>
      withPeople(async (people) => (await people.find(id))?.factors ?? []);

    it('keeps their ID, and gets codes', async () => {
      should(await authenticatorOf({})).be.null();
      await ask('tokenSms', { authyId: known.authyId });
      const valid = await ask('tokenVerify', { authyId: known.authyId, payload: await newestCode() });
      should(valid).match([{ valid: true }, 0]);
      should((await ask('userStatus', { authyId: known.authyId }))[0]).match({ email: 'ada@example.com' });
    });

    it('and whose authenticator is confirmed by a code: that code counts no more, the next one does', async () => {
      const { authyId } = known;
      const token = totp.generate();
      should(await authenticatorOf({ totpSecret: secret, token })).equal('confirmed');
      should((await ask('userStatus', { authyId }))[0]).match({ confirmed: true });
      should(await ask('tokenVerify', { authyId, payload: token })).match([{ reason: 'reused' }, 1]);
      const next = totp.generate({ timestamp: Date.now() + 30_000 });
      should(await ask('tokenVerify', { authyId, payload: next })).match([{ valid: true }, 0]);
    });

    it('and whose authenticator waits for their first right code', async () => {
      const { authyId } = known;
      should(await authenticatorOf({ totpSecret: secret })).equal('imported');
      should(await authenticatorOf({ totpSecret: secret })).equal('imported');
      should(await verify.requestsTo('/Factors')).equal(0);
      should(await ask('tokenVerify', { authyId, payload: totp.generate() })).match([{ valid: true }, 0]);
      should(await authenticatorOf({ totpSecret: secret })).equal('confirmed');
    });

    it('twice: nothing changes, Twilio is not asked, and an old token does not matter', async () => {
      const payload = { totpSecret: secret, token: totp.generate() };
      await authenticatorOf(payload);
      const [factors, requests] = [await factorsOf(), await verify.requestsTo('/Factors')];
      should(await authenticatorOf(payload)).equal('confirmed');
      should(await authenticatorOf({ totpSecret: secret, token: '000000' })).equal('confirmed');
      should(await authenticatorOf({}, { email: 'other@example.com' })).equal('confirmed');
      should(await factorsOf()).eql(factors);
      should(await verify.requestsTo('/Factors')).equal(requests);
      should((await ask('userStatus', { authyId: known.authyId }))[0]).match({ email: 'ada@example.com' });
    });

    it('with a token that is no code of the secret: refused, and nobody is added', async () => {
      const payload = { totpSecret: secret, token: wrong(totp.generate()) };
      should(await refusal(payload)).match({
        code: 'AUTHY_INVALID_INPUT',
        message: /is no code of the secret at this moment\. Read a new one/,
      });
      should(await refusal({ token: '123456' })).match({
        message: /^msg\.payload\.token is there without the secret/,
      });
      should(await errorOf('userStatus', { authyId: known.authyId })).match({ code: 'AUTHY_USER_NOT_FOUND' });
      should(await verify.requestsTo('/Factors')).equal(0);
    });

    it('with an ID, a phone number or a secret of somebody else: refused, and nothing is changed', async () => {
      await authenticatorOf({ totpSecret: secret });
      const clash = {
        code: 'AUTHY_INVALID_INPUT',
        message: /^msg\.authyId and the phone number belong to different people/,
      };
      should(await refusal({}, { authyId: '1000002' })).match(clash);
      should(await refusal({}, { phoneNumber: '+13175550178' })).match(clash);
      const other = { authyId: '1000002', phoneNumber: '+13175550178' };
      should(await refusal({ totpSecret: secret }, other)).match({
        code: 'AUTHY_INVALID_INPUT',
        message: /^msg\.payload\.totpSecret belongs to another user\. Correct it, or leave it blank/,
      });
      should(await errorOf('userStatus', { authyId: '1000002' })).match({ code: 'AUTHY_USER_NOT_FOUND' });
    });

    it('with another secret: it takes the place of one that was never confirmed, and of no other', async () => {
      await authenticatorOf({ totpSecret: new Secret({ size: 20 }).base32 });
      should(await authenticatorOf({ totpSecret: secret, token: totp.generate() })).equal('confirmed');
      should((await factorsOf()).map((factor) => factor.secret)).eql([secret, secret]);
      should(await authenticatorOf({ totpSecret: new Secret({ size: 20 }).base32 })).equal('confirmed');
      should((await factorsOf()).map((factor) => factor.secret)).eql([secret, secret]);
    });

    for (const [what, path] of [
      ['made', '/Factors'],
      ['confirmed', '/Factors/YF'],
    ] as const) {
      it(`and nobody knows whether their authenticator was ${what}: it is not asked again, and the next import finishes`, async () => {
        const { authyId } = known;
        const faults = [{ kind: 'drop', after: true, method: 'POST', path, times: 1 }];
        await verify.control('PUT', '/faults', { faults });
        const unknown = await refusal({ totpSecret: secret, token: totp.generate() });
        should(unknown).match({ code: 'AUTHY_OUTCOME_UNKNOWN' });
        should(await verify.requestsTo('/Factors')).equal(what === 'made' ? 1 : 2);
        const token = totp.generate({ timestamp: Date.now() + 30_000 });
        should(await authenticatorOf({ totpSecret: secret, token })).equal('confirmed');
        should(await ask('tokenVerify', { authyId, payload: token })).match([{ reason: 'reused' }, 1]);
      });
    }
  });

  it('the test button works for a deployed account, whose secret the panel does not have', async () => {
    await verify.node('appDetails');
    const { serviceSid, apiKeySid } = verify.simulator.verify;
    const typed = { verifyServiceSid: serviceSid, verifyUser: apiKeySid };
    const press = async (form: object): Promise<{ ok: boolean; name?: string; message?: string }> => {
      const response = await fetch(`${verify.flow?.adminUrl ?? ''}/authy-config/test`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Sec-Fetch-Site': 'same-origin' },
        body: JSON.stringify({ id: 'account', version: 2, service: 'verify', simulated: false, ...form }),
      });
      return (await response.json()) as { ok: boolean; name?: string; message?: string };
    };
    should(await press(typed)).match({ ok: true });
    should(await press({ ...typed, verifySecret: verify.simulator.verify.apiKeySecret })).match({ ok: true });
    should(await press({ ...typed, verifySecret: 'another-secret-than-that' })).match({
      ok: false,
      message: /Check the SID and the secret/,
    });
    should(await press({ ...typed, verifyServiceSid: 'VA1' })).match({
      ok: false,
      message: /enter the SID of the Verify service/,
    });
  });

  it('the callback node says at deploy that there are no callbacks', async () => {
    const flow = await verify.run(
      {
        id: 'node',
        type: 'authy-onetouch-callback',
        account: 'account',
        ...{ publicUrl: '', publicUrlType: 'str', trustForwarded: false, strict: true },
        ...{ freshness: 'off', maxSize: 64 },
      },
      3,
    );
    should(
      flow.log.some((line) => line.includes('without it people answer on this Node-RED’s own page')),
    ).be.true();
    should(flow.statuses[0]?.text).endWith('NOT_SUPPORTED');
    const request = { method: 'POST', headers: { host: 'a.example' }, originalUrl: '/callback', body: {} };
    const { sent } = await flow.deliver({ req: request });
    should(sent).match([{ output: 2, message: { statusCode: 403, authy: { reason: 'badConfig' } } }]);
  });

  it('without a user directory there is no place for users: an error that says so', async () => {
    await verify.stopFlow();
    const { serviceSid, apiKeySid, apiKeySecret } = verify.simulator.verify;
    const account = { verifyServiceSid: serviceSid, verifyUser: apiKeySid, verifyBaseUrl: verify.baseUrl };
    verify.flow = await Flow.start(
      newNode('userCreate'),
      1,
      [{ id: 'account', type: 'authy-config', version: 2, service: 'verify', ...account }],
      { account: { verifySecret: apiKeySecret } },
      { userDir: undefined },
    );
    const { caught } = await verify.flow.deliver({ email: 'ada@example.com', ...phone });
    should(caught[0]?.error).match({ code: 'AUTHY_STORE', message: /has no user directory/ });
  });

  it('a wrong secret, a service of another account and a person who is not known are errors with what to do', async () => {
    should(await errorOf('tokenSms', { authyId: '123456' })).match({ code: 'AUTHY_USER_NOT_FOUND' });
    const credentials = verify.simulator.verify;
    const { apiKeySecret } = credentials;
    Object.assign(credentials, { apiKeySecret: 'another-secret-of-the-account' });
    try {
      const running = await verify.node('appDetails');
      Object.assign(credentials, { apiKeySecret: 'yet-another-secret-of-the-account' });
      const { caught } = await running.deliver({});
      should(caught[0]?.error).match({
        code: 'AUTHY_INVALID_API_KEY',
        message: /Check the SID and the secret/,
      });
      should(JSON.stringify(caught)).not.containEql('another-secret');
    } finally {
      Object.assign(credentials, { apiKeySecret });
    }
  });
});
