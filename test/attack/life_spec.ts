import should from 'should';
import { type Operation, operations } from '../../nodes/lib/contract/operations';
import { approvalGate } from '../support/approval_gate';
import { AuthyPhones } from '../support/authy_phones';
import { exchanges, type OnAuthy, onAuthy as names } from '../support/exchanges';
import { LifeProbe } from '../support/life';
import type { Figures } from '../support/life_probe';
import {
  type DeployType,
  eventually,
  type FlowNode,
  NodeRed,
  type Runtime,
  runtimes,
} from '../support/node_red';
import { runs } from '../support/runs';

/** Deploys of each kind. */
const count = runs(25);
const deployTypes: readonly DeployType[] = ['full', 'flows', 'nodes'];

/** How much the heap may have grown after all deploys, in bytes: lists with a limited length fill up. */
const tolerance = 4 * 1024 * 1024;

for (const runtime of runtimes) describeLife(runtime);

function describeLife(runtime: Runtime): void {
  describe(`Node-RED ${runtime.version}x through ${count} deploys of each kind, under traffic`, function () {
    this.timeout(600_000);
    let phones: AuthyPhones;
    let probe: LifeProbe;
    let nodeRed: NodeRed;
    let traffic: Traffic | undefined;

    before(async function () {
      phones = await new AuthyPhones().start();
      probe = await LifeProbe.prepare();
      nodeRed = await NodeRed.start(this, runtime, { env: probe.env });
    });
    after(async () => {
      await traffic?.stop();
      await (nodeRed as NodeRed | undefined)?.stop();
      await phones.stop();
    });

    it('keeps its size, ends every message once, and sends nothing after a node was closed', async () => {
      const authyId = await phones.newUser();
      await phones.faults({ kind: 'latency', ms: 20 });
      const flow = new LivingFlow(phones, authyId);
      const busy = new Traffic(nodeRed, phones, authyId);
      traffic = busy;

      /** Deploys, again and again, what a user might: changes, and flows with something missing; the whole flow last. */
      const deploy = async (times: number): Promise<void> => {
        for (let time = 0; time < times; time++) {
          for (const type of deployTypes) {
            const { flows, meanwhile } = flow.next();
            await nodeRed.deploy(flows, type);
            if (meanwhile === undefined) continue;
            const [path, answer] = meanwhile;
            should(await busy.ask(path, 20_000)).equal(answer, `${path}, after a deploy of ${type}`);
          }
        }
        await nodeRed.deploy(flow.whole(), 'full');
      };
      /** @param timers - waits until there are no more timers than this: a rate-limited log has some for 10 s */
      const rest = async (timers = Infinity): Promise<Figures> => {
        await busy.stop();
        return eventually(
          `every message to end, every connection to close, and at most ${timers} timers`,
          async () => {
            const figures = await probe.figures();
            // Servers close idle connections after 5 s; the one that is left belongs to the probe.
            const isQuiet = figures.messages.open === 0 && figures.sockets <= 1 && figures.timers <= timers;
            return isQuiet ? figures : undefined;
          },
          60,
        );
      };

      await nodeRed.deploy(flow.whole());
      await probe.figures();
      busy.start();
      await deploy(flow.variants * 2);
      const before = await rest();
      busy.start();
      await deploy(count);
      const after = await rest(before.timers);
      print(before, after, busy);

      should(after.unhandled).eql([]);
      should(after.warnings).eql([]);
      should(after.sentAfterClose).eql([]);
      should(after.messages).have.properties({
        ended: after.messages.received,
        twice: 0,
        open: 0,
      });
      for (const what of ['listeners', 'routes', 'servers', 'sockets', 'timers'] as const) {
        should(after[what]).be.belowOrEqual(before[what], what);
      }
      should(after.heap - before.heap).be.below(tolerance);
    });

    function print(before: Figures, after: Figures, { answers }: Traffic): void {
      const row = (what: string, from: number | string, to: number | string): string =>
        `      ${what.padEnd(12)}${String(from).padStart(10)}${String(to).padStart(10)}\n`;
      const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;
      const { received, ended, twice, open, missed } = after.messages;
      process.stdout.write(
        [
          `      ${count * deployTypes.length} deploys\n`,
          row('', 'before', 'after'),
          ...(['listeners', 'routes', 'servers', 'sockets', 'timers'] as const).map((what) =>
            row(what, before[what], after[what]),
          ),
          row('heap', megabytes(before.heap), megabytes(after.heap)),
          `      messages ${received}, ended once ${ended}, twice ${twice}, not ${open}; given to a closed node by Node-RED ${missed}\n`,
          `      sent after close ${after.sentAfterClose.length}, unhandled rejections ${after.unhandled.length}, warnings ${after.warnings.length}\n`,
          `      answers: ${[...answers].map(([what, times]) => `${what} ${times}`).join(', ')}\n`,
        ].join(''),
      );
    }
  });
}

/** A flow with every node of the package, each behind an `http in` of its own, and the changes that are made to it. */
class LivingFlow {
  private deploys = 0;

  constructor(
    private readonly phones: AuthyPhones,
    private readonly authyId: string,
  ) {}

  /** Each change, and the answer that a request has to get after it. */
  private readonly changes: readonly {
    readonly change: (node: FlowNode, number: number) => FlowNode | undefined;
    readonly meanwhile?: readonly [path: string, answer: string];
  }[] = [
    // A node is disabled, a different one each time.
    {
      change: (node, number) =>
        node.id === this.ids[number % this.ids.length] ? { ...node, d: true } : node,
    },
    { change: (node) => node, meanwhile: ['userStatus', '200'] },
    // The account is deleted, or disabled.
    {
      change: (node) => (node.id === 'account' ? undefined : node),
      meanwhile: ['userStatus', 'AUTHY_NO_ACCOUNT'],
    },
    { change: (node) => node, meanwhile: ['appDetails', '200'] },
    {
      change: (node) => (node.id === 'account' ? { ...node, d: true } : node),
      meanwhile: ['gate', 'AUTHY_NO_ACCOUNT'],
    },
    { change: (node) => node, meanwhile: ['tokenSms', '200'] },
    // The account's credentials are missing.
    {
      change: (node) => (node.id === 'account' ? { ...node, credentials: { apiKey: '' } } : node),
      meanwhile: ['userStatus', 'AUTHY_NO_API_KEY'],
    },
    { change: (node) => node, meanwhile: ['callback', '403'] },
    // The account's context store is missing.
    {
      change: (node) => (node.id === 'account' ? { ...node, approvalStore: 'context:nowhere' } : node),
      meanwhile: ['gate', 'AUTHY_BAD_CONFIG'],
    },
    { change: (node) => node },
    // The account becomes a simulator, which has other users.
    {
      change: (node) => (node.id === 'account' ? { ...node, service: 'simulator' } : node),
      meanwhile: ['appDetails', '200'],
    },
    { change: (node) => node },
    // The whole tab is disabled.
    {
      change: (node) => (node.id === 'tab' ? { ...node, disabled: true } : node),
      meanwhile: ['userStatus', '404'],
    },
    { change: (node) => node },
  ];

  get variants(): number {
    return this.changes.length;
  }

  /** The flows to deploy next; each change is deployed once by each kind of deploy. Some node has always changed. */
  next(): { flows: FlowNode[]; meanwhile: readonly [path: string, answer: string] | undefined } {
    const number = (this.deploys += 1);
    const { change, meanwhile } = this.changes[
      Math.floor(number / deployTypes.length) % this.changes.length
    ] ?? { change: (node: FlowNode) => node };
    const flows = this.whole()
      .map((node) => (node.id === 'answer' ? { ...node, name: `change ${number}` } : node))
      .flatMap((node) => change(node, number) ?? []);
    return { flows, meanwhile };
  }

  /** The ids of the nodes that take requests. */
  private get ids(): string[] {
    return [...names, 'gate', 'callback'];
  }

  whole(): FlowNode[] {
    const place = { z: 'tab', x: 100, y: 100 };
    const route = (id: string): FlowNode => ({
      ...place,
      id: `in-${id}`,
      type: 'http in',
      url: `/${id}`,
      method: 'post',
      wires: [[id]],
    });
    const done = (outputs: number): string[][] => Array<string[]>(outputs).fill(['answer']);
    return [
      { id: 'tab', type: 'tab', label: 'life' },
      ...this.ids.map(route),
      ...names.map((name) => this.operationNode(name, place)),
      {
        ...approvalGate,
        ...place,
        authyId: this.authyId,
        authyIdType: 'str',
        timeout: '5',
        maxOpen: 0,
        wires: done(3),
      },
      { ...place, id: 'callback', type: 'authy-onetouch-callback', account: 'account', wires: done(3) },
      { ...place, id: 'answer', type: 'http response', wires: [] },
      { ...place, id: 'catch', type: 'catch', scope: null, wires: [['report']] },
      {
        ...place,
        id: 'report',
        type: 'change',
        rules: [
          { t: 'set', p: 'payload', pt: 'msg', to: 'error.code', tot: 'msg' },
          { t: 'set', p: 'statusCode', pt: 'msg', to: '500', tot: 'num' },
        ],
        wires: [['answer']],
      },
      {
        id: 'account',
        type: 'authy-config',
        service: 'authy',
        baseUrl: this.phones.url,
        deadline: 5,
        maxInFlight: 50,
        tls: '',
        proxy: '',
        callbackUrl: '',
        approvalStore: 'context',
        credentials: { apiKey: this.phones.apiKey },
      },
    ];
  }

  private operationNode(name: OnAuthy, place: object): FlowNode {
    const { node: type, inputs, outcomes } = operations[name] as unknown as Operation;
    const sources = Object.keys(inputs).flatMap((input) => [
      [input, `payload.${input}`],
      [`${input}Type`, 'msg'],
    ]);
    const outputs = Math.max(...Object.values(outcomes).map(([output]) => output)) + 1;
    return {
      ...(Object.fromEntries(sources) as object),
      ...place,
      id: name,
      type,
      account: 'account',
      wires: Array<string[]>(outputs).fill(['answer']),
    };
  }
}

/** Sends requests to all of those nodes, several at a time, and answers the phone. */
class Traffic {
  /** How often each answer came: a status, or the code of an error. */
  readonly answers = new Map<string, number>();
  private isRunning = false;
  private workers: Promise<void>[] = [];

  constructor(
    private readonly nodeRed: NodeRed,
    private readonly phones: AuthyPhones,
    private readonly authyId: string,
  ) {}

  start(): void {
    this.isRunning = true;
    const paths = [...names, 'gate', 'gate', 'callback'];
    this.workers = [
      ...Array.from({ length: 6 }, (_, worker) => this.work(paths, worker * 3)),
      this.answerPhones(),
    ];
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    await Promise.all(this.workers);
  }

  private async work(paths: readonly string[], from: number): Promise<void> {
    for (let turn = from; this.isRunning; turn++) {
      // A request never gets an answer if a deploy replaces the whole flow meanwhile.
      await this.ask(paths[turn % paths.length] ?? '', 300);
    }
  }

  /** Sends a request to one of the nodes. @returns the status, the code of the error, or `none` */
  async ask(path: string, patience: number): Promise<string> {
    const inputs = names.includes(path as OnAuthy) ? exchanges[path as OnAuthy].inputs : {};
    // Deletes a user that no other request needs.
    const authyId = path === 'userDelete' ? '1' : this.authyId;
    const answer = await this.post(path, { ...inputs, authyId }, patience);
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
    return answer;
  }

  private async post(path: string, body: object, patience: number): Promise<string> {
    try {
      const response = await fetch(this.nodeRed.nodeUrl + path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(patience),
      });
      const text = await response.text();
      return response.status === 500 ? text : String(response.status);
    } catch {
      return 'none';
    }
  }

  private async answerPhones(): Promise<void> {
    for (let turn = 0; this.isRunning; turn++) {
      const pending = (await this.phones.all()).filter(({ status }) => status === 'pending');
      for (const { uuid } of pending) {
        await this.phones.answer(uuid, turn % 2 === 0 ? 'approve' : 'deny').catch(() => undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
