import should from 'should';
import { type Instance, type TwilioClient, twilioPackage } from '../support/twilio_client';
import { Receiver } from './receiver';
import { App, credentials, phone, VerifyHarness, wrong } from './verify_harness';

const identity = 'person-0001';

describe('simulator: the official JavaScript client of Twilio', function () {
  const harness = new VerifyHarness();
  const receiver = new Receiver();
  let twilio: Awaited<ReturnType<typeof twilioPackage>>;
  let client: TwilioClient;

  before(async function () {
    // The first time it is downloaded.
    this.timeout(600_000);
    twilio = await twilioPackage(this);
    await Promise.all([harness.start(), receiver.start()]);
    const { apiKeySid, apiKeySecret, accountSid } = credentials;
    client = at(twilio(apiKeySid, apiKeySecret, { accountSid }));
  });
  after(async () => {
    await harness.stop();
    if (harness.url !== '') await receiver.stop();
  });
  beforeEach(() => harness.control('POST', '/reset'));

  /** A client of the simulator, and not of Twilio. */
  function at(made: TwilioClient): TwilioClient {
    made.verify.baseUrl = harness.url;
    made.lookups.baseUrl = harness.url;
    return made;
  }

  const service = () => client.verify.v2.services(credentials.serviceSid);
  const entity = () => service().entities(identity);

  const start = (form = {}) => service().verifications.create({ to: phone, channel: 'sms', ...form });
  const check = (code: string, form = {}) =>
    service().verificationChecks.create({ to: phone, code, ...form });

  it('the account itself, and a wrong secret', async () => {
    const { accountSid, authToken, serviceSid } = credentials;
    const asAccount = at(twilio(accountSid, authToken));
    should(await asAccount.verify.v2.services(serviceSid).fetch()).have.property('sid', serviceSid);
    const asNobody = at(twilio(accountSid, 'wrong'));
    await asNobody.verify.v2
      .services(serviceSid)
      .fetch()
      .should.be.rejectedWith({ status: 401, code: 20003 });
  });

  it('the service', async () => {
    should(await service().fetch()).have.properties({ friendlyName: 'Garage', codeLength: 6 });
  });

  it('verifications: started, read, checked', async () => {
    const started = await start({
      locale: 'de',
      customFriendlyName: 'Greenhouse',
      tags: JSON.stringify({ order: '17' }),
      rateLimits: { ip: '127.0.0.1' },
      riskCheck: 'enable',
    });
    should(started).have.properties({ status: 'pending', valid: false, channel: 'sms', to: phone });
    should(started['dateCreated']).eql(new Date('2026-03-01T12:00:00Z'));
    const sid = String(started['sid']);
    for (const name of [sid, phone]) {
      should(await service().verifications(name).fetch()).have.properties({ sid, status: 'pending' });
    }
    const code = await harness.code('verification');
    should(await check(wrong(code))).have.properties({ sid, status: 'pending', valid: false });
    should(await check(code, { to: undefined, verificationSid: sid })).have.properties({
      status: 'approved',
      valid: true,
    });
    await check(code).should.be.rejectedWith({ status: 404, code: 20404 });
    await service().verifications(sid).fetch().should.be.rejectedWith({ status: 404, code: 20404 });
  });

  it('verifications: by every channel', async () => {
    for (const [to, channel] of [
      [phone, 'sms'],
      [phone, 'call'],
      [phone, 'whatsapp'],
      ['ada@example.com', 'email'],
    ]) {
      should(await start({ to, channel })).have.properties({ to, channel, status: 'pending' });
      const code = await harness.code('verification');
      code.should.match(/^\d{6}$/);
    }
    const code = await harness.code('verification');
    should(await check(code, { to: 'ada@example.com' })).have.property('status', 'approved');
  });

  it('verifications: ended', async () => {
    const { sid } = await start();
    const ended = await service().verifications(String(sid)).update({ status: 'canceled' });
    should(ended).have.property('status', 'canceled');
    should(await service().verifications(String(sid)).fetch()).have.property('status', 'canceled');
    await start();
    should(await service().verifications(phone).update({ status: 'approved' })).have.property('valid', true);
  });

  it('verifications: errors', async () => {
    await start({ to: '+13175550000' }).should.be.rejectedWith({ status: 403, code: 60205 });
    await start({ to: 'nobody' }).should.be.rejectedWith({ status: 400, code: 60200 });
    await start({ locale: 'tlh' }).should.be.rejectedWith({ status: 404, code: 20404 });
    await start({ customCode: '123456' }).should.be.rejectedWith({ status: 403, code: 60204 });
    for (let sends = 0; sends < 5; sends++) await start();
    await start().should.be.rejectedWith({ status: 429, code: 60203 });
    const code = await harness.code('verification');
    for (let tries = 0; tries < 5; tries++) await check(wrong(code));
    await check(code).should.be.rejectedWith({ status: 429, code: 60202 });
  });

  it('entities', async () => {
    const made = await service().entities.create({ identity });
    should(made).have.properties({ identity, accountSid: credentials.accountSid });
    await service().entities.create({ identity }).should.be.rejectedWith({ status: 409, code: 60301 });
    should(await entity().fetch()).have.property('sid', made['sid']);
    should(await service().entities.list()).match([{ identity }]);
    should(await entity().remove()).be.true();
    await entity().fetch().should.be.rejectedWith({ status: 404, code: 20404 });
  });

  async function createFactor(): Promise<{ sid: string; app: App }> {
    const made = await entity().newFactors.create({
      friendlyName: 'Phone of Ada',
      factorType: 'totp',
      'config.codeLength': 8,
      'config.timeStep': 60,
      'config.skew': 2,
      'config.alg': 'sha512',
      metadata: { os: 'Android' },
    });
    should(made).have.properties({ status: 'unverified', factorType: 'totp' });
    const { uri, secret } = made['binding'] as { uri: string; secret: string };
    uri.should.containEql(secret);
    return { sid: String(made['sid']), app: new App(uri, harness) };
  }

  it('authenticators', async () => {
    const { sid, app } = await createFactor();
    const factor = () => entity().factors(sid);
    should(await factor().update({ authPayload: wrong(app.code) })).have.property('status', 'unverified');
    should(await factor().update({ authPayload: app.code })).have.property('status', 'verified');
    should(await factor().fetch()).have.property('config', {
      alg: 'sha512',
      skew: 2,
      code_length: 8,
      time_step: 60,
    });
    await createFactor();
    should(await entity().factors.list({ pageSize: 1 })).have.length(2);
    should(await factor().remove()).be.true();
    await factor().fetch().should.be.rejectedWith({ status: 404, code: 20404 });
  });

  it('challenges by authenticators', async () => {
    const { sid: factorSid, app } = await createFactor();
    const challenge = (authPayload: string) => entity().challenges.create({ factorSid, authPayload });
    await challenge(app.code).should.be.rejectedWith({ status: 403, code: 60318 });
    await entity().factors(factorSid).update({ authPayload: app.code });
    should(await challenge(app.code)).have.property('status', 'approved');
    const pending = await challenge(wrong(app.code));
    should(pending).have.property('status', 'pending');
    const again = () => entity().challenges(String(pending['sid']));
    should(await again().update({ authPayload: app.code })).have.property('status', 'approved');
    should(await again().fetch()).have.property('status', 'approved');
    should(await entity().challenges.list({ status: 'approved' })).have.length(2);
  });

  it('devices: enrolled, asked, asked again, answered', async () => {
    const { token } = await service().accessTokens.create({ identity, factorType: 'push', ttl: 60 });
    const { body } = await harness.control('POST', '/factors', { token });
    const asked = await entity().challenges.create({
      factorSid: String(body['sid']),
      'details.message': 'Open the garage?',
      'details.fields': [{ label: 'Where', value: 'Home' }],
      hiddenDetails: { order: '17' },
      expirationDate: new Date('2026-03-01T12:10:00Z'),
    });
    should(asked).have.properties({ status: 'pending', hiddenDetails: { order: '17' } });
    should(asked['expirationDate']).eql(new Date('2026-03-01T12:10:00Z'));
    const challenge = entity().challenges(String(asked['sid']));
    should(await challenge.notifications.create({ ttl: 30 })).have.property('ttl', 30);
    await harness.control('POST', `/approvals/${String(asked['sid'])}`, { answer: 'deny' });
    should(await challenge.fetch()).have.properties({ status: 'denied', factorType: 'push' });
  });

  it('webhooks, whose signature the client verifies', async () => {
    const webhookUrl = `${receiver.url}/hook?a=1`;
    const made = await service().webhooks.create({ friendlyName: 'Tests', eventTypes: ['*'], webhookUrl });
    should(made).have.properties({ status: 'enabled', version: 'v2', eventTypes: ['*'] });
    const webhook = service().webhooks(String(made['sid']));
    should(await webhook.update({ friendlyName: 'Other' })).have.property('friendlyName', 'Other');
    should(await webhook.fetch()).have.property('webhookUrl', webhookUrl);
    should(await service().webhooks.list()).have.length(1);
    const { body } = await harness.control('POST', '/factors', { identity });
    const asked = await entity().challenges.create({
      factorSid: String(body['sid']),
      'details.message': 'Open the garage?',
    });
    await harness.control('POST', `/approvals/${String(asked['sid'])}`, { answer: 'approve' });
    const told = receiver.received.find((request) => request.body.includes('challenge.approved'));
    const params = Object.fromEntries(new URLSearchParams(told?.body));
    const signature = String(told?.headers['x-twilio-signature']);
    twilio.validateRequest(credentials.authToken, signature, webhookUrl, params).should.be.true();
    const forged = { ...params, entity_identity: 'person-0002' };
    twilio.validateRequest(credentials.authToken, signature, webhookUrl, forged).should.be.false();
    should(await webhook.remove()).be.true();
  });

  it('attempts', async () => {
    await start();
    await check(await harness.code('verification'));
    const summary = await client.verify.v2.verificationAttemptsSummary().fetch({ channel: 'sms' });
    should(summary).have.properties({ totalAttempts: 1, totalConverted: 1 });
    const [attempt] = await client.verify.v2.verificationAttempts.list({ 'channelData.to': phone });
    should(attempt).have.property('conversionStatus', 'converted');
    const read: Instance = await client.verify.v2.verificationAttempts(String(attempt?.['sid'])).fetch();
    should(read).have.property('channel', 'sms');
  });

  it('look-ups', async () => {
    const known = await client.lookups.v2.phoneNumbers(phone).fetch({ fields: 'line_type_intelligence' });
    should(known).have.properties({ valid: true, countryCode: 'US', phoneNumber: phone });
    // The client makes an object of its own of it.
    should({ ...(known['lineTypeIntelligence'] as object) }).have.property('type', 'mobile');
    const unknown = await client.lookups.v2.phoneNumbers('+1317').fetch();
    should(unknown).have.properties({ valid: false, validationErrors: ['TOO_SHORT'] });
  });
});
