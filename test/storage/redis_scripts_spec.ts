import { createClient } from '@redis/client';
import fc from 'fast-check';
import should from 'should';
import { RedisConnection } from '../../nodes/lib/storage/redis/connection';
import type { ScriptName } from '../../nodes/lib/storage/redis/scripts';
import { realTime } from '../../nodes/lib/time';
import { eventually } from '../support/node_red';
import { Redis } from '../support/redis';
import { RedisStandIn, type Reply } from '../support/redis_stand_in';
import { cases, runs } from '../support/runs';

type Step =
  | {
      readonly kind: 'run';
      readonly name: ScriptName;
      readonly args: (string | number)[];
      readonly late: number;
    }
  | { readonly kind: 'time'; readonly by: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'evict'; readonly which: number }
  /** An instance of the previous version has left a request. */
  | { readonly kind: 'old'; readonly holder: string; readonly gate: string; readonly id: string };

const one = <T extends string | number>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const instance = one('a', 'b', 'c');
const gate = one('g', 'g', 'g', 'h');
const id = one('approval_1', 'approval_2', 'approval_2_1');
const oldId = one('approval_2', 'approval_8', 'approval_9');
const approvalId = one('', 'p', 'q');
const user = one('u', 'v');
const epoch = one(0, 0, 1, 2);
const state = one('unsent', 'sending', 'waiting');
const start = 1_800_000_000_000;
const endsAt = one(start, start + 5000, start + 86_400_000, start + 31_536_000_000);
const lifetime = one(1000, 120_000, 31_536_000_000);
/** A placeholder for the number of the command, which is not known yet. */
const number = one('NUMBER');
/** Placeholders for values of the record, which are not known yet either; other values would always be refused. */
const holder = one('HOLDER', 'HOLDER', 'HOLDER', 'HOLDER', 'a', 'b');
const epochNow = one<string | number>('EPOCH', 'EPOCH', 'EPOCH', 'EPOCH', 0, 1);
const text = one('one text', 'another "text"', '');
const few = one(1, 2, 100);
const ids = fc.array(id, { maxLength: 2 });
const hint = one('a hint');

const args: Record<Exclude<ScriptName, 'scanOld' | 'tell'>, fc.Arbitrary<unknown[]>> = {
  signOfLife: fc.tuple(instance, one('mark 1', 'mark 2')),
  create: fc.tuple(instance, gate, id, epoch, number, state, endsAt, lifetime, user, approvalId, text),
  void: fc.tuple(holder, gate, id, epochNow, number, endsAt, lifetime, one('BEFORE')),
  update: fc.tuple(holder, id, epochNow, number, state, endsAt, lifetime, approvalId, text),
  claim: fc.tuple(holder, gate, id, epochNow, number, one(0, 0, 0, 1), approvalId),
  unclaim: fc.tuple(holder, id, epochNow, number),
  end: fc.tuple(holder, id, epochNow, number),
  withdraw: fc.tuple(instance, gate, one('p', 'q'), hint),
  holders: fc.tuple(instance, gate),
  withdrawHeld: fc.tuple(one('g'), instance, one('', 'approval_1', 'approval_2'), few, approvalId, hint),
  withdrawn: fc.tuple(instance, one('g'), few, ids).map(([...all]) => all.flat()),
  take: fc.tuple(instance, gate, few, ids).map(([...all]) => all.flat()),
  setAside: fc.tuple(instance, gate, id),
  asked: fc.tuple(one('p', 'q'), user, one(1000, 604_800_000)),
  recipientOf: fc.tuple(one('p', 'q', 'old')),
  decided: fc.tuple(one('p', 'q', 'old'), one('approved', 'denied'), one(1000), one(86_400_000)),
  admit: fc.tuple(id, user, endsAt, one(0, 1, 2), one(0, 100_000)),
  release: fc.tuple(id, user),
  // Asks for all of them, because Redis does not say which ones come first.
  oldHeld: fc.tuple(gate, one(100)),
  moveOld: fc
    .tuple(
      instance,
      one('g'),
      one('HOLDER'),
      oldId,
      fc.integer({ min: 0, max: 2 }),
      state,
      endsAt,
      lifetime,
      user,
      approvalId,
    )
    .map(([me, here, holder, old, count, ...rest]) => [
      ...[me, here, holder, old, 'old text', 'open', 1000],
      ...Array.from({ length: count }, (_item, index) => [
        ...[index === 0 ? old : `${old}_${index}`, ...rest, 'new text'],
      ]).flat(),
    ]),
};

const script = fc
  .constantFrom(
    ...(Object.keys(args) as (keyof typeof args)[]),
    'create',
    'update',
    'create',
    'update',
    'update',
    'claim',
    'claim',
    'unclaim',
    'withdraw',
    'take',
    'end' as const,
  )
  .chain((name) =>
    fc.record({
      kind: one('run'),
      name: fc.constant(name as ScriptName),
      args: args[name] as fc.Arbitrary<(string | number)[]>,
      // Some commands arrive after later ones.
      late: one(0, 0, 0, 0, 0, 3),
    }),
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: script },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: one('time'),
      by: one(1, 900, 5000, 16_000, 16_000, 90_000_000, 32_000_000_000, -1, -1500, -20_000, -90_000_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: one('flush') }) },
  { weight: 2, arbitrary: fc.record({ kind: one('evict'), which: fc.nat(100) }) },
  { weight: 2, arbitrary: fc.record({ kind: one('old'), holder: instance, gate, id: oldId }) },
);

describe('the stand-in for Redis', function () {
  this.timeout(runs(300_000));
  const account = 'account';
  const prefix = `approvals:{${account}}:`;
  const old = `authy:{${account}}:`;
  let redis: Redis;
  let client: ReturnType<typeof createClient>;
  let connection: RedisConnection;
  let now = start;
  let heard: string[] = [];
  let onLast: () => void = () => undefined;

  before(async function () {
    redis = await Redis.start(this, []);
    client = createClient({ url: redis.url });
    await client.connect();
    const settings = { url: redis.url, password: '', log: () => undefined };
    connection = new RedisConnection(account, settings, realTime, () => now);
    connection.open(
      () => undefined,
      (published) => {
        if (published === 'last') onLast();
        else heard.push(published);
      },
    );
    await eventually('the connection to receive messages', async () => {
      await connection.run('tell', 'first').catch(() => undefined);
      return heard.length > 0 ? true : undefined;
    });
    await lastHint();
  });
  after(async () => {
    // Undefined where the suite was skipped.
    await (connection as RedisConnection | undefined)?.close(1000);
    (client as typeof client | undefined)?.destroy();
    await (redis as Redis | undefined)?.stop();
  });

  /** Resolves once all published messages have been received. */
  async function lastHint(): Promise<void> {
    const last = new Promise<void>((resolve) => (onLast = resolve));
    await connection.run('tell', 'last');
    await last;
  }

  /** A key's name in Redis. */
  function real(key: string): string {
    return key.startsWith('old:') ? old + key.slice(4) : prefix + key;
  }

  /** Everything in Redis, in the format of {@link heldByStandIn}. */
  async function heldByRedis(): Promise<Record<string, unknown>> {
    const keys = await client.keys('*');
    const entries = keys.map(async (key): Promise<[string, unknown]> => {
      const name = key.startsWith(old) ? `old:${key.slice(old.length)}` : key.slice(prefix.length);
      const type = await client.type(key);
      if (type === 'string') return [name, await client.get(key)];
      if (type === 'hash') return [name, { ...(await client.hGetAll(key)) }];
      if (type === 'set') return [name, (await client.sMembers(key)).sort()];
      const members = await client.zRangeWithScores(key, 0, -1);
      return [name, Object.fromEntries(members.map(({ value, score }) => [value, score]))];
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  function heldByStandIn(standIn: RedisStandIn): Record<string, unknown> {
    const entries = [...standIn.keys].map(([key, value]): [string, unknown] => {
      if (typeof value === 'string') return [key, value];
      return [key, value instanceof Map ? Object.fromEntries(value) : [...value].sort()];
    });
    return Object.fromEntries(entries);
  }

  /** Sorts the replies whose order Redis does not promise. */
  function inOrder(name: ScriptName, reply: unknown): unknown {
    if (name !== 'oldHeld') return reply;
    const [lost, ...values] = reply as (string | number)[];
    const found = Array.from({ length: values.length / 4 }, (_item, index) =>
      values.slice(index * 4, index * 4 + 4).join(' '),
    );
    return [lost, ...found.sort()];
  }

  /** The arguments with the placeholders replaced. */
  function filledIn(
    standIn: RedisStandIn,
    values: readonly (string | number)[],
    mine: number,
  ): (string | number)[] {
    const [name = ''] = values.filter((value) => String(value).startsWith('approval_'));
    const record =
      standIn.keys.get(`request:${name}`) ?? standIn.keys.get(`old:request:${name}`) ?? new Map();
    const of = (field: string): string => (record as Map<string, string>).get(field) ?? 'a';
    const meanings = new Map<string | number, string | number>([
      ['NUMBER', mine],
      ['BEFORE', of('no')],
      ['HOLDER', of('holder')],
      ['EPOCH', of('epoch')],
    ]);
    return values.map((value) => meanings.get(value) ?? value);
  }

  async function leaveOld(
    standIn: RedisStandIn,
    { holder, gate: at, id: name }: Step & { kind: 'old' },
  ): Promise<void> {
    const values = { holder, record: 'old text', state: 'open' };
    await client.hSet(`${old}request:${name}`, values);
    await client.sAdd(`${old}held:${holder}:${at}`, name);
    await client.zAdd(`${old}instances`, { score: now, value: holder });
    await client.set(`${old}asked:old`, 'u');
    standIn.keys.set(`old:request:${name}`, new Map(Object.entries(values)));
    const held = standIn.keys.get(`old:held:${holder}:${at}`);
    standIn.keys.set(
      `old:held:${holder}:${at}`,
      new Set([...((held as Set<string> | undefined) ?? []), name]),
    );
    const alive = standIn.keys.get('old:instances') as Map<string, number> | undefined;
    standIn.keys.set('old:instances', new Map([...(alive ?? []), [holder, now]]));
    standIn.keys.set('old:asked:old', 'u');
  }

  it('does the same as the real one, with moving times, lost keys and lost stores', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
        now = start;
        await client.flushAll();
        heard = [];
        const standIn = new RedisStandIn();
        const hints: string[] = [];
        standIn.listeners.add((published) => hints.push(published));
        let commands = 0;
        const run = async (name: ScriptName, values: readonly (string | number)[]): Promise<void> => {
          const [theirs, ours]: [unknown, Reply] = [
            await connection.run(name, ...values),
            standIn.run(name, values, now),
          ];
          should(inOrder(name, ours)).eql(inOrder(name, theirs), `${name} ${values.join(' ')}`);
        };
        for (const it of steps) {
          if (it.kind === 'time') {
            now += it.by;
          } else if (it.kind === 'flush') {
            await client.flushAll();
            standIn.flush();
          } else if (it.kind === 'evict') {
            const keys = [...standIn.keys.keys()].sort();
            const key = keys[it.which % Math.max(1, keys.length)] ?? 'none';
            await client.del(real(key));
            standIn.evict(key);
          } else if (it.kind === 'old') {
            await leaveOld(standIn, it);
            await run('scanOld', ['0']);
          } else {
            commands += 1;
            const values = filledIn(standIn, it.args, commands - it.late);
            await run(it.name, values);
          }
        }
        should(heldByStandIn(standIn)).eql(await heldByRedis());
        await lastHint();
        should(heard).eql(hints);
      }),
      cases(100),
    );
  });
});
