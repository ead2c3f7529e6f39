import { bareCallers, bareNames } from './bare_callers';
import { AuthyClient, Cancellation, Connections, Transport, verifyBy } from './built';
import { apiKey, type Caller, checkAnswer, verifyPath } from './call';
import { contest } from './contest';
import { EmbeddedNodeRed } from './embedded_node_red';
import type { Bench, Measure, Report } from './figures';
import { callFlows, FlowPlayer, passFlow, sinkFlow } from './flow_callers';
import { makeCalls } from './in_flight';
import { LoopbackAuthy } from './loopback_process';
import { processorTime } from './processor_time';

const levels = [20, 1] as const;
/** What the layers are compared with. */
const [undici] = bareNames;
/** How many calls each makes in a round. */
const calls = 4000;

/** The same call through fewer and fewer layers: the difference between two of them is what one layer adds. */
function layers(url: string, player: FlowPlayer): Caller[] {
  const headers = { 'X-Authy-API-Key': apiKey, Accept: 'application/json', 'User-Agent': 'node-red-authy' };
  const client = new AuthyClient({ apiKey, baseUrl: url, maxInFlight: Math.max(...levels) });
  const transport = new Transport({ origin: url, headers });
  const connections = new Connections({ origin: url, headers, largestReply: 1024 * 1024 });
  const exchange = () => ({
    method: 'GET' as const,
    path: verifyPath,
    cancellation: new Cancellation(),
    onSent: () => undefined,
  });
  const [node] = player.callers('now', url);
  return [
    { ...node, name: 'the node, in Node-RED' },
    { name: 'Node-RED alone: a message through a junction', call: () => player.pass() },
    { name: 'client: deadline, repeats, judgement', call: () => verifyBy(client) },
    {
      name: 'transport: axios above the connections',
      async call() {
        const { statusCode, body } = await transport.send(exchange());
        checkAnswer(statusCode, JSON.parse(body));
      },
    },
    {
      name: 'connections: undici as it is used here',
      async call() {
        const { status, text } = await connections.exchange(exchange());
        checkAnswer(status, JSON.parse(text));
      },
    },
  ];
}

async function run(): Promise<Report> {
  const server = await LoopbackAuthy.start('http');
  const flows = [...callFlows('now', server.url, Math.max(...levels)), ...passFlow, ...sinkFlow];
  const nodeRed = await EmbeddedNodeRed.start(flows);
  const ratios: Measure[] = [];
  const figures: Measure[] = [];
  for (const inFlight of levels) {
    const own = layers(server.url, new FlowPlayer(nodeRed));
    const callers = [...own, ...bareCallers(server.url, inFlight)];
    const results = await contest(
      callers.map(({ name, call }) => ({ name, measure: () => timePerCall(call, inFlight) })),
      { rounds: 9, warmUps: 3 },
    );
    const suffix = `, ${inFlight} in flight`;
    ratios.push(
      ...own.map(({ name }) => ({
        what: `${name} / ${undici}${suffix}`,
        unit: 'x' as const,
        rounds: results.ratio(name, undici),
      })),
    );
    figures.push(...results.figures('µs', suffix));
  }
  await nodeRed.stop();
  server.stop();
  return {
    ratios,
    figures,
    notes: [
      'Processor time of this process for a call, in microseconds; the server is another process. A ratio says how ' +
        'many times the time of bare undici it is: smaller is better here.',
      'Each layer contains the ones below it; Node-RED alone is a part of the first.',
    ],
  };
}

/** Processor time, in microseconds. */
async function timePerCall(call: () => Promise<unknown>, inFlight: number): Promise<number> {
  await makeCalls(call, inFlight, calls / 10);
  const started = processorTime();
  await makeCalls(call, inFlight, calls);
  return ((processorTime() - started) * 1000) / calls;
}

export const bench: Bench = { title: 'where the time of a call goes', run };
