import { createClient } from '@redis/client';
import should from 'should';
import type { People, Person } from '../../nodes/lib/contract/people';
import { redisPeople } from '../../nodes/lib/people/redis-people';
import { RedisConnection } from '../../nodes/lib/storage/redis/connection';
import { realTime } from '../../nodes/lib/time';
import { listOf, newFactor, newPerson, phones } from '../support/people';
import { Redis } from '../support/redis';

describe('People in Redis', function () {
  this.timeout(60_000);
  let redis: Redis;
  let client: ReturnType<typeof createClient>;
  let opened: People[];
  let told: string[];

  before(async function () {
    redis = await Redis.start(this);
    client = createClient({ url: redis.url });
    client.on('error', () => undefined);
    await client.connect();
  });

  after(async () => {
    client.destroy();
    await redis.stop();
  });

  beforeEach(async () => {
    opened = [];
    told = [];
    await client.flushAll();
  });

  afterEach(() => Promise.all(opened.map((people) => people.close())));

  /** A Node-RED among several. */
  function open({ account = 'account', credentialSecret = 'a secret' } = {}): People {
    const settings = { url: redis.url, password: '', log: () => undefined };
    const people = redisPeople(account, new RedisConnection(account, settings, realTime), {
      credentialSecret,
      tell: (sentence) => told.push(sentence),
    });
    opened.push(people);
    return people;
  }

  const key = (name: string): string => `people:{account}:${name}`;

  /** Accepts a TOTP step once, as a service does. */
  function accept(people: People, authyId: string, step: number): Promise<Person | undefined> {
    return people.change(authyId, (person) => {
      const [factor = newFactor()] = person.factors;
      return (factor.lastStep ?? 0) >= step
        ? undefined
        : { ...person, factors: [{ ...factor, lastStep: step }] };
    });
  }

  it('are the same for all instances', async () => {
    const [one, two] = [open(), open()];
    const ada = await one.add(newPerson({ factors: [newFactor()] }));
    should(await two.find(ada.authyId)).eql(ada);
    should(await two.findByPhone(ada.phoneNumber)).eql(ada);
    should(await two.add(newPerson())).eql(ada);
    const changed = await two.change(ada.authyId, (person) => ({ ...person, ...phones[2] }));
    should(await one.findByPhone(ada.phoneNumber)).be.undefined();
    should(await one.findByPhone('+13175550142')).eql(changed);
    should(await open({ account: 'other' }).find(ada.authyId)).be.undefined();
    should(await one.remove(ada.authyId)).be.true();
    should(await two.find(ada.authyId)).be.undefined();
    should(await client.keys('*')).eql([]);
  });

  it('accept one TOTP step once, however many instances bring it at the same time', async () => {
    const instances = Array.from({ length: 4 }, () => open());
    const [first = open()] = instances;
    const { authyId } = await first.add(newPerson({ factors: [newFactor({ lastStep: 0 })] }));
    for (let step = 1; step <= 25; step++) {
      const all = instances.flatMap((people) => [
        accept(people, authyId, step),
        accept(people, authyId, step),
      ]);
      const accepted = (await Promise.all(all)).filter((person) => person !== undefined);
      should(accepted).have.length(1);
      should((await first.find(authyId))?.factors[0]?.lastStep).equal(step);
    }
  });

  it('lose no change, however many are made at the same time', async () => {
    const instances = Array.from({ length: 3 }, () => open());
    const [first = open()] = instances;
    const { authyId } = await first.add(newPerson({ factors: [newFactor({ lastStep: 0 })] }));
    const raise = (people: People) =>
      people.change(authyId, (person) => {
        const [factor = newFactor()] = person.factors;
        return { ...person, factors: [{ ...factor, lastStep: (factor.lastStep ?? 0) + 1 }] };
      });
    await Promise.all(instances.flatMap((people) => Array.from({ length: 20 }, () => raise(people))));
    should((await first.find(authyId))?.factors[0]?.lastStep).equal(60);
  });

  it('are one person for a phone number that many add at the same time', async () => {
    const instances = Array.from({ length: 4 }, () => open());
    const all = await Promise.all(
      instances.flatMap((people) => [0, 1, 2].map(() => people.add(newPerson()))),
    );
    should(new Set(all.map(({ authyId }) => authyId)).size).equal(1);
    should(await client.hLen(key('people'))).equal(1);
    should(await client.hLen(key('phones'))).equal(1);
  });

  it('of two who want a phone number at the same time, one gets it', async () => {
    const [one, two] = [open(), open()];
    for (const round of phones.keys()) {
      const [ada, bob] = await Promise.all([
        one.add(newPerson({ phoneNumber: `+49170111100${round}` })),
        two.add(newPerson({ phoneNumber: `+49170222200${round}` })),
      ]);
      const want = (people: People, { authyId }: Person) =>
        people.change(authyId, (person) => ({ ...person, phoneNumber: `+49170333300${round}` }));
      const results = await Promise.allSettled([want(one, ada), want(two, bob)]);
      should(results.map(({ status }) => status).sort()).eql(['fulfilled', 'rejected']);
    }
  });

  it('need a credentialSecret for secrets, the same on all instances', async () => {
    const without = open({ credentialSecret: '' });
    await without.add(newPerson());
    await without
      .add(newPerson({ ...phones[1], factors: [newFactor()] }))
      .should.be.rejectedWith({ code: 'AUTHY_BAD_CONFIG', message: /^Set credentialSecret/ });
    const { authyId } = await open().add(newPerson({ ...phones[1], factors: [newFactor()] }));
    const otherKey = { code: 'AUTHY_STORE', message: /^Set credentialSecret in settings\.js to what it was/ };
    const other = open({ credentialSecret: 'another' });
    await other.find(authyId).should.be.rejectedWith(otherKey);
    await other.change(authyId, (person) => person).should.be.rejectedWith(otherKey);
    // The way out, if the key is lost.
    should(await other.remove(authyId)).be.true();
  });

  it('conclude nothing from what somebody else has written there', async () => {
    const people = open();
    const ada = await people.add(newPerson({ authyId: '7' }));
    const bob = await people.add(newPerson({ ...phones[1] }));
    const text = (await client.hGet(key('people'), '7')) ?? '';
    const hostile = [
      '',
      'null',
      '[]',
      '{"half',
      text.replace('"version":3', '"version":4'),
      text.replace('"authyId":"7"', '"authyId":"8"'),
      text.replace('"email"', '"__proto__"'),
      text.replace('}', ',"more":1}'),
      text.replace('"countryCode":"49"', '"countryCode":49'),
      text.replace('"factors":[]', '"factors":[null]'),
      text.replace('"factors":[]', '"factors":{}'),
      text.replace('"factors":[]', '"verification":null,"factors":[]'),
    ];
    const unreadable = {
      code: 'AUTHY_STORE',
      message: /^Repair or remove the field 7 of the key people:\{account\}:people/,
    };
    for (const other of hostile) {
      await client.hSet(key('people'), '7', other);
      await people.find('7').should.be.rejectedWith(unreadable);
      await people.findByPhone(ada.phoneNumber).should.be.rejectedWith(unreadable);
      await people.add(newPerson()).should.be.rejectedWith(unreadable);
      await people.change('7', (person) => person).should.be.rejectedWith(unreadable);
      await people.remove('7').should.be.rejectedWith(unreadable);
      told = [];
      should(await listOf(people.all())).eql([bob]);
      should(told).have.length(1);
      should(told[0]).match(unreadable.message);
      should(await client.hGet(key('people'), '7')).equal(other);
    }
    await client.hSet(key('people'), '7', text);
    // A phone number that leads to somebody else: a code must not go there.
    await client.hSet(key('phones'), ada.phoneNumber, bob.authyId);
    await people.findByPhone(ada.phoneNumber).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    await client.set(key('phones'), 'a text');
    await people
      .findByPhone(ada.phoneNumber)
      .should.be.rejectedWith({ code: 'AUTHY_STORE', message: /keeps its people/ });
  });

  it('are missed, and not unknown, where Redis has lost a part of them', async () => {
    const people = open();
    const ada = await people.add(newPerson());
    const lost = { code: 'AUTHY_STORE', message: /noeviction/ };
    await client.del(key('people'));
    await people.find(ada.authyId).should.be.rejectedWith(lost);
    await people.findByPhone(ada.phoneNumber).should.be.rejectedWith(lost);
    await people.count().should.be.rejectedWith(lost);
    await people.add(newPerson({ ...phones[1] })).should.be.rejectedWith(lost);
    await client.flushAll();
    const bob = await people.add(newPerson());
    await client.del(key('phones'));
    should(await people.find(bob.authyId)).eql(bob);
    await people.findByPhone(bob.phoneNumber).should.be.rejectedWith(lost);
    await people.change(bob.authyId, (person) => ({ ...person, ...phones[1] })).should.be.rejectedWith(lost);
  });

  it('are all handed over, once each, by the thousand', async () => {
    const people = open();
    const numbers = Array.from({ length: 1500 }, (_item, index) => `+4917${String(index).padStart(8, '0')}`);
    await Promise.all(numbers.map((phoneNumber) => people.add(newPerson({ phoneNumber }))));
    const all = await listOf(people.all());
    should(all.map(({ phoneNumber }) => phoneNumber).sort()).eql(numbers);
    should(await people.count()).equal(numbers.length);
  });

  it('are an error while Redis is away, and there again with it after it was killed', async () => {
    const people = open();
    const ada = await people.add(newPerson({ factors: [newFactor({ lastStep: 0 })] }));
    await accept(people, ada.authyId, 5);
    await redis.kill();
    const away = {
      code: 'AUTHY_STORE',
      message: /^Check Redis, where the account keeps its people: it does not answer/,
    };
    await people.find(ada.authyId).should.be.rejectedWith(away);
    await accept(people, ada.authyId, 6).should.be.rejectedWith(away);
    await redis.startAgain();
    const again = open();
    should((await again.find(ada.authyId))?.factors[0]?.lastStep).equal(5);
    should(await accept(again, ada.authyId, 5)).be.undefined();
  });
});
