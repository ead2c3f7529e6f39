import should from 'should';
import {
  type AuthyClient,
  type AuthyClientClient,
  type ClientAnswer,
  officialClients,
} from '../support/simulator_clients';
import { Harness, key } from './harness';

describe('simulator: the official JavaScript clients', function () {
  const harness = new Harness({ now: Date.now });
  let authy: AuthyClient;
  let client: AuthyClientClient;

  before(async function () {
    // The first time they are downloaded.
    this.timeout(600_000);
    const clients = await officialClients(this);
    await harness.start();
    authy = clients.authy(key, harness.url);
    client = clients.authyClient(key, harness.url);
  });
  after(() => harness.stop());
  beforeEach(() => harness.control('POST', '/reset'));

  /** The answer of a call that takes a callback; rejects with its error. */
  function of(call: (done: (error: unknown, answer: ClientAnswer) => void) => void): Promise<ClientAnswer> {
    return new Promise((resolve, reject) =>
      // The error it gives is the answer's body, not an Error.
      call((error, answer) => {
        if (error === null || error === undefined) resolve(answer);
        else reject(new Error(JSON.stringify(error)));
      }),
    );
  }

  describe('authy 1.4.0', () => {
    const create = async (): Promise<number> => {
      const answer = await of((done) =>
        authy.register_user('ada@example.com', '317-555-0142', '1', true, done),
      );
      return (answer['user'] as { id: number }).id;
    };

    it('users', async () => {
      const id = await create();
      (await harness.messages()).should.match([{ kind: 'install' }]);
      should((await of((done) => authy.user_status(id, done)))['status']).have.property('authy_id', id);
      (await of((done) => authy.delete_user(id, done))).should.have.property('success', true);
      await of((done) => authy.user_status(id, done)).should.be.rejectedWith(/60026/);
    });

    it('tokens', async () => {
      const id = await create();
      (await of((done) => authy.request_sms(id, true, done))).should.have.property(
        'message',
        'SMS token was sent',
      );
      (await of((done) => authy.request_call(id, false, done))).should.have.property(
        'message',
        'Call started...',
      );
      await of((done) => authy.verify(id, '0000000', true, done)).should.be.rejectedWith(/60020/);
      for (const kind of ['sms', 'call']) {
        const code = await harness.code(kind);
        (await of((done) => authy.verify(id, code, true, done))).should.have.property('token', 'is valid');
      }
    });

    it('phones', async () => {
      const phones = authy.phones();
      const started = await of((done) =>
        phones.verification_start('317-555-0142', '1', { via: 'sms', locale: 'en', code_length: 6 }, done),
      );
      started.should.have.property('seconds_to_expire', 599);
      const code = await harness.code('verification');
      code.should.have.length(6);
      const pending = await of((done) => phones.verification_status('317-555-0142', '1', done));
      pending.should.have.property('status', 'pending');
      await of((done) => phones.verification_check('317-555-0142', '1', '1', done)).should.be.rejectedWith(
        /60022/,
      );
      const checked = await of((done) => phones.verification_check('317-555-0142', '1', code, done));
      checked.should.have.property('message', 'Verification code is correct.');
      (await of((done) => phones.info('317-555-0142', '1', done))).should.have.property('type', 'cellphone');
    });

    it('approval requests', async () => {
      const id = await create();
      const logos = [
        { res: 'default', url: 'https://example.com/1.png' },
        { res: 'low', url: 'https://example.com/2.png' },
      ];
      const payload = { message: 'Open the garage?', details: { Where: 'Home' }, seconds_to_expire: 120 };
      const created = await of((done) =>
        authy.send_approval_request(id, payload, { order: '17' }, logos, done),
      );
      const { uuid } = created['approval_request'] as { uuid: string };
      (await harness.approval(uuid)).should.have.properties({
        details: { Where: 'Home' },
        hiddenDetails: { order: '17' },
        logos,
      });
      await harness.control('POST', `/approvals/${uuid}`, { answer: 'approve' });
      const status = await of((done) => authy.check_approval_status(uuid, done));
      should(status['approval_request']).have.property('status', 'approved');
      await of((done) =>
        authy.send_approval_request(id, { message: 'Bare' }, null, null, done),
      ).should.be.fulfilled();
    });
  });

  describe('authy-client 1.1.4', () => {
    // The client checks with a library of its own that the number is valid; numbers for fiction are not.
    const phone = { countryCode: 'PT', phone: '911234567' };
    const create = async (): Promise<number> =>
      ((await client.registerUser({ email: 'ada@example.com', ...phone }))['user'] as { id: number }).id;

    it('users', async () => {
      const authyId = await create();
      (await client.getUserStatus({ authyId }, { ip: '127.0.0.1' })).should.have.property(
        'message',
        'User status.',
      );
      for (const type of ['password_reset', 'banned', 'unbanned', 'cookie_login']) {
        await client.registerActivity({ authyId, type, data: { reason: 'x' } }, { ip: '127.0.0.1' });
      }
      (await client.deleteUser({ authyId }, { ip: '127.0.0.1' })).should.have.property('success', true);
      await client.getUserStatus({ authyId }).should.be.rejectedWith({ code: 404 });
    });

    it('tokens', async () => {
      const authyId = await create();
      const action = { action: 'login', message: 'Log in' };
      (await client.requestSms({ authyId }, { force: true, ...action })).should.have.property('cellphone');
      (await client.requestCall({ authyId })).should.have.property('cellphone');
      await harness.control('PUT', `/users/${authyId}`, { app: true });
      (await client.requestSms({ authyId })).should.have.property('ignored', true);
      (await client.requestCall({ authyId })).should.have.property('ignored', true);
      const token = await harness.code('call');
      (await client.verifyToken({ authyId, token }, { force: true })).should.have.property(
        'token',
        'is valid',
      );
      await client
        .verifyToken({ authyId, token: '0000000' }, { force: true })
        .should.be.rejectedWith({ code: 401 });
    });

    it('phones', async () => {
      await client.startPhoneVerification({ ...phone, via: 'sms' }, { codeLength: 4, locale: 'en' });
      const token = await harness.code('verification');
      await client.verifyPhone({ ...phone, token: '00000' }).should.be.rejectedWith({ code: 401 });
      (await client.verifyPhone({ ...phone, token })).should.have.property('success', true);
      (await client.getPhoneInformation(phone, { ip: '127.0.0.1' })).should.have.property(
        'type',
        'cellphone',
      );
    });

    it('application', async () => {
      await create();
      (await client.getApplicationDetails({ ip: '127.0.0.1' })).should.have.property('app');
      (await client.getApplicationStatistics({ ip: '127.0.0.1' })).should.have.property('total_users', 1);
    });

    it('approval requests', async () => {
      const authyId = await create();
      const created = await client.createApprovalRequest(
        {
          authyId,
          message: 'Open the garage?',
          details: { visible: { Where: 'Home' }, hidden: { order: '17' } },
          logos: [{ res: 'default', url: 'https://example.com/1.png' }],
        },
        { ttl: 120 },
      );
      const { uuid } = created['approval_request'] as { uuid: string };
      for (const status of ['pending', 'denied']) {
        const { approval_request: request } = await client.getApprovalRequest({ id: uuid });
        should(request).have.property('status', status);
        await harness.control('POST', `/approvals/${uuid}`, { answer: 'deny' });
      }
      await client.createApprovalRequest({ authyId, message: 'Bare' }).should.be.fulfilled();
    });
  });
});
