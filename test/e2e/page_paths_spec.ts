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

  afterEach(async () => {
    await editor.page.context().close();
  });

  /** The accounts whose path is another one's, as the editor and the runtime have it. */
  async function refused(flows: readonly FlowNode[]): Promise<{ editor: string[]; runtime: string[] }> {
    const ids = flows.filter(({ type }) => type === 'authy-config').map(({ id }) => id);
    await suite.nodeRed.deploy(flows);
    const { accounts } = (await suite.nodeRed.post('authy-people/accounts', {})) as {
      accounts: { editorId: string; problem: string | null }[];
    };
    editor = await suite.open('page-paths');
    const states = await Promise.all(ids.map(async (id) => [id, (await editor.state(id)).valid] as const));
    return {
      editor: states.filter(([, isValid]) => isValid !== true).map(([id]) => id),
      runtime: accounts.filter(({ problem }) => problem !== null).map(({ editorId }) => editorId),
    };
  }

  for (const [what, flows, expected] of [
    ['the second of two', [accountAt('one', '/a'), accountAt('two', '/a')], ['two']],
    ['the second, below the first', [accountAt('one', '/a'), accountAt('two', '/a/b')], ['two']],
    ['the second, above the first', [accountAt('one', '/a/b'), accountAt('two', '/a')], ['two']],
    [
      'nobody for the sake of one that is refused',
      [accountAt('one', '/a/b'), accountAt('two', '/a'), accountAt('three', '/a/c')],
      ['two'],
    ],
    ['nobody at another path', [accountAt('one', '/a'), accountAt('two', '/ab')], []],
    ['nobody for one that is disabled', [accountAt('one', '/a', { d: true }), accountAt('two', '/a')], []],
    [
      'nobody for one on a disabled tab',
      [disabled, accountAt('one', '/a', { z: 'disabled' }), accountAt('two', '/a')],
      [],
    ],
    [
      'nobody for one in a subflow that is not used, or is used where nothing runs',
      [
        ...[disabled, subflow('unused'), subflow('off')],
        accountAt('one', '/a', { z: 'unused' }),
        accountAt('two', '/a', { z: 'off' }),
        instanceOf('instance', 'off', 'disabled'),
        accountAt('three', '/a'),
      ],
      [],
    ],
    [
      'the second where the first is in a subflow that is used',
      [
        subflow('used'),
        accountAt('one', '/a', { z: 'used' }),
        instanceOf('instance', 'used', 'tab'),
        accountAt('two', '/a'),
      ],
      ['two'],
    ],
    [
      'the second where the first is on a tab, and starts later',
      [accountAt('one', '/a', { z: 'tab' }), accountAt('two', '/a')],
      ['two'],
    ],
  ] as [string, FlowNode[], string[]][]) {
    it(`refuses ${what}`, async () => {
      should(await refused([tab, ...flows])).eql({ editor: expected, runtime: expected });
    });
  }

  it('an account is looked at again once the one in its way has gone, or its tab', async () => {
    await refused([tab, accountAt('one', '/a', { z: 'tab' }), accountAt('two', '/a')]);
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

  it('many nodes of one account cost no more than one look at each', async () => {
    await refused([tab, accountAt('one', '/a'), accountAt('two', '/b')]);
    const many = Array.from({ length: 300 }, (_, index) => ({
      ...{ id: `sms${index}`, type: 'authy-token-sms', z: 'tab', account: 'one', wires: [[]] },
      ...{ x: 200, y: 40 + 40 * index },
    }));
    const looks = await editor.page.evaluate((nodes) => {
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
      RED.editor.validateNode = validate;
      return count;
    }, many);
    should(looks).be.within(1, 3 * many.length);
  });
});
