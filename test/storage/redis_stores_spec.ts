import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import should from 'should';
import type { AuthyError } from '../../nodes/lib/contract/errors';
import type { ApprovalAnswer } from '../../nodes/lib/contract/service';
import type { ApprovalRecord, Found } from '../../nodes/lib/storage/records';
import { RedisConnection } from '../../nodes/lib/storage/redis/connection';
import { Instance } from '../../nodes/lib/storage/redis/instance';
import type { Link } from '../../nodes/lib/storage/redis/link';
import type { RedisRecords } from '../../nodes/lib/storage/redis/records';
import type { ScriptName } from '../../nodes/lib/storage/redis/scripts';
import { RedisStores } from '../../nodes/lib/storage/redis/stores';
import { realTime, type Time } from '../../nodes/lib/time';
import { checkRichMessage, richMessage } from '../support/kept_message';
import { eventually } from '../support/node_red';
import { Redis } from '../support/redis';

const second = 1000;
const dayLong = 24 * 3600 * second;

/** An instance gives one sign of life when Redis is there, and no other: so a test decides which instances are dead. */
const still: Time = {
  ...realTime,
  after: (milliseconds, call) =>
    milliseconds < second ? realTime.after(milliseconds, call) : () => undefined,
};

/** One of several Node-REDs, as the store sees it. */
class Life {
  readonly lines: string[] = [];
  /** The scripts that it has run. */
  readonly asked: ScriptName[] = [];
  readonly troubles: string[] = [];
  readonly withdrawn: string[] = [];
  readonly answers: ApprovalAnswer[] = [];
  readonly stores: RedisStores;
  readonly records: RedisRecords;
  private isReady = false;

  constructor(
    readonly world: World,
    { instance = new Instance(), time = still, account = 'account', gate = 'gate' } = {},
  ) {
    const log = (line: string): number => this.lines.push(line);
    const settings = { url: world.url, password: '', log };
    const link = new RedisConnection(account, settings, realTime, () => world.now());
    const asked = this.asked;
    const watched: Link = {
      open: (onReady, onHint) =>
        link.open(() => {
          onReady();
          this.isReady = true;
        }, onHint),
      run: (name, ...args) => {
        asked.push(name);
        return link.run(name, ...args);
      },
      close: (milliseconds) => link.close(milliseconds),
    };
    this.stores = new RedisStores(watched, {
      name: `redis ${world.url} ${account}`,
      log,
      onAnswer: (answer) => this.answers.push(answer),
      instance,
      time,
    });
    this.records = this.stores.records(
      { id: gate },
      {
        onAbandoned: () => undefined,
        onWithdrawn: (ids) => this.withdrawn.push(...ids),
        onTrouble: (sentence) => this.troubles.push(sentence),
      },
    );
    world.lives.push(this);
  }

  async ready(): Promise<this> {
    await eventually('a connection', () => this.isReady || undefined);
    // Commands are done in order: so its sign of life has been given by then.
    await this.stores.ledger.recipientOf('any');
    return this;
  }

  /** Takes over all records. */
  async takeAll(except: ReadonlyMap<string, number> = new Map()): Promise<Found[]> {
    const all: Found[] = [];
    for (;;) {
      const found = await this.records.take(except);
      if (found.length === 0) return all;
      all.push(...found);
    }
  }

  async close(): Promise<void> {
    await this.records.close();
    await this.stores.close();
  }
}

/** A Redis, the instances that share it, and their time. */
class World {
  readonly lives: Life[] = [];
  ahead = 0;

  constructor(readonly url: string) {}

  now(): number {
    return Date.now() + this.ahead;
  }

  /** Moves the time forward, without a sign of life from anybody. */
  pass(milliseconds: number): void {
    this.ahead += milliseconds;
  }

  async close(): Promise<void> {
    await Promise.all(this.lives.splice(0).map((life) => life.close()));
  }
}

let serial = 0;

function record(world: World, changes: Partial<ApprovalRecord> = {}): ApprovalRecord {
  serial += 1;
  return {
    id: `approval_${serial}`,
    accountId: 'account',
    recipient: '123',
    state: 'unsent',
    question: '',
    endsAt: world.now() + 300 * second,
    lifetime: 300 * second,
    reminded: false,
    message: '{"payload":"1"}',
    epoch: 0,
    ...changes,
  };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return (error as AuthyError).code;
  }
}

const idsOf = (found: readonly Found[]): string[] => found.map(({ record: { id } }) => id).sort();

describe('what an account keeps in Redis', function () {
  this.timeout(60_000);
  let redis: Redis;
  let world: World;
  let raw: ReturnType<typeof createClient>;
  let one: Life;
  let other: Life;

  before(async function () {
    redis = await Redis.start(this);
    raw = createClient({ url: redis.url });
    raw.on('error', () => undefined);
    await raw.connect();
  });
  after(async () => {
    // Undefined where the suite was skipped.
    (raw as typeof raw | undefined)?.destroy();
    await (redis as Redis | undefined)?.stop();
  });
  beforeEach(async () => {
    await raw.flushAll();
    world = new World(redis.url);
    [one, other] = await Promise.all([new Life(world).ready(), new Life(world).ready()]);
  });
  afterEach(() => world.close());

  const hash = (id: string): Promise<Record<string, string>> =>
    raw.hGetAll(`approvals:{account}:request:${id}`);

  describe('one instance', () => {
    it('a record is made once, changed while it is open, claimed, and ended once', async () => {
      const asked = record(world);
      await one.records.create(asked);
      should(await one.records.update({ ...asked, state: 'waiting', approvalId: 'abc' })).be.true();
      should(await one.records.claim(asked, false)).equal('ours');
      // An instance that got no answer asks again.
      should(await one.records.claim(asked, false)).equal('ours');
      should(await one.records.update({ ...asked, state: 'waiting' })).be.false();
      await one.records.end(asked);
      await one.records.end(asked);
      should(await one.records.update(asked)).be.false();
      should(await one.records.claim(asked, false)).equal('theirs');
      await one.records.unclaim(asked);
      should(await codeOf(one.records.create(asked))).equal('AUTHY_STORE');
      const left = await hash(asked.id);
      should(left).have.properties({ state: 'ended' });
      should(left).not.have.property('record');
    });

    it('a final claim ends the record, however often its answer is lost', async () => {
      const asked = record(world);
      await one.records.create(asked);
      should(await one.records.claim(asked, true)).equal('ours');
      should(await one.records.claim(asked, true)).equal('ours');
      should(await hash(asked.id)).have.property('state', 'ended');
      should(await other.records.claim(asked, true)).equal('theirs');
    });

    it('a record whose claim is taken back waits again, as before', async () => {
      const asked = record(world, { state: 'waiting', approvalId: 'abc' });
      await one.records.create(asked);
      await one.records.claim(asked, false);
      await one.records.unclaim(asked);
      should(await hash(asked.id)).have.property('state', 'waiting');
      should(await one.records.update({ ...asked, reminded: true })).be.true();
    });

    it('open records never expire, and ended ones stay for longer than a late command could need them', async () => {
      const year = 31_536_000 * second;
      const asked = record(world, { lifetime: year, endsAt: world.now() + year });
      await one.records.create(asked);
      should(await raw.pTTL(`approvals:{account}:request:${asked.id}`)).equal(-1);
      world.pass(2 * year);
      await one.records.claim(asked, true);
      should(await raw.pTTL(`approvals:{account}:request:${asked.id}`)).be.above(year + dayLong);
      world.pass(year + dayLong - second);
      should(await codeOf(one.records.create(asked))).equal('AUTHY_STORE');
    });

    it('a claim whose answer came late is asked for again, because another instance may have taken over', async () => {
      let steady = 0;
      const slow = await new Life(world, {
        time: { ...still, steady: () => (steady += 6 * second) },
      }).ready();
      const asked = record(world);
      await slow.records.create(asked);
      const claimed = slow.records.claim(asked, false);
      // Waits for the claim to be in Redis, before the other instance takes over.
      await eventually('the claim', async () => (await hash(asked.id))['state'] === 'passing' || undefined);
      world.pass(20 * second);
      should(idsOf(await other.takeAll())).eql([asked.id]);
      should(await claimed).equal('theirs');
    });

    it('a record whose key is gone is reported as missing, and is never created again', async () => {
      const asked = record(world);
      await one.records.create(asked);
      await raw.del(`approvals:{account}:request:${asked.id}`);
      should(await one.records.update(asked)).be.false();
      should(await one.records.claim(asked, false)).equal('missing');
      await one.records.unclaim(asked);
      await one.records.end(asked);
      should(await hash(asked.id)).eql({});
    });
  });

  describe('two instances', () => {
    it('a record of an instance that stands still is taken over, and that instance can no longer change it', async () => {
      const asked = record(world, { state: 'waiting', approvalId: 'abc' });
      await one.records.create(asked);
      should(await other.takeAll()).eql([]);
      world.pass(24 * second);
      const [found] = await other.takeAll();
      should(found).match({ record: { id: asked.id, state: 'waiting', epoch: 1 }, isClockWrong: false });
      const taken = (found as Found).record;
      for (const late of [
        () => one.records.update({ ...asked, reminded: true }),
        () => one.records.unclaim(asked),
        () => one.records.end(asked),
      ]) {
        await late();
        should(await hash(asked.id)).have.properties({ holder: other.stores.instance.id, epoch: '1' });
      }
      should(await one.records.claim(asked, false)).equal('theirs');
      should(await other.records.claim(taken, false)).equal('ours');
      await other.records.end(taken);
      should(await one.records.update(asked)).be.false();
      should(await one.records.claim(asked, true)).equal('theirs');
    });

    it('pictures, dates, maps and errors in a message come back to the instance that takes it over', async () => {
      const asked = record(world, { message: richMessage() });
      should(await one.records.create(asked)).be.true();
      world.pass(20 * second);
      const [found] = await other.takeAll();
      checkRichMessage(found?.record.message);
    });

    it('a record that was claimed and not ended is found as passing', async () => {
      const asked = record(world);
      await one.records.create(asked);
      await one.records.claim(asked, false);
      world.pass(20 * second);
      should((await other.takeAll()).map(({ record: { state } }) => state)).eql(['passing']);
    });

    it('records are still found after a year, and if the list of instances is gone', async () => {
      const asked = [record(world), record(world), record(world)];
      for (const each of asked) await one.records.create(each);
      world.pass(400 * dayLong);
      const third = await new Life(world).ready();
      should(idsOf(await third.takeAll())).eql(
        idsOf(asked.map((each) => ({ record: each, isClockWrong: false }))),
      );
      await raw.del('approvals:{account}:instances');
      should(await other.takeAll()).have.length(3);
      // Instances without records are removed from the list.
      should(await raw.zRange('approvals:{account}:holders:gate', 0, -1)).eql([other.stores.instance.id]);
    });

    it('a record that was being handed on before a crash stays passing, even if its claim is taken back', async () => {
      const asked = record(world, { state: 'waiting' });
      await one.records.create(asked);
      await one.records.claim(asked, false);
      world.pass(20 * second);
      const [found] = await other.takeAll();
      should(await other.records.claim(found?.record ?? asked, false)).equal('ours');
      await other.records.unclaim(found?.record ?? asked);
      should(await hash(asked.id)).have.property('state', 'passing');
    });

    it('a record that comes back to a gate with an older epoch of it is given to that gate again', async () => {
      const asked = record(world);
      await one.records.create(asked);
      world.pass(20 * second);
      should(await other.takeAll()).match([{ record: { epoch: 1 } }]);
      // The first instance stood still and knows nothing of this; the other one is dead.
      world.pass(20 * second);
      const [found] = await one.takeAll(new Map([[asked.id, 0]]));
      should(found).match({ record: { id: asked.id, epoch: 2 } });
      should(await one.records.claim(asked, false)).equal('theirs');
      should(await one.records.claim(found?.record ?? asked, false)).equal('ours');
      should(await one.takeAll(new Map([[asked.id, 2]]))).eql([]);
    });

    it('a take whose answer was lost is repeated, and a record that the gate has is not given twice', async () => {
      const asked = Array.from({ length: 150 }, () => record(world));
      for (const each of asked) await one.records.create(each);
      world.pass(20 * second);
      // The next node of the same gate. The previous one may never have got the answer.
      should(await other.records.take(new Map())).have.length(100);
      const next = new Life(world, { instance: other.stores.instance });
      const has = new Map(asked.slice(0, 30).map(({ id }) => [id, 2]));
      const found = idsOf(await next.takeAll(has));
      should(found).eql([...new Set(found)]);
      should(found.filter((id) => has.has(id))).eql([]);
      should(found).have.length(120);
      should(await next.takeAll()).eql([]);
    });

    it('a clock that was set back is reported', async () => {
      const asked = record(world);
      await one.records.create(asked);
      world.pass(-60 * second);
      await raw.del('approvals:{account}:instances');
      should(await other.takeAll()).match([{ isClockWrong: true }]);
      // An instance whose last sign of life is in the future does not count as alive.
      const ahead = record(world);
      await one.records.create(ahead);
      await raw.zAdd('approvals:{account}:instances', {
        score: world.now() + dayLong,
        value: one.stores.instance.id,
      });
      await new Life(world).ready();
      world.pass(20 * second);
      should(await other.takeAll()).match([{ isClockWrong: false, record: { id: ahead.id } }]);
    });

    it('a record that cannot be read, or is lost, does not affect the others', async () => {
      const asked = Array.from({ length: 6 }, () => record(world));
      for (const each of asked) await one.records.create(each);
      const [broken, odd, lost, wrongType, ...good] = asked as [
        ...[ApprovalRecord, ApprovalRecord, ApprovalRecord, ApprovalRecord],
        ...ApprovalRecord[],
      ];
      const key = (id: string): string => `approvals:{account}:request:${id}`;
      await raw.hSet(key(broken.id), 'record', '{"id":');
      await raw.hSet(key(odd.id), { record: JSON.stringify({ ...odd, message: 'not JSON' }), epoch: 'x' });
      await raw.del(key(lost.id));
      await raw.del(key(wrongType.id));
      await raw.set(key(wrongType.id), 'of somebody else');
      world.pass(20 * second);
      should(idsOf(await other.takeAll())).eql(good.map(({ id }) => id).sort());
      const told = other.troubles.join('\n');
      should(told).containEql(broken.id).and.containEql(odd.id);
      should(told).match(/Redis has lost 2 approval requests/);
      should(await raw.zRange('approvals:{account}:broken:gate', 0, -1)).eql([broken.id, odd.id].sort());
      should(await hash(broken.id)).have.property('record', '{"id":');
      world.pass(20 * second);
      should(idsOf(await (await new Life(world).ready()).takeAll())).eql(good.map(({ id }) => id).sort());
    });
  });

  describe('withdrawing elsewhere', () => {
    const waiting = (approvalId: string): ApprovalRecord => record(world, { state: 'waiting', approvalId });

    it('reaches the instance that holds the records, and lets the user be asked again', async () => {
      const asked = [waiting('abc'), waiting('abc'), waiting('def')];
      const [first, second_, third] = asked as [ApprovalRecord, ApprovalRecord, ApprovalRecord];
      const rails = { maxOpen: 1, coolDown: 0 };
      should(await one.stores.rails.admit(first, rails)).eql({ admitted: true });
      for (const each of asked) await one.records.create(each);
      const own = waiting('abc');
      await other.records.create(own);
      await other.records.withdrawElsewhere('abc');
      await eventually('the holder to be told', () => one.withdrawn.length === 2 || undefined);
      should([...one.withdrawn].sort()).eql([first.id, second_.id].sort());
      should(await one.records.claim(first, false)).equal('withdrawn');
      should(await one.records.update(first)).be.false();
      should(await one.records.claim(third, false)).equal('ours');
      // The request itself is withdrawn, with all records that wait for it.
      should(await other.records.claim(own, false)).equal('withdrawn');
      should(await other.stores.rails.admit(own, rails)).eql({ admitted: true });
      world.pass(200 * dayLong);
      should(other.withdrawn).eql([]);
    });

    it('withdraws all records of a gate, however many, except those that are decided', async () => {
      const asked = Array.from({ length: 250 }, () => waiting('abc'));
      await Promise.all(asked.map((each) => one.records.create(each)));
      const decided = asked.at(-1) as ApprovalRecord;
      await one.records.claim(decided, false);
      const elsewhere = new Life(world, { gate: 'another', instance: one.stores.instance });
      const spared = waiting('abc');
      await elsewhere.records.create(spared);
      const withdrawing = other.records.withdrawElsewhere(undefined);
      await eventually('the holder to be told', () => one.withdrawn.length === 249 || undefined);
      should(await one.records.claim(decided, false)).equal('ours');
      await one.records.end(decided);
      should(await withdrawing).be.true();
      should(await elsewhere.records.claim(spared, false)).equal('ours');
    });

    it('withdraws a record even if Redis gets its approval id later', async () => {
      const [updated, claimed, spared] = Array.from({ length: 3 }, () => record(world));
      for (const each of [updated, claimed, spared] as ApprovalRecord[]) await one.records.create(each);
      should(await other.records.withdrawElsewhere('abc')).be.true();
      const asked = { state: 'waiting', approvalId: 'abc' } as const;
      should(await one.records.update({ ...(updated as ApprovalRecord), ...asked })).be.false();
      should(await one.records.claim(updated as ApprovalRecord, false)).equal('withdrawn');
      should(await one.records.claim({ ...(claimed as ApprovalRecord), ...asked }, false)).equal('withdrawn');
      const late = { ...record(world), ...asked };
      should(await one.records.create(late)).be.true();
      should(await one.records.claim(late, false)).equal('withdrawn');
      should(
        await one.records.update({ ...(spared as ApprovalRecord), ...asked, approvalId: 'def' }),
      ).be.true();
    });

    it('ignores messages on the channel that are not ours', async () => {
      const asked = waiting('abc');
      await one.records.create(asked);
      for (const text of [
        'null',
        '5',
        '[]',
        '{',
        '{"from":1}',
        '{"from":"x","answer":5}',
        '{"from":"x","answer":{}}',
        '{"from":"x","answer":{"decision":"approved","approvalId":"abc","authyId":"5","nonce":1,"params":{}}}',
      ])
        await raw.publish('approvals:{account}:hints', text);
      await other.records.withdrawElsewhere('abc');
      await eventually('the holder to be told', () => one.withdrawn.length === 1 || undefined);
      should(one.answers).eql([]);
    });

    it('waits for a record that is being handed on, and withdraws it if its claim is taken back', async () => {
      const asked = waiting('abc');
      await one.records.create(asked);
      for (const approvalId of ['abc', undefined]) {
        await one.records.claim(asked, false);
        let isOver = false;
        const withdrawing = other.records.withdrawElsewhere(approvalId).finally(() => (isOver = true));
        await sleep(300);
        should(isOver).be.false();
        await one.records.unclaim(asked);
        should(await withdrawing).be.true();
        should(await one.records.claim(asked, false)).equal('withdrawn');
        if (approvalId === undefined) break;
        Object.assign(asked, waiting('def'));
        await one.records.create(asked);
      }
    });

    it('is not certain if a record is still being handed on when the time is over', async () => {
      let ahead = 0;
      const time: Time = { ...still, steady: () => realTime.steady() + ahead };
      const jumping = await new Life(world, { time }).ready();
      const asked = waiting('abc');
      await one.records.create(asked);
      await one.records.claim(asked, false);
      const withdrawing = jumping.records.withdrawElsewhere(undefined);
      await eventually(
        'the first look at the records',
        () => jumping.asked.includes('withdrawHeld') || undefined,
      );
      ahead = 31 * second;
      should(await withdrawing).be.false();
      should(await one.records.claim(asked, false)).equal('ours');
    });

    it('is not certain if the store is closed meanwhile', async () => {
      const asked = waiting('abc');
      await one.records.create(asked);
      await one.records.claim(asked, false);
      const withdrawing = other.records.withdrawElsewhere(undefined);
      await sleep(50);
      await other.close();
      should(await withdrawing).be.false();
    });

    it('a holder without a connection learns of it on reconnecting, and does not hand the record on', async () => {
      const asked = waiting('abc');
      await one.records.create(asked);
      await one.close();
      await other.records.withdrawElsewhere('abc');
      const back = await new Life(world, { instance: one.stores.instance }).ready();
      await eventually('the holder to be told', () => back.withdrawn.length > 0 || undefined);
      should(back.withdrawn).eql([asked.id]);
      should(await back.records.claim(asked, false)).equal('withdrawn');
      should(await raw.exists(`approvals:{account}:withdrawn:${one.stores.instance.id}:gate`)).equal(0);
    });

    it('works if the list of the records of a request is gone', async () => {
      const asked = waiting('abc');
      const spared = waiting('def');
      await one.records.create(asked);
      await one.records.create(spared);
      await raw.del('approvals:{account}:approval:abc');
      await other.records.withdrawElsewhere('abc');
      should(await one.records.claim(asked, false)).equal('withdrawn');
      should(await one.records.claim(spared, false)).equal('ours');
    });
  });

  describe('the ledger and the rails', () => {
    const year = 31_536_000;

    it('requests and answers are remembered until a week after their end', async () => {
      await one.stores.ledger.asked('abc', '1', year);
      should(await other.stores.ledger.recipientOf('abc')).equal('1');
      should(await other.stores.ledger.decided('abc', 'denied')).equal('first');
      world.pass(year * second + 6 * dayLong);
      should(await one.stores.ledger.recipientOf('abc')).equal('1');
      should(await one.stores.ledger.decided('abc', 'approved')).equal('conflict');
      should(await one.stores.ledger.decided('abc', 'denied')).equal('duplicate');
      world.pass(dayLong + second);
      should(await one.stores.ledger.recipientOf('abc')).be.undefined();
      // A request without an end is remembered for a year and a week.
      await one.stores.ledger.asked('def', '1', 0);
      world.pass(year * second + 6 * dayLong);
      should(await one.stores.ledger.recipientOf('def')).equal('1');
    });

    it('an open request counts until its end, which may be moved, and pauses are kept', async () => {
      const asked = record(world, { endsAt: world.now() + 60 * second });
      const rails = { maxOpen: 1, coolDown: 0 };
      should(await one.stores.rails.admit(asked, rails)).eql({ admitted: true });
      should(await one.stores.rails.admit(asked, rails)).eql({ admitted: true });
      await one.records.create(asked);
      await one.records.update({ ...asked, endsAt: asked.endsAt + year * second });
      world.pass(year * second);
      should(await other.stores.rails.admit(record(world), rails)).eql({ admitted: false, open: 1 });
      await other.stores.rails.release(asked);
      const next = record(world);
      should(await other.stores.rails.admit(next, { maxOpen: 1, coolDown: 600 })).eql({ admitted: true });
      const refused = await one.stores.rails.admit(record(world), { maxOpen: 0, coolDown: 600 });
      should((refused as { waitSeconds: number }).waitSeconds).be.within(598, 600);
    });

    it('an answer is sent to the other instances', async () => {
      const answer: ApprovalAnswer = {
        decision: 'approved',
        approvalId: 'abc',
        authyId: '1',
        nonce: 1,
        about: { message: null, details: null, hiddenDetails: null, device: null },
        body: {},
      };
      await eventually('the answer to arrive', () => {
        one.stores.messenger.tell(answer);
        return other.answers.length > 0 || undefined;
      });
      should(other.answers[0]).eql(answer);
      should(one.answers).eql([]);
    });
  });

  describe('records of the previous version', () => {
    const old = 'authy:{account}:';

    async function leave(id: string, changes: object = {}, state = 'open', holder = 'gone'): Promise<void> {
      const text = JSON.stringify({
        ...{ id, accountId: 'account', authyId: '5', state: 'waiting', approvalId: 'ABC', question: 'q' },
        ...{
          endsAt: world.now() + 60 * second,
          timeout: 120,
          reminded: true,
          messages: ['{"payload":"\\ud800"}'],
        },
        ...changes,
      });
      await raw.hSet(`${old}request:${id}`, { holder, state, record: text });
      await raw.sAdd(`${old}held:${holder}:gate`, id);
    }

    it('are moved, one for each message, with what was known about their requests', async () => {
      await leave('approval_x', { messages: ['{"payload":1}', '{"payload":2}'] });
      await leave('approval_y', { state: 'asking', approvalId: undefined });
      await leave('approval_z', {}, 'passing');
      await leave('approval_broken', { messages: 'none' });
      await raw.sAdd(`${old}held:gone:gate`, 'approval_lost');
      await leave('approval_alive', {}, 'open', 'alive');
      await raw.zAdd(`${old}instances`, { score: world.now(), value: 'alive' });
      await raw.set(`${old}asked:def`, '5');
      await raw.set(`${old}answer:def`, 'denied');
      const found = await one.takeAll();
      const told = new Map(found.map(({ record: each }) => [each.id, each]));
      should(idsOf(found)).eql(['approval_x', 'approval_x_1', 'approval_y', 'approval_z']);
      should(told.get('approval_x')).match({ state: 'waiting', approvalId: 'abc', lifetime: 120_000 });
      should(told.get('approval_x_1')).match({ message: '{"payload":2}', joinedAfter: 120_000, epoch: 1 });
      should(told.get('approval_y')).match({ state: 'sending', message: '{"payload":"\\ud800"}' });
      should(told.get('approval_z')).match({ state: 'passing' });
      for (const each of told.values()) should(await one.records.claim(each, false)).equal('ours');
      should(one.troubles.join('\n'))
        .match(/approval_broken/)
        .and.match(/Redis has lost 1 approval requests/);
      should((await raw.keys(`${old}request:*`)).sort()).eql(
        ['approval_alive', 'approval_broken'].map((id) => `${old}request:${id}`),
      );
      should(await one.stores.ledger.recipientOf('abc')).equal('5');
      should(await one.stores.ledger.recipientOf('def')).equal('5');
      should(await one.stores.ledger.decided('def', 'approved')).equal('conflict');
      // The instance of the previous version dies later.
      world.pass(20 * second);
      should(idsOf(await other.takeAll()).includes('approval_alive')).be.true();
    });
  });

  describe('closing', () => {
    it('waits for open records and for commands that are under way', async () => {
      const life = await new Life(world, { time: realTime }).ready();
      const asked = record(world);
      const order: string[] = [];
      const closed = life.stores.close().then(() => order.push('stores'));
      await life.records.create(asked);
      const claimed = life.records.claim(asked, true).then(() => order.push('claim'));
      await life.records.close().then(() => order.push('records'));
      await Promise.all([closed, claimed]);
      should(order).eql(['claim', 'records', 'stores']);
      should(await codeOf(life.records.update(asked))).equal('AUTHY_STORE');
    });
  });
});

describe('a Redis that fails', function () {
  this.timeout(90_000);
  let redis: Redis;
  let world: World;
  afterEach(async () => {
    await (world as World | undefined)?.close();
    await (redis as Redis | undefined)?.stop();
  });

  async function start(context: Mocha.Context, options?: readonly string[]): Promise<void> {
    redis = await Redis.start(context, options);
    world = new World(redis.url);
  }

  const keyOf = ({ id }: ApprovalRecord): string => `approvals:{account}:request:${id}`;

  it('if Redis does not answer, the error comes once it is certain that the record is not there', async function () {
    await start(this);
    const life = await new Life(world, { time: realTime }).ready();
    const asked = record(world);
    redis.signal('SIGSTOP');
    const making = codeOf(life.records.create(asked));
    let isTold = false;
    void making.then(() => (isTold = true));
    // The first try is given up. Its command is still in the socket, and Redis reads it when it continues.
    await eventually('the record to be voided', () => life.asked.includes('void') || undefined);
    should(isTold).be.false();
    redis.signal('SIGCONT');
    should(await making).equal('AUTHY_STORE');
    should(await redis.command('HGET', keyOf(asked), 'state')).containEql('void');
    should(await life.takeAll()).eql([]);
    // The record may be created again.
    await life.records.create(asked);
    should(await life.records.claim(asked, false)).equal('ours');
  });

  it('if the gate closes, it stops asking, and the next instance makes it certain', async function () {
    await start(this);
    const life = await new Life(world, { time: realTime }).ready();
    const asked = record(world);
    redis.signal('SIGSTOP');
    let isWanted = true;
    const making = codeOf(life.records.create(asked, () => isWanted));
    await eventually('the record to be voided', () => life.asked.includes('void') || undefined);
    // A gate that closes waits for this before it closes its records.
    isWanted = false;
    should(await making).equal('AUTHY_STORE');
    await life.close();
    redis.signal('SIGCONT');
    await new Life(world, { instance: life.stores.instance }).ready();
    await eventually('the record to be void', async () =>
      (await redis.command('HGET', keyOf(asked), 'state')).includes('void') ? true : undefined,
    );
    // Redis has it before its answer is here.
    await eventually('nothing to be open', () => life.stores.instance.givenUp.size === 0 || undefined);
  });

  it('a record that cannot be sent is refused at once', async function () {
    await start(this);
    const life = await new Life(world).ready();
    await redis.stop();
    await eventually('the connection to be gone', () => life.lines.length > 0 || undefined);
    should(await codeOf(life.records.create(record(world)))).equal('AUTHY_STORE');
    await redis.startAgain();
  });

  it('if Redis refuses a record, there is an error at once, and no record', async function () {
    await start(this, ['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction']);
    const life = await new Life(world).ready();
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    const asked = record(world);
    should(await codeOf(life.records.create(asked))).equal('AUTHY_STORE');
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    should(await redis.command('EXISTS', keyOf(asked))).equal(':0\r\n');
    await life.records.create(asked);
  });

  it('with an AOF, Redis has everything after a crash', async function () {
    await start(this);
    const life = await new Life(world).ready();
    const asked = [record(world), record(world)] as [ApprovalRecord, ApprovalRecord];
    for (const each of asked) await life.records.create(each);
    await life.records.claim(asked[0], true);
    await redis.kill();
    await redis.startAgain();
    await eventually('an answer', async () =>
      (await life.records.claim(asked[0], true).catch(() => undefined)) === 'ours' ? true : undefined,
    );
    should(await life.records.claim(asked[1], false)).equal('ours');
    should(life.lines.join('\n')).not.match(/lost its data/);
  });

  for (const [how, options, lose] of [
    [
      'a kill without an AOF',
      [],
      async () => {
        await redis.kill();
        await redis.startAgain();
      },
    ],
    ['FLUSHALL', undefined, () => redis.command('FLUSHALL')],
  ] as [string, string[] | undefined, () => Promise<unknown>][]) {
    it(`${how}: the loss is logged once, and open records are missing`, async function () {
      await start(this, options);
      const life = await new Life(world, { time: realTime }).ready();
      const asked = record(world);
      await life.records.create(asked);
      await lose();
      await eventually('the loss to be noticed', () =>
        life.lines.some((line) => line.includes('lost its data')) ? true : undefined,
      );
      should(await life.records.claim(asked, false)).equal('missing');
      should(await life.records.update(asked)).be.false();
      should(life.lines.filter((line) => line.includes('lost its data'))).have.length(1);
    });
  }

  it('a replica that takes over has only the changes that had reached it', async function () {
    await start(this);
    const replica = await Redis.start(this);
    try {
      await replica.command('REPLICAOF', '127.0.0.1', String(redis.port));
      const life = await new Life(world).ready();
      const reached = record(world);
      await life.records.create(reached);
      await eventually('the replica to have it', async () =>
        (await replica.command('EXISTS', keyOf(reached))) === ':1\r\n' ? true : undefined,
      );
      // The replica gets no more changes, and then becomes the master.
      await replica.command('REPLICAOF', 'NO', 'ONE');
      const missed = record(world);
      await life.records.create(missed);
      should(await life.records.claim(reached, true)).equal('ours');
      await redis.kill();
      const after = new World(replica.url);
      const same = await new Life(after, { instance: life.stores.instance }).ready();
      should(await same.records.claim(missed, false)).equal('missing');
      // The ended record is open again: this Redis has no way to know.
      should(await replica.command('HGET', keyOf(reached), 'state')).containEql('unsent');
      await after.close();
    } finally {
      await replica.stop();
    }
  });
});
