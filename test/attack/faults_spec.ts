import should from 'should';
import { type Operation, operations } from '../../nodes/lib/contract/operations';
import { selfSigned } from '../support/certificate';
import { exchanges, type OnAuthy, onAuthy as names } from '../support/exchanges';
import { Flow, type FlowNode } from '../support/flow';
import { Random } from '../support/random';
import { runs } from '../support/runs';
import { type Entry, Tally } from '../support/tally';
import {
  type Failure,
  type Fate,
  fates,
  silence,
  UnreliableNetwork,
  type Way,
} from '../support/unreliable_network';

const count = runs(10_000);

/**
 * How often an operation may be tried again after each failure: an independent copy of the table in
 * `nodes/lib/http/retry.ts`.
 */
const mayRepeat = {
  read: { notSent: 2, rateLimited: 2, noAnswer: 2 },
  readBilled: { notSent: 2, rateLimited: 1, noAnswer: 1 },
  repeatable: { notSent: 2, rateLimited: 2, noAnswer: 1 },
  never: { notSent: 2, rateLimited: 0, noAnswer: 0 },
} as const;
type Kind = keyof typeof mayRepeat;

const kinds: Readonly<Record<OnAuthy, Kind>> = {
  userCreate: 'repeatable',
  userStatus: 'read',
  userUpdate: 'repeatable',
  userDelete: 'repeatable',
  userExport: 'read',
  userQr: 'never',
  userActivity: 'never',
  tokenSms: 'never',
  tokenCall: 'never',
  tokenEmail: 'never',
  tokenVerify: 'never',
  phoneStart: 'never',
  phoneCheck: 'never',
  phoneStatus: 'read',
  phoneInfo: 'readBilled',
  appDetails: 'read',
  appStats: 'read',
  onetouchSend: 'never',
  onetouchStatus: 'read',
};

/** How a call may end: `done`, or the code of its error, and how many requests have arrived. */
interface Ending {
  readonly outcome: string;
  readonly arrivals: number;
}

/** The allowed endings of a call with these attempts; more than one if a failure can be seen in two ways. */
function endingsOf(kind: Kind, plan: readonly Fate[]): Ending[] {
  const follow = (left: Record<string, number>, attempt: number, arrivals: number): Ending[] => {
    const fate = plan[attempt];
    if (fate === undefined) return [{ outcome: 'done', arrivals: arrivals + 1 }];
    const arrived = arrivals + (fate.server !== undefined || fate.wire === 'cutFirstBytes' ? 1 : 0);
    return fate.means.flatMap((failure) => {
      const again = left[failure] ?? 0;
      if (again > 0) return follow({ ...left, [failure]: again - 1 }, attempt + 1, arrived);
      return [{ outcome: errorOf(kind, failure), arrivals: arrived }];
    });
  };
  return follow(mayRepeat[kind], 0, 0);
}

function errorOf(kind: Kind, failure: Failure): string {
  switch (failure) {
    case 'notSent':
      return 'error AUTHY_NETWORK';
    case 'insecure':
      return 'error AUTHY_TLS';
    case 'rateLimited':
    case 'rateLimitedForLong':
      return 'error AUTHY_RATE_LIMITED';
    case 'noAnswer':
      return kind === 'read' || kind === 'readBilled'
        ? 'error AUTHY_UNAVAILABLE'
        : 'error AUTHY_OUTCOME_UNKNOWN';
  }
}

/** Accounts whose service cannot be reached at all, and the error that says so. */
const deadEnds = [
  { id: 'refused', what: 'connection refused', error: 'error AUTHY_NETWORK' },
  { id: 'nameless', what: 'no such host', error: 'error AUTHY_NETWORK' },
  { id: 'noproxy', what: 'proxy is down', error: 'error AUTHY_NETWORK' },
  { id: 'stranger', what: 'unknown certificate', error: 'error AUTHY_TLS' },
] as const;

/** The counts that are printed at the end. */
class Account {
  calls = 0;
  /** Calls that met at least one fault, and those of them that were answered in spite of it. */
  disturbed = 0;
  recovered = 0;
  duplicates = 0;
  readonly byOutcome = new Map<string, number>();
  readonly byFault = new Map<string, number>();
  readonly byOperation = new Map<OnAuthy, number>();
  readonly wrong: string[] = [];

  note<K>(map: Map<K, number>, key: K): void {
    map.set(key, (map.get(key) ?? 0) + 1);
  }

  print(seed: number, hung: number, lost: number): void {
    const list = (map: Map<string, number>): string[] =>
      [...map].sort(([a], [b]) => a.localeCompare(b)).map(([what, n]) => `${String(n).padStart(9)} ${what}`);
    const lines = [
      `seed ${seed}`,
      `calls ${this.calls} over ${this.byOperation.size} operations`,
      ...list(this.byOutcome),
      'faults that were met',
      ...list(this.byFault),
      `calls that met one ${this.disturbed}, and were answered all the same ${this.recovered}`,
      `duplicates ${this.duplicates}, hung ${hung}, lost ${lost}`,
    ];
    process.stdout.write(lines.map((line) => `      ${line}\n`).join(''));
  }
}

describe(`Faults of the network: ${count} calls`, function () {
  this.timeout(240_000 * Math.max(1, count / 10_000));
  const random = new Random();
  const tally = new Tally();
  const account = new Account();
  const lanes: { id: string; network: UnreliableNetwork }[] = [];
  let flow: Flow;
  let stranger: UnreliableNetwork;

  before(async () => {
    const certificate = await selfSigned();
    const ways: Way[] = [
      ...Array<Way>(40).fill('plain'),
      ...Array<Way>(20).fill('tls'),
      ...Array<Way>(20).fill('proxy'),
    ];
    for (const [index, way] of ways.entries()) {
      const network = await new UnreliableNetwork(way, random, certificate).start();
      lanes.push({ id: `${way}${index}`, network });
    }
    stranger = await new UnreliableNetwork('tls', random, certificate).start();

    const accounts: FlowNode[] = [
      ...lanes.map(({ id, network }) => lane(id, network)),
      { ...lane('stranger', stranger), tls: '' },
      { ...accountNode('refused'), baseUrl: 'http://127.0.0.1:1' },
      { ...accountNode('nameless'), baseUrl: 'https://authy.invalid' },
      { ...accountNode('noproxy'), baseUrl: 'https://api.authy.test', proxy: 'dead-proxy' },
    ];
    const nodes = accounts.flatMap(({ id }) => names.map((name) => operationNode(id, name)));
    flow = await Flow.start(
      { id: 'watched', type: 'authy-app-details', account: '' },
      1,
      [
        // The nodes that accounts refer to come first, so that no account has to wait for them.
        { id: 'dead-proxy', type: 'http proxy', url: 'http://127.0.0.1:1' },
        ...lanes.map(({ id, network }) => ({
          id: `${id}-proxy`,
          type: 'http proxy',
          url: `http://127.0.0.1:${network.port}`,
        })),
        {
          id: 'trusted',
          type: 'tls-config',
          cert: '',
          key: '',
          ca: '',
          servername: 'api.authy.test',
          verifyservercert: true,
        },
        ...accounts,
        ...nodes,
        { id: 'sink', type: 'helper', z: 'tab', wires: [] },
      ],
      {
        ...Object.fromEntries(accounts.map(({ id }) => [id, { apiKey: 'faults-test-key-1' }])),
        trusted: { cadata: certificate.cert },
      },
    );
    tally.start(...nodes.map(({ id }) => id));
  });
  after(async () => {
    tally.stop();
    await flow.stop();
    for (const { network } of lanes) await network.stop();
    await stranger.stop();
  });

  function accountNode(id: string): FlowNode {
    // Long enough for a machine that has other work to do.
    return { id, type: 'authy-config', service: 'authy', deadline: 300, maxInFlight: 10, tls: '', proxy: '' };
  }

  function lane(id: string, network: UnreliableNetwork): FlowNode {
    const node = { ...accountNode(id), tls: 'trusted' };
    switch (network.way) {
      case 'plain':
        return { ...node, tls: '', baseUrl: `http://127.0.0.1:${network.port}` };
      case 'tls':
        return { ...node, baseUrl: `https://127.0.0.1:${network.port}` };
      case 'proxy':
        return { ...node, baseUrl: 'https://api.authy.test', proxy: `${id}-proxy` };
    }
  }

  /** A node whose every input comes from the message. */
  function operationNode(lane: string, name: OnAuthy): FlowNode {
    const { node: type, inputs, outcomes } = operations[name] as unknown as Operation;
    const sources = Object.keys(inputs).flatMap((input) => [
      [input, input],
      [`${input}Type`, 'msg'],
    ]);
    const outputs = Math.max(...Object.values(outcomes).map(([output]) => output)) + 1;
    return {
      ...(Object.fromEntries(sources) as object),
      id: `${lane}-${name}`,
      type,
      account: lane,
      z: 'tab',
      wires: Array<string[]>(outputs).fill(['sink']),
    };
  }

  /** Makes one call and waits for its end. */
  async function call(lane: string, name: OnAuthy, requestTimeout?: number): Promise<Entry> {
    const no = (account.calls += 1);
    account.note(account.byOperation, name);
    const ending = tally.ending(no);
    flow.give({ ...exchanges[name].inputs, no, requestTimeout }, `${lane}-${name}`);
    if (no % 1000 === 0) flow.forgetCalls();
    return ending;
  }

  function outcomeOf({ sent, ended }: Entry): string {
    const outcome = ended[0] === 'complete' && sent.length === 1 ? 'done' : (ended[0] ?? 'nothing');
    account.note(account.byOutcome, outcome);
    return outcome;
  }

  /** What will happen to the attempts of one call. */
  function newPlan(network: UnreliableNetwork): Fate[] {
    if (random.happens(0.3)) return [];
    const possible = fates.filter(({ ways }) => ways.includes(network.way));
    const plan = Array.from({ length: random.pick([1, 1, 1, 2, 2, 3]) }, () => random.pick(possible));
    // A fault of a new connection cannot happen on one that is left from the last call.
    return network.isConnected && plan[0]?.wire !== undefined ? [] : plan;
  }

  async function disturbed(id: string, network: UnreliableNetwork, name: OnAuthy): Promise<void> {
    const plan = newPlan(network);
    network.begin(plan, exchanges[name].answer);
    // With less time than the 30 s that a call may wait for Retry-After, it ends at once.
    const isLong = plan.some(({ means }) => means.includes('rateLimitedForLong'));
    const outcome = outcomeOf(await call(id, name, isLong ? 29_000 : undefined));
    const { arrivals } = network;
    const isAllowed = (ending: Ending): boolean => ending.outcome === outcome && ending.arrivals === arrivals;
    const what = `${name} (${network.way}), ${plan.map((fate) => fate.name).join(', then ')}`;
    if (!endingsOf(kinds[name], plan).some(isAllowed)) {
      account.wrong.push(`${what}: ${outcome} after ${arrivals} requests`);
    }
    account.duplicates += kinds[name] === 'never' ? Math.max(0, arrivals - 1) : 0;
    for (const { name } of network.met) account.note(account.byFault, name);
    if (network.met.length > 0) account.disturbed += 1;
    if (network.met.length > 0 && outcome === 'done') account.recovered += 1;
  }

  /** A silent server: an operation that must not be repeated is sent once; any other is repeated, and then answered. */
  async function silent(id: string, network: UnreliableNetwork, name: OnAuthy): Promise<void> {
    const isOnce = kinds[name] === 'never';
    network.begin([silence], exchanges[name].answer);
    const outcome = outcomeOf(await call(id, name, isOnce ? 500 : 10_000));
    // A request that is still on its way belongs to this call, not to the next one.
    await network.settle();
    account.note(account.byFault, silence.name);
    account.disturbed += 1;
    if (outcome === 'done') account.recovered += 1;
    if (isOnce) account.duplicates += Math.max(0, network.arrivals - 1);
    // On a slow machine the time may be over before the request leaves.
    const allowed = isOnce
      ? ['error AUTHY_OUTCOME_UNKNOWN', 'error AUTHY_NETWORK', 'error AUTHY_TIMEOUT']
      : ['done'];
    const claimsNothingWasSent = ['error AUTHY_NETWORK', 'error AUTHY_TIMEOUT'].includes(outcome);
    if (!allowed.includes(outcome) || (claimsNothingWasSent && network.arrivals > 0)) {
      account.wrong.push(`${name}, silence: ${outcome} after ${network.arrivals} requests`);
    }
  }

  async function dead({ id, what, error }: (typeof deadEnds)[number], name: OnAuthy): Promise<void> {
    const outcome = outcomeOf(await call(id, name));
    account.note(account.byFault, what);
    account.disturbed += 1;
    if (outcome !== error || stranger.arrivals > 0) account.wrong.push(`${name}, ${what}: ${outcome}`);
  }

  it('each message ends once, with an allowed outcome, and nothing is done twice', async () => {
    const until = async (step: (name: OnAuthy) => Promise<void>, atMost = count): Promise<void> => {
      for (let made = 0; made < atMost && account.calls < count; made++) await step(random.pick(names));
    };
    await Promise.all([
      ...lanes.map(({ id, network }) =>
        until((name) => (random.happens(0.003) ? silent : disturbed)(id, network, name)),
      ),
      ...deadEnds.map((end) => until((name) => dead(end, name), count / 200)),
    ]);
    account.print(random.seed, tally.open.size, tally.problems.length);
    should(account.wrong).eql([]);
    should(tally.problems).eql([]);
    account.duplicates.should.equal(0);
    should([...account.byOperation.keys()].sort()).eql([...names].sort());
    for (const { name } of fates) should(account.byFault.get(name)).be.above(0, name);
  });
});
