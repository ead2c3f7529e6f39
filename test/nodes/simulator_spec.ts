import http from 'node:http';
import os from 'node:os';
import should from 'should';
import { Flow, type FlowNode } from '../support/flow';
import { httpRequest } from '../support/http_request';
import { eventually } from '../support/node_red';

const account: FlowNode = {
  id: 'account',
  type: 'authy-config',
  service: 'simulator',
  deadline: 5,
  maxInFlight: 10,
};

const callback: FlowNode = {
  id: 'node',
  type: 'authy-onetouch-callback',
  account: 'account',
  publicUrl: '',
  publicUrlType: 'str',
  trustForwarded: false,
  strict: true,
  freshness: 'enforce',
  freshnessWindow: 300,
  maxSize: 64,
};

/** Two nodes that create a user and ask for an approval, and a helper node behind each. */
const asking: FlowNode[] = [
  {
    id: 'create',
    type: 'authy-user-create',
    account: 'account',
    z: 'tab',
    email: 'ada@example.com',
    emailType: 'str',
    phoneNumber: '+13175550142',
    phoneNumberType: 'str',
    sendInstallLink: 'false',
    sendInstallLinkType: 'bool',
    wires: [['created']],
  },
  { id: 'created', type: 'helper', z: 'tab', wires: [] },
  {
    id: 'send',
    type: 'authy-onetouch-send',
    account: 'account',
    z: 'tab',
    authyId: 'topic',
    authyIdType: 'msg',
    message: 'Open the garage?',
    messageType: 'str',
    wires: [['asked']],
  },
  { id: 'asked', type: 'helper', z: 'tab', wires: [] },
];

describe("An account's simulator", () => {
  let flow: Flow;
  afterEach(() => flow.stop());

  /** Waits until the simulator has a setting. One that runs goes on as it is until the account, once deployed, has told it. */
  async function has(setting: 'appName' | 'callbackUrl', value: string | null): Promise<void> {
    await eventually(`a simulator with ${setting} ${value}`, async () => {
      const response = await flow.request().get('/authy-simulator/account/settings');
      const settings = response.body as Record<string, unknown>;
      return (response.status === 200 && settings[setting] === value) || undefined;
    });
  }

  /**
   * Waits until the account has started its simulator, and resets it. A simulator outlives its flow: until then, the one
   * of the test before answers, and would lose what it is told.
   */
  async function ready(): Promise<void> {
    await has('callbackUrl', `${flow.ownUrl}/authy/callback`);
    await control('post', '/reset');
  }

  /** Calls the control interface beside the editor, as its page does. */
  async function control(method: 'get' | 'put' | 'post', path: string, body: object = {}) {
    const request = flow.request()[method](`/authy-simulator/account${path}`);
    const response = await (method === 'get' ? request : request.send(body)).expect(200);
    return response.body as Record<string, unknown>;
  }

  for (const [form, method] of [
    ['2017', 'POST'],
    ['2017', 'GET'],
    ['2019', 'POST'],
    ['2019', 'GET'],
  ] as const) {
    it(`sends callbacks in the format of ${form} by ${method}, which the callback node verifies`, async () => {
      const http = { type: 'http in', url: '/authy/callback', z: 'tab', wires: [['node']] };
      flow = await Flow.start(callback, 3, [
        account,
        { ...http, id: 'get', method: 'get' },
        { ...http, id: 'post', method: 'post' },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
        ...asking,
      ]);
      flow.wire('respond');
      await ready();
      await control('put', '/settings', {
        callbackUrl: `${flow.url}/authy/callback`,
        callbackMethod: method,
        callbackForm: form,
      });
      await flow.sendThrough('create', 'created', {});
      const { users } = (await control('get', '/users')) as { users: { authyId: number }[] };
      await flow.sendThrough('send', 'asked', { topic: String(users[0]?.authyId) });
      const { approvals } = (await control('get', '/approvals')) as { approvals: { uuid: string }[] };
      const answered = await control('post', `/approvals/${approvals[0]?.uuid ?? ''}`, { answer: 'approve' });
      should(answered['callback']).have.property('status', 200);
      const { sent } = await flow.endingNumber(0);
      should(sent).match([{ output: 0, message: { payload: { status: 'approved' } } }]);
      const { device } = sent[0]?.message.payload as { device: object };
      should('enabled_unlock_methods' in device).equal(form === '2019');
      // A callback starts a stopped simulator; a running one keeps the settings of its page.
      should(await control('get', '/settings')).match({
        callbackUrl: `${flow.url}/authy/callback`,
        callbackMethod: method,
        callbackForm: form,
      });
    });
  }

  it('sends no callback where none is set, and keeps the one of an account of before', async () => {
    flow = await Flow.start(callback, 3, [account]);
    await ready();
    await flow.redeploy({ version: 3 }, 'account');
    await has('callbackUrl', null);
    await flow.redeploy({ version: 2 }, 'account');
    await has('callbackUrl', `${flow.ownUrl}/authy/callback`);
  });

  for (const service of ['authy', 'verify']) {
    it(`has the name of its account on ${service}, as long as it may be`, async () => {
      flow = await Flow.start(callback, 3, [{ ...account, version: 3, service, simulated: true }]);
      await has('appName', 'Authy Simulator');
      await flow.redeploy({ name: ' Garage ' }, 'account');
      await has('appName', 'Garage');
      await flow.redeploy({ name: '🚪'.repeat(31) }, 'account');
      await has('appName', '🚪'.repeat(30));
      await flow.redeploy({ name: '' }, 'account');
      await has('appName', 'Authy Simulator');
    });
  }

  it('is kept while a setting of the account is wrong, and removed when that account is disabled', async () => {
    flow = await Flow.start(callback, 3, [account]);
    await ready();
    const status = async (): Promise<number> =>
      (await flow.request().get('/authy-simulator/account/state')).status;
    await flow.redeploy({ deadline: 'soon' }, 'account');
    should(await status()).equal(200);
    await flow.redeploy({ deadline: 'soon', d: true }, 'account');
    should(await status()).equal(404);
  });

  describe('beside the editor', () => {
    beforeEach(async () => {
      flow = await Flow.start(callback, 3, [account]);
      await ready();
    });

    /** Admin routes of the package that read or change something, with the body that a page would send. */
    const routes = [
      ['GET', 'authy-simulator/account/state', ''],
      ['GET', 'authy-simulator/account/approvals', ''],
      ['HEAD', 'authy-simulator/account/users', ''],
      ['POST', 'authy-simulator/account/reset', '{}'],
      ['DELETE', 'authy-simulator/account/state', ''],
      ['PUT', 'authy-simulator/account/settings', '{}'],
      ['POST', 'authy-config/test', '{"id":"account","service":"simulator"}'],
    ] as const;
    const json = { 'Content-Type': 'application/json' };

    const ask = async (method: string, route: string, body: string, headers: http.OutgoingHttpHeaders) =>
      (await httpRequest(method, `${flow.adminUrl}/${route}`, headers, body)).status;

    async function shouldAnswer(headers: http.OutgoingHttpHeaders, status: number): Promise<void> {
      for (const [method, route, body] of routes) {
        const what = `${method} ${route} with ${JSON.stringify(headers)}`;
        (await ask(method, route, body, { ...json, ...headers })).should.equal(status, what);
      }
    }

    for (const host of [
      'localhost',
      'LocalHost:1880',
      '127.0.0.1:1880',
      '192.168.1.10:1880',
      '[::1]:1880',
      '[2001:db8::7]',
      'raspberrypi:1880',
      'nodered.local:1880',
      'box.home.arpa',
      'nodered.lan',
      `${os.hostname()}:1880`,
    ]) {
      it(`answers programs and its own page at ${host}`, async () => {
        await shouldAnswer({ Host: host }, 200);
        await shouldAnswer({ Host: host, Origin: `http://${host}` }, 200);
      });
    }

    it('answers its own page by https at any name, also if a proxy has changed Host or left out the port', async () => {
      const own = { 'Sec-Fetch-Site': 'same-origin' };
      await shouldAnswer({ ...own, Host: 'nodered.example.com', Origin: 'https://nodered.example.com' }, 200);
      await shouldAnswer({ ...own, Host: '127.0.0.1:1880', Origin: 'https://nodered.example.com' }, 200);
      await shouldAnswer(
        { ...own, Host: 'nodered.example.com', Origin: 'https://nodered.example.com:8443' },
        200,
      );
      await shouldAnswer({ Host: '192.168.1.10:443', Origin: 'https://192.168.1.10' }, 200);
      await shouldAnswer({ Host: '192.168.1.10', Origin: 'https://192.168.1.10' }, 200);
    });

    for (const host of [
      'evil.example',
      'evil.example:1880',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'localhost\\.evil.example',
      'localhost\\@evil.example',
      'localhost/.evil.example',
      'localhost#.evil.example',
      'user@localhost',
      'evil.example#localhost',
      'evil.local.example',
      'evil.example.',
      '[::1].evil.example',
      '[evil.example]',
      '127.0.0.1 evil.example',
      'localhost:1880:1880',
      'localhost,evil.example',
      '999.1.1.1',
    ]) {
      it(`refuses the host ${host}`, async () => {
        for (const [method, route, body] of routes) {
          const status = await ask(method, route, body, { ...json, Host: host });
          // Node.js itself refuses some of them.
          should([400, 403].includes(status)).be.true(`${method} ${route}: ${status}`);
          const same = { ...json, Host: host, Origin: `http://${host}` };
          const again = await ask(method, route, body, same);
          should([400, 403].includes(again)).be.true(`${method} ${route}: ${again}`);
        }
      });
    }

    for (const origin of [
      'null',
      'https://evil.example',
      'http://127.0.0.1.evil.example',
      'http://127.0.0.1',
      'http://127.0.0.1:1881',
      'http://localhost:1880',
      'http://127.0.0.1:1880\\.evil.example',
      'http://127.0.0.1:1880@evil.example',
      'http://127.0.0.1:1880/',
      'ftp://127.0.0.1:1880',
      'chrome-extension://abc',
      '',
    ]) {
      it(`refuses ${origin === '' ? 'an empty origin' : `the origin ${origin}`}`, () =>
        shouldAnswer({ Host: '127.0.0.1:1880', Origin: origin }, 403));
    }

    it('refuses changes by another site, and its reads if they have an Origin header', async () => {
      for (const site of ['cross-site', 'same-site']) {
        const headers = { ...json, Host: '127.0.0.1:1880', 'Sec-Fetch-Site': site };
        for (const [method, route, body] of routes) {
          const onlyReads = ['GET', 'HEAD'].includes(method);
          (await ask(method, route, body, headers)).should.equal(
            onlyReads ? 200 : 403,
            `${site}: ${method} ${route}`,
          );
          const fromOther = { ...headers, Origin: 'https://evil.example' };
          (await ask(method, route, body, fromOther)).should.equal(403, `${site}: ${method} ${route}`);
        }
      }
    });

    it('refuses a change that is not sent as JSON', async () => {
      for (const type of [
        undefined,
        'text/plain',
        'application/x-www-form-urlencoded',
        'text/plain; application/json',
      ]) {
        const headers = type === undefined ? {} : { 'Content-Type': type };
        for (const [method, route, body] of routes.filter(([each]) => !['GET', 'HEAD'].includes(each))) {
          (await ask(method, route, body, headers)).should.equal(
            415,
            `${method} ${route} as ${type ?? 'nothing'}`,
          );
        }
      }
    });

    it('serves the page itself to anyone, because it contains no data', async () => {
      (await ask('GET', 'authy-simulator/account/phone/', '', { Host: 'evil.example' })).should.equal(200);
    });
  });

  describe('in a subflow', () => {
    const subflow: FlowNode[] = [
      { id: 'template', type: 'subflow', name: 'Door', in: [], out: [] },
      { ...account, id: 'inner', z: 'template' },
      { id: 'app', type: 'authy-app-details', account: 'inner', z: 'template', wires: [] },
    ];
    const instance = (id: string, name: string): FlowNode => ({
      id,
      type: 'subflow:template',
      name,
      z: 'tab',
    });
    const start = async (...nodes: FlowNode[]): Promise<void> => {
      flow = await Flow.start(callback, 3, [...subflow, ...nodes]);
    };
    const get = (id: string, path: string) => flow.request().get(`/authy-simulator/${id}${path}`);
    const test = async (form: object = {}): Promise<unknown> => {
      const request = flow.request().post('/authy-config/test');
      return (await request.send({ id: 'inner', service: 'simulator', ...form }).expect(200)).body as unknown;
    };
    const loaded = (...ids: string[]) =>
      eventually('the simulators to be loaded', async () => {
        const answers = await Promise.all(ids.map((id) => get(id, '/state')));
        return answers.every(({ status }) => status === 200) || undefined;
      });

    it('if the subflow is used once, the phone and the test button work by the id in the subflow', async () => {
      await start(instance('front', 'Front door'));
      await loaded('front-inner');
      await get('inner', '/phone/').expect(200).expect('content-type', /html/);
      await get('inner', '/state').expect(200).expect('content-type', /json/);
      should(await test()).match({ ok: true, name: /./ });
    });

    it('if the subflow is used several times, its instances are listed, and each works', async () => {
      await start(instance('front', 'Front door'), instance('back', ''));
      await loaded('front-inner', 'back-inner');
      await get('inner', '/phone/').expect(200);
      const answer = await get('inner', '/state');
      answer.status.should.equal(300);
      should(answer.body as object).eql({
        instances: [
          { id: 'front-inner', name: 'Front door' },
          { id: 'back-inner', name: 'back' },
        ],
      });
      // It is not clear which instance to reset, so none is reset.
      const reset = flow.request().post('/authy-simulator/inner/reset');
      (await reset.send({})).status.should.equal(300);
      should(await test()).match({ ok: true, name: /./ });
    });

    it('if the subflow is not used, the answer says what to do', async () => {
      await start();
      await get('inner', '/state').expect(404, /as soon as the subflow is used in a flow/);
      for (const service of ['simulator', 'authy']) {
        should(await test({ service })).match({
          ok: false,
          message: /^Put the subflow into a flow and deploy/,
        });
      }
    });

    it('an instance that fails is named', async () => {
      const [template, inner, node] = subflow as [FlowNode, FlowNode, FlowNode];
      const real = { ...inner, service: 'authy', baseUrl: '${URL}' };
      const others = [
        { ...template },
        real,
        node,
        instance('front', 'Front door'),
        instance('back', 'Back door'),
      ];
      flow = await Flow.start(callback, 3, others, { inner: { apiKey: 'a-key-of-sixteen-characters' } });
      should(await test({ service: 'authy' })).match({ ok: false, message: /^Front door: / });
    });
  });
});
