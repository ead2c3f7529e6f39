import fs from 'node:fs';
import path from 'node:path';
import type { Browser, Locator, Page } from 'playwright-core';
import should from 'should';
import { languages } from '../contract/catalogues';
import { panelOf } from '../contract/panels';
import { Editor, type EditorWindow, startBrowser } from '../support/editor';
import { eventually, type FlowNode, NodeRed, root, runtimes, types } from '../support/node_red';

/**
 * The languages and themes in which the panels are tested, and how they are filled; German has the longest words.
 * Without `listsStay`, fields that can be lists get other types as well.
 */
const views = [
  { language: 'en-US', isDark: false, turn: 0, listsStay: true },
  { language: 'de', isDark: true, turn: 4, listsStay: false },
];

const account: FlowNode = {
  // Not its type: Node-RED takes a config node that names itself for one that waits for another, and never starts it.
  id: 'account',
  type: 'authy-config',
  name: '',
  service: 'simulator',
  baseUrl: '',
  pathPrefix: '',
  deadline: 15,
  maxInFlight: 10,
  tls: '',
  proxy: '',
  callbackUrl: '',
  callbackMethod: 'POST',
  approvalStore: 'context',
  redisUrl: '',
};

/** What people look for in the palette, and a node that does it. */
const lookedFor = [
  ['2fa', 'authy-token-verify'],
  ['mfa', 'authy-onetouch-approval'],
  ['otp', 'authy-token-sms'],
  ['approve', 'authy-onetouch-approval'],
  ['push', 'authy-onetouch-send'],
  ['twilio', 'authy-user-create'],
  ['ask', 'authy-onetouch-approval'],
  ['confirm', 'authy-onetouch-approval'],
  ['passkey', 'authy-user-invite'],
  ['login', 'authy-token-verify'],
  ['person', 'authy-user-create'],
  ['notify', 'authy-notifications'],
] as const;

/** A flow with one node of each type, with the defaults of the palette and no values from a person. */
const oneOfEach: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'one of each' },
  ...types.map((type, index): FlowNode => {
    if (type === 'authy-config') return account;
    return { id: type, type, z: 'tab', x: 200, y: 40 + index * 40, wires: [], account: account.id };
  }),
];

/** The same flow, in which each node has an account whose service does what the node is for. */
const inUse: FlowNode[] = [
  ...oneOfEach.map((node) =>
    ['authy-user-import', 'authy-user-invite'].includes(node.type) ? { ...node, account: 'on-verify' } : node,
  ),
  { ...account, id: 'on-verify', version: 2, service: 'verify', simulated: true },
];

for (const runtime of runtimes) {
  describe(`the panels in Node-RED ${runtime.version}x`, function () {
    this.timeout(60_000);
    let browser: Browser | undefined;
    let nodeRed: NodeRed | undefined;

    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      browser = await startBrowser(this);
      nodeRed = await NodeRed.start(this, runtime);
      await nodeRed.deploy(oneOfEach);
    });
    after(async () => {
      await browser?.close();
      await nodeRed?.stop();
    });

    async function open(language: string): Promise<Editor> {
      const viewport = { width: 1300, height: 1100 };
      const context = await (browser as Browser).newContext({ locale: language, viewport });
      context.setDefaultTimeout(20_000);
      return Editor.open(context, nodeRed as NodeRed, `panels-${runtime.version.replaceAll('.', '')}`);
    }

    describe('in use', () => {
      let editor: Editor;
      const send = { id: '', type: 'authy-onetouch-send', z: 'tab' };
      const field = (name: string): Locator =>
        editor.page.locator(`.form-row:has(> #node-input-${name}) .red-ui-typedInput-input`);

      before(async () => {
        editor = await open('en-US');
      });
      after(() => (editor as Editor | undefined)?.page.context().close());
      afterEach(() => editor.dismiss());

      it('a new node uses the only account, and says which fields are missing', async () => {
        send.id = await editor.drag(send.type);
        should((await editor.state(send.id)).values).match({ account: account.id });
        await editor.openPanel(send);
        (await editor.page.locator('#node-input-account').inputValue()).should.equal(account.id);
        const phone = editor.page.locator('.red-ui-tray').getByRole('link', { name: 'Open the phone' });
        should(await phone.getAttribute('href')).equal(`authy-simulator/${account.id}/phone/`);
        await field('message').fill('Open the door?');
        await editor.closePanel(send);
        (await editor.state(send.id)).should.have.properties({ valid: true, validationErrors: [] });
      });

      it('rows are added to a list, changed and removed', async () => {
        await editor.openPanel(send);
        const [details] = await editor.page.locator('.authy-list').all();
        if (details === undefined) throw new Error('There is no list.');
        const rows = details.locator('li');
        const add = details.locator('.red-ui-editableList-addButton');
        for (const [name, value] of [
          ['Door', 'Garage'],
          ['Door', 'payload.amount'],
        ] as const) {
          await add.click();
          await rows.last().locator('.authy-name').fill(name);
          await rows.last().locator('.red-ui-typedInput-input').fill(value);
        }
        await rows.last().locator('.red-ui-typedInput-type-select').click();
        await editor.page.locator('.red-ui-typedInput-options:visible a[value="msg"]').click();
        await editor.closePanel(send);
        const twice = await editor.state(send.id);
        twice.should.have.property('valid', false);
        should(twice.validationErrors).eql(['Details: enter another name: “Door” is there twice']);

        await editor.openPanel(send);
        await rows.last().locator('.authy-name').fill('Amount');
        await add.click();
        await rows.last().locator('.red-ui-editableList-item-remove').click();
        await rows.nth(2).waitFor({ state: 'detached' });
        await editor.picture('rows of a list');
        await editor.closePanel(send);
        const { valid, values } = await editor.state(send.id);
        should(valid).equal(true);
        should(JSON.parse(String(values['details']))).eql([
          { name: 'Door', value: 'Garage', type: 'str' },
          { name: 'Amount', value: 'payload.amount', type: 'msg' },
        ]);
      });

      it('a wrong value is reported with the reason', async () => {
        await editor.openPanel(send);
        await field('message').fill('x'.repeat(145));
        await editor.closePanel(send);
        should((await editor.state(send.id)).validationErrors).eql([
          'Message: enter text of at most 144 characters',
        ]);
      });

      it('the reason comes with what is typed, and goes once it is right', async () => {
        await editor.openPanel(send);
        const reason = editor.page.locator('.form-row:has(> #node-input-message) .authy-reason');
        should(await reason.textContent()).equal('Enter text of at most 144 characters');
        await field('message').fill('Open the door?');
        should(await reason.textContent()).equal('');
        await field('message').press('ControlOrMeta+a');
        await field('message').press('Delete');
        should(await reason.textContent()).equal('Enter a value: this field must not be blank');
        // A screen reader finds it at the field.
        const described = await field('message').getAttribute('aria-describedby');
        should(described).equal(await reason.getAttribute('id'));
        await field('message').pressSequentially('Open?');
        await editor.closePanel(send);
        should((await editor.state(send.id)).valid).equal(true);
      });

      it('an address where the name of a property belongs is wrong, though Node-RED would take it', async () => {
        const create = { id: 'authy-user-create', type: 'authy-user-create', z: 'tab' };
        const reason = editor.page.locator('.form-row:has(> #node-input-email) .authy-reason');
        await editor.openPanel(create);
        await field('email').fill('ada@example.com');
        should(await reason.textContent()).match(/^Choose the type “string” on the left for a fixed value/);
        await field('email').fill('payload.email');
        should(await reason.textContent()).equal('');
        await editor.dismiss();
      });

      it('what is rarely used is folded away, until it is opened, wrong or not as it was', async () => {
        const gate = {
          id: await editor.drag('authy-onetouch-approval'),
          type: 'authy-onetouch-approval',
          z: 'tab',
        };
        const { page } = editor;
        const size = page.viewportSize();
        const maxOpen = page.locator('#node-input-maxOpen');
        const details = page.locator('#dialog-form details');
        await page.setViewportSize({ width: 1366, height: 768 });
        await editor.openPanel(gate);
        should(await maxOpen.isVisible()).be.false();
        // All of it is above the buttons at the panel's foot.
        const foot = await page.locator('.red-ui-tray-footer').boundingBox();
        const fold = await details.boundingBox();
        should((fold?.y ?? 0) + (fold?.height ?? 0)).be.below(foot?.y ?? 0);
        await details.locator('summary').press('Enter');
        await maxOpen.fill('many');
        await page.getByText('Enter a whole number from 0 to 100000').waitFor();
        await details.evaluate((fold: HTMLDetailsElement) => (fold.open = false));
        await field('message').fill('Open the door?');
        await maxOpen.fill('4');
        await editor.closePanel(gate);
        await editor.openPanel(gate);
        should(await maxOpen.isVisible()).be.true();
        await maxOpen.fill('3');
        await editor.closePanel(gate);
        await editor.openPanel(gate);
        should(await maxOpen.isVisible()).be.false();
        await editor.closePanel(gate);
        await page.setViewportSize(size ?? { width: 1300, height: 1100 });
      });

      for (const type of types) {
        it(`${type} says beneath each field why its value is wrong, and what to do`, async () => {
          const { defaults, credentials = {} } = panelOf(type).definition;
          const validated = Object.entries({ ...defaults, ...credentials })
            .filter(([, property]) => 'required' in property || property.validate !== undefined)
            .map(([property]) => property);
          editor.complaints.length = 0;
          await editor.openPanel({ id: type, type, z: 'tab' });
          const { faults, wrong } = await wrongValuesIn(editor.page, type, validated);
          should(faults).eql([]);
          should(editor.complaints).eql([]);
          should(wrong.sort()).eql(validated.filter((property) => property !== 'version').sort());
        });
      }

      it('a language is found by its name', async () => {
        const sms = { id: 'authy-token-sms', type: 'authy-token-sms', z: 'tab' };
        await editor.openPanel(sms);
        await field('locale').click();
        await editor.page.getByText('Portuguese (pt)', { exact: true }).waitFor();
        await field('locale').pressSequentially('ger');
        await editor.picture('a language searched for');
        await editor.page.getByText('German (de)', { exact: true }).click();
        await editor.closePanel(sms);
        should((await editor.state(sms.id)).values['locale']).equal('de');
      });

      it('a number that may stay blank shows in grey what it is then', async () => {
        const gate = { id: 'authy-onetouch-approval', type: 'authy-onetouch-approval', z: 'tab' };
        await editor.openPanel(gate);
        for (const [property, usual] of [
          ['maxOpen', '3'],
          ['coolDown', '5'],
        ] as const) {
          should(await editor.page.locator(`#node-input-${property}`).getAttribute('placeholder')).equal(
            usual,
          );
        }
        await editor.dismiss();
      });

      it('a choice may stay blank, and a flow of an older version has it so', async () => {
        const older = { id: 'authy-onetouch-send', type: 'authy-onetouch-send', z: 'tab' };
        const choice = editor.page.locator(
          '.form-row:has(> #node-input-atLeast) .red-ui-typedInput-option-trigger',
        );
        await editor.openPanel(older);
        should((await choice.textContent())?.trim()).equal('any approval');
        await editor.closePanel(older);
        should((await editor.state(older.id)).values).match({ atLeast: '', atLeastType: 'str' });
        await editor.openPanel(older);
        await editor.unfold();
        await choice.click();
        await editor.page.locator('.red-ui-typedInput-options:visible a[value="passkey"]').click();
        await editor.closePanel(older);
        should((await editor.state(older.id)).values).match({ atLeast: 'passkey', atLeastType: 'str' });
      });

      it('a new account begins with this Node-RED, and a missing key shows on it and on what uses it', async () => {
        const { page } = editor;
        const edit = (id: string): Promise<void> =>
          page.evaluate(
            (id) => (window as unknown as EditorWindow).RED.editor.editConfig('account', 'authy-config', id),
            id,
          );
        const service = page.locator('#node-config-input-service');
        const key = page.locator('#node-config-input-apiKey');
        await edit('_ADD_');
        await page.locator('#node-config-dialog-ok').click({ trial: true });
        should(await service.inputValue()).equal('local');
        await page.locator('#authy-config-test').click();
        await page.getByText('There is nothing to connect to').waitFor();
        await service.selectOption('simulator');
        await page.locator('#authy-config-test').click();
        await page.getByText('Deploy first: the simulator starts').waitFor();
        await service.selectOption('authy');
        // A field is validated once it is typed in, or saved.
        await key.fill('x');
        await key.fill('');
        await page.locator('#node-config-input-apiKey.input-error').waitFor();
        const before = new Set((await editor.nodes()).map(({ id }) => id));
        await editor.closePanel({ id: '', type: 'authy-config', z: '' });
        const added = (await editor.nodes()).find(({ id }) => !before.has(id))?.id ?? '';
        should(await editor.state(added)).match({
          valid: false,
          validationErrors: [/^API key: enter it/],
          values: { service: 'authy', simulated: false },
        });

        await editor.openPanel(send);
        await page.locator('#node-input-account').selectOption(added);
        await editor.closePanel(send);
        should((await editor.state(send.id)).validationErrors).matchAny(/^Account: /);
        await edit(added);
        await page.locator('#node-config-dialog-ok').click({ trial: true });
        await key.fill('a-key-of-32-characters-for-tests');
        await editor.closePanel({ id: '', type: 'authy-config', z: '' });
        should(await editor.state(added)).match({ valid: true });
        await editor.openPanel(send);
        await page.locator('#node-input-account').selectOption(account.id);
        await editor.closePanel(send);
      });

      // It takes long, and is the same in both.
      if (runtime.version === '5.')
        it('no account gets the page of another one: a new page has a free path, and a taken one says so', async () => {
          const { page } = editor;
          const path = page.locator('#node-config-input-approverPath');
          const service = page.locator('#node-config-input-service');
          const reason = page.locator('.form-row:has(> #node-config-input-approverPath) .authy-reason');
          const open = async (id: string): Promise<void> => {
            await page.evaluate(
              (id) =>
                (window as unknown as EditorWindow).RED.editor.editConfig('account', 'authy-config', id),
              id,
            );
            await page.locator('#node-config-dialog-ok').click({ trial: true });
          };
          const ids = async (): Promise<string[]> => (await editor.nodes()).map(({ id }) => id);
          /** Saves the open panel. @returns the account, if it is new */
          const save = async (before: readonly string[]): Promise<string> => {
            await editor.closePanel({ id: '', type: 'authy-config', z: '' });
            return (await ids()).find((id) => !before.includes(id)) ?? '';
          };

          const [none, paths] = [await ids(), new Set<string>()];
          await open('_ADD_');
          const taken = await path.inputValue();
          paths.add(taken);
          const first = await save(none);
          const one = await ids();
          await open('_ADD_');
          should(await path.isVisible()).be.false();
          await editor.unfold();
          paths.add(await path.inputValue());
          for (const wrong of [taken, `${taken.toUpperCase()}/garage`]) {
            await path.fill(wrong);
            should(await reason.textContent()).match(
              /^Choose another page path: at .* is the page of the account/,
            );
          }
          await path.fill([...paths][1] ?? '');
          should(await reason.textContent()).equal('');
          const second = await save(one);
          for (const id of [first, second]) should(await editor.state(id)).match({ valid: true });
          // At a path that is none no page is served: it is in nobody's way.
          await open(first);
          await editor.unfold();
          for (const path of ['/', ' ']) {
            await page.locator('#node-config-input-approverPath').fill(path);
            await save([]);
            should(await editor.state(first)).match({ valid: false });
            should(await editor.state(second)).match({ valid: true });
            await open('_ADD_');
            should(await page.locator('#node-config-input-approverPath').inputValue()).match(/^\/approve/);
            await editor.dismiss();
            await open(first);
            await editor.unfold();
          }
          // Where one takes the path of another, both are marked until one of them has gone elsewhere.
          await page.locator('#node-config-input-approverPath').fill([...paths][1] ?? '');
          await save([]);
          for (const id of [first, second]) should(await editor.state(id)).match({ valid: false });
          await open(first);
          await editor.unfold();
          await page.locator('#node-config-input-approverPath').fill(taken);
          await save([]);
          for (const id of [first, second]) should(await editor.state(id)).match({ valid: true });
          // A page that is there stays where it is.
          for (const [id, stays] of [
            [first, 0],
            [second, 1],
          ] as const) {
            await open(id);
            should(await path.isVisible()).be.false();
            should(await path.inputValue()).equal([...paths][stays]);
            await save([]);
          }
          // Another service has had none yet.
          await open(account.id);
          const folds = page.locator('#node-config-dialog-edit-form details[open]');
          const opened = await folds.count();
          await service.selectOption('local');
          paths.add(await path.inputValue());
          should(await folds.count()).equal(opened);
          await editor.dismiss();
          should([...paths]).have.length(3);
        });

      it('an account of an older version is opened with its meaning kept, and saved in the new format', async () => {
        const node = { id: account.id, type: account.type, z: '' };
        const saved = (): Promise<unknown> =>
          editor.page.evaluate((id) => {
            const { RED } = window as unknown as { RED: { nodes: { node(id: string): object } } };
            const { version, service, simulated, callbackUrl } = RED.nodes.node(id) as Record<
              string,
              unknown
            >;
            return { version, service, simulated, callbackUrl };
          }, account.id);
        should(await saved()).match({ service: 'simulator', callbackUrl: '' });
        await editor.openPanel(node);
        const service = editor.page.locator('#node-config-input-service');
        should(await service.inputValue()).equal('simulator');
        await editor.closePanel(node);
        const callbackUrl = '/authy/callback';
        should(await saved()).eql({ version: 3, service: 'authy', simulated: true, callbackUrl });
        await editor.openPanel(node);
        await editor.page.locator('#node-config-input-callbackUrl').fill('');
        await editor.closePanel(node);
        should(await saved()).eql({ version: 3, service: 'authy', simulated: true, callbackUrl: '' });
        await editor.openPanel(node);
        should(await service.inputValue()).equal('simulator');
        await service.selectOption('authy');
        await editor.closePanel(node);
        should(await saved()).eql({ version: 3, service: 'authy', simulated: false, callbackUrl: '' });
      });

      it('an unknown service, or a variable, stays until another service is chosen', async () => {
        const node = { id: account.id, type: account.type, z: '' };
        for (const kept of [
          { service: 'another' },
          { service: '${AUTHY_SERVICE}' },
          { service: 'authy', simulated: '${X}' },
        ]) {
          const get = (): Promise<unknown> =>
            editor.page.evaluate(
              ([id, names]) => {
                const { RED } = window as unknown as { RED: { nodes: { node(id: string): object } } };
                const found = RED.nodes.node(id) as Record<string, unknown>;
                return Object.fromEntries(names.map((name) => [name, found[name]]));
              },
              [account.id, Object.keys(kept)] as const,
            );
          await editor.page.evaluate(
            ([id, values]) => {
              const { RED } = window as unknown as { RED: { nodes: { node(id: string): object } } };
              Object.assign(RED.nodes.node(id), values);
            },
            [account.id, kept] as const,
          );
          await editor.openPanel(node);
          await editor.closePanel(node);
          should(await get()).eql(kept);
          await editor.openPanel(node);
          await editor.page.locator('#node-config-input-service').selectOption('simulator');
          await editor.closePanel(node);
          should(await get()).match({ service: 'authy' });
        }
      });

      it('an account has the rows of the page where people answer on this Node-RED', async () => {
        const node = { id: account.id, type: account.type, z: '' };
        const service = editor.page.locator('#node-config-input-service');
        const url = editor.page.locator('#node-config-input-approverUrl');
        await editor.openPanel(node);
        for (const [option, isShown] of [
          ['authy', false],
          ['local', true],
          ['simulator', false],
          ['verify-simulator', true],
          ['verify', true],
        ] as const) {
          await service.selectOption(option);
          should(await url.isVisible()).equal(isShown, option);
        }
        const ownApp = editor.page.locator('#node-config-input-verifyPush');
        await ownApp.check();
        should(await url.isVisible()).be.false();
        await service.selectOption('local');
        should(await url.isVisible()).be.true();
        // An account of before has no such settings yet.
        should(await editor.page.locator('#node-config-input-approverPush').isChecked()).be.true();
        should(await editor.page.locator('#node-config-input-approverText').isChecked()).be.true();
        await service.selectOption('verify-simulator');
        await ownApp.uncheck();
        should(await url.isVisible()).be.true();
        await editor.closePanel(node);
      });

      it('fields that do not apply are hidden until they do', async () => {
        const sms = { id: 'authy-token-sms', type: 'authy-token-sms', z: 'tab' };
        await editor.openPanel(sms);
        await field('actionMessage').waitFor({ state: 'hidden' });
        await field('action').pressSequentially('pay');
        await field('actionMessage').waitFor();
        await editor.closePanel(sms);

        const create = { id: 'authy-user-create', type: 'authy-user-create', z: 'tab' };
        await editor.openPanel(create);
        await field('countryCode').waitFor();
        await editor.page.evaluate(() => {
          const { jQuery } = window as unknown as EditorWindow;
          jQuery('#node-input-phoneNumber').typedInput('type', 'str');
        });
        await field('phoneNumber').fill('+13175550123');
        await field('countryCode').waitFor({ state: 'hidden' });
        await editor.closePanel(create);
      });

      it('a section of the help opens by the keyboard', async () => {
        const help = await editor.openHelp('authy-onetouch-approval');
        const outputs = help.locator('details').nth(1);
        await outputs.locator('dl').first().waitFor({ state: 'hidden' });
        await outputs.locator('summary').press('Enter');
        await outputs.locator('dl').first().waitFor();
        await editor.picture('a section of the help');
      });

      it('the help imports its example, once, and not while a panel is open', async () => {
        const { page } = editor;
        const example = (await editor.openHelp('authy-phone-check')).locator('[data-authy-example]');
        const name = (await example.getAttribute('data-authy-example')) ?? '';
        const nodes = JSON.parse(
          fs.readFileSync(path.join(root, 'examples', `${name}.json`), 'utf8'),
        ) as FlowNode[];
        const flow = nodes.find(({ type }) => type === 'tab')?.id ?? '';
        const tab = page.locator(`#red-ui-tab-${flow}.active`);
        const check = { id: 'authy-phone-check', type: 'authy-phone-check', z: 'tab' };
        await editor.openPanel(check);
        await example.click();
        await page.getByText('Close the open panel first').waitFor();
        await editor.closePanel(check);
        // The help follows what is selected.
        await editor.openHelp(check.type);
        const before = (await editor.nodes()).length;

        await example.press('Enter');
        await tab.waitFor();
        const imported = (await editor.nodes()).length;
        should(imported).be.above(before);
        await editor.show('tab');
        await editor.openHelp(check.type);
        await example.click();
        await tab.waitFor();
        should(await editor.nodes()).have.length(imported);
        await editor.picture('an example that the help imported');
      });
    });

    describe('tried by a newcomer', () => {
      let editor: Editor;
      const gate: FlowNode & { z: string } = {
        ...{ id: 'gate', type: 'authy-onetouch-approval', z: 'tab', x: 200, y: 100, wires: [] },
        ...{ account: account.id, message: 'Is it you?' },
      };

      before(async () => {
        const keyless = { ...account, id: 'keyless', version: 2, service: 'authy', simulated: false };
        await nodeRed?.deploy([{ id: 'tab', type: 'tab', label: 'tried' }, account, keyless, gate]);
        editor = await open('en-US');
      });
      after(() => (editor as Editor | undefined)?.page.context().close());
      afterEach(() => editor.dismiss());

      it('an account that was deployed without its key is shown as wrong', async () => {
        await eventually('the account to be validated', async () =>
          (await editor.state('keyless')).valid === false ? true : undefined,
        );
        should((await editor.state('keyless')).validationErrors).match([/^API key: enter it/]);
        should((await editor.state('account')).valid).be.true();
      });

      it('a gate is asked from its panel, and its phone is opened from the canvas', async () => {
        const { page } = editor;
        const message = page.locator('.form-row:has(> #node-input-message) .red-ui-typedInput-input');
        const ask = page.getByRole('button', { name: 'Ask now' });
        await editor.openPanel(gate);
        await page.getByText('This account knows nobody yet').waitFor();
        await page.getByRole('button', { name: 'Add Ada' }).click();
        await page.getByRole('button', { name: 'Add Ada' }).waitFor({ state: 'hidden' });
        await ask.click();
        await page.getByText(/^Asked at/).waitFor();
        await editor.picture('a gate was asked from its panel');
        await message.fill('Another question?');
        await ask.click();
        await page.getByText('Deploy first: the node that runs is asked').waitFor();
        await editor.dismiss();

        const button = page.locator(`[id="${gate.id}"]`).getByRole('link', { name: 'Open the phone' });
        const opened = page.waitForEvent('popup');
        await button.click();
        const phone = await opened;
        await phone.getByText('Is it you?').first().waitFor();
        await phone.close();
        await editor.picture('the phone on the canvas');
      });
    });

    if (runtime === runtimes[0]) {
      it('the palette breaks no word of a label in the other languages', async function () {
        this.timeout(180_000);
        for (const language of languages.filter((other) => other !== 'en-US')) {
          const editor = await open(language);
          should(await editor.page.evaluate(brokenWords)).eql([], language);
          await editor.page.context().close();
        }
      });
    }

    // Each Node-RED in one of them: earlier ones have no dark theme.
    for (const { language, isDark, turn, listsStay } of views.filter(
      ({ isDark }) => isDark === (runtime.version === '5.'),
    )) {
      const view = `${language}${isDark ? ', dark' : ''}`;

      describe(view, () => {
        let editor: Editor;

        before(async () => {
          await nodeRed?.deploy(inUse);
          editor = await open(language);
          if (isDark) await editor.darken();
        });
        after(() => (editor as Editor | undefined)?.page.context().close());
        afterEach(() => editor.dismiss());

        it('the palette breaks no word of a label, and is searched by what people call it', async () => {
          should(await editor.page.evaluate(brokenWords)).eql([]);
          const search = editor.page.locator('#red-ui-palette-search input:visible');
          const inject = editor.page.locator('[data-palette-type="inject"]');
          /** Node-RED filters all nodes at once, a moment after a key. */
          const look = async (word: string, state: 'hidden' | 'visible'): Promise<void> => {
            await search.fill(word);
            await search.press('End');
            await inject.waitFor({ state });
          };
          for (const [word, type] of lookedFor) {
            await look(word, 'hidden');
            should(await editor.page.locator(`[data-palette-type="${type}"]`).isVisible()).be.true(word);
            await look('', 'visible');
          }
        });

        for (const [index, type] of types.entries()) {
          it(`${type} is filled, saved and opened again, and nothing is lost`, async () => {
            editor.complaints.length = 0;
            const node = { id: type === account.type ? account.id : type, type, z: 'tab' };
            await editor.openPanel(node);
            const before = await editor.shown();
            (await editor.untranslated()).should.deepEqual([]);
            await editor.picture(`${type}, ${view}`);

            await editor.fill(turn + index, listsStay);
            const filled = await editor.shown();
            filled.should.not.deepEqual(before);
            (await editor.untranslated()).should.deepEqual([]);
            (await editor.barriers()).should.deepEqual([]);
            await editor.picture(`${type} filled, ${view}`);
            await editor.closePanel(node);
            const saved = await editor.state(node.id);
            saved.should.have.properties({ valid: true, validationErrors: [] });

            await editor.openPanel(node);
            (await editor.shown()).should.deepEqual(filled);
            await editor.closePanel(node);
            (await editor.state(node.id)).should.deepEqual(saved);
            editor.complaints.should.deepEqual([]);
          });
        }
      });
    }
  });
}

/** The words in our part of the palette that are on two lines, or wider than their node. */
function brokenWords(): string[] {
  return [
    ...document.querySelectorAll<HTMLElement>('[data-palette-type^="authy-"] .red-ui-palette-label'),
  ].flatMap((label) => {
    const text = label.firstChild;
    if (!(text instanceof Text) || label.childNodes.length > 1) return [label.innerHTML];
    const isWide = label.scrollWidth > label.clientWidth;
    const lineOf = (index: number): number | undefined => {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + 1);
      // The hyphen at the end of a line belongs to the letter behind it.
      return [...range.getClientRects()].at(-1)?.top;
    };
    // A word may be broken at a hyphen, and at a soft one.
    const words = [...text.data.matchAll(/[\p{Script=Latin}’\u2011]+/gu)].filter(
      ({ 0: word, index }) => new Set(Array.from(word, (_letter, offset) => lineOf(index + offset))).size > 1,
    );
    return [...words.map(([word]) => word), ...(isWide ? [text.data] : [])];
  });
}

/**
 * Puts values into each of these fields of the open panel that Node-RED takes for wrong.
 *
 * @returns what is not said as it should be, and the fields that were wrong at least once
 */
function wrongValuesIn(
  page: Page,
  type: string,
  properties: readonly string[],
): Promise<{ faults: string[]; wrong: string[] }> {
  return page.evaluate(
    ([type, properties]) => {
      const { jQuery: $ } = window as unknown as EditorWindow;
      const prefix = type === 'authy-config' ? 'node-config-input-' : 'node-input-';
      const texts = ['', ' ', '{', '(', 'a[', '-1', 'short', 'x'.repeat(1001)];
      const faults: string[] = [];
      const wrong = new Set<string>();

      const look = (property: string, what: string): void => {
        const field = document.querySelector(`#${prefix}${property}`);
        const row = field?.closest('.form-row');
        if (!field || !row) throw new Error(`There is no field for ${property}.`);
        const list = row.nextElementSibling?.matches('.authy-list') === true ? row.nextElementSibling : null;
        const said = [row, ...(list ? [list] : [])]
          .flatMap((part) => [...part.querySelectorAll('.authy-reason')])
          .filter((reason) => reason.textContent !== '');
        const isWrong = field.classList.contains('input-error');
        const is = { said: said.length === 1, announced: field.getAttribute('aria-invalid') === 'true' };
        if (isWrong) wrong.add(property);
        if (is.said !== isWrong || is.announced !== isWrong) {
          faults.push(`${property}, ${what}: ${JSON.stringify({ isWrong, ...is })}`);
        }
        for (const reason of said) {
          const item = reason.closest('li');
          if (!reason.checkVisibility()) faults.push(`${property}, ${what}: the reason is hidden`);
          if (item && !item.querySelector('.input-error'))
            faults.push(`${property}, ${what}: the row is not red`);
          if (/^(must|may)\b|[:_]authy-|undefined/i.test(reason.textContent)) faults.push(reason.textContent);
        }
        if (document.querySelector('.red-ui-popover'))
          faults.push(`${property}, ${what}: there is a tooltip too`);
      };

      const tryAll = (property: string): void => {
        const field = document.querySelector(`#${prefix}${property}`);
        if (field instanceof HTMLSelectElement) {
          const before = field.value;
          $(field).append('<option value="context:gone">gone</option>');
          for (const value of ['_ADD_', 'context:gone', before]) {
            if (![...field.options].some((option) => option.value === value)) continue;
            $(field).val(value).trigger('change');
            look(property, value);
          }
          return;
        }
        if (!(field instanceof HTMLInputElement)) return;
        const before = field.value;
        const types = field.dataset['types']?.split(',');
        if (types === undefined) {
          for (const text of [...texts, before]) {
            $(field).val(text).trigger('change');
            look(property, text);
          }
          return;
        }
        const typeBefore = document.querySelector<HTMLInputElement>(`#${field.id}Type`)?.value;
        for (const type of types.filter((type) => type !== 'bool')) {
          $(field).typedInput('type', type);
          if (type === 'list') {
            const list = field.closest('.form-row')?.nextElementSibling;
            list?.querySelector<HTMLElement>('.red-ui-editableList-addButton')?.click();
            look(property, 'a blank row');
            if (list?.querySelector('li .authy-reason:not(:empty)') == null)
              faults.push(`${property}: a blank row is not wrong`);
            list?.querySelector<HTMLElement>('.red-ui-editableList-item-remove')?.click();
            look(property, 'no row');
            continue;
          }
          for (const text of texts) {
            $(field).typedInput('value', text);
            look(property, `${type} ${text}`);
          }
        }
        $(field).typedInput('type', typeBefore);
        $(field).typedInput('value', before);
        look(property, 'as it was');
      };

      const services = [...document.querySelectorAll<HTMLOptionElement>(`#${prefix}service option`)];
      for (const service of services.length > 0 ? services : [undefined]) {
        if (service) {
          $(`#${prefix}service`).val(service.value).trigger('change');
          $(`#${prefix}approvalStore`).val('redis').trigger('change');
        }
        for (const property of properties)
          if (document.querySelector(`#${prefix}${property}`)) tryAll(property);
      }
      return { faults, wrong: [...wrong] };
    },
    [type, properties] as const,
  );
}
