import { rootCertificates } from 'node:tls';
import should from 'should';
import { parseQuery } from '../../nodes/lib/services/authy/callback/query';
import { canonicalParams, type Params, signature } from '../../nodes/lib/services/authy/callback/signature';
import { selfSigned } from '../support/certificate';
import { ScriptedServer } from '../support/scripted_server';
import { Harness, key, shouldFail } from './harness';
import { Receiver } from './receiver';

describe('simulator: approval requests', () => {
  const harness = new Harness();
  const receiver = new Receiver();
  let id: number;
  before(async () => {
    await harness.start();
    await receiver.start();
  });
  after(async () => {
    await harness.stop();
    await receiver.stop();
  });
  beforeEach(async () => {
    await harness.control('POST', '/reset');
    await harness.control('PUT', '/settings', { callbackUrl: null, callbackMethod: 'POST' });
    receiver.received.length = 0;
    receiver.status = 200;
    id = await harness.createUser();
  });

  const read = async (uuid: string): Promise<Record<string, unknown>> =>
    (await harness.api('GET', `/onetouch/json/approval_requests/${uuid}`)).body['approval_request'] as Record<
      string,
      unknown
    >;
  const answer = (uuid: string, text: string) =>
    harness.control('POST', `/approvals/${uuid}`, { answer: text });

  describe('creating one', () => {
    it('answers with a uuid, and the phone shows the request', async () => {
      const created = await harness.api('POST', `/onetouch/json/users/${id}/approval_requests`, {
        message: 'Open the garage?',
        details: { Where: 'Home', Times: 3, Again: true, Note: null },
        hidden_details: { order: '17' },
        logos: [{ url: 'https://example.com/logo.png', res: 'default' }],
        seconds_to_expire: 120,
      });
      created.status.should.equal(200);
      const { uuid } = created.body['approval_request'] as { uuid: string };
      created.body.should.eql({ success: true, approval_request: { uuid } });
      uuid.should.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      const shown = await harness.approval(uuid);
      shown.should.have.properties({
        authyId: id,
        phone: '+13175550142',
        status: 'pending',
        message: 'Open the garage?',
        details: { Where: 'Home', Times: '3', Again: 'true', Note: '' },
        hiddenDetails: { order: '17' },
        logos: [{ res: 'default', url: 'https://example.com/logo.png' }],
        expiresIn: 120_000,
        callback: null,
      });
    });

    it('refuses wrong parameters', async () => {
      for (const params of [
        {},
        { message: '' },
        { message: '  ' },
        { message: 'x', seconds_to_expire: 'soon' },
        { message: 'x', seconds_to_expire: -1 },
        { message: 'x', seconds_to_expire: 1.5 },
        { message: 'x', details: 'text' },
        { message: 'x', details: { a: { b: 'c' } } },
        { message: 'x', logos: 'text' },
        { message: 'x', logos: [{ res: 'default' }] },
        { message: 'x', logos: [{ res: 'huge', url: 'https://example.com/' }] },
      ]) {
        const refused = await harness.api('POST', `/onetouch/json/users/${id}/approval_requests`, params);
        shouldFail(refused, 400, '60080');
      }
      should((await harness.control('GET', '/approvals')).body['approvals']).eql([]);
    });

    it('it expires after a day by default, and never with 0 seconds', async () => {
      const absent = await harness.createApproval(id);
      const asNull = await harness.createApproval(id, { seconds_to_expire: null });
      const never = await harness.createApproval(id, { seconds_to_expire: 0 });
      (await read(absent)).should.have.property('seconds_to_expire', 86_400);
      (await harness.approval(never)).should.have.properties({ expiresAt: null, expiresIn: null });
      harness.wait(86_399);
      (await read(absent)).should.have.property('status', 'pending');
      harness.wait(1);
      for (const uuid of [absent, asNull]) (await read(uuid)).should.have.property('status', 'expired');
      harness.wait(400 * 86_400);
      (await read(never)).should.have.property('status', 'pending');
    });
  });

  describe('its status', () => {
    it('has every documented member', async () => {
      const uuid = await harness.createApproval(id);
      const pending = await read(uuid);
      const now = new Date(harness.time).toISOString().replace('.000Z', 'Z');
      pending.should.have.properties({
        _app_name: 'Garage',
        _app_serial_id: 1,
        _authy_id: id,
        _user_email: 'ada@example.com',
        created_at: now,
        notified: false,
        processed_at: null,
        seconds_to_expire: 86_400,
        status: 'pending',
        updated_at: now,
        uuid,
      });
      for (const name of ['_id', 'app_id', 'user_id']) should(pending[name]).match(/^[0-9a-f]{24}$/);
      for (const [text, status] of [
        ['approve', 'approved'],
        ['deny', 'denied'],
      ] as const) {
        const other = await harness.createApproval(id);
        harness.wait(5);
        await answer(other, text);
        const processed = new Date(harness.time).toISOString().replace('.000Z', 'Z');
        (await read(other)).should.have.properties({
          status,
          processed_at: processed,
          updated_at: processed,
        });
      }
      (await read(uuid.toUpperCase())).should.have.property('uuid', uuid);
    });

    it('is 404 with 60049 and no errors if there is no such request', async () => {
      const { status, body } = await harness.api('GET', '/onetouch/json/approval_requests/none');
      status.should.equal(404);
      body.should.eql({
        message: 'Approval request not found: none',
        success: false,
        errors: {},
        error_code: '60049',
      });
    });
  });

  describe('the callback', () => {
    const callbackUrl = (): string => `${receiver.url}/authy/callback`;

    it('by POST is JSON with every field, and its signature covers the address', async () => {
      await harness.control('PUT', '/settings', { callbackUrl: callbackUrl() });
      const uuid = await harness.createApproval(id, {
        message: 'Pay [1] & (2)? Ça va',
        details: { Bank: '1', 'Bank account': '2' },
        logos: [{ res: 'default', url: 'https://example.com/1.png' }],
      });
      const createdAt = harness.time / 1000;
      harness.wait(7);
      const { status, body } = await answer(uuid, 'approve');
      status.should.equal(200);
      body.should.have.property('status', 'approved');
      should(body['callback']).eql({ url: callbackUrl(), method: 'POST', status: 200 });
      (await harness.approval(uuid)).callback?.should.eql(body['callback']);

      receiver.received.should.have.length(1);
      const [request] = receiver.received;
      should(request).have.properties({ method: 'POST', url: '/authy/callback' });
      const params = JSON.parse(request?.body ?? '') as Params;
      should(params).match({
        authy_id: id,
        uuid,
        status: 'approved',
        callback_action: 'approval_request_status',
      });
      should(params['approval_request']).match({
        transaction: {
          details: { Bank: '1', 'Bank account': '2' },
          hidden_details: null,
          message: 'Pay [1] & (2)? Ça va',
          status: 'approved',
          uuid,
          created_at_time: createdAt,
          device_signing_time: createdAt + 7,
          customer_uuid: 1,
        },
        expiration_timestamp: createdAt + 86_400,
        logos: [{ res: 'default', url: 'https://example.com/1.png' }],
      });
      should(params['device']).have.properties({ id: params['device_uuid'], os_type: 'android' });
      String(params['signature']).should.have.length(344);

      const nonce = String(request?.headers['x-authy-signature-nonce']);
      nonce.should.equal(String(createdAt + 7)).and.have.length(10);
      should(request?.headers['x-authy-signature']).equal(
        signature({ apiKey: key, nonce, method: 'POST', url: callbackUrl(), params }),
      );
    });

    it('by GET has the signed text as its query string', async () => {
      await harness.control('PUT', '/settings', {
        callbackUrl: `${callbackUrl()}?site=1`,
        callbackMethod: 'GET',
      });
      const uuid = await harness.createApproval(id, { details: { 'Bank account': "it's (a) *" } });
      const { body } = await answer(uuid, 'deny');
      should(body['callback']).have.properties({ method: 'GET', status: 200 });
      const [request] = receiver.received;
      should(request).have.properties({ method: 'GET', body: '' });
      const [path = '', query = ''] = (request?.url ?? '').split('?');
      path.should.equal('/authy/callback');
      const params = parseQuery(query);
      canonicalParams(params).should.equal(query);
      should(params).have.properties({ status: 'denied', uuid, site: '1' });
      const nonce = String(request?.headers['x-authy-signature-nonce']);
      should(request?.headers['x-authy-signature']).equal(
        signature({ apiKey: key, nonce, method: 'GET', url: callbackUrl(), params }),
      );
    });

    it('is sent once, and only for an answer', async () => {
      await harness.control('PUT', '/settings', { callbackUrl: callbackUrl() });
      const late = await harness.createApproval(id, { seconds_to_expire: 10 });
      const uuid = await harness.createApproval(id);
      harness.wait(11);
      (await answer(late, 'approve')).status.should.equal(409);
      (await answer(uuid, 'approve')).status.should.equal(200);
      const again = await answer(uuid, 'deny');
      again.status.should.equal(409);
      should(again.body['error']).match(/already approved/);
      receiver.received.should.have.length(1);
      (await harness.approval(late)).should.have.properties({ status: 'expired', callback: null });
    });

    it('is reported with the answer of the receiver, and follows no redirect', async () => {
      await harness.control('PUT', '/settings', { callbackUrl: callbackUrl() });
      for (const status of [403, 500, 302]) {
        receiver.status = status;
        const { body } = await answer(await harness.createApproval(id), 'approve');
        should(body['callback']).have.property('status', status);
      }
      receiver.received.should.have.length(3);
    });

    it('goes to the address that is set when it is sent, and only to a server with a given certificate', async () => {
      const certificate = await selfSigned();
      const server = await new ScriptedServer(certificate).start();
      server.script({ status: 200, json: {} });
      const [stranger = ''] = rootCertificates;
      try {
        for (const [certificates, outcome] of [
          [[certificate.cert], { status: 200 }],
          [[stranger, certificate.cert], { status: 200 }],
          [undefined, { failure: 'connection', error: /self-signed/ }],
          [[stranger], { failure: 'connection', error: /self-signed/ }],
          // The file contains the server's certificate and is trusted, but the first one in it is not the server's own.
          [
            [`${stranger}\n${certificate.cert}`],
            { failure: 'connection', error: /not the one of this server/ },
          ],
        ] as const) {
          server.seen.length = 0;
          const target = { url: `${server.url}/authy/callback`, ...(certificates && { certificates }) };
          harness.simulator.configure({ callbackUrl: () => target });
          const { body } = await answer(await harness.createApproval(id), 'approve');
          should(body['callback']).match({ url: target.url, ...outcome });
          server.seen.length.should.equal('status' in outcome ? 1 : 0);
        }
        harness.simulator.configure({ callbackUrl: () => undefined });
        const { body } = await answer(await harness.createApproval(id), 'approve');
        should(body['callback']).match({ url: null, failure: 'missing' });
      } finally {
        await server.stop();
      }
    });

    it('does not make the answer fail if it cannot be delivered or has no address', async () => {
      harness.lines.length = 0;
      const nowhere = await answer(await harness.createApproval(id), 'approve');
      nowhere.status.should.equal(200);
      should(nowhere.body['callback']).eql({
        url: null,
        method: 'POST',
        failure: 'missing',
        error: 'no callback URL set',
      });
      harness.lines.filter((line) => line.includes('callback')).should.be.empty();

      const closed = await new Receiver().start();
      const { url } = closed;
      await closed.stop();
      await harness.control('PUT', '/settings', { callbackUrl: url });
      const refused = await answer(await harness.createApproval(id), 'approve');
      should(refused.body).have.property('status', 'approved');
      should(refused.body['callback']).match({ url, failure: 'closed', error: /ECONNREFUSED/ });
      harness.lines
        .at(-1)
        ?.should.match(/ECONNREFUSED.*, nothing listens there; the approval gate does not need it$/);

      harness.simulator.configure({ callbackUrl: 'nonsense' });
      const nonsense = await answer(await harness.createApproval(id), 'approve');
      should(nonsense.body['callback']).match({
        url: 'nonsense',
        failure: 'address',
        error: /has to be an address/,
      });
    });
  });
});
