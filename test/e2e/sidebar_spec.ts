import type { Browser, BrowserContext, Locator } from 'playwright-core';
import should from 'should';
import { CodePhone } from '../support/code_phone';
import { Editor, type EditorWindow, startBrowser } from '../support/editor';
import { type FlowNode, NodeRed, runtimes } from '../support/node_red';

const publicUrl = 'http://door.test/approve';
const account = (id: string, name: string, more: object = {}): FlowNode => ({
  ...{ id, type: 'authy-config', version: 2, name, service: 'local', approvalStore: 'files' },
  approverUrl: publicUrl,
  ...more,
});
const tab: FlowNode = { id: 'tab', type: 'tab', label: 'people' };

// The hash of "password".
const password = '$2a$08$zZWtXTja0fB1pzD4sHCMyOCMYz2Z6dNbM6tl8sJogENOMcxWV9DN.';
const adminAuth = {
  type: 'credentials',
  users: ['*', 'read', 'flows.read'].map((permissions, index) => ({
    username: ['owner', 'guest', 'stranger'][index],
    password,
    permissions,
  })),
};

for (const runtime of runtimes) {
  describe(`the sidebar “Authy people” in Node-RED ${runtime.version}x`, function () {
    this.timeout(60_000);
    let browser: Browser | undefined;
    let nodeRed: NodeRed | undefined;
    let editor: Editor | undefined;

    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      browser = await startBrowser(this);
      nodeRed = await NodeRed.start(this, runtime);
    });
    after(async () => {
      await browser?.close();
      await nodeRed?.stop();
    });
    afterEach(async () => {
      const complaints = editor?.complaints ?? [];
      await editor?.page.context().close();
      editor = undefined;
      should(complaints).eql([]);
    });

    /** The editor with the tab at the front. */
    async function open(language = 'en-US', viewport = { width: 1366, height: 768 }): Promise<Editor> {
      const context: BrowserContext = await (browser as Browser).newContext({ locale: language, viewport });
      context.setDefaultTimeout(20_000);
      editor = await Editor.open(
        context,
        nodeRed as NodeRed,
        `sidebar-${runtime.version.replaceAll('.', '')}`,
      );
      await showTab(editor);
      return editor;
    }

    const panel = (): Locator => (editor as Editor).page.locator('.authy-people');
    const dialog = (): Locator => (editor as Editor).page.getByRole('dialog');

    async function press(name: string, within: Locator = panel()): Promise<void> {
      await within.getByRole('button', { name, exact: true }).click();
    }

    async function add(phoneNumber: string, email: string): Promise<void> {
      await panel().locator('[data-key="add"]').click();
      await dialog().getByLabel('Phone number').fill(phoneNumber);
      await dialog().getByLabel('E-mail').fill(email);
      await press('Add a person', dialog());
      await panel().getByRole('heading', { name: email, exact: true }).waitFor();
    }

    it('without an account it says what to do first, and finds the account once it is deployed', async () => {
      await nodeRed?.deploy([tab]);
      await open();
      await panel().getByText('No account keeps people here.').waitFor();
      await editor?.picture('no account');
      await nodeRed?.deploy([tab, account('door', 'Front door')]);
      await press('Refresh');
      await panel().getByText('Nobody is here yet.').waitFor();
      should(await panel().getByRole('link').getAttribute('href')).equal(`${publicUrl}/`);
      await editor?.picture('nobody');
    });

    it('flows that cannot start keep nobody waiting', async () => {
      await nodeRed?.deploy([tab, account('door', 'Front door')]);
      await nodeRed?.post('flows', [tab, { id: 'unknown', type: 'of-no-package', z: 'tab' }]);
      await nodeRed?.post('authy-people/accounts', {});
    });

    it('a person is added, invited, and gets a phone whose number is shown; locked, unlocked, removed', async () => {
      await nodeRed?.deploy([tab, account('door', 'Front door')]);
      await open();
      const { page } = editor as Editor;
      await panel().locator('[data-key="addFirst"]').click();
      await dialog().getByLabel('Phone number').fill('12');
      await page.keyboard.press('Enter');
      await dialog().getByRole('alert').getByText('phoneNumber must be').waitFor();
      await editor?.picture('add, refused');
      await dialog().getByLabel('Phone number').fill('+49 170 1234567');
      await dialog().getByLabel('E-mail').fill('ada@example.com');
      await page.keyboard.press('Enter');
      await panel().getByRole('heading', { name: 'ada@example.com' }).waitFor();

      await press('Invite a phone');
      const code = dialog().getByRole('img', { name: 'QR code' });
      const { width = 0, height = 0 } = (await code.boundingBox()) ?? {};
      should(Math.min(width, height)).be.aboveOrEqual(300);
      should(await code.evaluate((image: HTMLImageElement) => image.naturalWidth)).be.above(0);
      await dialog()
        .getByRole('timer')
        .getByText(/^9:\d\d$/)
        .waitFor();
      should(await barriers()).eql([]);
      await editor?.picture('invitation');
      const link = await dialog().getByLabel('Link of the invitation').inputValue();
      const phone = new CodePhone((nodeRed as NodeRed).nodeUrl, publicUrl);
      const number = await phone.enrol(link, 'Pixel 9 <b>of Ada</b>');
      await dialog().getByText(`The phone must show ${number}.`).waitFor();
      should(await code.count()).equal(0);
      await editor?.picture('phone added');
      await press('Close', dialog());
      await panel().getByText('Pixel 9 <b>of Ada</b>').waitFor();
      await panel().getByLabel(`This phone shows the number ${number}`).waitFor();
      should(await barriers('.authy-people')).eql([]);
      await editor?.picture('person');

      await panel()
        .getByRole('button', { name: /^Rename/ })
        .click();
      await dialog().getByLabel('Name').fill('Work');
      await press('Rename', dialog());
      await panel().getByText('Work', { exact: true }).waitFor();

      await press('Lock');
      await editor?.picture('lock');
      await press('Lock', dialog());
      await panel().getByText('This person is locked').waitFor();
      should(await panel().getByRole('button', { name: 'Invite a phone' }).count()).equal(0);
      await press('Unlock');
      await panel().getByRole('button', { name: 'Invite a phone' }).waitFor();

      await press('New recovery codes');
      await press('New recovery codes', dialog());
      await dialog().getByText('they are not shown again').waitFor();
      should(await dialog().getByRole('listitem').allInnerTexts()).matchEach(/^\d{4} \d{4} \d{4}$/);
      await editor?.picture('recovery codes');
      await press('Done', dialog());

      await panel().getByRole('button', { name: 'Remove “Work”' }).click();
      await press('Remove the phone', dialog());
      await panel().getByText('No phone yet.').waitFor();
      await press('Remove');
      await press('Remove', dialog());
      await panel().getByText('Nobody is here yet.').waitFor();
      should(await dialog().count()).equal(0);
    });

    it('a phone with the wrong number is removed where it is shown, and an invitation ended', async () => {
      await nodeRed?.deploy([tab, account('stolen', 'Front door')]);
      await open();
      await add('+491701234568', 'eve@example.com');
      await press('Invite a phone');
      const link = await dialog().getByLabel('Link of the invitation').inputValue();
      await new CodePhone((nodeRed as NodeRed).nodeUrl, publicUrl).enrol(link, 'Stranger');
      await press('Remove the phone', dialog());
      await panel().getByText('No phone yet.').waitFor();
      await press('Invite a phone');
      await press('Close', dialog());
      await panel().getByText('An invitation is open until').waitFor();
      await press('End the invitation');
      await panel().getByText('An invitation is open until').waitFor({ state: 'detached' });
      await press('Invite a phone');
      await press('End the invitation', dialog());
      await panel().getByRole('button', { name: 'Invite a phone' }).waitFor();
      should(await panel().getByText('An invitation is open until').count()).equal(0);
    });

    it('an invitation that comes late says whose it is, whoever is shown by then', async () => {
      await nodeRed?.deploy([tab, account('late', 'Front door')]);
      await open();
      const { page } = editor as Editor;
      await add('+491701234567', 'ada@example.com');
      await panel().locator('[data-key="back"]').click();
      await add('+491701234568', 'bob@example.com');
      let goOn = (): void => undefined;
      const held = new Promise<void>((resolve) => (goOn = resolve));
      await page.route('**/authy-people/invite', async (route) => {
        await held;
        await route.continue();
      });
      await press('Invite a phone');
      await panel().locator('[data-key="back"]').click();
      await panel().getByRole('button', { name: 'ada@example.com' }).click();
      await panel().getByRole('heading', { name: 'ada@example.com', exact: true }).waitFor();
      goOn();
      await dialog().getByText('bob@example.com').waitFor();
      should(await dialog().getByText('ada@example.com').count()).equal(0);
      await press('Close', dialog());
      await panel().getByRole('heading', { name: 'ada@example.com', exact: true }).waitFor();
    });

    it('people of several accounts are found, in a narrow sidebar and by the keyboard', async () => {
      await nodeRed?.deploy([
        tab,
        account('one', 'Front door'),
        account('two', 'Garage', { service: 'verify', simulated: true, verifyPush: true }),
      ]);
      for (let index = 0; index < 60; index++) {
        await nodeRed?.post('authy-people/add', {
          ...{ id: 'one', phoneNumber: `+4917${10_000_000 + index}` },
          email: `somebody-with-a-long-address-${index}@mail.of.a.company.example.com`,
        });
      }
      await open('de');
      const { page } = editor as Editor;
      await panel().getByText('Benutzer: 60').waitFor();
      await narrow(editor as Editor);
      await editor?.picture('narrow list');
      should(await panel().evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).equal(0);
      await panel().getByRole('button', { name: 'Weitere anzeigen (noch 10)' }).click();
      const rows = panel().locator('.authy-people-row');
      await rows.nth(59).waitFor();
      await panel().getByRole('searchbox').fill('address-42@');
      await panel().getByText('Benutzer: 1', { exact: true }).waitFor();
      await page.keyboard.press('Tab');
      for (let steps = 0; steps < 9; steps++) {
        if (await rows.first().evaluate((row) => row === document.activeElement)) break;
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press('Enter');
      await panel()
        .getByRole('heading', { name: /address-42@/ })
        .waitFor();
      should(await panel().locator(':focus').getAttribute('data-key')).equal('back');
      should(await panel().evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).equal(0);
      await editor?.picture('narrow person');
      await page.keyboard.press('Enter');
      await panel().getByText('Benutzer: 1', { exact: true }).waitFor();
      should(await panel().locator(':focus').getAttribute('data-key')).match(/^row /);
      await panel().getByRole('combobox').selectOption('two');
      await panel().getByText('Telefone werden hier nicht hinzugefügt').waitFor();
      await (editor as Editor).darken();
      await panel().getByRole('combobox').selectOption('one');
      await panel().getByText('Benutzer: 1', { exact: true }).waitFor();
      await editor?.picture('dark');
    });

    async function barriers(where = '[role=dialog]'): Promise<string[]> {
      const { page } = editor as Editor;
      await page.addScriptTag({ path: require.resolve('axe-core') });
      return page.evaluate(async (include) => {
        const { axe } = window as unknown as EditorWindow;
        // The buttons of dialogs are Node-RED's own.
        const { violations } = await axe.run({ include, exclude: '.ui-dialog-buttonpane' });
        return violations
          .filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      }, where);
    }
  });
}

describe('the sidebar “Authy people” behind the permissions of the editor', function () {
  this.timeout(60_000);
  let nodeRed: NodeRed | undefined;
  let browser: Browser | undefined;

  before(async function () {
    this.timeout(600_000);
    const [runtime] = runtimes;
    if (runtime === undefined) throw new Error('There is no Node-RED to run.');
    browser = await startBrowser(this);
    nodeRed = await NodeRed.start(this, runtime, {
      settings: { httpAdminRoot: '/admin', adminAuth },
      user: { username: 'owner', password: 'password' },
    });
    await nodeRed.deploy([tab, account('door', 'Front door')]);
    await nodeRed.post('authy-people/add', { id: 'door', phoneNumber: '+491701234567' });
  });
  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  const reading = ['accounts', 'list', 'person'];
  const changing = [
    'add',
    'invite',
    'withdraw',
    'phone/rename',
    'phone/remove',
    'lock',
    'recovery',
    'remove',
  ];

  it('who may only read looks, who may not even read sees nothing, and a stranger is not let in', async () => {
    const owner = nodeRed as NodeRed;
    const status = async (as: NodeRed, route: string, authorization?: string): Promise<number> => {
      const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
      const init = { method: 'POST', headers, body: JSON.stringify({ id: 'door', phoneNumber: 'x' }) };
      if (authorization === undefined) return (await as.request(`authy-people/${route}`, init)).status;
      return (await fetch(`${as.adminUrl}authy-people/${route}`, init)).status;
    };
    const guest = await owner.signedInAs({ username: 'guest', password: 'password' });
    const stranger = await owner.signedInAs({ username: 'stranger', password: 'password' });
    for (const route of [...reading, ...changing]) {
      should(await status(owner, route)).equal(200, route);
      should(await status(guest, route)).equal(reading.includes(route) ? 200 : 401, route);
      should(await status(stranger, route)).equal(401, route);
      should(await status(owner, route, 'Bearer made-up')).equal(401, route);
    }
  });

  it('who may only read has no buttons that change anything', async () => {
    const page = await (await (browser as Browser).newContext({ locale: 'en-US' })).newPage();
    await page.goto((nodeRed as NodeRed).adminUrl);
    await page.locator('#node-dialog-login-username').fill('guest');
    await page.locator('#node-dialog-login-password').fill('password');
    await page.keyboard.press('Enter');
    await page.waitForFunction(
      () => (window as unknown as Partial<EditorWindow>).RED?.workspaces.count() === 1,
    );
    await page.evaluate(() =>
      (window as unknown as EditorWindow).RED.actions.invoke('authy:show-people-tab'),
    );
    const panel = page.locator('.authy-people');
    await panel.getByRole('button', { name: '+491701234567' }).click();
    await panel.getByRole('heading', { name: '+491701234567' }).waitFor();
    const names = await panel.getByRole('button').evaluateAll((all) => all.map((one) => one.dataset['key']));
    should(names).eql(['refresh', 'back']);
    await page.context().close();
  });
});

async function showTab({ page }: Editor): Promise<void> {
  await page.evaluate(() => (window as unknown as EditorWindow).RED.actions.invoke('authy:show-people-tab'));
  await page.locator('.authy-people').waitFor();
}

/** Makes the sidebar as narrow as it gets. */
async function narrow({ page }: Editor): Promise<void> {
  await page.addStyleTag({ content: '.authy-people { width: 280px; }' });
}
