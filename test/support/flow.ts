import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { readFileSync } from 'node:fs';
import type { NodeAPI, NodeMessage, NodeStatus } from 'node-red';
import helper from 'node-red-node-test-helper';
import type { Account } from '../../nodes/lib/account/account';

type NodeModule = (RED: NodeAPI) => void;

const root = path.join(__dirname, '..', '..');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  'node-red': { nodes: Record<string, string> };
};

/* eslint-disable @typescript-eslint/no-require-imports -- Node-RED's node modules are CommonJS functions. */
const ourNodes = Object.keys(manifest['node-red'].nodes).map(
  (type) => require(path.join(root, 'nodes', type)) as NodeModule,
);
const coreNodes = [
  'network/21-httpin',
  'network/05-tls',
  'network/06-httpproxy',
  'common/91-global-config',
].map((file) => require(`@node-red/nodes/core/${file}.js`) as NodeModule);
const contexts = require('@node-red/runtime/lib/nodes/context') as {
  load(): Promise<void>;
};
const { WARN } = (require('@node-red/util') as { log: { WARN: number } }).log;
/* eslint-enable @typescript-eslint/no-require-imports */

export interface FlowNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** A message that left a node, or the message of a Catch node with its error. */
export type Message = NodeMessage & { error?: { message: string; code?: string } };

/** How one message ended at a node. */
export interface Ending {
  /** The messages that left, with their outputs. */
  sent: { output: number; message: Message }[];
  /** The messages of a Catch node. */
  caught: Message[];
  /** How often a Complete node got a message. */
  completed: number;
}

/** The helper's types know only the variants with callbacks. */
const adminServer = helper as unknown as {
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  url(): string;
};

let httpNode: http.RequestListener;
let httpAdmin: http.RequestListener;
let server: http.Server;
let editorServer: http.Server;

/** A module that keeps the HTTP applications that nodes register on, and sets up the context stores. */
const capture = async (RED: NodeAPI): Promise<void> => {
  httpNode = RED.httpNode;
  httpAdmin = RED.httpAdmin;
  // The helper does not load them.
  await contexts.load();
};

function listening(app: http.RequestListener): Promise<http.Server> {
  return new Promise((resolve) => {
    const listener = http.createServer(app).listen(0, '127.0.0.1', () => resolve(listener));
  });
}

function closed(listener: http.Server): Promise<void> {
  listener.closeAllConnections();
  return new Promise((resolve) => listener.close(() => resolve()));
}

function urlOf(listener: http.Server): string {
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

/**
 * Runs nodes in a real Node-RED runtime, behind a real HTTP server, with a Catch and a Complete node watching.
 * One flow at a time.
 */
export class Flow {
  private readonly endings = new Map<string, Ending>();
  private readonly watchers = new Set<() => void>();
  private serial = 0;
  private also: string | undefined;

  private constructor(
    private readonly watched: string,
    private readonly outputIds: string[],
    private readonly nodes: FlowNode[],
    private readonly credentials: Record<string, object>,
  ) {}

  /**
   * @param nodes - the flow; the node `watched` gets one helper node per output
   * @param credentials - by node id
   * @param settings - of Node-RED, as settings.js would have them
   * @param alsoCaught - the ids of other nodes whose errors the Catch node gets: there can be no second one
   */
  static async start(
    watched: FlowNode,
    outputs: number,
    others: FlowNode[] = [],
    credentials: Record<string, object> = {},
    settings: object = {},
    alsoCaught: readonly string[] = [],
  ): Promise<Flow> {
    // Node-RED's own default; without it, contexts would not survive a deploy of their node here. Errors name what is wrong
    // by its label, which is in the language of Node-RED.
    const all = { lang: 'en-US', contextStorage: { default: { module: 'memory' } }, ...settings };
    helper.init(require.resolve('node-red'), all as object as Parameters<typeof helper.init>[1]);
    await adminServer.startServer();
    const outputIds = Array.from({ length: outputs }, (_, output) => `out${output}`);
    const nodes: FlowNode[] = [
      { id: 'tab', type: 'tab' },
      { ...watched, z: 'tab', wires: outputIds.map((id) => [id]) },
      ...outputIds.map((id) => ({ id, type: 'helper', z: 'tab', wires: [] })),
      { id: 'catch', type: 'catch', z: 'tab', scope: [watched.id, ...alsoCaught], wires: [['caught']] },
      { id: 'caught', type: 'helper', z: 'tab', wires: [] },
      { id: 'complete', type: 'complete', z: 'tab', scope: [watched.id], wires: [['completed']] },
      { id: 'completed', type: 'helper', z: 'tab', wires: [] },
      ...others,
    ];
    // A node without a position counts as a config node, even in a subflow.
    const isPlaced = ({ type, z }: FlowNode): boolean => z !== undefined && type !== 'authy-config';
    const placed = nodes.map((node) => (isPlaced(node) ? { x: 0, y: 0, ...node } : node));
    await helper.load(
      [capture, ...coreNodes, ...ourNodes] as Parameters<typeof helper.load>[0],
      placed,
      credentials,
    );
    const flow = new Flow(watched.id, outputIds, placed, credentials);
    flow.watch(outputIds);
    [server, editorServer] = await Promise.all([listening(httpNode), listening(httpAdmin)]);
    return flow;
  }

  /** The address of the flow's http in nodes. */
  get url(): string {
    return urlOf(server);
  }

  /** The address of the admin side. */
  get adminUrl(): string {
    return urlOf(editorServer);
  }

  /** Where Node-RED says that it listens. */
  get ownUrl(): string {
    return adminServer.url();
  }

  /** Gives a message to the watched node and waits until it has ended there. */
  async deliver(message: NodeMessage): Promise<Ending> {
    return this.ending(this.give(message));
  }

  /** Gives a message to a node, the watched one unless another is named. @returns its id, for {@link ending} */
  give(message: NodeMessage, id = this.watched): string {
    const _msgid = `m${(this.serial += 1)}`;
    helper.getNode(id).receive({ ...message, _msgid });
    return _msgid;
  }

  /** Has Node-RED wait for something when it next stops a node. */
  onClose(id: string, wait: () => Promise<void>): void {
    helper.getNode(id).on('close', (done: () => void) => void wait().then(done));
  }

  /** Gives the watched node a message as it is. */
  receive(message: NodeMessage): void {
    helper.getNode(this.watched).receive(message);
  }

  /** Clears the calls that the test helper records for every node: with many messages they take too much memory. */
  forgetCalls(): void {
    (helper as unknown as { _sandbox: { resetHistory(): void } })._sandbox.resetHistory();
  }

  /** How a message has ended so far. */
  soFar(id: string): Ending {
    return this.entry(id);
  }

  /** Sends a message through another node of the flow and waits until it arrives at a helper node behind it. */
  async sendThrough(id: string, behind: string, message: NodeMessage): Promise<void> {
    const arrived = this.next(behind);
    helper.getNode(id).receive(message);
    await arrived;
  }

  /** The next message that arrives at a helper node. */
  async next(id: string): Promise<Message> {
    return new Promise((resolve) => helper.getNode(id).once('input', resolve));
  }

  /** Calls back with each message that arrives at a helper node. */
  onArrival(id: string, note: (message: Message) => void): void {
    helper.getNode(id).on('input', note);
  }

  /** Waits until a message has ended, and a little longer, so that a second ending would be seen. */
  async ending(id: string): Promise<Ending> {
    const isOver = (): boolean => {
      const ending = this.endings.get(id);
      return ending !== undefined && ending.caught.length + ending.completed > 0;
    };
    await this.until(isOver);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return this.entry(id);
  }

  /** Puts a value into the context of the watched node, of its flow or of all flows, as if from an earlier run. */
  async leaveBehind(name: string, value: unknown, scope: 'node' | 'flow' | 'global' = 'node'): Promise<void> {
    const own = helper.getNode(this.watched).context();
    const context = scope === 'node' ? own : own[scope];
    await new Promise<void>((resolve) => context.set(name, value, () => resolve()));
  }

  /** All messages that left by an output, in order. */
  all(output: number): Message[] {
    return [...this.endings.values()].flatMap(({ sent }) =>
      sent.filter((one) => one.output === output).map(({ message }) => message),
    );
  }

  /** How many messages have ended so far. */
  get count(): number {
    return this.endings.size;
  }

  /** Waits for the ending of a message that a test did not deliver itself, by its position. */
  async endingNumber(index: number): Promise<Ending> {
    await this.until(() => this.endings.size > index);
    return this.ending([...this.endings.keys()][index] ?? '');
  }

  /** Calls back with each error as the watched node raised it, before Node-RED makes a message of it. */
  onError(note: (error: Error) => void): void {
    // The test helper's own event, which is not in the types of a node.
    (helper.getNode(this.watched) as NodeJS.EventEmitter).on('call:error', (call: { firstArg: unknown }) => {
      if (call.firstArg instanceof Error) note(call.firstArg);
    });
  }

  /** The statuses the watched node has shown, in order. */
  get statuses(): NodeStatus[] {
    return this.statusesOf(this.watched);
  }

  /** The statuses that a node has shown, in order. */
  statusesOf(id: string): NodeStatus[] {
    const { status } = helper.getNode(id) as unknown as {
      status: { args: [NodeStatus][]; thisValues: { id: string }[] };
    };
    return status.args.filter((_, call) => status.thisValues[call]?.id === id).map(([shown]) => shown);
  }

  /** What was logged by any node, at any level. */
  get log(): string[] {
    return this.entries.map(({ msg }) => String(msg));
  }

  /** What was logged by any node as a warning. */
  get warnings(): string[] {
    return this.entries.filter(({ level }) => level === WARN).map(({ msg }) => String(msg));
  }

  private get entries(): { level: number; msg: unknown }[] {
    return helper.log().args.flat() as { level: number; msg: unknown }[];
  }

  /** What was written for an audit. */
  get audit(): object[] {
    return this.entries.filter((line) => 'event' in line);
  }

  /** Whether there is a node with this id; there is none if its constructor threw. */
  has(id: string): boolean {
    return (helper.getNode(id) as unknown) != null;
  }

  /** The account of a config node. */
  account(id: string): Account {
    return (helper.getNode(id) as unknown as { account: Account }).account;
  }

  /** Also wires the outputs of the watched node to another node. */
  wire(id: string): void {
    this.also = id;
  }

  /** A request to the admin side, as a browser sends it. */
  request(): ReturnType<typeof helper.request> {
    return helper.request();
  }

  /** Deploys a change of one node only, as "Modified Nodes" does: the others go on running. */
  async redeploy(change: Record<string, unknown>, id = this.watched): Promise<void> {
    const changed = this.nodes.map((node) => (node.id === id ? { ...node, ...change } : node));
    await helper.setFlows(changed, 'nodes', this.credentials);
  }

  /** Deploys everything again, as "Full" does: every node is stopped and a new one started. */
  async redeployAll(): Promise<void> {
    await helper.setFlows(this.nodes, 'full', this.credentials);
    this.watch(this.outputIds);
  }

  async stop(): Promise<void> {
    await Promise.all([server, editorServer].map(closed));
    await helper.unload();
    await adminServer.stopServer();
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.watchers.add(resolve);
      });
    }
  }

  private watch(outputIds: string[]): void {
    const on = (id: string, note: (ending: Ending, message: Message) => void): void => {
      helper.getNode(id).on('input', (message: Message) => {
        note(this.entry(String(message._msgid)), message);
        for (const notify of this.watchers) notify();
        this.watchers.clear();
      });
    };
    outputIds.forEach((id, output) => {
      on(id, (ending, message) => {
        ending.sent.push({ output, message });
        if (this.also !== undefined) helper.getNode(this.also).receive(message);
      });
    });
    on('caught', (ending, message) => ending.caught.push(message));
    on('completed', (ending) => (ending.completed += 1));
  }

  private entry(id: string): Ending {
    const ending = this.endings.get(id) ?? { sent: [], caught: [], completed: 0 };
    this.endings.set(id, ending);
    return ending;
  }
}
