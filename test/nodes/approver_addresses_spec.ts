import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import should from 'should';
import type { PageCheck } from '../../nodes/lib/approver/page-check';
import { editorPaths } from '../../nodes/lib/node/approver-paths';
import { selfSigned } from '../support/certificate';
import {
  eventually,
  type FlowNode,
  freePort,
  NodeRed,
  type NodeRedOptions,
  root,
  runtimes,
  temporaryDirectory,
} from '../support/node_red';
import { type ProxyRules, ReverseProxy } from '../support/reverse_proxy';
import { ScriptedServer } from '../support/scripted_server';
import { type HttpAnswer, httpRequest } from '../support/http_request';

const account = (id: string, settings: object = {}): FlowNode => ({
  id,
  type: 'authy-config',
  version: 2,
  name: `The ${id}`,
  service: 'local',
  localName: '',
  approvalStore: 'files',
  ...settings,
});

function send(
  url: string,
  headers: Record<string, http.OutgoingHttpHeader | undefined>,
  body = '',
): Promise<HttpAnswer> {
  return httpRequest(body === '' ? 'GET' : 'POST', url, headers, body);
}

/** What a phone sends from the page. */
const fromPage = (url: string): http.OutgoingHttpHeaders => ({
  'Content-Type': 'application/json',
  Origin: new URL(url).origin,
  'Sec-Fetch-Site': 'same-origin',
});

const codesOf = ({ problems }: PageCheck): string[] =>
  problems.map((problem) => ('why' in problem ? `${problem.code} ${problem.why}` : problem.code));

/** The settings of a page of the documentation, which say that a test runs them. */
function documentedSettings(): string {
  const text = fs.readFileSync(path.join(root, 'docs', 'https', 'password.md'), 'utf8');
  return /^ *<!-- This block is run by .* -->\s*^ *```js\n([^]*?)^ *```$/m.exec(text)?.[1] ?? '';
}

const [runtime] = runtimes;

describe("the addresses of an account's page", function () {
  this.timeout(180_000);
  let nodeRed: NodeRed | undefined;
  const opened: { stop(): Promise<void> }[] = [];

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.stop();
  });

  const running = (): NodeRed => nodeRed as NodeRed;

  async function start(context: Mocha.Context, options: NodeRedOptions = {}): Promise<void> {
    if (runtime === undefined) throw new Error('There is no Node-RED.');
    nodeRed = await NodeRed.start(context, runtime, options);
  }

  async function stop(): Promise<void> {
    await nodeRed?.stop();
    nodeRed = undefined;
  }

  async function proxy(rules: Partial<ProxyRules> = {}): Promise<ReverseProxy> {
    const one = await ReverseProxy.start({ target: new URL(running().nodeUrl).origin, ...rules });
    opened.push(one);
    return one;
  }

  const check = async (id = 'door'): Promise<PageCheck> =>
    (await running().post('authy-config/page', { id })) as PageCheck;

  /** Asks a route of the sidebar. */
  const people = async (route: string, data: object = {}): Promise<Record<string, unknown>> =>
    (await running().post(`authy-people/${route}`, data)) as Record<string, unknown>;

  /** Deploys an account with a public address, and checks that. */
  async function checked(approverUrl: string, settings: object = {}): Promise<PageCheck> {
    await running().deploy([account('door', { approverUrl, ...settings })]);
    return check();
  }

  const state = (url: string, headers = fromPage(url), body = '{}'): Promise<HttpAnswer> =>
    send(`${url}/api/state`, headers, body);

  /** The name by which this machine calls itself, with the path of the page. */
  const localPage = (name = 'localhost'): string => `${running().nodeUrl.replace('127.0.0.1', name)}approve`;

  async function shouldServe(url: string): Promise<void> {
    const answer = await state(url);
    should(answer.status).equal(200);
    should(JSON.parse(answer.text)).match({ account: 'The door', signedIn: false });
    const page = await send(`${url}/`, {});
    should(page.status).equal(200);
    should(page.headers['content-security-policy']).startWith("default-src 'none'");
    const { status, headers } = await send(url, {});
    should([status, headers.location]).eql([302, 'approve/']);
    for (const one of [answer, page]) {
      should(Object.keys(one.headers).filter((name) => name.startsWith('access-control-'))).be.empty();
    }
  }

  async function shouldRefuseStrangers(url: string): Promise<void> {
    const good = fromPage(url);
    const statusOf = async (headers: http.OutgoingHttpHeaders, body = '{}'): Promise<unknown[]> => {
      const { status, text, headers: got } = await state(url, { ...good, ...headers }, body);
      should(got['access-control-allow-origin']).be.undefined();
      return [status, (JSON.parse(text) as { error?: unknown }).error];
    };
    const foreign = [403, 'foreign'];
    should(await statusOf({ Origin: 'https://stranger.example' })).eql(foreign);
    should(await statusOf({ Origin: 'null' })).eql(foreign);
    should(await statusOf({ Origin: undefined })).eql(foreign);
    should(await statusOf({ 'Sec-Fetch-Site': 'cross-site' })).eql(foreign);
    should(await statusOf({ 'Sec-Fetch-Site': 'same-site' })).eql(foreign);
    should(await statusOf({ Host: 'stranger.example' })).eql(foreign);
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    should(await statusOf(form, 'a=b')).eql([415, 'notJson']);
    should(await statusOf({ 'Content-Type': 'text/plain' })).eql([415, 'notJson']);
    should(await statusOf({ 'Content-Type': undefined })).eql([415, 'notJson']);
    const page = await send(`${url}/`, { Host: 'stranger.example' });
    should(page.status).equal(421);
    should(page.text).containEql(`Open ${url}/ instead`).and.containEql('pass the Host header on');
    const events = await send(`${url}/api/events`, { Origin: 'https://stranger.example' });
    should([events.status, events.text]).eql([403, '{"error":"foreign"}']);
  }

  describe('settings of Node-RED', () => {
    afterEach(stop);

    const folder = temporaryDirectory();
    fs.mkdirSync(path.join(folder, 'approve'));
    fs.writeFileSync(path.join(folder, 'approve', 'index.html'), 'a file of the user');

    const all: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      'as it comes: editor and page at one root': {},
      'both at a root of their own': { httpAdminRoot: '/admin', httpNodeRoot: '/nodes-root' },
      'the page below the editor': { httpNodeRoot: '/nodes-root' },
      'the editor below the page’s root': { httpAdminRoot: '/admin' },
      'no editor': { disableEditor: true },
      'files at the same path': { httpStatic: folder },
      'http in nodes that every page may read': {
        httpNodeRoot: '/nodes-root',
        httpNodeCors: { origin: '*', methods: 'GET,PUT,POST,DELETE', credentials: true },
      },
    };

    for (const [how, settings] of Object.entries(all)) {
      it(`${how}: the page is there, and closed to strangers`, async function () {
        await start(this, { settings });
        should(await checked(localPage())).eql({
          ok: true,
          grade: 'passkey',
          url: localPage(),
          works: { passkey: true, push: true, live: true },
          problems: [{ code: 'localOnly' }],
        });
        await shouldServe(localPage());
        await shouldRefuseStrangers(localPage());
      });
    }

    it('a password in front of it: the check says so', async function () {
      await start(this, { settings: { httpNodeAuth: { user: 'ada', pass: '$2b$08$none' } } });
      const answer = await checked(localPage());
      should(codesOf(answer)).eql(['auth', 'localOnly']);
      should(answer).match({ ok: false, works: { passkey: false, push: false, live: false } });
      should((await state(localPage())).status).equal(401);
      should((await send(`${localPage()}/`, {})).status).equal(401);
    });

    it('a password in front of everything else, as documented', async function () {
      await start(this, {
        documented: documentedSettings(),
        env: { PAGES_USER: 'ada', PAGES_PASSWORD: 'a password' },
      });
      should(await checked(localPage())).match({ ok: true, works: { live: true } });
      await shouldServe(localPage());
      await shouldRefuseStrangers(localPage());
      should((await send(`${running().nodeUrl}other`, {})).status).equal(401);
    });

    it('flows that cannot be loaded: whatever else is there goes on', async function () {
      await start(this, {
        settings: { httpStatic: folder },
        documented: `
          const fails = async () => { throw new Error('the storage is down'); };
          const storage = { init: async () => {}, getFlows: fails, getCredentials: fails };
          module.exports = { storageModule: { ...storage, saveFlows: fails, saveCredentials: fails } };`,
        readyWith: 'the storage is down',
      });
      should(await send(`${running().nodeUrl}approve/index.html`, {})).match({
        status: 200,
        text: 'a file of the user',
      });
      should(await people('accounts')).eql({ ok: true, accounts: [] });
      should(codesOf(await check())).eql(['notDeployed']);
    });

    it('no http nodes: there is no page', async function () {
      await start(this, { settings: { httpNodeRoot: false } });
      const answer = await checked('https://home.example/approve');
      should(answer).match({ ok: false, url: null, grade: null, problems: [{ code: 'noHttpNodes' }] });
    });

    it('https of Node-RED itself: what is wrong with the certificate, and what works besides', async function () {
      const certificate = await selfSigned();
      await start(this, { certificate });
      const unknown = await checked(localPage());
      // That the name is wrong as well comes to light when the authority is known.
      should(codesOf(unknown)).eql(['certificate authority', 'localOnly']);
      should(unknown).match({
        ok: false,
        grade: 'passkey',
        works: { passkey: false, push: false, live: true },
      });
      should(unknown.problems[0]).match({ detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      await stop();

      const file = path.join(temporaryDirectory(), 'cert.pem');
      fs.writeFileSync(file, certificate.cert);
      await start(this, { certificate, env: { NODE_EXTRA_CA_CERTS: file } });
      should(codesOf(await checked(localPage()))).eql(['certificate name', 'localOnly']);
      const address = await checked(localPage('127.0.0.1'));
      should(codesOf(address)).eql(['ipAddress', 'localOnly']);
      should(address).match({
        ok: true,
        grade: 'code',
        works: { passkey: false, push: true, live: true },
      });
    });
  });

  describe('what stands in between', () => {
    before(async function () {
      await start(this, { settings: { httpAdminRoot: '/admin' } });
    });
    after(stop);

    it('plain http: only codes', async () => {
      const answer = await checked(localPage('127.0.0.1'));
      should(codesOf(answer)).eql(['plainHttp', 'localOnly']);
      should(answer).match({
        ok: true,
        grade: 'code',
        works: { passkey: false, push: false, live: true },
      });
    });

    it('no public address: that of this machine', async () => {
      should(await checked('')).match({ ok: true, url: localPage(), works: { passkey: true, live: true } });
    });

    it('notifications that are switched off', async () => {
      const answer = await checked(localPage(), { approverPush: false });
      should(codesOf(answer)).eql(['localOnly', 'pushOff']);
      should(answer).match({ ok: true, works: { passkey: true, push: false } });
    });

    it('a proxy on another port', async () => {
      const front = await proxy();
      const url = `${front.url()}/approve`;
      should(await checked(url)).match({ ok: true, url, works: { passkey: true, push: true, live: true } });
      await shouldServe(url);
      await shouldRefuseStrangers(url);
      // By its own port it is another address.
      should(JSON.parse((await state(localPage())).text)).eql({ error: 'foreign' });
    });

    it('a proxy that takes a prefix off', async () => {
      const front = await proxy({ strips: '/home' });
      const url = `${front.url()}/home/approve`;
      should(await checked(url)).match({ ok: true, url, works: { live: true } });
      await shouldServe(url);
      const wrong = await checked(`${front.url()}/home`);
      should(wrong.problems[0]).eql({
        code: 'notFound',
        why: 'nodeRed',
        saw: '/api/probe',
        ownPath: '/approve',
      });
    });

    it('a proxy that does not pass the Host header on', async () => {
      const front = await proxy({ passesHost: false });
      const url = `${front.url()}/approve`;
      const answer = await checked(url);
      const { host } = new URL(running().nodeUrl);
      should(answer.problems[0]).eql({ code: 'wrongHost', saw: host, expected: new URL(url).host });
      should(answer).match({ ok: false, works: { passkey: false, push: false, live: false } });
      should((await state(url)).status).equal(403);
      const page = await send(`${url}/`, {});
      should([page.status, page.text.includes('pass the Host header on')]).eql([421, true]);
    });

    it('a proxy that drops the Origin header', async () => {
      const url = `${(await proxy({ drops: ['origin'] })).url()}/approve`;
      const [problem] = (await checked(url)).problems;
      should(problem).eql({ code: 'wrongOrigin', saw: '', expected: new URL(url).origin });
    });

    it('a proxy that keeps events back', async () => {
      const url = `${(await proxy({ buffers: true })).url()}/approve`;
      const answer = await checked(url);
      should(codesOf(answer)).eql(['buffered', 'localOnly']);
      should(answer).match({ ok: false, works: { passkey: true, push: true, live: false } });
    });

    it('a certificate that is not known here, of somebody else', async () => {
      const url = `${(await proxy({ tls: await selfSigned() })).url()}/approve`;
      const answer = await checked(url);
      should(codesOf(answer)).eql(['certificate authority', 'localOnly']);
      should(answer).match({ ok: false, works: { passkey: false, push: false, live: false } });
    });

    it('nothing there, or no way to it', async () => {
      should(codesOf(await checked('https://nowhere.invalid/approve'))).eql(['notReached dns']);
      const nobody = `http://localhost:${await freePort()}/approve`;
      should(codesOf(await checked(nobody))).eql(['notReached refused', 'localOnly']);
      const plain = localPage().replace('http:', 'https:');
      should(codesOf(await checked(plain))).eql(['notReached broken', 'localOnly']);
      const behind = await proxy({ target: `http://127.0.0.1:${await freePort()}` });
      const [problem] = (await checked(`${behind.url()}/approve`)).problems;
      should(problem).eql({ code: 'badGateway', status: 502 });
    });

    it('something else there', async () => {
      const site = await new ScriptedServer().start();
      opened.push(site);
      const there = async (): Promise<unknown> =>
        (await checked(`${site.url.replace('127.0.0.1', 'localhost')}/approve`)).problems[0];
      site.script({ status: 200, text: '<title>Router</title>', type: 'text/html' });
      should(await there()).eql({ code: 'otherSite', status: 200 });
      // What pretends to be the page has not told this Node-RED.
      site.script({ status: 200, json: { mine: true } });
      should(await there()).eql({ code: 'otherSite', status: 200 });
      const location = 'https://login.example/start?token=secret';
      site.script({ status: 302, text: '', type: 'text/plain', headers: { location } });
      should(await there()).eql({ code: 'redirected', to: 'https://login.example/start' });
      site.script({ status: 404, text: 'nothing', type: 'text/plain' });
      should(await there()).eql({ code: 'notFound', why: 'other', path: '/approve', ownPath: '/approve' });
      site.script({ status: 401, text: '', type: 'text/plain' });
      should(await there()).eql({ code: 'auth' });
      site.script('hang');
      should(await there()).match({ code: 'notReached', why: 'timeout' });
    });

    it('the page of another account', async () => {
      const url = localPage();
      await running().deploy([
        account('door', { approverUrl: url }),
        account('garage', { approverUrl: url, approverPath: '/garage' }),
      ]);
      should(await check('door')).match({ ok: true });
      should((await check('garage')).problems[0]).eql({ code: 'otherPage' });
    });

    it('tells a stranger nothing', async () => {
      await running().deploy([account('door', { approverUrl: localPage() })]);
      const url = localPage();
      const guess = JSON.stringify({ nonce: 'AAAAAAAAAAAAAAAAAAAAAA' });
      const probe = (headers: http.OutgoingHttpHeaders, body = guess): Promise<HttpAnswer> =>
        send(`${url}/api/probe`, headers, body);
      should(await probe(fromPage(url))).match({ status: 401, text: '{"error":"signedOut"}' });
      should(await probe(fromPage(url), '{"nonce":["__proto__"]}')).match({ status: 401 });
      const foreign = { ...fromPage(url), Origin: 'https://stranger.example' };
      should(await probe(foreign)).match({ status: 403, text: '{"error":"foreign"}' });
      should(await probe({ ...fromPage(url), 'Content-Type': 'text/plain' })).match({ status: 415 });
      should(await send(`${url}/api/events?probe=AAAAAAAAAAAAAAAAAAAAAA`, {})).match({ status: 401 });
    });

    it('is asked by the editor alone, about accounts that run', async () => {
      await running().deploy([account('door', { approverUrl: localPage() })]);
      should(codesOf(await check('nobody'))).eql(['notDeployed']);
      const route = `${running().adminUrl}authy-config/page`;
      const body = JSON.stringify({ id: 'door' });
      const type = 'application/json';
      const foreign = { 'Content-Type': type, Origin: 'https://stranger.example' };
      should((await send(route, foreign, body)).status).equal(403);
      should((await send(route, { 'Content-Type': type, Host: 'stranger.example' }, body)).status).equal(403);
      should((await send(route, { 'Content-Type': 'text/plain' }, body)).status).equal(415);
      // An address that the browser sends is not called.
      const site = await new ScriptedServer().start();
      opened.push(site);
      const sent = JSON.stringify({ id: 'door', url: site.url, approverUrl: site.url });
      should((await send(route, { 'Content-Type': type }, sent)).status).equal(200);
      should(site.seen).be.empty();
    });

    it('an account in a subflow that nothing uses', async () => {
      const subflow = { id: 'subflow', type: 'subflow', name: 'Doors', in: [], out: [] };
      await running().deploy([subflow, { ...account('inner'), z: 'subflow' }]);
      should(codesOf(await check('inner'))).eql(['notUsed']);
    });

    it('an account of a service without a page', async () => {
      await running().deploy([{ ...account('door'), service: 'authy' }]);
      should(codesOf(await check())).eql(['noPage']);
    });
  });

  describe('paths that are taken', () => {
    before(async function () {
      await start(this);
    });
    after(stop);

    it('by the editor or its API', async () => {
      for (const approverPath of ['/nodes', '/Flows', '/settings/user', '/red', '/authy-people']) {
        const seen = running().log.length;
        const url = localPage().replace('/approve', approverPath);
        const answer = await checked(url, { approverPath });
        should(answer).match({ ok: false, url: null });
        should(answer.problems).eql([{ code: 'pathTaken', why: 'editor', path: approverPath }]);
        should(running().log.slice(seen)).match(
          /Choose another “Page path” in the account, such as \/approve/,
        );
      }
      const seen = running().log.length;
      should(
        await checked(localPage().replace('/approve', '/nodes-of-mine'), { approverPath: '/nodes-of-mine' }),
      ).match({
        ok: true,
      });
      should(running().log.slice(seen)).not.containEql('Page path');
    });

    it('what the flows serve there: the account says so of what its page hides, and of nothing else', async () => {
      const on = (id: string, url: string, more: object = {}): FlowNode => ({
        ...{ id, type: 'http in', z: 'tab', url, method: 'get', x: 100, y: 100, wires: [['out']], ...more },
      });
      const out = {
        id: 'out',
        type: 'http response',
        z: 'tab',
        statusCode: '299',
        x: 300,
        y: 100,
        wires: [],
      };
      const door = account('door', { approverUrl: localPage() });
      const off = { id: 'off', type: 'tab', label: 'off', disabled: true };
      const warnings = async (...nodes: FlowNode[]): Promise<(string | undefined)[]> => {
        const seen = running().log.length;
        await running().deploy([{ id: 'tab', type: 'tab', label: 'on' }, off, door, out, ...nodes]);
        const said = running()
          .log.slice(seen)
          .matchAll(/this page hides what that serves at (\S+)\.$/gm);
        return [...said].map(([, url]) => url);
      };
      /** Whether the flow answers, and not the page. */
      const isServed = async (method: string, place: string): Promise<boolean> =>
        (await httpRequest(method, localPage().replace('/approve', place), {}, '')).status === 299;
      for (const [url, method, place] of [
        ['/approve', 'get', '/approve'],
        ['approve/', 'get', '/approve/'],
        ['/approve/api/:call', 'get', '/approve/api/garage'],
        ['/approve/:id', 'post', '/approve/5'],
      ] as const) {
        should(await warnings(on('one', url, { method }))).eql([`/${url}`.replace('//', '/')]);
        should(await isServed(method.toUpperCase(), place)).be.false();
      }
      for (const [url, place] of [
        ['/approver', '/approver'],
        ['/approve/page/:id', '/approve/page/5'],
      ] as const) {
        should(await warnings(on('one', url))).eql([]);
        should(await isServed('GET', place)).be.true();
      }
      const elsewhere = [on('above', '/'), on('d', '/approve', { d: true })];
      should(await warnings(...elsewhere, on('off', '/approve', { z: 'off' }))).eql([]);
    });

    it('by another account: the one that was there first is served', async () => {
      const url = localPage();
      const seen = running().log.length;
      await running().deploy([
        account('door', { approverUrl: url }),
        account('garage', { approverUrl: url }),
        account('cellar', { approverPath: '/approve/cellar', approverUrl: `${url}/cellar` }),
        account('attic', { approverPath: '/approver', approverUrl: `${url}r` }),
      ]);
      const warnings = running()
        .log.slice(seen)
        .match(/Choose another “Page path” in the account: at \/approve(?:\/cellar)? .*"The door" answers/g);
      should(warnings).have.length(2);
      should(await check('door')).match({ ok: true });
      should(await check('attic')).match({ ok: true });
      should((await check('garage')).problems).eql([
        { code: 'pathTaken', why: 'account', path: '/approve', account: 'The door' },
      ]);
      should((await check('cellar')).problems[0]).match({ why: 'account', path: '/approve/cellar' });
      should(JSON.parse((await state(url)).text)).match({ account: 'The door' });
      should((await state(`${url}/cellar`)).status).not.equal(200);

      // Nobody is led to the page of another account.
      const problem = /^Choose another “Page path” in the account: .*"The door" answers/;
      const { accounts } = await people('accounts');
      should((accounts as { id: string }[]).find(({ id }) => id === 'garage')).match({ page: null, problem });
      const phoneNumber = '+13175550142';
      for (const [id, invited] of [
        ['door', { ok: true }],
        ['garage', { ok: false, message: problem }],
      ] as const) {
        const { person } = await people('add', { id, phoneNumber, email: 'ada@example.com' });
        const { authyId } = person as { authyId: string };
        should(await people('invite', { id, authyId })).match(invited);
      }

      // That the editor has something below a path, too, changes nothing.
      const ofEditor = {
        approverPath: '/auth/approve',
        approverUrl: url.replace('/approve', '/auth/approve'),
      };
      await running().deploy([account('door', ofEditor), account('garage', ofEditor)]);
      should((await check('door')).problems).match([{ why: 'editor' }]);
      const ofDoor = (await people('list', { id: 'door', search: '', from: 0 })) as {
        rows: { authyId: string }[];
      };
      should(await people('invite', { id: 'door', authyId: ofDoor.rows[0]?.authyId })).match({ ok: true });
      should((await check('garage')).problems).match([{ why: 'account', account: 'The door' }]);
      const { rows } = (await people('list', { id: 'garage', search: '', from: 0 })) as {
        rows: { authyId: string }[];
      };
      should(await people('invite', { id: 'garage', authyId: rows[0]?.authyId })).match({
        ok: false,
        code: 'AUTHY_BAD_CONFIG',
        message: /"The door" answers/,
      });

      // Whoever comes first has it, also if only that one was deployed; and the other says so, although nobody has touched it.
      const both = (doorPath: string): FlowNode[] => [
        account('door', { approverPath: doorPath, approverUrl: url }),
        account('garage', { approverUrl: url }),
      ];
      await running().deploy(both('/elsewhere'));
      should(await check('garage')).match({ ok: true });
      const before = running().log.length;
      await running().deploy(both('/approve'), 'nodes');
      should(JSON.parse((await state(url)).text)).match({ account: 'The door' });
      should(running().log.slice(before)).match(/“Page path” in the account: .*"The door" answers/);
      await running().deploy(both('/elsewhere'), 'nodes');
      should(JSON.parse((await state(url)).text)).match({ account: 'The garage' });

      // Once it is gone, the path is free.
      await running().deploy([account('garage', { approverUrl: url })]);
      should(await check('garage')).match({ ok: true });
      should(JSON.parse((await state(url)).text)).match({ account: 'The garage' });
    });
  });

  describe('two accounts at one path, through deploys', () => {
    const slowNodes = temporaryDirectory();
    fs.writeFileSync(
      path.join(slowNodes, 'slow.js'),
      `module.exports = (RED) => RED.nodes.registerType('slow', function (config) {
        RED.nodes.createNode(this, config);
        this.on('close', (done) => {
          if (config.name !== 'waits') done();
          else RED.httpAdmin.post('/slow', (request, response) => response.sendStatus(204) && done());
        });
      });`,
    );
    fs.writeFileSync(
      path.join(slowNodes, 'slow.html'),
      `<script type="text/javascript">RED.nodes.registerType('slow', { defaults: {}, category: 'function' });</script>`,
    );
    before(async function () {
      await start(this, { settings: { nodesDir: slowNodes } });
    });
    after(stop);

    /** Whose page answers; undefined if nobody's does. */
    async function owner(): Promise<unknown> {
      const { status, text } = await state(localPage());
      return status === 200 ? (JSON.parse(text) as { account: unknown }).account : undefined;
    }

    it('while the first one is started again, the other has nothing', async () => {
      const url = localPage();
      const on = (id: string, type: string, more: object): FlowNode => ({
        ...{ id, type, z: 'tab', x: 100, y: 100, wires: [], ...more },
      });
      const flows = (revision: string): FlowNode[] => [
        { id: 'tab', type: 'tab', label: 'invited' },
        account('door', { approverUrl: url, info: revision }),
        account('garage', { approverUrl: url }),
        on('stopped', 'slow', { name: revision }),
        on('in', 'http in', { method: 'get', url: '/invite/:authyId', wires: [['invite']] }),
        on('invite', 'authy-user-invite', {
          ...{ account: 'garage', authyId: 'req.params.authyId', authyIdType: 'msg', wires: [['out']] },
        }),
        on('caught', 'catch', { scope: ['invite'], wires: [['failed']] }),
        on('failed', 'function', {
          ...{ outputs: 1, wires: [['out']] },
          func: 'return { ...msg, statusCode: 409, payload: msg.error.message };',
        }),
        on('out', 'http response', {}),
      ];
      await running().deploy(flows('first').filter(({ id }) => id !== 'door'));
      const added = await people('add', { id: 'garage', phoneNumber: '+13175550142' });
      const { authyId } = added['person'] as { authyId: string };
      const invite = (): Promise<HttpAnswer> => send(`${running().nodeUrl}invite/${authyId}`, {});
      should((await invite()).status).equal(200);
      await running().deploy(flows('waits'));
      should(await owner()).equal('The door');
      const refused = { status: 409, text: /"The door" answers/ };
      should(await invite()).match(refused);

      const seen = running().log.length;
      const deployed = running().deploy(flows('last'), 'nodes');
      await eventually('the first one to be stopped', async () => (await owner()) === undefined || undefined);
      should(await invite()).match(refused);
      should(running().log.slice(seen)).not.containEql('Started');
      await running().post('slow', {});
      await deployed;
      should(await owner()).equal('The door');

      // Once it does not come back, the other one has it.
      await running().deploy(
        flows('last').filter(({ id }) => id !== 'door'),
        'nodes',
      );
      should(await owner()).equal('The garage');
      should((await invite()).status).equal(200);
    });

    it('the order in which the editor has the flows, which has references first, changes nothing', async () => {
      const url = localPage();
      const tls = { id: 'tls', type: 'tls-config', name: '' };
      const [one, two] = [
        account('one', { approverUrl: url, tls: 'tls' }),
        account('two', { approverUrl: url }),
      ];
      await running().deploy([one, two, tls]);
      const before = await owner();
      await running().deploy([two, tls, one], 'nodes');
      should(await owner()).equal(before);
      await running().deploy([two, tls, one]);
      should(await owner()).equal(before);
    });
  });

  for (const { version, executables } of runtimes) {
    it(`knows all paths of the editor and its API in Node-RED ${version}x`, async function () {
      const { node, red } = await executables(this);
      const script = fs.readFileSync(path.join(root, 'test', 'support', 'editor_paths.cjs'), 'utf8');
      const { stdout } = await promisify(execFile)(node, [
        '-e',
        script,
        path.dirname(red),
        temporaryDirectory(),
      ]);
      const found = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as string[];
      should(found).containEql('flows').and.containEql('red');
      // No path of a page has a dot, and the dashboard is another package of this repository.
      const others = found.filter((one) => !editorPaths.includes(one.toLowerCase()) && !one.includes('.'));
      should(others.filter((one) => one !== 'dashboard')).be.empty();
    });
  }
});
