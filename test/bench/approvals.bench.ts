import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Watch, type Watched } from '../../nodes/lib/approval/watch';
import { approvalGate } from '../support/approval_gate';
import { eventually, packageName, root, temporaryDirectory } from '../support/node_red';
import type { Bench, Figure } from './run';

const count = 100_000;
/** So many are on their way at once: fewer than an account lets wait. */
const atOnce = 400;

interface BenchNode {
  receive(message: object): void;
}

/** Node-RED as a library, as far as it is used. */
interface EmbeddedNodeRed {
  init(settings: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  nodes: { getNode(id: string): BenchNode | null };
  runtime: { flows: { setFlows(options: object): Promise<unknown> }; events: NodeJS.EventEmitter };
}

/** The timers that are alive, of those made by `setTimeout` in this process's JavaScript. */
const timers = new Set<unknown>();

function countTimers(): void {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  globalThis.setTimeout = ((run: (...values: unknown[]) => void, wait?: number, ...values: unknown[]) => {
    const timer = set(() => {
      timers.delete(timer);
      run(...values);
    }, wait);
    timers.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    timers.delete(timer);
    clear(timer);
  };
}

function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('It needs --expose-gc, which npm run bench gives it.');
  for (let round = 0; round < 3; round++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** When garbage was collected, by `performance.now()`. */
const collections: { from: number; to: number }[] = [];
new PerformanceObserver((list) => {
  for (const { startTime: from, duration } of list.getEntries())
    collections.push({ from, to: from + duration });
}).observe({ entryTypes: ['gc'] });

/** The longest time in which nothing else could run while something was done, and how much of it was collecting garbage. */
async function longestStall(work: () => Promise<void>): Promise<string> {
  const done = new AbortController();
  let longest = { from: 0, to: 0 };
  const watching = (async () => {
    for (let from = performance.now(); !done.signal.aborted;) {
      await turn();
      const to = performance.now();
      if (to - from > longest.to - longest.from) longest = { from, to };
      from = to;
    }
  })();
  await work();
  done.abort();
  await watching;
  // What was collected is told a little later.
  await sleep(50);
  const collecting = collections.reduce(
    (sum, { from, to }) => sum + Math.max(0, Math.min(to, longest.to) - Math.max(from, longest.from)),
    0,
  );
  return `${(longest.to - longest.from).toFixed(1)} ms (${collecting.toFixed(1)} ms collecting garbage)`;
}

/** Node-RED in this process, with the package as it is built, and a gate. */
async function startGate(baseUrl: string): Promise<{ RED: EmbeddedNodeRed; gate: BenchNode }> {
  const userDir = temporaryDirectory();
  const link = path.join(userDir, 'node_modules', packageName);
  fs.mkdirSync(path.dirname(link), { recursive: true });
  fs.symlinkSync(root, link, 'junction');
  const RED = (await import('node-red')).default as unknown as EmbeddedNodeRed;
  RED.init({
    userDir,
    httpAdminRoot: false,
    httpNodeRoot: false,
    logging: { console: { level: 'error' } },
    credentialSecret: 'bench',
  });
  const ready = once(RED.runtime.events, 'flows:started');
  await RED.start();
  await ready;
  const flows = [
    { id: 'tab', type: 'tab', label: 'bench' },
    { ...approvalGate, z: 'tab', x: 1, y: 1, timeout: '86400', maxOpen: 0, wires: [[], [], []] },
    {
      id: 'account',
      type: 'authy-config',
      service: 'authy',
      baseUrl,
      deadline: 60,
      maxInFlight: 50,
      approvalStore: 'context',
      credentials: { apiKey: 'bench-key' },
    },
  ];
  await RED.runtime.flows.setFlows({ flows: { flows }, deploymentType: 'full' });
  return { RED, gate: await eventually('the gate', () => RED.nodes.getNode('gate') ?? undefined) };
}

/** What a message of a home dashboard may look like. */
function exampleMessage(no: number): object {
  return { _msgid: String(no), topic: 'garage', authyId: '209', payload: { button: 'open', no } };
}

async function gateFigures(): Promise<Figure[]> {
  countTimers();
  const server = fork(path.join(__dirname, 'silent_authy.ts'), { execArgv: ['--import', 'tsx'] });
  const [baseUrl] = (await once(server, 'message')) as [string];
  let taken = 0;
  server.on('message', (number) => (taken = Number(number)));
  const { RED, gate } = await startGate(baseUrl);

  let given = 0;
  async function ask(many: number): Promise<void> {
    for (const last = given + many; given < last;) {
      gate.receive(exampleMessage((given += 1)));
      // As wires do: what a flow sends is delivered one turn later.
      await turn();
      if (given - taken >= atOnce) {
        await eventually('requests to arrive', () => (given - taken < atOnce ? true : undefined));
      }
    }
    await eventually('every request to arrive', () => (taken >= given ? true : undefined));
    await sleep(500);
  }
  // What is loaded and compiled once does not count.
  await ask(500);
  gate.receive({ reset: true });
  await sleep(500);

  const empty = { heap: heapUsed(), timers: timers.size };
  const messages = Array.from({ length: 1000 }, (_, no) => exampleMessage(no));
  const message = (heapUsed() - empty.heap) / messages.length;
  messages.length = 0;

  const started = performance.now();
  const asking = await longestStall(() => ask(count));
  const rate = count / ((performance.now() - started) / 1000);
  const full = { heap: heapUsed(), timers: timers.size };
  const waiting = await longestStall(() => sleep(5000));
  const withdrawing = await longestStall(async () => {
    gate.receive({ reset: true });
    await sleep(3000);
  });
  await RED.stop();
  server.disconnect();
  return [
    ['requests pending at once', String(count)],
    ['heap of a message itself', `${Math.round(message)} bytes`],
    [
      'heap of a pending request beside its message',
      `${Math.round((full.heap - empty.heap) / count - message)} bytes`,
    ],
    ['timers more than with none pending', String(full.timers - empty.timers)],
    ['asked over loopback', `${Math.round(rate)} a second`],
    ['longest stall while asking', asking],
    ['longest stall in 5 s of waiting', waiting],
    ['longest stall while all are withdrawn at once', withdrawing],
  ];
}

/** All of them end in the same moment, which is the worst that can happen to the watch. */
async function expiryFigures(): Promise<Figure[]> {
  const watch = new Watch();
  let ended = 0;
  const now = performance.now();
  const requests = Array.from({ length: count }, (_, no): Watched => {
    return {
      approvalId: `00000000-0000-0000-0000-${String(no).padStart(12, '0')}`,
      authyId: '209',
      timeout: 2,
      askedAt: now,
      endsAt: now + 2000,
      hasRested: false,
      confirm: true,
      read: () => turn().then(() => Promise.reject(new Error('no answer'))),
      remind: undefined,
      decide: () => (ended += 1),
      onUnreadable: () => undefined,
    };
  });
  const adding = await longestStall(async () => {
    for (const [no, request] of requests.entries()) {
      watch.add(request);
      if (no % 1000 === 0) await turn();
    }
  });
  const started = performance.now();
  const ending = await longestStall(async () => {
    while (ended < count) await sleep(5);
  });
  return [
    ['longest stall while the watch takes them, 1000 in a turn', adding],
    ['longest stall while all expire in the same moment', ending],
    [
      'until the last has expired, the 2 s included',
      `${((performance.now() - started) / 1000).toFixed(1)} s`,
    ],
  ];
}

export const bench: Bench = {
  title: `${count.toLocaleString('en')} pending approvals in one Node-RED`,
  run: async () => [...(await gateFigures()), ...(await expiryFigures())],
};
