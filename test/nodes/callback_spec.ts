import should from 'should';
import { canonicalParams, signature, type Params } from '../../nodes/lib/onetouch/signature';
import { Flow, type FlowNode } from '../support/flow';
import { ScriptedServer } from '../support/scripted_server';

const apiKey = 'callback-test-key';
let serial = 0;

/** A fresh approval each time: an account remembers what was decided. */
function answer(status = 'approved'): Record<string, unknown> {
  const uuid = `00000000-0000-0000-0000-${String((serial += 1)).padStart(12, '0')}`;
  return {
    authy_id: 209,
    uuid,
    status,
    device: { os_type: 'android' },
    approval_request: {
      transaction: { status, message: 'Open?', details: { Where: 'Home' }, hidden_details: null },
    },
  };
}

describe('OneTouch callback node behind http in', () => {
  let flow: Flow;

  afterEach(() => flow.stop());

  async function start(
    properties: Record<string, unknown> = {},
    httpIn: Record<string, unknown> = {},
    credentials: object = { apiKey },
    baseUrl = '',
    others: FlowNode[] = [],
  ): Promise<void> {
    const node: FlowNode = {
      id: 'node',
      type: 'authy-onetouch-callback',
      account: 'account',
      publicUrl: '',
      publicUrlType: 'str',
      trustForwarded: false,
      strict: false,
      freshness: 'off',
      freshnessWindow: 300,
      maxSize: 64,
      ...properties,
    };
    const route = { url: '/authy/callback', z: 'tab', wires: [['node']], ...httpIn };
    flow = await Flow.start(
      node,
      3,
      [
        { id: 'account', type: 'authy-config', service: 'authy', baseUrl, deadline: 5, maxInFlight: 10 },
        ...others,
        { id: 'post', type: 'http in', method: 'post', ...route },
        { id: 'get', type: 'http in', method: 'get', ...route },
        { id: 'put', type: 'http in', method: 'put', ...route },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
      ].map((other) => other),
      { account: credentials },
    );
    flow.wire('respond');
  }

  interface Call {
    method?: string;
    url?: string;
    key?: string;
    headers?: Record<string, string | undefined>;
    nonce?: string;
  }

  /** Sends a callback as Authy would; gives the HTTP status, the body of the reply and what left the node. */
  async function call(
    params: Params,
    { method = 'POST', url, key = apiKey, headers = {}, nonce = '1700000000' }: Call = {},
  ) {
    const index = flow.count;
    const address = `${flow.url}/authy/callback`;
    const signed: Record<string, string | undefined> = {
      'X-Authy-Signature': signature({ apiKey: key, nonce, method, url: url ?? address, params }),
      'X-Authy-Signature-Nonce': nonce,
      ...headers,
    };
    const present = Object.fromEntries(
      Object.entries(signed).filter(([, value]) => value !== undefined),
    ) as Record<string, string>;
    const response = await fetch(method === 'GET' ? `${address}?${canonicalParams(params)}` : address, {
      method,
      headers: { ...present, ...(method === 'GET' ? {} : { 'Content-Type': 'application/json' }) },
      body: method === 'GET' ? null : JSON.stringify(params),
    });
    const body = await response.text();
    const { sent } = await flow.endingNumber(index);
    return {
      status: response.status,
      body,
      output: sent[0]?.output,
      message: sent[0]?.message,
    };
  }

  const reason = (message: Record<string, unknown> | undefined): unknown =>
    (message?.['authy'] as Record<string, unknown>)['reason'];

  for (const [mode, httpIn] of [
    ['parsed body', {}],
    ['body not parsed', { skipBodyParsing: true }],
  ] as const) {
    describe(mode, () => {
      it('approved and denied leave by their outputs, and one http response serves all', async () => {
        await start({}, httpIn);
        const params = answer('approved');
        const approved = await call(params);
        approved.should.have.properties({ status: 200, output: 0 });
        should(approved.message?.payload).eql({
          status: 'approved',
          approvalId: params['uuid'],
          authyId: '209',
          message: 'Open?',
          details: { Where: 'Home' },
          hiddenDetails: null,
          device: { os_type: 'android' },
        });
        should(approved.message).have.properties({
          approvalId: params['uuid'],
          authyId: '209',
          statusCode: 200,
        });
        (await call(answer('denied'))).should.have.properties({ status: 200, output: 1 });
      });

      it('a forged one is refused with 403 and no reason in the reply', async () => {
        await start({}, httpIn);
        const forged = await call(answer(), { key: 'another-key' });
        forged.should.have.properties({ status: 403, output: 2, body: '{"error":"Forbidden"}' });
        should(reason(forged.message)).equal('signatureMismatch');
        const bare = await call(answer(), { headers: { 'X-Authy-Signature': undefined } });
        bare.should.have.properties({ status: 403, output: 2, body: forged.body });
        should(reason(bare.message)).equal('noSignature');
      });
    });
  }

  it('GET is verified like POST; other methods are refused', async () => {
    await start();
    (await call(answer(), { method: 'GET' })).should.have.properties({ status: 200, output: 0 });
    const forged = await call(answer(), { method: 'GET', key: 'another-key' });
    forged.should.have.properties({ status: 403, output: 2 });
    const unsigned = await call(answer(), { method: 'GET', headers: { 'X-Authy-Signature': undefined } });
    should(reason(unsigned.message)).equal('noSignature');
    should(reason((await call(answer(), { method: 'PUT' })).message)).equal('method');
  });

  it('an answer that comes again is answered 200 and goes nowhere; the opposite one is refused', async () => {
    await start();
    const params = answer('denied');
    (await call(params)).output?.should.equal(1);
    const again = await call(params);
    again.status.should.equal(200);
    should(again.output).be.undefined();
    const transaction = { status: 'approved' };
    const conflicting = await call(
      { ...params, status: 'approved', approval_request: { transaction } },
      { nonce: '1700000009' },
    );
    conflicting.should.have.properties({ status: 403, output: 2 });
    should(reason(conflicting.message)).equal('conflict');
    flow.log.join('\n').should.match(/Security event/);
  });

  it('the public URL decides which address was signed', async () => {
    await start({ publicUrl: 'https://public.example.com/cb' });
    (await call(answer(), { url: 'https://public.example.com/cb' })).output?.should.equal(0);
    (await call(answer())).output?.should.equal(2);
  });

  it('a mismatch by address names the address to set, in the log only', async () => {
    await start();
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'public.example.com' };
    const proxied = await call(answer(), { url: 'https://public.example.com/authy/callback', headers });
    proxied.should.have.properties({ status: 403, output: 2, body: '{"error":"Forbidden"}' });
    flow.log
      .join('\n')
      .should.match(/signed for https:\/\/public\.example\.com\/authy\/callback: set that as the public URL/);
  });

  it('forwarded headers count where they are trusted', async () => {
    await start({ trustForwarded: true });
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'public.example.com' };
    (
      await call(answer(), { url: 'https://public.example.com/authy/callback', headers })
    ).output?.should.equal(0);
  });

  it('strict: an answer to a request that was not sent from here is refused', async () => {
    await start({ strict: true });
    should(reason((await call(answer())).message)).equal('notAsked');
  });

  it('strict: an answer to a request that was sent from here is accepted, of the user who was asked', async () => {
    const params = answer();
    const authy = await new ScriptedServer().start();
    authy.script({ status: 200, json: { approval_request: { uuid: params['uuid'] }, success: true } });
    const send = {
      id: 'send',
      type: 'authy-onetouch-send',
      z: 'tab',
      account: 'account',
      message: 'Open?',
      wires: [['sent']],
    };
    await start({ strict: true }, {}, { apiKey }, authy.url, [
      send,
      { id: 'sent', type: 'helper', z: 'tab', wires: [] },
    ]);
    await flow.sendThrough('send', 'sent', { authyId: '209' });
    should(reason((await call({ ...params, authy_id: 210 })).message)).equal('notAsked');
    (await call(params)).output?.should.equal(0);
    await authy.stop();
  });

  it('freshness: old nonces are refused where that is enforced', async () => {
    await start({ freshness: 'enforce', freshnessWindow: 60 });
    should(reason((await call(answer())).message)).equal('stale');
    const now = String(Math.floor(Date.now() / 1000));
    (await call(answer(), { nonce: now })).output?.should.equal(0);
  });

  it('freshness: old nonces are accepted with a warning where that is chosen', async () => {
    await start({ freshness: 'warn', freshnessWindow: 60 });
    (await call(answer())).output?.should.equal(0);
    flow.log.join('\n').should.match(/accepted, although its nonce is \d+ seconds away/);
  });

  it('the previous key is accepted while it is set', async () => {
    await start({}, {}, { apiKey: 'the-new-callback-key', previousApiKey: apiKey });
    (await call(answer())).output?.should.equal(0);
    (await call(answer(), { key: 'the-new-callback-key' })).output?.should.equal(0);
  });

  it('without an account or a key everything is refused, and answered', async () => {
    await start({}, {}, {});
    const refused = await call(answer());
    refused.should.have.properties({ status: 403, output: 2 });
    should(reason(refused.message)).equal('noApiKey');
    await flow.stop();
    await start({}, {}, { previousApiKey: apiKey });
    should(reason((await call(answer())).message)).equal('noApiKey');
    await flow.stop();
    await start({ account: '' });
    should(reason((await call(answer())).message)).equal('noApiKey');
  });

  it('a body beyond the limit is refused', async () => {
    await start({ maxSize: 1 }, { skipBodyParsing: true });
    should(reason((await call({ ...answer(), long: 'x'.repeat(2000) })).message)).equal('tooLarge');
  });

  it('a message that no http in node made is an error', async () => {
    await start();
    const ending = await flow.deliver({ payload: answer() });
    ending.sent.should.eql([]);
    should(ending.caught[0]?.error?.code).equal('AUTHY_INVALID_INPUT');
    should(ending.caught[0]?.error?.message).match(/wire it directly behind/);
  });
});
