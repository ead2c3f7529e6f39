import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { Watch, type Watched } from '../../nodes/lib/approval/watch';
import { realTime } from '../../nodes/lib/time';
import { approvalGate } from '../support/approval_gate';
import { eventually } from '../support/node_red';
import { EmbeddedNodeRed, type Message } from './embedded_node_red';
import type { Bench, Goal, Measure, Report, Unit } from './figures';
import { heapUsed } from './heap';

const count = 100_000;
/** How many requests are being sent at once: fewer than an account allows to wait. */
const atOnce = 400;

const smallEnough: Goal = { atMost: 1024 };
const shortEnough: Goal = { atMost: 20 };

/** The timers made by `setTimeout` in this process's JavaScript that have not ended. */
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

/** When garbage was collected, by `performance.now()`. */
const collections: { from: number; to: number }[] = [];
new PerformanceObserver((list) => {
  for (const { startTime: from, duration } of list.getEntries())
    collections.push({ from, to: from + duration });
}).observe({ entryTypes: ['gc'] });

/** A time in which nothing else could run, and how much of it was garbage collection; in milliseconds. */
interface Stall {
  readonly length: number;
  readonly collecting: number;
}

/** The longest stall during some work. */
async function longestStall(work: () => Promise<void>): Promise<Stall> {
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
  // A garbage collection is reported a little later.
  await sleep(50);
  const collecting = collections.reduce(
    (sum, { from, to }) => sum + Math.max(0, Math.min(to, longest.to) - Math.max(from, longest.from)),
    0,
  );
  return { length: longest.to - longest.from, collecting };
}

/** Node-RED with a gate. */
function startGate(baseUrl: string): Promise<EmbeddedNodeRed> {
  return EmbeddedNodeRed.start([
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
      credentials: { apiKey: 'benchmark-test-key' },
    },
  ]);
}

/** A figure from a single run. */
function figure(what: string, unit: Unit, value: number, goal?: Goal): Measure {
  return { what, unit, rounds: [value], ...(goal && { goal }) };
}

/** A stall against its goal, and the part of it that was garbage collection. */
function stall(what: string, { length, collecting }: Stall): Measure[] {
  return [figure(what, 'ms', length, shortEnough), figure(`${what}: collecting garbage`, 'ms', collecting)];
}

/** A message as a home dashboard may send it; each one is for another user. */
function exampleMessage(no: number): Message {
  return {
    _msgid: String(no),
    topic: 'garage',
    authyId: String(1_000_000 + no),
    payload: { button: 'open', no },
  };
}

async function gateFigures(): Promise<Measure[]> {
  countTimers();
  const server = fork(path.join(__dirname, 'silent_authy.ts'), { execArgv: ['--import', 'tsx'] });
  const [baseUrl] = (await once(server, 'message')) as [string];
  let taken = 0;
  server.on('message', (number) => (taken = Number(number)));
  const nodeRed = await startGate(baseUrl);
  const gate = nodeRed.node('gate');

  let given = 0;
  async function ask(many: number): Promise<void> {
    for (const last = given + many; given < last;) {
      gate.receive(exampleMessage((given += 1)));
      // As wires do: they deliver a message one turn later.
      await turn();
      if (given - taken >= atOnce) {
        await eventually('requests to arrive', () => (given - taken < atOnce ? true : undefined));
      }
    }
    await eventually('every request to arrive', () => (taken >= given ? true : undefined));
    await sleep(500);
  }
  // The first requests load and compile code, which must not count.
  await ask(500);
  gate.receive({ reset: true });
  await sleep(500);

  const empty = { heap: heapUsed(), timers: timers.size };
  const messages = Array.from({ length: count }, (_, no) => exampleMessage(no));
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
  await nodeRed.stop();
  server.disconnect();
  return [
    figure(
      'heap of a pending request beside its message',
      'bytes',
      (full.heap - empty.heap) / count - message,
      smallEnough,
    ),
    ...stall('longest stall while asking', asking),
    ...stall('longest stall in 5 s of waiting', waiting),
    ...stall('longest stall while all are withdrawn at once', withdrawing),
    figure('requests pending at once', '', count),
    figure('heap of a message itself', 'bytes', message),
    figure('timers more than with none pending', '', full.timers - empty.timers),
    figure('asked over loopback', 'calls/s', rate),
  ];
}

/** All of them end at the same moment, which is the worst case for the watch. */
async function expiryFigures(): Promise<Measure[]> {
  const watch = new Watch(realTime);
  let ended = 0;
  const now = performance.now();
  const requests = Array.from({ length: count }, (_, no): Watched => {
    return {
      key: `00000000-0000-0000-0000-${String(no).padStart(12, '0')}`,
      recipient: '209',
      lifetime: 2000,
      joinedAfter: 0,
      waitsSince: -Infinity,
      isBeforeEnd: true,
      seenOpen: () => undefined,
      askedAt: now,
      endsAt: now + 2000,
      mayBeAnswered: false,
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
    ...stall('longest stall while the watch takes them, 1,000 in a turn', adding),
    ...stall('longest stall while all expire in the same moment', ending),
    figure('until the last has expired, the 2 s included', 's', (performance.now() - started) / 1000),
  ];
}

async function run(): Promise<Report> {
  const measures = [...(await gateFigures()), ...(await expiryFigures())];
  return {
    ratios: measures.filter(({ goal }) => goal !== undefined),
    figures: measures.filter(({ goal }) => goal === undefined),
    notes: ['One run: each request is one of a hundred thousand, so that five runs would hardly say more.'],
  };
}

export const bench: Bench = { title: `${count.toLocaleString('en')} pending approvals in one Node-RED`, run };
