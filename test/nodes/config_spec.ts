import should from 'should';
import { ScriptedServer } from '../support/scripted_server';
import { Flow, type FlowNode } from '../support/flow';

const details = { app: { name: 'Garage' }, message: 'Application information.', success: true };
const appDetails: FlowNode = { id: 'node', type: 'authy-app-details', account: 'account' };

describe('Account', () => {
  const server = new ScriptedServer();
  let flow: Flow | undefined;

  before(() => server.start());
  after(() => server.stop());
  beforeEach(() => server.script({ status: 200, json: details }));
  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  async function start(
    account: Record<string, unknown>,
    credentials: object,
    others: FlowNode[] = [],
  ): Promise<Flow> {
    flow = await Flow.start(
      appDetails,
      1,
      [{ id: 'account', type: 'authy-config', deadline: 5, maxInFlight: 10, ...account }, ...others],
      { account: credentials },
    );
    return flow;
  }

  it('without a service is on Authy, as it was saved when there was no other', async () => {
    const running = await start({ baseUrl: server.url }, { apiKey: 'account-test-key' });
    const { sent } = await running.deliver({});
    should(sent[0]?.message).match({ payload: { name: 'Garage' }, authy: { service: 'authy' } });
  });

  it('takes the key and every setting from the environment', async () => {
    Object.assign(process.env, {
      TEST_KEY: 'key-from-the-environment',
      TEST_URL: server.url,
      TEST_DEADLINE: '7',
    });
    const running = await start(
      { service: 'authy', baseUrl: '${TEST_URL}', deadline: '${TEST_DEADLINE}', pathPrefix: '' },
      { apiKey: '${TEST_KEY}' },
    );
    const { sent } = await running.deliver({});
    should(sent[0]?.message.payload).have.property('name', 'Garage');
    should(server.seen[0]?.headers['x-authy-api-key']).equal('key-from-the-environment');
    for (const name of ['TEST_KEY', 'TEST_URL', 'TEST_DEADLINE']) Reflect.deleteProperty(process.env, name);
  });

  it("uses Node-RED's proxy node", async () => {
    const proxy = await new ScriptedServer().start();
    const running = await start(
      { service: 'authy', baseUrl: 'https://authy.test', proxy: 'proxy', deadline: 1 },
      { apiKey: 'account-test-key' },
      [{ id: 'proxy', type: 'http proxy', url: proxy.url, noproxy: [] }],
    );
    await running.deliver({});
    // This server cannot answer the CONNECT; the test only shows that the proxy was used.
    proxy.connections.should.be.above(0);
    await proxy.stop();
  });

  it('runs a simulator without a key, and says so in the badge', async () => {
    const running = await start({ service: 'simulator' }, {});
    const { sent } = await running.deliver({});
    should(sent[0]?.message.payload).have.property('name');
    should(sent[0]?.message['authy']).have.property('service', 'simulator');
    should(running.statuses.at(-1)?.text).match(/status\.read · .*status\.simulator$/);
  });

  describe('test button', () => {
    const test = async (running: Flow, form: object): Promise<unknown> =>
      (await running.request().post('/authy-config/test').send(form).expect(200)).body as unknown;

    it('names the application', async () => {
      const running = await start({ service: 'authy', baseUrl: server.url }, { apiKey: 'account-test-key' });
      should(await test(running, { id: 'account', service: 'authy' })).eql({ ok: true, name: 'Garage' });
    });

    it('tries a key that is not deployed yet, at the deployed address only', async () => {
      const running = await start({ service: 'authy', baseUrl: server.url }, { apiKey: 'account-test-key' });
      const form = {
        id: 'account',
        service: 'authy',
        apiKey: 'typed-a-moment-ago',
        baseUrl: 'http://127.0.0.1:9',
      };
      should(await test(running, form)).eql({ ok: true, name: 'Garage' });
      should(server.seen[0]?.headers['x-authy-api-key']).equal('typed-a-moment-ago');
    });

    it('gives the reason in plain words if it fails', async () => {
      server.script({
        status: 401,
        json: { message: 'Invalid API key', success: false, error_code: '60001' },
      });
      const running = await start({ service: 'authy', baseUrl: server.url }, { apiKey: 'account-test-key' });
      should(await test(running, { id: 'account', service: 'authy' })).match({
        ok: false,
        message: /API key is wrong/,
      });
      should(await test(running, { id: 'new', service: 'authy' })).match({
        ok: false,
        message: /Enter the API key/,
      });
      should(await test(running, { id: 'new', service: 'simulator' })).match({
        ok: false,
        reason: 'deployFirst',
        message: /^Deploy first/,
      });
      should(await test(running, { id: 'new', service: 'authy', apiKey: '${KEY}' })).match({
        ok: false,
        message: /deploy first/,
      });
      should(await test(running, {})).match({ ok: false });
    });

    it('works for the simulator', async () => {
      const running = await start({ service: 'simulator' }, {});
      should(await test(running, { id: 'account', service: 'simulator' })).match({ ok: true, name: /./ });
    });
  });

  it("serves the simulator's phone and control beside the editor, and nothing for other accounts", async () => {
    const running = await start({ service: 'simulator' }, {});
    await running.deliver({});
    await running.request().get('/authy-simulator/account/phone/').expect(200).expect('content-type', /html/);
    await running
      .request()
      .get('/authy-simulator/account/approvals')
      .expect(200)
      .expect('content-type', /json/);
    const filtered = await running.request().get('/authy-simulator/account/state?limit=x');
    should(filtered.status).equal(400, 'the query string reaches the control interface');
    await running.request().get('/authy-simulator/other/phone/').expect(404);
    await running.request().get('/authy-simulator/other/approvals').expect(404);
  });
});
