import net from 'node:net';
import should from 'should';
import { signature } from '../../nodes/lib/services/authy/callback/signature';
import { panelOf, shownLabel, types } from '../contract/panels';
import { approvalGate } from '../support/approval_gate';
import { selfSigned } from '../support/certificate';
import { Flow, type FlowNode, type Message } from '../support/flow';
import { ScriptedServer } from '../support/scripted_server';

const key = 'd57d919d11e6b221c9bf6f7c882028f9';
const details = { app: { name: 'Garage' }, message: 'Application information.', success: true };
const appDetails: FlowNode = { id: 'node', type: 'authy-app-details', account: 'account' };
const sms: FlowNode = {
  id: 'node',
  type: 'authy-token-sms',
  account: 'account',
  authyId: '209',
  authyIdType: 'str',
};
const callbackNode: FlowNode = {
  id: 'node',
  type: 'authy-onetouch-callback',
  account: 'account',
  publicUrl: '',
  publicUrlType: 'str',
  trustForwarded: false,
  strict: false,
  freshness: 'off',
  freshnessWindow: 300,
  maxSize: 64,
};

/** Node-RED leaves a variable that is not set as it was written. */
const placeholders = ['${AUTHY_UNSET}', '$(AUTHY_UNSET)'];

describe('Settings', () => {
  const server = new ScriptedServer();
  let flow: Flow | undefined;
  let serial = 0;

  before(() => server.start());
  after(() => server.stop());
  beforeEach(() => server.script({ status: 200, json: details }));
  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  interface Setup {
    node?: FlowNode;
    outputs?: number;
    account?: Record<string, unknown>;
    credentials?: Record<string, unknown>;
    others?: FlowNode[];
    otherCredentials?: Record<string, object>;
  }

  async function start({
    node = appDetails,
    outputs = 1,
    account = {},
    credentials = { apiKey: key },
    others = [],
    otherCredentials = {},
  }: Setup): Promise<Flow> {
    flow = await Flow.start(
      node,
      outputs,
      [{ id: 'account', type: 'authy-config', service: 'authy', baseUrl: server.url, ...account }, ...others],
      { account: credentials, ...otherCredentials },
    );
    return flow;
  }

  async function stop(): Promise<void> {
    await flow?.stop();
    flow = undefined;
  }

  /** Checks that the message ends in one catchable error, and that nothing is sent. */
  async function fails(
    running: Flow,
    message: Record<string, unknown> = {},
  ): Promise<NonNullable<Message['error']>> {
    const connections = server.connections;
    const ending = await running.deliver(message);
    ending.sent.should.eql([]);
    ending.caught.length.should.equal(1);
    server.seen.length.should.equal(0);
    server.connections.should.equal(connections);
    const error = ending.caught[0]?.error;
    if (error === undefined) throw new Error('There is no error.');
    // Node-RED puts the name of an error before its message.
    return error;
  }

  async function startCallbacks(setup: Setup, properties: object = {}): Promise<Flow> {
    const running = await start({
      ...setup,
      node: { ...callbackNode, ...properties },
      outputs: 3,
      others: [
        { id: 'post', type: 'http in', method: 'post', url: '/cb', z: 'tab', wires: [['node']] },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
        ...(setup.others ?? []),
      ],
    });
    running.wire('respond');
    return running;
  }

  /** Sends a callback that is signed with this key. */
  async function callback(running: Flow, apiKey: string): Promise<{ output: number; reason: unknown }> {
    const index = running.count;
    const params = {
      authy_id: 209,
      uuid: `10000000-0000-0000-0000-${String((serial += 1)).padStart(12, '0')}`,
      status: 'approved',
      approval_request: { transaction: { status: 'approved' } },
    };
    const url = `${running.url}/cb`;
    const nonce = String(Math.floor(Date.now() / 1000));
    await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Authy-Signature': signature({ apiKey, nonce, method: 'POST', url, params }),
        'X-Authy-Signature-Nonce': nonce,
      },
      body: JSON.stringify(params),
    });
    const { sent } = await running.endingNumber(index);
    const { output = -1, message } = sent[0] ?? {};
    return { output, reason: (message?.['authy'] as Record<string, unknown>)['reason'] };
  }

  describe('a text that is not an API key', () => {
    for (const placeholder of placeholders) {
      it(`${placeholder}: a callback signed with this text is rejected, and errors name the variable`, async () => {
        const running = await startCallbacks({ credentials: { apiKey: placeholder } });
        (await callback(running, placeholder)).should.eql({ output: 2, reason: 'noApiKey' });
        running.log.join('\n').should.match(/rejected \(noApiKey\): API key: .*variable AUTHY_UNSET/);
        await stop();
        const error = await fails(await start({ credentials: { apiKey: placeholder } }));
        should(error.code).equal('AUTHY_NO_API_KEY');
        error.message.should.match(/^API key: .*variable AUTHY_UNSET/);
      });

      it(`${placeholder} as the previous key is not a key either, and the log says so once`, async () => {
        const running = await startCallbacks({
          credentials: { apiKey: key, previousApiKey: placeholder },
        });
        (await callback(running, placeholder)).should.eql({ output: 2, reason: 'signatureMismatch' });
        (await callback(running, key)).output.should.equal(0);
        running.log.filter((line) => /Previous key: .*AUTHY_UNSET/.test(line)).should.have.length(1);
      });
    }

    const implausible = [
      'short',
      'fifteen-letters',
      'with a blank in between',
      'with-${AUTHY_UNSET}-in-it',
      'schlüsselschlüsselschlüssel',
    ];
    for (const apiKey of implausible) {
      it(`"${apiKey}": refused by the runtime and by the test button, without being shown`, async () => {
        const running = await startCallbacks({ credentials: { apiKey } });
        (await callback(running, apiKey)).should.eql({ output: 2, reason: 'noApiKey' });
        running.log.join('\n').should.not.containEql(apiKey);
        await stop();
        const error = await fails(await start({ credentials: { apiKey } }));
        should(error.code).equal('AUTHY_NO_API_KEY');
        error.message.should.match(/^API key: /).and.not.containEql(apiKey);
        const form = { id: 'account', service: 'authy', apiKey };
        const { body } = (await flow?.request().post('/authy-config/test').send(form)) as { body: object };
        should(body).have.property('ok', false);
        server.seen.length.should.equal(0);
      });
    }

    it('a blank key is no key, and the log says nothing about it at deploy', async () => {
      const error = await fails(await start({ credentials: { apiKey: '  ' } }));
      should(error.code).equal('AUTHY_NO_API_KEY');
      error.message.should.match(/^Open the account and enter the API key/);
      should(flow?.log.join('\n')).not.match(/API key/);
    });

    it('a variable of the type number: the account is created, and the error says to make it a string', async () => {
      const variables = { id: 'variables', type: 'global-config', env: [] as object[] };
      for (const value of ['1234567890123456', '12', 'd57d919d']) {
        variables.env = [{ name: 'AUTHY_NUMBER', type: 'num', value }];
        const running = await start({ credentials: { apiKey: '${AUTHY_NUMBER}' }, others: [variables] });
        const error = await fails(running);
        should(error.code).equal('AUTHY_NO_API_KEY');
        error.message.should.match(/^API key: make its variable a string/);
        await stop();
      }
    });

    it('a simulator uses a key of its own instead, and a callback signed with this text is rejected', async () => {
      for (const apiKey of [...placeholders, 'short']) {
        const running = await startCallbacks({ account: { service: 'simulator' }, credentials: { apiKey } });
        (await callback(running, apiKey)).should.eql({ output: 2, reason: 'signatureMismatch' });
        running.log.join('\n').should.match(/API key: .* simulator goes on with a key of its own/);
        await stop();
      }
    });
  });

  describe('any other setting of an account', () => {
    const wrong: [settings: Record<string, unknown>, problem: RegExp][] = [
      ...placeholders.flatMap((placeholder): [Record<string, unknown>, RegExp][] =>
        ['baseUrl', 'pathPrefix', 'deadline', 'maxInFlight', 'service', 'tls', 'proxy'].map((name) => [
          { [name]: placeholder },
          new RegExp(`^${shownLabel('authy-config', name) ?? ''}: .*variable AUTHY_UNSET`),
        ]),
      ),
      [{ baseUrl: 'https://${AUTHY_UNSET}/v1' }, /^Base URL: .*AUTHY_UNSET/],
      [{ deadline: 'abc' }, /^Deadline: enter a number from 1 to 300\./],
      [{ deadline: 0 }, /^Deadline: /],
      [{ deadline: '-1' }, /^Deadline: /],
      [{ deadline: 2147484 }, /^Deadline: /],
      [{ deadline: {} }, /^Deadline: /],
      [{ deadline: true }, /^Deadline: /],
      [{ deadline: '1e1' }, /^Deadline: /],
      [{ maxInFlight: 'ten' }, /^Calls: enter a whole number from 1 to 100\./],
      [{ maxInFlight: 0 }, /^Calls: /],
      [{ maxInFlight: 2.5 }, /^Calls: /],
      [{ maxInFlight: 101 }, /^Calls: /],
      [{ maxQueued: -1 }, /^Waiting: enter a whole number from 0 to 10000\./],
      [{ maxQueued: 10_001 }, /^Waiting: /],
      [{ service: 'another' }, /^Service: choose one of authy, verify, local\./],
      [{ baseUrl: {} }, /^Base URL: enter text/],
    ];
    for (const [settings, problem] of wrong) {
      it(`${JSON.stringify(settings)}: the log says so at deploy, and each message ends in an error`, async () => {
        const running = await start({ account: settings });
        running.log.some((line) => problem.test(line)).should.be.true();
        const error = await fails(running);
        should(error.code).equal('AUTHY_BAD_CONFIG');
        error.message.should.match(problem);
      });
    }

    for (const settings of [{ deadline: '${AUTHY_UNSET}' }, { maxInFlight: 'ten' }, { baseUrl: 'none' }]) {
      it(`${JSON.stringify(settings)}: callbacks are still verified`, async () => {
        const running = await startCallbacks({ account: settings });
        (await callback(running, key)).output.should.equal(0);
        (await callback(running, 'another-key-of-a-test')).should.eql({
          output: 2,
          reason: 'signatureMismatch',
        });
      });
    }

    it('with an unknown service, callbacks are rejected', async () => {
      const running = await startCallbacks({ account: { service: 'another' } });
      (await callback(running, key)).should.eql({ output: 2, reason: 'noApiKey' });
    });

    for (const blank of ['', null, undefined]) {
      it(`${String(blank)} means the default`, async () => {
        const running = await start({ account: { deadline: blank, maxInFlight: blank, pathPrefix: blank } });
        (await running.deliver({})).sent.should.have.length(1);
      });
    }

    it('a wrong number or callback setting of a simulator is an error', async () => {
      for (const settings of [
        { deadline: 'abc' },
        { callbackUrl: '${AUTHY_UNSET}' },
        { callbackMethod: '${AUTHY_UNSET}' },
      ]) {
        const running = await start({ account: { ...settings, service: 'simulator' }, credentials: {} });
        const error = await fails(running);
        should(error.code).equal('AUTHY_BAD_CONFIG');
        const [name = ''] = Object.keys(settings);
        error.message.should.startWith(`${shownLabel('authy-config', name) ?? ''}: `);
        await stop();
      }
    });

    it('a wrong store of open approvals, or a wrong address or password of it, is an error', async () => {
      for (const [settings, credentials, name] of [
        [{ approvalStore: '${AUTHY_UNSET}' }, {}, 'approvalStore'],
        [{ approvalStore: 'another' }, {}, 'approvalStore'],
        [{ approvalStore: 7 }, {}, 'approvalStore'],
        [{ approvalStore: 'redis', redisUrl: '$(AUTHY_UNSET)' }, {}, 'redisUrl'],
        [{ approvalStore: 'redis' }, { redisPassword: '${AUTHY_UNSET}' }, 'redisPassword'],
      ] as const) {
        const running = await start({
          node: { ...approvalGate, id: 'node' },
          outputs: 3,
          account: settings,
          credentials: { apiKey: key, ...credentials },
        });
        const error = await fails(running, { authyId: '209' });
        should(error.code).equal('AUTHY_BAD_CONFIG');
        const beginning = `${shownLabel('authy-config', name) ?? ''}: `;
        error.message.should.startWith(beginning);
        running.log.some((line) => line.startsWith(beginning)).should.be.true();
        await stop();
      }
    });

    it('a password in digits from a variable of the type number is read as text', async () => {
      const seen: string[] = [];
      const proxy = net.createServer((socket) =>
        socket.on('data', (data) => {
          seen.push(data.toString());
          socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
        }),
      );
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const { port } = proxy.address() as net.AddressInfo;
      const running = await start({
        account: { baseUrl: 'https://authy.test', proxy: 'proxy' },
        others: [
          { id: 'proxy', type: 'http proxy', url: `http://127.0.0.1:${port}`, noproxy: [] },
          {
            id: 'variables',
            type: 'global-config',
            env: [{ name: 'AUTHY_DIGITS', type: 'num', value: '4711' }],
          },
        ],
        otherCredentials: { proxy: { username: 'user', password: '${AUTHY_DIGITS}' } },
      });
      const ending = await running.deliver({});
      ending.caught[0]?.error?.message.should.match(/Set a user name and password in the http proxy node/);
      const credentials = Buffer.from('user:4711').toString('base64');
      seen.join().should.containEql(`Basic ${credentials}`);
      await new Promise((resolve) => proxy.close(resolve));
    });
  });

  describe('the nodes that an account refers to', () => {
    for (const placeholder of placeholders) {
      for (const [proxy, credentials, name] of [
        [{ url: placeholder }, {}, 'Proxy (url)'],
        [{ url: 'http://127.0.0.1:9', noproxy: [placeholder] }, {}, 'Proxy (noproxy)'],
        [{ url: 'http://127.0.0.1:9' }, { username: placeholder }, 'Proxy (username)'],
        [{ url: 'http://127.0.0.1:9' }, { username: 'user', password: placeholder }, 'Proxy (password)'],
      ] as const) {
        it(`${name} that is ${placeholder} is an error`, async () => {
          const error = await fails(
            await start({
              account: { proxy: 'proxy' },
              others: [{ id: 'proxy', type: 'http proxy', noproxy: [], ...proxy }],
              otherCredentials: { proxy: credentials },
            }),
          );
          should(error.code).equal('AUTHY_BAD_CONFIG');
          error.message.should.startWith(`${name}: `).and.containEql('AUTHY_UNSET');
        });
      }

      for (const name of ['certdata', 'keydata', 'cadata', 'passphrase', 'servername']) {
        it(`tls.${name} that is ${placeholder} is an error`, async () => {
          const { key: keydata, cert } = await selfSigned();
          const given = { certdata: cert, keydata, cadata: cert, passphrase: '' };
          const error = await fails(
            await start({
              account: { tls: 'tls' },
              others: [
                {
                  id: 'tls',
                  type: 'tls-config',
                  cert: '',
                  key: '',
                  ca: '',
                  servername: name === 'servername' ? placeholder : '',
                  verifyservercert: true,
                },
              ],
              otherCredentials: { tls: name === 'servername' ? given : { ...given, [name]: placeholder } },
            }),
          );
          should(error.code).equal('AUTHY_BAD_CONFIG');
          error.message.should.startWith(`TLS (${name}): `).and.containEql('AUTHY_UNSET');
        });
      }
    }

    it('a text that is not a certificate is an error', async () => {
      const error = await fails(
        await start({
          account: { tls: 'tls' },
          others: [{ id: 'tls', type: 'tls-config', cert: '', key: '', ca: '', verifyservercert: true }],
          otherCredentials: { tls: { certdata: 'no certificate', keydata: 'no key' } },
        }),
      );
      should(error.code).equal('AUTHY_BAD_CONFIG');
      error.message.should.match(/TLS configuration/).and.not.containEql('no key');
    });
  });

  describe('the approval gate', () => {
    for (const settings of [
      ...placeholders.flatMap((placeholder) =>
        ['maxOpen', 'coolDown', 'confirm', 'join', 'events'].map((name) => ({ [name]: placeholder })),
      ),
      { maxOpen: 'three' },
      { maxOpen: -1 },
      { maxOpen: 1.5 },
      { coolDown: 'five' },
      { coolDown: -1 },
      { coolDown: 1e12 },
    ]) {
      it(`${JSON.stringify(settings)}: badge and log say so at deploy, and each message ends in an error`, async () => {
        const label = shownLabel('authy-onetouch-approval', Object.keys(settings)[0] ?? '') ?? '';
        const running = await start({ node: { ...approvalGate, ...settings, id: 'node' }, outputs: 3 });
        should(running.statuses.at(-1)).match({ fill: 'red', text: /BAD_CONFIG/ });
        running.log.some((line) => line.startsWith(`${label}: `)).should.be.true();
        const error = await fails(running, { authyId: '209' });
        should(error.code).equal('AUTHY_BAD_CONFIG');
        error.message.should.startWith(`${label}: `);
      });
    }
  });

  describe('the callback node', () => {
    for (const settings of [
      ...placeholders.flatMap((placeholder) =>
        ['maxSize', 'freshness', 'trustForwarded', 'strict'].map((name) => ({ [name]: placeholder })),
      ),
      { maxSize: 'many' },
      { maxSize: 0 },
      { maxSize: '0x10' },
      { freshness: 'often' },
      { freshnessWindow: '${AUTHY_UNSET}', freshness: 'enforce' },
      { freshnessWindow: 'long', freshness: 'warn' },
      { freshnessWindow: -1, freshness: 'enforce' },
    ] as Record<string, unknown>[]) {
      it(`${JSON.stringify(settings)}: badge and log say so at deploy, and every callback is rejected`, async () => {
        const label = shownLabel('authy-onetouch-callback', Object.keys(settings)[0] ?? '') ?? '';
        const running = await startCallbacks({}, settings);
        should(running.statuses.at(-1)).match({ fill: 'red', text: /BAD_CONFIG/ });
        running.log.some((line) => line.startsWith(`${label}: `)).should.be.true();
        (await callback(running, key)).should.eql({ output: 2, reason: 'badConfig' });
      });
    }
  });

  describe('the inputs of nodes', () => {
    for (const placeholder of placeholders) {
      it(`${placeholder} is refused with the variable's name, whatever the type`, async () => {
        for (const type of ['str', 'num', 'msg', 'flow', 'global', 'env']) {
          const running = await start({ node: { ...sms, action: placeholder, actionType: type } });
          const error = await fails(running);
          should(error.code).equal('AUTHY_INVALID_INPUT');
          error.message.should.match(/^Action: .*variable AUTHY_UNSET/);
          should(running.statuses.at(-1)?.text).match(/MISSING: action$/);
          await stop();
        }
      });

      it(`${placeholder} as the account is an error that names the variable`, async () => {
        const error = await fails(await start({ node: { ...appDetails, account: placeholder } }));
        should(error.code).equal('AUTHY_NO_ACCOUNT');
        error.message.should.match(/variable AUTHY_UNSET/);
      });
    }

    it('in a row of a list, a variable is replaced, and one that is not set is refused', async () => {
      server.script({
        status: 200,
        json: { approval_request: { uuid: '4a725520-bff5-0135-eb01-0e5d90336a8c' }, success: true },
      });
      process.env['AUTHY_DOOR'] = 'Garage';
      const row = (value: string): string => JSON.stringify([{ name: 'Door', value, type: 'str' }]);
      const send: FlowNode = {
        id: 'node',
        type: 'authy-onetouch-send',
        account: 'account',
        authyId: '209',
        authyIdType: 'str',
        message: 'Open?',
        messageType: 'str',
        detailsType: 'list',
      };
      const running = await start({ node: { ...send, details: row('${AUTHY_DOOR}') } });
      (await running.deliver({})).sent.should.have.length(1);
      server.seen[0]?.body.should.containEql('"Garage"');
      Reflect.deleteProperty(process.env, 'AUTHY_DOOR');
      await stop();
      server.script({ status: 500, json: {} });
      const unset = await start({ node: { ...send, details: row('${AUTHY_UNSET}') } });
      const error = await fails(unset);
      error.message.should.match(/^Environment variable AUTHY_UNSET is missing\. .*“Door”/);
      should(unset.statuses.at(-1)?.text).match(/MISSING: details$/);
    });
  });

  describe('msg.requestTimeout', () => {
    for (const requestTimeout of [1000, '1000', 2 ** 31, 1e12, '99999999999', Infinity]) {
      it(`${requestTimeout} (${typeof requestTimeout}) is read`, async () => {
        server.script(Number(requestTimeout) === 1000 ? 'hang' : { status: 200, json: details });
        const running = await start({ account: { deadline: 60 } });
        const { sent, caught } = await running.deliver({ requestTimeout });
        if (Number(requestTimeout) === 1000) should(caught[0]?.error?.code).equal('AUTHY_TIMEOUT');
        else sent.should.have.length(1);
      });
    }

    for (const node of [appDetails, { ...approvalGate, id: 'node' }]) {
      it(`a value that is not a time is refused by ${node.type}, and nothing is sent`, async () => {
        for (const requestTimeout of [0, -1, NaN, '0', '-5', 'abc', '1e3', ' 50', true, {}, [50]]) {
          const running = await start({ node, outputs: 3 });
          const error = await fails(running, { authyId: '209', requestTimeout });
          should(error.code).equal('AUTHY_INVALID_INPUT', JSON.stringify(requestTimeout));
          error.message.should.startWith('msg.requestTimeout ');
          await stop();
        }
      });
    }

    it('a blank value counts as not given', async () => {
      const running = await start({});
      for (const requestTimeout of [undefined, null, '']) {
        (await running.deliver({ requestTimeout })).sent.should.have.length(1);
      }
    });
  });

  it('a node is created whatever its settings are', async () => {
    for (const odd of [7, 0, true, null, {}, [], [7], '${AUTHY_UNSET}', '$']) {
      const nodes = types.map((type): FlowNode => {
        const { defaults } = panelOf(type).definition;
        const properties = Object.keys(defaults).filter((name) => name !== 'name');
        return {
          id: `odd-${type}`,
          type,
          ...(type === 'authy-config' ? {} : { z: 'tab', wires: [] }),
          ...Object.fromEntries(properties.map((name) => [name, odd])),
        };
      });
      const running = await start({
        others: nodes,
        otherCredentials: {
          'odd-authy-config': { apiKey: odd, previousApiKey: odd, redisPassword: odd },
        },
      });
      should(nodes.map(({ id }) => id).filter((id) => !running.has(id))).eql([], JSON.stringify(odd));
      await stop();
    }
  });
});
