import should from 'should';
import { type Params, signature } from '../../nodes/lib/services/authy/callback/signature';
import { type Answer, Harness, key } from './harness';
import { type Received, Receiver } from './receiver';

/** Longer than any test: a callback that is so late never comes. */
const forEver = 600_000;

describe('simulator: callbacks with faults', () => {
  const harness = new Harness();
  const receiver = new Receiver();
  let id: number;
  before(async () => {
    await harness.start();
    await receiver.start();
  });
  after(async () => {
    await harness.stop();
    await receiver.stop();
  });
  beforeEach(async () => {
    await harness.control('POST', '/reset');
    await harness.control('PUT', '/settings', { callbackUrl: receiver.url });
    receiver.received.length = 0;
    receiver.status = 200;
    id = await harness.createUser();
  });

  const set = async (...faults: object[]): Promise<void> => {
    (await harness.control('PUT', '/faults', { faults })).status.should.equal(200);
  };
  const left = async (): Promise<unknown> => (await harness.control('GET', '/faults')).body['faults'];
  const answer = (uuid: string, text = 'approve'): Promise<Answer> =>
    harness.control('POST', `/approvals/${uuid}`, { answer: text });
  const answerNew = async (): Promise<Answer> => answer(await harness.createApproval(id));
  const statusOf = async (uuid: string): Promise<unknown> => {
    const { body } = await harness.api('GET', `/onetouch/json/approval_requests/${uuid}`);
    return (body['approval_request'] as Params)['status'];
  };
  const underWay = (): object => ({ url: receiver.url, method: 'POST' });
  const delivered = (): object => ({ ...underWay(), status: 200 });
  const paramsOf = ({ body }: Received): Params => JSON.parse(body) as Params;
  const isSigned = (request: Received): boolean => {
    const nonce = String(request.headers['x-authy-signature-nonce']);
    const params = paramsOf(request);
    return (
      request.headers['x-authy-signature'] ===
      signature({ apiKey: key, nonce, method: 'POST', url: receiver.url, params })
    );
  };

  it('callbackLost: the callback is not sent', async () => {
    await set({ kind: 'callbackLost' });
    const uuid = await harness.createApproval(id);
    const { status, body } = await answer(uuid);
    status.should.equal(200);
    should(body['callback']).eql({
      ...underWay(),
      failure: 'lost',
      error: 'the simulator was told to lose it',
    });
    should(await statusOf(uuid)).equal('approved');
    receiver.received.should.be.empty();
  });

  it('callbackLate: the answer counts at once, and the callback is sent later', async () => {
    await set({ kind: 'callbackLate', ms: forEver, times: 1 }, { kind: 'callbackLate', ms: 30, times: 1 });
    const waiting = await harness.createApproval(id);
    const { status, body } = await answer(waiting, 'deny');
    status.should.equal(200);
    should(body).have.properties({ status: 'denied', callback: underWay() });
    should(await statusOf(waiting)).equal('denied');
    (await answer(waiting)).status.should.equal(409);

    const uuid = await harness.createApproval(id);
    should((await answer(uuid)).body).have.properties({ status: 'approved', callback: underWay() });
    (await harness.reported(uuid)).should.eql(delivered());
    receiver.received.should.have.length(1);
    should(receiver.received.map(paramsOf)).match([{ uuid, status: 'approved' }]);
    receiver.received.every(isSigned).should.be.true();
    should((await harness.approval(waiting)).callback).eql(underWay());
  });

  it('callbackLate: the callback goes to the address that was set when the request was answered', async () => {
    await set({ kind: 'callbackLate', ms: 100 });
    const uuid = await harness.createApproval(id);
    await answer(uuid);
    await harness.control('PUT', '/settings', { callbackUrl: null, callbackMethod: 'POST' });
    (await harness.reported(uuid)).should.eql(delivered());
  });

  it('callbackLate: a waiting callback ends with the simulator, and does not keep the process alive', async () => {
    await set({ kind: 'callbackLate', ms: forEver });
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const uuid = await harness.createApproval(id);
    const before = timers();
    await answer(uuid);
    timers().should.not.be.above(before);
    await harness.stop();
    await harness.start();
    (await harness.reported(uuid)).should.eql({
      ...underWay(),
      failure: 'stopped',
      error: 'the simulator was stopped',
    });
    receiver.received.should.be.empty();
  });

  it('callbackLate: many callbacks may be waiting', async () => {
    await set({ kind: 'callbackLate', ms: 300 });
    const warnings: string[] = [];
    const warned = ({ name }: Error) => warnings.push(name);
    process.on('warning', warned);
    const uuids: unknown[] = [];
    for (let number = 0; number < 30; number++) uuids.push((await answerNew()).body['uuid']);
    for (const uuid of uuids) (await harness.reported(String(uuid))).should.eql(delivered());
    process.off('warning', warned);
    warnings.should.not.containEql('MaxListenersExceededWarning');
    receiver.received.map((request) => paramsOf(request)['uuid']).should.containDeep(uuids);
  });

  it('callbackLate: the callback is not sent if the simulator was reset', async () => {
    await set({ kind: 'callbackLate', ms: 1000 });
    await answerNew();
    await harness.control('POST', '/reset');
    receiver.received.length = 0;
    await set({ kind: 'callbackLate', ms: 200 });
    const uuid = await harness.createApproval(await harness.createUser());
    await answer(uuid);
    (await harness.reported(uuid)).should.eql(delivered());
    receiver.received.map((request) => paramsOf(request)['uuid']).should.eql([uuid]);
  });

  it('callbackRepeated: the callback is sent so many times, whatever the receiver answers', async () => {
    await set({ kind: 'callbackRepeated', copies: 3 });
    for (const status of [200, 500]) {
      receiver.received.length = 0;
      receiver.status = status;
      const { body } = await answerNew();
      should(body['callback']).eql({ ...underWay(), status });
      receiver.received.should.have.length(3);
      new Set(receiver.received.map(({ body }) => body)).size.should.equal(1);
      receiver.received.every(isSigned).should.be.true();
    }
  });

  it('callbackForged: the callback has a wrong signature', async () => {
    await set({ kind: 'callbackForged', times: 1 });
    const { body } = await answerNew();
    should(body['callback']).eql(delivered());
    const [forged] = receiver.received;
    String(forged?.headers['x-authy-signature']).should.match(/^[A-Za-z0-9+/]{43}=$/);
    should(receiver.received.map(paramsOf)).match([{ status: 'approved' }]);
    receiver.received.some(isSigned).should.be.false();
    await answerNew();
    receiver.received.map(isSigned).should.eql([false, true]);
  });

  it('callbackContradicts: the callback is signed, and says the opposite of the status', async () => {
    await set({ kind: 'callbackContradicts' });
    for (const [text, status, opposite] of [
      ['approve', 'approved', 'denied'],
      ['deny', 'denied', 'approved'],
    ] as const) {
      receiver.received.length = 0;
      const uuid = await harness.createApproval(id);
      should((await answer(uuid, text)).body).have.properties({ status, callback: delivered() });
      should(await statusOf(uuid)).equal(status);
      receiver.received.should.have.length(1);
      should(receiver.received.map(paramsOf)).match([
        { uuid, status: opposite, approval_request: { transaction: { uuid, status: opposite } } },
      ]);
      receiver.received.every(isSigned).should.be.true();
    }
  });

  it('faults of different kinds can be combined', async () => {
    await set(
      { kind: 'callbackContradicts' },
      { kind: 'callbackForged' },
      { kind: 'callbackRepeated', copies: 2 },
      { kind: 'callbackLate', ms: 30 },
    );
    const uuid = await harness.createApproval(id);
    should((await answer(uuid)).body['callback']).eql(underWay());
    (await harness.reported(uuid)).should.eql(delivered());
    should(receiver.received.map(paramsOf)).match([
      { uuid, status: 'denied' },
      { uuid, status: 'denied' },
    ]);
    receiver.received.map(isSigned).should.eql([false, false]);
  });

  it('a fault is limited to a number of callbacks, and two of the same kind apply one after the other', async () => {
    await set(
      { kind: 'callbackRepeated', copies: 2, times: 1 },
      { kind: 'callbackRepeated', copies: 3, times: 2 },
      { kind: 'callbackLost', times: 1 },
      { kind: 'callbackForged', times: 1 },
    );
    await answerNew();
    receiver.received.should.be.empty();
    should(await left()).eql([
      { kind: 'callbackRepeated', copies: 3, times: 2 },
      { kind: 'callbackForged', times: 1 },
    ]);
    await answerNew();
    receiver.received.map(isSigned).should.eql([false, false, false]);
    should(await left()).eql([{ kind: 'callbackRepeated', copies: 3, times: 1 }]);
    await answerNew();
    receiver.received.should.have.length(6);
    should(await left()).eql([]);
    await answerNew();
    receiver.received.should.have.length(7);
  });

  it('a fault is not used up if no callback is due', async () => {
    const faults = [{ kind: 'callbackLate', ms: forEver, times: 1 }];
    await harness.control('PUT', '/settings', { callbackUrl: null });
    await set(...faults);
    should((await answerNew()).body['callback']).have.property('error', 'no callback URL set');
    should(await left()).eql(faults);
  });

  it('faults of callbacks do not apply to requests, nor faults of requests to callbacks', async () => {
    const ofCallbacks = [
      { kind: 'callbackLost', times: 1 },
      { kind: 'callbackLate', ms: forEver, times: 1 },
      { kind: 'callbackRepeated', copies: 2, times: 1 },
      { kind: 'callbackForged', times: 1 },
      { kind: 'callbackContradicts', times: 1 },
    ];
    await set(...ofCallbacks);
    const uuid = await harness.createApproval(id);
    should(await statusOf(uuid)).equal('pending');
    should(await left()).eql(ofCallbacks);
    const ofRequests = [
      { kind: 'latency', ms: forEver, times: 1 },
      { kind: 'status', status: 500, times: 1 },
    ];
    await set(...ofRequests);
    should((await answer(uuid)).body['callback']).eql(delivered());
    should(await left()).eql(ofRequests);
  });

  it('a latency can be limited to the path of the status', async () => {
    await set({ kind: 'latency', ms: 1, path: '/onetouch/json/approval_requests/' });
    const uuid = await harness.createApproval(id);
    should(await statusOf(uuid)).equal('pending');
    const { body } = await harness.control('GET', '/requests?path=approval_requests');
    should(body['requests']).match([
      { method: 'POST', fault: null },
      { method: 'GET', fault: 'latency', status: 200 },
    ]);
  });

  it('a wrong fault is refused with the reason', async () => {
    for (const [fault, problem] of [
      [{ kind: 'callbackLost', method: 'POST' }, /faults\[0\]\.method is not known; .* kind, times\./],
      [
        { kind: 'callbackLate', ms: 1, path: '/sms/' },
        /faults\[0\]\.path is not known; .* kind, ms, times\./,
      ],
      [{ kind: 'callbackForged', after: true }, /faults\[0\]\.after is not known; .*callbackForged/],
      [{ kind: 'callbackContradicts', times: 0 }, /faults\[0\]\.times has to be a whole number from 1/],
      [{ kind: 'callbackLate' }, /faults\[0\]\.ms has to be milliseconds from 0 to 600000/],
      [{ kind: 'callbackRepeated' }, /faults\[0\]\.copies has to be a whole number from 2 to 10/],
      [{ kind: 'callbackRepeated', copies: 1 }, /copies/],
      [{ kind: 'callbackRepeated', copies: 11 }, /copies/],
      [{ kind: 'drop', copies: 2 }, /faults\[0\]\.copies is not known/],
      [{ kind: ['drop'] }, /faults\[0\]\.kind has to be one of status, .*callbackContradicts\./],
    ] as const) {
      const { status, body } = await harness.control('PUT', '/faults', { faults: [fault] });
      status.should.equal(400);
      should(body['error']).match(problem);
    }
  });

  it('the index describes the faults', async () => {
    const { requests, callbacks } = (await harness.control('GET', '')).body['faults'] as Record<
      string,
      Record<string, Params>
    >;
    should(requests?.['kinds']).have.properties('status', 'drop').and.not.have.property('callbackLost');
    should(requests?.['scope']).have.keys('method', 'path', 'times', 'after');
    should(callbacks).eql({
      kinds: {
        callbackLost: {},
        callbackLate: { ms: 'milliseconds from 0 to 600000' },
        callbackRepeated: { copies: 'a whole number from 2 to 10' },
        callbackForged: {},
        callbackContradicts: {},
      },
      scope: { times: 'a whole number from 1; optional' },
    });
  });
});
