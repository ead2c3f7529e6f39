import fs from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import should from 'should';
import { Editor, type EditorNode, startBrowser } from '../support/editor';
import { example, examples, nodeOf, tabOf } from '../support/example_flows';
import { packagesOfExamples } from '../support/example_player';
import { layoutFaults, withEditorFont } from '../support/layout';
import { eventually, NodeRed, packageName, runtimes, types } from '../support/node_red';
import { Phone } from '../support/phone';

for (const runtime of runtimes) {
  describe(`the editor of Node-RED ${runtime.version}x`, function () {
    this.timeout(120_000);
    let browser: Browser | undefined;
    let nodeRed: NodeRed | undefined;
    let editor: Editor;

    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      browser = await startBrowser(this);
      nodeRed = await NodeRed.start(this, runtime, { packages: packagesOfExamples });
      const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1500, height: 950 } });
      context.setDefaultTimeout(20_000);
      await withEditorFont(this, context);
      editor = await Editor.open(context, nodeRed, `node-red-${runtime.version.replaceAll('.', '')}`);
    });

    after(async () => {
      await browser?.close();
      await nodeRed?.stop();
    });

    afterEach(async () => {
      // Undefined where the suite was skipped.
      await (editor as Editor | undefined)?.dismiss();
    });

    /** A test in which the browser must log no error or warning. */
    function clean(title: string, test: () => Promise<void>): Mocha.Test {
      return it(title, async () => {
        editor.complaints.length = 0;
        await test();
        editor.complaints.should.deepEqual([]);
      });
    }

    it('loads without an error or a warning in the browser', () => {
      editor.complaints.should.deepEqual([]);
    });

    clean('has a palette category with every node', async () => {
      const palette = editor.page.locator('.red-ui-palette-category', {
        has: editor.page.locator('[data-palette-type="authy-user-create"]'),
      });
      const nodes = palette.locator('.red-ui-palette-node');
      const offered = await nodes.evaluateAll((found) =>
        found.map((node) => [
          node.getAttribute('data-palette-type'),
          node
            .querySelector<HTMLElement>('.red-ui-palette-label')
            ?.innerText // Where a word may be broken.
            .replaceAll('\u00ad', '')
            .replace(/\s+/g, ' ')
            .trim(),
        ]),
      );
      offered
        .map(([type]) => type)
        .sort()
        .should.deepEqual(types.filter((type) => type !== 'authy-config').sort());
      for (const [type, label = ''] of offered) {
        (label ?? '').should.match(/^[a-z0-9 -]{3,20}$/i, `${type ?? ''}: ${label ?? ''}`);
      }
      const heading = await palette.locator('.red-ui-palette-header').innerText();
      heading.trim().should.match(/^authy$/i);
      await palette.scrollIntoViewIfNeeded();
      await editor.picture('palette');
    });

    clean('imports every example from its list, and deploys them', async () => {
      for (const name of examples().keys()) await editor.importExample(packageName, name);
      await editor.deploy();
      for (const [name, flows] of examples()) {
        await editor.show(tabOf(flows));
        await editor.picture(name);
      }
      const nodes = await editor.nodes();
      types.filter((type) => !nodes.some((node) => node.type === type)).should.deepEqual([]);
      for (const { id, type } of nodes) {
        const { valid, validationErrors } = await editor.state(id);
        ({ type, valid, validationErrors }).should.deepEqual({ type, valid: true, validationErrors: [] });
      }
    }).timeout(300_000);

    clean('every example is laid out for a screen of 1366 by 768', async () => {
      const wide = editor.page.viewportSize() ?? { width: 0, height: 0 };
      await editor.page.setViewportSize({ width: 1366, height: 768 });
      const faults: Record<string, string[]> = {};
      for (const [name, flows] of examples()) {
        await editor.show(tabOf(flows));
        const found = await layoutFaults(editor.page);
        if (found.length > 0) faults[name] = found;
      }
      await editor.page.setViewportSize(wide);
      faults.should.deepEqual({});
    });

    for (const type of types) {
      clean(`the panel of ${type} opens in plain words, and closing it changes nothing`, async () => {
        const node = (await editor.nodes()).find((found) => found.type === type) as EditorNode;
        if (type !== 'authy-config') await editor.show(node.z);
        const { values } = await editor.state(node.id);
        await editor.openPanel(node);
        (await editor.untranslated()).should.deepEqual([]);
        await editor.picture(`panel of ${type}`);
        await editor.closePanel(node);
        (await editor.state(node.id)).should.deepEqual({ valid: true, validationErrors: [], values });
      });
    }

    clean("an account is tested, and its simulator's phone opened, from its panel", async () => {
      const flows = example('Approve on the phone (OneTouch)');
      const { page } = editor;
      const account = { ...nodeOf(flows, 'authy-config'), z: '' };
      await editor.openPanel(account);
      await page.locator('#authy-config-test').click();
      await page.getByText('The simulator runs.').waitFor();
      await editor.picture('account tested');
      const opened = page.waitForEvent('popup');
      await page.locator('#authy-config-phone').click();
      const phone = await opened;
      await phone.waitForURL(`**/authy-simulator/${account.id}/phone/`);
      await phone.close();
      await editor.closePanel(account);
    });

    for (const [button, answer] of [
      ['Approve', 'approved'],
      ['Deny', 'denied'],
    ] as const) {
      clean(`the button on the canvas asks, ${button} on the phone's page answers: ${answer}`, async () => {
        const flows = example('Approve on the phone (OneTouch)');
        const account = nodeOf(flows, 'authy-config').id;
        await editor.show(tabOf(flows));
        const phone = await editor.openBeside(
          `${(nodeRed as NodeRed).adminUrl}authy-simulator/${account}/phone/`,
        );
        try {
          await editor.page.bringToFront();
          await editor.pressInject(nodeOf(flows, 'inject', 'ask to open the garage').id);
          await phone.bringToFront();
          await phone.getByText('Open the garage?').first().waitFor();
          await editor.picture(`phone before ${button}`, phone);
          await phone.getByRole('button', { name: button, exact: true }).first().click();
          await phone.getByRole('button', { name: button, exact: true }).waitFor({ state: 'detached' });
          await editor.picture(`phone after ${button}`, phone);
        } finally {
          await phone.close();
        }
        await editor.page.bringToFront();
        const callback = nodeOf(flows, 'authy-onetouch-callback').id;
        await eventually('the status below the callback node', async () =>
          (await editor.status(callback)).includes(answer) ? true : undefined,
        );
        await editor.picture(answer);
        const debug = flows.find(({ type, name }) => type === 'debug' && name?.startsWith(`${answer}:`));
        await eventually('the status below the debug node', async () =>
          (await editor.status(debug?.id ?? '')).includes(answer) ? true : undefined,
        );
      });
    }

    /** Opens a page of an example, and takes pictures of it for people to look at. */
    async function pictured(route: string, name: string, use: (page: Page) => Promise<void>): Promise<void> {
      const page = await editor.openBeside(`${(nodeRed as NodeRed).nodeUrl}${route}`);
      try {
        await page.setViewportSize({ width: 390, height: 844 });
        await page.bringToFront();
        await use(page);
        await editor.picture(name, page);
        await page.emulateMedia({ colorScheme: 'dark' });
        await editor.picture(`${name} in the dark`, page);
      } finally {
        await page.close();
      }
    }

    /** Answers the oldest open request on the phone of an example. */
    async function answer(name: string, button: 'Approve' | 'Deny'): Promise<void> {
      const account = nodeOf(example(name), 'authy-config').id;
      const phone = await editor.openBeside(
        `${(nodeRed as NodeRed).adminUrl}authy-simulator/${account}/phone/`,
      );
      try {
        const buttons = phone.getByRole('button', { name: button, exact: true });
        await buttons.first().waitFor();
        const open = await buttons.count();
        await buttons.first().click();
        // The page must not be closed before its answer has arrived.
        await eventually(
          'the request to be answered',
          async () => (await buttons.count()) < open || undefined,
        );
      } finally {
        await phone.close();
      }
    }

    /** Types where a page puts the cursor. Waits for the cursor, because the page is visible before it. */
    async function typeAtCursor(page: Page, text: string): Promise<void> {
      await page.locator('input:focus').waitFor();
      await page.keyboard.type(text);
    }

    clean('signs up and logs in by the keyboard', async () => {
      await pictured('authy/sign-up', 'sign-up', async (page) => {
        await typeAtCursor(page, 'ada@example.com');
        await page.keyboard.press('Tab');
        await page.keyboard.type('+13175550124');
        await page.keyboard.press('Enter');
        await page.getByText('A code is on its way').waitFor();
      });
      await pictured('login', 'log-in', async (page) => {
        await typeAtCursor(page, 'ada');
        await page.keyboard.press('Enter');
        await page.getByLabel('The code for ada').waitFor();
        // A wrong code is answered 401, which the browser’s console reports.
        await typeAtCursor(page, '123456');
        await page.keyboard.press('Enter');
        await page.getByText('This code is wrong').waitFor();
        editor.complaints
          .splice(0)
          .every((complaint) => complaint.includes('401'))
          .should.be.true();
      });
    });

    clean('disarms the alarm from its dashboard', () =>
      pictured('alarm', 'alarm', async (page) => {
        await page.getByText('Armed', { exact: true }).waitFor();
        await page.getByRole('button', { name: 'Disarm' }).press('Enter');
        await page.getByText('Asking Ada').waitFor();
        await answer('Disarm the alarm from a dashboard', 'Approve');
        await page.getByText('Off', { exact: true }).waitFor();
      }),
    );

    clean('shows what each of two approvers said', () =>
      pictured('payment', 'payment', async (page) => {
        await page.getByRole('button', { name: 'Ask both' }).click();
        await page.getByText('is asked…').nth(1).waitFor();
        await answer('Two approvers (four eyes)', 'Deny');
        await page.getByText('said no', { exact: true }).waitFor();
        await page.getByText('is not asked any more').waitFor();
      }),
    );

    clean('shows the progress of the import, and its results', () =>
      pictured('import', 'import', async (page) => {
        await page.getByRole('button', { name: 'Import' }).click();
        await page.getByText(/^[1-9]\d? of 20, \d failed…$/).waitFor();
        await editor.picture('import under way', page);
        await page.getByText('Finished: 20 of 20, 2 failed.').waitFor();
        (await page.getByRole('row').count()).should.equal(22);
      }),
    );

    clean('draws the statistics on FlowFuse Dashboard 2', () =>
      pictured('dashboard/authy', 'statistics', async (page) => {
        await page.setViewportSize({ width: 1200, height: 760 });
        await (nodeRed as NodeRed).inject(
          nodeOf(example('Nightly check and statistics (Dashboard 2)'), 'inject', 'some use').id,
        );
        await page.getByRole('button', { name: 'Check now' }).click();
        await page.getByText('All is well with').waitFor();
        // A bar in the colour of the first series.
        await page.waitForFunction(() => {
          const canvas = document.querySelector('canvas');
          const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
          let found = 0;
          for (let i = 0; i < pixels.length; i += 4) {
            if (pixels[i] === 0x0b && pixels[i + 1] === 0x57 && pixels[i + 2] === 0xd0) found += 1;
          }
          return found > 1000;
        });
      }),
    );

    clean('the dashboard opens the garage once the phone has approved', async () => {
      const flows = example('Garage door with approval');
      const { adminUrl, nodeUrl } = nodeRed as NodeRed;
      const phone = await editor.openBeside(
        `${adminUrl}authy-simulator/${nodeOf(flows, 'authy-config').id}/phone/`,
      );
      const dashboard = await editor.openBeside(`${nodeUrl}garage`);
      try {
        await dashboard.setViewportSize({ width: 390, height: 844 });
        await dashboard.emulateMedia({ reducedMotion: 'reduce' });
        await dashboard.getByText('Closed', { exact: true }).waitFor();
        await editor.picture('garage closed', dashboard);
        await dashboard.getByRole('button', { name: 'Open the garage' }).click();
        await dashboard.getByText('Waiting for Ada').waitFor();
        await editor.picture('garage asking', dashboard);

        await phone.bringToFront();
        await phone.getByText('Open the garage?').first().waitFor();
        await editor.picture('phone asked by the garage', phone);
        await phone.getByRole('button', { name: 'Approve', exact: true }).first().click();

        await dashboard.bringToFront();
        await dashboard.getByText('Open', { exact: true }).waitFor();
        await editor.picture('garage open', dashboard);
        await dashboard.emulateMedia({ reducedMotion: 'reduce', colorScheme: 'dark' });
        await editor.picture('garage open in the dark', dashboard);
      } finally {
        await dashboard.close();
        await phone.close();
      }
      await editor.page.bringToFront();
      await editor.show(tabOf(flows));
      const gate = nodeOf(flows, 'authy-onetouch-approval').id;
      await eventually('the status below the gate', async () =>
        (await editor.status(gate)).includes('approved') ? true : undefined,
      );
      await editor.picture('the gate has approved');
    });

    clean('a flow goes on unchanged once its account is set to Twilio Verify, simulated', async () => {
      const flows = example('Code by SMS and verify');
      const account = { ...nodeOf(flows, 'authy-config'), z: '' };
      const { adminUrl, nodeUrl } = nodeRed as NodeRed;
      await editor.show(tabOf(flows));
      await editor.openPanel(account);
      await editor.picture('account on the simulator');
      await editor.page.locator('#node-config-input-service').selectOption('verify');
      await editor.page.locator('#node-config-input-verifyServiceSid').waitFor();
      await editor.picture('account on Twilio Verify');
      await editor.page.locator('#node-config-input-service').selectOption('verify-simulator');
      await editor.page.locator('#node-config-input-verifyServiceSid').waitFor({ state: 'hidden' });
      await editor.picture('account on the simulator of Twilio Verify');
      await editor.closePanel(account);
      (await editor.state(account.id)).values.should.containEql({ service: 'verify', simulated: true });
      await editor.deploy();

      const phone = await editor.openBeside(`${adminUrl}authy-simulator/${account.id}/phone/`);
      const page = await editor.openBeside(`${nodeUrl}authy/code`);
      try {
        await editor.page.bringToFront();
        await editor.pressInject(nodeOf(flows, 'inject', 'by text message').id);
        await phone.bringToFront();
        const text = phone.getByText(/\b[0-9]{6}\b/).first();
        await text.waitFor();
        await editor.picture('phone with a code of Twilio Verify', phone);
        const [code = ''] = /\b[0-9]{6}\b/.exec(await text.innerText()) ?? [];
        await page.bringToFront();
        await page.locator('[name="code"]').fill(code);
        await page.locator('[name="code"]').press('Enter');
        await page.getByText('Welcome').waitFor();
      } finally {
        await page.close();
        await phone.close();
      }
      await editor.page.bringToFront();
      const verify = nodeOf(flows, 'authy-token-verify').id;
      await eventually('the status below the node', async () =>
        (await editor.status(verify)).includes('valid') ? true : undefined,
      );
      await editor.picture('the code is valid on Twilio Verify');
    });

    clean('people are imported from a list and exported in the panel of their account', async () => {
      const account = { ...nodeOf(example('Code by SMS and verify'), 'authy-config'), z: '' };
      const { page } = editor;
      const result = page.locator('#authy-config-people-result');
      const choose = async (name: string, lines: readonly string[]): Promise<void> => {
        const chooser = page.waitForEvent('filechooser');
        await page.getByRole('button', { name: 'Import a list' }).click();
        await (await chooser).setFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) });
      };
      const exported = async (button: string): Promise<string> => {
        const download = page.waitForEvent('download');
        await page.getByRole('button', { name: button }).click();
        const file = await download;
        should(file.suggestedFilename()).equal(
          `people-${account.id}.${button.slice(-4).trim().toLowerCase()}`,
        );
        await result.getByText('Downloaded:').waitFor();
        return fs.readFileSync(await file.path(), 'utf8');
      };
      const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

      await editor.openPanel(account);
      await editor.unfold();
      const known = await page.getByText(/^Known here: \d+$/).innerText();
      const before = Number(known.split(' ').at(-1));

      await choose('wrong.csv', ['phone,email', '12,', '+447400123456,ada', '+447400123457,']);
      await result.getByText('nobody was added').waitFor();
      should(await result.innerText()).match(/\nline 2: phoneNumber must be .*\nline 3: email must be /);
      await editor.picture('a wrong list of people');

      await choose('people.csv', [
        'phone,email,secret',
        `+447400123456,ada@example.com,${secret}`,
        '+447400123457,,',
      ]);
      await result.getByText('people.csv: 2 to be added, 0 to be changed, 0 stay as they are.').waitFor();
      should(await page.getByText(/^Known here: \d+$/).innerText()).equal(known);
      await editor.picture('what an import of people would do');
      await result.getByRole('button', { name: 'Cancel' }).click();
      should(await result.innerText()).equal('');
      await choose('people.csv', [
        'phone,email,secret',
        `+447400123456,ada@example.com,${secret}`,
        '+447400123457,,',
      ]);
      await result.getByRole('button', { name: 'Import' }).click();
      await result.getByText('2 added, 0 changed, 0 as they were.').waitFor();
      await page.getByText(`Known here: ${before + 2}`, { exact: true }).waitFor();

      const csv = await exported('Export as CSV');
      should(csv).containEql("'+447400123456,44,ada@example.com").and.not.containEql(secret);
      await page.locator('#authy-config-people-secrets').check();
      should(await exported('Export as JSON')).containEql(secret);
      await editor.picture('people exported');
      (await editor.barriers()).should.deepEqual([]);

      const service = page.locator('#node-config-input-service');
      await service.selectOption('verify');
      await page.getByText('Deploy first: the list is that of the account that runs.').waitFor();
      await service.selectOption('authy');
      await page.getByText('The service of this account keeps its users itself').waitFor();
      for (const name of ['Import a list', 'Export as CSV', 'Export as JSON']) {
        should(await page.getByRole('button', { name }).isDisabled()).be.true();
      }
      await editor.picture('an account without people');
      await service.selectOption('verify-simulator');
      await page.getByText(`Known here: ${before + 2}`, { exact: true }).waitFor();
      await editor.closePanel(account);
    });

    clean('a node says in its panel what the service of its account does not do', async () => {
      const flows = example('Manage users');
      const node = nodeOf(flows, 'authy-user-activity');
      const activity: EditorNode = { id: node.id, type: node.type, z: tabOf(flows), name: '' };
      const onVerify = nodeOf(example('Code by SMS and verify'), 'authy-config').id;
      await editor.show(tabOf(flows));
      await editor.openPanel(activity);
      const reason = editor.page.getByText('Twilio Verify does not record activities');
      (await reason.isVisible()).should.be.false();
      await editor.page.locator('#node-input-account').selectOption(onVerify);
      await reason.waitFor();
      await editor.picture('panel of a node that its service does not do');
      await editor.page.locator('#node-input-account').selectOption(String(node['account']));
      await reason.waitFor({ state: 'hidden' });
      await editor.closePanel(activity);
      should((await editor.state(activity.id)).valid).be.true();
    });

    clean('the subflow keeps its account when its panel is closed, and says when it has none', async () => {
      const flows = example('Approve before this (subflow)');
      const account = nodeOf(flows, 'authy-config').id;
      const found = flows.find(({ type }) => type.startsWith('subflow:')) as EditorNode;
      const instance: EditorNode = { id: found.id, type: found.type, z: tabOf(flows) };
      const { page } = editor;
      const choice = page.locator('#node-input-subflow-env-ACCOUNT');
      await editor.show(instance.z);

      await editor.openPanel(instance);
      should(await choice.inputValue()).equal(account);
      const message = page.locator('.red-ui-tray-body .red-ui-typedInput-input[type="text"]').last();
      await message.fill('Close the garage?');
      await editor.picture('panel of the subflow');
      await editor.closePanel(instance);
      const { env } = (await editor.state(instance.id)).values;
      should(env).deepEqual([
        { name: 'ACCOUNT', value: account, type: 'conf-type' },
        { name: 'MESSAGE', value: 'Close the garage?', type: 'str' },
      ]);
      await editor.deploy();
      const button = nodeOf(flows, 'inject', 'open the garage').id;
      await editor.pressInject(button);
      const phone = new Phone(nodeRed as NodeRed, account);
      const { uuid } = await eventually('the question on the phone', async () =>
        (await phone.approvals()).find((asked) => asked.message === 'Close the garage?'),
      );
      // What waits would be kept over the deploy.
      await phone.answer(uuid, 'deny');
      await eventually('the badge of the answer', async () =>
        (await editor.status(instance.id)).includes('denied') ? true : undefined,
      );

      await editor.openPanel(instance);
      await choice.selectOption('_ADD_');
      await editor.closePanel(instance);
      await editor.deploy();
      await eventually('the badge of the subflow', async () =>
        (await editor.status(instance.id)).includes('choose an account') ? true : undefined,
      );
      await editor.pressInject(button);
      await page
        .locator('.red-ui-debug-msg', { hasText: 'Open the node and choose an account' })
        .waitFor({ state: 'attached' });
      (await phone.approvals()).should.have.length(1);
      await editor.picture('the subflow without an account');
    });
  });
}
