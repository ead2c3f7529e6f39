import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import type { Browser, Page } from 'playwright-core';
import should from 'should';
import { selfSigned } from '../support/certificate';
import { startBrowser } from '../support/editor';
import {
  eventually,
  type FlowNode,
  installedModules,
  NodeRed,
  type NodeRedOptions,
  type Runtime,
  runtimes,
} from '../support/node_red';

const apiKey = 'a-key-for-the-simulator';
const [runtime] = runtimes as [Runtime];
const account = {
  id: 'account',
  type: 'authy-config',
  service: 'simulator',
  deadline: 15,
  maxInFlight: 10,
  callbackUrl: '/authy/callback',
  credentials: { apiKey },
};
// The hash of "password", the owner's password.
const password = '$2a$08$zZWtXTja0fB1pzD4sHCMyOCMYz2Z6dNbM6tl8sJogENOMcxWV9DN.';
const signedIn: NodeRedOptions = {
  settings: {
    adminAuth: { type: 'credentials', users: [{ username: 'owner', password, permissions: '*' }] },
  },
  user: { username: 'owner', password: 'password' },
};

/** A simulator beside an editor, and the requests that the tests send to it. */
class Beside {
  /** @param route - of its control interface */
  constructor(
    private readonly nodeRed: NodeRed,
    readonly route = 'authy-simulator/account',
  ) {}

  /** Asks for an approval, as an application would. @returns its uuid */
  async request(): Promise<string> {
    const url = await eventually(
      'the simulator to listen',
      () => [...this.nodeRed.log.matchAll(/Authy simulator: listening on (\S+)/g)].at(-1)?.[1],
    );
    const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
      const headers = { 'Content-Type': 'application/json', 'X-Authy-API-Key': apiKey };
      const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await response.json()) as Record<string, unknown>;
    };
    const user = { email: 'ada@example.com', cellphone: '3175550142', country_code: '1' };
    const created = await post('/protected/json/users/new', { user, send_install_link_via_sms: false });
    const { id } = created['user'] as { id: number };
    const asked = await post(`/onetouch/json/users/${id}/approval_requests`, { message: 'Open the garage?' });
    return (asked['approval_request'] as { uuid: string }).uuid;
  }

  async status(uuid: string): Promise<unknown> {
    return ((await this.nodeRed.get(`${this.route}/approvals/${uuid}`)) as { status: string }).status;
  }

  /** Approves the request. @returns the report on its callback */
  async approve(uuid: string): Promise<Record<string, unknown>> {
    const response = await this.nodeRed.request(`${this.route}/approvals/${uuid}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"answer":"approve"}',
    });
    return ((await response.json()) as { callback: Record<string, unknown> }).callback;
  }
}

const portOf = (nodeRed: NodeRed): string => new URL(nodeRed.adminUrl).port;

describe("the simulator's page in a browser, beside the editor of Node-RED", function () {
  this.timeout(120_000);
  let browser: Browser | undefined;
  let page: Page;

  before(async function () {
    this.timeout(600_000);
    await installedModules(this);
    browser = await startBrowser(this, ['raspberrypi', 'nodered.local', 'rebound.example', 'evil.example']);
  });
  after(() => browser?.close());
  beforeEach(async () => {
    page = await (browser as Browser).newPage({ locale: 'en-US' });
    page.setDefaultTimeout(20_000);
  });
  afterEach(() => page.close());

  /** Approves the request on the page, and checks that the page and the simulator both say so. */
  async function approves(address: string, beside: Beside, uuid: string): Promise<void> {
    await page.goto(address);
    await page.getByRole('button', { name: 'Approve', exact: true }).first().click();
    await page.getByText('Approved', { exact: true }).first().waitFor();
    // No node of the flow wants the callback.
    await page
      .getByText(/^The answer is in\. Nothing listens at http:\S+\/authy\/callback,/)
      .first()
      .waitFor();
    // "Approved" on the page may belong to an earlier request.
    await eventually(
      'the request to be approved',
      async () => (await beside.status(uuid)) === 'approved' || undefined,
    );
  }

  describe('without adminAuth', () => {
    let nodeRed: NodeRed;
    let beside: Beside;
    /** Another site. */
    const evil = http.createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end('<title>evil</title>');
    });

    before(async function () {
      nodeRed = await NodeRed.start(this, runtime, { settings: { uiHost: '0.0.0.0' } });
      await nodeRed.deploy([account]);
      beside = new Beside(nodeRed);
      await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
    });
    after(async () => {
      await (nodeRed as NodeRed | undefined)?.stop();
      evil.closeAllConnections();
      evil.close();
    });

    const ofNetwork = Object.values(os.networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
    for (const host of [
      '127.0.0.1',
      'localhost',
      'raspberrypi',
      'nodered.local',
      ...(ofNetwork ? [ofNetwork] : []),
    ]) {
      it(`works at ${host === ofNetwork ? "the machine's own address" : host}`, async () => {
        const uuid = await beside.request();
        await approves(`http://${host}:${portOf(nodeRed)}/${beside.route}/phone/`, beside, uuid);
      });
    }

    it('shows nothing under an unknown host name, and says what to do', async () => {
      const uuid = await beside.request();
      await page.goto(`http://rebound.example:${portOf(nodeRed)}/${beside.route}/phone/`);
      await page.getByText('Open Node-RED by its IP address').waitFor();
      (await page.locator('.approval').count()).should.equal(0);
      const tried = await page.evaluate(async (id) => {
        const answer = {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: '{"answer":"approve"}',
        };
        const all = [fetch('../state'), fetch(`../approvals/${id}`, answer), fetch('../reset', answer)];
        return (await Promise.all(all)).map(({ status }) => status);
      }, uuid);
      tried.should.eql([403, 403, 403]);
      should(await beside.status(uuid)).equal('pending');
    });

    it('another site can neither approve, nor read, nor reset', async () => {
      const uuid = await beside.request();
      const base = `http://127.0.0.1:${portOf(nodeRed)}`;
      await page.goto(`http://evil.example:${(evil.address() as AddressInfo).port}/`);

      // By forms: browsers send them without a preflight request.
      for (const [type, name, value] of [
        ['application/x-www-form-urlencoded', 'answer', 'approve'],
        ['text/plain', '{"answer":"approve","x":"', '"}'],
        ['multipart/form-data', 'answer', 'approve'],
      ] as const) {
        for (const path of [
          `${beside.route}/approvals/${uuid}`,
          `${beside.route}/reset`,
          'authy-config/test',
        ]) {
          const answered = page.waitForResponse((response) => response.url() === `${base}/${path}`);
          await page.evaluate(
            ([action, enctype, field, content]) => {
              // Each form has a frame of its own: the answer in a frame that is changing its site may be missed.
              const target = `to ${action} as ${enctype}`;
              const frame = Object.assign(document.createElement('iframe'), { name: target });
              const form = Object.assign(document.createElement('form'), {
                ...{ method: 'post', action, enctype, target },
              });
              form.append(Object.assign(document.createElement('input'), { name: field, value: content }));
              document.body.append(frame, form);
              form.submit();
            },
            [`${base}/${path}`, type, name, value] as const,
          );
          (await answered).status().should.equal(403, `${type} to ${path}`);
        }
      }

      // By fetch: Node-RED lets every page send JSON to it, and read the answer.
      const answers = await page.evaluate(
        async ([state, approval, reset]) => {
          const json = {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: '{"answer":"approve"}',
          };
          const read = await Promise.all([fetch(state), fetch(approval, json), fetch(reset, json)]);
          await fetch(reset, { method: 'POST', mode: 'no-cors' });
          return read.map(({ status }) => status);
        },
        [
          `${base}/${beside.route}/state`,
          `${base}/${beside.route}/approvals/${uuid}`,
          `${base}/${beside.route}/reset`,
        ] as const,
      );
      answers.should.eql([403, 403, 403]);
      should(await beside.status(uuid)).equal('pending');
    });

    it('says so once its account has another service, is disabled, or is deleted, and is there again with it', async () => {
      await nodeRed.deploy([account]);
      const address = `${nodeRed.adminUrl}authy-simulator/account/phone/`;
      await page.goto(address);
      const phone = page.getByRole('main');
      const gone = page.getByRole('alert').getByText('No simulator runs for this account.');
      await phone.waitFor();
      const changed = [{ ...account, service: 'local', approvalStore: 'files' }];
      for (const flows of [changed, [{ ...account, d: true }], []]) {
        await nodeRed.deploy(flows);
        await gone.waitFor();
        await phone.waitFor({ state: 'hidden' });
        await nodeRed.deploy([account]);
        await phone.waitFor();
        await gone.waitFor({ state: 'hidden' });
      }
      await nodeRed.deploy(changed);
      await page.reload();
      await gone.waitFor();
    });

    it('lists the phones of an account in a subflow that is used twice', async () => {
      const instance = (id: string, name: string): FlowNode => ({
        id,
        type: 'subflow:door',
        name,
        z: 'tab',
        x: 1,
        y: 1,
      });
      await nodeRed.deploy([
        { id: 'tab', type: 'tab' },
        { id: 'door', type: 'subflow', name: 'Door', in: [], out: [] },
        { ...account, id: 'inner', z: 'door' },
        instance('front', 'Front door'),
        instance('back', 'Back door'),
      ]);
      await page.goto(`${nodeRed.adminUrl}authy-simulator/inner/phone/`);
      await page.getByText('each instance of the subflow has a phone of its own').waitFor();
      await page.getByRole('link', { name: 'Back door' }).click();
      await page.waitForURL('**/authy-simulator/back-inner/phone/');
      await page.getByText('No users yet').waitFor();
      await page.getByText('put the IP address of this machine in place of').waitFor();
      (await page.getByRole('link').count()).should.equal(0);
    });
  });

  describe('with adminAuth', () => {
    let nodeRed: NodeRed;
    before(async function () {
      nodeRed = await NodeRed.start(this, runtime, signedIn);
      await nodeRed.deploy([account]);
    });
    after(() => (nodeRed as NodeRed | undefined)?.stop());

    for (const host of ['127.0.0.1', 'localhost', 'raspberrypi', 'rebound.example']) {
      it(`works at ${host} for a signed-in user, and asks other users to log in`, async () => {
        const beside = new Beside(nodeRed);
        const uuid = await beside.request();
        const address = `http://${host}:${portOf(nodeRed)}/`;
        await page.goto(`${address}${beside.route}/phone/`);
        await page.getByText('Log in to the Node-RED editor first').waitFor();
        await page.goto(address);
        await page.locator('#node-dialog-login-username').fill('owner');
        await page.locator('#node-dialog-login-password').fill('password');
        await page.locator('#node-dialog-login-submit').click();
        await page.waitForFunction(() => localStorage.getItem('auth-tokens') !== null);
        await approves(`${address}${beside.route}/phone/`, beside, uuid);
      });
    }
  });
});

describe("the simulator's callbacks to its own Node-RED", function () {
  this.timeout(60_000);
  const flows: FlowNode[] = [
    account,
    { id: 'tab', type: 'tab' },
    {
      id: 'in',
      type: 'http in',
      method: 'post',
      url: '/authy/callback',
      z: 'tab',
      x: 1,
      y: 1,
      wires: [['callback']],
    },
    {
      id: 'callback',
      type: 'authy-onetouch-callback',
      account: 'account',
      publicUrl: '',
      publicUrlType: 'str',
      strict: false,
      freshness: 'off',
      freshnessWindow: 300,
      maxSize: 64,
      z: 'tab',
      x: 1,
      y: 1,
      wires: [['out'], ['out'], ['out']],
    },
    { id: 'out', type: 'http response', z: 'tab', x: 1, y: 1, wires: [] },
  ];
  let nodeRed: NodeRed | undefined;
  before(async function () {
    this.timeout(600_000);
    await installedModules(this);
  });
  afterEach(() => nodeRed?.stop());

  async function callback(context: Mocha.Context, options: NodeRedOptions): Promise<Record<string, unknown>> {
    nodeRed = await NodeRed.start(context, runtime, options);
    await nodeRed.deploy(flows);
    const beside = new Beside(nodeRed);
    return beside.approve(await beside.request());
  }

  it('arrive if it listens on all addresses, below another root', async function () {
    const settings = { uiHost: '0.0.0.0', httpAdminRoot: '/admin', httpNodeRoot: '/api' };
    const report = await callback(this, { settings });
    report.should.have.property('status', 200);
    should(report['url']).equal(`http://127.0.0.1:${portOf(nodeRed as NodeRed)}/api/authy/callback`);
  });

  it('arrive if it listens on another address', async function () {
    // On Linux all of 127.0.0.0/8 is this machine.
    if (process.platform !== 'linux') this.skip();
    const report = await callback(this, { settings: { uiHost: '127.0.0.2' } });
    report.should.have.properties({
      url: `http://127.0.0.2:${portOf(nodeRed as NodeRed)}/authy/callback`,
      status: 200,
    });
  });

  it('arrive by https, with a self-signed certificate for another name', async function () {
    const certificate = await selfSigned();
    const uiHost = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1';
    const report = await callback(this, { settings: { uiHost }, certificate });
    report.should.have.properties({
      url: `https://${uiHost}:${portOf(nodeRed as NodeRed)}/authy/callback`,
      status: 200,
    });
  });

  it('are refused if httpNodeAuth is set, and the log names that setting', async function () {
    const report = await callback(this, { settings: { httpNodeAuth: { user: 'ada', pass: password } } });
    report.should.have.property('status', 401);
    (nodeRed as NodeRed).log.should.match(
      /callback of \S+ to \S+: 401, it asks for a password \(in Node-RED: httpNodeAuth\)/,
    );
  });
});
