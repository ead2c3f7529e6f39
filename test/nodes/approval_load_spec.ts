import should from 'should';
import { approvalGate } from '../support/approval_gate';
import { AuthyPhones } from '../support/authy_phones';
import { Flow } from '../support/flow';
import { eventually } from '../support/node_red';
import { Random } from '../support/random';
import { slowStore } from '../support/slow_store';
import { Tally } from '../support/tally';

const count = 2000;
const users = 250;
/** In seconds; the phones answer within the first half, or not at all. */
const timeout = 8;

type Plan = 'approve' | 'deny' | 'silent' | 'cancel';

describe(`Approval gate under load: ${count} approvals`, function () {
  this.timeout(180_000);
  let phones: AuthyPhones;
  let flow: Flow;
  const tally = new Tally();

  before(async () => {
    phones = await new AuthyPhones().start();
  });
  after(async () => {
    tally.stop();
    await flow.stop();
    await phones.stop();
  });

  it('each message ends once, none is lost or doubled, and none is approved without an approval', async () => {
    const random = new Random();
    const pick = <T>(...list: T[]): T => random.pick(list);

    flow = await Flow.start(
      {
        ...approvalGate,
        id: 'load',
        timeout: String(timeout),
        details: 'details',
        detailsType: 'msg',
        maxOpen: 0,
      },
      3,
      [
        {
          id: 'account',
          type: 'authy-config',
          service: 'authy',
          baseUrl: phones.url,
          deadline: 15,
          maxInFlight: 100,
          approvalStore: 'context:slow',
        },
        { id: 'post', type: 'http in', method: 'post', url: '/cb', z: 'tab', wires: [['callback']] },
        {
          id: 'callback',
          type: 'authy-onetouch-callback',
          z: 'tab',
          account: 'account',
          strict: true,
          freshness: 'off',
          wires: [['respond'], ['respond'], ['respond']],
        },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
      ],
      { account: { apiKey: phones.apiKey } },
      { contextStorage: { default: { module: 'memory' }, slow: { module: slowStore } } },
    );
    phones.callbacksTo(`${flow.url}/cb`);
    tally.start('load');
    const authyIds: string[] = [];
    for (let number = 0; number < users; number++) authyIds.push(await phones.newUser());

    /** A new set of troubles, for callbacks and for reading the status. */
    async function stir(): Promise<void> {
      const path = '/onetouch/json/approval_requests/';
      const times = 1 + Math.floor(random.next() * 30);
      const callback = pick<object>(
        { kind: 'callbackLost' },
        { kind: 'callbackLate', ms: Math.floor(random.next() * 2000) },
        { kind: 'callbackRepeated', copies: 2 + Math.floor(random.next() * 3) },
        { kind: 'callbackForged' },
        { kind: 'callbackContradicts' },
      );
      const reading = pick<object>(
        { kind: 'status', status: 500 },
        { kind: 'status', status: 429, retryAfter: 1 },
        { kind: 'html' },
        { kind: 'garbage' },
        { kind: 'drop' },
        { kind: 'drop', after: true },
        { kind: 'latency', ms: Math.floor(random.next() * 500) },
      );
      const asking = pick<object>(
        { kind: 'drop', after: true },
        { kind: 'status', status: 503, code: '60060' },
      );
      const faults = [
        { ...callback, times },
        { ...reading, path, times },
        { ...asking, path: '/approval_requests', method: 'POST', times: 1 },
      ];
      await phones.faults(...faults);
    }

    const plans = new Map<string, Plan>();
    const dueAt = new Map<string, number>();
    let deploying: Promise<void> | undefined;
    const state = { isFed: false };
    const feeding = (async () => {
      for (let no = 0; no < count; no++) {
        plans.set(
          String(no),
          pick<Plan>('approve', 'approve', 'approve', 'deny', 'deny', 'silent', 'cancel'),
        );
        const message = { no, authyId: pick(...authyIds), details: { No: String(no) } };
        flow.give(message);
        if (no % 50 === 0) await stir();
        if (no % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        if (no === count / 4) deploying = flow.redeploy({ name: 'redeployed' });
        if (no === count / 2) deploying = flow.redeployAll();
        if (no === (count * 3) / 4) deploying = flow.redeploy({ name: 'renamed' }, 'account');
        // What is sent to a node that is just being replaced is lost before it gets there.
        await deploying;
      }
      state.isFed = true;
    })();

    const answering = (async () => {
      while (!state.isFed || tally.open.size > 0) {
        for (const { uuid, details, status } of await phones.all()) {
          const no = details?.['No'] ?? '';
          if (status !== 'pending') continue;
          const plan = plans.get(no);
          const due = dueAt.get(uuid) ?? performance.now() + random.next() * timeout * 500;
          dueAt.set(uuid, due);
          if (performance.now() < due || plan === undefined || plan === 'silent') continue;
          plans.delete(no);
          await deploying;
          if (plan === 'cancel') flow.give({ cancel: uuid });
          else void phones.answer(uuid, plan);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();

    await feeding;
    await eventually('every message to end', () => (tally.open.size === 0 ? true : undefined), 90);
    await answering;
    await phones.faults();

    const truth = new Map((await phones.all()).map(({ details, status }) => [details?.['No'], status]));
    const account = tally.account();
    const lines = Object.entries(account).map(
      ([how, messages]) => `      ${String(messages.length).padStart(5)} ${how}`,
    );
    process.stdout.write(`      seed ${random.seed}\n${lines.join('\n')}\n`);

    // Each message once, and all of them.
    should(tally.problems).eql([]);
    should(Object.values(account).flat()).have.length(count);
    // Nothing is approved or denied that the phone did not, whatever the callbacks said.
    for (const no of account['approved'] ?? []) should(truth.get(no)).equal('approved', `message ${no}`);
    const answered = (no: string): boolean => ['approved', 'denied'].includes(truth.get(no) ?? '');
    should((account['denied'] ?? []).filter((no) => !answered(no))).eql([]);
    // And what the phone did in time is not taken for silence.
    should((account['expired noAnswer'] ?? []).filter(answered)).eql([]);
    // The mix was one: each ending was seen.
    should(account).have.properties(['approved', 'denied', 'expired noAnswer', 'withdrawn']);
  });
});
