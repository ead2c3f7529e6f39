import should from 'should';
import { AuthyClient } from '../../../nodes/lib/authy/client';
import { AuthyError } from '../../../nodes/lib/authy/errors';
import { type OperationName, operations } from '../../../nodes/lib/operations';
import { AuthyService } from '../../../nodes/lib/service';
import { ScriptedServer } from '../../support/scripted_server';

const uuid = '4a725520-bff5-0135-eb01-0e5d90336a8c';
const phone = { phoneNumber: '317-338-9302', countryCode: '1' };
const phoneResult = { phoneNumber: '+13173389302', countryCode: '1' };

interface Example {
  inputs: Record<string, unknown>;
  /** Method, path and query as they must go out. */
  request: string;
  body?: unknown;
  answer: Record<string, unknown>;
  outcome: string;
  result: Record<string, unknown>;
}

const device = { os_type: 'android', id: 5 };

/** One exchange for each operation, as documented. */
const examples: Record<OperationName, Example> = {
  userCreate: {
    inputs: { email: 'user@example.com', ...phone },
    request: 'POST /protected/json/users/new',
    body: {
      user: { email: 'user@example.com', cellphone: '3173389302', country_code: '1' },
      send_install_link_via_sms: false,
    },
    answer: { message: 'User created successfully.', user: { id: 209 }, success: true },
    outcome: 'created',
    result: { authyId: '209', ...phoneResult },
  },
  userStatus: {
    inputs: { authyId: 209 },
    request: 'GET /protected/json/users/209/status',
    answer: {
      status: {
        authy_id: 209,
        confirmed: true,
        registered: false,
        country_code: 1,
        phone_number: 'XXX-XXX-9302',
        devices: ['android'],
        has_hard_token: false,
        account_disabled: false,
      },
      message: 'User status.',
      success: true,
    },
    outcome: 'read',
    result: {
      authyId: '209',
      confirmed: true,
      registered: false,
      maskedPhone: 'XXX-XXX-9302',
      countryCode: '1',
      email: null,
      devices: ['android'],
      hasHardToken: false,
      accountDisabled: false,
    },
  },
  userUpdate: {
    inputs: { authyId: '209', email: 'new@example.com' },
    request: 'POST /protected/json/users/209/update',
    body: { email: 'new@example.com' },
    answer: { message: 'User was updated successfully', success: true },
    outcome: 'updated',
    result: { authyId: '209', email: 'new@example.com' },
  },
  userDelete: {
    inputs: { authyId: '209' },
    request: 'POST /protected/json/users/209/remove',
    body: {},
    answer: { message: 'User removed from application', success: true },
    outcome: 'deleted',
    result: { authyId: '209', deleted: true },
  },
  userQr: {
    inputs: { authyId: '209', label: 'Home', size: '200' },
    request: 'POST /protected/json/users/209/secret',
    body: { label: 'Home', qr_size: 200 },
    answer: { qr_code: 'https://example.com/qr.png', label: 'Home', issuer: 'App', success: true },
    outcome: 'made',
    result: { authyId: '209', qrCode: 'https://example.com/qr.png', label: 'Home', issuer: 'App' },
  },
  userActivity: {
    inputs: { authyId: '209', activity: 'banned', data: { reason: 'spam' } },
    request: 'POST /protected/json/users/209/register_activity',
    body: { type: 'banned', data: { reason: 'spam' } },
    answer: { message: 'Activity was created.', success: true },
    outcome: 'recorded',
    result: { authyId: '209', activity: 'banned' },
  },
  tokenSms: {
    inputs: { authyId: '209', force: true, action: 'login', actionMessage: 'Log in to x & y', locale: 'de' },
    request: 'GET /protected/json/sms/209?force=true&action=login&action_message=Log+in+to+x+%26+y&locale=de',
    answer: { success: true, message: 'SMS token was sent', cellphone: '+1-XXX-XXX-XX02' },
    outcome: 'sent',
    result: { authyId: '209', sent: true, ignored: false, maskedPhone: '+1-XXX-XXX-XX02', device: null },
  },
  tokenCall: {
    inputs: { authyId: '209', force: false },
    request: 'GET /protected/json/call/209?force=false',
    answer: {
      success: true,
      ignored: true,
      device: 'android',
      message: 'Call ignored…',
      cellphone: '+1-XXX',
    },
    outcome: 'ignored',
    result: { authyId: '209', sent: false, ignored: true, maskedPhone: '+1-XXX', device: 'android' },
  },
  tokenEmail: {
    inputs: { authyId: '209' },
    request: 'POST /protected/json/email/209',
    body: {},
    answer: { success: true, message: 'Email token was sent', email: 'u@example.com', email_id: 'EM1' },
    outcome: 'sent',
    result: { authyId: '209', sent: true, email: 'u@example.com', emailId: 'EM1' },
  },
  tokenVerify: {
    inputs: { authyId: '209', token: '0123456' },
    request: 'GET /protected/json/verify/0123456/209?force=true',
    answer: { message: 'Token is valid.', token: 'is valid', success: 'true', device },
    outcome: 'valid',
    result: { authyId: '209', valid: true, reason: null, device },
  },
  phoneStart: {
    inputs: { ...phone, via: 'sms', codeLength: 6, locale: 'es' },
    request: 'POST /protected/json/phones/verification/start',
    body: { country_code: '1', phone_number: '3173389302', via: 'sms', locale: 'es', code_length: 6 },
    answer: {
      carrier: 'AT&T',
      is_cellphone: true,
      is_ported: false,
      message: 'Text message sent to +1 317-338-9302.',
      seconds_to_expire: 599,
      uuid,
      success: true,
    },
    outcome: 'sent',
    result: {
      ...phoneResult,
      via: 'sms',
      verificationId: uuid,
      secondsToExpire: 599,
      carrier: 'AT&T',
      isCellphone: true,
      isPorted: false,
    },
  },
  phoneCheck: {
    inputs: { ...phone, code: '0123' },
    request:
      'GET /protected/json/phones/verification/check?country_code=1&phone_number=3173389302&verification_code=0123',
    answer: { message: 'Verification code is correct.', success: true },
    outcome: 'valid',
    result: { ...phoneResult, valid: true, reason: null },
  },
  phoneStatus: {
    inputs: phone,
    request: 'GET /protected/json/phones/verification/status?country_code=1&phone_number=3173389302',
    answer: {
      message: 'Phone Verification status.',
      status: 'pending',
      seconds_to_expire: 300,
      success: true,
    },
    outcome: 'read',
    result: { status: 'pending', secondsToExpire: 300 },
  },
  phoneInfo: {
    inputs: phone,
    request: 'GET /protected/json/phones/info?country_code=1&phone_number=3173389302',
    answer: {
      message: 'Phone number information',
      type: 'voip',
      provider: 'Pinger',
      ported: false,
      success: true,
    },
    outcome: 'read',
    result: { ...phoneResult, type: 'voip', provider: 'Pinger', ported: false },
  },
  appDetails: {
    inputs: {},
    request: 'GET /protected/json/app/details',
    answer: {
      app: {
        name: 'Garage',
        plan: 'pay',
        sms_enabled: true,
        phone_calls_enabled: false,
        app_id: 7,
        onetouch_enabled: true,
      },
      message: 'Application information.',
      success: true,
    },
    outcome: 'read',
    result: {
      appId: 7,
      name: 'Garage',
      plan: 'pay',
      smsEnabled: true,
      phoneCallsEnabled: false,
      onetouchEnabled: true,
    },
  },
  appStats: {
    inputs: {},
    request: 'GET /protected/json/app/stats',
    answer: {
      message: 'Monthly statistics.',
      count: 1,
      total_users: 9,
      app_id: 7,
      stats: [
        {
          month: 'July',
          year: 2026,
          sms_count: 1,
          calls_count: 2,
          users_count: 3,
          auths_count: 4,
          api_calls_count: 5,
        },
      ],
      success: true,
    },
    outcome: 'read',
    result: {
      appId: 7,
      totalUsers: 9,
      months: [
        {
          month: 'July',
          year: 2026,
          smsCount: 1,
          callsCount: 2,
          usersCount: 3,
          authsCount: 4,
          apiCallsCount: 5,
        },
      ],
    },
  },
  onetouchSend: {
    inputs: {
      authyId: '209',
      message: 'Open the garage?',
      details: { Where: 'Home' },
      hiddenDetails: { door: 1 },
      logos: [{ res: 'default', url: 'https://example.com/l.png' }],
      secondsToExpire: 0,
    },
    request: 'POST /onetouch/json/users/209/approval_requests',
    body: {
      message: 'Open the garage?',
      details: { Where: 'Home' },
      hidden_details: { door: '1' },
      logos: [{ res: 'default', url: 'https://example.com/l.png' }],
      seconds_to_expire: 0,
    },
    answer: { approval_request: { uuid }, success: true },
    outcome: 'sent',
    result: { approvalId: uuid, authyId: '209', status: 'pending' },
  },
  onetouchStatus: {
    inputs: { approvalId: uuid },
    request: `GET /onetouch/json/approval_requests/${uuid}`,
    answer: {
      approval_request: {
        _authy_id: '209',
        uuid,
        status: 'approved',
        notified: true,
        created_at: '2026-01-01T00:00:00Z',
        processed_at: '2026-01-01T00:00:09Z',
        seconds_to_expire: 86400,
      },
      success: true,
    },
    outcome: 'approved',
    result: {
      approvalId: uuid,
      authyId: '209',
      status: 'approved',
      notified: true,
      createdAt: '2026-01-01T00:00:00Z',
      processedAt: '2026-01-01T00:00:09Z',
      secondsToExpire: 86400,
    },
  },
};

const names = Object.keys(operations) as OperationName[];

describe('Operations', () => {
  const server = new ScriptedServer();
  let service: AuthyService;

  before(async () => {
    await server.start();
    service = new AuthyService('authy', new AuthyClient({ apiKey: 'the-key', baseUrl: server.url }));
  });
  after(async () => {
    service.close();
    await server.stop();
  });

  async function failure(name: OperationName, inputs: Record<string, unknown>): Promise<AuthyError> {
    const performed = service.perform(name, inputs);
    const error: unknown = await performed.then(
      ({ outcome }) => new Error(`ended as ${outcome}`),
      (reason: unknown) => reason,
    );
    should(error).be.instanceof(AuthyError);
    return error as AuthyError;
  }

  for (const name of names) {
    const { inputs, request, body, answer, outcome, result } = examples[name];

    it(`${name}: asks and reads as documented`, async () => {
      server.script({ status: 200, json: answer });
      const performed = await service.perform(name, inputs);
      server.seen.length.should.equal(1);
      const [seen] = server.seen;
      should(`${seen?.method} ${seen?.url}`).equal(request);
      should(seen?.headers['x-authy-api-key']).equal('the-key');
      if (seen?.method === 'GET') {
        seen.body.should.equal('');
        should(seen.headers['content-type']).be.undefined();
      } else {
        should(JSON.parse(seen?.body ?? '')).eql(body);
      }
      performed.outcome.should.equal(outcome);
      should(performed.result).eql(result);
      performed.response.should.eql(answer);
      performed.statusCode.should.equal(200);
      structuredClone(performed).should.eql(performed);
    });

    it(`${name}: concludes nothing from an answer without success`, async () => {
      for (const success of [false, 'false', 'yes', 1, null, undefined]) {
        server.script({ status: 200, json: { ...answer, success } });
        (await failure(name, inputs)).code.should.equal('AUTHY_BAD_RESPONSE');
      }
    });

    it(`${name}: a wrong key is an error of its own`, async () => {
      server.script({
        status: 401,
        json: {
          message: 'Invalid API key',
          success: false,
          errors: { message: 'Invalid API key' },
          error_code: '60001',
        },
      });
      const error = await failure(name, inputs);
      error.code.should.equal('AUTHY_INVALID_API_KEY');
      should(error.authyCode).equal('60001');
      should(error.statusCode).equal(401);
      server.seen.length.should.equal(1);
    });

    for (const [field, { required }] of Object.entries(operations[name].inputs)) {
      if (!required) continue;
      it(`${name}: nothing is sent without ${field}`, async () => {
        server.script({ status: 200, json: answer });
        const error = await failure(name, { ...inputs, [field]: '' });
        error.code.should.equal('AUTHY_INVALID_INPUT');
        should(error.field).equal(field);
        server.seen.length.should.equal(0);
      });
    }
  }

  const refuse = (status: number, code: string): void =>
    server.script({
      status,
      json: { message: 'No.', success: false, errors: { message: 'No.' }, error_code: code },
    });

  it('tokenVerify: a wrong and a used token are outcomes', async () => {
    refuse(401, '60020');
    const wrong = await service.perform('tokenVerify', examples.tokenVerify.inputs);
    wrong.outcome.should.equal('invalid');
    wrong.result.should.eql({ authyId: '209', valid: false, reason: 'wrong', device: null });
    refuse(401, '60019');
    (await service.perform('tokenVerify', examples.tokenVerify.inputs)).result.should.have.property(
      'reason',
      'reused',
    );
  });

  it('tokenVerify: valid only by the token member of the body itself', async () => {
    const answer = { success: true, message: 'Token is valid.' };
    for (const json of [
      answer,
      { ...answer, token: 'is invalid' },
      { ...answer, token: true },
      { ...answer, device: { token: 'is valid' } },
    ]) {
      server.script({ status: 200, json });
      (await failure('tokenVerify', examples.tokenVerify.inputs)).code.should.equal('AUTHY_BAD_RESPONSE');
    }
    for (const status of [201, 202, 204, 302]) {
      server.script({ status, json: examples.tokenVerify.answer });
      (await failure('tokenVerify', examples.tokenVerify.inputs)).code.should.equal('AUTHY_BAD_RESPONSE');
    }
  });

  it('tokenVerify: force is sent as asked, and true when left blank', async () => {
    server.script({ status: 200, json: examples.tokenVerify.answer });
    await service.perform('tokenVerify', { ...examples.tokenVerify.inputs, force: false });
    await service.perform('tokenVerify', { ...examples.tokenVerify.inputs, force: '' });
    server.seen.map(({ url }) => url.split('?')[1]).should.eql(['force=false', 'force=true']);
  });

  it('phoneCheck: a wrong code and one that nothing waits for are outcomes', async () => {
    refuse(401, '60022');
    (await service.perform('phoneCheck', examples.phoneCheck.inputs)).result.should.have.property(
      'reason',
      'wrong',
    );
    refuse(404, '60023');
    const late = await service.perform('phoneCheck', examples.phoneCheck.inputs);
    late.outcome.should.equal('invalid');
    late.result.should.have.property('reason', 'notPending');
  });

  it('onetouchStatus: each status is an outcome, and no other text', async () => {
    const request = examples.onetouchStatus.answer['approval_request'] as object;
    for (const status of ['approved', 'denied', 'pending', 'expired']) {
      server.script({ status: 200, json: { approval_request: { ...request, status }, success: true } });
      (await service.perform('onetouchStatus', { approvalId: uuid })).outcome.should.equal(status);
    }
    for (const status of ['Approved', 'approved ', true, null, ['approved'], undefined]) {
      server.script({ status: 200, json: { approval_request: { ...request, status }, success: true } });
      (await failure('onetouchStatus', { approvalId: uuid })).code.should.equal('AUTHY_BAD_RESPONSE');
    }
  });

  it('onetouchStatus: an answer about another request is not believed', async () => {
    const request = examples.onetouchStatus.answer['approval_request'] as object;
    const other = uuid.replace('4a', '4b');
    server.script({ status: 200, json: { approval_request: { ...request, uuid: other }, success: true } });
    (await failure('onetouchStatus', { approvalId: uuid })).message.should.match(/another approval request/);
  });

  it('phoneStatus: asks by id where it has one, and needs one of the two', async () => {
    server.script({ status: 200, json: examples.phoneStatus.answer });
    await service.perform('phoneStatus', { ...phone, verificationId: uuid });
    should(server.seen[0]?.url).endWith(`/status?uuid=${uuid}`);
    (await failure('phoneStatus', {})).message.should.match(
      /verificationId: is missing, and so is phoneNumber/,
    );
    server.seen.length.should.equal(1);
  });

  it('userDelete: falls back on the older paths only where the route is missing', async () => {
    const noRoute = { status: 404, text: '<h1>Not found</h1>', type: 'text/html' };
    server.script(
      noRoute,
      { status: 404, json: { message: 'Not found', success: false } },
      { status: 200, json: examples.userDelete.answer },
    );
    await service.perform('userDelete', { authyId: '209' });
    server.seen
      .map(({ url }) => url)
      .should.eql([
        '/protected/json/users/209/remove',
        '/protected/json/users/209/delete',
        '/protected/json/users/delete/209',
      ]);
    refuse(404, '60026');
    (await failure('userDelete', { authyId: '209' })).code.should.equal('AUTHY_USER_NOT_FOUND');
    server.seen.length.should.equal(1);
  });

  it('userDelete: unknown on the second try means done', async () => {
    server.script('drop', {
      status: 404,
      json: { message: 'User not found.', success: false, errors: {}, error_code: '60026' },
    });
    (await service.perform('userDelete', { authyId: '209' })).outcome.should.equal('deleted');
  });

  it('an empty optional object is not sent', async () => {
    server.script({ status: 200, json: examples.onetouchSend.answer });
    await service.perform('onetouchSend', {
      authyId: '209',
      message: 'x',
      details: {},
      hiddenDetails: {},
      logos: [],
    });
    should(JSON.parse(server.seen[0]?.body ?? '')).eql({ message: 'x' });
  });
});
