import should from 'should';
import { ScriptedServer } from '../support/scripted_server';
import { type Ending, Flow, type FlowNode } from '../support/flow';
import { eventually } from '../support/node_red';

const apiKey = 'canary-key-9876543210';

/** Each wrong input and each failure gives one catchable error with a stable code, and leaves the message unchanged. */
describe('Each failure is one catchable error', () => {
  const server = new ScriptedServer();
  let flow: Flow | undefined;

  before(() => server.start());
  after(() => server.stop());
  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  const sms: FlowNode = {
    id: 'node',
    type: 'authy-token-sms',
    account: 'account',
    authyId: 'authyId',
    authyIdType: 'msg',
  };
  const verify: FlowNode = { ...sms, type: 'authy-token-verify', token: 'payload', tokenType: 'msg' };

  async function start(node: FlowNode, account: Record<string, unknown> = {}, key = apiKey): Promise<Flow> {
    const settings = { service: 'authy', baseUrl: server.url, deadline: 1, maxInFlight: 10, ...account };
    flow = await Flow.start(
      node,
      node.type === 'authy-token-verify' ? 2 : 1,
      [{ id: 'account', type: 'authy-config', ...settings }],
      { account: { apiKey: key } },
    );
    return flow;
  }

  /** Checks that a message ends in one catchable error, that it is unchanged, and that the badge is red. */
  async function fails(
    running: Flow,
    message: Record<string, unknown>,
  ): Promise<{ code: string; text: string }> {
    const ending = await running.deliver({ topic: 'kept', ...message });
    ending.sent.should.eql([]);
    ending.completed.should.equal(0);
    ending.caught.length.should.equal(1);
    const [caught] = ending.caught;
    should(caught).have.properties({ topic: 'kept', ...message });
    JSON.stringify(caught).should.not.match(/canary/);
    running.log.join('\n').should.not.match(/canary/);
    should(running.statuses.at(-1)).match({ fill: 'red', shape: 'ring' });
    return { code: String(caught?.error?.code), text: String(caught?.error?.message) };
  }

  it('no account chosen', async () => {
    const { code, text } = await fails(await start({ ...sms, account: '' }), { authyId: '209' });
    code.should.equal('AUTHY_NO_ACCOUNT');
    text.should.match(/^Open the node and choose an account/);
  });

  it('no API key', async () => {
    const { code, text } = await fails(await start(sms, {}, ''), { authyId: '209' });
    code.should.equal('AUTHY_NO_API_KEY');
    text.should.match(/^Open the account and enter the API key/);
  });

  it('a wrong API key', async () => {
    server.script({ status: 401, json: { message: 'Invalid API key', success: false, error_code: '60001' } });
    (await fails(await start(sms), { authyId: '209' })).code.should.equal('AUTHY_INVALID_API_KEY');
  });

  it('a base URL that is not https', async () => {
    const { code, text } = await fails(await start(sms, { baseUrl: 'http://authy.example' }), {
      authyId: '209',
    });
    code.should.equal('AUTHY_BAD_CONFIG');
    text.should.match(/must begin with https/);
  });

  it('a base URL by http in a private network, with a key that may be a real one', async () => {
    const { code, text } = await fails(await start(sms, { baseUrl: 'http://simulator:8080' }), {
      authyId: '209',
    });
    code.should.equal('AUTHY_BAD_CONFIG');
    text.should.match(/whose key begins with simulator-/);
  });

  it('a TLS configuration or proxy that is gone', async () => {
    (await fails(await start(sms, { tls: 'gone' }), { authyId: '209' })).code.should.equal(
      'AUTHY_BAD_CONFIG',
    );
    await flow?.stop();
    (await fails(await start(sms, { proxy: 'gone' }), { authyId: '209' })).code.should.equal(
      'AUTHY_BAD_CONFIG',
    );
  });

  for (const token of [
    '../sms',
    '..%2fsms',
    '1234567#',
    1234567,
    ['1234567'],
    null,
    '',
    ' 1234567',
    '１２３４５６７',
  ]) {
    it(`${JSON.stringify(token)} as a token: refused before anything is sent`, async () => {
      server.script({ status: 200, json: { success: true, token: 'is valid' } });
      const running = await start(verify);
      const { code, text } = await fails(running, { authyId: '209', payload: token });
      code.should.equal('AUTHY_INVALID_INPUT');
      text.should.match(/^msg\.payload (?:is|has|must be) .*change “Token” in the node\./);
      server.seen.length.should.equal(0);
    });
  }

  it('a 502 in HTML', async () => {
    server.script({ status: 502, text: '<html>Bad gateway</html>', type: 'text/html' });
    const { code, text } = await fails(await start(sms), { authyId: '209' });
    code.should.equal('AUTHY_OUTCOME_UNKNOWN');
    text.should.match(/HTTP 502 with text\/html instead of JSON/);
    server.seen.length.should.equal(1);
  });

  it('no network', async () => {
    const closed = await new ScriptedServer().start();
    const baseUrl = closed.url;
    await closed.stop();
    (await fails(await start(sms, { baseUrl, deadline: 5 }), { authyId: '209' })).code.should.equal(
      'AUTHY_NETWORK',
    );
  });

  it('a server that hangs, by the deadline of the account or of the message', async () => {
    server.script('hang');
    const running = await start(sms, { deadline: 1 });
    (await fails(running, { authyId: '209' })).code.should.equal('AUTHY_OUTCOME_UNKNOWN');
    server.seen.length.should.equal(1);
    await running.stop();
    const patient = await start(sms, { deadline: 60 });
    (await fails(patient, { authyId: '209', requestTimeout: 1000 })).code.should.equal(
      'AUTHY_OUTCOME_UNKNOWN',
    );
  });

  it('a deploy in the middle of a call: one error, no message leaves, and the badge is empty', async () => {
    server.script('hang');
    const running = await start(sms, { deadline: 60 });
    const ending = running.deliver({ authyId: '209' });
    while (server.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await running.redeploy({ name: 'changed' });
    const { caught, sent, completed } = await ending;
    caught.length.should.equal(1);
    should(caught[0]?.error?.code).equal('AUTHY_OUTCOME_UNKNOWN');
    sent.should.eql([]);
    completed.should.equal(0);
    should(running.statuses.at(-1)).eql({});
    server.seen.length.should.equal(1);
  });

  it('two hundred messages at once: each goes out, once and in order', async () => {
    server.script({ status: 200, json: { success: true, message: 'SMS token was sent' } });
    const running = await start(sms, { deadline: 5, maxInFlight: 1 });
    const ids = Array.from({ length: 200 }, (_, index) => String(1000 + index));
    const endings = await Promise.all(ids.map((authyId) => running.deliver({ authyId })));
    should(endings.flatMap(({ caught }) => caught.map(({ error }) => error?.message))).eql([]);
    should(endings.map(({ sent }) => sent.length)).eql(Array(200).fill(1));
    should(server.seen.map(({ url }) => /sms\/(\d+)/.exec(url)?.[1])).eql(ids);
    running.statuses.some(({ text }) => /sending.* · .*waiting \(\d+\)/.test(text ?? '')).should.be.true();
  });

  it('messages that wait for their turn: too many are refused, and a deploy ends them, with nothing sent', async () => {
    server.script('hang');
    const running = await start(sms, { deadline: 60, maxInFlight: 1, maxQueued: 3 });
    const codes: (string | undefined)[] = [];
    const tell = ({ caught }: Ending): number => codes.push(caught[0]?.error?.code);
    const endings = Array.from({ length: 10 }, () => running.deliver({ authyId: '209' }).then(tell));
    await eventually('the refusals', () => codes.length === 2 || undefined);
    should(codes).eql(['AUTHY_BUSY', 'AUTHY_BUSY']);
    await eventually('the first request', () => server.seen.length === 1 || undefined);
    await running.redeploy({ name: 'changed' });
    await Promise.all(endings);
    should(codes.slice(2).sort()).eql([...Array<string>(7).fill('AUTHY_CANCELLED'), 'AUTHY_OUTCOME_UNKNOWN']);
    server.seen.length.should.equal(1);
  });

  it('a message with its own time does not wait for its turn', async () => {
    server.script('hang');
    const running = await start(sms, { deadline: 60, maxInFlight: 1, maxQueued: 100 });
    for (let count = 0; count < 20; count++) running.give({ authyId: '209' });
    const { caught } = await running.deliver({ authyId: '209', requestTimeout: 1000 });
    should(caught[0]?.error?.code).equal('AUTHY_TIMEOUT');
  });

  it('too many messages at once, and none may wait: those beyond the limit end in AUTHY_BUSY', async () => {
    server.script('hang');
    const running = await start(sms, { deadline: 1, maxInFlight: 1, maxQueued: 0 });
    const endings = await Promise.all(Array.from({ length: 13 }, () => running.deliver({ authyId: '209' })));
    const codes = endings.map(({ caught }) => caught[0]?.error?.code);
    codes.filter((code) => code === 'AUTHY_BUSY').length.should.equal(2);
  });
});
