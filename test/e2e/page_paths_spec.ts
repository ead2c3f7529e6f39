import should from 'should';
import { type Editor, EditorSuite, type EditorWindow } from '../support/editor';
import { type FlowNode, runtimes } from '../support/node_red';

const accountAt = (id: string, approverPath: string, more: object = {}): FlowNode => ({
  ...{ id, type: 'authy-config', version: 3, name: `The ${id}`, service: 'local', callbackUrl: '' },
  ...{ approvalStore: 'files', approverPath, ...more },
});

const tab: FlowNode = { id: 'tab', type: 'tab', label: 'on' };
const disabled: FlowNode = { id: 'disabled', type: 'tab', label: 'off', disabled: true };
const subflow = (id: string): FlowNode => ({ id, type: 'subflow', name: id, in: [], out: [], env: [] });
const instanceOf = (id: string, of: string, z: string): FlowNode => ({
  ...{ id, type: `subflow:${of}`, z, x: 100, y: 100, wires: [], env: [] },
});

describe('Which account has a page at its path, as the editor and the runtime see it', function () {
  this.timeout(60_000);
  const runtime = runtimes.find(({ version }) => version === '5.');
  if (runtime === undefined) throw new Error('There is no Node-RED 5.');
  const suite = new EditorSuite(runtime);
  let editor: Editor;

  /** The accounts that the editor marks, and those whose pages are not served. */
  async function found(flows: readonly FlowNode[]): Promise<{ marked: string[]; unserved: string[] }> {
    const ids = flows.filter(({ type }) => type === 'authy-config').map(({ id }) => id);
    await suite.nodeRed.deploy(flows);
    editor = await suite.open('page-paths');
    const states = await Promise.all(ids.map(async (id) => [id, (await editor.state(id)).valid] as const));
    return {
      marked: states.filter(([, isValid]) => isValid !== true).map(([id]) => id),
      unserved: await unserved(),
    };
  }

  async function unserved(): Promise<string[]> {
    const { accounts } = (await suite.nodeRed.post('authy-people/accounts', {})) as {
      accounts: { editorId: string; problem: string | null }[];
    };
    return accounts.filter(({ problem }) => problem !== null).map(({ editorId }) => editorId);
  }

  const [one, two] = [accountAt('one', '/a'), accountAt('two', '/a')];
  for (const [what, flows, marked, unserved] of [
    ['two at one path', [one, two], ['one', 'two'], ['two']],
    ['one below another', [one, accountAt('two', '/a/b')], ['one', 'two'], ['two']],
    ['one above another', [accountAt('one', '/a/b'), two], ['one', 'two'], ['two']],
    [
      'one that is in nobody’s way but that of one that is not served',
      [accountAt('one', '/a/b'), two, accountAt('three', '/a/c')],
      ['one', 'two', 'three'],
      ['two'],
    ],
    ['two at two paths', [one, accountAt('two', '/ab')], [], []],
    ['one that is disabled', [accountAt('one', '/a', { d: true }), two], ['one'], []],
    ['one on a disabled tab', [disabled, accountAt('one', '/a', { z: 'disabled' }), two], ['one'], []],
    [
      'some in subflows that are not used, or are used where nothing runs',
      [
        ...[disabled, subflow('unused'), subflow('off')],
        accountAt('one', '/a', { z: 'unused' }),
        accountAt('two', '/a', { z: 'off' }),
        instanceOf('instance', 'off', 'disabled'),
        accountAt('three', '/a'),
      ],
      ['one', 'two'],
      [],
    ],
    [
      'one in a subflow that is used',
      [subflow('used'), accountAt('one', '/a', { z: 'used' }), instanceOf('instance', 'used', 'tab'), two],
      ['one', 'two'],
      ['two'],
    ],
    [
      'one on a tab, which starts later',
      [accountAt('one', '/a', { z: 'tab' }), two],
      ['one', 'two'],
      ['two'],
    ],
  ] as [string, FlowNode[], string[], string[]][]) {
    it(`${what}: all that are in each other’s way are marked, and the first one is served`, async () => {
      should(await found([tab, ...flows])).eql({ marked, unserved });
    });
  }

  it('a deploy of what the editor has loaded changes nothing', async () => {
    const tls = { id: 'tls', type: 'tls-config', name: '' };
    const before = await found([
      tab,
      accountAt('one', '/a', { tls: 'tls' }),
      two,
      tls,
      accountAt('three', '/a'),
    ]);
    should(before.unserved).have.length(2);
    const loaded = await editor.page.evaluate(() =>
      (
        window as unknown as { RED: { nodes: { createCompleteNodeSet(): FlowNode[] } } }
      ).RED.nodes.createCompleteNodeSet(),
    );
    for (const type of ['nodes', 'full'] as const) {
      await suite.nodeRed.deploy(loaded, type);
      should((await unserved()).sort()).eql(before.unserved.sort());
    }
  });

  it('an account that is set to this Node-RED gets a free path, and nothing unfolds for it', async () => {
    await found([tab, one, accountAt('two', '/a', { service: 'authy', simulated: true })]);
    const { page } = editor;
    await editor.openPanel({ id: 'two', type: 'authy-config', z: '' });
    await page.locator('.authy-phone-code:visible').waitFor();
    await page.locator('#node-config-input-service').selectOption('local');
    should(await page.locator('#node-config-dialog-edit-form details[open]').count()).equal(0);
    // It was about the simulator.
    should(await page.locator('.authy-phone-code:visible').count()).equal(0);
    await editor.unfold();
    should(await page.locator('#node-config-input-approverPath').inputValue()).equal('/a-2');
    await editor.dismiss();
  });

  it('an account whose page would hide what an “http in” node serves is marked as long as that is there', async () => {
    const httpIn = { type: 'http in', z: 'tab', method: 'get', x: 100, y: 100, wires: [] };
    const { marked } = await found([
      ...[tab, disabled, one, accountAt('two', '/b')],
      { ...httpIn, id: 'page', url: '/a' },
      ...['/bc', '/b/page'].map((url) => ({ ...httpIn, id: url, url })),
      { ...httpIn, id: 'off', url: '/b', z: 'disabled' },
    ]);
    should(marked).eql(['one']);
    should(String((await editor.state('one')).validationErrors)).match(
      /Choose another page path: this page would hide what the “http in” node at \/a serves/i,
    );
    await editor.page.evaluate(() => {
      const { RED } = window as unknown as { RED: { nodes: { remove(id: string): void } } };
      RED.nodes.remove('page');
    });
    should((await editor.state('one')).valid).be.true();
  });

  it('the reason names the other account, or what is hidden, and none of it is markup', async () => {
    const mark = '<img src=x onerror="document.body.remove()">';
    const httpIn = { id: 'page', type: 'http in', z: 'tab', x: 100, y: 100, wires: [] };
    await found([
      ...[tab, accountAt('one', '/a', { name: `Door & Garage ${mark}` }), two],
      ...[accountAt('three', '/c'), { ...httpIn, method: 'post', url: `/c/${mark}` }],
    ]);
    for (const [id, said] of [
      ['two', '“Door & Garage ‹img'],
      ['three', 'at /c/‹img'],
    ] as const) {
      const { validationErrors } = await editor.state(id);
      should(String(validationErrors)).containEql(said).and.not.match(/[<>]/);
    }
  });

  it('an account is looked at again once the one in its way has gone, or its tab', async () => {
    await found([tab, accountAt('one', '/a', { z: 'tab' }), two]);
    const isValid = async (id: string): Promise<unknown> => (await editor.state(id)).valid;
    const { page } = editor;
    should(await isValid('two')).be.false();
    const setDisabled = (isDisabled: boolean): Promise<void> =>
      page.evaluate((to) => {
        const { RED } = window as unknown as {
          RED: {
            nodes: { workspace(id: string): { disabled: boolean } };
            events: { emit(event: string, what: object): void };
          };
        };
        const workspace = RED.nodes.workspace('tab');
        workspace.disabled = to;
        // As the panel of a tab does it.
        RED.events.emit('flows:change', workspace);
      }, isDisabled);
    await setDisabled(true);
    should(await isValid('two')).be.true();
    await setDisabled(false);
    should(await isValid('two')).be.false();
    await editor.openPanel({ id: 'one', type: 'authy-config', z: '' });
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    should(await isValid('two')).be.true();
  });

  it('many accounts at once cost no more than a few looks at each', async () => {
    await found([tab]);
    const many = Array.from({ length: 60 }, (_, index) => accountAt(`account${index}`, `/a${index}`));
    should(await looksAt(many)).be.within(1, 4 * many.length);
  });

  it('many nodes of one account cost no more than one look at each', async () => {
    await found([tab, one, accountAt('two', '/b')]);
    const many = Array.from({ length: 300 }, (_, index) => ({
      ...{ id: `sms${index}`, type: 'authy-token-sms', z: 'tab', account: 'one', wires: [[]] },
      ...{ x: 200, y: 40 + 40 * index },
    }));
    should(await looksAt(many)).be.within(1, 3 * many.length);
  });

  /** How often the editor validates a node while some are imported. */
  function looksAt(nodes: FlowNode[]): Promise<number> {
    return editor.page.evaluate(async (nodes) => {
      const { RED } = window as unknown as EditorWindow & {
        RED: {
          editor: { validateNode(node: object): boolean };
          view: { importNodes(nodes: object[], options: object): void };
        };
      };
      const validate = RED.editor.validateNode.bind(RED.editor);
      let count = 0;
      RED.editor.validateNode = (node) => {
        count += 1;
        return validate(node);
      };
      RED.view.importNodes(nodes, { generateIds: false, addFlow: false });
      // What they set off comes after them.
      await new Promise((resolve) => setTimeout(resolve));
      RED.editor.validateNode = validate;
      return count;
    }, nodes);
  }
});
