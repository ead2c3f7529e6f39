import { inspect } from 'node:util';
import { Secret, TOTP } from 'otpauth';
import should from 'should';
import { exchanges } from '../support/exchanges';
import { type Ending, Flow } from '../support/flow';
import { temporaryDirectory } from '../support/node_red';
import { newNode } from '../support/operation_nodes';
import { ScriptedServer, type Step } from '../support/scripted_server';

const totp = new TOTP({ secret: new Secret({ size: 20 }) });
const secret = totp.secret.base32;
const hex = (digit: string): string => digit.repeat(32);

/** What holds the secret or a code of it, in any place. */
function leaksIn(canaries: readonly string[], ...places: readonly unknown[]): string[] {
  const text = places
    .map((place) => inspect(place, { depth: null, showHidden: true }) + JSON.stringify(place ?? null))
    .join('');
  return canaries.filter((canary) => text.toLowerCase().includes(canary.toLowerCase()));
}

describe('Secrets: those of authenticators', function () {
  this.timeout(60_000);
  const server = new ScriptedServer();
  let flow: Flow | undefined;
  before(() => server.start());
  after(() => server.stop());
  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  describe('an export', () => {
    const token = totp.generate();
    const right = { secret, otp: token, success: true };

    async function end(...steps: [Step, ...Step[]]): Promise<Ending> {
      server.script({ status: 200, json: exchanges.userExport.answer }, ...steps);
      await flow?.stop();
      flow = await Flow.start(
        newNode('userExport', { includeSecret: 'true', includeSecretType: 'bool' }),
        1,
        [{ id: 'account', type: 'authy-config', version: 2, service: 'authy', baseUrl: server.url }],
        { account: { apiKey: 'a-key-of-sixteen-letters' } },
      );
      return flow.deliver({ authyId: '209', requestTimeout: 1000 });
    }

    it('is in the payload, and nowhere else', async () => {
      const { sent, caught } = await end({ status: 200, json: right });
      should(caught).be.empty();
      const { payload, ...others } = sent[0]?.message ?? {};
      should(payload).containEql({ totpSecret: secret, token });
      should(leaksIn([secret, token], others, flow?.log, flow?.statuses)).eql([]);
    });

    const gossip = `the secret is ${secret.toLowerCase()}, the code ${token}`;
    const troubles: readonly (readonly [what: string, body: object, status?: number])[] = [
      ['a code that is none', { ...right, otp: `${token}x`, message: gossip }],
      ['a code as a number', { ...right, otp: Number(`1${token.slice(1)}`), message: gossip }],
      ['no code', { secret, success: true, message: gossip }],
      ['no success', { ...right, success: false, message: gossip }],
      ['success and an error', { ...right, error_code: '60154', message: gossip }],
      [
        'a refusal',
        { ...right, success: false, error_code: '60154', message: gossip, [gossip]: [gossip] },
        400,
      ],
      ['another success', { ...right, message: gossip }, 201],
      ['an error of the server', { ...right, message: gossip }, 500],
    ];
    for (const [what, body, status = 200] of troubles) {
      it(`${what}: in no error, answer, log or badge`, async () => {
        const { sent, caught } = await end({ status, json: body });
        should(sent).be.empty();
        should(caught).have.length(1);
        should(leaksIn([secret, token], caught, flow?.log, flow?.statuses)).eql([]);
      });
    }
  });

  describe('an import', () => {
    async function end(...steps: [Step, ...Step[]]): Promise<{ ending: Ending; token: string }> {
      server.script(...steps);
      flow = await Flow.start(
        newNode('userImport'),
        1,
        [
          {
            ...{ id: 'account', type: 'authy-config', version: 2, service: 'verify', approvalStore: 'files' },
            ...{ verifyServiceSid: `VA${hex('1')}`, verifyUser: `SK${hex('5')}`, verifyBaseUrl: server.url },
          },
        ],
        { account: { verifySecret: 'a-secret-of-sixteen-letters' } },
        { userDir: temporaryDirectory() },
      );
      const token = totp.generate();
      const payload = { totpSecret: secret, token };
      const message = { authyId: '209', phoneNumber: '+13175550142', payload, requestTimeout: 30_000 };
      return { ending: await flow.deliver(message), token };
    }

    const gossip = `the secret is ${secret}`;
    const uri = `otpauth://totp/a:b?secret=${secret}&algorithm=SHA1&digits=6&period=30`;
    const troubles: readonly (readonly [what: string, step: Step])[] = [
      ['a refusal', { status: 400, json: { code: 60200, message: gossip, more_info: gossip } }],
      ['too many factors', { status: 403, json: { code: 60315, message: gossip, binding: { secret, uri } } }],
      ['an answer about somebody else', { status: 201, json: { sid: 'YF1', binding: { secret, uri } } }],
      ['an answer that means nothing', { status: 201, json: { [gossip]: [{ [secret]: uri }] } }],
      ['an error of the server', { status: 500, json: { message: gossip, uri } }],
      ['a page', { status: 502, text: `<p>${gossip}</p>`, type: 'text/html' }],
      ['a broken connection', 'drop'],
    ];
    for (const [what, step] of troubles) {
      it(`${what}: in no error, answer, log or badge`, async () => {
        const { ending, token } = await end(step);
        should(ending.sent).be.empty();
        should(ending.caught).have.length(1);
        // What the flow has put into the payload stays there.
        const others = ending.caught.map((message) => ({ ...message, payload: null }));
        should(leaksIn([secret, token], others, flow?.log, flow?.statuses)).eql([]);
        should(server.seen).have.length(1);
        should(server.seen[0]?.body).containEql(secret);
      });
    }
  });
});
