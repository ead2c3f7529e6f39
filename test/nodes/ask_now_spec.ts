import os from 'node:os';
import should from 'should';
import { ownGate } from '../support/approval_gate';
import { Flow, type FlowNode } from '../support/flow';
import { eventually, temporaryDirectory } from '../support/node_red';
import { ScriptedServer } from '../support/scripted_server';

const simulated: FlowNode = {
  ...{ id: 'account', type: 'authy-config', version: 2, service: 'authy', simulated: true },
  callbackUrl: 'http://127.0.0.1:9/nobody',
};

type Answer = Readonly<Record<string, unknown>>;

describe('What a newcomer tries from the panels of a gate and of its account', () => {
  let flow: Flow | undefined;
  let gate: FlowNode;

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  async function start(properties: object = {}, account: FlowNode = simulated): Promise<Flow> {
    gate = ownGate(properties as Record<string, unknown>);
    const credentials = { account: { apiKey: 'a-key-of-the-test-account' } };
    flow = await Flow.start(gate, 3, [account], credentials, { userDir: temporaryDirectory() });
    return flow;
  }

  async function post(route: string, body: object): Promise<Answer> {
    return (await (flow as Flow).request().post(`/${route}`).send(body).expect(200)).body as Answer;
  }

  const ask = (values: object, id = gate.id): Promise<Answer> =>
    post('authy-onetouch-approval/ask', { id, values });

  async function ada(): Promise<string> {
    const { ok, authyId } = await post('authy-config/ada', { id: 'account' });
    should(ok).be.true();
    return String(authyId);
  }

  async function answerOnPhone(answer: 'approve' | 'deny'): Promise<void> {
    const running = flow as Flow;
    const listed = await running.request().get('/authy-simulator/account/approvals').expect(200);
    const { approvals } = listed.body as { approvals: { uuid: string; status: string }[] };
    const open = approvals.find(({ status }) => status === 'pending');
    await running
      .request()
      .post(`/authy-simulator/account/approvals/${open?.uuid}`)
      .send({ answer })
      .expect(200);
  }

  describe('“Ask now”', () => {
    it('asks Ada, who is added to a simulator by one click, and the answer leaves by the outputs', async () => {
      const running = await start();
      const authyId = await ada();
      should(await ada()).equal(authyId, 'she is one person');
      should(await ask({ authyId })).eql({ ok: true });
      await answerOnPhone('approve');
      const { sent } = await running.endingNumber(0);
      should(sent).have.length(1);
      should(sent[0]).match({ output: 0, message: { payload: { decision: 'approved', authyId } } });
    });

    it('sets what the node takes from the message, wherever that is, and nothing else', async () => {
      const running = await start({ authyId: 'payload.who', message: 'ask', messageType: 'msg' });
      const authyId = await ada();
      should(await ask({ authyId, message: 'Is it you?', timeout: '1' })).eql({ ok: true });
      await answerOnPhone('deny');
      const { sent } = await running.endingNumber(0);
      should(sent[0]).match({ output: 1, message: { ask: 'Is it you?' } });
      should(sent[0]?.message).not.have.property('timeout');
    });

    it('is answered as well where the question is open already and the message joins it', async () => {
      await start({ join: true });
      const authyId = await ada();
      should(await ask({ authyId })).eql({ ok: true });
      should(await ask({ authyId })).eql({ ok: true });
    });

    it('says what went wrong, which a Catch node gets as well', async () => {
      const running = await start();
      should(await ask({})).match({ ok: false, message: /authyId/ });
      should(await ask({ authyId: '999999' })).match({ ok: false, message: /./ });
      should((await running.endingNumber(0)).caught).have.length(1);
      should(running.statuses.at(-1)).match({ fill: 'red' });
    });

    /** What the panel gets for a question that Authy does not answer, while something is done to the node. */
    async function askedMeanwhile(act: (running: Flow) => Promise<unknown>): Promise<Answer> {
      const service = await new ScriptedServer().start();
      try {
        service.script('hang');
        const account = { ...simulated, simulated: false, baseUrl: service.url, deadline: 3 };
        const running = await start({ timeout: '60' }, account);
        const asked = ask({ authyId: '209' });
        await eventually('the request to Authy', () => (service.seen.length > 0 ? true : undefined));
        await act(running);
        return await asked;
      } finally {
        await service.stop();
      }
    }

    it('is answered if the node is deployed again before it has asked', async () => {
      const answer = await askedMeanwhile((running) => running.redeploy({ name: 'Another name' }));
      should(answer).match({ ok: false, message: /^Look at the outputs/ });
    });

    it('is answered if the message is withdrawn before anybody is asked', async () => {
      const answer = await askedMeanwhile((running) => Promise.resolve(running.give({ cancel: 'all mine' })));
      should(answer).match({ ok: false, message: /^Ask again/ });
    });

    it('is no withdrawal, though an input is taken from where those are', async () => {
      const running = await start({ authyId: 'reset' });
      const authyId = await ada();
      running.give({ authyId: 'other' });
      should(await ask({ authyId })).match({
        ok: false,
        message: /^Take the inputs of this node from other/,
      });
    });

    it('is about a node of a subflow, if that is used once', async () => {
      const inSubflow = (...instances: string[]): FlowNode[] => [
        simulated,
        { id: 'template', type: 'subflow', name: 'Door', in: [], out: [] },
        { ...ownGate({ z: 'template' }), id: 'inner gate', wires: [] },
        ...instances.map((id) => ({ id, type: 'subflow:template', z: 'tab' })),
      ];
      const startWith = async (nodes: FlowNode[]): Promise<void> => {
        await flow?.stop();
        flow = await Flow.start(ownGate(), 3, nodes, {}, { userDir: temporaryDirectory() });
      };
      await startWith(inSubflow());
      should(await ask({}, 'inner gate')).match({ ok: false, message: /^Put the subflow into a flow/ });
      await startWith(inSubflow('front'));
      should(await ask({ authyId: await ada() }, 'inner gate')).eql({ ok: true });
      await startWith(inSubflow('front', 'back'));
      should(await ask({}, 'inner gate')).match({ ok: false, message: /^Use an inject node in front/ });
    });

    it('is about a node that runs', async () => {
      await start();
      should(await ask({}, 'another')).match({ ok: false, message: /^Deploy first/ });
      should(await ask({}, 'account')).match({ ok: false, message: /^Deploy first/ });
    });

    it('lets in the editor alone', async () => {
      const running = await start();
      const request = (): ReturnType<ReturnType<Flow['request']>['post']> =>
        running.request().post('/authy-onetouch-approval/ask');
      await request().type('form').send({ id: gate.id }).expect(415);
      await request().set('Origin', 'https://stranger.example').send({ id: gate.id }).expect(403);
      await request().set('Host', 'stranger.example').send({ id: gate.id }).expect(403);
    });
  });

  it('nobody is added to an account that protects somebody', async () => {
    await start({}, { id: 'account', type: 'authy-config', version: 2, service: 'local' });
    should(await post('authy-config/ada', { id: 'account' })).match({ ok: false, message: /simulator/ });
    const { ok, rows } = await post('authy-people/list', { id: 'account', search: '', from: 0 });
    should({ ok, rows }).eql({ ok: true, rows: [] });
  });

  describe('the code for a real phone', () => {
    const code = (editor: unknown): Promise<Answer> => post('authy-config/phone', { id: 'account', editor });

    it('leads to the phone page at the address of the editor, which the phone may open', async () => {
      const running = await start();
      await eventually('the simulator', async () =>
        (await code('http://192.168.1.10:1880/red/?a#flow/1'))['url'] === null ? undefined : true,
      );
      const answer = await code('http://192.168.1.10:1880/red/?a#flow/1');
      should(answer).match({
        ok: true,
        url: 'http://192.168.1.10:1880/red/authy-simulator/account/phone/',
        qrCode: /^data:image\/svg\+xml;base64,/,
      });
      await running
        .request()
        .get('/authy-simulator/account/state')
        .set('Host', '192.168.1.10:1880')
        .set('Origin', 'http://192.168.1.10:1880')
        .expect(200);
    });

    it('is none where the phone would look on itself: instead, the addresses of this machine', async () => {
      await start();
      await eventually('the simulator', async () =>
        (await code('http://192.168.1.10/'))['url'] === null ? undefined : true,
      );
      for (const host of ['localhost:1880', '127.0.0.1:1880', '[::1]:1880']) {
        const { url, why, addresses } = await code(`http://${host}/red/`);
        should({ url, why }).eql({ url: null, why: 'loopback' });
        const own = Object.values(os.networkInterfaces()).flatMap((found) => found ?? []);
        for (const address of addresses as string[]) {
          should(own.some((one) => !one.internal && new URL(address).hostname === one.address)).be.true();
          address.should.endWith('/red/');
        }
      }
    });

    it('is none for what does not run, and for what is no address', async () => {
      await start();
      for (const editor of [
        undefined,
        '',
        'javascript:alert(1)',
        'file:///etc/passwd',
        'https://me@home.lan/',
      ])
        should(await code(editor)).match({ ok: true, url: null, why: 'none' });
      const other = await post('authy-config/phone', { id: 'other', editor: 'http://192.168.1.10/' });
      should(other).match({ ok: true, url: null, why: 'none' });
    });

    it('leads to the page on which people answer, if phones reach its address', async () => {
      const account = { id: 'account', type: 'authy-config', version: 2, service: 'local' };
      await start({}, account);
      should(await code('http://192.168.1.10/')).match({ ok: true, url: null, why: 'none' });
      await flow?.stop();
      await start({}, { ...account, approverUrl: 'https://home.example/approve' });
      should(await code('http://localhost:1880/')).match({ ok: true, url: 'https://home.example/approve/' });
    });
  });
});
