import type { Browser, Locator, Page, Route } from 'playwright-core';
import should from 'should';
import { languages, sidebarCatalogue, textsOf } from '../contract/catalogues';
import { approvalGate } from '../support/approval_gate';
import { CodePhone } from '../support/code_phone';
import { type Editor, EditorSuite, type EditorWindow, startBrowser } from '../support/editor';
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
const editing = ['flows', 'nodes', 'settings', 'plugins', 'context', 'library', 'credentials'];
const permissionsOf = {
  owner: '*',
  guest: 'read',
  /** May change the flows, and knows nothing of what the accounts hold. */
  builder: editing.flatMap((what) => [`${what}.read`, `${what}.write`]),
  stranger: 'flows.read',
};
const adminAuth = {
  type: 'credentials',
  users: Object.entries(permissionsOf).map(([username, permissions]) => ({
    username,
    password,
    permissions,
  })),
};

for (const runtime of runtimes) {
  describe(`the sidebar “Authy people” in Node-RED ${runtime.version}x`, function () {
    this.timeout(60_000);
    const suite = new EditorSuite(runtime);
    let editor: Editor | undefined;

    /** A test of what is asked when. That is the sidebar's own affair, so one Node-RED is enough. */
    const itInOne = (title: string, test: () => Promise<void>): void => {
      if (runtime === runtimes[0]) it(title, test);
    };

    /** The editor with the tab at the front. */
    async function open(language = 'en-US', viewport = { width: 1366, height: 768 }): Promise<Editor> {
      editor = await suite.open('sidebar', { locale: language, viewport });
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
      await suite.nodeRed.deploy([tab]);
      await open();
      await panel().getByText('No account keeps people here.').waitFor();
      await editor?.picture('no account');
      await suite.nodeRed.deploy([tab, account('door', 'Front door')]);
      await panel().getByText('Nobody is here yet.').waitFor();
      should(await panel().getByRole('link').getAttribute('href')).equal(`${publicUrl}/`);
      await editor?.picture('nobody');
    });

    it('flows that cannot start keep nobody waiting', async () => {
      await suite.nodeRed.deploy([tab, account('door', 'Front door')]);
      await suite.nodeRed.post('flows', [tab, { id: 'unknown', type: 'of-no-package', z: 'tab' }]);
      await suite.nodeRed.post('authy-people/accounts', {});
    });

    it('a person is added, invited, and gets a phone whose number is shown; locked, unlocked, removed', async () => {
      await suite.nodeRed.deploy([tab, account('door', 'Front door')]);
      await open();
      const { page } = editor as Editor;
      await panel().locator('[data-key="addFirst"]').click();
      await dialog().getByLabel('Phone number').fill('+49 170 1234567');
      await dialog().getByLabel('E-mail').fill('ada@example.com');
      await page.keyboard.press('Enter');
      await panel().getByRole('heading', { name: 'ada@example.com' }).waitFor();

      // What comes next has the focus.
      await panel().locator('[data-key="invite"].primary:focus').waitFor();
      await page.keyboard.press('Enter');
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
      const phone = new CodePhone(suite.nodeRed.nodeUrl, publicUrl);
      const number = await phone.enrol(link, 'Pixel 9 <b>of Ada</b>');
      await dialog().getByText(`The phone must show ${number}.`).waitFor();
      should(await code.count()).equal(0);
      await editor?.picture('phone added');
      await press('Close', dialog());
      await panel().getByText('Pixel 9 <b>of Ada</b>').waitFor();
      should(await panel().locator('[data-key="invite"].primary').count()).equal(0);
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
      await suite.nodeRed.deploy([tab, account('stolen', 'Front door')]);
      await open();
      await add('+491701234568', 'eve@example.com');
      await press('All people');
      await add('+491701234568', 'eve@example.com');
      await panel().getByText('This person was here already, and nothing was changed.').waitFor();
      await press('Invite a phone');
      const link = await dialog().getByLabel('Link of the invitation').inputValue();
      await new CodePhone(suite.nodeRed.nodeUrl, publicUrl).enrol(link, 'Stranger');
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

    it('the pause after “not me” is shown, and ended', async () => {
      const node = (id: string, more: object): FlowNode => ({
        id,
        type: id,
        z: 'tab',
        x: 300,
        y: 100,
        ...more,
      });
      await suite.nodeRed.deploy([
        ...[tab, account('paused', 'Front door')],
        node('gate', { ...approvalGate, account: 'paused', wires: [[], [], []] }),
        node('authy-notifications', { account: 'paused', wires: [['debug']] }),
        node('debug', { wires: [] }),
      ]);
      await open();
      await add('+491701234567', 'ada@example.com');
      await press('Invite a phone');
      const link = await dialog().getByLabel('Link of the invitation').inputValue();
      const phone = new CodePhone(suite.nodeRed.nodeUrl, publicUrl);
      await phone.enrol(link, 'Pixel 9');
      await press('Close', dialog());
      const authyId = await panel().locator('dd').nth(1).innerText();
      const ask = (): Promise<unknown> =>
        suite.nodeRed.post('authy-onetouch-approval/ask', { id: 'gate', values: { authyId } });
      should(await ask()).eql({ ok: true });
      const [request] = await phone.browser.requests();
      await phone.browser.done('deny', { id: request?.id, notMe: true });
      const paused = panel().getByText('This person has said “not me”');
      await press('Refresh');
      await paused.waitFor();
      should(await barriers('.authy-people')).eql([]);
      await editor?.picture('paused');
      should(await ask()).match({ ok: false, message: /^Wait \d+ seconds, or find out who has asked/ });
      const ended = panel().locator('[data-key="endPause"]');
      const seen = Number(await ended.getAttribute('data-pause'));
      // Meanwhile somebody else ends that pause, and another one begins: here nothing is read until the button was pressed.
      const { page } = editor as Editor;
      let isPressed = false;
      await page.route('**/authy-people/accounts', (route) =>
        isPressed ? route.continue() : route.fulfill({ json: { ok: false, message: 'Not now.' } }),
      );
      await page.route('**/authy-people/pause/end', (route) => {
        isPressed = true;
        return route.continue();
      });
      await suite.nodeRed.post('authy-people/pause/end', { id: 'paused', authyId, pause: seen });
      should(await ask()).eql({ ok: true });
      const [next] = await phone.browser.requests();
      await phone.browser.done('deny', { id: next?.id, notMe: true });
      await press('End the pause');
      await panel().getByText('Look again: this user has said “not me” once more since then.').waitFor();
      await panel().locator(`[data-key="endPause"]:not([data-pause="${seen}"])`).waitFor();
      await press('End the pause');
      await paused.waitFor({ state: 'detached' });
      should(await ended.count()).equal(0);
      should(await ask()).eql({ ok: true });
    });

    itInOne('an invitation that comes late says whose it is, whoever is shown by then', async () => {
      await suite.nodeRed.deploy([tab, account('late', 'Front door')]);
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

    it('each reason stands beneath its field, and says what to do by the label of that', async () => {
      await suite.nodeRed.deploy([tab, account('reasons', 'Front door')]);
      await open();
      const { page } = editor as Editor;
      const [number, email] = [dialog().getByLabel('Phone number'), dialog().getByLabel('E-mail')];
      await panel().locator('[data-key="addFirst"]').click();
      const refuse = async (typed: [string, string], wrong: Locator, reason: RegExp): Promise<void> => {
        await number.fill(typed[0]);
        await email.fill(typed[1]);
        await page.keyboard.press('Enter');
        await dialog().getByText(reason).waitFor();
        const described = await wrong.evaluate((field) => {
          const ids = field.getAttribute('aria-describedby')?.split(' ') ?? [];
          return ids.map((id) => document.getElementById(id)?.textContent).join(' ');
        });
        should(described).match(reason);
        for (const field of [number, email]) {
          const isWrong = (await field.getAttribute('id')) === (await wrong.getAttribute('id'));
          should(await field.getAttribute('aria-invalid')).equal(isWrong ? 'true' : null);
          should(await field.evaluate((one) => one.classList.contains('input-error'))).equal(isWrong);
          should(await field.evaluate((one) => one === document.activeElement)).equal(isWrong);
        }
        should(await dialog().locator('[role=alert]').textContent()).equal('');
      };
      const withCountry = /^Phone number: enter it with \+ and the country code, such as \+1 317 555 0123/;
      await refuse(['', ''], number, withCountry);
      await refuse(['+12', 'ada@example.com'], number, /^Phone number: nobody can have this number/);
      await editor?.picture('add, refused');
      await refuse(['317 555 0123', 'no'], number, withCountry);
      await refuse(['+1 317 555 0123', 'ada@'], email, /^E-mail: enter an e-mail address/);
      should(await barriers()).eql([]);
      await press('Cancel', dialog());
    });

    it('what is seen is read again: the focus stays, and a dialog stays as it is', async () => {
      await suite.nodeRed.deploy([tab, account('fresh', 'Front door')]);
      await open();
      const [ada, bob] = ['+491701234567', '+491701234568'];
      await panel().getByText('Nobody is here yet.').waitFor();
      await suite.nodeRed.post('authy-people/add', { id: 'fresh', phoneNumber: ada });
      await panel().getByRole('button', { name: ada }).focus();
      await suite.nodeRed.post('authy-people/add', { id: 'fresh', phoneNumber: bob });
      await panel().getByText('People: 2').waitFor();
      // From here on it need not wait until it is time to read again.
      const look = (): Promise<void> =>
        (editor as Editor).page.evaluate(() => void document.dispatchEvent(new Event('visibilitychange')));
      const focused = panel().locator('[data-key^="row"]:focus');
      should(await focused.getAttribute('title')).equal(ada);
      await focused.click();
      await panel().getByRole('heading', { name: ada, exact: true }).waitFor();
      const authyId = await panel().locator('dd').nth(1).innerText();
      const lock = (isLocked: boolean): Promise<unknown> =>
        suite.nodeRed.post('authy-people/lock', { id: 'fresh', authyId, isLocked });
      await panel().locator('[data-key="lock"]').focus();
      await lock(true);
      await look();
      await panel().getByText('This person is locked').waitFor();
      should(await panel().locator(':focus').getAttribute('data-key')).equal('lock');
      await press('Remove');
      await lock(false);
      await dialog().getByText('Remove +491701234567?').waitFor();
      await press('Cancel', dialog());
      await look();
      await panel().getByRole('button', { name: 'Invite a phone' }).waitFor();
      should(await panel().locator(':focus').getAttribute('data-key')).equal('remove');
      await suite.nodeRed.post('authy-people/remove', { id: 'fresh', authyId });
      await look();
      await panel().getByText('People: 1').waitFor();
    });

    itInOne('an older answer replaces no newer one', async () => {
      await suite.nodeRed.deploy([tab]);
      await open();
      const { page } = editor as Editor;
      await panel().getByText('No account keeps people here.').waitFor();
      let isHeld = (): void => undefined;
      const holding = new Promise<void>((resolve) => (isHeld = resolve));
      let goOn = (): void => undefined;
      const held = new Promise<void>((resolve) => (goOn = resolve));
      await page.route(
        '**/authy-people/accounts',
        async (route) => {
          const response = await route.fetch();
          isHeld();
          await held;
          await route.fulfill({ response });
        },
        { times: 1 },
      );
      await holding;
      await suite.nodeRed.deploy([tab, account('newer', 'Front door')]);
      await press('Refresh');
      await panel().getByText('Nobody is here yet.').waitFor();
      const answered = page.waitForEvent('requestfinished', (request) =>
        request.url().endsWith('/authy-people/accounts'),
      );
      goOn();
      await answered;
      should(await panel().getByText('No account keeps people here.').count()).equal(0);
    });

    itInOne(
      'a dialog is about what was shown when it was opened, whatever is answered meanwhile',
      async () => {
        const garage = account('garage', 'Garage', { approverPath: '/garage' });
        const both = [tab, account('door', 'Front door'), garage];
        await suite.nodeRed.deploy(both);
        await open();
        const { page } = editor as Editor;
        const chosen = (): Promise<string> => panel().getByRole('combobox').inputValue();
        const peopleOf = async (id: string): Promise<unknown> =>
          ((await suite.nodeRed.post('authy-people/list', { id })) as { found: number }).found;
        await panel().getByText('Nobody is here yet.').waitFor();
        should(await chosen()).equal('door');
        /** Opens the dialog for a new person while something that was asked before is not yet answered. */
        const addDuring = async (asking: () => Promise<unknown>, number: string): Promise<void> => {
          let release = (): void => undefined;
          const held = new Promise<void>((resolve) => (release = resolve));
          await page.route('**/authy-people/accounts', async (route) => {
            await held;
            await route.continue();
          });
          const asked = page.waitForRequest('**/authy-people/accounts');
          await asking();
          await asked;
          await panel().locator('[data-key="add"]').click();
          await dialog().getByLabel('Phone number').fill(number);
          const answered = page.waitForResponse('**/authy-people/accounts');
          release();
          await answered;
          await page.unroute('**/authy-people/accounts');
          await page.keyboard.press('Enter');
        };
        const openGarage = (): Promise<void> =>
          page.evaluate(
            () => void (window as unknown as EditorWindow).AuthyPeople.open({ account: 'garage' }),
          );
        await addDuring(openGarage, '+491701234561');
        await panel().getByRole('heading', { name: '+491701234561' }).waitFor();
        should([await chosen(), await peopleOf('door'), await peopleOf('garage')]).eql(['door', 1, 0]);
        await press('All people');
        const stopDoor = async (): Promise<void> => {
          await press('Refresh');
          await suite.nodeRed.deploy([tab, garage]);
        };
        await addDuring(stopDoor, '+491701234562');
        await dialog().getByText('Deploy the account first').waitFor();
        should(await peopleOf('garage')).equal(0);
        await press('Cancel', dialog());
      },
    );

    itInOne(
      'who was added when the dialog is gone, and another account is chosen, is not shown there',
      async () => {
        const garage = account('garage', 'Garage', { approverPath: '/garage' });
        await suite.nodeRed.deploy([tab, account('door', 'Front door'), garage]);
        const { page } = await open();
        await panel().locator('[data-key="add"]').click();
        await dialog().getByLabel('Phone number').fill('+491701234569');
        const added = page.waitForEvent('requestfinished', (request) => request.url().endsWith('/add'));
        let release = (): void => undefined;
        const held = new Promise<void>((resolve) => (release = resolve));
        await page.route('**/authy-people/add', async (route) => {
          await held;
          await route.continue();
        });
        await page.keyboard.press('Enter');
        await press('Cancel', dialog());
        await panel().getByRole('combobox').selectOption('garage');
        await panel().getByText('Nobody is here yet.').waitFor();
        release();
        await added;
        await page.waitForFunction(() => (window as unknown as EditorWindow).jQuery.active === 0);
        should(await panel().getByRole('heading', { name: '+491701234569' }).count()).equal(0);
        await panel().getByText('Nobody is here yet.').waitFor();
      },
    );

    itInOne('what was chosen before a dialog was opened is shown behind it once that is closed', async () => {
      const garage = account('garage', 'Garage', { approverPath: '/garage' });
      await suite.nodeRed.deploy([tab, account('door', 'Front door'), garage]);
      await suite.nodeRed.post('authy-people/add', { id: 'door', phoneNumber: '+491701234567' });
      await suite.nodeRed.post('authy-people/add', { id: 'garage', phoneNumber: '+491701234568' });
      const { page } = await open();
      await panel().getByRole('button', { name: '+491701234567' }).waitFor();
      // What is read again by itself, every few seconds, must not be what shows it.
      await page.evaluate(() => {
        const later = window.setTimeout.bind(window);
        window.setTimeout = ((call: () => void, pause = 0) => {
          if (!String(call).includes('stayFresh')) return later(call, pause);
          Object.assign(window, { isStill: true });
          return 0;
        }) as unknown as typeof later;
      });
      await page.waitForFunction(() => 'isStill' in window);
      await page.waitForFunction(() => (window as unknown as EditorWindow).jQuery.active === 0);
      const held: Route[] = [];
      await page.route('**/authy-people/list', (route) => void held.push(route), { times: 1 });
      await panel().getByRole('combobox').selectOption('garage');
      await panel().locator('[data-key="add"]').click();
      await press('Cancel', dialog());
      await panel().getByRole('button', { name: '+491701234568' }).waitFor();
      should(held).have.length(1);
      await held[0]?.continue();
    });

    itInOne('while the tab of the browser is hidden, it asks nothing', async () => {
      await suite.nodeRed.deploy([tab, account('hidden', 'Front door')]);
      await open();
      const { page } = editor as Editor;
      await panel().getByText('Nobody is here yet.').waitFor();
      const hide = (isHidden: boolean): Promise<void> =>
        page.evaluate((hidden) => {
          Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
          document.dispatchEvent(new Event('visibilitychange'));
        }, isHidden);
      await hide(true);
      // What was asked before may still be on its way.
      await page.waitForFunction(() => (window as unknown as EditorWindow).jQuery.active === 0);
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      await suite.nodeRed.deploy([tab, account('hidden', 'Front door')]);
      await page.evaluate(() => (window as unknown as EditorWindow).RED.events.emit('deploy'));
      should(asked.filter((url) => url.includes('authy-people'))).eql([]);
      await hide(false);
      await suite.nodeRed.post('authy-people/add', { id: 'hidden', phoneNumber: '+491701234567' });
      await panel().getByText('People: 1').waitFor();
    });

    itInOne('is read again whatever becomes of the clock', async () => {
      await suite.nodeRed.deploy([tab, account('clock', 'Front door')]);
      const { page } = await open();
      await panel().getByText('Nobody is here yet.').waitFor();
      // Each time somebody looks at it, an hour has passed.
      await page.evaluate(() => {
        const now = Date.now.bind(Date);
        let hours = 0;
        Date.now = () => now() + (hours += 1) * 3_600_000;
      });
      for (const [count, phoneNumber] of ['+491701234501', '+491701234502'].entries()) {
        await suite.nodeRed.post('authy-people/add', { id: 'clock', phoneNumber });
        await panel()
          .getByText(`People: ${count + 1}`)
          .waitFor();
      }
    });

    it('an account without a name is called as in the editor; of several, each has its id', async () => {
      const unnamed = (id: string, path: string): FlowNode => account(id, '', { approverPath: path });
      await suite.nodeRed.deploy([
        tab,
        account('named', 'Garage', { approverPath: '/garage' }),
        unnamed('one', '/a'),
      ]);
      await open();
      await panel().getByText('Nobody is here yet.').waitFor();
      const options = (): Promise<string[]> => panel().getByRole('option').allInnerTexts();
      should((await options()).sort()).eql(['Garage (This Node-RED)', 'This Node-RED']);
      await suite.nodeRed.deploy([tab, unnamed('one', '/a'), unnamed('two', '/b')]);
      await panel().getByText('This Node-RED (two)').waitFor({ state: 'attached' });
      should((await options()).sort()).eql(['This Node-RED (one)', 'This Node-RED (two)']);
    });

    it('what its head says fits in, in each language', async () => {
      await suite.nodeRed.deploy([tab, account('fits', 'Front door')]);
      await open();
      const texts = languages.map((language) => textsOf(language, sidebarCatalogue));
      const hints = texts.map((all) => all.get('authy-sidebar.search') ?? '');
      const clipped = await panel()
        .getByRole('searchbox')
        .evaluate((field, hints) => {
          const { font, paddingLeft, paddingRight } = getComputedStyle(field);
          const pen = document.createElement('canvas').getContext('2d') as CanvasRenderingContext2D;
          pen.font = font;
          const room = field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
          return hints.filter((hint) => pen.measureText(hint).width > room);
        }, hints);
      should(clipped).eql([]);
      if (runtime.version !== '4.1.') return;
      const title = (editor as Editor).page.locator('#red-ui-tab-authy-people');
      const ends = [title.locator('.red-ui-text-bidi-aware'), title].map(async (part) => {
        const { x = 0, width = 0 } = (await part.boundingBox()) ?? {};
        return x + width;
      });
      const [ofText = Infinity, ofTitle = 0] = await Promise.all(ends);
      should(ofText).be.belowOrEqual(ofTitle);
    });

    it('other parts of the editor open it at an account, and at once for a new person', async () => {
      const garage = account('garage', 'Garage', { approverPath: '/garage' });
      await suite.nodeRed.deploy([tab, account('door', 'Front door'), garage]);
      await open();
      const { page } = editor as Editor;
      const at = (options: object): Promise<void> =>
        page.evaluate((given) => (window as unknown as EditorWindow).AuthyPeople.open(given), options);
      const chosen = (): Promise<string> => panel().getByRole('combobox').inputValue();
      await at({ account: 'garage' });
      should(await chosen()).equal('garage');
      should(await dialog().count()).equal(0);
      await at({ account: 'door', add: true });
      should(await chosen()).equal('door');
      await dialog().getByLabel('Phone number').fill('+49 170 1234567');
      await page.keyboard.press('Enter');
      await panel().getByRole('heading', { name: '+491701234567' }).waitFor();
      await at({ account: 'gone', add: true });
      await panel().getByText('“gone” does not run yet: deploy first').waitFor();
      should(await dialog().count()).equal(0);
      // Pressed twice, it opens once.
      await page.evaluate(() => {
        const { AuthyPeople } = window as unknown as EditorWindow;
        const options = { account: 'door', add: true };
        return Promise.all([AuthyPeople.open(options), AuthyPeople.open(options)]);
      });
      await dialog().waitFor();
      should(await dialog().count()).equal(1);
    });

    it('whoever opens it at an account that is not here is told why', async () => {
      await suite.nodeRed.deploy([
        tab,
        account('door', 'Front door'),
        account('off', 'Shed', { approverPath: '/shed', d: true }),
        { id: 'codes', type: 'authy-config', version: 3, name: 'Codes', service: 'authy', simulated: true },
        { id: 'unused', type: 'subflow', name: 'Unused', in: [], out: [], env: [] },
        account('inner', 'Inner', { approverPath: '/inner', z: 'unused' }),
      ]);
      const { page } = await open();
      for (const [id, why] of [
        ['off', '“Shed” does not run yet: deploy first'],
        ['codes', 'The service of this account keeps its users itself'],
        ['inner', 'Put the subflow into a flow and deploy'],
      ] as const) {
        await page.evaluate(
          (account) => (window as unknown as EditorWindow).AuthyPeople.open({ account, add: true }),
          id,
        );
        await panel().getByText(why).waitFor();
        should(await dialog().count()).equal(0);
      }
    });

    it('people of several accounts are found, in a narrow sidebar and by the keyboard', async () => {
      await suite.nodeRed.deploy([
        tab,
        account('one', 'Front door'),
        account('two', 'Garage', { service: 'verify', simulated: true, verifyPush: true }),
      ]);
      for (let index = 0; index < 60; index++) {
        await suite.nodeRed.post('authy-people/add', {
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
      settings: { httpAdminRoot: '/admin', adminAuth, runtimeState: { enabled: true } },
      user: { username: 'owner', password: 'password' },
    });
    const gate = { id: 'gate', type: 'authy-onetouch-approval', account: 'door', wires: [[], [], []] };
    await nodeRed.deploy([tab, account('door', 'Front door'), { ...gate, z: 'tab', x: 300, y: 100 }]);
    await nodeRed.post('authy-people/add', { id: 'door', phoneNumber: '+491701234567' });
  });
  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  /** What a route of the sidebar answers to the owner. */
  async function people(route: string): Promise<{ accounts: unknown[] }> {
    return (await (nodeRed as NodeRed).post(`authy-people/${route}`, {})) as { accounts: unknown[] };
  }

  const reading = ['accounts', 'list', 'person'];
  const changing = [
    'add',
    'invite',
    'withdraw',
    'phone/rename',
    'phone/remove',
    'lock',
    'pause/end',
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

  /** The editor of somebody who has signed in, and the errors in its console. */
  async function openAs(username: keyof typeof permissionsOf): Promise<{ page: Page; errors: Error[] }> {
    const page = await (await (browser as Browser).newContext({ locale: 'en-US' })).newPage();
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await page.goto((nodeRed as NodeRed).adminUrl);
    await page.locator('#node-dialog-login-username').fill(username);
    await page.locator('#node-dialog-login-password').fill('password');
    await page.keyboard.press('Enter');
    await page.waitForFunction(
      () => (window as unknown as Partial<EditorWindow>).RED?.workspaces.count() === 1,
    );
    return { page, errors };
  }

  it('who may not even read has no such tab, and no button that leads there', async () => {
    const { page, errors } = await openAs('builder');
    await page.locator('#red-ui-workspace-chart .red-ui-flow-node-label').waitFor();
    should(await page.locator('#red-ui-tab-authy-people').count()).equal(0);
    should(await page.locator('.authy-canvas-button:visible').count()).equal(0);
    const edit = (id: string): Promise<void> =>
      page.evaluate((id) => {
        const { RED } = window as unknown as EditorWindow;
        const node = RED.nodes.node(id);
        if (node.type === 'authy-config') RED.editor.editConfig('', node.type, id);
        else RED.editor.edit(node);
      }, id);
    await edit('gate');
    await page.locator('#node-input-account').waitFor();
    await page.waitForFunction(() => (window as unknown as EditorWindow).jQuery.active === 0);
    should(await page.locator('#authy-approval-ask-add:visible').count()).equal(0);
    await edit('door');
    await page.locator('#node-config-input-service').waitFor();
    await page.waitForFunction(() => (window as unknown as EditorWindow).jQuery.active === 0);
    should(await page.locator('#authy-config-people-open:enabled:visible').count()).equal(0);
    should(errors).eql([]);
    await page.context().close();
  });

  it('flows that were stopped by hand keep nobody waiting', async () => {
    const { accounts: before } = await people('accounts');
    for (const [state, expected] of [
      ['stop', []],
      ['start', before],
    ] as const) {
      await (nodeRed as NodeRed).post('flows/state', { state });
      should((await people('accounts')).accounts).eql(expected);
    }
    should(before).have.length(1);
  });

  it('who may only read has no buttons that change anything', async () => {
    const { page } = await openAs('guest');
    await page.evaluate(() => (window as unknown as EditorWindow).RED.actions.invoke('authy:people'));
    const panel = page.locator('.authy-people');
    await panel.getByRole('button', { name: '+491701234567' }).click();
    await panel.getByRole('heading', { name: '+491701234567' }).waitFor();
    const names = await panel.getByRole('button').evaluateAll((all) => all.map((one) => one.dataset['key']));
    should(names).eql(['refresh', 'back']);
    await page.context().close();
  });
});

async function showTab({ page }: Editor): Promise<void> {
  await page.evaluate(() => (window as unknown as EditorWindow).RED.actions.invoke('authy:people'));
  await page.locator('.authy-people').waitFor();
}

/** Makes the sidebar as narrow as it gets. */
async function narrow({ page }: Editor): Promise<void> {
  await page.addStyleTag({ content: '.authy-people { width: 280px; }' });
}
