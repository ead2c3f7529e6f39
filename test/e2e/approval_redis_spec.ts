import should from 'should';
import { approvalFlow } from '../support/approval_flow';
import { AuthyPhones } from '../support/authy_phones';
import { Collector } from '../support/collector';
import { eventually, type FlowNode, NodeRed, type Runtime, runtimes } from '../support/node_red';
import { Redis } from '../support/redis';

const [runtime] = runtimes as [Runtime];

/**
 * Two Node-REDs with the same flows, as behind a load balancer: the messages come in at the first, and every callback
 * at the second.
 */
describe('open approvals of two Node-REDs in Redis', function () {
  this.timeout(90_000);
  let redis: Redis;
  let phones: AuthyPhones;
  let collector: Collector;
  let one: NodeRed;
  let other: NodeRed;
  let no = 0;
  let authyId: string;

  before(async function () {
    this.timeout(600_000);
    redis = await Redis.start(this);
    phones = await new AuthyPhones().start();
    collector = await new Collector().start();
    const start = (name: string): Promise<NodeRed> =>
      NodeRed.start(this, runtime, { env: { INSTANCE: name }, packages: ['@redis/client'] });
    [one, other] = await Promise.all([start('one'), start('other')]);
    phones.callbacksTo(`${other.nodeUrl}callback`);
  });
  after(async () => {
    // Undefined where the suite was skipped.
    await (one as NodeRed | undefined)?.stop();
    await (other as NodeRed | undefined)?.stop();
    await (collector as Collector | undefined)?.stop();
    await (phones as AuthyPhones | undefined)?.stop();
    await (redis as Redis | undefined)?.stop();
  });

  beforeEach(async () => {
    await phones.faults();
    authyId = await phones.newUser();
  });

  function flows(gate: Record<string, unknown> = {}): FlowNode[] {
    return approvalFlow({
      baseUrl: phones.url,
      apiKey: phones.apiKey,
      collector: collector.url,
      gate: { maxOpen: 0, details: '{"No": $string(no)}', detailsType: 'jsonata', ...gate },
      account: { approvalStore: 'redis', redisUrl: redis.url },
    });
  }

  async function deploy(gate: Record<string, unknown> = {}): Promise<void> {
    await Promise.all([one, other].map((red) => red.deploy(flows(gate))));
  }

  function post(red: NodeRed, path: string, body: object): Promise<Response> {
    return fetch(`${red.nodeUrl}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Asks for another approval. @returns the number of its message */
  async function ask(red: NodeRed): Promise<number> {
    no += 1;
    should((await post(red, 'ask', { no, authyId })).status).equal(202);
    return no;
  }

  async function askOf(red: NodeRed, count: number): Promise<number[]> {
    const numbers: number[] = [];
    for (let index = 0; index < count; index++) numbers.push(await ask(red));
    return numbers;
  }

  /** The uuid of each open request of the current user, by the number of its message. */
  async function onPhone(count: number): Promise<(number: number) => string> {
    const pending = await phones.pending(authyId, count);
    const uuids = new Map(pending.map(({ uuid, details }) => [Number(details?.['No']), uuid]));
    return (number) => uuids.get(number) ?? '';
  }

  /** How many requests are open in Redis. Requests that have ended leave a tombstone, which does not count. */
  async function openInRedis(): Promise<number> {
    const script =
      "local count = 0 for _, key in ipairs(redis.call('KEYS', '*:request:*')) do " +
      "if redis.call('HEXISTS', key, 'until') == 0 then count = count + 1 end end return count";
    return Number(/^:(\d+)/.exec(await redis.command('EVAL', `"${script}"`, '0'))?.[1]);
  }

  /** Waits until Redis knows that each request is on the phone; until then the request counts as being sent. */
  async function knownToRedis(uuids: string[]): Promise<void> {
    for (const uuid of uuids) {
      await eventually('Redis to know that the request is on the phone', async () => {
        const answer = await redis.command('ZCARD', `approvals:{account}:approval:${uuid}`);
        return answer.startsWith(':1') ? true : undefined;
      });
    }
  }

  /** The name of a request's key. */
  async function keyOf(uuid: string): Promise<string> {
    const answer = await redis.command('ZRANGE', `approvals:{account}:approval:${uuid}`, '0', '-1');
    const [id] = /approval_\w+/.exec(answer) ?? [];
    if (id === undefined) throw new Error(`Nothing in Redis waits for ${uuid}: ${answer}`);
    return `approvals:{account}:request:${id}`;
  }

  /** Waits until each instance knows about all withdrawals by other instances. */
  async function allWithdrawn(): Promise<void> {
    await eventually('withdrawals to be known', async () =>
      (await redis.command('KEYS', '*:withdrawn:*')).startsWith('*0') ? true : undefined,
    );
  }

  /** Shows that an instance still works: it asks for an approval, which is answered and handed on. */
  async function stillWorks(red: NodeRed, by: string): Promise<void> {
    authyId = await phones.newUser();
    const next = await ask(red);
    await phones.answer((await onPhone(1))(next), 'deny');
    await shouldEnd([next], 'denied', by);
  }

  /** Waits until each message has an outcome, and checks that it is this one, once, by this instance. */
  async function shouldEnd(numbers: number[], outcome: string, by?: string, seconds = 20): Promise<void> {
    await eventually(
      `${numbers.length} outcomes`,
      () => (numbers.every((number) => collector.outcomesOf(number).length > 0) ? true : undefined),
      seconds,
    );
    for (const number of numbers) {
      const reports = collector.reports.filter((report) => report.no === number);
      should(reports.map((report) => report.outcome)).eql([outcome], `message ${number}`);
      if (by !== undefined) should(reports.map((report) => report.by)).eql([by], `message ${number}`);
    }
  }

  it('a callback to the other instance wakes the one that asked, which hands the decision on once', async () => {
    await deploy();
    const numbers = await askOf(one, 10);
    const uuidOf = await onPhone(10);
    await phones.faults({ kind: 'callbackRepeated', copies: 3 });
    for (const number of numbers) await phones.answer(uuidOf(number), 'approve');
    await shouldEnd(numbers, 'approved', 'one');
  });

  it('a waiting http request is answered by the instance that received it', async () => {
    await deploy();
    no += 1;
    const waiting = post(one, 'wait', { no, authyId });
    const uuidOf = await onPhone(1);
    await phones.answer(uuidOf(no), 'approve');
    const response = await waiting;
    should(response.status).equal(200);
    should(await response.json()).match({ outcome: 'approved', by: 'one' });
  });

  it('both instances take requests, and the guard rails count for both together', async () => {
    await deploy({ maxOpen: 3 });
    const numbers = [...(await askOf(one, 2)), ...(await askOf(other, 1))];
    const uuidOf = await onPhone(3);
    await shouldEnd([await ask(other)], 'AUTHY_OPEN_LIMIT', 'other');
    await phones.answer(uuidOf(numbers[0] ?? 0), 'deny');
    await shouldEnd(numbers.slice(0, 1), 'denied', 'one');
    const next = await ask(other);
    await onPhone(3);
    should(collector.outcomesOf(next)).eql([]);
    // The pause between two requests also counts for both.
    await deploy({ maxOpen: 0, coolDown: 600 });
    authyId = await phones.newUser();
    await ask(one);
    await onPhone(1);
    await shouldEnd([await ask(other)], 'AUTHY_COOL_DOWN', 'other');
  });

  it('a request can be withdrawn on the instance that does not hold it', async () => {
    await deploy();
    const [kept = 0, withdrawn = 0] = await askOf(one, 2);
    const uuidOf = await onPhone(2);
    const before = await openInRedis();
    should((await post(other, 'cancel', { cancel: uuidOf(withdrawn) })).status).equal(202);
    await eventually('the withdrawn request to be closed', async () =>
      (await openInRedis()) === before - 1 ? true : undefined,
    );
    await phones.answer(uuidOf(withdrawn), 'approve');
    await phones.answer(uuidOf(kept), 'approve');
    await shouldEnd([kept], 'approved', 'one');
    should(collector.outcomesOf(withdrawn)).eql([]);
  });

  it('if a deploy comes while decisions are handed on, each is handed on once, and nothing is left in Redis', async () => {
    await deploy();
    const before = await openInRedis();
    const numbers = await askOf(one, 20);
    const uuidOf = await onPhone(20);
    const answering = numbers.map((number) => phones.answer(uuidOf(number), 'approve'));
    // The account and the nodes that use it are replaced; the nodes behind the gate keep running.
    const changed = flows().map((node) => (node.id === 'account' ? { ...node, deadline: 6 } : node));
    await one.deploy(changed, 'nodes');
    await Promise.all(answering);
    await shouldEnd(numbers, 'approved', 'one');
    await eventually('all requests to be closed', async () =>
      (await openInRedis()) === before ? true : undefined,
    );
  });

  it('while Redis is away, no message is lost, and new ones are refused', async () => {
    await deploy();
    const numbers = await askOf(one, 5);
    const uuidOf = await onPhone(5);
    await redis.stop();
    const refused = await ask(one);
    await shouldEnd([refused], 'AUTHY_STORE', 'one');
    for (const number of numbers) await phones.answer(uuidOf(number), 'approve');
    await redis.startAgain();
    await shouldEnd(numbers, 'approved', 'one', 40);
    // The refused request was not sent.
    should(await phones.pending(authyId, 0)).eql([]);
    const next = await ask(one);
    await phones.answer((await onPhone(1))(next), 'deny');
    await shouldEnd([next], 'denied', 'one');
  });

  it('if Redis is emptied, each message ends in an error, nothing is written again, and the log says why', async () => {
    await deploy();
    const numbers = [...(await askOf(one, 3)), ...(await askOf(other, 2))];
    const uuidOf = await onPhone(5);
    await redis.command('FLUSHALL');
    for (const number of numbers) await phones.answer(uuidOf(number), 'approve');
    await shouldEnd(numbers.slice(0, 3), 'AUTHY_STORE', 'one', 40);
    await shouldEnd(numbers.slice(3), 'AUTHY_STORE', 'other', 40);
    for (const { log } of [one, other]) log.should.match(/it has lost this request/);
    for (const red of [one, other]) {
      await eventually('the reason in the log', () => /Redis has lost its data/.test(red.log) || undefined);
    }
    should(await openInRedis()).equal(0);
    await stillWorks(one, 'one');
  });

  it('if the key of one request is gone, its message ends in an error, and no other one does', async () => {
    await deploy();
    const [lost = 0, kept = 0] = await askOf(one, 2);
    const uuidOf = await onPhone(2);
    const key = await eventually('Redis to know that the request is on the phone', () =>
      keyOf(uuidOf(lost)).catch(() => undefined),
    );
    should(await redis.command('DEL', key)).startWith(':1');
    await phones.answer(uuidOf(lost), 'approve');
    await phones.answer(uuidOf(kept), 'approve');
    await shouldEnd([lost], 'AUTHY_STORE', 'one');
    await shouldEnd([kept], 'approved', 'one');
    should(await redis.command('EXISTS', key)).startWith(':0');
  });

  it('an open request has no time to live in Redis, even with a timeout of a month', async () => {
    await deploy({ timeout: String(30 * 86_400) });
    const asked = await ask(one);
    const uuidOf = await onPhone(1);
    const key = await eventually('Redis to know that the request is on the phone', () =>
      keyOf(uuidOf(asked)).catch(() => undefined),
    );
    should(await redis.command('PTTL', key)).startWith(':-1');
    await phones.answer(uuidOf(asked), 'approve');
    await shouldEnd([asked], 'approved', 'one');
    // Its tombstone stays for longer than the request could have been open.
    const left = Number((await redis.command('PTTL', key)).slice(1));
    should(left).be.above(30 * 86_400_000);
  });

  it('a request that is withdrawn while the instance that holds it stands still is never approved', async () => {
    await deploy();
    const [kept = 0, withdrawn = 0] = await askOf(one, 2);
    const uuidOf = await onPhone(2);
    const key = await eventually('Redis to know that the request is on the phone', () =>
      keyOf(uuidOf(withdrawn)).catch(() => undefined),
    );
    one.signal('SIGSTOP');
    try {
      should((await post(other, 'cancel', { cancel: uuidOf(withdrawn) })).status).equal(202);
      await eventually('the request to be withdrawn', async () =>
        (await redis.command('HGET', key, 'state')).includes('withdrawn') ? true : undefined,
      );
      await phones.answer(uuidOf(withdrawn), 'approve');
      await phones.answer(uuidOf(kept), 'approve');
    } finally {
      one.signal('SIGCONT');
    }
    await shouldEnd([kept], 'approved', 'one');
    await allWithdrawn();
    await stillWorks(one, 'one');
    should(collector.outcomesOf(withdrawn)).eql([]);
  });

  it('messages of an instance that stands still and is taken for dead leave once each', async function () {
    this.timeout(180_000);
    await deploy({ timeout: '120' });
    const numbers = await askOf(one, 10);
    const uuidOf = await onPhone(10);
    await knownToRedis(numbers.map(uuidOf));
    one.signal('SIGSTOP');
    try {
      for (const number of numbers.slice(0, 4)) await phones.answer(uuidOf(number), 'approve');
      for (const number of numbers.slice(4, 8)) await phones.answer(uuidOf(number), 'deny');
      await shouldEnd(numbers.slice(0, 4), 'approved', 'other', 60);
      await shouldEnd(numbers.slice(4, 8), 'denied', 'other', 60);
    } finally {
      one.signal('SIGCONT');
    }
    // The first instance finds the answers by itself, but may not hand them on.
    await stillWorks(one, 'one');
    for (const number of numbers.slice(8)) await phones.answer(uuidOf(number), 'approve');
    await shouldEnd(numbers.slice(8), 'approved', 'other');
    await stillWorks(one, 'one');
    await shouldEnd(numbers.slice(0, 4), 'approved', 'other');
    await shouldEnd(numbers.slice(4, 8), 'denied', 'other');
    await shouldEnd(numbers.slice(8), 'approved', 'other');
  });

  it('if an instance dies, the other takes over its requests, with the decisions made meanwhile', async () => {
    await deploy({ timeout: '60' });
    const numbers = await askOf(one, 10);
    const uuidOf = await onPhone(10);
    await knownToRedis(numbers.map(uuidOf));
    // This decision is handed on before the kill, and must not be handed on again.
    await phones.answer(uuidOf(numbers[0] ?? 0), 'approve');
    await shouldEnd(numbers.slice(0, 1), 'approved', 'one');
    await one.kill();
    for (const number of numbers.slice(1, 4)) await phones.answer(uuidOf(number), 'approve');
    for (const number of numbers.slice(4, 7)) await phones.answer(uuidOf(number), 'deny');
    await shouldEnd(numbers.slice(1, 4), 'approved', 'other', 40);
    await shouldEnd(numbers.slice(4, 7), 'denied', 'other', 40);
    // The requests no longer belong to the instance that comes back.
    await one.startAgain();
    for (const number of numbers.slice(7)) await phones.answer(uuidOf(number), 'approve');
    await shouldEnd(numbers.slice(7), 'approved', 'other');
    await shouldEnd(numbers.slice(0, 1), 'approved', 'one');
  });

  it('if one of two instances with 300 approvals is killed in the middle, no decision is handed on twice', async function () {
    this.timeout(180_000);
    await deploy({ timeout: '120' });
    const numbers = [...(await askOf(one, 150)), ...(await askOf(other, 150))];
    const uuidOf = await onPhone(300);
    const answers = new Map<number, string>();
    const answer = async (number: number): Promise<void> => {
      const decision = number % 3 === 0 ? 'deny' : 'approve';
      answers.set(number, decision === 'deny' ? 'denied' : 'approved');
      await phones.answer(uuidOf(number), decision);
    };
    // Mixed, so that both are handing decisions on when one of them is killed.
    const mixed = numbers.map((number, index) => ({ number, key: (index * 7919) % 300 }));
    mixed.sort((a, b) => a.key - b.key);
    const first = mixed.slice(0, 150).map(({ number }) => answer(number));
    await eventually('some outcomes', () =>
      numbers.filter((number) => collector.outcomesOf(number).length > 0).length > 30 ? true : undefined,
    );
    await one.kill();
    await Promise.all(first);
    await Promise.all(mixed.slice(150).map(({ number }) => answer(number)));

    const accounted = (): number[] => numbers.filter((number) => collector.outcomesOf(number).length > 0);
    // Only a report that had left the gate when its process ended may be missing.
    let seen = { count: 0, since: Date.now() };
    await eventually(
      'the last outcome',
      () => {
        if (accounted().length > seen.count) seen = { count: accounted().length, since: Date.now() };
        return seen.count >= 270 && (seen.count === 300 || Date.now() - seen.since > 10_000)
          ? true
          : undefined;
      },
      120,
    );
    for (const number of numbers) {
      const outcomes = collector.outcomesOf(number);
      const decisions = outcomes.filter((outcome) => outcome !== 'AUTHY_OUTCOME_UNKNOWN');
      should(decisions.length).be.belowOrEqual(1, `message ${number}: ${outcomes.join(', ')}`);
      if (decisions.length > 0) should(decisions).eql([answers.get(number)], `message ${number}`);
    }
    const unknown = numbers.filter((number) =>
      collector.outcomesOf(number).includes('AUTHY_OUTCOME_UNKNOWN'),
    );
    process.stdout.write(
      `      of 300: ${accounted().length} accounted for, 0 decided twice, ${unknown.length} unknown\n`,
    );
    await one.startAgain();
  });

  it('an instance that is started while Redis is away works once Redis is back', async () => {
    await deploy();
    await redis.stop();
    await other.kill();
    await other.startAgain();
    await shouldEnd([await ask(other)], 'AUTHY_STORE', 'other');
    await redis.startAgain();
    // A request reaches the phone some time after it was asked for: so each one asked so far counts.
    const asked: number[] = [];
    const accepted = await eventually('a request that is not refused', async () => {
      asked.push(await ask(other));
      const uuidOf = await onPhone(0);
      return asked.find((number) => uuidOf(number) !== '');
    });
    await phones.answer((await onPhone(1))(accepted), 'approve');
    await shouldEnd([accepted], 'approved', 'other');
  });

  it('without the client for Redis the error says how to install it', async function () {
    this.timeout(120_000);
    const bare = await NodeRed.start(this, runtime, { env: { INSTANCE: 'bare' } });
    try {
      await bare.deploy(flows());
      await shouldEnd([await ask(bare)], 'AUTHY_BAD_CONFIG', 'bare');
      bare.log.should.match(/npm install @redis\/client/);
    } finally {
      await bare.stop();
    }
  });
});
