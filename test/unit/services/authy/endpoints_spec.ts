import should from 'should';
import { AuthyClient } from '../../../../nodes/lib/services/authy/client';
import { AuthyError } from '../../../../nodes/lib/contract/errors';
import { type OperationName } from '../../../../nodes/lib/contract/results';
import { operations } from '../../../../nodes/lib/contract/operations';
import { ValidatingService } from '../../../support/validating_service';
import { exchanges, onAuthy, phone, uuid } from '../../../support/exchanges';
import { ScriptedServer } from '../../../support/scripted_server';

describe('Operations', () => {
  const server = new ScriptedServer();
  let service: ValidatingService;

  before(async () => {
    await server.start();
    service = new ValidatingService(new AuthyClient({ apiKey: 'operations-test-key', baseUrl: server.url }));
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

  for (const name of onAuthy) {
    const { inputs, request, body, answer, outcome, result } = exchanges[name];

    it(`${name}: sends the documented request and reads the documented answer`, async () => {
      server.script({ status: 200, json: answer });
      const performed = await service.perform(name, inputs);
      server.seen.length.should.equal(1);
      const [seen] = server.seen;
      should(`${seen?.method} ${seen?.url}`).equal(request);
      should(seen?.headers['x-authy-api-key']).equal('operations-test-key');
      if (seen?.method === 'GET') {
        seen.body.should.equal('');
        should(seen.headers['content-type']).be.undefined();
      } else {
        should(JSON.parse(seen?.body ?? '')).eql(body);
      }
      performed.outcome.should.equal(outcome);
      should(performed.result).eql(result);
      should(performed.answer).eql({ statusCode: 200, body: answer });
      structuredClone(performed).should.eql(performed);
    });

    it(`${name}: an answer without success is an error`, async () => {
      const none = 'success' in answer ? [undefined] : [];
      for (const success of [false, 'false', 'yes', 1, null, ...none]) {
        server.script({ status: 200, json: { ...answer, success } });
        (await failure(name, inputs)).code.should.equal('AUTHY_BAD_RESPONSE');
      }
    });

    it(`${name}: a wrong key is AUTHY_INVALID_API_KEY`, async () => {
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
    const wrong = await service.perform('tokenVerify', exchanges.tokenVerify.inputs);
    wrong.outcome.should.equal('invalid');
    wrong.result.should.eql({ authyId: '209', valid: false, reason: 'wrong', device: null });
    refuse(401, '60019');
    (await service.perform('tokenVerify', exchanges.tokenVerify.inputs)).result.should.have.property(
      'reason',
      'reused',
    );
  });

  it('tokenVerify: only the member "token" of the body itself decides', async () => {
    const answer = { success: true, message: 'Token is valid.' };
    for (const json of [
      answer,
      { ...answer, token: 'is invalid' },
      { ...answer, token: true },
      { ...answer, device: { token: 'is valid' } },
    ]) {
      server.script({ status: 200, json });
      (await failure('tokenVerify', exchanges.tokenVerify.inputs)).code.should.equal('AUTHY_BAD_RESPONSE');
    }
    // An error number contradicts the success.
    server.script({ status: 200, json: { ...exchanges.tokenVerify.answer, error_code: '60020' } });
    (await failure('tokenVerify', exchanges.tokenVerify.inputs)).code.should.equal('AUTHY_BAD_RESPONSE');
    for (const status of [201, 202, 204, 302]) {
      server.script({ status, json: exchanges.tokenVerify.answer });
      (await failure('tokenVerify', exchanges.tokenVerify.inputs)).code.should.equal('AUTHY_BAD_RESPONSE');
    }
  });

  it('tokenVerify: force is sent as asked, and true when left blank', async () => {
    server.script({ status: 200, json: exchanges.tokenVerify.answer });
    await service.perform('tokenVerify', { ...exchanges.tokenVerify.inputs, force: false });
    await service.perform('tokenVerify', { ...exchanges.tokenVerify.inputs, force: '' });
    server.seen.map(({ url }) => url.split('?')[1]).should.eql(['force=false', 'force=true']);
  });

  it('phoneCheck: a wrong code, and a code without a pending verification, are outcomes', async () => {
    refuse(401, '60022');
    (await service.perform('phoneCheck', exchanges.phoneCheck.inputs)).result.should.have.property(
      'reason',
      'wrong',
    );
    refuse(404, '60023');
    const late = await service.perform('phoneCheck', exchanges.phoneCheck.inputs);
    late.outcome.should.equal('invalid');
    late.result.should.have.property('reason', 'notPending');
  });

  it('onetouchStatus: each documented status is an outcome, and any other value is an error', async () => {
    const request = exchanges.onetouchStatus.answer['approval_request'] as object;
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
    const request = exchanges.onetouchStatus.answer['approval_request'] as object;
    const other = uuid.replace('4a', '4b');
    server.script({ status: 200, json: { approval_request: { ...request, uuid: other }, success: true } });
    (await failure('onetouchStatus', { approvalId: uuid })).message.should.match(/another approval request/);
  });

  it('an id that is too large for a JavaScript number is read as it was sent', async () => {
    for (const id of ['9007199254740993', '9007199254740992', '12345678901234567890']) {
      const script = (json: object): void =>
        server.script({
          status: 200,
          text: JSON.stringify(json).replaceAll('"ID"', id),
          type: 'application/json',
        });
      script({ ...exchanges.userCreate.answer, user: { id: 'ID' }, ids: ['ID'] });
      const created = await service.perform('userCreate', exchanges.userCreate.inputs);
      should(created.result).have.property('authyId', id);
      JSON.stringify(created.answer?.body).should.match(new RegExp(`"ids":\\["?${id}"?\\]`));

      script({ status: { authy_id: 'ID' }, success: true });
      should((await service.perform('userStatus', { authyId: id })).result).have.property('authyId', id);
      const neighbour = `${id.slice(0, -1)}${(Number(id.at(-1)) + 1) % 10}`;
      (await failure('userStatus', { authyId: neighbour })).code.should.equal('AUTHY_BAD_RESPONSE');
    }
  });

  it('phoneStatus: uses the id if there is one, and needs an id or a phone number', async () => {
    server.script({ status: 200, json: exchanges.phoneStatus.answer });
    await service.perform('phoneStatus', { ...phone, verificationId: uuid });
    should(server.seen[0]?.url).endWith(`/status?uuid=${uuid}`);
    (await failure('phoneStatus', {})).message.should.match(
      /verificationId is missing, and so is the phone number/,
    );
    server.seen.length.should.equal(1);
  });

  it('userDelete: uses the older paths only if the route does not exist', async () => {
    const noRoute = { status: 404, text: '<h1>Not found</h1>', type: 'text/html' };
    server.script(
      noRoute,
      { status: 404, json: { message: 'Not found', success: false } },
      { status: 200, json: exchanges.userDelete.answer },
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

  it('userDelete: an unknown user on the second try means that the first one worked', async () => {
    server.script('drop', {
      status: 404,
      json: { message: 'User not found.', success: false, errors: {}, error_code: '60026' },
    });
    (await service.perform('userDelete', { authyId: '209' })).outcome.should.equal('deleted');
  });

  it('an empty optional object is not sent', async () => {
    server.script({ status: 200, json: exchanges.onetouchSend.answer });
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
