import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import should from 'should';
import { canonicalParams, type Params, signature } from '../../nodes/lib/services/authy/callback/signature';
import { Flow } from '../support/flow';
import { samples } from '../support/runs';
import { callbackAnswer } from '../support/signed_callback';

const apiKey = 'replays-test-key';
/** In seconds. */
const freshness = 300;

/** One callback that reaches the node. */
interface Call {
  request: number;
  decision: 'approved' | 'denied';
  method: 'POST' | 'GET';
  /** How old its nonce is, in seconds; not so near to the limit that a slow machine would cross it. */
  age: number;
  isForged: boolean;
}

const call: fc.Arbitrary<Call> = fc.record({
  request: fc.nat(4),
  decision: fc.constantFrom('approved' as const, 'denied' as const),
  method: fc.constantFrom('POST' as const, 'GET' as const),
  age: fc.oneof(
    { arbitrary: fc.integer({ min: -freshness + 60, max: freshness - 60 }), weight: 4 },
    { arbitrary: fc.integer({ min: freshness + 1, max: 1e9 }), weight: 1 },
    { arbitrary: fc.integer({ min: -1e9, max: -freshness - 60 }), weight: 1 },
  ),
  isForged: fc.boolean(),
});

describe('Attack: callbacks that are repeated, contradict each other, or are old', function () {
  this.timeout(0);
  let flow: Flow;

  before(async () => {
    const route = { url: '/callback', z: 'tab', wires: [['node']] };
    flow = await Flow.start(
      {
        id: 'node',
        type: 'authy-onetouch-callback',
        account: 'account',
        publicUrl: '',
        publicUrlType: 'str',
        trustForwarded: false,
        strict: false,
        freshness: 'enforce',
        freshnessWindow: freshness,
        maxSize: 64,
      },
      3,
      [
        { id: 'account', type: 'authy-config', service: 'authy', baseUrl: '', deadline: 5, maxInFlight: 10 },
        { id: 'post', type: 'http in', method: 'post', skipBodyParsing: true, ...route },
        { id: 'get', type: 'http in', method: 'get', ...route },
        { id: 'respond', type: 'http response', z: 'tab', wires: [] },
      ],
      { account: { apiKey } },
    );
    flow.wire('respond');
  });
  after(() => flow.stop());

  async function send({ decision, method, age, isForged }: Call, uuid: string): Promise<number> {
    const url = `${flow.url}/callback`;
    const params: Params = { ...callbackAnswer(decision), uuid };
    const nonce = String(Math.max(0, Math.floor(Date.now() / 1000) - age));
    const response = await fetch(method === 'GET' ? `${url}?${canonicalParams(params)}` : url, {
      method,
      headers: {
        'Content-Type': 'application/json',
        'X-Authy-Signature': signature({ apiKey: isForged ? 'another' : apiKey, nonce, method, url, params }),
        'X-Authy-Signature-Nonce': nonce,
      },
      body: method === 'GET' ? null : JSON.stringify(params),
    });
    await response.arrayBuffer();
    return response.status;
  }

  it('each request is decided once, by a genuine and fresh callback, in any mix of callbacks at once', async () => {
    const account = { calls: 0, decided: 0, again: 0, refused: 0 };
    for (const calls of samples(fc.array(call, { minLength: 5, maxLength: 40 }), 50)) {
      const uuids = Array.from({ length: 5 }, () => randomUUID());
      const first = [flow.all(0).length, flow.all(1).length] as const;
      const statuses = await Promise.all(calls.map((one) => send(one, uuids[one.request] ?? '')));
      const left = [flow.all(0).slice(first[0]), flow.all(1).slice(first[1])] as const;
      const ofRequest = (output: 0 | 1, uuid: string): number =>
        left[output].filter((message) => (message as { approvalId?: string }).approvalId === uuid).length;

      uuids.forEach((uuid, request) => {
        const mine = calls
          .map((one, index) => ({ ...one, status: statuses[index] }))
          .filter((one) => one.request === request);
        const believed = mine.filter(({ age, isForged }) => Math.abs(age) <= freshness && !isForged);
        const [approved, denied] = [ofRequest(0, uuid), ofRequest(1, uuid)];
        should(approved + denied).equal(believed.length > 0 ? 1 : 0);
        const decision = approved === 1 ? 'approved' : 'denied';
        for (const one of mine) {
          const isRight = believed.includes(one) && one.decision === decision;
          should(one.status).equal(isRight ? 200 : 403);
          account[isRight ? 'again' : 'refused'] += 1;
        }
        account.decided += approved + denied;
        account.again -= approved + denied;
        if (believed.length > 0) believed.some((one) => one.decision === decision).should.be.true();
      });
      account.calls += calls.length;
    }
    process.stdout.write(`      ${JSON.stringify(account)}\n`);
    for (const count of Object.values(account)) count.should.be.above(0);
  });
});
