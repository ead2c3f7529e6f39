import type { Locator } from 'playwright-core';
import should from 'should';
import { type Editor, EditorSuite, type EditorWindow } from '../support/editor';
import { eventually, type FlowNode, runtimes } from '../support/node_red';
import { Phone } from '../support/phone';

const accountOf = (id: string, name: string, more: object = {}): FlowNode => ({
  ...{ id, type: 'authy-config', version: 3, name, service: 'local', approvalStore: 'files' },
  ...{ approverUrl: 'http://door.test/approve', callbackUrl: '', ...more },
});

const gateOf = (id: string, account: string, more: object = {}): FlowNode & { z: string } => ({
  ...{ id, type: 'authy-onetouch-approval', z: 'tab', x: 200, y: 100, wires: [], account },
  ...{ authyId: 'authyId', message: 'Is it you?', timeout: '300', ...more },
});

const door = accountOf('door', 'Front door');
const garage = accountOf('garage', 'Garage');
const simulated = accountOf('simulated', 'Tried', { service: 'authy', simulated: true });
const gate = gateOf('gate', 'door');

const tab: FlowNode = { id: 'tab', type: 'tab', label: 'asked' };

for (const runtime of runtimes) {
  describe(`from a gate to the people of its account, in Node-RED ${runtime.version}x`, function () {
    this.timeout(60_000);
    const suite = new EditorSuite(runtime);
    let editor: Editor;

    /** Deploys nodes beside the tab, and opens the editor. */
    async function open(...nodes: FlowNode[]): Promise<void> {
      await suite.nodeRed.deploy([tab, ...nodes]);
      editor = await suite.open('ask-now');
    }

    /** Adds a person to a running account. @returns their Authy ID */
    async function add(account: string, phoneNumber: string, email: string): Promise<string> {
      const answer = await suite.nodeRed.post('authy-people/add', { id: account, phoneNumber, email });
      return (answer as { person: { authyId: string } }).person.authyId;
    }

    const sidebar = (): Locator => editor.page.locator('.authy-people');
    const whom = (): Locator => editor.page.getByLabel('Ask whom');
    const who = (text: string): Locator => editor.page.locator('output').getByText(text, { exact: true });
    const askNow = (): Promise<void> => editor.page.getByRole('button', { name: 'Ask now' }).click();
    const onCanvas = (node: FlowNode, name: string): Locator =>
      editor.page.locator(`[id="${node.id}"] .authy-canvas-button`).getByLabel(name);

    it('the button on the canvas opens the sidebar with the people of the account', async () => {
      const template: FlowNode = { id: 'template', type: 'subflow', name: 'Door', in: [], out: [], env: [] };
      const inSubflow: FlowNode = {
        ...{ id: 'instance', type: 'subflow:template', z: 'tab', x: 200, y: 300, wires: [] },
        env: [{ name: 'ACCOUNT', value: 'garage', type: 'conf-type' }],
      };
      const ownApp = accountOf('ownApp', 'App', { service: 'verify', verifyPush: true });
      const elsewhere = gateOf('elsewhere', 'ownApp', { y: 400 });
      await open(door, garage, ownApp, template, gate, inSubflow, elsewhere);
      await onCanvas(gate, 'Authy people').click();
      await sidebar().getByText('Nobody is here yet.').waitFor();
      should(await sidebar().getByLabel('Account').inputValue()).equal('door');
      await editor.picture('people on the canvas');
      await onCanvas(inSubflow, 'Authy people').press('Enter');
      await eventually('the other account', async () =>
        (await sidebar().getByLabel('Account').inputValue()) === 'garage' ? true : undefined,
      );
      await onCanvas(gate, 'Authy people').press('Space');
      await eventually('the first account again', async () =>
        (await sidebar().getByLabel('Account').inputValue()) === 'door' ? true : undefined,
      );
      should(await onCanvas(elsewhere, 'Authy people').isVisible()).be.false();
    });

    it('the button on the canvas follows the account once it is deployed', async () => {
      await open(door, gate);
      await onCanvas(gate, 'Authy people').waitFor();
      await editor.openPanel({ ...door, z: '' });
      await editor.page.locator('#node-config-input-service').selectOption('simulator');
      await editor.closePanel({ ...door, z: '' });
      await onCanvas(gate, 'Authy people').waitFor({ state: 'hidden' });
      await editor.deploy();
      await onCanvas(gate, 'Open the phone').waitFor();
    });

    it('leads from each node to where its message arrives', async () => {
      const simulated = { service: 'verify', simulated: true };
      const accounts = [
        accountOf('here', 'Here', simulated),
        accountOf('app', 'App', { ...simulated, verifyPush: true }),
      ];
      const of = (type: string, account: string, x: number, y: number): FlowNode => ({
        ...{ id: `${type}-${account}`, type, account, z: 'tab', x, y, wires: [] },
      });
      const expected = [
        ['authy-token-sms', 'here', 'Open the phone'],
        ['authy-phone-start', 'here', 'Open the phone'],
        ['authy-onetouch-send', 'here', 'Authy people'],
        ['authy-user-invite', 'here', 'Authy people'],
        ['authy-onetouch-send', 'app', 'Open the phone'],
      ] as const;
      const nodes = expected.map(([type, account], row) => of(type, account, 200, 80 + 60 * row));
      const without = of('authy-user-create', 'here', 500, 80);
      await open(...accounts, ...nodes, without);
      for (const [row, [, , name]] of expected.entries())
        await onCanvas(nodes[row] as FlowNode, name).waitFor();
      should(await editor.page.locator('.authy-canvas-button:visible').count()).equal(expected.length);
    });

    // What is in a panel is the same in both.
    if (runtime.version !== '5.') return;

    it('somebody is added beside the panel of the gate, and asked', async () => {
      await open(door, gate);
      await editor.openPanel(gate);
      await editor.page.getByText('add somebody in the sidebar “Authy people”, or with').waitFor();
      await askNow();
      await editor.page.getByText('“Ask whom” is empty').waitFor();
      await editor.picture('nobody to be asked');
      await editor.page.getByRole('button', { name: 'Add or invite somebody' }).click();
      const dialog = editor.page.getByRole('dialog');
      await dialog.getByLabel('Phone number').fill('+491701234567');
      await dialog.getByLabel('E-mail').fill('ada@example.com');
      await editor.page.keyboard.press('Enter');
      await sidebar().getByRole('heading', { name: 'ada@example.com' }).waitFor();
      // The panel hears of it.
      await who('ada@example.com, +491701234567').waitFor();

      await askNow();
      await editor.page.getByText('they have not set up a phone yet').waitFor();
      should(await editor.page.getByText('“Ask whom” is empty').count()).equal(0);
      should(await editor.page.getByText('This account knows nobody yet').count()).equal(0);
      should(await editor.barriers()).eql([]);
      await editor.picture('somebody to be asked');
    });

    it('who is typed after somebody was added is the one who is asked, however late the list is', async () => {
      const asking = gateOf('gate', 'porch');
      await open(accountOf('porch', 'Porch'), asking);
      const [bob, eve] = [
        await add('porch', '+491701234502', 'bob@example.com'),
        await add('porch', '+491701234503', 'eve@example.com'),
      ];
      const { page } = editor;
      await editor.openPanel(asking);
      await page.getByPlaceholder('Choose somebody').waitFor();
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => (release = resolve));
      await page.route('**/authy-people/list', async (route) => {
        await held;
        await route.continue();
      });
      const told = (authyId: string): Promise<void> =>
        page.evaluate(
          (authyId) =>
            (window as unknown as EditorWindow).RED.events.emit('authy:person-added', {
              account: 'porch',
              authyId,
            }),
          authyId,
        );
      await told(eve);
      should(await whom().inputValue()).equal(eve);
      await whom().fill(bob);
      release();
      await who('bob@example.com, +491701234502').waitFor();
      should(await whom().inputValue()).equal(bob);
      // Whoever is no longer in the list is known all the same.
      await told('123456789');
      should(await whom().inputValue()).equal('123456789');
    });

    it('who is asked is chosen from the people of the account in the panel', async () => {
      const asking = gateOf('gate', 'hall');
      await open(accountOf('hall', 'Hall'), accountOf('cellar', 'Cellar'), asking);
      const ada = await add('hall', '+491701234501', 'ada@example.com');
      const bob = await add('cellar', '+491701234502', 'bob@example.com');
      await add('cellar', '+491701234503', 'eve@example.com');
      await editor.openPanel(asking);
      await who('ada@example.com, +491701234501').waitFor();
      should(await whom().inputValue()).equal(ada);

      await editor.page.locator('#node-input-account').selectOption('cellar');
      await editor.page.getByPlaceholder('Choose somebody').waitFor();
      should(await whom().inputValue()).equal('');
      const offered = editor.page.locator('#authy-approval-ask-people option');
      should((await offered.allTextContents()).sort()).eql([
        'bob@example.com, +491701234502',
        'eve@example.com, +491701234503',
      ]);
      await whom().fill(bob);
      await who('bob@example.com, +491701234502').waitFor();
      await editor.picture('one of several is chosen');
    });

    it('who was chosen stays while the account is the same, and goes with its service', async () => {
      const asking = gateOf('gate', 'yard');
      await open(accountOf('yard', 'Yard', { service: 'local' }), asking);
      await add('yard', '+491701234501', 'ada@example.com');
      const bob = await add('yard', '+491701234502', 'bob@example.com');
      await editor.openPanel(asking);
      await editor.page.getByPlaceholder('Choose somebody').waitFor();
      await whom().fill(bob);
      const edit = async (change: () => Promise<unknown>): Promise<void> => {
        await editor.page.locator('#node-input-btn-account-edit').first().click();
        await change();
        await editor.page.locator('#node-config-dialog-ok').click();
        await editor.page.locator('#node-config-dialog-ok').waitFor({ state: 'detached' });
        await editor.page.waitForFunction(() => (window as unknown as EditorWindow).jQuery.active === 0);
      };
      await edit(() => editor.page.locator('#node-config-input-name').fill('Back yard'));
      await who('bob@example.com, +491701234502').waitFor();
      should(await whom().inputValue()).equal(bob);
      await edit(() => editor.page.locator('#node-config-input-service').selectOption('simulator'));
      await who('bob@example.com, +491701234502').waitFor({ state: 'detached' });
      should(await whom().inputValue()).equal('');
    });

    it('who is asked may be typed as the list has them, and nobody else is', async () => {
      const asking = gateOf('gate', 'attic');
      await open(accountOf('attic', 'Attic'), asking);
      await add('attic', '+491701234501', 'ada@example.com');
      await editor.openPanel(asking);
      await who('ada@example.com, +491701234501').waitFor();
      await whom().fill('');
      await editor.page.locator('#authy-approval-ask-message').focus();
      await whom().focus();
      should(await whom().inputValue()).equal('');
      const unknown = editor.page.getByText('Choose somebody of the list, or type their Authy ID');
      for (const typed of ['hello', 'ada@example', '12 34']) {
        await whom().fill(typed);
        await askNow();
        await unknown.waitFor();
      }
      await whom().fill('ada@example.com');
      await unknown.waitFor({ state: 'hidden' });
      await askNow();
      await editor.page.getByText('they have not set up a phone yet').waitFor();
      // Two people may have one e-mail address: then nobody is asked by it.
      await add('attic', '+491701234502', 'ada@example.com');
      await whom().focus();
      await eventually('the other one', async () =>
        (await editor.page.locator('#authy-approval-ask-people option').count()) === 2 ? true : undefined,
      );
      await whom().fill('ada@example.com');
      await askNow();
      await unknown.waitFor();
    });

    it('nothing is sent as long as a field is empty, and each says so', async () => {
      await open(door, gateOf('gate', 'door', { message: 'text', messageType: 'msg' }));
      const sent: string[] = [];
      editor.page.on('request', (request) => sent.push(request.url()));
      await editor.openPanel(gate);
      await whom().fill('');
      await editor.page.locator('#authy-approval-ask-message').fill(' ');
      await askNow();
      await editor.page.getByText('“Message” is empty').waitFor();
      await editor.page.locator('#authy-approval-ask-message').fill('Is it you?');
      await editor.page.getByText('“Message” is empty').waitFor({ state: 'hidden' });
      should(sent.filter((url) => url.endsWith('/ask'))).eql([]);
    });

    it('what came of the question is said beneath the button', async () => {
      await open(simulated, gateOf('gate', 'simulated'));
      await editor.openPanel(gate);
      await editor.page.getByRole('button', { name: 'Add Ada' }).click();
      await who('ada@example.com, +13175550123').waitFor();
      await askNow();
      await editor.page.getByText(/^Asked at \d+:\d+:\d+/).waitFor();
      await editor.page.getByText('The node shows: waiting').waitFor();
      const phone = new Phone(suite.nodeRed, 'simulated');
      const [asked] = await phone.approvals();
      await phone.answer(asked?.uuid ?? '', 'deny');
      await editor.page.getByText('The node shows: denied').waitFor();
      await editor.picture('the answer in the panel');
    });

    it('the panel of the account opens the sidebar, once it is deployed', async () => {
      await open(door, garage, gate);
      const panel = { ...garage, z: '' };
      const button = editor.page.getByRole('button', { name: 'Open “Authy people”' });
      await editor.openPanel(panel);
      await editor.unfold();
      await editor.page.getByText('Known here: 0').waitFor();
      await button.click();
      await sidebar().getByText('Nobody is here yet.').waitFor();
      should(await sidebar().getByLabel('Account').inputValue()).equal('garage');
      await editor.picture('from the account to its people');
      await editor.page.locator('#node-config-input-service').selectOption('verify');
      await editor.page.getByText('Deploy first: the list is').waitFor();
      should(await button.isDisabled()).be.true();
    });

    it('the panel of the gate has what counts for the service of its account', async () => {
      await open(simulated, gateOf('gate', 'simulated'));
      const panel = editor.page.locator('.red-ui-tray');
      const phone = panel.getByRole('link', { name: 'Open the phone' });
      const confirm = panel.getByLabel('Confirm an approval');
      await editor.openPanel(gate);
      await editor.unfold();
      await phone.waitFor();
      await confirm.waitFor();

      await panel.locator('#node-input-btn-account-edit').first().click();
      await editor.page.locator('#node-config-input-service').selectOption('local');
      await editor.page.locator('#node-config-dialog-ok').click();
      await panel.getByLabel('Join the same question').waitFor();
      await phone.waitFor({ state: 'hidden' });
      await confirm.waitFor({ state: 'hidden' });
      should(await panel.getByRole('button', { name: 'Add Ada' }).isVisible()).be.false();
      await editor.picture('a gate of an account with another service');
    });
  });
}
