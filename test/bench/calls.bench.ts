import { eventually } from '../support/node_red';
import { officialClients } from '../support/simulator_clients';
import { bareCallers, bareNames } from './bare_callers';
import type { Caller } from './call';
import { contest, type Results } from './contest';
import { EmbeddedNodeRed } from './embedded_node_red';
import type { Bench, Measure, Report } from './figures';
import { callFlows, flowName, FlowPlayer, nodeName, sinkFlow } from './flow_callers';
import { heapUsed } from './heap';
import { callRate } from './in_flight';
import { LoopbackAuthy } from './loopback_process';
import { npmCallers } from './npm_callers';
import { unlessSkipped } from './unless_skipped';

/** How many calls are under way at once; the figures with goals are those of 20 and 1. */
const levels = [20, 1, 200] as const;
/** How long each contender calls in a round, in milliseconds. */
const roundTime = 200;
/** How many calls have no answer yet when the heap is measured. */
const heldAtOnce = 100;

const notes = [
  'All contenders ask the same server, which answers each request with "Token is valid." from a process of its own over ' +
    'plain HTTP on this machine; it shares the processors with them.',
  'The core http request node keeps its connections here, which is not its default. Whoever asks also parses the JSON ' +
    'and looks whether it says valid.',
  'The npm clients go over `request`; both can be pointed at another address.',
];

async function run(): Promise<Report> {
  const server = await LoopbackAuthy.start('http');
  const held = `${server.url}/held`;
  const nodeRed = await EmbeddedNodeRed.start([
    ...callFlows('now', server.url, Math.max(...levels)),
    ...callFlows('held', held, heldAtOnce).filter(({ type }) => type !== 'tab'),
    ...sinkFlow,
  ]);
  const player = new FlowPlayer(nodeRed);
  const clients = await unlessSkipped(officialClients);
  const npm = clients === undefined ? [] : npmCallers(clients, server.url);

  // First, because later a kept connection could close during the measurement.
  const [node, flow] = player.callers('held', held);
  const heap = await contest(
    [node, flow].map(({ name, call }) => ({ name, measure: () => heapPerCall(call, server) })),
    { warmUps: 2 },
  );
  const ratios: Measure[] = [];
  const figures: Measure[] = [];
  for (const inFlight of levels) {
    const callers = [...player.callers('now', server.url), ...bareCallers(server.url, inFlight), ...npm];
    const results = await contest(
      callers.map(({ name, call }) => ({ name, measure: () => callRate(call, inFlight, roundTime) })),
      { rounds: 15, warmUps: 3 },
    );
    ratios.push(...callRatios(results, callers, inFlight));
    figures.push(...results.figures('calls/s', `, ${inFlight} in flight`));
  }
  ratios.push({
    what: `heap of a call in flight: ${nodeName} / ${flowName}`,
    unit: 'x',
    rounds: heap.ratio(nodeName, flowName),
  });
  figures.push(
    ...heap.figures('bytes', `, heap of a call in flight with ${heldAtOnce.toLocaleString('en')}`),
  );
  await nodeRed.stop();
  server.stop();
  const missing = 'The npm clients are missing: they could not be downloaded.';
  return { ratios, figures, notes: clients === undefined ? [...notes, missing] : notes };
}

/** Our node against each of the others; first against those that a goal names. */
function callRatios(results: Results, callers: readonly Caller[], inFlight: number): Measure[] {
  const suffix = `, ${inFlight} in flight`;
  const bare = results.best(bareNames);
  const against = (other: string): Measure => ({
    what: `${nodeName} / ${other}${suffix}`,
    unit: 'x',
    rounds: results.ratio(nodeName, other),
  });
  const others = callers.map(({ name }) => name).filter((name) => name !== nodeName);
  if (inFlight === 20) {
    return [
      { ...against(flowName), goal: { atLeast: 5 } },
      { ...against(bare), goal: { atLeast: 0.6 } },
      ...others.filter((name) => name !== flowName && name !== bare).map(against),
    ];
  }
  if (inFlight === 1) {
    const added: Measure = {
      what: `time of a call that ${nodeName} adds to ${bare}${suffix}`,
      unit: '%',
      rounds: results.ratio(bare, nodeName).map((ratio) => (ratio - 1) * 100),
      goal: { atMost: 15 },
    };
    return [added, ...others.map(against)];
  }
  return others.map(against);
}

/** How much the heap grows with each call that has no answer yet, in bytes. */
async function heapPerCall(call: () => Promise<void>, server: LoopbackAuthy): Promise<number> {
  const before = heapUsed();
  const calls = Array.from({ length: heldAtOnce }, call);
  await eventually('all calls to arrive', async () =>
    (await server.counts()).held === heldAtOnce ? true : undefined,
  );
  const full = heapUsed();
  server.release();
  await Promise.all(calls);
  return (full - before) / heldAtOnce;
}

export const bench: Bench = { title: 'a token is verified', run };
