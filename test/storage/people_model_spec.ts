import path from 'node:path';
import fc from 'fast-check';
import should from 'should';
import { filePeople } from '../../nodes/lib/people/file-people';
import type { People, Person } from '../../nodes/lib/contract/people';
import { redisPeople } from '../../nodes/lib/people/redis-people';
import { ProcessRun } from '../../nodes/lib/storage/owned-directory';
import { RedisConnection } from '../../nodes/lib/storage/redis/connection';
import { realTime } from '../../nodes/lib/time';
import { temporaryDirectory } from '../support/node_red';
import { byId, factors, listOf, newPerson, phones } from '../support/people';
import { Redis } from '../support/redis';
import { cases } from '../support/runs';

/** What is done, by which of the instances, to the person that was added as the n-th, or to none. */
type Step = { readonly by: number; readonly to: number } & (
  | { readonly kind: 'add'; readonly phone: number; readonly email: string; readonly id: string | undefined }
  | { readonly kind: 'email'; readonly email: string }
  | { readonly kind: 'phone'; readonly phone: number }
  | { readonly kind: 'factors'; readonly factors: Person['factors'] }
  | { readonly kind: 'leave' }
  | { readonly kind: 'remove' }
  | { readonly kind: 'restart' }
);

const phone = fc.nat(phones.length - 1);
const email = fc.constantFrom('', 'ada@example.com', 'bob@example.com');
const who = { by: fc.nat(1), to: fc.nat(6) };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      ...who,
      kind: fc.constant('add' as const),
      phone,
      email,
      id: fc.constantFrom(undefined, undefined, '1234567', '1234568'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...who, kind: fc.constant('email' as const), email }) },
  { weight: 4, arbitrary: fc.record({ ...who, kind: fc.constant('phone' as const), phone }) },
  { weight: 2, arbitrary: fc.record({ ...who, kind: fc.constant('factors' as const), factors }) },
  { weight: 1, arbitrary: fc.record({ ...who, kind: fc.constant('leave' as const) }) },
  { weight: 3, arbitrary: fc.record({ ...who, kind: fc.constant('remove' as const) }) },
  { weight: 1, arbitrary: fc.record({ ...who, kind: fc.constant('restart' as const) }) },
);

const refused = 'AUTHY_INVALID_INPUT';

/** Does each step to a store and to a Map, and compares what both say. */
class Beside {
  /** The reference. */
  private readonly known = new Map<string, Person>();
  /** The ids in the order in which they were given; those of the removed stay. */
  private readonly ids: string[] = [];

  constructor(
    private readonly instance: (number: number) => People,
    private readonly restart: () => Promise<void>,
  ) {}

  async take(step: Step): Promise<void> {
    const people = this.instance(step.by);
    const authyId = this.ids[step.to] ?? '99';
    switch (step.kind) {
      case 'add':
        return this.add(people, step);
      case 'email':
        return this.change(people, authyId, (person) => ({ ...person, email: step.email }));
      case 'phone':
        return this.change(people, authyId, (person) => ({ ...person, ...phones[step.phone] }));
      case 'factors':
        return this.change(people, authyId, (person) => ({ ...person, factors: step.factors }));
      case 'leave':
        should(await people.change(authyId, () => undefined)).be.undefined();
        return;
      case 'remove':
        should(await people.remove(authyId)).equal(this.known.delete(authyId));
        return;
      case 'restart':
        return this.restart();
    }
  }

  /** All that can be asked. */
  async compare(): Promise<void> {
    const people = this.instance(0);
    should(byId(await listOf(people.all()))).eql(byId([...this.known.values()]));
    should(await people.count()).equal(this.known.size);
    for (const authyId of this.ids) should(await people.find(authyId)).eql(this.known.get(authyId));
    for (const { phoneNumber } of phones) {
      should(await people.findByPhone(phoneNumber)).eql(this.byPhone(phoneNumber));
    }
  }

  private byPhone(phoneNumber: string): Person | undefined {
    return [...this.known.values()].find((person) => person.phoneNumber === phoneNumber);
  }

  private async add(people: People, { phone, email, id }: Extract<Step, { kind: 'add' }>): Promise<void> {
    const given = newPerson({ ...phones[phone], email });
    const there = this.byPhone(given.phoneNumber);
    const isClash = id !== undefined && (there === undefined ? this.known.has(id) : there.authyId !== id);
    const added = await outcome(people.add(id === undefined ? given : { ...given, authyId: id }));
    if (isClash || typeof added === 'string') {
      should([isClash, added]).eql([true, refused]);
      return;
    }
    if (there === undefined) {
      should(added).match({ ...given, factors: [] });
      this.ids.push(added.authyId);
    } else {
      should(added).eql({ ...there, email });
    }
    this.known.set(added.authyId, added);
  }

  private async change(people: People, authyId: string, change: (person: Person) => Person): Promise<void> {
    const before = this.known.get(authyId);
    const after = before && change(before);
    const holder = after && this.byPhone(after.phoneNumber);
    const isTaken = holder !== undefined && holder.authyId !== authyId;
    should(await outcome(people.change(authyId, change))).eql(isTaken ? refused : after);
    if (after !== undefined && !isTaken) this.known.set(authyId, after);
  }
}

/** What came of it: the result, or the code of the error. */
function outcome<T>(work: Promise<T>): Promise<T | string> {
  return work.catch((error: unknown) => (error as { code: string }).code);
}

describe('people in each store, beside a Map', function () {
  this.timeout(3_600_000);
  const tell = (sentence: string): void => {
    throw new Error(sentence);
  };
  const steps = fc.array(step, { minLength: 1, maxLength: 30 });

  it('files', () =>
    fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const root = path.join(temporaryDirectory(), 'people');
        let run = new ProcessRun();
        const open = (): People => filePeople({ root, accountId: 'account' }, { tell, run });
        // Two on the same folder in one process, as the old and the new account of a deploy.
        let instances = [open(), open()];
        const close = async (): Promise<void> => {
          await Promise.all(instances.map((one) => one.close()));
          run.end();
        };
        const beside = new Beside(
          (number) => instances[number] as People,
          async () => {
            await close();
            run = new ProcessRun();
            instances = [open(), open()];
          },
        );
        for (const one of all) await beside.take(one);
        await beside.compare();
        await close();
      }),
      cases(25),
    ));

  it('Redis', async function () {
    const redis = await Redis.start(this, []);
    let account = 0;
    const open = (): People =>
      redisPeople(
        `account${account}`,
        new RedisConnection(
          `account${account}`,
          { url: redis.url, password: '', log: () => undefined },
          realTime,
        ),
        { credentialSecret: 'a secret', tell },
      );
    try {
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          account += 1;
          let instances = [open(), open()];
          const close = (): Promise<unknown> => Promise.all(instances.map((one) => one.close()));
          const beside = new Beside(
            (number) => instances[number] as People,
            async () => {
              await close();
              instances = [open(), open()];
            },
          );
          for (const one of all) await beside.take(one);
          await beside.compare();
          await close();
        }),
        cases(25),
      );
    } finally {
      await redis.stop();
    }
  });
});
