import { example, nodeOf, recorded, recordKey, tabOf } from './example_flows';
import { eventually, type FlowNode, type NodeRed } from './node_red';
import { Phone, type SimulatedApproval } from './phone';

/** The other package that the example with a chart needs. */
export const dashboard2 = '@flowfuse/node-red-dashboard';

/** The other package that the example with e-mail needs. */
export const email = 'node-red-node-email@5';

/** What a Node-RED needs for all examples. */
export const packagesOfExamples = [dashboard2, email];

/** An example that runs, and what tests do with it. */
export interface Played {
  readonly flows: readonly FlowNode[];
  /** Of the example's account; of the first one, if it has several. */
  readonly phone: Phone;
  /** Presses the button of an inject node. */
  readonly press: (inject: string) => Promise<void>;
  /** What left a node by an output since the last call. */
  readonly left: (type: string, output?: number, name?: string) => Promise<object>;
  /** The request that waits for an answer, once there is one. */
  readonly pending: () => Promise<SimulatedApproval>;
  /** A value of the flow's context, once it is there. */
  readonly context: (key: string) => Promise<unknown>;
  /** Every recorded outcome that no test has asked for; has to be empty at the end. */
  readonly unexpected: () => Promise<string[]>;
}

/**
 * Deploys an example that records what leaves its nodes.
 *
 * @param change - changes a node of the file, such as to a shorter time
 * @param added - nodes that are added, with the ids of the account and the tab
 */
export async function playExample(
  nodeRed: NodeRed,
  title: string,
  change = (node: FlowNode): FlowNode => node,
  added: (account: string, tab: string) => FlowNode[] = () => [],
): Promise<Played> {
  const nodes = example(title).map(change);
  const more = added(nodeOf(nodes, 'authy-config').id, tabOf(nodes));
  const flows = recorded([...nodes, ...more]);
  // An account and a flow keep their memory in a deploy, unless they are removed first.
  await nodeRed.deploy([]);
  await nodeRed.deploy(flows);
  const tab = tabOf(flows);
  const account = flows.find(({ type }) => type === 'authy-config');
  if (account === undefined) throw new Error(`The example "${title}" has no account.`);
  const phone = new Phone(nodeRed, account.id);
  return {
    flows,
    phone,
    press: (inject) => nodeRed.inject(nodeOf(flows, 'inject', inject).id),
    async left(type, output = 0, name) {
      const key = recordKey(nodeOf(flows, type, name), output);
      const value = await nodeRed.flowContext(tab, key);
      await nodeRed.request(`context/flow/${tab}/${key}`, { method: 'DELETE' });
      return value as object;
    },
    pending: () =>
      eventually('the request on the phone', async () =>
        (await phone.approvals()).find(({ status }) => status === 'pending'),
      ),
    context: (key) => nodeRed.flowContext(tab, key),
    async unexpected() {
      const context = (await nodeRed.get(`context/flow/${tab}`)) as { memory?: Record<string, unknown> };
      return Object.keys(context.memory ?? {}).filter((key) => key.startsWith('left_'));
    },
  };
}

/** Posts a form; returns the status and the heading of the page in the answer. */
export async function sendForm(
  url: string,
  form: Record<string, string> = {},
): Promise<[number, string | undefined]> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return [response.status, /<h1>(.*)<\/h1>/.exec(await response.text())?.[1]];
}

/** The newest code that was sent to the phones by this channel. */
export async function lastCode(phone: Phone, via: 'sms' | 'call' | 'email'): Promise<string> {
  return eventually('the code', async () => {
    const sent = (await phone.messages()).filter((message) => message.via === via);
    return sent.at(-1)?.code ?? undefined;
  });
}

/** A wrong code in the same format. */
export function wrong(code: string): string {
  return code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
}
