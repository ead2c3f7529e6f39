import should from 'should';
import { otherNodes, types } from '../contract/panels';
import { operations } from '../../nodes/lib/contract/operations';
import type { OperationName } from '../../nodes/lib/contract/results';
import { newNode } from '../support/operation_nodes';
import { Flow, type FlowNode } from '../support/flow';

/** Every node that has an account, as its panel makes it; its type is its id. */
const nodes: FlowNode[] = [
  ...(Object.keys(operations) as OperationName[]).map((name) => newNode(name)),
  ...Object.keys(otherNodes)
    .filter((type) => type !== 'authy-config')
    .map((type) => ({ id: '', type })),
].map((node) => ({ ...node, id: node.type, account: 'account', z: 'tab', wires: [] }));

/** An account, with which nodes work: nothing is asked of it. */
const right = { id: 'account', type: 'authy-config', version: 2, service: 'authy', simulated: false };
const key = { apiKey: 'a-key-of-the-test-account' };

interface Trouble {
  readonly account: Record<string, unknown> | undefined;
  readonly credentials?: object;
  readonly badge: string;
}

const troubles: Readonly<Record<string, Trouble>> = {
  'there is no account': { account: undefined, badge: 'NO_ACCOUNT' },
  'the account is disabled': { account: { d: true }, badge: 'NO_ACCOUNT' },
  'the account is another node': { account: { type: 'helper', z: 'tab' }, badge: 'NO_ACCOUNT' },
  'the account has no key': { account: {}, credentials: {}, badge: 'NO_API_KEY' },
  'the service of the account is unknown': { account: { service: 'another' }, badge: 'BAD_CONFIG' },
  'Twilio Verify has no secret': {
    account: {
      service: 'verify',
      verifyServiceSid: `VA${'0'.repeat(32)}`,
      verifyUser: `SK${'0'.repeat(32)}`,
    },
    badge: 'NO_API_KEY',
  },
  'settings of the account are wrong': { account: { service: 'verify' }, badge: 'BAD_CONFIG' },
};

describe('After a deploy, each node whose account cannot be used says so in red, before any message', () => {
  let flow: Flow | undefined;

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  async function start(account: Trouble['account'], credentials: object = key): Promise<Flow> {
    const [watched, ...others] = nodes as [FlowNode, ...FlowNode[]];
    const accounts = account === undefined ? [] : [{ ...right, ...account } as FlowNode];
    flow = await Flow.start(watched, 1, [...others, ...accounts], { account: credentials });
    return flow;
  }

  const shown = (running: Flow): [string, unknown][] =>
    nodes.map(({ id }) => [id, running.statusesOf(id).at(-1)]);

  it('is about every type', () => {
    nodes
      .map(({ type }) => type)
      .sort()
      .should.eql(types.filter((type) => type !== 'authy-config').sort());
  });

  for (const [what, { account, credentials, badge }] of Object.entries(troubles)) {
    it(what, async () => {
      for (const [type, status] of shown(await start(account, credentials))) {
        // The test helper has no catalogues: a text is its key.
        should(status).match(
          { fill: 'red', shape: 'ring', text: new RegExp(`status\\.error\\.${badge}$`) },
          type,
        );
      }
    });
  }

  it('none of them with an account that can be used', async () => {
    for (const [type, status] of shown(await start({}))) {
      const { text = '' } = (status ?? {}) as { text?: string };
      text.should.not.match(/NO_ACCOUNT|NO_API_KEY|BAD_CONFIG/, type);
    }
  });

  it('a deploy of the account alone is enough, either way', async () => {
    const running = await start({});
    await running.redeploy({ d: true }, 'account');
    for (const [type, status] of shown(running))
      should(status).match({ fill: 'red', text: /NO_ACCOUNT$/ }, type);
    await running.redeploy({}, 'account');
    for (const [type, status] of shown(running)) should(status).not.match({ text: /NO_ACCOUNT$/ }, type);
  });

  it('what leads people to a page that is another account’s, while that is there', async () => {
    const local = { ...right, service: 'local' };
    const [watched, ...others] = nodes as [FlowNode, ...FlowNode[]];
    flow = await Flow.start(watched, 1, [{ ...local, id: 'other', name: 'Garage' }, local, ...others]);
    const leading = ['authy-onetouch-approval', 'authy-onetouch-send', 'authy-user-invite'];
    const wrong = (running: Flow): string[] =>
      shown(running)
        .filter(([, status]) => /BAD_CONFIG$/.test((status as { text?: string } | undefined)?.text ?? ''))
        .map(([type]) => type);
    should(wrong(flow).sort()).eql(leading);
    // That it is started again gives its page to nobody else.
    await flow.redeploy({ deadline: 20 }, 'other');
    should(wrong(flow).sort()).eql(leading);
    await flow.redeployAll();
    should(wrong(flow).sort()).eql(leading);
    await flow.redeploy({ d: true }, 'other');
    should(wrong(flow)).eql([]);
  });
});
