import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import should from 'should';
import { canonicalParams, signature, type Params } from '../../nodes/lib/services/authy/callback/signature';
import { Flow, type FlowNode } from '../support/flow';
import { ScriptedServer } from '../support/scripted_server';

const apiKey = 'callback-test-key';
/** A new approval each time: an account remembers decisions, here also across files of tests. */
function answer(status = 'approved'): Record<string, unknown> {
  const uuid = randomUUID();
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
    /** The body to send, if JavaScript would write it in another way. */
    body?: string;
  }

  /** Sends a callback as Authy would; returns the HTTP status, the reply's body and the message that left. */
  async function call(
    params: Params,
    { method = 'POST', url, key = apiKey, headers = {}, nonce = '1700000000', body: sentBody }: Call = {},
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
      body: method === 'GET' ? null : (sentBody ?? JSON.stringify(params)),
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

      it('a forged callback is refused with 403, without a reason in the reply', async () => {
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

  it('a user id that is too large for a JavaScript number is handed on unchanged', async () => {
    await start({}, { skipBodyParsing: true });
    const authyId = '9007199254740993';
    const params = { ...answer(), authy_id: authyId };
    const { message } = await call(params, {
      body: JSON.stringify(params).replace(`"${authyId}"`, authyId),
    });
    should(message?.['authyId']).equal(authyId);
    should((message?.payload as { authyId: string }).authyId).equal(authyId);
    should((message?.['authy'] as { response: Params }).response['authy_id']).equal(authyId);
  });

  it('GET is verified like POST; other methods are refused', async () => {
    await start();
    (await call(answer(), { method: 'GET' })).should.have.properties({ status: 200, output: 0 });
    const forged = await call(answer(), { method: 'GET', key: 'another-key' });
    forged.should.have.properties({ status: 403, output: 2 });
    const unsigned = await call(answer(), { method: 'GET', headers: { 'X-Authy-Signature': undefined } });
    should(reason(unsigned.message)).equal('noSignature');
    should(reason((await call(answer(), { method: 'PUT' })).message)).equal('method');
  });

  it('a repeated answer is answered 200 and leaves by no output; the opposite answer is refused', async () => {
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

  it('a repeated answer is not an error if another node has already answered the sender', async () => {
    await start({}, { wires: [['early', 'node']] }, { apiKey }, '', [
      { id: 'early', type: 'http response', z: 'tab', statusCode: '202', wires: [] },
      { id: 'nowhere', type: 'helper', z: 'tab', wires: [] },
    ]);
    flow.wire('nowhere');
    const params = answer();
    (await call(params)).should.have.properties({ status: 202, output: 0 });
    for (const method of ['POST', 'GET']) {
      const index = flow.count;
      (await call(params, { method })).should.have.properties({ status: 202, output: undefined });
      const again = await flow.endingNumber(index);
      again.caught.map(({ error }) => error?.message).should.eql([]);
      again.completed.should.equal(1);
      flow.statuses.at(-1)?.should.containEql({ fill: 'yellow' });
    }
  });

  it('a repeated answer is not an error if its sender has disconnected, or if the message has no response', async () => {
    await start({}, { wires: [['held']] }, { apiKey }, '', [
      { id: 'held', type: 'helper', z: 'tab', wires: [] },
    ]);
    const params = answer();
    const address = `${flow.url}/authy/callback`;
    const nonce = '1700000000';
    const headers = {
      'Content-Type': 'application/json',
      'X-Authy-Signature': signature({ apiKey, nonce, method: 'POST', url: address, params }),
      'X-Authy-Signature-Nonce': nonce,
    };
    for (const isGone of [false, true]) {
      const sender = new AbortController();
      const arrived = flow.next('held');
      const body = JSON.stringify(params);
      const sent = fetch(address, { method: 'POST', headers, body, signal: sender.signal });
      const outcome = sent.then(
        ({ status }) => status,
        () => 'gone' as const,
      );
      const message = await arrived;
      const { _res: response } = message['res'] as { _res: ServerResponse };
      if (isGone) {
        const closed = once(response, 'close');
        sender.abort();
        await closed;
      }
      const ending = await flow.deliver(message);
      ending.caught.map(({ error }) => error?.message).should.eql([]);
      ending.sent.should.have.length(isGone ? 0 : 1);
      should(await outcome).equal(isGone ? 'gone' : 200);
      if (isGone) (await flow.deliver({ ...message, res: undefined })).caught.should.be.empty();
    }
  });

  describe('a public URL that cannot be determined', () => {
    const variable = 'CALLBACK_SPEC_PUBLIC_URL';
    const publicUrl = 'https://public.example.com/cb';
    const badge = '@flowauth/node-red-authy/authy-config:status.publicUrlUnknown';
    afterEach(() => Reflect.deleteProperty(process.env, variable));

    const broken: [what: string, value: unknown, type: string, isKnownAtDeploy: boolean][] = [
      ['an environment variable that is not set', variable, 'env', true],
      ['a variable in braces that is not set', `\${${variable}}`, 'env', true],
      ['a variable within an address that is not set', `https://example.com/\${${variable}}`, 'env', true],
      ['a placeholder that Node-RED did not replace', `\${${variable}}`, 'str', true],
      ['a placeholder in the old format', `$(${variable})`, 'str', true],
      ['a placeholder within an address', `https://\${${variable}}/cb`, 'str', true],
      ['a placeholder in the old format within an address', `https://$(${variable})/cb`, 'str', true],
      ['text that is not an address', 'public.example.com/cb', 'str', true],
      ['an address of another scheme', 'ftp://public.example.com/cb', 'str', true],
      ['an address without a host', 'https:///cb', 'str', true],
      ['an address in the wrong format', 'https://[::1/cb', 'str', true],
      ['nothing but spaces', '  ', 'str', true],
      ['a value that is not text', 5, 'str', true],
      ['an invalid JSONata expression', '$nothing(', 'jsonata', true],
      ['JSONata that fails', '$number("x")', 'jsonata', false],
      ['JSONata that finds nothing', 'req.nothing', 'jsonata', false],
      ['a property of the message that is missing', 'missing', 'msg', false],
      ['a property of a missing property', 'missing.url', 'msg', false],
      ['a flow value that is missing', 'missing', 'flow', false],
      ['a global value that is missing', 'missing', 'global', false],
      ['a property of the message that is not text', 'req', 'msg', false],
    ];
    for (const [what, value, publicUrlType, isKnownAtDeploy] of broken) {
      it(`${what}: callbacks are rejected, whatever address the request claims`, async () => {
        await start({ publicUrl: value, publicUrlType, trustForwarded: true });
        flow.statuses.map(({ text }) => text).should.eql(isKnownAtDeploy ? [badge] : []);
        const atDeploy = flow.log.filter((line) => line.startsWith('Public URL: '));
        atDeploy.should.have.length(isKnownAtDeploy ? 1 : 0);

        const refused = await call(answer());
        refused.should.have.properties({ status: 403, output: 2, body: '{"error":"Forbidden"}' });
        should(reason(refused.message)).equal('publicUrlUnknown');
        flow.log.join('\n').should.match(/rejected \(publicUrlUnknown\): Public URL: /);
        flow.statuses.at(-1)?.should.eql({ fill: 'red', shape: 'dot', text: badge });
      });
    }

    it('a variable with an empty text does not count as a blank setting', async () => {
      process.env[variable] = '';
      for (const [value, publicUrlType] of [
        [`\${${variable}}`, 'str'],
        [variable, 'env'],
      ]) {
        await start({ publicUrl: value, publicUrlType });
        should(reason((await call(answer())).message)).equal('publicUrlUnknown');
        if (publicUrlType === 'str') await flow.stop();
      }
    });

    it('the log names the variable, the value or the expression, and what to do, but never its content', async () => {
      process.env[variable] = 'the-secret-of-somebody';
      for (const [value, type, named] of [
        ['CALLBACK_SPEC_OTHER', 'env', /the environment variable CALLBACK_SPEC_OTHER is not set/],
        ['${CALLBACK_SPEC_OTHER}', 'str', /the environment variable CALLBACK_SPEC_OTHER is not set/],
        [variable, 'env', /the environment variable CALLBACK_SPEC_PUBLIC_URL is no address/],
        ['https://${HOST}/cb', 'str', /choose the type of an environment variable/],
        ['missing', 'flow', /flow\.missing is missing/],
        ['$number("x")', 'jsonata', /it cannot be evaluated/],
      ] as const) {
        await start({ publicUrl: value, publicUrlType: type });
        await call(answer());
        const log = flow.log.join('\n');
        log.should.match(named);
        log.should.match(/Set it, or leave the field blank/);
        log.should.not.match(/secret-of-somebody/);
        if (type !== 'jsonata') await flow.stop();
      }
    });

    it('callbacks are accepted once the variable is set', async () => {
      process.env[variable] = `${publicUrl}\n`;
      for (const [value, publicUrlType] of [
        [`\${${variable}}`, 'str'],
        [`$(${variable})`, 'str'],
        [variable, 'env'],
      ]) {
        await start({ publicUrl: value, publicUrlType });
        flow.statuses.should.eql([]);
        (await call(answer(), { url: publicUrl })).output?.should.equal(0);
        if (publicUrlType === 'str') await flow.stop();
      }
    });

    it('a missing setting counts as blank', async () => {
      await start({ publicUrl: undefined, publicUrlType: undefined });
      (await call(answer())).output?.should.equal(0);
    });
  });

  it('if only the address does not match, the log names the address to set, and the reply does not', async () => {
    await start();
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'public.example.com' };
    const proxied = await call(answer(), { url: 'https://public.example.com/authy/callback', headers });
    proxied.should.have.properties({ status: 403, output: 2, body: '{"error":"Forbidden"}' });
    flow.log
      .join('\n')
      .should.match(/signed for https:\/\/public\.example\.com\/authy\/callback: set that as the public URL/);
  });

  const proxied = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'public.example.com' };
  for (const [what, signedFor, publicUrl, headers] of [
    ['a prefix', 'https://public.example.com/home/authy/callback', '', { 'X-Forwarded-Prefix': '/home' }],
    [
      'a prefix between slashes',
      'https://public.example.com/a/b/authy/callback',
      '',
      { 'X-Forwarded-Prefix': '/a/b/' },
    ],
    ['a port', 'https://public.example.com:8443/authy/callback', '', { 'X-Forwarded-Port': '8443' }],
    ['the usual port', 'https://public.example.com/authy/callback', '', { 'X-Forwarded-Port': '443' }],
    [
      'another port than the host',
      'https://public.example.com:8443/authy/callback',
      '',
      { 'X-Forwarded-Host': 'public.example.com:1880', 'X-Forwarded-Port': '8443' },
    ],
    [
      'no port although the host has one',
      'https://public.example.com/authy/callback',
      '',
      { 'X-Forwarded-Host': 'public.example.com:1880', 'X-Forwarded-Port': '443' },
    ],
    [
      'a prefix, a port and a slash',
      'https://public.example.com:8443/home/authy/callback/',
      '',
      { 'X-Forwarded-Prefix': 'home', 'X-Forwarded-Port': '8443' },
    ],
    ['no query', 'https://other.example.com/cb', 'https://other.example.com/cb?a=1', {}],
    ['no query, but a slash', 'https://other.example.com/cb/', 'https://other.example.com/cb?', {}],
    ['no slash', 'https://other.example.com/cb', 'https://other.example.com/cb/', {}],
  ] as const) {
    it(`if the signed address has ${what}, the log names it as the address to set`, async () => {
      await start({ publicUrl });
      const refused = await call(answer(), { url: signedFor, headers: { ...proxied, ...headers } });
      should(reason(refused.message)).equal('signatureMismatch');
      flow.log.join('\n').should.containEql(`signed for ${signedFor}: set that as the public URL.`);
      await flow.stop();
      await start({ publicUrl: signedFor });
      (await call(answer(), { url: signedFor })).output?.should.equal(0);
    });
  }

  it('forwarded headers count if they are trusted', async () => {
    await start({ trustForwarded: true });
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'public.example.com' };
    (
      await call(answer(), { url: 'https://public.example.com/authy/callback', headers })
    ).output?.should.equal(0);
  });

  it('if a setting cannot be read, all callbacks are rejected', async () => {
    for (const properties of [
      { trustForwarded: '${CALLBACK_SPEC_TRUST}' },
      { trustForwarded: 'no' },
      { strict: '${CALLBACK_SPEC_STRICT}' },
      { freshness: '${CALLBACK_SPEC_FRESHNESS}' },
      { freshness: 'enforce', freshnessWindow: '${CALLBACK_SPEC_WINDOW}' },
    ]) {
      await start(properties);
      should(reason((await call(answer())).message)).equal('badConfig');
      await flow.stop();
    }
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'public.example.com' };
    await start({ strict: 'false', trustForwarded: 'true', freshness: undefined });
    const trusted = await call(answer(), { url: 'https://public.example.com/authy/callback', headers });
    trusted.output?.should.equal(0);
  });

  it('strict: an answer to a request that this account did not send is refused', async () => {
    await start({ strict: true });
    should(reason((await call(answer())).message)).equal('notAsked');
  });

  it('strict: an answer to a request that this account sent is accepted, from the right user only', async () => {
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

  it('freshness: old nonces are refused if that is enforced', async () => {
    await start({ freshness: 'enforce', freshnessWindow: 60 });
    should(reason((await call(answer())).message)).equal('stale');
    const now = String(Math.floor(Date.now() / 1000));
    (await call(answer(), { nonce: now })).output?.should.equal(0);
  });

  it('freshness: old nonces are accepted with a warning if that is chosen', async () => {
    await start({ freshness: 'warn', freshnessWindow: 60 });
    (await call(answer())).output?.should.equal(0);
    flow.log.join('\n').should.match(/accepted, although its time is \d+ seconds away/);
  });

  it('the previous key is accepted while it is set', async () => {
    await start({}, {}, { apiKey: 'the-new-callback-key', previousApiKey: apiKey });
    (await call(answer())).output?.should.equal(0);
    (await call(answer(), { key: 'the-new-callback-key' })).output?.should.equal(0);
  });

  it('without an account or a key every callback is refused, and answered', async () => {
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

  it('a message that does not come from an http in node is an error', async () => {
    await start();
    const ending = await flow.deliver({ payload: answer() });
    ending.sent.should.eql([]);
    should(ending.caught[0]?.error?.code).equal('AUTHY_INVALID_INPUT');
    should(ending.caught[0]?.error?.message).match(/^Wire this node directly behind an http in node/);
    should(flow.statuses.at(-1)?.text).match(/MISSING: req$/);
  });
});
