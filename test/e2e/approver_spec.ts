import type { Browser } from 'playwright-core';
import should from 'should';
import { approvalGate } from '../support/approval_gate';
import { ApproverPage } from '../support/approver_page';
import { startBrowser } from '../support/editor';
import { eventually, type FlowNode, NodeRed, runtimes } from '../support/node_red';
import { newNode } from '../support/operation_nodes';

/**
 * A flow that asks people on this Node-RED's own page, at the address that it has without any setting:
 *
 * - `POST /user` creates a user; `POST /invite {authyId}` answers with an invitation
 * - `POST /ask {authyId, message, timeout}` is answered with what the gate decides, or with the code of its error
 * - `GET /told` gives what the notifications node has handed on
 */
function flow(): FlowNode[] {
  const node = (id: string, type: string, wires: string[][], properties: object = {}): FlowNode => ({
    ...{ id, type, z: 'tab', x: 100, y: 100, wires },
    ...properties,
  });
  const route = (url: string, wires: string[], method = 'post'): FlowNode =>
    node(url, 'http in', [wires], { url: `/${url}`, method, upload: false });
  const spread = (id: string, wires: string[], names: readonly string[]): FlowNode =>
    node(id, 'change', [wires], {
      rules: names.map((name) => ({ t: 'set', p: name, pt: 'msg', to: `payload.${name}`, tot: 'msg' })),
    });
  return [
    { id: 'tab', type: 'tab', label: 'Garage' },
    {
      ...{ id: 'account', type: 'authy-config', version: 2, name: 'Front door', service: 'local' },
      approvalStore: 'files',
    },
    route('user', ['readUser']),
    spread('readUser', ['create'], ['email', 'phoneNumber', 'countryCode']),
    node('create', 'authy-user-create', [['answer']], { ...newNode('userCreate'), id: 'create' }),
    route('invite', ['readInvite']),
    spread('readInvite', ['inviting'], ['authyId']),
    node('inviting', 'authy-user-invite', [['answer']], { ...newNode('userInvite'), id: 'inviting' }),
    route('ask', ['readAsk']),
    spread('readAsk', ['gate'], ['authyId', 'message', 'timeout']),
    node('gate', 'authy-onetouch-approval', [['answer'], ['answer'], ['answer']], {
      ...approvalGate,
      ...{ message: 'message', messageType: 'msg', timeout: 'timeout', timeoutType: 'msg' },
    }),
    node('answer', 'http response', []),
    node('catch', 'catch', [['failed']], { scope: null }),
    node('failed', 'change', [['answer']], {
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '{"error": error.code}', tot: 'jsonata' }],
    }),
    node('notifications', 'authy-notifications', [['note']], { account: 'account' }),
    node('note', 'change', [[]], {
      rules: [
        {
          ...{ t: 'set', p: 'told', pt: 'flow' },
          ...{ to: '$append($flowContext("told"), [{"topic": topic, "payload": payload}])', tot: 'jsonata' },
        },
      ],
    }),
    route('told', ['readTold'], 'get'),
    node('readTold', 'change', [['answer']], {
      rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'told', tot: 'flow' }],
    }),
  ];
}

interface Told {
  readonly topic: string;
  readonly payload: { readonly url?: string; readonly text: string };
}

for (const runtime of runtimes)
  describe(`people answer on their phones in Node-RED ${runtime.version}x`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let browser: Browser;
    let authyId: string;
    const open: ApproverPage[] = [];
    let people = 0;

    before(async function () {
      this.timeout(600_000);
      browser = await startBrowser(this);
      nodeRed = await NodeRed.start(this, runtime);
      await nodeRed.deploy(flow());
    });
    after(async () => {
      await (browser as Browser | undefined)?.close();
      await (nodeRed as NodeRed | undefined)?.stop();
    });
    beforeEach(async () => {
      people += 1;
      const phoneNumber = `+1317555${String(1000 + people)}`;
      const user = await post('user', { email: 'ada@example.com', phoneNumber });
      authyId = String(user['authyId']);
    });
    afterEach(async () => {
      const complaints = open.flatMap((phone) => phone.complaints);
      await Promise.all(open.splice(0).map((phone) => phone.close()));
      should(complaints).eql([]);
    });

    async function post(route: string, body: object): Promise<Record<string, unknown>> {
      const response = await fetch(nodeRed.nodeUrl + route, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await response.json()) as Record<string, unknown>;
    }

    const ask = (message: string, timeout = 60): Promise<Record<string, unknown>> =>
      post('ask', { authyId, message, timeout });

    /** What the flow was told last, of a kind and about something. */
    async function told(topic: string, about: string): Promise<Told> {
      return eventually(`somebody to be told of: ${topic}`, async () => {
        const all = (await (await fetch(`${nodeRed.nodeUrl}told`)).json()) as Told[];
        return all.find((one) => one.topic === topic && one.payload.text.includes(about));
      });
    }

    /** A phone that was added by an invitation. */
    async function enrolled(name: string): Promise<ApproverPage & { recoveryCodes?: string[] }> {
      const phone = await ApproverPage.of(browser);
      open.push(phone);
      const { url } = await post('invite', { authyId });
      const { number, recoveryCodes } = await phone.enrol(String(url), name);
      should(number).match(/^[0-9]{2}$/);
      return Object.assign(phone, { recoveryCodes });
    }

    it('approve, deny, not me: each leaves by its output, and the page remembers it', async () => {
      const phone = await enrolled('Ada’s phone');
      const approved = ask('Open the garage?');
      await phone.approve('Open the garage?');
      should(await approved).match({
        decision: 'approved',
        authyId,
        device: { name: 'Ada’s phone', grade: 'passkey' },
      });
      const denied = ask('Turn off the alarm?');
      await phone.deny('Turn off the alarm?');
      should(await denied).match({ decision: 'denied' });
      const notMe = ask('Unlock the safe?');
      await phone.notMe('Unlock the safe?');
      should(await notMe).match({ decision: 'denied' });
      await told('warning', 'Unlock the safe?');
      should(await ask('Once more?')).eql({ error: 'AUTHY_USER_UNAVAILABLE' });
      const [first, second, third] = await phone.history();
      should(first).match(/not you[\s\S]*Unlock the safe\?/);
      should(second).match(/Denied[\s\S]*Turn off the alarm\?/);
      should(third).match(/Approved[\s\S]*Open the garage\?/);
    });

    it('the link of a notification leads to the request; a stranger who opens it sees nothing', async () => {
      const phone = await enrolled('Phone');
      const decided = ask('Let the courier in?');
      const { payload } = await told('approval', 'Let the courier in?');
      const stranger = await ApproverPage.of(browser);
      open.push(stranger);
      await stranger.page.goto(payload.url ?? '');
      await stranger.page.getByRole('button', { name: 'Sign in with passkey' }).waitFor();
      should(await stranger.page.content()).not.containEql('courier');
      await phone.page.goto(payload.url ?? '');
      await phone.approve('Let the courier in?');
      should(await decided).match({ decision: 'approved' });
    });

    it('nobody answers: it expires, on the page as well', async () => {
      const phone = await enrolled('Phone');
      const decided = ask('Quickly?', 6);
      await phone.request('Quickly?').waitFor();
      should(await decided).match({ decision: 'expired', reason: 'noAnswer' });
      await phone.page.getByText('Nothing to approve').waitFor();
      should((await phone.history())[0]).match(/Expired/);
    });

    it('a second phone sees what the first has answered; a phone that was removed is signed out', async () => {
      const [one, other] = [await enrolled('One'), await enrolled('Other')];
      await told('warning', 'Other');
      const decided = ask('Which one?');
      await one.request('Which one?').waitFor();
      await other.deny('Which one?');
      should(await decided).match({ decision: 'denied', device: { name: 'Other' } });
      await one.page.getByText('Nothing to approve').waitFor();
      await one.page.getByRole('link', { name: 'This phone' }).click();
      await one.page.getByRole('button', { name: 'Remove this phone' }).click();
      await one.page.getByRole('button', { name: 'Remove', exact: true }).click();
      await one.page.getByRole('button', { name: 'Sign in with passkey' }).click();
      await one.page.getByRole('alert').filter({ hasText: /\S/ }).first().waitFor();
      const again = ask('And now?');
      await other.approve('And now?');
      should(await again).match({ decision: 'approved', device: { name: 'Other' } });
    });

    it('who signs out comes back by the passkey; who has lost the phone, by a recovery code', async () => {
      const phone = await enrolled('Old phone');
      await phone.page.getByRole('link', { name: 'This phone' }).click();
      await phone.page.getByRole('button', { name: 'Sign out' }).click();
      await phone.page.getByRole('button', { name: 'Sign in with passkey' }).click();
      await phone.page.getByRole('link', { name: 'Requests' }).click();
      await phone.page.getByText('Nothing to approve').waitFor();

      const fresh = await ApproverPage.of(browser);
      open.push(fresh);
      await fresh.page.goto(`${nodeRed.nodeUrl.replace('127.0.0.1', 'localhost')}approve/`);
      await fresh.page.getByText('I have lost my phone').click();
      await fresh.page.getByLabel('Your phone number').fill(`+1317555${String(1000 + people)}`);
      await fresh.page.getByLabel('Recovery code').fill(phone.recoveryCodes?.[0] ?? '');
      await fresh.page.getByRole('button', { name: 'Use the recovery code' }).click();
      await fresh.page.locator('#enrolment').getByLabel('Name of this phone').fill('New phone');
      await fresh.page.getByRole('button', { name: 'Create a passkey' }).click();
      const { recoveryCodes } = await fresh.enrolled();
      should(recoveryCodes).eql([]);
      const decided = ask('New one?');
      await fresh.approve('New one?');
      should(await decided).match({ decision: 'approved', device: { name: 'New phone' } });
    });

    it('the same flow goes on with the simulator of Authy, and back, without a change of any node', async () => {
      const phone = await enrolled('Phone');
      const onAuthy = { service: 'authy', simulated: true };
      await nodeRed.deploy(flow().map((node) => (node.id === 'account' ? { ...node, ...onAuthy } : node)));
      const here = authyId;
      const phoneNumber = `+1317555${String(1000 + people)}`;
      authyId = String((await post('user', { email: 'ada@example.com', phoneNumber }))['authyId']);
      const simulated = ask('By the simulator?');
      const [request] = await eventually('the simulated phone to be asked', async () => {
        const { approvals } = (await nodeRed.get('authy-simulator/account/approvals')) as {
          approvals: { uuid: string; status: string }[];
        };
        const open = approvals.filter(({ status }) => status === 'pending');
        return open.length > 0 ? open : undefined;
      });
      await nodeRed.post(`authy-simulator/account/approvals/${request?.uuid}`, { answer: 'approve' });
      should(await simulated).match({ decision: 'approved' });
      await nodeRed.deploy(flow());
      authyId = here;
      const decided = ask('And back?');
      await phone.approve('And back?');
      should(await decided).match({ decision: 'approved', device: { name: 'Phone' } });
    });

    it('can be put on the home screen', async () => {
      const phone = await enrolled('Phone');
      const devtools = await phone.context.newCDPSession(phone.page);
      const { errors, data, url } = await devtools.send('Page.getAppManifest');
      should(errors).eql([]);
      should(url).match(/\/approve\/manifest\.webmanifest$/);
      should(JSON.parse(data ?? '')).match({ name: 'Front door', display: 'standalone' });
      const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
      // A private window installs nothing.
      should(installabilityErrors.map(({ errorId }) => errorId)).eql(['in-incognito']);
    });
  });
