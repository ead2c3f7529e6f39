import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import should from 'should';
import { type Operation, operations } from '../../nodes/lib/contract/operations';
import { Simulator } from '../../nodes/simulator/simulator';
import { exchanges, type OnAuthy, onAuthy as names } from '../support/exchanges';
import { Flow, type FlowNode } from '../support/flow';
import { eventually, NodeRed, runtimes } from '../support/node_red';
import { ScriptedServer, type Step } from '../support/scripted_server';

/** Secrets that must not leak; their texts occur nowhere else. */
const keys = {
  apiKey: 'canary-api-key-4f1d9b',
  previousApiKey: 'canary-previous-key-7c2e',
  redisPassword: 'canary-redis-password-9a',
};
const proxyPassword = 'canary-proxy-password-33';
const token = '907715533';
const national = '3175554876';
const secrets = [...Object.values(keys), proxyPassword];
const personal = [token, national, '317-555-4876', '555-4876', '5554876'];

/** The inputs of an operation, with the canaries in their places. */
function canaries(name: OnAuthy): Record<string, unknown> {
  const inputs = Object.entries(exchanges[name].inputs).map(([input, value]) => {
    if (input === 'token' || input === 'code') return [input, token];
    return [input, input === 'phoneNumber' ? `+1${national}` : value];
  });
  return Object.fromEntries(inputs) as Record<string, unknown>;
}

function finds(text: string, canary: readonly string[]): string[] {
  return canary.filter((secret) => text.includes(secret));
}

/** A node whose every input comes from the message's property of that name. */
function operationNode(name: OnAuthy): FlowNode {
  const { node: type, inputs } = operations[name] as unknown as Operation;
  const sources = Object.keys(inputs).flatMap((input) => [
    [input, input],
    [`${input}Type`, 'msg'],
  ]);
  return { ...(Object.fromEntries(sources) as object), id: name, type, account: 'account' };
}

const outputsOf = (name: OnAuthy): number =>
  Math.max(...Object.values((operations[name] as unknown as Operation).outcomes).map(([port]) => port)) + 1;

/** JSON in which every letter of a text is escaped. */
function escaped(value: object): string {
  return JSON.stringify(value).replace(/"[^"]*"/g, (text) =>
    text.replace(/[a-z]/gi, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
  );
}

/** A text of a server that repeats all secrets it was sent. */
const gossip = `Key ${keys.apiKey} or ${keys.previousApiKey}, token ${token}, phone +1 317-555-4876 or ${national}`;
const troubles: readonly [what: string, step: Step | undefined][] = [
  ['the documented answer', undefined],
  ['a refusal', { status: 400, json: { message: gossip, success: false, error_code: '60000' } }],
  ['a wrong key', { status: 401, json: { message: gossip, success: false, error_code: '60001' } }],
  ['too many requests', { status: 429, json: { message: gossip }, headers: { 'Retry-After': '600' } }],
  ['an error of the server', { status: 500, json: { message: gossip, success: false } }],
  ['a page of a proxy', { status: 502, text: `<p>${gossip}</p>`, type: 'text/html' }],
  ['a page of its own kind', { status: 200, text: '<p></p>', type: `text/${keys.apiKey}` }],
  ['an unknown page', { status: 404, text: '<p></p>', type: `${keys.previousApiKey}/html; charset=utf-8` }],
  ['an answer that means nothing', { status: 200, json: { message: gossip, gossip } }],
  ['names of members', { status: 400, json: { [gossip]: [{ [keys.previousApiKey]: { deep: [gossip] } }] } }],
  [
    'escapes',
    {
      status: 400,
      text: escaped({ message: gossip, success: false, error_code: '60000' }),
      type: 'application/json',
    },
  ],
  [
    'escapes in an error of the server',
    { status: 503, text: escaped({ message: gossip }), type: 'application/json' },
  ],
  ['a redirect', { status: 302, json: {}, headers: { Location: `https://x.example/?k=${keys.apiKey}` } }],
  ['a broken connection', 'drop'],
  ['half an answer', 'truncate'],
  ['no answer', 'hang'],
];

describe('Secrets: what leaves the nodes', function () {
  this.timeout(60_000);
  const server = new ScriptedServer();
  before(() => server.start());
  after(() => server.stop());

  for (const name of names) {
    it(`${name}: keys appear nowhere, and tokens and phone numbers in no error, log or badge`, async () => {
      const flow = await Flow.start(
        operationNode(name),
        outputsOf(name),
        [
          {
            id: 'account',
            type: 'authy-config',
            service: 'authy',
            baseUrl: server.url,
            deadline: 15,
            proxy: 'proxy',
          },
          { id: 'proxy', type: 'http proxy', url: 'http://127.0.0.1:1' },
        ],
        { account: keys, proxy: { username: 'user', password: proxyPassword } },
      );
      try {
        const leaks: string[] = [];
        for (const [what, step] of troubles) {
          server.script(step ?? { status: 200, json: exchanges[name].answer });
          const inputs = canaries(name);
          // A repeated attempt would only get the same answer again.
          const requestTimeout = step === undefined ? 5000 : 300;
          const { sent, caught } = await flow.deliver({ ...inputs, requestTimeout });
          (sent.length + caught.length).should.equal(1, what);
          for (const { message } of [...sent, ...caught.map((message) => ({ message }))]) {
            const all = inspect(message, { depth: null, showHidden: true, getters: true });
            leaks.push(...finds(all + JSON.stringify(message), secrets).map((leak) => `${what}: ${leak}`));
          }
          for (const { error } of caught) {
            const all = inspect(error, { depth: null }) + JSON.stringify(error) + String(error?.message);
            leaks.push(...finds(all, personal).map((leak) => `${what}, error: ${leak}`));
          }
        }
        // The test helper records every line, also those of level trace.
        const rest = JSON.stringify([flow.log, flow.statuses]) + inspect(flow.statuses, { depth: null });
        leaks.push(...finds(rest, [...secrets, ...personal]).map((leak) => `log or badge: ${leak}`));
        leaks.should.eql([]);
      } finally {
        await flow.stop();
      }
    });
  }

  it('the error has no cause, and contains no secret when it is printed or written as JSON', async () => {
    const errors: Error[] = [];
    const flow = await Flow.start(
      operationNode('tokenVerify'),
      2,
      [{ id: 'account', type: 'authy-config', service: 'authy', baseUrl: server.url, deadline: 15 }],
      { account: keys },
    );
    flow.onError((error) => errors.push(error));
    try {
      for (const [, step] of troubles.slice(1)) {
        server.script(step ?? 'drop');
        await flow.deliver({ ...canaries('tokenVerify'), requestTimeout: 300 });
      }
      await flow.deliver({ authyId: '209', token: `${token}x`, requestTimeout: 300 });
      should(errors).have.length(troubles.length);
      for (const error of errors) {
        should(error.cause).be.undefined();
        const printed = inspect(error, { depth: null }) + String(error.stack) + JSON.stringify(error);
        finds(printed, [...secrets, ...personal]).should.eql([]);
        // The error's hidden member is the answer, without the key.
        finds(inspect(error, { depth: null, showHidden: true }), secrets).should.eql([]);
      }
    } finally {
      await flow.stop();
    }
  });
});

describe('Secrets: error messages of Redis', () => {
  const asked: string[] = [];
  const sockets = new Set<net.Socket>();
  const parrot = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const command = data.toString().replaceAll('\r\n', ' ');
      asked.push(command);
      socket.write(`-ERR unknown command, with args beginning with: ${command}\r\n`);
    });
  });
  before((done) => void parrot.listen(0, '127.0.0.1', done));
  after((done) => {
    parrot.close(done);
    for (const socket of sockets) socket.destroy();
  });

  for (const where of ['in its own field', 'in the address']) {
    it(`a password ${where} is not in the log, even if the server repeats the command with it`, async () => {
      asked.length = 0;
      const { port } = parrot.address() as net.AddressInfo;
      const isApart = where === 'in its own field';
      const user = isApart ? '' : `user:${keys.redisPassword}%25@`;
      const account = {
        id: 'account',
        type: 'authy-config',
        service: 'simulator',
        approvalStore: 'redis',
        redisUrl: `redis://${user}127.0.0.1:${port}`,
      };
      const flow = await Flow.start(operationNode('appDetails'), 1, [account], {
        account: isApart ? { redisPassword: keys.redisPassword } : {},
      });
      try {
        await eventually(
          'the error in the log',
          () => /Redis is not reachable/.test(JSON.stringify(flow.log)) || undefined,
        );
        finds(asked.join(''), [keys.redisPassword]).should.eql([keys.redisPassword]);
        finds(JSON.stringify([flow.log, flow.statuses]), [keys.redisPassword]).should.eql([]);
      } finally {
        await flow.stop();
      }
    });
  }
});

// The hash of "password", the password of both users.
const password = '$2a$08$zZWtXTja0fB1pzD4sHCMyOCMYz2Z6dNbM6tl8sJogENOMcxWV9DN.';

describe('Secrets: what leaves Node-RED', function () {
  this.timeout(120_000);
  const server = new ScriptedServer();
  let nodeRed: NodeRed;

  before(async function () {
    await server.start();
    const [runtime] = runtimes;
    if (runtime === undefined) throw new Error('There is no Node-RED to run.');
    nodeRed = await NodeRed.start(this, runtime, {
      settings: {
        adminAuth: {
          type: 'credentials',
          users: [
            { username: 'owner', password, permissions: '*' },
            { username: 'guest', password, permissions: 'read' },
          ],
        },
        logging: { console: { level: 'trace', metrics: true, audit: true } },
      },
      user: { username: 'owner', password: 'password' },
    });
    await nodeRed.deploy(flows());
  });
  after(async () => {
    await (nodeRed as NodeRed | undefined)?.stop();
    await server.stop();
  });

  /** All operations at the scripted server, one at a simulator, with errors that are caught and shown. */
  function flows(): (FlowNode & { wires?: string[][] })[] {
    const place = { z: 'tab', x: 100, y: 100 };
    const route = (id: string): FlowNode & { wires: string[][] } => ({
      ...place,
      id: `in-${id}`,
      type: 'http in',
      url: `/${id}`,
      method: 'post',
      wires: [[`read-${id}`]],
    });
    const read = (id: string): FlowNode & { wires: string[][] } => ({
      ...place,
      id: `read-${id}`,
      type: 'change',
      rules: Object.keys(operations[id as OnAuthy].inputs).map((input) => ({
        t: 'set',
        p: input,
        pt: 'msg',
        to: `payload.${input}`,
        tot: 'msg',
      })),
      wires: [[id]],
    });
    const account = { type: 'authy-config', deadline: 5, maxInFlight: 10, callbackUrl: '/authy/callback' };
    return [
      { id: 'tab', type: 'tab', label: 'secrets' },
      ...names.flatMap((name) => [
        route(name),
        read(name),
        {
          ...operationNode(name),
          ...place,
          wires: Array<string[]>(outputsOf(name)).fill(['answer']),
        },
      ]),
      { ...place, id: 'answer', type: 'http response', wires: [] },
      { ...place, id: 'catch', type: 'catch', scope: null, wires: [['answer']] },
      { ...account, id: 'account', service: 'authy', baseUrl: server.url, credentials: keys },
      { ...account, id: 'pretended', service: 'simulator', credentials: keys },
    ];
  }

  it('no secret is in its log at level trace, its files, its exports or its admin routes', async () => {
    const ask = async (name: OnAuthy): Promise<void> => {
      const response = await fetch(`${nodeRed.nodeUrl}${name}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(canaries(name)),
      });
      finds(await response.text(), secrets).should.eql([]);
    };
    for (const name of names) {
      server.script({ status: 200, json: exchanges[name].answer });
      await ask(name);
    }
    for (const [, step] of troubles) {
      if (step === undefined || step === 'hang') continue;
      server.script(step);
      await Promise.all(names.map(ask));
    }
    await eventually('the log to be at level trace', () => /\[trace\]/.test(nodeRed.log) || undefined);
    finds(nodeRed.log, [...secrets, ...personal]).should.eql([]);

    const routes = [
      'flows',
      'flow/tab',
      'flow/global',
      'credentials/authy-config/account',
      'credentials/authy-config/pretended',
      'settings',
      'settings/user',
      'nodes',
      'context/node/account',
      'context/flow/tab',
      'context/global',
      ...(await simulatorRoutes())
        .filter(([method, route]) => method === 'GET' && !route.includes('{'))
        .map(([, route]) => `authy-simulator/pretended${route}`),
    ];
    for (const route of routes) {
      const response = await nodeRed.request(route);
      const text = await response.text();
      response.status.should.equal(200, `${route}: ${text}`);
      finds(text, [...secrets, ...personal]).should.eql([], route);
    }
    for (const form of [
      { id: 'account', service: 'authy' },
      { id: 'account', service: 'authy', apiKey: keys.apiKey },
      { id: 'pretended', service: 'simulator' },
    ]) {
      for (const [, step] of troubles.filter(([, each]) => each !== 'hang')) {
        server.script(step ?? { status: 200, json: exchanges.appDetails.answer });
        const response = await nodeRed.request('authy-config/test', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(form),
        });
        finds(await response.text(), [...secrets, ...personal]).should.eql([]);
      }
    }

    const files = fs
      .readdirSync(nodeRed.userDir, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile() && !file.parentPath.includes('node_modules'));
    files
      .map(({ name }) => name)
      .should.containEql('flows.json')
      .and.containEql('flows_cred.json');
    for (const { parentPath, name } of files) {
      finds(fs.readFileSync(path.join(parentPath, name), 'utf8'), secrets).should.eql([], name);
    }
  });

  it('its admin routes refuse a user without permission', async () => {
    const guest = await nodeRed.signedInAs({ username: 'guest', password: 'password' });
    const routes: [string, string][] = [
      ['POST', 'authy-config/test'],
      ['POST', 'authy-config/ada'],
      ['POST', 'authy-onetouch-approval/ask'],
      ['POST', 'authy-config/people'],
      ['POST', 'authy-config/people/export'],
      ['POST', 'authy-config/people/import?id=account&format=csv&trial=false'],
      ...(await simulatorRoutes()).map(([method, route]): [string, string] => [
        method,
        `authy-simulator/pretended${route.replace('{id}', '4a725520-bff5-0135-eb01-0e5d90336a8c')}`,
      ]),
    ];
    routes.length.should.be.above(10);
    for (const [method, route] of routes) {
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}' };
      const init = { method, headers: { 'Content-Type': 'application/json' }, ...body };
      (await fetch(nodeRed.adminUrl + route, init)).status.should.equal(401, `${method} ${route}`);
      const forged = { ...init, headers: { ...init.headers, Authorization: 'Bearer forged' } };
      (await fetch(nodeRed.adminUrl + route, forged)).status.should.equal(401, `${method} ${route}`);
      const { status } = await guest.request(route, init);
      if (method === 'GET') should([200, 404].includes(status)).be.true(`${route}: ${status}`);
      else status.should.equal(401, `${method} ${route}`);
    }
  });

  it("the simulator's page beside the editor has a content security policy", async () => {
    await hasPolicy(`${nodeRed.adminUrl}authy-simulator/pretended/phone/`);
  });

  /** Every route of the simulator's control interface, from its own list. */
  async function simulatorRoutes(): Promise<[method: string, route: string][]> {
    const { control } = (await nodeRed.get('authy-simulator/pretended/')) as { control: object };
    return Object.keys(control).map((route) => route.split(' ') as [string, string]);
  }
});

describe('Secrets: access to the simulator', () => {
  const lines: string[] = [];
  const simulator = new Simulator({ apiKey: keys.apiKey, log: (line) => lines.push(line) });
  let url: URL;
  before(async () => {
    url = new URL(await simulator.listen());
  });
  after(() => simulator.close());

  it('cannot be reached by another address of this machine', async () => {
    const others = Object.values(os.networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal }) => !internal)
      .map(({ address, family, scopeid }) =>
        family === 'IPv6' && scopeid ? `${address}%${scopeid}` : address,
      );
    // On Linux all of 127.0.0.0/8 is this machine.
    const addresses = [...others, '::1', ...(process.platform === 'linux' ? ['127.0.0.2'] : [])];
    for (const address of addresses) {
      should(await reaches(address, Number(url.port))).be.false(address);
    }
    should(await reaches('127.0.0.1', Number(url.port))).be.true();
    process.stdout.write(`      not reached by ${addresses.length} other addresses of this machine\n`);
  });

  it('refuses foreign Host and Origin headers on every path', async () => {
    const hosts = [
      'authy.example',
      'localhost.authy.example',
      '127.0.0.1.authy.example',
      '127.0.0.1@authy.example',
      'authy.example#127.0.0.1',
      '0.0.0.0',
      '127.0.0.2',
      '[::2]',
      '',
      'local host',
    ];
    const origins = [
      'https://authy.example',
      'http://127.0.0.1.authy.example',
      'http://localhost@authy.example',
      'null',
      'file://',
      'chrome-extension://abc',
      'http://[::2]',
    ];
    for (const place of [
      '/',
      '/simulator',
      '/simulator/state',
      '/simulator/phone/',
      '/protected/json/app/details',
      '/v2/Attempts',
    ]) {
      for (const host of hosts) {
        should(await statusOf(place, `Host: ${host}`)).match(/^HTTP\/1\.1 40[03] /, `Host ${host}, ${place}`);
      }
      for (const origin of origins) {
        const headers = `Host: ${url.host}\r\nOrigin: ${origin}`;
        should(await statusOf(place, headers)).match(/^HTTP\/1\.1 403 /, `Origin ${origin}, ${place}`);
      }
      should(await statusOf(place, `Host: ${url.host}`)).not.match(/ 40[03] /);
    }
  });

  it('shows key, token and secret nowhere, and its page has a content security policy', async () => {
    const { accountSid, authToken, apiKeySecret } = simulator.verify;
    const known = [...secrets, authToken, apiKeySecret];
    await hasPolicy(`${url.origin}/simulator/phone/`);
    for (const place of [
      '',
      '/state',
      '/factors',
      '/settings',
      '/users',
      '/messages',
      '/approvals',
      '/faults',
      '/requests',
    ]) {
      const response = await fetch(`${url.origin}/simulator${place}`);
      response.status.should.equal(200, place);
      finds(await response.text(), known).should.eql([], place);
    }
    await fetch(`${url.origin}/protected/json/app/details?api_key=${keys.apiKey}`);
    const user = Buffer.from(`${accountSid}:${authToken}`).toString('base64');
    await fetch(`${url.origin}/v2/Attempts`, { headers: { Authorization: `Basic ${user}` } });
    finds(await (await fetch(`${url.origin}/simulator/requests`)).text(), [...known, user]).should.eql([]);
    finds(lines.join('\n'), [...known, user]).should.eql([]);
  });

  /** The first line of the answer to a raw request: no HTTP client would send these headers. */
  function statusOf(place: string, headers: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const key = `X-Authy-API-Key: ${keys.apiKey}`;
      const socket = net.connect(Number(url.port), '127.0.0.1', () => {
        socket.write(`GET ${place} HTTP/1.1\r\n${headers}\r\n${key}\r\nConnection: close\r\n\r\n`);
      });
      socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
      socket.on('error', reject);
      socket.on('close', () => resolve(answer.split('\r\n')[0] ?? ''));
    });
  }
});

function reaches(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Checks that the policy allows only the page's own files, and that the page needs nothing else. */
async function hasPolicy(address: string): Promise<void> {
  const response = await fetch(address);
  response.status.should.equal(200);
  const policy = response.headers.get('content-security-policy') ?? '';
  const rules = new Map(
    policy.split(';').map((rule): [string, string] => {
      const [name = '', ...sources] = rule.trim().split(/\s+/);
      return [name, sources.join(' ')];
    }),
  );
  should(rules.get('default-src')).equal("'none'");
  should(rules.get('script-src')).equal("'self'");
  should(rules.get('connect-src')).equal("'self'");
  should(rules.get('base-uri')).equal("'none'");
  should(rules.get('form-action')).equal("'none'");
  should(rules.get('frame-ancestors')).equal("'self'");
  policy.should.not.match(/unsafe|\*/);
  const page = await response.text();
  page.should.not.match(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|javascript:/i);
}
