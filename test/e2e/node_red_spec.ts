import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import should from 'should';
import { example, examples, nodeOf, recorded, recordKey, tabOf, titleOf } from '../support/example_flows';
import {
  packagesOfExamples,
  lastCode,
  playExample,
  type Played,
  sendForm as send,
  wrong,
} from '../support/example_player';
import {
  eventually,
  type FlowNode,
  NodeRed,
  type NodeRedOptions,
  packageName,
  root,
  type Runtime,
  runtimes,
} from '../support/node_red';
import { Phone } from '../support/phone';
import { ScriptedServer } from '../support/scripted_server';

const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
  'node-red': { nodes: Record<string, string>; plugins: Record<string, string> };
};
const sets = Object.keys(manifest['node-red'].nodes);
const apiKey = 'd57d919d11e6b221c9bf6f7c882028f9';

/** How each example asks on the phone of its simulator, by the name of a button in the flow. The one without waits for its page. */
const asking: Readonly<Record<string, string | undefined>> = {
  'First approval': 'ask Ada',
  'Garage door with approval': 'press it',
  'Approve on the phone (OneTouch)': 'ask to open the garage',
  'Approve before this (subflow)': 'open the garage',
  'Disarm the alarm from a dashboard': 'press it',
  'Admin action that waits for approval': undefined,
  'Two approvers (four eyes)': 'press it',
  'Errors and what to do about them': 'a person who can be asked',
  'Callback behind a reverse proxy': 'ask',
};

// The hash of "password", the password of both users.
const password = '$2a$08$zZWtXTja0fB1pzD4sHCMyOCMYz2Z6dNbM6tl8sJogENOMcxWV9DN.';
const behindAuthentication: NodeRedOptions = {
  settings: {
    httpAdminRoot: '/admin',
    httpNodeRoot: '/api',
    adminAuth: {
      type: 'credentials',
      users: [
        { username: 'owner', password, permissions: '*' },
        { username: 'guest', password, permissions: 'read' },
      ],
    },
  },
  user: { username: 'owner', password: 'password' },
};

const [current, next] = runtimes as [Runtime, Runtime];
describeNodeRed(current, 'as it comes', {});
describeNodeRed(next, 'at other roots, behind authentication', behindAuthentication);

function describeNodeRed(runtime: Runtime, how: string, options: NodeRedOptions): void {
  describe(`the packed package in Node-RED ${runtime.version}x, ${how}`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;

    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      nodeRed = await NodeRed.start(this, runtime, {
        ...options,
        env: { TEST_AUTHY_KEY: apiKey },
        packages: packagesOfExamples,
      });
    });

    after(async () => {
      // Undefined where it was skipped.
      await (nodeRed as NodeRed | undefined)?.stop();
    });

    const play = (name: string, change?: (node: FlowNode) => FlowNode): Promise<Played> =>
      playExample(nodeRed, name, change);

    describe('what is installed', () => {
      it('loads every node set, each without an error', async () => {
        const module = (await nodeRed.get(`nodes/${packageName}`)) as {
          version: string;
          nodes: { name: string; types: string[]; enabled: boolean; err?: unknown }[];
        };
        module.version.should.equal(manifest.version);
        module.nodes
          .map(({ name, types, enabled, err }) => ({ name, types, enabled, err }))
          .should.deepEqual(sets.map((name) => ({ name, types: [name], enabled: true, err: undefined })));
      });

      it('loads the plugin of the panels', async () => {
        const plugins = (await nodeRed.get('plugins')) as { id: string; enabled: boolean; err?: unknown }[];
        plugins
          .filter(({ id }) => id.startsWith(packageName))
          .map(({ id, enabled, err }) => ({ id, enabled, err }))
          .should.deepEqual(
            Object.keys(manifest['node-red'].plugins).map((name) => ({
              id: `${packageName}/${name}`,
              enabled: true,
              err: undefined,
            })),
          );
      });

      it('serves its icons', async () => {
        const icons = (await nodeRed.get('icons')) as Record<string, string[] | undefined>;
        const ours = icons[packageName] ?? [];
        ours.should.not.be.empty();
        for (const icon of ours) {
          const response = await nodeRed.request(`icons/${packageName}/${icon}`);
          response.status.should.equal(200, icon);
          should(response.headers.get('content-type')).startWith('image/svg+xml');
          (await response.text()).should.containEql('<svg');
        }
      });

      it('serves the texts of every node set', async () => {
        const texts = (await nodeRed.get('nodes/messages?lng=en-US')) as Record<string, object | undefined>;
        for (const name of sets) {
          should(texts[`${packageName}/${name}`]).be.an.Object();
          Object.keys(texts[`${packageName}/${name}`] ?? {}).should.not.be.empty();
        }
        // The editor does not use the simulator's texts.
        const ours = Object.keys(texts).filter((name) => name.startsWith(`${packageName}/`));
        ours.sort().should.deepEqual(sets.map((name) => `${packageName}/${name}`).sort());
      });

      it('serves the help of every node set', async () => {
        const panels = await (
          await nodeRed.request('nodes', { headers: { accept: 'text/html', 'accept-language': 'en-US' } })
        ).text();
        for (const name of sets) {
          panels.should.match(new RegExp(`data-help-name="${name}"`), `help of ${name}`);
        }
      });

      it('offers its examples', async () => {
        const offered = (await nodeRed.get(`library/examples/flows/${packageName}`)) as { fn: string }[];
        offered
          .map(({ fn }) => fn)
          .sort()
          .should.deepEqual([...examples().keys()].sort());
        for (const { fn } of offered) {
          const served = await nodeRed.request(
            `library/examples/flows/${packageName}/${encodeURIComponent(fn)}`,
          );
          (JSON.parse(await served.text()) as object).should.deepEqual(examples().get(fn));
        }
      });
    });

    describe('the examples', () => {
      it('run side by side, with every node type of the package and no unknown one', async () => {
        const all = [...examples().values()].flat();
        new Set(all.map(({ id }) => id)).size.should.equal(all.length);
        // Resolves only if no node type is missing.
        await nodeRed.deploy(all);
        const types = new Set(all.map(({ type }) => type));
        sets.filter((type) => !types.has(type)).should.deepEqual([]);
        const simulated = all.filter((node) => node.type === 'authy-config' && node['simulated'] === true);
        should(simulated).not.be.empty();
        for (const { id } of simulated) {
          const page = await eventually('the phone page', async () => {
            const response = await nodeRed.request(`authy-simulator/${id}/phone/`);
            return response.status === 200 ? response : undefined;
          });
          should(page.headers.get('content-type')).startWith('text/html');
        }
      });

      it('played side by side, each gets its own callbacks or none, and nobody rejects one', async () => {
        const asks = ({ type }: FlowNode): boolean =>
          type === 'authy-onetouch-approval' || type === 'authy-onetouch-send';
        const played = [...examples()].filter(
          ([, nodes]) => nodes.some(asks) && nodes.some((node) => node['simulated'] === true),
        );
        played.map(([name]) => titleOf(name)).should.deepEqual(Object.keys(asking));
        await nodeRed.deploy([]);
        await nodeRed.deploy([...examples().values()].flat());
        const logged = nodeRed.log.length;
        const waiting = fetch(`${nodeRed.nodeUrl}admin/restart`, { method: 'POST' });
        for (const [name, nodes] of played) {
          const button = asking[titleOf(name)];
          if (button !== undefined) await nodeRed.inject(nodeOf(nodes, 'inject', button).id);
        }
        for (const [name, nodes] of played) {
          const phone = new Phone(nodeRed, nodeOf(nodes, 'authy-config').id);
          const asked = await eventually(`the requests of ${name}`, async () => {
            const found = await phone.approvals();
            return found.length === nodes.filter(asks).length ? found : undefined;
          });
          for (const { uuid } of asked) await phone.answer(uuid, 'approve');
          for (const { callback } of await phone.approvals()) {
            if (callback?.failure !== 'missing') should(callback).containEql({ status: 200 });
          }
        }
        (await waiting).status.should.equal(200);
        // One example shows on purpose what a wrong setting does.
        const rejected = nodeRed.log
          .slice(logged)
          .split('\n')
          .filter((line) => line.includes('callback rejected') && !line.includes(':knows nothing]'));
        rejected.should.deepEqual([]);
      });

      describe('the subflow “Approve before this”', () => {
        const title = 'Approve before this (subflow)';
        const instance = example(title).find(({ type }) => type.startsWith('subflow:')) as FlowNode;

        for (const [answer, output] of [
          ['approve', 0],
          ['deny', 1],
        ] as const) {
          it(`${answer}: what waited goes on by output ${output + 1}, with the payload that it had`, async () => {
            const { phone, press, pending, left, unexpected } = await play(title);
            await press('open the garage');
            const { uuid, message } = await pending();
            message.should.equal('Open the garage?');
            await phone.answer(uuid, answer);
            (await left(instance.type, output)).should.equal('garage');
            (await unexpected()).should.deepEqual([]);
          });
        }

        for (const [why, wrong] of [
          ['somebody who does not exist', { name: 'AUTHY_ID', type: 'str', value: 'nobody' }],
          ['no account', { name: 'ACCOUNT', type: 'conf-type', value: '' }],
        ] as const) {
          it(`an error is not approved: ${why}`, async () => {
            const { phone, press, left, unexpected } = await play(title, (node) => {
              if (node.id !== instance.id) return node;
              const kept = (node['env'] as { name: string }[]).filter(({ name }) => name !== wrong.name);
              return { ...node, env: [...kept, wrong] };
            });
            await press('open the garage');
            (await left(instance.type, 1)).should.equal('garage');
            (await phone.approvals()).should.deepEqual([]);
            (await unexpected()).should.deepEqual([]);
          });
        }

        it('an error in it says where what is missing is entered', async () => {
          const flows = example(title)
            // Otherwise the error goes no further.
            .filter(({ type }) => type !== 'catch')
            .map((node) => {
              const env = (node['env'] ?? []) as { name: string }[];
              const change = (one: { name: string }): object =>
                one.name === 'EMAIL' ? { ...one, value: '' } : one;
              return node.id === instance.id || node.type === 'subflow'
                ? { ...node, env: env.map(change) }
                : node;
            });
          const seen = nodeRed.log.length;
          await nodeRed.deploy(flows);
          await nodeRed.inject(nodeOf(flows, 'inject', 'open the garage').id);
          await eventually('the error', () =>
            nodeRed.log
              .slice(seen)
              .includes('EMAIL is missing. Enter it in the properties of the subflow’s node')
              ? true
              : undefined,
          );
        });
      });

      for (const { answer, output, status } of [
        { answer: 'approve', output: 0, status: 'approved' },
        { answer: 'deny', output: 1, status: 'denied' },
      ] as const) {
        it(`an approval that the phone answers with "${answer}" comes back as ${status}`, async () => {
          const { phone, press, left, unexpected } = await play('Approve on the phone (OneTouch)');
          await press('ask to open the garage');
          const created = (await left('authy-user-create')) as { authyId: string };
          const { approvalId } = (await left('authy-onetouch-send')) as { approvalId: string };

          await press('look at the last one');
          (await left('authy-onetouch-status', 2)).should.containEql({ approvalId, status: 'pending' });

          const request = (await phone.approvals()).find(({ uuid }) => uuid === approvalId);
          should(request).containEql({ status: 'pending', message: 'Open the garage?' });
          await phone.answer(approvalId, answer);
          (await left('authy-onetouch-callback', output)).should.containDeep({
            status,
            approvalId,
            authyId: created.authyId,
            message: 'Open the garage?',
          });

          await press('look at the last one');
          (await left('authy-onetouch-status', output)).should.containEql({ approvalId, status });
          (await unexpected()).should.deepEqual([]);
        });
      }

      for (const { answer, output, decision, state } of [
        {
          answer: 'approve',
          output: 0,
          decision: 'approved',
          state: { door: 'open', step: 'approved', note: 'Ada said yes. It closes by itself.' },
        },
        {
          answer: 'deny',
          output: 1,
          decision: 'denied',
          state: { door: 'closed', step: 'denied', note: 'Denied: Ada said no.' },
        },
      ] as const) {
        it(`the garage's dashboard asks, and shows that the phone's answer is "${answer}"`, async () => {
          // The door must stay open during the test.
          const { phone, pending, left, unexpected } = await play('Garage door with approval', (node) =>
            node.type === 'trigger' ? { ...node, duration: '1', units: 'hr' } : node,
          );
          await garageIs({ door: 'closed' });
          (await askForGarage()).should.equal(202);
          const { authyId } = (await left('authy-user-create')) as { authyId: string };
          const asked = (await left('authy-onetouch-approval', 3)) as { approvalId: string };
          asked.should.containEql({ event: 'requested', authyId, waiting: 1 });
          const { approvalId } = asked;
          await garageIs({
            door: 'closed',
            step: 'asking',
            note: 'Waiting for Ada’s answer…',
          });

          (await pending()).should.containEql({ uuid: approvalId, message: 'Open the garage?' });
          await phone.answer(approvalId, answer);
          const decided = await left('authy-onetouch-approval', output);
          decided.should.containEql({ decision, reason: null, approvalId, authyId });
          (await left('authy-onetouch-approval', 3)).should.containEql({
            event: 'decided',
            decision,
            approvalId,
            waiting: 0,
          });
          (await left('authy-onetouch-callback', output)).should.containEql({ status: decision, approvalId });
          await garageIs(state);
          (await unexpected()).should.deepEqual([]);
        });
      }

      it('the garage closes again by itself', async () => {
        const { phone, press, pending } = await play('Garage door with approval', (node) =>
          node.type === 'trigger' ? { ...node, duration: '50', units: 'ms' } : node,
        );
        await press('press it');
        await phone.answer((await pending()).uuid, 'approve');
        await garageIs({ door: 'closed', step: '', note: 'It closed again by itself.' });
      });

      it('the dashboard says that nobody answered', async () => {
        const { left } = await play('Garage door with approval', (node) =>
          node.type === 'authy-onetouch-approval' ? { ...node, timeout: '1' } : node,
        );
        (await askForGarage()).should.equal(202);
        (await left('authy-onetouch-approval', 2)).should.containEql({ decision: 'expired' });
        await garageIs({ door: 'closed', step: 'expired', note: 'Nobody answered in time.' });
      });

      it('the garage says why nobody could be asked', async () => {
        await play('Garage door with approval', (node) =>
          node.type === 'authy-onetouch-approval' ? { ...node, account: '' } : node,
        );
        (await askForGarage()).should.equal(202);
        const state = await eventually('the error on the dashboard', async () => {
          const { step, note } = await garage();
          return step === 'error' ? note : undefined;
        });
        state.should.startWith('Open the node and choose an account');
      });

      for (const { answer, output, decision, page } of [
        { answer: 'approve', output: 0, decision: 'approved', page: [200, 'Done'] },
        { answer: 'deny', output: 1, decision: 'denied', page: [403, 'Denied'] },
      ] as const) {
        it(`an admin's request waits until the phone answers "${answer}"`, async () => {
          const { phone, pending, left, unexpected } = await play('Admin action that waits for approval');
          const form = await fetch(`${nodeRed.nodeUrl}admin/restart`);
          (await form.text()).should.containEql('<form method="post"');

          const request = restart();
          const { uuid, message } = await pending();
          message.should.equal('Restart the server?');
          request.isAnswered.should.be.false();
          await phone.answer(uuid, answer);
          (await request.page).should.deepEqual(page);
          const { authyId } = (await left('authy-user-create')) as { authyId: string };
          (await left('authy-onetouch-approval', output)).should.containEql({
            decision,
            approvalId: uuid,
            authyId,
            decidedBy: 'polling',
          });
          (await unexpected()).should.deepEqual([]);
        });
      }

      it('an admin is told that nobody answered', async () => {
        const { left } = await play('Admin action that waits for approval', (node) =>
          node.type === 'authy-onetouch-approval' ? { ...node, timeout: '1' } : node,
        );
        (await restart().page).should.deepEqual([504, 'Nobody answered']);
        (await left('authy-onetouch-approval', 2)).should.containEql({ decision: 'expired' });
      });

      it('an admin who asks too often is refused, and an admin whose question is withdrawn is told so', async () => {
        const seen = nodeRed.log.length;
        const { press, pending, left, unexpected } = await play(
          'Admin action that waits for approval',
          (node) => (node.type === 'authy-onetouch-approval' ? { ...node, maxOpen: 1 } : node),
        );
        const first = restart();
        await pending();
        (await restart().page).should.deepEqual([429, 'That did not work']);
        (await left('catch')).should.containDeep({ code: 'AUTHY_OPEN_LIMIT' });

        first.isAnswered.should.be.false();
        await press('withdraw');
        (await first.page).should.deepEqual([409, 'Withdrawn']);
        await left('authy-user-create');
        (await unexpected()).should.deepEqual([]);
        nodeRed.log.slice(seen).should.not.match(/no response object/i);
      });

      it('a callback without a signature is answered 403 and decides nothing', async () => {
        const { left, unexpected } = await play('Approve on the phone (OneTouch)');
        const response = await fetch(`${nodeRed.nodeUrl}authy/callback`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ uuid: '4a725520-bff5-0135-eb01-0e5d90336a8c', status: 'approved' }),
        });
        response.status.should.equal(403);
        (await left('authy-onetouch-callback', 2)).should.deepEqual({ error: 'Forbidden' });
        (await unexpected()).should.deepEqual([]);
      });

      for (const [inject, type, via] of [
        ['by text message', 'authy-token-sms', 'sms'],
        ['by phone call', 'authy-token-call', 'call'],
        ['by e-mail', 'authy-token-email', 'email'],
      ] as const) {
        it(`a code sent ${inject} is valid once, another one is not`, async () => {
          const { phone, press, left, unexpected } = await play('Code by SMS and verify');
          await press(inject);
          const { authyId } = (await left('authy-user-create')) as { authyId: string };
          (await left(type)).should.containEql({ authyId, sent: true });
          const code = await lastCode(phone, via);

          const page = await fetch(`${nodeRed.nodeUrl}authy/code`);
          (await page.text()).should.containEql('name="code"');
          (await typeIn('authy/code', wrong(code))).should.deepEqual([200, 'Not right']);
          (await left('authy-token-verify', 1)).should.containEql({ valid: false, reason: 'wrong' });
          (await typeIn('authy/code', ` ${code}\r\n`)).should.deepEqual([200, 'Welcome']);
          (await left('authy-token-verify', 0)).should.containEql({ authyId, valid: true });
          (await typeIn('authy/code', code)).should.deepEqual([200, 'Not right']);
          (await left('authy-token-verify', 1)).should.containEql({ valid: false });
          (await unexpected()).should.deepEqual([]);
        });
      }

      it('a code in the wrong format is an error that the page and the catch node see', async () => {
        const { press, left } = await play('Code by SMS and verify');
        await press('by text message');
        await left('authy-token-sms');
        (await typeIn('authy/code', '12 34')).should.deepEqual([400, 'Not checked']);
        const flows = example('Code by SMS and verify');
        const error = await nodeRed.flowContext(
          tabOf(flows),
          recordKey(nodeOf(flows, 'catch', 'whatever goes wrong')),
        );
        should(error).containDeep({ code: 'AUTHY_INVALID_INPUT', source: { type: 'authy-token-verify' } });
      });

      it('a user is created, read, changed and deleted', async () => {
        const { press, left, unexpected } = await play('Manage users');
        await press('create the user');
        const { authyId } = (await left('authy-user-create')) as { authyId: string };
        await press('create the user');
        (await left('authy-user-create')).should.containEql({ authyId });
        await press('what is known of the user');
        (await left('authy-user-status')).should.containEql({ authyId });
        await press('change the e-mail address');
        (await left('authy-user-update')).should.deepEqual({ authyId, email: 'ada@example.org' });
        await press('QR code for an app');
        (await left('authy-user-qr')).should.containEql({ authyId, label: 'Garage' });
        await press('report a password reset');
        (await left('authy-user-activity')).should.deepEqual({ authyId, activity: 'password_reset' });
        await press('delete the user');
        (await left('authy-user-delete')).should.deepEqual({ authyId, deleted: true });
        (await unexpected()).should.deepEqual([]);

        await press('what is known of the user');
        (await left('catch')).should.containDeep({ code: 'AUTHY_USER_NOT_FOUND' });
      });

      it('the application is read', async () => {
        const { press, left, unexpected } = await play('Application details and statistics');
        await press('what is the application?');
        (await left('authy-app-details')).should.have.properties(['appId', 'name', 'plan']);
        await press('how much is it used?');
        (await left('authy-app-stats')).should.have.properties(['totalUsers', 'months']);
        (await unexpected()).should.deepEqual([]);
      });
    });

    describe('the account', () => {
      it('takes its API key from the environment', async () => {
        const authy = await new ScriptedServer().start();
        try {
          authy.script({ status: 200, json: { success: true, message: 'ok', app: { name: 'Real' } } });
          const flows = recorded(example('Application details and statistics')).map((node) =>
            node.type === 'authy-config'
              ? {
                  ...node,
                  service: 'authy',
                  simulated: false,
                  baseUrl: authy.url,
                  credentials: { apiKey: '${TEST_AUTHY_KEY}' },
                }
              : node,
          );
          await nodeRed.deploy(flows);
          await nodeRed.inject(nodeOf(flows, 'inject', 'what is the application?').id);
          const result = await nodeRed.flowContext(
            tabOf(flows),
            recordKey(nodeOf(flows, 'authy-app-details')),
          );
          should(result).containEql({ name: 'Real' });
          authy.seen
            .map(({ url, headers }) => [url, headers['x-authy-api-key']])
            .should.deepEqual([['/protected/json/app/details', apiKey]]);
          const credentials = await nodeRed.get(
            `credentials/authy-config/${nodeOf(flows, 'authy-config').id}`,
          );
          should(credentials).containEql({ has_apiKey: true });
          should(credentials).not.have.property('apiKey');
        } finally {
          await authy.stop();
        }
      });

      it('is required: a node without one raises an error', async () => {
        const flows = recorded(example('Application details and statistics')).map((node) =>
          node.type === 'authy-app-details' ? { ...node, account: '' } : node,
        );
        await nodeRed.deploy(flows);
        await nodeRed.inject(nodeOf(flows, 'inject', 'what is the application?').id);
        const error = await nodeRed.flowContext(tabOf(flows), recordKey(nodeOf(flows, 'catch')));
        should(error).containDeep({ code: 'AUTHY_NO_ACCOUNT', source: { type: 'authy-app-details' } });
      });
    });

    if (options.user !== undefined) describeAuthentication(() => nodeRed);

    /** Presses the dashboard's button; returns the HTTP status of the answer. */
    async function askForGarage(): Promise<number> {
      const response = await fetch(`${nodeRed.nodeUrl}garage/open`, { method: 'POST' });
      await response.body?.cancel();
      return response.status;
    }

    /** The state that is sent to the dashboard. */
    async function garage(): Promise<{ door?: string; step?: string; note?: string }> {
      const response = await fetch(`${nodeRed.nodeUrl}garage/state`);
      response.status.should.equal(200);
      return response.json() as Promise<object>;
    }

    async function garageIs(state: object): Promise<void> {
      let last: object = {};
      await eventually(`the dashboard to get ${JSON.stringify(state)}`, async () => {
        last = await garage();
        return isDeepStrictEqual(last, state) || undefined;
      }).catch((error: unknown) => {
        throw new Error(`${(error as Error).message} The last state was ${JSON.stringify(last)}.`);
      });
    }

    /** Sends the admin's form, which is answered once the phone has answered. */
    function restart(): { isAnswered: boolean; page: Promise<[number, string | undefined]> } {
      const request = { isAnswered: false, page: send(`${nodeRed.nodeUrl}admin/restart`) };
      request.page.then(
        () => (request.isAnswered = true),
        () => (request.isAnswered = true),
      );
      return request;
    }

    /** Posts a code by the form of an example's page. */
    function typeIn(route: string, code: string): Promise<[number, string | undefined]> {
      return send(nodeRed.nodeUrl + route, { code });
    }
  });
}

function describeAuthentication(started: () => NodeRed): void {
  describe('the simulator behind authentication', () => {
    let flows: FlowNode[];
    let route: string;

    before(async () => {
      flows = example('Approve on the phone (OneTouch)');
      await started().deploy(flows);
      route = `authy-simulator/${nodeOf(flows, 'authy-config').id}`;
    });

    const answer = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };

    it('serves the empty page to anyone, but none of the data it shows', async () => {
      const { adminUrl } = started();
      (await fetch(`${adminUrl}${route}/phone/`)).status.should.equal(200);
      for (const path of ['messages', 'approvals', 'users', 'faults']) {
        (await fetch(`${adminUrl}${route}/${path}`)).status.should.equal(401, path);
      }
      const uuid = '4a725520-bff5-0135-eb01-0e5d90336a8c';
      (await fetch(`${adminUrl}${route}/approvals/${uuid}`, answer)).status.should.equal(401);
      (await fetch(`${adminUrl}authy-config/test`, answer)).status.should.equal(401);
    });

    it('lets users with read permission read, but change nothing', async () => {
      const nodeRed = started();
      const guest = await nodeRed.signedInAs({ username: 'guest', password: 'password' });
      (await guest.request(`${route}/approvals`)).status.should.equal(200);
      (await nodeRed.request(`${route}/approvals`)).status.should.equal(200);

      await nodeRed.inject(nodeOf(flows, 'inject', 'ask to open the garage').id);
      const phone = new Phone(nodeRed, nodeOf(flows, 'authy-config').id);
      const { uuid } = await eventually('the request', async () =>
        (await phone.approvals()).find(({ status }) => status === 'pending'),
      );
      const approve = { ...answer, body: '{"answer":"approve"}' };
      (await guest.request(`${route}/approvals/${uuid}`, approve)).status.should.equal(401);
      (await phone.approvals()).should.matchAny({ uuid, status: 'pending' });
      (await guest.request('authy-config/test', answer)).status.should.equal(401);
      await phone.answer(uuid, 'approve');
    });
  });
}
