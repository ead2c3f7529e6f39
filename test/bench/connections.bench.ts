import { AuthyClient, verifyBy } from './built';
import { apiKey } from './call';
import type { Bench, Measure, Report } from './figures';
import { makeCalls } from './in_flight';
import { LoopbackAuthy } from './loopback_process';

const calls = 1000;
const rounds = 5;

interface Taken {
  connections: number;
  /** For all calls, in seconds. */
  seconds: number;
}

async function run(): Promise<Report> {
  const server = await LoopbackAuthy.start('https');
  const oneByOne: Taken[] = [];
  const twenty: Taken[] = [];
  for (let round = 0; round < rounds; round++) {
    oneByOne.push(await taken(server, 1));
    twenty.push(await taken(server, 20));
  }
  server.stop();
  const count = calls.toLocaleString('en');
  const opened = (what: string, of: readonly Taken[]): Measure => ({
    what: `connections opened by ${count} calls, ${what}`,
    unit: '',
    rounds: of.map(({ connections }) => connections),
  });
  const time = (what: string, of: readonly Taken[]): Measure => ({
    what: `time of ${count} calls, ${what}`,
    unit: 's',
    rounds: of.map(({ seconds }) => seconds),
  });
  return {
    ratios: [{ ...opened('one at a time', oneByOne), goal: { atMost: 1 } }, opened('20 in flight', twenty)],
    figures: [time('one at a time', oneByOne), time('20 in flight', twenty)],
    notes: ['Each round has a client of its own; the server, on this machine, counts what is opened.'],
  };
}

/** Makes all calls with a new client, with so many in flight. */
async function taken(server: LoopbackAuthy, inFlight: number): Promise<Taken> {
  const tls = { ca: server.certificate };
  const client = new AuthyClient({ apiKey, baseUrl: server.url, maxInFlight: inFlight, tls });
  const before = await server.counts();
  const started = performance.now();
  await makeCalls(() => verifyBy(client), inFlight, calls);
  const seconds = (performance.now() - started) / 1000;
  const after = await server.counts();
  client.close();
  if (after.requests - before.requests !== calls) throw new Error('The server counted other calls.');
  return { connections: after.connections - before.connections, seconds };
}

export const bench: Bench = { title: 'connections over TLS', run };
