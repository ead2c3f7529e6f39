import { randomUUID } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import should from 'should';
import { exportPeople, importPeople } from '../../nodes/lib/people/transfer';
import { twilioSignature } from '../../nodes/simulator/verify/twilio-signature';
import type { Flow, FlowNode, Message } from '../support/flow';
import { eventually } from '../support/node_red';
import { Redis } from '../support/redis';
import { phone, VerifyFlow } from '../support/verify_flow';

interface Factor {
  sid: string;
  friendly_name: string;
}

interface Asked {
  uuid: string;
  sid: string;
  message: string;
  details: object;
  hiddenDetails: object;
  identity: string;
  expiresIn: number;
}

async function peopleList(flow: Flow): Promise<string> {
  const parts: string[] = [];
  const chosen = { format: 'json', secrets: true } as const;
  for await (const part of exportPeople(flow.account('account').people(), chosen)) parts.push(part);
  return parts.join('');
}

const randomSid = (prefix: string): string => prefix + randomBytes(16).toString('hex');

describe('Approvals on Twilio Verify, by an app of its own', () => {
  let verify: VerifyFlow;
  let authyId: string;
  let identity: string;

  beforeEach(async () => {
    verify = new VerifyFlow();
    verify.account = { verifyPush: true };
    await verify.start();
    const [user] = await verify.ask('userCreate', { email: 'user@example.com', ...phone });
    authyId = String(user['authyId']);
    const [status] = await verify.ask('userStatus', { authyId });
    should(status).match({ confirmed: false, devices: [] });
    identity = String(status['identity']);
  });
  afterEach(() => verify.stop());

  /** The person's app registers itself. */
  const install = (friendlyName: string): Promise<unknown> =>
    verify.control('POST', '/factors', { identity, friendlyName });

  async function asked(): Promise<Asked[]> {
    return ((await verify.control('GET', '/approvals')) as { approvals: Asked[] }).approvals;
  }

  /** As Twilio lists them. */
  const factors = async (): Promise<Factor[]> =>
    (await verify.twilio(`/Entities/${identity}/Factors`))['factors'] as Factor[];

  const short = { secondsToExpire: '300' };

  async function send(message: object = {}, properties: object = {}): Promise<string> {
    const [{ approvalId }] = await verify.ask(
      'onetouchSend',
      { authyId, ...message },
      { message: 'Open the door?', ...short, ...properties },
    );
    return String(approvalId);
  }

  const answer = (uuid: string, decision: 'approve' | 'deny'): Promise<unknown> =>
    verify.control('POST', `/approvals/${uuid}`, { answer: decision });

  describe('send approval and approval status', () => {
    for (const [decision, status, output] of [
      ['approve', 'approved', 0],
      ['deny', 'denied', 1],
    ] as const) {
      it(`${status}: what was asked is on the phone, and the answer comes back`, async () => {
        await install('Phone');
        const approvalId = await send(
          { details: { Where: 'Home' }, hiddenDetails: { ticket: '7' } },
          {
            details: 'details',
            detailsType: 'msg',
            hiddenDetails: 'hiddenDetails',
            hiddenDetailsType: 'msg',
          },
        );
        const [question] = await asked();
        should(question).match({
          uuid: approvalId,
          ...{
            message: 'Open the door?',
            details: { Where: 'Home' },
            hiddenDetails: { ticket: '7' },
            identity,
          },
        });
        const [open, port] = await verify.ask('onetouchStatus', { approvalId });
        should(open).match({ approvalId, authyId, status: 'pending', processedAt: null, notified: null });
        // Twilio has whole seconds, of two clocks.
        should(open['secondsToExpire']).be.within(298, 300);
        should(port).equal(2);
        await answer(approvalId, decision);
        const [read, left] = await verify.ask('onetouchStatus', { approvalId });
        should(left).equal(output);
        should(read).match({ approvalId, authyId, status, processedAt: /^\d{4}-.*Z$/ });
      });
    }

    it('expired: nobody has answered in time, and an answer after it is none', async () => {
      await install('Phone');
      const approvalId = await send();
      verify.ahead += 301_000;
      should(await verify.ask('onetouchStatus', { approvalId })).match([
        { status: 'expired', processedAt: null },
        3,
      ]);
      await answer(approvalId, 'approve').catch(() => undefined);
      should(await verify.ask('onetouchStatus', { approvalId })).match([{ status: 'expired' }, 3]);
    });

    it('asks the device that was registered last; an authenticator is none', async () => {
      await install('Old phone');
      verify.ahead += 2000;
      await install('New phone');
      verify.ahead += 2000;
      await verify.ask('userQr', { authyId });
      await send();
      const [{ sid }] = (await factors()).filter(({ friendly_name: name }) => name === 'New phone') as [
        Factor,
      ];
      const { challenges } = await verify.twilio(`/Entities/${identity}/Challenges`);
      should(challenges).match([
        { factor_sid: sid, factor_type: 'push', details: { message: 'Open the door?' } },
      ]);
      const [status] = await verify.ask('userStatus', { authyId });
      should(status).match({ confirmed: true, devices: ['Old phone', 'New phone'] });
    });

    it('without an app nothing is sent, and the error says what to do', async () => {
      const error = await verify.errorOf('onetouchSend', { authyId }, { message: 'Open?', ...short });
      should(error).match({ code: 'AUTHY_NOT_SENT', message: /Have the user sign in to your app first/ });
      should(await asked()).be.empty();
    });

    for (const [what, message, properties, code, text] of [
      [
        'more than an hour',
        {},
        { secondsToExpire: '3601' },
        'AUTHY_NOT_SUPPORTED',
        /^Expires in \(s\): set it to 1 to 3600/,
      ],
      [
        'no end',
        {},
        { secondsToExpire: '0' },
        'AUTHY_NOT_SUPPORTED',
        /^Expires in \(s\): set it to 1 to 3600/,
      ],
      [
        'the panel’s default, a day',
        {},
        { secondsToExpire: '86400' },
        'AUTHY_NOT_SUPPORTED',
        /^Expires in \(s\): /,
      ],
      [
        'logos',
        { logos: [{ res: 'default', url: 'https://a.example/logo.png' }] },
        { logos: 'logos', logosType: 'msg', ...short },
        'AUTHY_NOT_SUPPORTED',
        /^msg\.logos: leave them out/,
      ],
      [
        'too many details',
        { details: Object.fromEntries(Array.from({ length: 21 }, (_, no) => [`Row ${no}`, 'x'])) },
        { details: 'details', detailsType: 'msg', ...short },
        'AUTHY_INVALID_INPUT',
        /^msg\.details has 21 rows/,
      ],
      [
        'a value that is too long',
        { details: { Where: 'x'.repeat(129) } },
        { details: 'details', detailsType: 'msg', ...short },
        'AUTHY_INVALID_INPUT',
        /^msg\.details has a value of more than 128 characters, that of “Where”/,
      ],
      [
        'hidden details that are too long',
        {
          hiddenDetails: Object.fromEntries(
            Array.from({ length: 6 }, (_, no) => [`k${no}`, 'x'.repeat(199)]),
          ),
        },
        { hiddenDetails: 'hiddenDetails', hiddenDetailsType: 'msg', ...short },
        'AUTHY_INVALID_INPUT',
        /^msg\.hiddenDetails is too long/,
      ],
    ] as const) {
      it(`${what}: an error before anything is sent`, async () => {
        await install('Phone');
        const given = { message: 'Open?', ...properties };
        const error = await verify.errorOf('onetouchSend', { authyId, ...message }, given);
        should(error).match({ code, message: text });
        should(await asked()).be.empty();
      });
    }

    it('exactly what Twilio takes goes through', async () => {
      await install('Phone');
      await send(
        {
          details: Object.fromEntries(
            Array.from({ length: 20 }, (_, no) => [`${no} `.padEnd(20, 'l'), 'x'.repeat(128)]),
          ),
        },
        { details: 'details', detailsType: 'msg', secondsToExpire: '3600', message: 'm'.repeat(144) },
      );
      should(Object.keys((await asked())[0]?.details ?? {})).have.length(20);
    });

    it('without the tick in the account Twilio is asked nothing, whatever app the user has', async () => {
      await install('Phone');
      verify.account = {};
      const error = await verify.errorOf('onetouchSend', { authyId }, { message: 'Open?' });
      should(error).match({ code: 'AUTHY_NOT_SENT', message: /Invite the user first/ });
      const approvalId = randomUUID();
      should(await verify.errorOf('onetouchStatus', { approvalId })).match({ code: 'AUTHY_NOT_FOUND' });
      should(await verify.requestsTo('/Challenges')).equal(0);
    });

    it('a request that this account did not send cannot be read', async () => {
      const error = await verify.errorOf('onetouchStatus', { approvalId: randomUUID() });
      should(error).match({ code: 'AUTHY_NOT_FOUND', message: /Ask again/ });
      should(await verify.requestsTo('/Challenges')).equal(0);
    });
  });

  describe('approval gate', () => {
    const gate: FlowNode = {
      id: 'node',
      type: 'authy-onetouch-approval',
      account: 'account',
      ...{ authyId: 'authyId', authyIdType: 'msg', message: 'Open the gate?', messageType: 'str' },
      ...{ timeout: '60', timeoutType: 'num', secondsToExpire: '', secondsToExpireType: 'num' },
      ...{ details: '[]', detailsType: 'list', hiddenDetails: '[]', hiddenDetailsType: 'list' },
      ...{
        logos: '[]',
        logosType: 'list',
        confirm: true,
        join: false,
        maxOpen: 3,
        coolDown: 0,
        events: false,
      },
      outputs: 3,
    };

    for (const [decision, output] of [
      ['approve', 0],
      ['deny', 1],
    ] as const) {
      it(`${decision}: the message goes on by output ${output}`, async () => {
        await install('Phone');
        const flow = await verify.run(gate, 3);
        const id = flow.give({ authyId });
        const question = await eventually('the question', async () => (await asked())[0]);
        should(question).match({ message: 'Open the gate?' });
        await answer(question.uuid, decision);
        const { sent } = await flow.ending(id);
        should(sent).match([
          { output, message: { payload: { authyId, approvalId: question.uuid, decidedBy: 'polling' } } },
        ]);
      });
    }

    it('goes on waiting if the account keeps its open approvals somewhere else', async function () {
      const redis = await Redis.start(this, []);
      try {
        await install('Phone');
        const flow = await verify.run(gate, 3);
        const id = flow.give({ authyId });
        const question = await eventually('the question', async () => (await asked())[0]);
        // The people are then there, too.
        const list = await peopleList(flow);
        await flow.redeploy({ approvalStore: 'redis', redisUrl: redis.url }, 'account');
        await importPeople(flow.account('account').people(), list, { format: 'json', rule: 'possible' });
        await answer(question.uuid, 'approve');
        const { sent } = await flow.ending(id);
        should(sent).match([{ output: 0, message: { payload: { authyId, approvalId: question.uuid } } }]);
        await verify.stopFlow();
      } finally {
        await redis.stop();
      }
    });

    it('a longer wait than an hour is told at deploy, and refused', async () => {
      await install('Phone');
      const flow = await verify.run({ ...gate, timeout: '7200' }, 3);
      const { caught } = await flow.deliver({ authyId });
      should(caught[0]?.error).match({ code: 'AUTHY_NOT_SUPPORTED', message: /^Expires in \(s\): / });
      should(flow.log.some((line) => line.includes('Expires in (s): set it to 1 to 3600'))).be.true();
      should(await asked()).be.empty();
    });
  });

  describe('onetouch callback', () => {
    const callback: FlowNode = {
      id: 'node',
      type: 'authy-onetouch-callback',
      account: 'account',
      ...{ publicUrl: '', publicUrlType: 'str', trustForwarded: false, strict: false },
      ...{ freshness: 'enforce', freshnessWindow: 300, maxSize: 64 },
    };
    let approvalId: string;

    beforeEach(async () => {
      verify.credentials = { verifyAuthToken: verify.simulator.verify.authToken };
      await install('Phone');
      approvalId = await send();
    });

    async function listen(properties: object = {}): Promise<void> {
      const flow = await verify.run({ ...callback, ...properties }, 3, [
        { id: 'post', type: 'http in', method: 'post', url: '/authy/callback', z: 'tab', wires: [['node']] },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
      ]);
      flow.wire('respond');
    }

    const address = (): string => `${verify.flow?.url ?? ''}/authy/callback`;

    /** Has Twilio tell this address of what happens. */
    async function register(events: string, query = ''): Promise<void> {
      const WebhookUrl = `${address()}${query}`;
      await verify.twilio('/Webhooks', { FriendlyName: 'test', EventTypes: events, WebhookUrl });
    }

    /** What left, by its output. */
    async function left(index = 0): Promise<[output: number, message: Message]> {
      const { sent } = (await verify.flow?.endingNumber(index)) ?? { sent: [] };
      should(sent).have.length(1);
      return [sent[0]?.output ?? -1, sent[0]?.message ?? {}];
    }

    const genuine = (changes: Record<string, string> = {}): Record<string, string> => {
      const { accountSid, serviceSid } = verify.simulator.verify;
      return {
        uuid: randomBytes(16).toString('hex'),
        type: 'challenge.approved',
        account_sid: accountSid,
        service_sid: serviceSid,
        entity_identity: identity,
        factor_sid: randomSid('YF'),
        factor_type: 'push',
        challenge_sid: `YC${approvalId.replaceAll('-', '')}`,
        ...changes,
      };
    };

    /** Sends a webhook as Twilio signs it. @returns the status of the answer */
    async function post(parameters: Record<string, string>, token?: string): Promise<number> {
      const { authToken } = verify.simulator.verify;
      const response = await fetch(address(), {
        method: 'POST',
        headers: { 'X-Twilio-Signature': twilioSignature(token ?? authToken, address(), parameters) },
        body: new URLSearchParams(parameters),
      });
      return response.status;
    }

    const factorOf = async (): Promise<string> => (await factors())[0]?.sid ?? '';

    for (const [decision, status, output] of [
      ['approve', 'approved', 0],
      ['deny', 'denied', 1],
    ] as const) {
      it(`${status}: leaves by output ${output}, with what the challenge says`, async () => {
        await listen({ strict: true });
        await register(`challenge.${status}`);
        const report = (await answer(approvalId, decision)) as { callback: { status: number } };
        should(report).match({ callback: { status: 200 } });
        const [by, message] = await left();
        should(by).equal(output);
        should(message).match({
          payload: { status, approvalId, authyId, message: 'Open the door?', details: {}, device: null },
          approvalId,
          authyId,
          authy: { service: 'verify', response: { type: `challenge.${status}`, entity_identity: identity } },
        });
      });
    }

    it('a decision that comes again goes nowhere, and is answered with 200', async () => {
      await listen();
      await answer(approvalId, 'approve');
      const again = genuine({ factor_sid: await factorOf() });
      should(await Promise.all([post(again), post(again), post(genuine(again))])).eql([200, 200, 200]);
      should(verify.flow?.all(0)).have.length(1);
      should(verify.flow?.all(2)).be.empty();
    });

    it('however often a decision comes, the challenge is read once', async () => {
      await listen();
      await answer(approvalId, 'approve');
      const event = genuine({ factor_sid: await factorOf() });
      const many = await Promise.all(Array.from({ length: 300 }, () => post(event)));
      should(new Set(many)).eql(new Set([200]));
      for (let no = 0; no < 5; no++) should(await post(event)).equal(200);
      should(verify.flow?.all(0)).have.length(1);
      should(await verify.requestsTo('/Challenges/')).equal(1);
    });

    it('a store that does not say who was asked: 503 and its reason, and Twilio is not asked', async function () {
      const redis = await Redis.start(this, []);
      try {
        verify.account = { verifyPush: true, approvalStore: 'redis', redisUrl: redis.url };
        await listen();
        await redis.kill();
        should(await post(genuine({ factor_sid: await factorOf() }))).equal(503);
        should((await left())[1]).match({ authy: { reason: 'storeUnavailable' } });
        should(await verify.requestsTo('/Challenges/')).equal(0);
        await verify.stopFlow();
      } finally {
        await redis.stop();
      }
    });

    it('what happens to a factor is answered with 200, and goes nowhere', async () => {
      await listen();
      await register('*');
      await install('Another phone');
      should(await post(genuine({ type: 'factor.verified' }))).equal(200);
      should([0, 1, 2].flatMap((output) => verify.flow?.all(output))).be.empty();
      should(verify.flow?.statuses.at(-1)?.text).endWith('ignored');
    });

    it('is believed after its time only as far as the node allows: the challenge says when it was answered', async () => {
      await listen({ freshnessWindow: 1 });
      verify.ahead -= 120_000;
      await answer(approvalId, 'approve');
      should(await post(genuine({ factor_sid: await factorOf() }))).equal(403);
      should((await left())[1]).match({ authy: { reason: 'stale' } });
    });

    it('a webhook that says more than the challenge does is rejected, whoever has signed it', async () => {
      await listen();
      const factor = await factorOf();
      const cases: [Record<string, string>, string][] = [
        // Nobody has answered.
        [{ factor_sid: factor }, 'statusDisagrees'],
        [{ factor_sid: factor, type: 'challenge.denied' }, 'statusDisagrees'],
        [{ factor_sid: factor, challenge_sid: randomSid('YC') }, 'notAsked'],
        [{ factor_sid: factor, challenge_sid: 'YC1' }, 'missingField'],
        [{ factor_sid: factor, type: 'challenge.expired' }, 'missingField'],
      ];
      const afterwards: [Record<string, string>, string][] = [
        [{ factor_sid: factor, type: 'challenge.denied' }, 'statusDisagrees'],
        [{ factor_sid: randomSid('YF') }, 'statusDisagrees'],
        [{ factor_sid: factor, service_sid: randomSid('VA') }, 'statusDisagrees'],
        [{ factor_sid: factor, account_sid: randomSid('AC') }, 'statusDisagrees'],
        [
          {
            factor_sid: factor,
            entity_identity: identity.replace(/^./, (digit) => (digit === 'a' ? 'b' : 'a')),
          },
          'statusDisagrees',
        ],
        [{ factor_sid: factor, factor_type: 'totp' }, 'statusDisagrees'],
      ];
      let count = 0;
      const expectRejected = async ([changes, reason]: [Record<string, string>, string]): Promise<void> => {
        should(await post(genuine(changes))).equal(403);
        const [output, message] = await left(count);
        count += 1;
        should(output).equal(2, reason);
        should(message).match({ payload: { error: 'Forbidden' }, authy: { reason } });
      };
      for (const one of cases) await expectRejected(one);
      await answer(approvalId, 'approve');
      for (const one of afterwards) await expectRejected(one);
      // The genuine one is still believed.
      should(await post(genuine({ factor_sid: factor }))).equal(200);
      should((await left(count))[0]).equal(0);
    });

    it('another token, no token, a changed parameter: rejected, and Twilio is not asked', async () => {
      await listen();
      await answer(approvalId, 'approve');
      should(await post(genuine({ factor_sid: await factorOf() }), 'another-token-of-somebody')).equal(403);
      should((await left())[1]).match({ authy: { reason: 'signatureMismatch' } });
      verify.credentials = {};
      await listen();
      should(await post(genuine())).equal(403);
      should((await left())[1]).match({ authy: { reason: 'noApiKey' } });
      should(
        verify.flow?.log.some((line) => line.includes('enter the auth token of the Twilio account')),
      ).be.true();
      should(await verify.requestsTo('/Challenges/')).equal(0);
    });

    it('with the account’s own SID its secret is the auth token', async () => {
      const { accountSid, authToken } = verify.simulator.verify;
      verify.account = { verifyPush: true, verifyUser: accountSid };
      verify.credentials = { verifySecret: authToken };
      await listen();
      await answer(approvalId, 'approve');
      should(await post(genuine({ factor_sid: await factorOf() }))).equal(200);
      should((await left())[0]).equal(0);
    });

    it('a challenge that cannot be read is answered with 503, and believed when it comes again', async () => {
      await listen();
      await answer(approvalId, 'approve');
      const event = genuine({ factor_sid: await factorOf() });
      await verify.control('PUT', '/faults', {
        faults: [{ kind: 'status', status: 500, path: '/Challenges/' }],
      });
      should(await post(event)).equal(503);
      should((await left())[1]).match({
        payload: { error: 'Service Unavailable' },
        authy: { reason: 'statusUnreadable' },
      });
      await verify.control('PUT', '/faults', { faults: [] });
      should(await post(event)).equal(200);
      should((await left(1))[0]).equal(0);
    });

    it('an address with a query is believed only if the public URL has it', async () => {
      await listen();
      const withQuery = `${address()}?tenant=7`;
      await register('challenge.approved', '?tenant=7');
      await answer(approvalId, 'approve');
      should((await left())[1]).match({ authy: { reason: 'signatureMismatch' } });
      await listen({ publicUrl: withQuery });
      const parameters = genuine({ factor_sid: await factorOf() });
      const response = await fetch(`${address()}?tenant=7`, {
        method: 'POST',
        headers: {
          'X-Twilio-Signature': twilioSignature(verify.simulator.verify.authToken, withQuery, parameters),
        },
        body: new URLSearchParams(parameters),
      });
      should(response.status).equal(200);
    });
  });
});
