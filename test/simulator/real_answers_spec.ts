import should from 'should';
import { canonicalParams, type Params, signature } from '../../nodes/lib/services/authy/callback/signature';
import { type Answer, Harness, key, shouldFail } from './harness';
import { Receiver } from './receiver';

/** Answers of the real Authy, from the official clients' own tests and from what people have published. */
describe('simulator: answers with the same words as the real Authy', () => {
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
    id = await harness.createUser();
  });

  const start = (country_code: string, phone_number: string, params: object = {}): Promise<Answer> =>
    harness.api('POST', '/protected/json/phones/verification/start', {
      country_code,
      phone_number,
      via: 'sms',
      ...params,
    });
  const verify = (token: string, user: number | string = id): Promise<Answer> =>
    harness.api('GET', `/protected/json/verify/${token}/${user}`, { force: 'true' });

  for (const [country, number, written] of [
    ['1', '2015550123', '+1 201-555-0123'],
    ['64', '210393363', '+64 21-039-3363'],
    ['254', '712550547', '+254 71-255-0547'],
    ['54', '3173389302', '+54 317-338-9302'],
    ['65', '61234567', '+65 6-123-4567'],
    ['47', '21234567', '+47 2-123-4567'],
    ['690', '3190', '+690 3190'],
  ] as const) {
    it(`a phone number is written ${written}`, async () => {
      const checked = await harness.api('GET', '/protected/json/phones/verification/check', {
        country_code: country,
        phone_number: number,
        verification_code: '1234',
      });
      should(checked.body['message']).equal(`No pending verifications for ${written} found.`);
    });
  }

  for (const [locale, sms, call] of [
    [undefined, 'Text message sent to +1 775-461-5609.', 'Call to +1 775-461-5609 initiated.'],
    ['en', 'Text message sent to +1 775-461-5609.', 'Call to +1 775-461-5609 initiated.'],
    ['es', 'Mensaje de texto enviado a +1 775-461-5609.', 'Llamada a +1 775-461-5609 fue iniciada.'],
    ['xx', 'Text message sent to +1 775-461-5609.', 'Call to +1 775-461-5609 initiated.'],
  ] as const) {
    it(`a phone verification in ${locale ?? 'no locale'} is answered "${sms}"`, async () => {
      should((await start('1', '7754615609', { locale })).body['message']).equal(sms);
      should((await start('1', '7754615609', { locale, via: 'call' })).body['message']).equal(call);
    });
  }

  for (const locale of ['de', 'fr', 'it', 'ja', 'pt-BR', 'zh-CN']) {
    it(`a phone verification in ${locale} is answered in its language`, async () => {
      for (const via of ['sms', 'call']) {
        const { status, body } = await start('1', '7754615609', { locale, via });
        status.should.equal(200);
        should(body['message']).match(/\+1 775-461-5609/);
        should(body['message']).not.match(/sent|initiated/);
      }
    });
  }

  it('the message of 60027 has no full stop', async () => {
    const bad = await harness.api('POST', '/protected/json/users/new');
    shouldFail(bad, 400, '60027');
    bad.body.should.have.property('message', 'User was not valid');
  });

  it('a token of a user who does not exist is 401 with 60016', async () => {
    for (const user of [1, '..%2fx']) {
      const unknown = await verify('1234567', user);
      shouldFail(unknown, 401, '60016');
      unknown.body.should.have.property('message', "User doesn't exist");
    }
  });

  it('an ignored SMS or call says how to force it', async () => {
    await harness.control('PUT', `/users/${id}`, { app: true });
    (await harness.api('GET', `/protected/json/sms/${id}`)).body.should.have.property(
      'message',
      'Ignored: SMS is not needed for smartphones. Pass force=true if you want to actually send it anyway.',
    );
    (await harness.api('GET', `/protected/json/call/${id}`)).body.should.have.property(
      'message',
      'Call ignored. User is using  App Tokens and this call is not necessary. ' +
        'Pass force=true if you still want to call users that are using the App.',
    );
  });

  it('a token that was used before is 401 with 60019', async () => {
    await harness.api('GET', `/protected/json/sms/${id}`);
    const code = await harness.code('sms');
    await verify(code);
    const again = await verify(code);
    shouldFail(again, 401, '60019');
    again.body.should.have.property('message', 'Token is invalid. Token was used recently');
  });

  it('a failed lookup of a phone number is 500 with 60025', async () => {
    const failed = await harness.api('GET', '/protected/json/phones/info', {
      country_code: '1',
      phone_number: '3175550005',
    });
    shouldFail(failed, 500, '60025');
    failed.body.should.have.property(
      'message',
      'Server error while querying phone information. Please try again later',
    );
  });

  it('an approval request is never "notified", and an expired one was processed when it expired', async () => {
    const uuid = await harness.createApproval(id, { seconds_to_expire: 60 });
    const read = async () => {
      const { body } = await harness.api('GET', `/onetouch/json/approval_requests/${uuid}`);
      return body['approval_request'] as Record<string, unknown>;
    };
    (await read()).should.have.properties({ status: 'pending', notified: false, processed_at: null });
    const expiry = new Date(harness.time + 60_000).toISOString().replace('.000Z', 'Z');
    harness.wait(100);
    (await read()).should.have.properties({
      status: 'expired',
      notified: false,
      processed_at: expiry,
      updated_at: expiry,
    });
  });

  it('every user has a detailed device, but only a user with the app has a short one', async () => {
    const read = async () => {
      const { body } = await harness.api('GET', `/protected/json/users/${id}/status`);
      return body['status'] as { devices: string[]; detailed_devices: Record<string, unknown>[] };
    };
    const createdAt = Math.floor(Date.parse((await harness.user(id)).createdAt) / 1000);
    for (const [app, confirmed, devices, os] of [
      [false, false, [], 'unknown'],
      [false, true, [], 'unknown'],
      [true, true, ['android'], 'android'],
    ] as const) {
      await harness.control('PUT', `/users/${id}`, { app, confirmed });
      const status = await read();
      status.devices.should.eql(devices);
      status.detailed_devices.should.have.length(1);
      should(status.detailed_devices[0]).have.properties({
        device_type: 'authy',
        os_type: os,
        creation_date: createdAt,
      });
    }
  });

  it('the device of a user without the app does not say where it was registered', async () => {
    await harness.api('GET', `/protected/json/sms/${id}`);
    const { body } = await verify(await harness.code('sms'));
    should(body['device']).have.property('os_type', 'sms');
    should(body['device']).not.have.property('registration_ip');
  });

  it('the route for the status of a registration exists', async () => {
    const path = `/protected/json/registrations/status?api_key=${key}`;
    shouldFail(await harness.request('GET', `${path}&custom_user_id=ada`), 404, '60035');
    const missing = await harness.request('GET', path);
    shouldFail(missing, 400, '60004');
    should(missing.body['message']).containEql('custom_user_id');
  });

  it('a deleted user "was added to remove"', async () => {
    const { body } = await harness.api('POST', `/protected/json/users/${id}/remove`);
    body.should.eql({ success: true, message: 'User was added to remove.' });
  });

  it('an unknown activity is refused with a list of the known ones', async () => {
    const path = `/protected/json/users/${id}/register_activity`;
    const refused = await harness.api('POST', path, { type: 'x' });
    shouldFail(refused, 400, '60029');
    refused.body.should.have.property(
      'message',
      'You can only create the following activities: password_reset, banned, unbanned, cookie_login',
    );
  });

  it('XML is refused with a plain sentence', async () => {
    for (const path of [`/protected/xml/users/${id}/status`, `/onetouch/xml/users/${id}/approval_requests`]) {
      const answer = await harness.api('GET', path);
      shouldFail(answer, 404, '60000');
      should(answer.body['message']).match(/\/json\/ .*\/xml\/.*: .*JSON only/);
    }
  });

  describe('callbacks', () => {
    async function delivered(settings: object): Promise<{ params: Params; body: string }> {
      receiver.received.length = 0;
      const callbackUrl = `${receiver.url}/authy/callback`;
      await harness.control('PUT', '/settings', { callbackUrl, callbackMethod: 'POST', ...settings });
      const uuid = await harness.createApproval(id);
      await harness.control('POST', `/approvals/${uuid}`, { answer: 'approve' });
      const [request] = receiver.received;
      const params = JSON.parse(request?.body ?? '') as Params;
      const nonce = String(request?.headers['x-authy-signature-nonce']);
      should(request?.headers['x-authy-signature']).equal(
        signature({ apiKey: key, nonce, method: 'POST', url: callbackUrl, params }),
      );
      return { params, body: request?.body ?? '' };
    }

    it('are in the format of 2019 by default, with lists and the members about several devices', async () => {
      for (const settings of [{}, { callbackForm: '2019' }]) {
        const { params } = await delivered(settings);
        should(params['device']).have.property('enabled_unlock_methods', ['pin']);
        should(params['device']).have.properties(['multidevice_enabled', 'last_unlock_date']);
        should(params).have.properties({ multidevice_enabled: false });
        should(params['multidevice_updated_at']).be.a.Number();
      }
    });

    it('in the format of 2017 have no list, and no member that was added later', async () => {
      const { params, body } = await delivered({ callbackForm: '2017' });
      body.should.not.containEql('[').and.not.containEql('multidevice');
      canonicalParams(params).should.not.containEql('%5B%5D');
      Object.keys(params['device'] as object)
        .sort()
        .should.eql([
          'city',
          'country',
          'id',
          'ip',
          'last_account_recovery_at',
          'last_sync_date',
          'os_type',
          'region',
          'registration_city',
          'registration_country',
          'registration_date',
          'registration_ip',
          'registration_method',
          'registration_region',
        ]);
      should((await harness.control('GET', '/settings')).body).have.property('callbackForm', '2017');
      await harness.control('PUT', '/settings', { callbackForm: '2019' });
    });

    it('have no other format', async () => {
      const { status, body } = await harness.control('PUT', '/settings', { callbackForm: '2018' });
      status.should.equal(400);
      should(body['error']).match(/callbackForm has to be "2017" or "2019"/);
    });
  });
});
