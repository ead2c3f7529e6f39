import should from 'should';
import { twilioSignature } from '../../nodes/simulator/verify/twilio-signature';
import type { FactorView } from '../../nodes/simulator/views';
import { eventually } from '../support/node_red';
import { Receiver } from './receiver';
import { credentials, shouldFail, VerifyHarness } from './verify_harness';

const identity = 'person-0001';
const entity = `/Entities/${identity}`;

describe('simulator: push factors and webhooks of Twilio Verify', () => {
  const harness = new VerifyHarness();
  const receiver = new Receiver();
  before(() => Promise.all([harness.start(), receiver.start()]));
  after(() => Promise.all([harness.stop(), receiver.stop()]));

  let factor: string;
  beforeEach(async () => {
    harness.time = Date.UTC(2026, 2, 1, 12);
    receiver.status = 200;
    receiver.received.length = 0;
    await harness.control('DELETE', '/state');
    const { body } = await harness.control('POST', '/factors', { identity, friendlyName: 'Phone of Ada' });
    factor = String(body['sid']);
  });

  const ask = (form: Record<string, string | string[]> = {}) =>
    harness.verify('POST', `${entity}/Challenges`, {
      FactorSid: factor,
      'Details.Message': 'Open the garage?',
      ...form,
    });
  const sidOf = async (form = {}): Promise<string> => String((await ask(form)).body['sid']);
  const statusOf = async (sid: string) =>
    (await harness.verify('GET', `${entity}/Challenges/${sid}`)).body['status'];
  const answer = (sid: string, given: string) =>
    harness.control('POST', `/approvals/${sid}`, { answer: given });
  const hook = (form: Record<string, string | string[]> = {}) =>
    harness.verify('POST', '/Webhooks', {
      FriendlyName: 'Tests',
      EventTypes: '*',
      WebhookUrl: `${receiver.url}/hook?a=1`,
      ...form,
    });
  const paramsOf = (body = receiver.received[0]?.body) => Object.fromEntries(new URLSearchParams(body ?? ''));

  describe('the factor', () => {
    it('is there as if the app had registered itself, and is verified', async () => {
      const { body } = await harness.verify('GET', `${entity}/Factors/${factor}`);
      body.should.have.properties({
        sid: factor,
        identity,
        friendly_name: 'Phone of Ada',
        status: 'verified',
        factor_type: 'push',
      });
      should(body['config']).have.properties({ app_id: 'simulator', notification_platform: 'none' });
      const { factors } = (await harness.control('GET', '/factors')).body as { factors: FactorView[] };
      factors.should.match([{ sid: factor, identity, type: 'push', verified: true, authenticator: null }]);
    });

    it('registers by an access token, as long as that is valid', async () => {
      const created = await harness.verify('POST', '/AccessTokens', {
        Identity: 'person-0002',
        FactorType: 'push',
        FactorFriendlyName: 'Tablet',
        Ttl: '120',
      });
      created.status.should.equal(201);
      created.body.should.have.properties({
        entity_identity: 'person-0002',
        factor_type: 'push',
        factor_friendly_name: 'Tablet',
        ttl: 120,
      });
      const { token, sid } = created.body;
      (await harness.verify('GET', `/AccessTokens/${String(sid)}`)).body.should.eql(created.body);
      harness.wait(119);
      const enrolled = await harness.control('POST', '/factors', { token });
      enrolled.body.should.have.properties({ identity: 'person-0002', friendlyName: 'Tablet', type: 'push' });
      harness.wait(1);
      (await harness.control('POST', '/factors', { token })).status.should.equal(400);
      for (const [form, name] of [
        [{ Ttl: '59' }, 'Ttl'],
        [{ Ttl: '301' }, 'Ttl'],
        [{ FactorType: 'totp' }, 'FactorType'],
        [{ FactorType: '' }, 'FactorType'],
        [{ Identity: 'a@b' }, 'Identity'],
      ] as const) {
        const given = { Identity: identity, FactorType: 'push', ...form };
        shouldFail(await harness.verify('POST', '/AccessTokens', given), 400, 60200, new RegExp(name));
      }
      shouldFail(await harness.verify('GET', `/AccessTokens/YK${'0'.repeat(32)}`), 404, 20404);
    });

    it('a person has twenty of them at most', async () => {
      for (let count = 1; count < 20; count++) {
        (await harness.control('POST', '/factors', { identity })).status.should.equal(200);
      }
      (await harness.control('POST', '/factors', { identity })).status.should.equal(400);
    });

    it('the control interface says what it needs', async () => {
      for (const [body, problem] of [
        [{}, /^Give an identity/],
        [{ identity: 'x' }, /Identity/],
        [{ token: 'x' }, /^Get a new token/],
        [{ name: 'x' }, /"name" is not known/],
      ] as const) {
        const { status, body: refused } = await harness.control('POST', '/factors', body);
        status.should.equal(400);
        should(refused['error']).match(problem);
      }
      (await harness.control('DELETE', '/factors/YF1')).status.should.equal(404);
    });
  });

  describe('a challenge', () => {
    it('comes to the phone page, and is answered there', async () => {
      const { status, body } = await ask({
        'Details.Fields': ['{"label":"Where","value":"Home"}', '{"label":"Who","value":"Ada"}'],
        HiddenDetails: '{"order":"17"}',
      });
      status.should.equal(201);
      body.should.have.properties({
        status: 'pending',
        factor_type: 'push',
        hidden_details: { order: '17' },
        date_responded: null,
        expiration_date: '2026-03-01T12:05:00Z',
        details: {
          message: 'Open the garage?',
          date: '2026-03-01T12:00:00Z',
          fields: [
            { label: 'Where', value: 'Home' },
            { label: 'Who', value: 'Ada' },
          ],
        },
      });
      const sid = String(body['sid']);
      const shown = (await harness.control('GET', '/state')).body['approvals'];
      should(shown).match([
        {
          sid,
          identity,
          authyId: null,
          phone: null,
          status: 'pending',
          message: 'Open the garage?',
          details: { Where: 'Home', Who: 'Ada' },
          hiddenDetails: { order: '17' },
        },
      ]);
      const [{ uuid }] = shown as [{ uuid: string }];
      sid.should.equal(`YC${uuid.replaceAll('-', '')}`);
      harness.wait(10);
      (await answer(uuid, 'approve')).body.should.have.properties({ status: 'approved', sid });
      const read = await harness.verify('GET', `${entity}/Challenges/${sid}`);
      read.body.should.have.properties({
        status: 'approved',
        date_responded: '2026-03-01T12:00:10Z',
        date_updated: '2026-03-01T12:00:10Z',
      });
      (await answer(sid, 'deny')).status.should.equal(409);
    });

    it('is denied, or expires in its time', async () => {
      const denied = await sidOf();
      await answer(denied, 'deny');
      should(await statusOf(denied)).equal('denied');
      const quick = await sidOf({ ExpirationDate: '2026-03-01T12:01:00Z' });
      const slow = await sidOf({ ExpirationDate: '2026-03-01T13:00:00Z' });
      harness.wait(60);
      should(await statusOf(quick)).equal('expired');
      should(await statusOf(slow)).equal('pending');
      (await answer(quick, 'approve')).status.should.equal(409);
      const { approvals } = (await harness.control('GET', `/approvals?identity=${identity}&status=expired`))
        .body;
      should(approvals).match([{ sid: quick }]);
    });

    it('expires with its factor and with its person', async () => {
      const first = await sidOf();
      await harness.verify('DELETE', `${entity}/Factors/${factor}`);
      should(await statusOf(first)).equal('expired');
      factor = String((await harness.control('POST', '/factors', { identity })).body['sid']);
      const second = await sidOf();
      await harness.verify('DELETE', entity);
      (await answer(second, 'approve')).status.should.equal(409);
    });

    it('stands beside the approval requests of Authy, and neither is found as the other', async () => {
      const id = await harness.createUser();
      const uuid = await harness.createApproval(id);
      harness.wait(1);
      const sid = await sidOf();
      const { approvals } = (await harness.control('GET', '/approvals')).body;
      should(approvals).match([
        { uuid, authyId: id },
        { sid, authyId: null },
      ]);
      const challengeUuid = (approvals as { uuid: string }[])[1]?.uuid ?? '';
      (await harness.api('GET', `/onetouch/json/approval_requests/${challengeUuid}`)).status.should.equal(
        404,
      );
      const asChallenge = `YC${uuid.replaceAll('-', '')}`;
      shouldFail(await harness.verify('GET', `${entity}/Challenges/${asChallenge}`), 404, 20404);
    });

    it('is not shown if an authenticator answers it', async () => {
      const { sid, app } = await harness.createVerifiedFactor(identity);
      const { body } = await harness.verify('POST', `${entity}/Challenges`, {
        FactorSid: sid,
        AuthPayload: app.code,
      });
      (await harness.control('GET', '/approvals')).body.should.have.property('approvals', []);
      (await answer(String(body['sid']), 'approve')).status.should.equal(404);
    });

    it('is asked again as long as it is pending', async () => {
      const sid = await sidOf();
      const again = (form = {}) => harness.verify('POST', `${entity}/Challenges/${sid}/Notifications`, form);
      const { status, body } = await again({ Ttl: '60' });
      status.should.equal(201);
      body.should.have.properties({ challenge_sid: sid, ttl: 60, identity });
      (await again()).body.should.have.property('ttl', 300);
      shouldFail(await again({ Ttl: '301' }), 400, 60200, /Ttl/);
      await answer(sid, 'approve');
      shouldFail(await again(), 400, 60200, /approved/);
    });

    it('refuses what is not valid, and names it', async () => {
      const field = JSON.stringify({ label: 'a', value: 'b' });
      for (const [form, name] of [
        [{ 'Details.Message': '' }, 'Details.Message'],
        [{ 'Details.Message': 'x'.repeat(257) }, 'Details.Message'],
        [{ 'Details.Fields': 'text' }, 'Details.Fields'],
        [{ 'Details.Fields': '{"label":"a"}' }, 'Details.Fields'],
        [{ 'Details.Fields': '{"label":"a","value":1}' }, 'Details.Fields'],
        [{ 'Details.Fields': JSON.stringify({ label: 'x'.repeat(37), value: 'b' }) }, 'Details.Fields'],
        [{ 'Details.Fields': JSON.stringify({ label: 'a', value: 'x'.repeat(129) }) }, 'Details.Fields'],
        [{ 'Details.Fields': Array.from({ length: 21 }, () => field) }, 'Details.Fields'],
        [{ HiddenDetails: '{"a":1}' }, 'HiddenDetails'],
        [{ HiddenDetails: JSON.stringify({ a: 'x'.repeat(1024) }) }, 'HiddenDetails'],
        [{ ExpirationDate: '2026-03-01T11:59:59Z' }, 'ExpirationDate'],
        [{ ExpirationDate: '2026-03-01T23:00:00Z' }, 'ExpirationDate'],
        [{ ExpirationDate: 'soon' }, 'ExpirationDate'],
      ] as const) {
        shouldFail(await ask(form), 400, 60200, new RegExp(`\`${name}\``));
      }
      const sid = await sidOf();
      shouldFail(
        await harness.verify('POST', `${entity}/Challenges/${sid}`, { AuthPayload: 'signed' }),
        400,
        60200,
        /phone page/,
      );
    });
  });

  describe('webhooks', () => {
    it('are made, read, listed, changed and deleted', async () => {
      const { status, body } = await hook({ EventTypes: ['challenge.approved', 'challenge.denied'] });
      status.should.equal(201);
      body.should.have.properties({
        friendly_name: 'Tests',
        event_types: ['challenge.approved', 'challenge.denied'],
        status: 'enabled',
        version: 'v2',
        webhook_method: 'POST',
        webhook_url: `${receiver.url}/hook?a=1`,
      });
      const path = `/Webhooks/${String(body['sid'])}`;
      (await harness.verify('GET', path)).body.should.eql(body);
      should((await harness.verify('GET', '/Webhooks')).body['webhooks']).eql([body]);
      const changed = await harness.verify('POST', path, { Status: 'disabled', FriendlyName: 'Other' });
      changed.body.should.have.properties({ status: 'disabled', friendly_name: 'Other', version: 'v2' });
      (await harness.verify('DELETE', path)).status.should.equal(204);
      shouldFail(await harness.verify('GET', path), 404, 20404);
      for (const [form, name] of [
        [{ FriendlyName: '' }, 'FriendlyName'],
        [{ EventTypes: [] }, 'EventTypes'],
        [{ EventTypes: ['challenge.expired'] }, 'EventTypes'],
        [{ WebhookUrl: 'nonsense' }, 'WebhookUrl'],
        [{ WebhookUrl: 'ftp://127.0.0.1/' }, 'WebhookUrl'],
        [{ Status: 'maybe' }, 'Status'],
        [{ Version: 'v3' }, 'Version'],
      ] as const) {
        shouldFail(
          await hook(form as Record<string, string | string[]>),
          400,
          60200,
          new RegExp(`\`${name}\``),
        );
      }
    });

    for (const [given, type] of [
      ['approve', 'challenge.approved'],
      ['deny', 'challenge.denied'],
    ] as const) {
      it(`are told that a challenge was answered: ${type}, signed`, async () => {
        await hook({ EventTypes: [type] });
        const sid = await sidOf();
        const answered = await answer(sid, given);
        should(answered.body['callback']).match({
          url: `${receiver.url}/hook?a=1`,
          method: 'POST',
          status: 200,
        });
        receiver.received.should.have.length(1);
        const [request] = receiver.received;
        should(request).have.properties({ method: 'POST', url: '/hook?a=1' });
        should(request?.headers).have.property('content-type', 'application/x-www-form-urlencoded');
        const params = paramsOf();
        const { uuid, ...rest } = params;
        should(uuid).match(/^[0-9a-f-]{36}$/);
        rest.should.eql({
          type,
          account_sid: credentials.accountSid,
          service_sid: credentials.serviceSid,
          entity_identity: identity,
          factor_sid: factor,
          factor_type: 'push',
          challenge_sid: sid,
        });
        should(request?.headers['x-twilio-signature']).equal(
          twilioSignature(credentials.authToken, `${receiver.url}/hook?a=1`, params),
        );
      });
    }

    it('are told of push factors, and not of authenticators', async () => {
      await hook({ EventTypes: ['factor.created', 'factor.verified', 'factor.deleted'] });
      await harness.createVerifiedFactor(identity);
      const { body } = await harness.control('POST', '/factors', { identity: 'person-0002' });
      await eventually('both events', () => receiver.received.length === 2 || undefined);
      await harness.control('DELETE', `/factors/${String(body['sid'])}`);
      await eventually('the third event', () => receiver.received.length === 3 || undefined);
      const told = receiver.received.map((request) => paramsOf(request.body));
      told
        .map(({ type }) => type)
        .sort()
        .should.eql(['factor.created', 'factor.deleted', 'factor.verified']);
      told.should.matchEach({ factor_sid: body['sid'], entity_identity: 'person-0002' });
      new Set(told.map(({ uuid }) => uuid)).size.should.equal(3);
    });

    it('are told only of what they asked for, if they are enabled', async () => {
      await hook({ EventTypes: 'challenge.denied' });
      await hook({ Status: 'disabled' });
      const { body } = await answer(await sidOf(), 'approve');
      should(body['callback']).match({ url: null, failure: 'missing' });
      receiver.received.should.be.empty();
    });

    it('faults of callbacks apply', async () => {
      await hook({ EventTypes: ['challenge.approved', 'challenge.denied'] });
      const faults = (...list: object[]) => harness.control('PUT', '/faults', { faults: list });
      await faults({ kind: 'callbackRepeated', copies: 3, times: 1 });
      await answer(await sidOf(), 'approve');
      const uuids = receiver.received.splice(0).map(({ body }) => paramsOf(body)['uuid']);
      uuids.should.have.length(3);
      new Set(uuids).size.should.equal(1);

      await faults({ kind: 'callbackForged', times: 1 });
      await answer(await sidOf(), 'approve');
      const [forged] = receiver.received.splice(0);
      should(forged?.headers['x-twilio-signature']).not.equal(
        twilioSignature(credentials.authToken, `${receiver.url}/hook?a=1`, paramsOf(forged?.body)),
      );

      await faults({ kind: 'callbackContradicts', times: 1 });
      const contradicted = await sidOf();
      await answer(contradicted, 'approve');
      paramsOf(receiver.received.splice(0)[0]?.body).should.have.property('type', 'challenge.denied');
      should(await statusOf(contradicted)).equal('approved');

      await faults({ kind: 'callbackLost', times: 1 });
      should((await answer(await sidOf(), 'deny')).body['callback']).match({ failure: 'lost' });
      receiver.received.should.be.empty();

      receiver.status = 500;
      should((await answer(await sidOf(), 'deny')).body['callback']).match({ status: 500 });
    });

    it('a late one does not hold the answer up', async () => {
      await hook();
      await harness.control('PUT', '/faults', { faults: [{ kind: 'callbackLate', ms: 100 }] });
      const sid = await sidOf();
      const { body } = await answer(sid, 'approve');
      should(body['callback']).not.have.property('status');
      (await harness.reported(sid)).should.have.property('status', 200);
    });
  });
});

describe('simulator: the signature of Twilio', () => {
  const params = {
    CallSid: 'CA1234567890ABCDE',
    Caller: '+14158675309',
    Digits: '1234',
    From: '+14158675309',
    To: '+18005551212',
  };

  // Source: twilio/twilio-node, spec/validation.spec.js
  for (const [url, given, signature] of [
    ['https://mycompany.com/myapp.php?foo=1&bar=2', params, 'RSOYDt4T1cUTdK1PDd93/VVr8B8='],
    ['https://mycompany.com:443/myapp.php?foo=1&bar=2', params, 'kvajT1Ptam85bY51eRf/AJRuM3w='],
    ['http://mycompany.com:1234/myapp.php?foo=1&bar=2', params, 'Zmvh+3yNM1Phv2jhDCwEM3q5ebU='],
    [
      'https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620',
      {},
      'a9nBmqA0ju/hNViExpshrM61xv4=',
    ],
  ] as const) {
    it(`of ${url}`, () => {
      twilioSignature('12345', url, given).should.equal(signature);
    });
  }
});
