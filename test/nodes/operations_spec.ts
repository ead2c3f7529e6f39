import { Secret, TOTP } from 'otpauth';
import should from 'should';
import { operations } from '../../nodes/lib/contract/operations';
import { type OperationName } from '../../nodes/lib/contract/results';
import { Simulator } from '../../nodes/simulator/simulator';
import { Flow, type FlowNode } from '../support/flow';
import { eventually } from '../support/node_red';
import { newNode, outputsOf } from '../support/operation_nodes';

const phone = { phoneNumber: '+13175550142', countryCode: '1' };
const account: FlowNode = {
  id: 'account',
  type: 'authy-config',
  service: 'authy',
  deadline: 5,
  maxInFlight: 10,
  tls: '',
  proxy: '',
};
/** In the test helper, `RED._` returns the key itself. */
const word = (key: string): string => `@flowauth/node-red-authy/authy-config:status.${key}`;

describe('Operation nodes against the simulator', () => {
  let simulator: Simulator;
  let baseUrl: string;
  let authyId: string;
  let flow: Flow | undefined;
  /** How far the simulator's clock is ahead, in milliseconds. */
  let ahead = 0;

  before(async () => {
    simulator = new Simulator({ apiKey: 'operations-test-key', now: () => Date.now() + ahead });
    baseUrl = await simulator.listen();
  });
  after(() => simulator.close());

  beforeEach(async () => {
    const [user] = await ask('userCreate', { email: 'user@example.com', ...phone });
    authyId = String(user['authyId']);
  });
  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  /** Starts a flow of one operation node, with the panel's defaults and these properties. */
  async function node(name: OperationName, properties: Record<string, unknown> = {}): Promise<Flow> {
    await flow?.stop();
    flow = await Flow.start(newNode(name, properties), outputsOf(name), [{ ...account, baseUrl }], {
      account: { apiKey: 'operations-test-key' },
    });
    return flow;
  }

  /** Delivers one message; returns the payload and the output it left by. */
  async function ask(
    name: OperationName,
    message: Record<string, unknown>,
    properties?: Record<string, unknown>,
  ): Promise<[payload: Record<string, unknown>, output: number]> {
    const ending = await (await node(name, properties)).deliver(message);
    should(ending.caught.map(({ error }) => error?.message)).eql([]);
    ending.completed.should.equal(1);
    ending.sent.length.should.equal(1);
    const [sent] = ending.sent;
    const authy = sent?.message['authy'] as Record<string, unknown>;
    authy.should.have.properties({
      operation: operations[name].node.slice('authy-'.length),
      service: 'authy',
    });
    structuredClone(authy).should.eql(authy);
    return [sent?.message.payload as Record<string, unknown>, sent?.output ?? -1];
  }

  async function messageTo(kind: string): Promise<string> {
    const response = await fetch(`${baseUrl}/simulator/messages`);
    const { messages } = (await response.json()) as { messages: { kind: string; code?: string }[] };
    return messages.filter((message) => message.kind === kind).at(-1)?.code ?? '';
  }

  it('user: created with the same id each time, read, updated, deleted', async () => {
    const [again] = await ask('userCreate', { email: 'other@example.com', ...phone });
    should(again['authyId']).equal(authyId);
    const [status] = await ask('userStatus', { authyId });
    status.should.have.properties({ authyId, countryCode: '1' });
    const [updated] = await ask('userUpdate', { authyId, email: 'new@example.com' });
    updated.should.eql({ authyId, email: 'new@example.com' });
    const [activity] = await ask('userActivity', { authyId });
    activity.should.eql({ authyId, activity: 'password_reset' });
    const [deleted] = await ask('userDelete', { authyId });
    deleted.should.eql({ authyId, deleted: true });
  });

  it('user: a QR code that can be fetched', async () => {
    const [{ qrCode }] = await ask('userQr', { authyId }, { label: 'Home' });
    const image = await fetch(String(qrCode));
    image.status.should.equal(200);
    should(image.headers.get('content-type')).match(/^image\//);
  });

  it('user: exported with the phone number, and with the secret only if it is asked for', async () => {
    await ask('userQr', { authyId });
    should((await ask('userExport', { authyId }))[0]).eql({
      ...{ authyId, ...phone },
      ...{ totpSecret: null, token: null },
    });
    const withSecret = { includeSecret: 'true', includeSecretType: 'bool' };
    const { sent } = await (await node('userExport', withSecret)).deliver({ authyId });
    const { payload, ...others } = sent[0]?.message ?? {};
    const { totpSecret, token } = payload as { totpSecret: string; token: string };
    const response = await fetch(`${baseUrl}/simulator/users/${authyId}`);
    const { authenticator } = (await response.json()) as { authenticator: { secret: string } };
    totpSecret.should.equal(authenticator.secret);
    should(new TOTP({ secret: Secret.fromBase32(totpSecret) }).validate({ token, window: 1 })).not.be.null();
    others.should.containEql({ authyId, ...phone });
    for (const secret of [totpSecret, token]) JSON.stringify(others).should.not.containEql(secret);
  });

  it('user: exported without a secret if there is no authenticator app', async () => {
    const [other] = await ask('userCreate', { email: 'b@example.com', phoneNumber: '+13175550149' });
    const [exported] = await ask(
      'userExport',
      { authyId: other['authyId'] },
      { includeSecret: 'true', includeSecretType: 'bool' },
    );
    exported.should.containEql({ phoneNumber: '+13175550149', totpSecret: null, token: null });
  });

  for (const path of ['/phone_number', '/secret/export']) {
    it(`user: what to do if Twilio has not switched on the export (${path})`, async () => {
      const fault = {
        kind: 'status',
        status: 400,
        code: '60154',
        message: 'Migration tools disabled.',
        path,
      };
      await fetch(`${baseUrl}/simulator/faults`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ faults: [fault] }),
      });
      const withSecret = { includeSecret: 'true', includeSecretType: 'bool' };
      const { caught } = await (await node('userExport', withSecret)).deliver({ authyId });
      await fetch(`${baseUrl}/simulator/faults`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: '{"faults": []}',
      });
      should(caught[0]?.error).match({
        code: 'AUTHY_NOT_ALLOWED',
        message: /Ask Twilio's support to switch on the export/,
      });
    });
  }

  it('user: an import is not for Authy', async () => {
    const { caught } = await (await node('userImport')).deliver({ authyId, ...phone });
    should(caught[0]?.error).match({ code: 'AUTHY_NOT_SUPPORTED', message: /Use “create user” instead/ });
  });

  for (const [name, kind] of [
    ['tokenSms', 'sms'],
    ['tokenCall', 'call'],
    ['tokenEmail', 'email'],
  ] as const) {
    it(`${name}: the code that was sent is valid, once`, async () => {
      const [sent, output] = await ask(name, { authyId });
      should(sent['sent']).be.true();
      output.should.equal(0);
      const code = await messageTo(kind);
      code.should.match(/^[0-9]{6,8}$/);
      should(await ask('tokenVerify', { authyId, payload: code })).match(
        ([payload, port]: [object, number]) => {
          payload.should.have.properties({ valid: true, reason: null });
          port.should.equal(0);
        },
      );
      const [used, port] = await ask('tokenVerify', { authyId, payload: code });
      used.should.have.properties({ valid: false, reason: 'reused' });
      port.should.equal(1);
    });
  }

  it('tokenVerify: a wrong code leaves by the second output', async () => {
    const [wrong, port] = await ask('tokenVerify', { authyId, payload: '0000000' });
    wrong.should.have.properties({ valid: false, reason: 'wrong' });
    port.should.equal(1);
  });

  it('phone: a verification is started, read and checked, and the number is looked up', async () => {
    const [started] = await ask('phoneStart', phone);
    started.should.have.properties({ ...phone, via: 'sms' });
    const [pending] = await ask('phoneStatus', phone);
    pending.should.have.property('status', 'pending');
    const [wrong, invalid] = await ask('phoneCheck', { ...phone, payload: '000000000' });
    wrong.should.have.property('reason', 'wrong');
    invalid.should.equal(1);
    const [right, valid] = await ask('phoneCheck', { ...phone, payload: await messageTo('verification') });
    right.should.have.properties({ ...phone, valid: true });
    valid.should.equal(0);
    const [verified] = await ask('phoneStatus', { verificationId: started['verificationId'] });
    verified.should.have.property('status', 'verified');
    const [info] = await ask('phoneInfo', phone);
    info.should.have.properties(['type', 'provider', 'ported']);
  });

  it('application: details and statistics', async () => {
    const [details] = await ask('appDetails', {});
    details['name']?.should.be.a.String();
    const [stats] = await ask('appStats', {});
    should(stats['months']).be.an.Array();
  });

  it('OneTouch: sent, pending, approved and denied leave by their outputs', async () => {
    for (const [answer, outcome, port] of [
      ['approve', 'approved', 0],
      ['deny', 'denied', 1],
    ] as const) {
      const [sent] = await ask(
        'onetouchSend',
        { authyId },
        { message: 'Open the garage?', details: '{"Where":"Home"}', detailsType: 'json' },
      );
      const approvalId = String(sent['approvalId']);
      const [pending, waiting] = await ask('onetouchStatus', { approvalId });
      pending.should.have.properties({ approvalId, authyId, status: 'pending' });
      waiting.should.equal(2);
      await fetch(`${baseUrl}/simulator/approvals/${approvalId}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ answer }),
      });
      const [decided, output] = await ask('onetouchStatus', { approvalId });
      decided.should.have.property('status', outcome);
      output.should.equal(port);
    }
  });

  it('OneTouch: a request that is not answered in time leaves as expired', async () => {
    const [{ approvalId }] = await ask(
      'onetouchSend',
      { authyId },
      { message: 'Open?', secondsToExpire: '60', secondsToExpireType: 'num' },
    );
    ahead += 61_000;
    const [expired, output] = await ask('onetouchStatus', { approvalId });
    expired.should.have.property('status', 'expired');
    output.should.equal(3);
  });

  it('the same message leaves with all its properties, and ids are added beside the payload', async () => {
    const ending = await (
      await node('userCreate')
    ).deliver({
      email: 'user@example.com',
      ...phone,
      topic: 'sign-up',
      parts: { id: 'p', index: 0, count: 1 },
      req: { kept: true },
      res: { kept: true },
      custom: { deep: [1] },
    });
    const message = ending.sent[0]?.message;
    should(message).have.properties({ topic: 'sign-up', authyId, ...phone });
    should(message?.['custom']).eql({ deep: [1] });
    should(message?.['req']).eql({ kept: true });
    should(message?.['parts']).eql({ id: 'p', index: 0, count: 1 });
  });

  it('inputs take their value by any type of a TypedInput', async () => {
    process.env['AUTHY_TEST_ID'] = authyId;
    for (const [value, type] of [
      [authyId, 'str'],
      [authyId, 'num'],
      ['AUTHY_TEST_ID', 'env'],
      ['$string(user.id)', 'jsonata'],
      ['user.id', 'msg'],
    ]) {
      const [status] = await ask(
        'userStatus',
        { user: { id: authyId } },
        { authyId: value, authyIdType: type },
      );
      should(status['authyId']).equal(authyId);
    }
    delete process.env['AUTHY_TEST_ID'];
  });

  it('numbers in the JSON of a panel are sent as they were typed, however long they are', async () => {
    const [{ approvalId }] = await ask(
      'onetouchSend',
      { authyId },
      { message: 'Pay?', details: '{"Account":12345678901234567890,"Amount":12.50}', detailsType: 'json' },
    );
    const response = await fetch(`${baseUrl}/simulator/approvals`);
    const { approvals } = (await response.json()) as { approvals: { uuid: string; details: object }[] };
    should(approvals.find(({ uuid }) => uuid === approvalId)?.details).eql({
      Account: '12345678901234567890',
      Amount: '12.5',
    });
  });

  it('each row of a list has a fixed value or takes one from the message', async () => {
    const details = [
      { name: 'Where', value: 'Home', type: 'str' },
      { name: 'Amount', value: 'order.amount', type: 'msg' },
      { name: 'By', value: '$uppercase(who)', type: 'jsonata' },
    ];
    const logos = [{ name: 'default', value: 'https://example.com/logo.png', type: 'str' }];
    const [{ approvalId }] = await ask(
      'onetouchSend',
      { authyId, order: { amount: 12.5 }, who: 'ada' },
      { message: 'Pay?', details: JSON.stringify(details), logos: JSON.stringify(logos) },
    );
    const response = await fetch(`${baseUrl}/simulator/approvals?status=pending&authyId=${authyId}`);
    const { approvals } = (await response.json()) as { approvals: Record<string, unknown>[] };
    const asked = approvals.find(({ uuid }) => uuid === approvalId);
    should(asked).have.properties({
      details: { Where: 'Home', Amount: '12.5', By: 'ADA' },
      logos: [{ res: 'default', url: 'https://example.com/logo.png' }],
    });
  });

  for (const [what, rows, expected] of [
    [
      'a row without a value',
      [{ name: 'Amount', value: 'order.amount', type: 'msg' }],
      /^msg\.order\.amount is missing\. Set it before this node, or change “Amount” in the node\./,
    ],
    ...['', ' '].map((name): [string, object[], RegExp] => [
      `a row with the name "${name}"`,
      [{ name, value: '', type: 'str' }],
      /^Details has a row without a name\./,
    ]),
    [
      'two rows with the same name',
      ['1', '2'].map((value) => ({ name: 'Amount', value, type: 'str' })),
      /^Details has two rows named “Amount”\./,
    ],
    [
      'a row whose expression is wrong',
      [{ name: 'Amount', value: '$sum(', type: 'jsonata' }],
      /^Details cannot be evaluated\./,
    ],
    ['something other than rows', { Amount: '12' }, /^Details is no list of rows/],
    [
      'a label that is too long',
      [{ name: 'x'.repeat(21), value: '1', type: 'str' }],
      /^Details has .* 1 to 20 characters/,
    ],
  ] as const) {
    it(`a list with ${what} is refused`, async () => {
      const started = await node('onetouchSend', { message: 'Pay?', details: JSON.stringify(rows) });
      const { caught, sent } = await started.deliver({ authyId, payload: 'untouched' });
      sent.should.eql([]);
      should(caught[0]?.error?.code).equal('AUTHY_INVALID_INPUT');
      should(caught[0]?.error?.message).match(expected);
      should(caught[0]?.payload).equal('untouched');
    });
  }

  for (const [what, name, properties, field] of [
    ['both of two inputs', 'phoneStatus', {}, 'verificationId'],
    [
      'the value of a row',
      'onetouchSend',
      { details: JSON.stringify([{ name: 'Amount', value: 'nowhere', type: 'jsonata' }]) },
      'details',
    ],
  ] as const) {
    it(`${what}: missing on the badge as well`, async () => {
      const { caught, sent } = await (await node(name, properties)).deliver({ authyId, message: 'Pay?' });
      should(sent).eql([]);
      should(caught[0]?.error?.code).equal('AUTHY_INVALID_INPUT');
      should(flow?.statuses.at(-1)).match({ fill: 'red', text: `${word('error.MISSING')}: ${field}` });
    });
  }

  it('an optional input may be left blank, whatever its type', async () => {
    for (const type of ['str', 'num', 'msg', 'flow', 'jsonata', 'env', 'json']) {
      const [made] = await ask('userQr', { authyId }, { size: '', sizeType: type });
      should(made['qrCode']).be.a.String();
    }
  });

  it('a missing property is named in the error', async () => {
    const ending = await (await node('userStatus')).deliver({ payload: 'untouched' });
    ending.sent.should.eql([]);
    ending.completed.should.equal(0);
    ending.caught.length.should.equal(1);
    const [caught] = ending.caught;
    should(caught?.error?.code).equal('AUTHY_INVALID_INPUT');
    should(caught?.error?.message).match(
      /^msg\.authyId is missing\. Set it before this node, or change “Authy ID” in the node\./,
    );
    should(caught?.payload).equal('untouched');
    should(flow?.statuses.at(-1)).match({ fill: 'red', text: `${word('error.MISSING')}: authyId` });
  });

  it('a property of a missing property is named in the error', async () => {
    const started = await node('userStatus', { authyId: 'user.id', authyIdType: 'msg' });
    const { caught } = await started.deliver({});
    should(caught[0]?.error?.message).match(/^msg\.user\.id is missing\. /);
  });

  it('an expression that fails is an error of the input', async () => {
    const ending = await (
      await node('userStatus', { authyId: '$error("no")', authyIdType: 'jsonata' })
    ).deliver({});
    should(ending.caught[0]?.error?.code).equal('AUTHY_INVALID_INPUT');
    should(ending.caught[0]?.error?.message).match(
      /^Authy ID cannot be evaluated\. .*Change its JSONata expression in the node/,
    );
  });

  it('an error of Authy is caught with its number, and the answer is in msg.authy', async () => {
    const ending = await (await node('userStatus')).deliver({ authyId: '999999', payload: 'untouched' });
    const [caught] = ending.caught;
    should(caught?.error?.code).equal('AUTHY_USER_NOT_FOUND');
    should(caught?.payload).equal('untouched');
    should(caught?.['authy']).match({
      operation: 'user-status',
      statusCode: 404,
      response: { error_code: '60026' },
    });
    should(flow?.statuses.at(-1)).eql({ fill: 'red', shape: 'ring', text: word('error.USER_NOT_FOUND') });
  });

  it('tokenVerify: Authy has no tokens of less than 6 digits: an error, and nothing is sent', async () => {
    const { sent, caught } = await (await node('tokenVerify')).deliver({ authyId: '209', payload: '12345' });
    should(sent).be.empty();
    should(caught[0]?.error).match({
      code: 'AUTHY_INVALID_INPUT',
      message: /^msg\.payload must be a token of 6 to 12 digits/,
    });
    const response = await fetch(`${baseUrl}/simulator/requests?path=/verify/12345/`);
    should(await response.json()).match({ requests: [] });
  });

  it('tokenVerify: a user who does not exist is an error, and never "invalid"', async () => {
    const ending = await (await node('tokenVerify')).deliver({ authyId: '999999', payload: '1234567' });
    ending.sent.should.eql([]);
    ending.completed.should.equal(0);
    should(ending.caught).match([
      {
        error: { code: 'AUTHY_USER_NOT_FOUND', message: /^Create the user first/ },
        authy: { operation: 'token-verify', statusCode: 401, response: { error_code: '60016' } },
      },
    ]);
    should(flow?.statuses.at(-1)).eql({ fill: 'red', shape: 'ring', text: word('error.USER_NOT_FOUND') });
  });

  it('the badge is blue while asking and shows the last outcome', async () => {
    await ask('tokenVerify', { authyId, payload: '0000000' });
    should(flow?.statuses).eql([
      { fill: 'blue', shape: 'dot', text: word('sending') },
      { fill: 'yellow', shape: 'dot', text: word('invalid') },
    ]);
  });

  it('of many messages at once, each ends once, and the badge counts them', async () => {
    const started = await node('userStatus');
    const endings = await Promise.all(Array.from({ length: 40 }, () => started.deliver({ authyId })));
    for (const ending of endings) (ending.sent.length + ending.completed).should.equal(2);
    started.statuses.should.matchAny((status: { text: string }) => status.text === `${word('sending')} (40)`);
    should(started.statuses.at(-1)?.text).equal(word('read'));
  });

  it('with thousands of messages, the badge is not set too often, and ends with the current state', async () => {
    const started = await node('tokenVerify', { token: 'x', tokenType: 'str' });
    const began = performance.now();
    for (let round = 0; round < 20; round++) {
      // These messages are refused before anything is sent: no message can end faster.
      await Promise.all(Array.from({ length: 100 }, () => started.deliver({ authyId })));
    }
    await eventually('the badge to show the last outcome', () =>
      started.statuses.at(-1)?.text === `${word('error.INVALID_INPUT')}: token` ? true : undefined,
    );
    const allowed = 100 + (performance.now() - began) / 100 + 1;
    started.statuses.length.should.be.belowOrEqual(allowed).and.be.below(4000);
  });

  it('an ignored SMS is an outcome, and the badge is yellow', async () => {
    await fetch(`${baseUrl}/simulator/users/${authyId}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ app: true }),
    });
    const [ignored] = await ask('tokenSms', { authyId });
    ignored.should.have.properties({ sent: false, ignored: true });
    should(flow?.statuses.at(-1)).have.property('fill', 'yellow');
  });
});
