import should from 'should';
import { TOTP, Secret } from 'otpauth';
import { type Answer, Harness, phone, shouldFail } from './harness';

describe('simulator: users', () => {
  const harness = new Harness();
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(() => harness.control('POST', '/reset'));

  describe('creating a user', () => {
    it('answers as documented, and the same phone gives the same id', async () => {
      const first = await harness.api('POST', '/protected/json/users/new', {
        user: { email: 'ada@example.com', cellphone: '317-555-0142', country_code: 1 },
      });
      first.status.should.equal(200);
      const { id } = first.body['user'] as { id: number };
      first.body.should.eql({ success: true, message: 'User created successfully.', user: { id } });
      Number.isInteger(id).should.be.true();

      (await harness.createUser({ email: 'ada@work.example', cellphone: '(317) 555.0142' })).should.equal(id);
      (await harness.user(id)).should.have.properties({
        phone: '+13175550142',
        emails: ['ada@example.com', 'ada@work.example'],
        app: false,
        confirmed: false,
      });
      (await harness.createUser({ cellphone: '3175550143' })).should.not.equal(id);
    });

    it('names every field that is not valid, among the errors and at top level', async () => {
      const bad = await harness.api('POST', '/protected/json/users/new', {
        user: { email: 'ada', cellphone: '12', country_code: '1' },
      });
      shouldFail(bad, 400, '60027');
      bad.body.should.have.properties({ email: 'is invalid', cellphone: 'is invalid' });
      should(bad.body['errors']).eql({
        message: bad.body['message'],
        email: 'is invalid',
        cellphone: 'is invalid',
      });
      for (const country_code of ['', 'US', '0', '999']) {
        const answer = await harness.api('POST', '/protected/json/users/new', {
          user: { email: 'ada@example.com', cellphone: '3175550142', country_code },
        });
        shouldFail(answer, 400, '60027');
        answer.body.should.have.property('country_code', 'is invalid');
      }
      shouldFail(await harness.api('POST', '/protected/json/users/new'), 400, '60027');
      should((await harness.control('GET', '/users')).body['users']).eql([]);
    });

    it('sends the link to the app, unless that is switched off', async () => {
      await harness.createUser();
      (await harness.messages()).should.be.empty();
      await harness.api('POST', '/protected/json/users/new', {
        user: { email: 'ada@example.com', cellphone: phone.phone_number, country_code: '1' },
      });
      const [message] = await harness.messages();
      should(message).have.properties({ kind: 'install', via: 'sms', to: '+13175550142', code: null });
      should(message?.text).match(/simulator/);
    });
  });

  it('a user has a status as documented', async () => {
    const id = await harness.createUser();
    const { status, body } = await harness.api('GET', `/protected/json/users/${id}/status`);
    status.should.equal(200);
    body.should.have.properties({ success: true, message: 'User status.' });
    should(body['status']).have.properties({
      authy_id: id,
      confirmed: false,
      registered: false,
      country_code: 1,
      phone_number: 'XXX-XXX-0142',
      email: 'ada@example.com',
      devices: [],
      has_hard_token: false,
      account_disabled: false,
    });
    await harness.control('PUT', `/users/${id}`, { app: true, confirmed: true });
    const changed = await harness.api('GET', `/protected/json/users/${id}/status`);
    should(changed.body['status']).have.properties({
      confirmed: true,
      registered: true,
      devices: ['android'],
    });
  });

  it('a user is updated as documented', async () => {
    const id = await harness.createUser();
    const updated = await harness.api('POST', `/protected/json/users/${id}/update`, {
      email: 'new@example.com',
    });
    updated.status.should.equal(200);
    updated.body.should.eql({ success: true, message: 'User was updated successfully' });
    (await harness.user(id)).emails.should.eql(['new@example.com']);
    const bad = await harness.api('POST', `/protected/json/users/${id}/update`, { email: 'x' });
    shouldFail(bad, 400, '60027');
    bad.body.should.have.property('email', 'is invalid');
  });

  describe('deleting a user', () => {
    for (const path of ['users/{id}/remove', 'users/{id}/delete', 'users/delete/{id}']) {
      it(`works by ${path}, once`, async () => {
        const id = await harness.createUser();
        const deletion = `/protected/json/${path.replace('{id}', String(id))}`;
        const deleted = await harness.api('POST', deletion);
        deleted.status.should.equal(200);
        deleted.body.should.eql({ success: true, message: 'User was added to remove.' });
        shouldFail(await harness.api('POST', deletion), 404, '60026');
        shouldFail(await harness.api('GET', `/protected/json/users/${id}/status`), 404, '60026');
        (await harness.createUser()).should.not.equal(id);
      });
    }

    it('ends pending approval requests, without a callback', async () => {
      const id = await harness.createUser();
      const uuid = await harness.createApproval(id);
      await harness.api('POST', `/protected/json/users/${id}/remove`);
      (await harness.approval(uuid)).should.have.properties({ status: 'expired', callback: null });
      (await harness.control('POST', `/approvals/${uuid}`, { answer: 'approve' })).status.should.equal(409);
    });
  });

  describe('the QR code', () => {
    it('is an address that holds the picture itself, which leads nowhere', async () => {
      const id = await harness.createUser();
      const { body } = await harness.api('POST', `/protected/json/users/${id}/secret`, {
        label: 'Home',
        qr_size: 120,
      });
      body.should.have.properties({ success: true, label: 'Home', issuer: 'Garage' });
      const image = await fetch(String(body['qr_code']));
      should(image.headers.get('content-type')).startWith('image/svg+xml');
      const drawing = await image.text();
      drawing.should.startWith('<svg ').and.containEql('width="120" height="120"');
      drawing.should.not.containEql('127.0.0.1');
    });

    it('has a default label and size', async () => {
      const id = await harness.createUser();
      const { body } = await harness.api('POST', `/protected/json/users/${id}/secret`);
      body.should.have.property('label', 'ada@example.com');
      (await (await fetch(String(body['qr_code']))).text()).should.containEql('width="300"');
    });

    it('is refused if its size is not a number of pixels', async () => {
      const id = await harness.createUser();
      for (const qr_size of ['big', 0, 5000, 1.5]) {
        const bad = await harness.api('POST', `/protected/json/users/${id}/secret`, { qr_size });
        shouldFail(bad, 400, '60004');
        should(bad.body['message']).containEql('qr_size');
      }
    });

    it('has room for a label of 200 characters, and for no longer one', async () => {
      const id = await harness.createUser();
      const secret = (label: string): Promise<Answer> =>
        harness.api('POST', `/protected/json/users/${id}/secret`, { label });
      (await secret('界'.repeat(200))).status.should.equal(200);
      shouldFail(await secret('x'.repeat(201)), 400, '60004');
    });

    it('has a new secret each time', async () => {
      const id = await harness.createUser();
      const before = (await harness.user(id)).authenticator;
      before.should.have.properties({ digits: 6, period: 30 });
      await harness.api('POST', `/protected/json/users/${id}/secret`);
      const after = (await harness.user(id)).authenticator;
      after.secret.should.not.equal(before.secret);
      after.code.should.equal(
        new TOTP({
          secret: Secret.fromBase32(after.secret),
          digits: 6,
          period: 30,
          algorithm: 'SHA1',
        }).generate({ timestamp: harness.time }),
      );
    });
  });

  it('an activity of a user is recorded', async () => {
    const id = await harness.createUser();
    for (const type of ['password_reset', 'banned', 'unbanned', 'cookie_login']) {
      const made = await harness.api('POST', `/protected/json/users/${id}/register_activity`, {
        type,
        data: { reason: 'forgot' },
        user_ip: '127.0.0.1',
      });
      made.status.should.equal(200);
      made.body.should.eql({ success: true, message: 'Activity was created.' });
    }
    (await harness.user(id)).activities.should.have.length(4);
    should((await harness.user(id)).activities[0]).match({
      type: 'password_reset',
      data: { reason: 'forgot' },
    });
    shouldFail(
      await harness.api('POST', `/protected/json/users/${id}/register_activity`, { type: 'x' }),
      400,
      '60029',
    );
  });

  it('exports the phone number as documented, without success', async () => {
    const id = await harness.createUser({ cellphone: '3175550142' });
    const { status, body } = await harness.api('GET', `/protected/json/users/${id}/phone_number`);
    status.should.equal(200);
    body.should.eql({
      phone_number: '317-555-0142',
      country_code: '1',
      e164: '+13175550142',
      updated_at: body['updated_at'],
    });
    should(body['updated_at']).match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('exports the secret and a code of it, once there is a QR code', async () => {
    const id = await harness.createUser();
    const ask = () => harness.api('GET', `/protected/json/users/${id}/secret/export`);
    shouldFail(await ask(), 404, '60113');
    await harness.api('POST', `/protected/json/users/${id}/secret`);
    const { body } = await ask();
    const { secret, code } = (await harness.user(id)).authenticator;
    body.should.eql({ success: true, secret, otp: code });
  });

  it('an unknown user is 404 with 60026 on every route except the verification of a token', async () => {
    for (const [method, path] of [
      ['GET', 'users/1/status'],
      ['POST', 'users/1/update'],
      ['POST', 'users/1/secret'],
      ['GET', 'users/1/secret/export'],
      ['GET', 'users/1/phone_number'],
      ['POST', 'users/1/register_activity'],
      ['GET', 'sms/1'],
      ['GET', 'call/1'],
      ['POST', 'email/1'],
      ['GET', 'users/..%2fx/status'],
    ] as const) {
      shouldFail(await harness.api(method, `/protected/json/${path}`), 404, '60026');
    }
    shouldFail(
      await harness.api('POST', '/onetouch/json/users/1/approval_requests', { message: 'x' }),
      404,
      '60026',
    );
  });
});
