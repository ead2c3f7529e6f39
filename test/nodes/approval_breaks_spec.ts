import os from 'node:os';
import should from 'should';
import { type Params, signature } from '../../nodes/lib/services/authy/callback/signature';
import { approvalGate } from '../support/approval_gate';
import { type Ending, Flow } from '../support/flow';
import { HeldStore } from '../support/held_store';
import { eventually, temporaryDirectory } from '../support/node_red';
import { ScriptedServer, type SeenRequest, type Step } from '../support/scripted_server';
import { callbackAnswer } from '../support/signed_callback';

const apiKey = 'a-key-of-the-breaks';
const authyId = '209';
/** When each request was created, by the service's clock. */
const createdAt = Date.parse('2026-03-01T12:00:00Z');

const wall = Date.now;
const uptime = os.uptime;

/** Something that is awaited until a test lets it happen. */
class Latch {
  readonly opened: Promise<void>;
  open!: () => void;

  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve));
  }
}

/**
 * Ways in which a message once had an untrue end, or none. None of these tests measures time or waits for some to pass:
 * what has to happen late waits for the test, and where a time has to be over, the clocks are moved.
 */
describe('Approval gate where it once broke', function () {
  this.timeout(60_000);
  let service: ScriptedServer;
  let store: HeldStore;
  let userDir: string;
  let flow: Flow;
  let serial = 0;
  let uuids = 0;
  /** In seconds. */
  let slept = 0;
  /** What the status of a request is, once it is asked for. */
  let status: (uuid: string) => Step | Promise<Step>;
  /** What the service says to a request, before it takes it. */
  let taking: () => Promise<void> | undefined;
  /** What it answers, where that is not that it takes it. */
  let taken: () => Step | undefined;

  const isSend = ({ method }: SeenRequest): boolean => method === 'POST';
  const sent = (): number => service.seen.filter(isSend).length;
  const readings = (): number => service.seen.filter((request) => !isSend(request)).length;

  before(async () => {
    service = await new ScriptedServer().start();
    service.decide((request) => {
      if (!isSend(request)) return status(request.url.slice(-36));
      const uuid = `00000000-0000-4000-8000-${String((uuids += 1)).padStart(12, '0')}`;
      const step: Step = taken() ?? { status: 200, json: { success: true, approval_request: { uuid } } };
      return taking()?.then(() => step) ?? step;
    });
  });
  after(async () => {
    os.uptime = uptime;
    await service.stop();
  });

  beforeEach(() => {
    service.seen.length = service.answered = 0;
    store = new HeldStore();
    userDir = temporaryDirectory();
    status = answered('pending');
    taking = () => undefined;
    taken = () => undefined;
  });
  afterEach(async () => {
    store.release();
    await flow.stop();
    Date.now = wall;
  });

  async function start(
    properties: Record<string, unknown> = {},
    approvalStore = 'context:held',
    contextStorage: object | null = { default: { module: 'memory' }, held: { module: store.module } },
  ): Promise<Flow> {
    // Of its own each time: what is remembered of an account outlives its nodes, as what waits does.
    serial += 1;
    flow = await Flow.start(
      {
        ...approvalGate,
        id: `broken${serial}`,
        account: `account${serial}`,
        maxOpen: 0,
        timeout: '600',
        ...properties,
      },
      3,
      [
        ...[`account${serial}`, `other${serial}`].map((id) => ({
          id,
          type: 'authy-config',
          service: 'authy',
          baseUrl: service.url,
          deadline: 15,
          maxInFlight: 10,
          approvalStore,
        })),
        { id: 'post', type: 'http in', method: 'post', url: '/callback', z: 'tab', wires: [['callback']] },
        {
          id: 'callback',
          type: 'authy-onetouch-callback',
          z: 'tab',
          account: `account${serial}`,
          publicUrl: '',
          publicUrlType: 'str',
          strict: true,
          freshness: 'off',
          wires: [['respond'], ['respond'], ['respond']],
        },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
      ],
      { [`account${serial}`]: { apiKey }, [`other${serial}`]: { apiKey } },
      { contextStorage: contextStorage ?? undefined, userDir },
    );
    return flow;
  }

  /** @param after - how long after the question the answer was given, in milliseconds; absent: the service does not say */
  function answered(decision: 'approved' | 'denied' | 'pending', after?: number): (uuid: string) => Step {
    const at = (time: number): string => new Date(time).toISOString();
    const times =
      after === undefined ? {} : { created_at: at(createdAt), processed_at: at(createdAt + after) };
    return (uuid) => {
      const approval_request = { uuid, status: decision, _authy_id: Number(authyId), ...times };
      return { status: 200, json: { success: true, approval_request } };
    };
  }

  const unreadable = (): Step => ({ status: 404, text: 'not now', type: 'text/plain' });

  async function callback(uuid: string, decision: 'approved' | 'denied'): Promise<number> {
    const url = `${flow.url}/callback`;
    const params: Params = { ...callbackAnswer(decision), uuid };
    const nonce = '1700000000';
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Authy-Signature': signature({ apiKey, nonce, method: 'POST', url, params }),
        'X-Authy-Signature-Nonce': nonce,
      },
      body: JSON.stringify(params),
    });
    await response.arrayBuffer();
    return response.status;
  }

  const uuidOf = (request: number): string =>
    `00000000-0000-4000-8000-${String(uuids - sent() + request).padStart(12, '0')}`;

  const until = (what: string, condition: () => boolean): Promise<true> =>
    eventually(what, () => condition() || undefined);

  /** Waits until so many messages wait for an answer, and none is on its way. */
  async function waits(count: number): Promise<void> {
    const text = count === 1 ? /status\.waiting$/ : new RegExp(`status\\.waiting \\(${count}\\)$`);
    await until(`${count} messages to wait`, () => text.test(String(flow.statuses.at(-1)?.text)));
  }

  /** The machine has slept for so long, and goes on having done so. */
  function sleep(seconds: number): void {
    slept += seconds;
    os.uptime = () => uptime() + slept;
  }

  /** The one end of a message: its decision and reason, or the code of its error, or that it was withdrawn. */
  function end({ sent: left, caught, completed }: Ending): string {
    should(left.length + caught.length).be.belowOrEqual(1);
    should(caught.length + completed).equal(1);
    if (caught[0] !== undefined) return String(caught[0].error?.code);
    const { decision, reason } = (left[0]?.message.payload ?? {}) as Record<string, string | null>;
    return left.length === 0 ? 'withdrawn' : reason === null ? String(decision) : `${decision} ${reason}`;
  }

  const ends = async (...ids: string[]): Promise<string[]> => {
    const all: string[] = [];
    for (const id of ids) all.push(end(await flow.ending(id)));
    return all;
  };

  const isOpen = (id: string): void => {
    should(flow.soFar(id)).eql({ sent: [], caught: [], completed: 0 });
  };

  /** Not the sign of life, which may come at any time. */
  const isRecord = (name: string): boolean => name !== 'approval_alive';
  const isClaim = (_name: string, value: unknown): boolean =>
    (value as { state?: string } | undefined)?.state === 'passing';

  describe('the store is away when the yes comes', () => {
    it('for less than the grace: approved', async () => {
      status = answered('approved', 1000);
      await start();
      store.hold(isClaim);
      const id = flow.give({ authyId });
      await until('the claim', () => store.waiting === 1);
      isOpen(id);
      store.release();
      should(await ends(id)).eql(['approved']);
    });

    for (const [how, keep] of [
      ['hangs', () => store.hold(isClaim)],
      ['fails', () => store.fail(isClaim)],
    ] as const) {
      it(`and ${how} until long after the end: expired, overdue`, async () => {
        status = answered('approved', 1000);
        await start();
        keep();
        const id = flow.give({ authyId });
        await until('the claim', () => store.waiting + store.refused > 0);
        sleep(600 + 11);
        isOpen(id);
        store.release();
        const ending = await flow.ending(id);
        should(end(ending)).equal('expired overdue');
        should(ending.sent[0]).match({
          output: 2,
          message: { payload: { decidedBy: 'timeout', device: null } },
        });
      });
    }

    it('a denial leaves however late it is: it opens nothing', async () => {
      status = answered('denied', 1000);
      await start();
      store.hold(isClaim);
      const id = flow.give({ authyId });
      await until('the claim', () => store.waiting === 1);
      sleep(600 + 11);
      store.release();
      should(await ends(id)).eql(['denied']);
    });
  });

  describe('everything is deployed anew', () => {
    for (const [how, deploy] of [
      ['everything', () => flow.redeployAll()],
      ['the node', () => flow.redeploy({ name: 'renamed' })],
    ] as const) {
      it(`${how}, while one is being claimed and another one kept: each goes on, once`, async () => {
        status = (uuid) => answered(uuid === uuidOf(1) ? 'approved' : 'pending', 1000)(uuid);
        await start();
        store.hold(isClaim);
        const claimed = flow.give({ authyId });
        await until('the claim', () => store.waiting === 1);
        store.hold(isRecord);
        const kept = flow.give({ authyId });
        await until('the other one to be kept', () => store.waiting === 2);
        const deployed = deploy();
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        for (const id of [claimed, kept]) isOpen(id);
        should(sent()).equal(1);
        store.release();
        await deployed;
        should(await ends(claimed)).eql(['approved']);
        await until('the other one to be sent', () => sent() === 2);
        isOpen(kept);
        status = answered('denied', 1000);
        should(await ends(kept)).eql(['denied']);
        should(await ends(claimed)).eql(['approved']);
        should(sent()).equal(2);
      });
    }

    it('while what cannot be kept is refused: a Catch node of the new flow hears of it', async () => {
      await start();
      store.hold(isRecord);
      const id = flow.give({ authyId });
      await until('it to be kept', () => store.waiting === 1);
      const deployed = flow.redeployAll();
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      store.fail(isRecord);
      store.refuseHeld();
      await deployed;
      should(await ends(id)).eql(['AUTHY_STORE']);
      should(sent()).equal(0);
    });
  });

  it('the store fails, the account is gone and the time is over: an error, and no end without one', async () => {
    await start();
    const id = flow.give({ authyId });
    await waits(1);
    await flow.redeploy({ d: true }, `account${serial}`);
    store.fail(isRecord);
    sleep(600 + 11);
    should(await ends(id)).eql(['AUTHY_STORE']);
  });

  for (const answer of [
    { status: 200, text: 'a page', type: 'text/html' },
    { status: 400, json: { success: false, error_code: '60004', message: 'no' } },
  ] satisfies Step[]) {
    it(`HTTP ${answer.status} while the node closes: "nothing was sent" is kept only where that is certain`, async () => {
      const latch = new Latch();
      taking = () => latch.opened;
      taken = () => answer;
      await start();
      const states: unknown[] = [];
      store.hold((_name, value) => {
        states.push((value as { state?: string } | undefined)?.state);
        return false;
      });
      const id = flow.give({ authyId });
      await until('it to be sent', () => sent() === 1);
      const deployed = flow.redeploy({ name: 'renamed' });
      latch.open();
      await deployed;
      should(await ends(id)).eql([answer.status === 200 ? 'AUTHY_BAD_RESPONSE' : 'AUTHY_INVALID_REQUEST']);
      should(states.includes('unsent')).equal(answer.status !== 200);
    });
  }

  for (const [how, deploy] of [
    ['everything', () => flow.redeployAll()],
    ['the node', () => flow.redeploy({ name: 'renamed' })],
  ] as const) {
    it(`${how} is deployed anew, and the settings name no context store: it goes on waiting`, async () => {
      for (const none of [{}, null]) {
        await start({}, 'context', none);
        const id = flow.give({ authyId });
        await waits(1);
        await deploy();
        await waits(1);
        status = answered('approved', 1000);
        should(await ends(id)).eql(['approved']);
        await flow.stop();
        status = answered('pending');
      }
      await start();
    });
  }

  for (const place of ['files', 'context']) {
    it(`the gate is set to another account, with approvals in ${place}: it goes on waiting`, async () => {
      await start({}, place);
      const id = flow.give({ authyId });
      await waits(1);
      await flow.redeploy({ account: `other${serial}` });
      await waits(1);
      isOpen(id);
      status = answered('approved', 1000);
      should(await ends(id)).eql(['approved']);
    });
  }

  it('a message that nobody may change: a copy of it leaves', async () => {
    status = answered('approved', 1000);
    await start();
    const payload = { of: 'the flow' };
    const id = 'frozen';
    flow.receive(Object.freeze({ _msgid: id, authyId, payload, kept: true }));
    const ending = await flow.ending(id);
    should(end(ending)).equal('approved');
    should(ending.sent[0]?.message).match({ kept: true, authyId });
    flow.receive(Object.freeze({ _msgid: 'refused', authyId: 'nobody' }));
    should(await ends('refused')).eql(['AUTHY_INVALID_INPUT']);
  });

  it('the store has lost the record: an error, and a line in the log', async () => {
    await start();
    const id = flow.give({ authyId });
    await waits(1);
    store.lose();
    status = answered('approved', 0);
    should(await ends(id)).eql(['AUTHY_STORE']);
    flow.log.join('\n').should.match(/it has lost this request/);
  });

  describe('joining a question', () => {
    const joining = { join: true, timeout: 'timeout', timeoutType: 'msg' };

    it('after the yes was given, and before it was read: the yes is not for that message', async () => {
      status = unreadable;
      await start(joining);
      const asked = flow.give({ authyId, timeout: 600 });
      await waits(1);
      const joined = flow.give({ authyId, timeout: 600 });
      await waits(2);
      status = answered('approved', 0);
      should(await ends(asked, joined)).eql(['approved', 'expired answeredBefore']);
      should(sent()).equal(1);
    });

    it('before the yes was given: it is for both', async () => {
      status = unreadable;
      await start(joining);
      const asked = flow.give({ authyId, timeout: 600 });
      await waits(1);
      const joined = flow.give({ authyId, timeout: 600 });
      await waits(2);
      status = answered('approved', 300_000);
      should(await ends(asked, joined)).eql(['approved', 'approved']);
    });

    it('that is seen open afterwards: whatever is answered then is for both, by a callback as well', async () => {
      await start({ ...joining, confirm: false });
      const asked = flow.give({ authyId, timeout: 600 });
      await waits(1);
      const before = readings();
      const joined = flow.give({ authyId, timeout: 600 });
      await waits(2);
      // One may have been under way when it joined.
      await until('it to be seen open', () => readings() >= before + 2);
      should(await callback(uuidOf(1), 'approved')).equal(200);
      should(await ends(asked, joined)).eql(['approved', 'approved']);
    });

    it('while it is being sent: the answer is for both', async () => {
      const latch = new Latch();
      taking = () => latch.opened;
      await start(joining);
      store.hold(isRecord);
      const ids = [flow.give({ authyId, timeout: 600 }), flow.give({ authyId, timeout: 600 })];
      await until('both to be kept', () => store.waiting === 2);
      store.release();
      status = answered('approved', 0);
      await until('it to be sent', () => sent() === 1);
      latch.open();
      should(await ends(...ids)).eql(['approved', 'approved']);
    });

    it('with a short time of its own: it expires by itself, and the other one goes on', async () => {
      await start(joining);
      const long = flow.give({ authyId, timeout: 600 });
      await waits(1);
      const short = flow.give({ authyId, timeout: 1 });
      should(await ends(short)).eql(['expired noAnswer']);
      isOpen(long);
      status = answered('approved', 300_000);
      should(await ends(long, short)).eql(['approved', 'expired noAnswer']);
      should(sent()).equal(1);
    });
  });

  describe('a service that gives no times', () => {
    it('and a yes that is seen before the end: approved', async () => {
      status = answered('approved');
      await start();
      should(await ends(flow.give({ authyId }))).eql(['approved']);
    });

    it('and a yes that is first seen after it: expired, clock', async () => {
      const latch = new Latch();
      status = (uuid) => latch.opened.then(() => answered('approved')(uuid));
      await start();
      const id = flow.give({ authyId });
      await until('the status to be asked for', () => readings() > 0);
      // On its way for as long as this the answer may have been given at any time.
      Date.now = () => wall() + 601_000;
      latch.open();
      should(await ends(id)).eql(['expired clock']);
    });

    it('and a message that joined: expired, since nobody knows what the yes was for', async () => {
      status = unreadable;
      await start({ join: true });
      const asked = flow.give({ authyId });
      await waits(1);
      const joined = flow.give({ authyId });
      await waits(2);
      status = answered('approved');
      should(await ends(asked, joined)).eql(['approved', 'expired answeredBefore']);
    });
  });

  it('10,000 other approvals later a callback is still known: again a duplicate, and the opposite a conflict', async () => {
    await start({ confirm: false });
    const id = flow.give({ authyId });
    await waits(1);
    should(await callback(uuidOf(1), 'approved')).equal(200);
    should(await ends(id)).eql(['approved']);
    const { ledger } = flow.account(`account${serial}`).stores;
    for (let other = 0; other < 10_000; other++) {
      const uuid = `11111111-0000-4000-8000-${String(other).padStart(12, '0')}`;
      await ledger.asked(uuid, authyId, 600);
      await ledger.decided(uuid, 'approved');
    }
    const again = await callback(uuidOf(1), 'approved');
    const opposite = await callback(uuidOf(1), 'denied');
    should([again, opposite]).eql([200, 403]);
    flow.log.join('\n').should.match(/Security event: .*\(conflict\)/);
    should(await ends(id)).eql(['approved']);
  });

  describe('withdrawn', () => {
    it('while it is being sent: the badge ends, its place is free, and no answer counts', async () => {
      const latch = new Latch();
      taking = () => latch.opened;
      status = answered('approved', 0);
      await start({ maxOpen: 1 });
      const id = flow.give({ authyId });
      await until('it to be sent', () => sent() === 1);
      should(await ends(flow.give({ reset: true }), id)).eql(['withdrawn', 'withdrawn']);
      should(flow.statuses.at(-1)).eql({});
      taking = () => undefined;
      const next = flow.give({ authyId });
      should(await ends(next)).eql(['approved']);
      latch.open();
      await until('the answer to the first to be there', () => service.answered === service.seen.length);
      should(await ends(flow.give({ reset: true }))).eql(['withdrawn']);
      should(await ends(id)).eql(['withdrawn']);
      should(flow.statuses.at(-1)).match({ fill: 'green', text: /status\.approved$/ });
    });

    it('while it is being sent, and deployed then: the badge ends', async () => {
      const latch = new Latch();
      taking = () => latch.opened;
      await start();
      const id = flow.give({ authyId });
      await until('it to be sent', () => sent() === 1);
      should(await ends(flow.give({ reset: true }), id)).eql(['withdrawn', 'withdrawn']);
      const deployed = flow.redeploy({ name: 'renamed' });
      latch.open();
      await deployed;
      should(await ends(flow.give({ reset: true }))).eql(['withdrawn']);
      should(flow.statuses.at(-1)).eql({});
    });

    it('while another message cannot be kept: at once, all the same', async () => {
      await start();
      const id = flow.give({ authyId });
      await waits(1);
      const isOther = (name: string, value: unknown): boolean => isRecord(name) && value !== undefined;
      store.hold(isOther);
      const other = flow.give({ authyId });
      await until('the other one to be kept', () => store.waiting === 1);
      const reset = flow.give({ reset: true });
      should(await ends(id)).eql(['withdrawn']);
      isOpen(reset);
      store.release();
      should(await ends(other, reset)).eql(['withdrawn', 'withdrawn']);
    });

    it('while the store fails, and everything is deployed then: a Catch node of the new flow hears of it', async () => {
      await start();
      const id = flow.give({ authyId });
      await waits(1);
      store.fail(isRecord);
      const reset = flow.give({ reset: true });
      await until('the store to be asked', () => store.refused > 0);
      isOpen(reset);
      // The new flow has begun before the store works again.
      await flow.redeployAll();
      should(await ends(reset)).eql(['AUTHY_CANCELLED']);
      isOpen(id);
      store.release();
      should(await ends(id)).eql(['withdrawn']);
      flow.log.join('\n').should.match(/ended while its node was closed\. Withdraw it again/);
    });

    it('while the store fails and the account is gone: not complete before the store has noted it', async () => {
      await start();
      const id = flow.give({ authyId });
      await waits(1);
      await flow.redeploy({ d: true }, `account${serial}`);
      store.fail(isRecord);
      should(await ends(flow.give({ reset: true }))).eql(['AUTHY_CANCELLED']);
      isOpen(id);
      store.release();
      await flow.redeploy({ d: false }, `account${serial}`);
      should(await ends(flow.give({ reset: true }), id)).eql(['withdrawn', 'withdrawn']);
    });

    it('while the store is away: never approved afterwards', async () => {
      await start();
      const id = flow.give({ authyId });
      await waits(1);
      store.hold(isRecord);
      const reset = flow.give({ reset: true });
      await until('the store to be asked', () => store.waiting > 0);
      status = answered('approved', 0);
      isOpen(id);
      store.release();
      should(await ends(reset, id)).eql(['withdrawn', 'withdrawn']);
      should(flow.statuses.at(-1)).eql({});
    });

    for (const [how, keep] of [
      ['hangs', () => store.hold(isClaim)],
      ['fails', () => store.fail(isClaim)],
    ] as const) {
      it(`after the yes was read, while the store ${how}: never approved afterwards`, async () => {
        status = answered('approved', 0);
        await start();
        keep();
        const id = flow.give({ authyId });
        await until('the claim', () => store.waiting + store.refused > 0);
        const reset = flow.give({ reset: true });
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        isOpen(id);
        store.release();
        should(await ends(reset, id)).eql(['withdrawn', 'withdrawn']);
      });

      it(`after the yes was read, while the store ${how}, and deployed then: never approved afterwards`, async () => {
        status = answered('approved', 0);
        await start();
        keep();
        const id = flow.give({ authyId });
        await until('the claim', () => store.waiting + store.refused > 0);
        flow.give({ reset: true });
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        const deployed = flow.redeployAll();
        for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
        store.release();
        await deployed;
        should(await ends(id)).eql(['withdrawn']);
      });
    }
  });
});
