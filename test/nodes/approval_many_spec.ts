import { setImmediate as turn } from 'node:timers/promises';
import should from 'should';
import { approvalGate } from '../support/approval_gate';
import { AuthyPhones, type OnPhone } from '../support/authy_phones';
import { Flow } from '../support/flow';
import { eventually } from '../support/node_red';

/** Several parts of what is worked on without a break. */
const many = 160;

describe(`Approval gate with ${many} open approvals`, function () {
  this.timeout(60_000);
  let phones: AuthyPhones;
  let flow: Flow;
  let authyId: string;
  let serial = 0;

  before(async () => {
    phones = await new AuthyPhones().start();
  });
  after(() => phones.stop());

  beforeEach(async () => {
    await phones.reset();
    authyId = await phones.newUser();
    flow = await Flow.start(
      { ...approvalGate, id: `many${(serial += 1)}`, timeout: '600', maxOpen: 0 },
      3,
      [
        {
          id: 'account',
          type: 'authy-config',
          service: 'authy',
          baseUrl: phones.url,
          deadline: 30,
          maxInFlight: 50,
        },
      ],
      { account: { apiKey: phones.apiKey } },
    );
  });
  afterEach(() => flow.stop());

  /** Asks so many, all at once. @returns the ids of the messages */
  async function ask(count: number, open = count): Promise<string[]> {
    const ids = Array.from({ length: count }, () => flow.give({ authyId }));
    await eventually(`${open} requests to wait`, () => {
      const text = String(flow.statuses.at(-1)?.text);
      return text.endsWith(`status.waiting (${open})`) ? true : undefined;
    });
    return ids;
  }

  /** Each of them has ended once, without an outcome and without an error. */
  async function withdrawn(ids: readonly string[]): Promise<void> {
    for (const id of ids) await flow.ending(id);
    for (const id of ids) should(flow.soFar(id)).match({ sent: [], caught: [], completed: 1 });
  }

  /** Denies whatever is open on the phones, and each of the messages leaves by that output, once. */
  async function denied(ids: readonly string[]): Promise<void> {
    const pending = (await phones.all<OnPhone>()).filter(({ status }) => status === 'pending');
    for (const { uuid } of pending) await phones.answer(uuid, 'deny');
    for (const id of ids) await flow.ending(id);
    for (const id of ids) {
      const { sent, caught, completed } = flow.soFar(id);
      should([sent.map(({ output }) => output), caught, completed]).eql([[1], [], 1]);
    }
  }

  it('withdraws all of them, and what is asked meanwhile goes on', async () => {
    const before = await ask(many);
    const reset = flow.give({ reset: true });
    await turn();
    const after = await ask(3);
    await withdrawn([...before, reset]);
    for (const id of after) should(flow.soFar(id)).match({ sent: [], caught: [], completed: 0 });
    // Those on the phone that were withdrawn are answered as well: that goes nowhere.
    await denied(after);
    await withdrawn(before);
  });

  it('a deploy while they are withdrawn neither loses one nor keeps one', async () => {
    const before = await ask(many);
    flow.give({ reset: true });
    await flow.redeploy({ name: 'renamed' });
    await withdrawn(before);
    should(flow.statuses.at(-1)).eql({});
    await denied(await ask(2));
    await withdrawn(before);
  });

  it('a deploy keeps all of them, and two in a row do as well', async () => {
    const ids = await ask(many);
    await flow.redeploy({ name: 'renamed' });
    await flow.redeploy({ name: 'renamed again' });
    for (const id of ids) should(flow.soFar(id)).match({ sent: [], caught: [], completed: 0 });
    await withdrawn([...ids, flow.give({ reset: true })]);
  });

  it('what withdraws right after a deploy finds all of them', async () => {
    const before = await ask(many);
    await flow.redeploy({ name: 'renamed' });
    await withdrawn([...before, flow.give({ reset: true })]);
  });

  it('disabled with all of them: each is withdrawn', async () => {
    const before = await ask(many);
    await flow.redeploy({ d: true });
    await withdrawn(before);
  });
});
