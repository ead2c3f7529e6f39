import fs from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import should from 'should';
import { approvalGate } from '../support/approval_gate';
import { AuthyPhones, type OnPhone } from '../support/authy_phones';
import { type Ending, Flow, type FlowNode } from '../support/flow';
import { eventually, temporaryDirectory } from '../support/node_red';
import { ScriptedServer } from '../support/scripted_server';
import { slowStore } from '../support/slow_store';

/** The clock of the machine, also while a test sets that of the nodes. */
const clock = Date.now;

describe('Approval gate', function () {
  this.timeout(30_000);
  let phones: AuthyPhones;
  let flow: Flow | undefined;
  let authyId: string;
  let serial = 0;
  /** How far the simulator's clock is ahead, in milliseconds. */
  let ahead = 0;

  before(async () => {
    phones = await new AuthyPhones(() => clock() + ahead).start();
  });
  after(() => phones.stop());

  beforeEach(async () => {
    await phones.reset();
    ahead = 0;
    serial += 1;
    authyId = await phones.newUser();
  });
  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
    Date.now = clock;
  });

  async function start(
    properties: Record<string, unknown> = {},
    account: Record<string, unknown> = {},
    settings: object = {},
    others: FlowNode[] = [],
  ): Promise<Flow> {
    flow = await Flow.start(
      // A gate of its own each time: what waits outlives the nodes, and would go on in the next test.
      { ...approvalGate, id: `gate${serial}`, ...properties },
      4,
      [
        {
          id: 'account',
          type: 'authy-config',
          service: 'authy',
          baseUrl: phones.url,
          deadline: 5,
          maxInFlight: 10,
          ...account,
        },
        {
          id: 'post',
          type: 'http in',
          method: 'post',
          url: '/authy/callback',
          z: 'tab',
          wires: [['callback']],
        },
        {
          id: 'callback',
          type: 'authy-onetouch-callback',
          z: 'tab',
          account: 'account',
          publicUrl: '',
          publicUrlType: 'str',
          strict: true,
          freshness: 'off',
          wires: [['respond'], ['respond'], ['respond']],
        },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
        ...others,
      ],
      { account: { apiKey: phones.apiKey } },
      settings,
    );
    phones.callbacksTo(`${flow.url}/authy/callback`);
    return flow;
  }

  async function onPhone(count = 1): Promise<OnPhone[]> {
    return eventually('the request on the phone', async () => {
      const all = await phones.all<OnPhone>();
      return all.length >= count ? all : undefined;
    });
  }

  async function answer(decision: 'approve' | 'deny', index = 0): Promise<string> {
    const { uuid } = (await onPhone(index + 1))[index] as OnPhone;
    await phones.answer(uuid, decision);
    return uuid;
  }

  const faults = (...list: object[]): Promise<void> => phones.faults(...list);

  /** The first look at the status, a second after asking, comes later than any callback. */
  const slowStatus = { kind: 'latency', ms: 2000, path: '/onetouch/json/approval_requests/' };

  const payloadOf = ({ sent }: Ending): Record<string, unknown> =>
    (sent[0]?.message.payload ?? {}) as Record<string, unknown>;

  /** Exactly one message left, by this output, and it was complete. */
  function left(ending: Ending, output: number): Record<string, unknown> {
    should(ending.caught).eql([]);
    should(ending.sent.map((one) => one.output)).eql([output]);
    should(ending.completed).equal(1);
    return payloadOf(ending);
  }

  for (const [decision, output, word] of [
    ['approve', 0, 'approved'],
    ['deny', 1, 'denied'],
  ] as const) {
    it(`${word}: the callback wakes it, and the same message goes on`, async () => {
      await faults(slowStatus);
      const running = await start();
      const id = running.give({
        topic: 'garage',
        authyId,
        payload: 'original',
        extra: { kept: true },
      });
      const uuid = await answer(decision);
      const ending = await running.ending(id);
      left(ending, output).should.match({
        decision: word,
        reason: null,
        approvalId: uuid,
        authyId,
        decidedBy: 'callback',
        requestedAt: /^\d{4}-.*Z$/,
        decidedAt: /^\d{4}-.*Z$/,
        device: { os_type: /./ },
      });
      should(ending.sent[0]?.message).have.properties({
        topic: 'garage',
        extra: { kept: true },
        approvalId: uuid,
        authyId,
      });
      should(ending.sent[0]?.message).match({
        authy: { operation: 'onetouch-approval', service: 'authy' },
      });
    });

    it(`${word}: without a callback, by polling`, async () => {
      await faults({ kind: 'callbackLost' });
      const running = await start();
      const id = running.give({ authyId });
      await answer(decision);
      left(await running.ending(id), output).should.match({
        decision: word,
        decidedBy: 'polling',
        device: null,
      });
    });
  }

  it('expired: nobody answers, and the phone shows no more', async () => {
    const running = await start({ timeout: '1' });
    const ending = await running.deliver({ authyId });
    left(ending, 2).should.match({ decision: 'expired', reason: 'noAnswer', decidedBy: 'timeout' });
    (await onPhone()).should.match([{ status: 'expired' }]);
  });

  it('asks what the message said when it came in, for as long as the timeout', async () => {
    const running = await start({
      message: 'payload',
      messageType: 'msg',
      details: 'facts',
      detailsType: 'msg',
    });
    const message = { authyId, payload: 'Start the pump?', facts: { Pump: 2 } };
    running.give(message);
    const [request] = await onPhone();
    should(request).match({ message: 'Start the pump?', details: { Pump: '2' }, status: 'pending' });
    const { createdAt, expiresAt } = request as OnPhone;
    should(Date.parse(expiresAt ?? '') - Date.parse(createdAt)).equal(60_000);
  });

  describe('never takes anything else for a yes', () => {
    const status = '/onetouch/json/approval_requests/';

    it('an approval that was given too late by the clock of the service', async () => {
      await faults({ kind: 'callbackLost' });
      const running = await start({ timeout: '5', secondsToExpire: '600' });
      const id = running.give({ authyId });
      await onPhone();
      ahead = 60_000;
      await answer('approve');
      left(await running.ending(id), 2).should.match({ decision: 'expired', reason: 'late' });
    });

    it('a callback that the status does not confirm', async () => {
      await faults({ kind: 'callbackContradicts' }, slowStatus);
      const running = await start();
      const id = running.give({ authyId });
      await answer('deny');
      left(await running.ending(id), 1).should.match({ decision: 'denied' });
    });

    it('a callback whose status cannot be read until the time is over', async () => {
      await faults({ kind: 'status', status: 503, path: status });
      const running = await start({ timeout: '2' });
      const id = running.give({ authyId });
      await answer('approve');
      left(await running.ending(id), 2).should.match({ decision: 'expired', reason: 'statusUnreadable' });
      running.log.join('\n').should.match(/status of an approval request cannot be read/);
    });

    for (const [title, request] of [
      ['a status of another user', { _authy_id: 1 }],
      ['a status of another request', { uuid: '00000000-0000-0000-0000-000000000000' }],
      ['a status that is not documented', { status: 'Approved' }],
    ] as const) {
      it(title, async () => {
        const service = await new ScriptedServer().start();
        try {
          const uuid = '4a725520-bff5-0135-eb01-0e5d90336a8c';
          const status = { uuid, status: 'approved', _authy_id: 209, ...request };
          service.script(
            { status: 200, json: { success: true, approval_request: { uuid } } },
            { status: 200, json: { success: true, approval_request: status } },
          );
          const running = await start({ timeout: '1' }, { baseUrl: service.url });
          const ending = await running.deliver({ authyId: '209' });
          left(ending, 2).should.match({ decision: 'expired', reason: 'statusUnreadable' });
        } finally {
          await service.stop();
        }
      });
    }

    it('a denial by callback, whatever the status says', async () => {
      await faults({ kind: 'callbackContradicts' });
      const running = await start();
      const id = running.give({ authyId });
      await answer('approve');
      left(await running.ending(id), 1).should.match({ decision: 'denied', decidedBy: 'callback' });
    });

    it('a callback that is forged: it is rejected, and polling decides', async () => {
      await faults({ kind: 'callbackForged' });
      const running = await start();
      const id = running.give({ authyId });
      await answer('deny');
      left(await running.ending(id), 1).should.match({ decision: 'denied', decidedBy: 'polling' });
      await eventually('the rejection in the log', () =>
        /callback rejected \(signatureMismatch\)/.test(running.log.join('\n')) ? true : undefined,
      );
    });
  });

  it('goes on trying while the service is down, and delivers once it is back', async () => {
    await faults({ kind: 'drop', path: '/onetouch/json/approval_requests/', times: 4 });
    const running = await start();
    const id = running.give({ authyId });
    await answer('approve');
    left(await running.ending(id), 0).should.match({ decision: 'approved' });
  });

  it('without confirmation the signed callback alone decides', async () => {
    await faults({ kind: 'status', status: 503, path: '/onetouch/json/approval_requests/' });
    const running = await start({ confirm: false });
    const id = running.give({ authyId });
    await answer('approve');
    left(await running.ending(id), 0).should.match({ decision: 'approved', decidedBy: 'callback' });
  });

  it('a callback that comes three times makes one outcome', async () => {
    await faults({ kind: 'callbackRepeated', copies: 3 });
    const running = await start();
    const id = running.give({ authyId });
    await answer('approve');
    left(await running.ending(id), 0);
    left(running.soFar(id), 0);
  });

  describe('through deploys', () => {
    it('of the node: messages go on waiting, and the same message comes out', async () => {
      const running = await start();
      const req = { method: 'GET' };
      const id = running.give({ authyId, topic: 'x', req });
      await onPhone();
      await running.redeploy({ name: 'renamed' });
      await answer('approve');
      const ending = await running.ending(id);
      left(ending, 0);
      // The very object: a live request cannot be copied.
      should((ending.sent[0]?.message as { req?: object }).req).equal(req);
    });

    it('of everything', async () => {
      const running = await start();
      const id = running.give({ authyId });
      await onPhone();
      await running.redeployAll();
      await answer('deny');
      left(await running.ending(id), 1);
    });

    it('an answer that comes while nothing runs is found afterwards', async () => {
      const running = await start();
      const id = running.give({ authyId });
      await onPhone();
      const deployed = running.redeploy({ name: 'renamed' });
      await Promise.all([deployed, answer('approve')]);
      left(await running.ending(id), 0);
    });

    it('a request that is on its way is taken care of by the node that comes after', async () => {
      await faults({ kind: 'latency', ms: 500, path: '/users/', after: true });
      const running = await start();
      const id = running.give({ authyId });
      await onPhone();
      await running.redeploy({ name: 'renamed' });
      await answer('approve');
      left(await running.ending(id), 0);
    });

    it('disabled: waiting messages are withdrawn, and the log says so', async () => {
      const running = await start();
      const id = running.give({ authyId });
      await onPhone();
      await running.redeploy({ d: true });
      const ending = await running.ending(id);
      should(ending.sent).eql([]);
      should(ending.completed).equal(1);
      running.log.join('\n').should.match(/1 open approval requests were withdrawn/);
    });

    it('of an account that is gone: waiting messages expire, and say why', async () => {
      const running = await start({ timeout: '2' });
      const id = running.give({ authyId });
      await onPhone();
      await running.redeploy({ d: true }, 'account');
      left(await running.ending(id), 2).should.match({ decision: 'expired', reason: 'statusUnreadable' });
    });
  });

  describe('a clock that jumps', () => {
    for (const [title, jump] of [
      ['a day ahead: nothing expires before its time', 86_400_000],
      ['a day back: nothing waits longer than it should', -86_400_000],
    ] as const) {
      it(title, async () => {
        const running = await start({ timeout: '5', maxOpen: 0 });
        const expiring = running.give({ authyId });
        await onPhone(1);
        const approved = running.give({ authyId });
        await onPhone(2);
        Date.now = () => clock() + jump;
        await answer('approve', 1);
        left(await running.ending(approved), 0);
        left(await running.ending(expiring), 2).should.match({ reason: 'noAnswer' });
      });
    }
  });

  describe('what an earlier run has left behind', () => {
    /** Starts a gate that finds a request in its context, which is on the phone as well. */
    async function found(record: Record<string, unknown>, decision?: 'approve' | 'deny'): Promise<Ending> {
      const stores = { contextStorage: { default: { module: 'memory' } } };
      // In this process no gate has looked into its context yet.
      const running = await start({ timeout: '60', type: 'helper' }, {}, stores);
      // Asked past the gate: there is nobody in this run who waits for it.
      const { approval_request } = (await phones.call(
        'POST',
        `/onetouch/json/users/${authyId}/approval_requests`,
        { message: 'Open?', seconds_to_expire: 600 },
      )) as { approval_request: { uuid: string } };
      await faults({ kind: 'callbackLost' });
      if (decision !== undefined) await answer(decision);
      await running.leaveBehind(
        'approval_0123',
        JSON.stringify({
          id: '0123',
          accountId: 'account',
          authyId,
          state: 'waiting',
          approvalId: approval_request.uuid,
          question: 'x',
          askedAt: clock() - 5000,
          endsAt: clock() + 55_000,
          timeout: 60,
          reminded: false,
          messages: ['{"_msgid":"restored","topic":"before","payload":{"$buffer":"AQI="}}'],
          ...record,
        }),
      );
      await running.redeploy({ type: approvalGate.type, name: 'next run' });
      return running.ending('restored');
    }

    it('and was approved meanwhile is delivered, with the message as it was', async () => {
      const ending = await found({}, 'approve');
      left(ending, 0).should.match({ decision: 'approved', decidedBy: 'polling' });
      should(ending.sent[0]?.message.topic).equal('before');
    });

    it('and whose time has just been over is read once more', async () => {
      const ending = await found({ askedAt: clock() - 61_000, endsAt: clock() - 1000 }, 'deny');
      left(ending, 1).should.match({ decision: 'denied' });
    });

    it('and whose time has long been over has expired, although it was approved: that would surprise', async () => {
      const ending = await found({ askedAt: clock() - 90_000, endsAt: clock() - 30_000 }, 'approve');
      left(ending, 2).should.match({ decision: 'expired', reason: 'statusUnreadable' });
    });

    it('waits no longer if the clock was set back meanwhile: nobody can tell when its time is over', async () => {
      const ending = await found({ timeout: 1, endsAt: clock() + 86_400_000 }, 'approve');
      left(ending, 2).should.match({ decision: 'expired', reason: 'clock' });
    });

    for (const [state, text] of [
      ['asking', /while the approval request was being sent/],
      ['passing', /while a decision was being handed on/],
    ] as const) {
      it(`and was ${state} is an error: nobody knows what happened to it`, async () => {
        const { sent, caught } = await found({ state }, 'approve');
        should(sent).eql([]);
        should(caught[0]).match({ topic: 'before', error: { code: 'AUTHY_OUTCOME_UNKNOWN', message: text } });
        should(caught[0]?.payload).eql(Buffer.from([1, 2]));
      });
    }
  });

  describe('withdrawing', () => {
    /** Nothing left, nothing was caught, and a Complete node was told. */
    function withdrawn(ending: Ending): void {
      should(ending).match({ sent: [], caught: [], completed: 1 });
    }

    it('msg.cancel with an approval id withdraws that one', async () => {
      const running = await start({ maxOpen: 0 });
      const ids = [running.give({ authyId })];
      await onPhone(1);
      ids.push(running.give({ authyId }));
      const [first] = await onPhone(2);
      withdrawn(await running.deliver({ cancel: first?.uuid.toUpperCase() }));
      withdrawn(await running.ending(ids[0] ?? ''));
      should(running.statuses.at(-1)).match({ fill: 'blue', text: /status\.waiting$/ });
      await answer('approve', 1);
      left(await running.ending(ids[1] ?? ''), 0);
      // The answer to the one that was withdrawn goes nowhere.
      await answer('approve', 0);
      withdrawn(running.soFar(ids[0] ?? ''));
    });

    for (const [title, message] of [
      ['msg.cancel "all mine"', { cancel: 'all mine' }],
      ['msg.reset', { reset: true }],
    ] as const) {
      it(`${title} withdraws all of the node`, async () => {
        const running = await start({ maxOpen: 0 });
        const ids = [1, 2, 3].map(() => running.give({ authyId }));
        await onPhone(3);
        await eventually('the badge to count them', () =>
          /status\.waiting \(3\)$/.test(String(running.statuses.at(-1)?.text)) ? true : undefined,
        );
        withdrawn(await running.deliver(message));
        for (const id of ids) withdrawn(await running.ending(id));
        should(running.statuses.at(-1)).eql({});
      });
    }

    it('one that is still on its way', async () => {
      await faults({ kind: 'latency', ms: 300, path: '/users/' });
      const running = await start();
      const id = running.give({ authyId });
      await eventually('the request to be on its way', () =>
        running.statuses.some(({ text }) => /waiting|sending/.test(String(text))) ? true : undefined,
      );
      withdrawn(await running.deliver({ reset: true }));
      withdrawn(await running.ending(id));
      await onPhone();
      await answer('approve');
      withdrawn(running.soFar(id));
    });

    it('msg.cancel with anything else is an error that says what it may be', async () => {
      const running = await start();
      for (const cancel of ['garage', ' ', 'false', true, 0, 1, NaN, [], {}]) {
        const { caught } = await running.deliver({ cancel, authyId });
        should(caught[0]?.error).match({ code: 'AUTHY_INVALID_INPUT', message: /^msg\.cancel .*“all mine”/ });
      }
      (await phones.all()).should.be.empty();
    });

    it('msg.cancel that says no, or nothing, withdraws nothing: the message asks as any other', async () => {
      const running = await start({ maxOpen: 0 });
      const values = [false, null, '', undefined];
      const ids = values.map((cancel) => running.give({ authyId, cancel }));
      await onPhone(values.length);
      for (const index of values.keys()) await answer('approve', index);
      for (const [index, id] of ids.entries()) {
        const ending = await running.ending(id);
        left(ending, 0);
        // It goes on as it came.
        should(ending.sent[0]?.message['cancel']).equal(values[index]);
      }
    });
  });

  describe('a context store that cannot be read', () => {
    const folder = (): string => path.join(dir, 'approvals');
    const gateFile = (): string => path.join(folder(), 'tab', `gate${serial}.json`);
    let dir: string;
    beforeEach(() => {
      dir = temporaryDirectory();
      fs.mkdirSync(path.dirname(gateFile()), { recursive: true });
    });

    /** As a user sets it up, by a name or as the default one, with the folder in one of the two places. */
    const setups: [title: string, store: string, settings: () => object][] = [
      [
        'of a name',
        'kept',
        () => ({
          contextStorage: {
            default: { module: 'memory' },
            kept: { module: 'localfilesystem', config: { dir, base: 'approvals', cache: false } },
          },
        }),
      ],
      [
        'that is the default one, in the user directory',
        'default',
        () => ({
          userDir: dir,
          contextStorage: {
            default: { module: 'localfilesystem', config: { base: 'approvals', cache: false } },
          },
        }),
      ],
      [
        'that the default one stands for',
        'file',
        () => ({
          contextStorage: {
            default: 'file',
            file: { module: 'localfilesystem', config: { dir, base: 'approvals', cache: false } },
          },
        }),
      ],
      [
        'that is the first of those there are',
        'first',
        () => ({
          contextStorage: {
            first: { module: 'localfilesystem', config: { dir, base: 'approvals', cache: false } },
          },
        }),
      ],
    ];
    for (const [title, store, settings] of setups) {
      it(`${title}: the error and the log name it, and its file`, async () => {
        fs.writeFileSync(gateFile(), '{"approval_0123": {');
        const approvalStore = store === 'kept' ? 'context:kept' : 'context';
        const running = await start({}, { approvalStore }, settings());
        const { caught } = await running.deliver({ authyId });
        should(caught[0]?.error?.code).equal('AUTHY_STORE');
        const named = [`context store "${store}"`, gateFile()];
        for (const part of named) should(caught[0]?.error?.message).containEql(part);
        const logged = await eventually('the line in the log', () =>
          running.log.find((line) => line.includes('approval requests cannot be used')),
        );
        for (const part of named) logged.should.containEql(part);
        (await phones.all()).should.be.empty();
      });
    }

    it('without a file, it is named alone', async () => {
      const store = {
        ...slowStore(),
        set: (...args: unknown[]) => (args.at(-1) as (error: Error) => void)(new Error('full')),
      };
      const settings = { contextStorage: { mine: { module: () => store } } };
      const running = await start({}, { approvalStore: 'context:mine' }, settings);
      const { caught } = await running.deliver({ authyId });
      should(caught[0]?.error).match({ code: 'AUTHY_STORE', message: /context store "mine" .*: full\.$/ });
    });

    it('one record of several: the others go on, and it is named with its place, and left as it is', async () => {
      const record = {
        accountId: 'account',
        authyId,
        state: 'asking',
        question: '',
        endsAt: clock() + 55_000,
        timeout: 60,
        reminded: false,
        messages: ['{"_msgid":"restored"}'],
      };
      const broken = ['{', '"x"', 7, {}, [], { ...record, messages: 'x' }, { ...record, state: 'open' }];
      const records = Object.fromEntries(broken.map((value, index) => [`approval_broken${index}`, value]));
      fs.writeFileSync(
        gateFile(),
        JSON.stringify({ ...records, approval_good: record, approval_gone: null }),
      );
      const config = { dir, base: 'approvals', cache: false };
      const settings = { contextStorage: { kept: { module: 'localfilesystem', config } } };
      const running = await start({}, { approvalStore: 'context:kept' }, settings);
      const ending = await running.ending('restored');
      should(ending.caught[0]?.error?.code).equal('AUTHY_OUTCOME_UNKNOWN');
      for (const index of broken.keys()) {
        const logged = await eventually('the line in the log', () =>
          running.log.find((line) => line.includes(`approval_broken${index}`)),
        );
        for (const part of ['context store "kept"', gateFile()]) logged.should.containEql(part);
      }
      const kept = await eventually('the good one to be gone', () => {
        const file = JSON.parse(fs.readFileSync(gateFile(), 'utf8')) as Record<string, unknown>;
        return 'approval_good' in file ? undefined : file;
      });
      should(kept).containEql(records);
      // The gate itself works.
      const id = running.give({ authyId });
      await answer('approve');
      left(await running.ending(id), 0);
    });
  });

  describe('guard rails', () => {
    it('three open requests per user, and a place is free again once one is decided', async () => {
      const running = await start();
      const ids: string[] = [];
      for (let count = 1; count <= 3; count++) {
        ids.push(running.give({ authyId }));
        await onPhone(count);
      }
      const { caught, sent } = await running.deliver({ authyId });
      should(caught[0]?.error).match({
        code: 'AUTHY_OPEN_LIMIT',
        message: /3 requests to this user are open/,
      });
      should(sent).eql([]);
      // Another user is another phone.
      running.give({ authyId: await phones.newUser() });
      await onPhone(4);
      await answer('deny', 0);
      left(await running.ending(ids[0] ?? ''), 1);
      running.give({ authyId });
      await onPhone(5);
    });

    it('a pause between two requests to the same user', async () => {
      const running = await start({ coolDown: 600 });
      running.give({ authyId });
      await onPhone();
      const { caught } = await running.deliver({ authyId });
      should(caught[0]?.error).match({ code: 'AUTHY_COOL_DOWN', message: /Wait \d+ seconds/ });
      should(await onPhone()).have.length(1);
    });

    it('a request that could not be sent takes no place', async () => {
      await faults({ kind: 'status', status: 503, code: '60060', path: '/users/', times: 3 });
      const running = await start({ maxOpen: 1 });
      for (let time = 0; time < 3; time++) {
        const { caught } = await running.deliver({ authyId });
        should(caught[0]?.error).match({ code: 'AUTHY_ACCOUNT_SUSPENDED' });
      }
      const id = running.give({ authyId });
      await answer('approve');
      left(await running.ending(id), 0);
    });
  });

  describe('joining', () => {
    it('the same question asked again waits for the answer to the first', async () => {
      const running = await start({ join: true });
      const ids = [1, 2, 3].map((topic) => running.give({ authyId, topic: String(topic) }));
      await answer('approve');
      for (const id of ids) left(await running.ending(id), 0);
      should(await onPhone()).have.length(1);
    });

    it('another question is another request', async () => {
      const running = await start({ join: true, message: 'payload', messageType: 'msg' });
      running.give({ authyId, payload: 'Open?' });
      running.give({ authyId, payload: 'Close?' });
      should(await onPhone(2)).have.length(2);
    });

    it('what was joined is withdrawn and refused together', async () => {
      await faults({ kind: 'status', status: 404, code: '60026', path: '/users/' });
      const running = await start({ join: true });
      const ids = [1, 2].map(() => running.give({ authyId }));
      for (const id of ids) {
        should((await running.ending(id)).caught[0]?.error).match({ code: 'AUTHY_USER_NOT_FOUND' });
      }
    });
  });

  describe('a message that a store cannot keep', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = { again: circular };
    for (const [title, extra, text] of [
      ['a function', { callback: () => 1 }, /^msg\.callback is a function, which cannot be kept/],
      ['a socket', { payload: { to: new Socket() } }, /^msg\.payload\.to is a Socket/],
      [
        'a value that contains itself',
        { payload: circular },
        /^msg\.payload\.self\.again is a value that contains/,
      ],
      ['too much', { payload: 'x'.repeat(70_000) }, /^msg is larger than 64 KiB/],
    ] as const) {
      it(`waits as it is in memory: ${title}`, async () => {
        const running = await start();
        const id = running.give({ authyId, kept: extra });
        const [open] = await phones.pending(authyId, 1);
        await running.redeploy({ name: 'Another name' });
        await phones.answer(open?.uuid ?? '', 'approve');
        const [left] = (await running.ending(id)).sent;
        should(left?.output).equal(0);
        should(left?.message['kept']).equal(extra);
      });

      it(`is refused at once by files: ${title}`, async () => {
        const running = await start({}, { approvalStore: 'files' }, { userDir: temporaryDirectory() });
        const { caught, sent } = await running.deliver({ authyId, ...extra });
        should(sent).eql([]);
        should(caught[0]?.error?.code).equal('AUTHY_INVALID_INPUT');
        should(String(caught[0]?.error?.message)).match(text);
        should(await phones.all()).eql([]);
      });
    }
  });

  it('a message that only memory can keep leaves as it is, though its account is set to files meanwhile', async () => {
    const running = await start({}, {}, { userDir: temporaryDirectory() });
    const kept = (): number => 1;
    const id = running.give({ authyId, kept });
    const [open] = await phones.pending(authyId, 1);
    await running.redeploy({ approvalStore: 'files' }, 'account');
    await phones.answer(open?.uuid ?? '', 'approve');
    should((await running.ending(id)).sent).match([{ output: 0, message: { kept } }]);
  });

  it('refuses an account whose context store is missing, and sends nothing', async () => {
    const running = await start({}, { approvalStore: 'context:gone' });
    const { caught } = await running.deliver({ authyId });
    should(caught[0]?.error).match({ code: 'AUTHY_BAD_CONFIG', message: /no context store "gone"/ });
    should(await phones.all()).eql([]);
  });

  it('many at once wait for no turn, in which somebody would be asked who is no longer to be: the last ones are refused', async () => {
    const service = await new ScriptedServer().start();
    try {
      service.script('hang');
      const running = await start({}, { baseUrl: service.url, deadline: 1, maxInFlight: 1 });
      const ids = Array.from({ length: 13 }, (_, index) => running.give({ authyId: String(1000 + index) }));
      const endings = await Promise.all(ids.map((id) => running.ending(id)));
      const codes = endings.map(({ caught }) => caught[0]?.error?.code);
      should(codes.slice(11)).eql(['AUTHY_BUSY', 'AUTHY_BUSY']);
      should(codes.slice(0, 11)).not.containEql('AUTHY_BUSY');
    } finally {
      await service.stop();
    }
  });

  it('errors of asking reach a Catch node, and nothing waits', async () => {
    const running = await start({ timeout: '0' });
    const { caught } = await running.deliver({ authyId, payload: 'kept' });
    should(caught[0]).match({
      payload: 'kept',
      error: { code: 'AUTHY_INVALID_INPUT', message: /^Timeout \(s\) / },
    });
    should(running.statuses.at(-1)).match({ fill: 'red' });
    const [missing] = (await running.deliver({})).caught;
    should(missing?.error?.message).match(/^msg\.authyId is missing\. /);
    should(running.statuses.at(-1)).match({ fill: 'red', text: /MISSING: authyId$/ });
  });

  it('many gates are no leak of listeners', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): unknown => warnings.push(warning);
    process.on('warning', note);
    try {
      const others = Array.from({ length: 12 }, (_, index) => ({
        ...approvalGate,
        id: `other${index}`,
        z: 'tab',
      }));
      await start({}, {}, {}, others);
      await new Promise((resolve) => setImmediate(resolve));
      should(warnings.map(({ name }) => name)).eql([]);
    } finally {
      process.off('warning', note);
    }
  });

  it('tells of events by a fourth output, if it has one', async () => {
    const running = await start({ events: true, outputs: 4, timeout: '4' });
    const id = running.give({ authyId, topic: 'garage' });
    const [request] = await onPhone();
    left(await running.ending(id), 2);
    const events = await eventually('three events', () => {
      const all = running.all(3);
      return all.length >= 3 ? all : undefined;
    });
    should(events.map(({ payload }) => (payload as { event: string }).event)).eql([
      'requested',
      'reminded',
      'decided',
    ]);
    for (const { topic, payload } of events) {
      should(topic).equal('garage');
      should(payload).match({ approvalId: request?.uuid, authyId, endsAt: /Z$/ });
    }
    should(events[2]?.payload).match({ decision: 'expired', waiting: 0 });
    // There was none yet.
    for (const { payload } of events.slice(0, 2)) should(payload).not.have.property('decision');
  });
});
