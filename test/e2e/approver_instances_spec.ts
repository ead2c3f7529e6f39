import should from 'should';
import { redisPeople } from '../../nodes/lib/people/redis-people';
import { RedisConnection } from '../../nodes/lib/storage/redis/connection';
import { realTime } from '../../nodes/lib/time';
import { ApproverClient, PasskeyPhone, type ShownRequest } from '../support/approver_client';
import { approverFlow, approverPage } from '../support/approver_process_flow';
import { Collector } from '../support/collector';
import { EventStream } from '../support/event_stream';
import { invite, type Invited, twoPhones } from '../support/invited_people';
import { eventually, NodeRed, type Runtime, runtimes } from '../support/node_red';
import { Redis } from '../support/redis';

const [runtime] = runtimes as [Runtime];

/** Two Node-REDs with the same flows behind one address: a phone's next call may come to either. */
describe('The approvers of two Node-REDs in Redis', function () {
  this.timeout(120_000);
  let redis: Redis;
  let collector: Collector;
  let one: NodeRed;
  let other: NodeRed;
  let people: Invited[];
  let person: Invited;
  /** The phones of the person: the first one's page is at one Node-RED, the second one's at the other. */
  let phones: [PasskeyPhone, PasskeyPhone];
  let no = 0;

  before(async function () {
    this.timeout(600_000);
    redis = await Redis.start(this);
    collector = await new Collector().start();
    const start = (name: string): Promise<NodeRed> =>
      NodeRed.start(this, runtime, { env: { INSTANCE: name }, packages: ['@redis/client'] });
    [one, other] = await Promise.all([start('one'), start('other')]);
    people = await invitedInRedis(20);
    await deploy();
  });
  after(async () => {
    // Undefined where the suite was skipped.
    await (one as NodeRed | undefined)?.stop();
    await (other as NodeRed | undefined)?.stop();
    await (collector as Collector | undefined)?.stop();
    await (redis as Redis | undefined)?.stop();
  });

  beforeEach(async () => {
    person = people.pop() as Invited;
    // It is invited at one and is used at the other.
    let last = 0;
    phones = await twoPhones(person, () =>
      browserAt(last++ === 0 ? one : other, `10.${last}.0.${people.length}`),
    );
  });

  async function invitedInRedis(count: number): Promise<Invited[]> {
    const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
    const link = new RedisConnection('account', { url: redis.url, password: '', log: tell }, realTime);
    const all = redisPeople('account', link, { credentialSecret: 'a secret of the tests', tell });
    try {
      return await invite(all, count);
    } finally {
      await all.close();
    }
  }

  async function deploy(gate: Record<string, unknown> = {}): Promise<void> {
    const flows = approverFlow({
      collector: collector.url,
      gate: { maxOpen: 0, details: '{"No": $string(no)}', detailsType: 'jsonata', ...gate },
      account: { approvalStore: 'redis', redisUrl: redis.url },
      outcome: `payload.decision & ' by ' & payload.decidedBy`,
    });
    await Promise.all([one, other].map((red) => red.deploy(flows)));
  }

  const serverOf = ({ nodeUrl }: NodeRed): string => nodeUrl.replace(/\/$/, '');
  const browserAt = (red: NodeRed, from?: string): ApproverClient =>
    new ApproverClient(serverOf(red), approverPage, '/approve', from);

  async function ask(red: NodeRed): Promise<number> {
    no += 1;
    const response = await fetch(`${red.nodeUrl}ask`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ no, authyId: person.authyId }),
    });
    should(response.status).equal(202);
    return no;
  }

  /** The request of a message, once a phone shows it. */
  function shown(browser: ApproverClient, number: number): Promise<ShownRequest> {
    return eventually(`the request of message ${number}`, async () =>
      (await browser.requests()).find(({ details }) =>
        JSON.stringify(details).includes(`["No","${number}"]`),
      ),
    );
  }

  /** How a message has ended: once, at this instance. */
  async function ending(number: number, by: string, seconds = 20): Promise<string> {
    const reports = await eventually(
      `the outcome of message ${number}`,
      () => {
        const all = collector.reports.filter((report) => report.no === number);
        return all.length > 0 ? all : undefined;
      },
      seconds,
    );
    should(reports.map((report) => report.by)).eql([by], `message ${number}: ${JSON.stringify(reports)}`);
    return reports[0]?.outcome ?? '';
  }

  it('share people, phones and sessions: an invitation made at one is used at the other', async () => {
    for (const phone of phones) {
      for (const red of [one, other]) {
        should(await phone.browser.at(serverOf(red)).state()).match({
          signedIn: true,
          account: 'Front door',
          phones: 2,
          recoveryLeft: 9,
        });
      }
    }
  });

  it('a browser that is given a challenge by one signs in at the other, once, and signs out at both', async () => {
    const [phone] = phones;
    const fresh = browserAt(one, '10.9.9.9');
    const { options } = await fresh.done('sign-in-options');
    const signing = fresh.at(serverOf(other));
    const credential = phone.sign(options);
    await signing.done('sign-in', { credential });
    should(await signing.at(serverOf(one)).state()).match({ signedIn: true });
    should(await fresh.call('sign-in', { credential })).match({ status: 422 });
    const { cookie } = signing;
    await signing.at(serverOf(one)).done('sign-out');
    should(await Object.assign(browserAt(other), { cookie }).state()).match({ signedIn: false });
    should(await phone.browser.state()).match({ signedIn: true });
  });

  it('an answer given at the other goes at once to the one that asked, whose message leaves once', async () => {
    const outcomes: string[] = [];
    for (let round = 0; round < 10; round++) {
      const number = await ask(one);
      const [, phone] = phones;
      const { id } = await shown(phone.browser, number);
      if (round % 2 === 0) should((await phone.approve(id)).status).equal(200);
      else await phone.browser.done('deny', { id });
      outcomes.push(await ending(number, 'one'));
      should(outcomes.at(-1)).startWith(round % 2 === 0 ? 'approved' : 'denied');
    }
    // A reading of its own may come first, now and then.
    should(outcomes.filter((outcome) => outcome.endsWith(' by callback')).length).be.above(5);
  });

  it('an open page at the other hears of a request, and of its answer', async () => {
    const stream = new EventStream(phones[1].browser);
    try {
      await eventually('the stream to be open', () => stream.changes > 0 || undefined);
      const before = stream.changes;
      const number = await ask(one);
      await eventually('the page to hear of it', () => stream.changes > before || undefined);
      const { id } = await shown(phones[1].browser, number);
      const asked = stream.changes;
      await phones[0].browser.done('deny', { id });
      await eventually('the page to hear of the answer', () => stream.changes > asked || undefined);
      should(await phones[1].browser.requests()).eql([]);
      await ending(number, 'one');
    } finally {
      stream.close();
    }
  });

  it('of two answers at both at once one is accepted, and it is the one that counts', async () => {
    const results: string[] = [];
    for (let round = 0; round < 15; round++) {
      const number = await ask(round % 2 === 0 ? one : other);
      const { id } = await shown(phones[0].browser, number);
      const { options } = await phones[0].browser.done('approve-options', { id });
      const credential = phones[0].sign(options);
      const [approved, denied] = await Promise.all([
        phones[0].browser.call('approve', { id, credential }),
        phones[1].browser.call('deny', { id }),
      ]);
      should([approved.status, denied.status].sort()).eql([200, 409]);
      const decision = approved.status === 200 ? 'approved' : 'denied';
      results.push(decision);
      should(await ending(number, round % 2 === 0 ? 'one' : 'other')).startWith(decision);
    }
    process.stdout.write(
      `      ${results.filter((result) => result === 'approved').length} of 15 approved\n`,
    );
  });

  it('a phone that signs at one cannot use the same signature at the other', async () => {
    const numbers = [await ask(one), await ask(other)];
    const [phone] = phones;
    const { id } = await shown(phone.browser, numbers[0] ?? 0);
    const next = await shown(phone.browser, numbers[1] ?? 0);
    const { options } = await phone.browser.done('approve-options', { id });
    const credential = phone.sign(options);
    const answers = await Promise.all(
      [one, other].map((red) => phone.browser.at(serverOf(red)).call('approve', { id, credential })),
    );
    should(answers.map(({ status }) => status).sort()).eql([200, 409]);
    should(await phone.browser.at(serverOf(other)).call('approve', { id: next.id, credential })).match({
      status: 422,
      body: { error: 'passkeyRefused' },
    });
    should(await ending(numbers[0] ?? 0, 'one')).startWith('approved');
    await phone.browser.done('deny', { id: next.id });
    should(await ending(numbers[1] ?? 0, 'other')).startWith('denied');
  });

  it('while Redis is away the page says so, and nothing is concluded; then the answer counts', async () => {
    const number = await ask(one);
    const [phone, second] = phones;
    const { id } = await shown(phone.browser, number);
    const { options } = await phone.browser.done('approve-options', { id });
    const credential = phone.sign(options);
    await redis.stop();
    for (const browser of [phone.browser, second.browser]) {
      should(await browser.call('state')).match({ status: 503, body: { error: 'unavailable' } });
      should(await browser.call('approve', { id, credential })).match({ status: 503 });
      should(await browser.call('deny', { id })).match({ status: 503 });
      should((await browser.request('GET', '/api/events')).status).equal(503);
    }
    should(await ending(await ask(other), 'other')).equal('AUTHY_STORE');
    should(collector.outcomesOf(number)).eql([]);
    await redis.startAgain();
    const { status } = await eventually('Redis to be reached again', async () => {
      const answered = await phone.browser.call('approve', { id, credential });
      return answered.status === 503 ? undefined : answered;
    });
    should(status).equal(200);
    should(await ending(number, 'one', 40)).startWith('approved');
  });

  it('an answer that Redis takes while it does not answer in time is found later, by page and gate alike', async () => {
    await deploy({ timeout: '60' });
    const number = await ask(one);
    const [phone, second] = phones;
    const { id } = await shown(phone.browser, number);
    const { options } = await phone.browser.done('approve-options', { id });
    const answering = phone.browser.call('approve', { id, credential: phone.sign(options) });
    redis.signal('SIGSTOP');
    let status: number;
    try {
      ({ status } = await answering);
    } finally {
      redis.signal('SIGCONT');
    }
    should([200, 503]).containEql(status);
    const state = await eventually('Redis to be reached again', async () => {
      const answered = await second.browser.call('state');
      return answered.status === 503 ? undefined : answered.body;
    });
    // Whether it was taken, all agree about.
    const [open] = state['requests'] as ShownRequest[];
    if (open !== undefined) should((await second.approve(open.id)).status).equal(200);
    should(await ending(number, 'one', 40)).startWith('approved');
  });

  it('if the one that asked dies, the other lets the message out, with the answer given meanwhile', async () => {
    await deploy({ timeout: '90' });
    const numbers = [await ask(one), await ask(one), await ask(one)];
    const [, phone] = phones;
    const ids: string[] = [];
    for (const number of numbers) ids.push((await shown(phone.browser, number)).id);
    for (const id of ids) {
      await eventually('Redis to know that the request is on the phone', async () => {
        const answer = await redis.command('ZCARD', `approvals:{account}:approval:${id}`);
        return answer.startsWith(':1') ? true : undefined;
      });
    }
    await one.kill();
    const [first = '', second = '', third = ''] = ids;
    should((await phone.approve(first)).status).equal(200);
    await phone.browser.done('deny', { id: second });
    should(await ending(numbers[0] ?? 0, 'other', 60)).startWith('approved');
    should(await ending(numbers[1] ?? 0, 'other', 60)).startWith('denied');
    await one.startAgain();
    // The message that is still open belongs to the other now.
    const answering = phones[0].browser.at(serverOf(one));
    should((await phones[0].approve(third, {}, answering)).status).equal(200);
    should(await ending(numbers[2] ?? 0, 'other', 30)).startWith('approved');
    for (const number of numbers) should(collector.outcomesOf(number)).have.length(1);
  });
});
