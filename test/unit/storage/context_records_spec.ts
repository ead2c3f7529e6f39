import path from 'node:path';
import type { Node, NodeContext } from 'node-red';
import should from 'should';
import { ContextRecords, type KnownContexts } from '../../../nodes/lib/storage/context-records';
import type { ApprovalRecord } from '../../../nodes/lib/storage/records';
import { checkRichMessage, richMessage } from '../../support/kept_message';
import { temporaryDirectory } from '../../support/node_red';
import { newRecord, SetTime, takeAll, Told } from '../../support/records';
import { slowStore } from '../../support/slow_store';

/** Node-RED's module for the contexts of nodes. */
interface Contexts {
  init(settings: object): void;
  load(): Promise<void>;
  get(nodeId: string, flowId: string): NodeContext;
  close(): Promise<void>;
}

const nodeRed = path.dirname(require.resolve('node-red/package.json'));
// eslint-disable-next-line @typescript-eslint/no-require-imports
const contexts = require(
  require.resolve('@node-red/runtime/lib/nodes/context', { paths: [nodeRed] }),
) as Contexts;

describe("Records in Node-RED's context", () => {
  for (const store of ['memory', 'slow', 'file'] as const)
    describe(`in a ${store} store`, () => suite(store));
});

function suite(store: 'memory' | 'slow' | 'file'): void {
  let context: NodeContext;
  let told: Told;
  const id = 'approval_0123456789abcdef012345';

  beforeEach(async () => {
    told = new Told();
    const dir = temporaryDirectory();
    const file = { module: 'localfilesystem', config: { dir, cache: false } };
    contexts.init({ contextStorage: { memory: { module: 'memory' }, slow: { module: slowStore }, file } });
    await contexts.load();
    context = contexts.get('gate', 'tab');
  });
  afterEach(() => contexts.close());

  function open(known: KnownContexts = new Map(), time = new SetTime()): ContextRecords {
    const gate = { id: 'gate', context: () => context } as unknown as Node;
    return new ContextRecords(gate, { store, place: { name: store } }, told, {
      contexts: known,
      time,
    });
  }

  const put = (name: string, value: unknown): Promise<void> =>
    new Promise((resolve, reject) =>
      context.set(name, value, store, (error?: Error) => (error ? reject(error) : resolve())),
    );
  const names = (): Promise<string[]> =>
    new Promise((resolve, reject) =>
      context.keys(store, (error: Error | undefined, keys?: unknown[]) =>
        error
          ? reject(error)
          : resolve(((keys ?? []) as string[]).filter((key) => key !== 'approval_alive').sort()),
      ),
    );

  const oldRecord = {
    accountId: 'account',
    authyId: '209',
    state: 'waiting',
    approvalId: 'given',
    question: 'q',
    endsAt: Date.now() + 60_000,
    timeout: 300,
    reminded: true,
    messages: ['{"no":0}', '{"no":1}', '{"no":2}'],
  };

  it('end once, and nothing brings them back', async () => {
    const records = open();
    const record = newRecord({ state: 'sending' });
    await records.create(record);
    await records.create(record).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    record.state = 'waiting';
    should(await records.update(record)).be.true();
    should(await records.claim(record, false)).equal('ours');
    should(await records.claim(record, false)).equal('ours');
    should(await records.update(record)).be.false();
    await records.unclaim(record);
    should(await records.update(record)).be.true();
    should(await records.claim(record, false)).equal('ours');
    await records.end(record);
    should(await records.update(record)).be.false();
    should(await records.claim(record, false)).equal('theirs');
    await records.unclaim(record);
    should(await names()).eql([]);
    const other = newRecord();
    await records.create(other);
    should(await records.claim(other, true)).equal('ours');
    should(await names()).eql([]);
    await records.close();
  });

  it('keep pictures, dates, maps and errors in a message across a restart', async () => {
    const before = open();
    await before.create(newRecord({ message: richMessage() }));
    const [found] = await takeAll(open());
    checkRichMessage(found?.record.message);
    should(told.troubles).eql([]);
  });

  it('are found after a restart, but not again by the next gate after a deploy', async () => {
    const known: KnownContexts = new Map();
    const before = open(known);
    const [one, two] = [newRecord(), newRecord()];
    await before.create(one);
    await before.create(two);
    await before.claim(two, false);
    should(await takeAll(open(known))).eql([]);
    const found = new Map((await takeAll(open())).map(({ record }) => [record.id, record]));
    should([...found.keys()].sort()).eql([one.id, two.id].sort());
    should(found.get(one.id)).match({ state: 'waiting', epoch: 1 });
    should(found.get(two.id)).match({ state: 'passing', epoch: 1 });
  });

  it('are reported as missing if the store has lost them', async () => {
    const records = open();
    const record = newRecord();
    await records.create(record);
    await put(record.id, undefined);
    should(await records.update(record)).be.false();
    should(await records.claim(record, false)).equal('missing');
    should(await names()).eql([]);
  });

  it('that were deleted do not come back if their claim is taken back', async () => {
    const records = open();
    const record = newRecord();
    await records.create(record);
    should(await records.claim(record, false)).equal('ours');
    await put(record.id, undefined);
    await records.unclaim(record);
    should(await names()).eql([]);
    should(await records.update(record)).be.false();
    should(await records.claim(record, false)).equal('missing');
  });

  it('that were being handed on before a crash cannot be changed', async () => {
    const before = open();
    const record = newRecord();
    await before.create(record);
    await before.claim(record, false);
    const records = open();
    const [found] = await takeAll(records);
    const taken = found?.record ?? record;
    should(await records.update({ ...taken, state: 'waiting' })).be.false();
    should(await records.claim(taken, false)).equal('ours');
    should((await takeAll(open())).map((one) => one.record.state)).eql(['passing']);
  });

  it('of the previous version become one for each message, even if an earlier attempt was interrupted', async () => {
    await put(id, { id: '0123456789abcdef012345', ...oldRecord, state: 'asking', approvalId: undefined });
    // The first, interrupted attempt.
    const first = await takeAll(open());
    const byId = new Map(first.map(({ record }) => [record.id, record]));
    should([...byId.keys()].sort()).eql([id, `${id}_1`, `${id}_2`]);
    should(byId.get(`${id}_2`)).match({
      state: 'sending',
      lifetime: 300_000,
      message: '{"no":2}',
      reminded: true,
    });
    should(await names()).eql([id, `${id}_1`, `${id}_2`]);
    await put(id, JSON.stringify({ ...oldRecord, id }));
    const records = open();
    const again = await takeAll(records);
    should(again.map(({ record }) => (JSON.parse(record.message) as { no: number }).no).sort()).eql([
      0, 1, 2,
    ]);
    for (const { record } of again) should(await records.claim(record, true)).equal('ours');
    should(await names()).eql([]);
  });

  it('that cannot be read stay, are named once, and do not affect the others', async () => {
    const before = open();
    const good = Array.from({ length: 6 }, () => newRecord());
    for (const record of good) await before.create(record);
    const bad: Record<string, unknown> = {
      approval_bad1: '{"half',
      approval_bad2: 17,
      approval_bad3: { id: 'approval_bad3', state: 'dreaming' },
      approval_bad4: { ...oldRecord, messages: [] },
      approval_bad5: { ...oldRecord, messages: ['not JSON'] },
      approval_bad6: { ...newRecord(), id: good[0]?.id },
    };
    for (const [name, value] of Object.entries(bad)) await put(name, value);
    const records = open();
    const found = await takeAll(records);
    should(found.map(({ record }) => record.id).sort()).eql(good.map((record) => record.id).sort());
    should(told.troubles).have.length(Object.keys(bad).length);
    for (const name of Object.keys(bad)) {
      should(told.troubles.filter((sentence) => sentence.includes(`"${name}"`))).have.length(1, name);
    }
    should(told.troubles.join()).match(new RegExp(`context store "${store}"`));
    should(await names()).containDeep(Object.keys(bad));
  });

  it('notice that the clock was set back', async () => {
    const time = new SetTime();
    const before = open(new Map(), time);
    const record: ApprovalRecord = newRecord({ endsAt: time.wall() + 900_000, lifetime: 900_000 });
    await before.create(record);
    time.move(60_000);
    await before.update(record);
    await before.close();
    time.set(time.wall() - 1500);
    should((await takeAll(open(new Map(), time))).map((found) => found.isClockWrong)).eql([true]);
    time.set(time.wall() + 1000);
    should((await takeAll(open(new Map(), time))).map((found) => found.isClockWrong)).eql([false]);
  });

  it('notice it even if a record was created before they were found', async () => {
    const time = new SetTime();
    const before = open(new Map(), time);
    await before.create(newRecord({ endsAt: time.wall() + 900_000, lifetime: 900_000 }));
    time.move(60_000);
    await before.close();
    time.set(time.wall() - 30_000);
    const after = open(new Map(), time);
    const made = newRecord();
    await after.create(made);
    should((await takeAll(after)).map((found) => found.isClockWrong)).eql([true]);
  });

  it('take many changes at once, and those of one record in order', async () => {
    const records = open();
    const made = Array.from({ length: 120 }, () => newRecord());
    await Promise.all(
      made.map(async (record) => {
        await Promise.all([
          records.create(record),
          records.update({ ...record, approvalId: 'first' }),
          records.update({ ...record, approvalId: 'second' }),
        ]);
      }),
    );
    const found = await takeAll(open(), new Map([[made[0]?.id ?? '', 0]]));
    should(found).have.length(119);
    should(new Set(found.map(({ record }) => record.approvalId))).eql(new Set(['second']));
  });

  if (store === 'memory') {
    it('are not copied by a store in memory, and are gone in the same turn in which they end', async () => {
      const records = open();
      const record = newRecord();
      await records.create(record);
      should(context.get(record.id, store)).equal(record);
      await records.claim(record, false);
      void records.end(record);
      should(context.get(record.id, store)).be.undefined();
    });
  }

  if (store === 'memory') {
    it('are not there if the store has failed to write them', async () => {
      const unsure = unsureStore();
      contexts.init({ contextStorage: { memory: { module: () => unsure } } });
      await contexts.load();
      context = contexts.get('gate', 'tab');
      const records = open();
      const record = newRecord();
      await records.create(record).should.be.rejectedWith({ code: 'AUTHY_STORE', message: /line was cut/ });
      should(await names()).eql([]);
      should(await records.update(record)).be.false();
      await records.create(record);
      should(await takeAll(open())).have.length(1);
    });

    it('are refused if there is no such store', async () => {
      const gate = { id: 'gate', context: () => context } as unknown as Node;
      const records = new ContextRecords(
        gate,
        { store, place: { name: 'gone' }, problem: 'There is no such store.' },
        told,
        { contexts: new Map() },
      );
      const noStore = { code: 'AUTHY_BAD_CONFIG', message: 'There is no such store.' };
      await records.create(newRecord()).should.be.rejectedWith(noStore);
      should(await records.take(new Map())).eql([]);
    });
  }
}

/** A store that writes the first record, but reports an error. */
function unsureStore(): object {
  const values = new Map<string, unknown>();
  let isSure = false;
  type Done = (error?: unknown, ...values: unknown[]) => void;
  return {
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    get: (_scope: string, keys: string | string[], done: Done) =>
      done(undefined, ...[keys].flat().map((key) => values.get(key))),
    set: (_scope: string, key: string, value: unknown, done: Done) => {
      if (value === undefined) values.delete(key);
      else values.set(key, value);
      const fails = !isSure && key !== 'approval_alive';
      if (fails) isSure = true;
      done(fails ? new Error('the line was cut') : undefined);
    },
    keys: (_scope: string, done: Done) => done(undefined, [...values.keys()]),
    delete: () => Promise.resolve(),
    clean: () => Promise.resolve(),
  };
}
