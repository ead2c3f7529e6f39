import should from 'should';
import { Secrets } from '../../../nodes/lib/contract/secrets';
import { basicAuthorization, formBody, jsonBody, jsonObject } from '../../../nodes/lib/http/bodies';
import { type Call, Caller, type CallRequest } from '../../../nodes/lib/http/call';
import { ScriptedServer } from '../../support/scripted_server';

describe('A call to any service', () => {
  let server: ScriptedServer;
  let caller: Caller;

  beforeEach(async () => {
    server = await new ScriptedServer().start();
    caller = new Caller({
      name: 'Another service',
      address: new URL(`${server.url}/v2`),
      headers: { Authorization: basicAuthorization('SK1', 'p:ä') },
      proxy: undefined,
      tls: undefined,
      secrets: new Secrets([['p:ä', '[secret]']]),
      deadline: 2000,
    });
  });
  afterEach(async () => {
    caller.close();
    await server.stop();
  });

  /** A call whose value is the status of the answer, whatever it is. */
  const call = (...requests: CallRequest[]): Call<number> => ({
    repeat: 'never',
    request: (index) => requests[index],
    judge: ({ statusCode }) => ({ value: statusCode }),
  });

  it('sends a form, with a user name and a password', async () => {
    server.script({ status: 201, json: {} });
    const body = formBody({ To: '+49 1', Channel: 'sms', CustomCode: undefined, Text: 'a&b=c ü' });
    should(await caller.call(call({ method: 'POST', path: '/Verifications', body }))).equal(201);
    const [seen] = server.seen;
    should(seen).match({ method: 'POST', url: '/v2/Verifications' });
    should(seen?.headers['content-type']).equal('application/x-www-form-urlencoded');
    should(seen?.headers.authorization).equal(`Basic ${Buffer.from('SK1:p:ä').toString('base64')}`);
    should(seen?.body).equal('To=%2B49+1&Channel=sms&Text=a%26b%3Dc+%C3%BC');
  });

  it('sends JSON', async () => {
    server.script({ status: 200, json: {} });
    const body = jsonBody({ a: 1, b: undefined });
    should(await caller.call(call({ method: 'POST', path: '/x', body }))).equal(200);
    should(server.seen[0]?.headers['content-type']).equal('application/json');
    should(server.seen[0]?.body).equal('{"a":1}');
  });

  it('sends DELETE without a body and a content type', async () => {
    server.script({ status: 204, text: '', type: 'text/plain' });
    should(await caller.call(call({ method: 'DELETE', path: '/Factors/YF1' }))).equal(204);
    should(server.seen[0]).match({ method: 'DELETE', url: '/v2/Factors/YF1', body: '' });
    should(server.seen[0]?.headers['content-type']).be.undefined();
  });

  it('has errors that name the service, and no secret', async () => {
    should(caller.noAnswerError('read', 'it broke').message).match(
      /^Try again later: Another service gave no usable answer/,
    );
    await server.stop();
    const asked = caller.call(call({ method: 'GET', path: '/x' }));
    await asked.should.be.rejectedWith({ code: 'AUTHY_NETWORK', message: /Nothing was sent/ });
  });

  it('takes only a JSON object as an answer, and none that is nested too deep', () => {
    should(jsonObject('{"id": 9007199254740993}')).eql({ id: '9007199254740993' });
    for (const text of ['', 'x', '[]', '1', 'null', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`]) {
      should(jsonObject(text)).be.undefined();
    }
  });
});
