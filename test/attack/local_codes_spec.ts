import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { inspect, promisify } from 'node:util';
import should from 'should';
import { renderSVG } from 'uqr';
import { watchComparisons } from '../support/comparisons';
import { authenticator, codeAt, LocalAccount, wrong, wrongFor } from '../support/local_account';
import { type FlowNode, NodeRed, root, runtimes } from '../support/node_red';
import { runs } from '../support/runs';
import { SetClock } from '../support/set_clock';

const cli = path.join(root, 'dist', 'lib', 'people', 'cli.js');
const phoneNumber = '+13175554876';
const email = 'canary@example.com';

describe('Attack: codes of this Node-RED', function () {
  this.timeout(300_000);
  let local: LocalAccount;
  let clock: SetClock;
  let authyId: string;

  beforeEach(async () => {
    clock = new SetClock();
    local = new LocalAccount();
    authyId = String((await local.ask('userCreate', { email, phoneNumber }))[0]['authyId']);
  });
  afterEach(async () => {
    await local.stop();
    clock.restore();
  });

  /** How often each result came, for messages that are given all at once. */
  async function resultsOf(
    name: 'tokenVerify' | 'phoneCheck',
    messages: readonly Record<string, unknown>[],
  ): Promise<Record<string, number>> {
    const flow = await local.start(name);
    const results: Record<string, number> = {};
    await new Promise<void>((resolve) => {
      let left = messages.length;
      const count = (reason: string): void => {
        results[reason] = (results[reason] ?? 0) + 1;
        if (--left === 0) resolve();
      };
      flow.onArrival('out0', () => count('valid'));
      flow.onArrival('out1', ({ payload }) => count((payload as { reason: string }).reason));
      flow.onArrival('caught', ({ error }) => count(error?.code ?? 'error'));
      for (const message of messages) flow.give(message);
    });
    flow.forgetCalls();
    return results;
  }

  const tokens = (number: number): string[] =>
    Array.from({ length: number }, (_, index) => String(index).padStart(6, '0'));

  describe('guessing', () => {
    it('10,000 wrong codes of an authenticator at once: five are judged', async () => {
      const { totp } = await local.confirmed(authyId);
      const right = [-1, 0, 1].map((step) => codeAt(totp, step));
      const guesses = tokens(runs(10_000)).filter((token) => !right.includes(token));
      const messages = guesses.map((payload) => ({ authyId, payload }));
      should(await resultsOf('tokenVerify', messages)).eql({
        wrong: 5,
        tooManyAttempts: guesses.length - 5,
      });
      should(await local.verify(authyId, codeAt(totp))).equal('tooManyAttempts');
    });

    it('1,000 wrong codes at once of a code that was sent: five are judged', async () => {
      const code = await local.send('tokenSms', authyId);
      const guesses = tokens(runs(1000)).filter((token) => token !== code);
      const messages = guesses.map((payload) => ({ authyId, payload }));
      should(await resultsOf('tokenVerify', messages)).eql({
        wrong: 5,
        tooManyAttempts: guesses.length - 5,
      });
      should(await local.verify(authyId, code)).equal('tooManyAttempts');
    });

    it('1,000 wrong recovery codes at once: five are judged', async () => {
      const { recoveryCodes } = await local.confirmed(authyId);
      const guesses = tokens(runs(1000)).map((token) => `900000${token}`);
      const wrongOnes = guesses.filter((token) => !recoveryCodes.includes(token));
      const results = await resultsOf(
        'tokenVerify',
        wrongOnes.map((payload) => ({ authyId, payload })),
      );
      should(results).eql({ wrong: 5, tooManyAttempts: wrongOnes.length - 5 });
      should(await local.verify(authyId, recoveryCodes[0] ?? '')).equal('tooManyAttempts');
    });

    it('1,000 wrong codes of a phone check at once: five are judged, and none of the next code', async () => {
      const number = '+13175550188';
      await local.ask('phoneStart', { phoneNumber: number });
      const code = local.newestCode;
      const all = Array.from({ length: 1000 }, (_, index) => String(index).padStart(4, '0'));
      const messages = all
        .filter((token) => token !== code)
        .map((payload) => ({ phoneNumber: number, payload }));
      should(await resultsOf('phoneCheck', messages)).eql({ wrong: 5, tooManyAttempts: messages.length - 5 });
      await local.ask('phoneStart', { phoneNumber: number });
      should(await resultsOf('phoneCheck', messages)).eql({ tooManyAttempts: messages.length });
    });

    it('of several nodes, and with new codes in between, no more than five in ten minutes', async () => {
      let judged = 0;
      for (let time = 0; time < 4; time++) {
        const code = await local.send('tokenSms', authyId);
        for (let tries = 0; tries < 3; tries++) {
          if ((await local.verify(authyId, wrong(code))) === 'wrong') judged += 1;
        }
      }
      should(judged).equal(5);
    });
  });

  describe('the same code many times at once', () => {
    it('of an authenticator, a code that was sent, a recovery code: valid once', async () => {
      const { totp, recoveryCodes } = await local.confirmed(authyId);
      const sent = await local.send('tokenSms', authyId);
      for (const [token, otherwise] of [
        [codeAt(totp), 'reused'],
        [sent, 'reused'],
      ] as const) {
        const messages = Array.from({ length: 300 }, () => ({ authyId, payload: token }));
        should(await resultsOf('tokenVerify', messages)).eql({ valid: 1, [otherwise]: 299 });
      }
      const messages = Array.from({ length: 300 }, () => ({ authyId, payload: recoveryCodes[0] }));
      should(await resultsOf('tokenVerify', messages)).eql({ valid: 1, wrong: 5, tooManyAttempts: 294 });
    });
  });

  describe('the clock, back and forth', () => {
    const jumps = [-86_400_000, 86_400_000, -3_600_000, 3_600_000, -660_000, 660_000, -60_000, 60_000];

    it('makes no code of an authenticator count twice', async () => {
      const { totp } = await local.confirmed(authyId);
      const used = new Set<string>();
      for (const jump of jumps) {
        clock.set(jump);
        const code = codeAt(totp);
        const result = await local.verify(authyId, code);
        if (result === 'valid') {
          should(used.has(code)).be.false();
          used.add(code);
        }
        should(await local.verify(authyId, code)).equal('reused');
      }
      should(used.size).be.above(0);
    });

    it('makes no code that has expired valid again', async () => {
      const code = await local.send('tokenSms', authyId);
      // Nobody looks at it until the clock is set back: what is stored does not know that it has expired.
      clock.pass(600_000);
      for (const jump of [-600_000, -1, -300_000, 600_000, -86_400_000]) {
        clock.set(jump);
        should(await local.verify(authyId, code)).equal('expired');
      }
    });
  });

  describe('what is compared', () => {
    const compared = watchComparisons();

    it('is compared in constant time, and of equal length', async () => {
      const { recoveryCodes } = await local.confirmed(authyId);
      const code = await local.send('tokenSms', authyId);
      compared.length = 0;
      should(await local.verify(authyId, wrong(code))).equal('wrong');
      should(compared.length).be.above(0);
      for (const [one, other] of compared) should(one).equal(other);
      compared.length = 0;
      should(await local.verify(authyId, wrong(recoveryCodes[0] ?? ''))).equal('wrong');
      // Ten recovery codes, and the code that was sent.
      should(compared.filter(([length]) => length === 55)).have.length(11);
    });
  });

  describe('secrets', () => {
    it('are in nothing that leaves, and in no file', async () => {
      const { totp, recoveryCodes } = await local.confirmed(authyId);
      const secret = totp.secret.base32;
      const seen: string[] = [];
      const look = (...more: unknown[]): void => {
        const { log = [], statuses = [] } = local.flow ?? {};
        seen.push(JSON.stringify([log, statuses]), inspect(more, { depth: null, showHidden: true }));
      };
      const codes: string[] = [];
      for (const name of ['tokenSms', 'tokenCall', 'tokenEmail'] as const) {
        look(await local.end(name, { authyId }, { force: 'true', forceType: 'bool' }));
        codes.push(local.newestCode);
      }
      look(
        await local.end(
          'phoneStart',
          { phoneNumber: '+13175550189' },
          { codeLength: '10', codeLengthType: 'num' },
        ),
      );
      codes.push(local.newestCode);
      for (const name of ['userStatus', 'userActivity', 'appDetails', 'appStats'] as const) {
        look(await local.end(name, { authyId }, name === 'userActivity' ? { activity: 'banned' } : {}));
      }
      for (const token of [wrongFor(totp), codeAt(totp, -9)]) {
        await local.end('tokenVerify', { authyId, payload: token });
        look();
      }
      const all = seen.join('\n');
      for (const canary of [secret, ...recoveryCodes, ...codes]) should(all).not.containEql(canary);
      const { log = [] } = local.flow ?? {};
      for (const personal of [phoneNumber, email, '3175554876']) should(log.join()).not.containEql(personal);
      for (const file of filesIn(local.userDir)) {
        const text = fs.readFileSync(file, 'utf8');
        for (const canary of [secret, ...recoveryCodes, ...codes])
          should(text.includes(canary)).be.false(file);
      }
    });

    it('a QR code is new each time', async () => {
      const secrets = new Set<string>();
      for (let time = 0; time < 3; time++) {
        const { totp } = await local.newAuthenticator(authyId);
        secrets.add(totp.secret.base32);
        should(renderSVG(totp.toString())).startWith('<svg');
      }
      should(secrets.size).equal(3);
    });
  });
});

describe('Attack: codes of this Node-RED, across its end', function () {
  this.timeout(300_000);
  let nodeRed: NodeRed;

  before(async function () {
    const [runtime] = runtimes;
    if (runtime === undefined) throw new Error('There is no Node-RED to run.');
    nodeRed = await NodeRed.start(this, runtime);
    const place = { z: 'tab', x: 10, y: 10 };
    const nodes: (FlowNode & { wires?: string[][] })[] = [
      { id: 'tab', type: 'tab' },
      { ...place, id: 'in', type: 'http in', url: '/verify', method: 'get', wires: [['read']] },
      {
        ...place,
        id: 'read',
        type: 'change',
        rules: ['authyId', 'token'].map((name) => ({
          t: 'set',
          p: name,
          pt: 'msg',
          to: `payload.${name}`,
          tot: 'msg',
        })),
        wires: [['verify']],
      },
      {
        ...place,
        id: 'verify',
        type: 'authy-token-verify',
        account: 'account',
        authyId: 'authyId',
        authyIdType: 'msg',
        token: 'token',
        tokenType: 'msg',
        wires: [['out'], ['out']],
      },
      { ...place, id: 'catch', type: 'catch', scope: null, wires: [['why']] },
      {
        ...place,
        id: 'why',
        type: 'change',
        rules: [{ t: 'set', p: 'payload', pt: 'msg', to: '{"reason": error.message}', tot: 'jsonata' }],
        wires: [['out']],
      },
      { ...place, id: 'out', type: 'http response', wires: [] },
      { id: 'account', type: 'authy-config', version: 2, service: 'local', approvalStore: 'files' },
    ];
    await nodeRed.deploy(nodes);
  });
  after(() => (nodeRed as NodeRed | undefined)?.stop());

  const folder = (): string => path.join(nodeRed.userDir, 'authy-people');

  /** Somebody with an authenticator, who comes in a list while Node-RED is stopped. It runs afterwards. */
  async function personWith(authyId: string, phoneNumber: string, secret: string): Promise<void> {
    await nodeRed.stop();
    const list = path.join(nodeRed.userDir, 'list.csv');
    fs.writeFileSync(list, `authyId,phoneNumber,totpSecret\n${authyId},${phoneNumber},${secret}\n`);
    const command = [cli, 'import', '--account', 'account', '--user-dir', nodeRed.userDir, list];
    await promisify(execFile)(process.execPath, command);
    await nodeRed.startAgain();
  }

  async function verify(authyId: string, token: string): Promise<unknown> {
    const query = new URLSearchParams({ authyId, token }).toString();
    const response = await fetch(`${nodeRed.nodeUrl}verify?${query}`);
    const text = await response.text();
    const { valid, reason = text } = JSON.parse(text) as { valid?: boolean; reason?: string };
    return valid === true ? 'valid' : reason;
  }

  it('a code that was used does not count after it was killed, and neither does a lock end', async () => {
    const [authyId, secret] = ['7001', 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'];
    const totp = authenticator(secret);
    await personWith(authyId, '+13175550171', secret);
    const code = codeAt(totp);
    should(await verify(authyId, code)).equal('valid');
    await nodeRed.kill();
    await nodeRed.startAgain();
    should(await verify(authyId, code)).not.equal('valid');
    const right = [-2, -1, 0, 1, 2, 3, 4].map((step) => codeAt(totp, step));
    const guess = ['000000', '111111'].find((token) => !right.includes(token)) ?? '222222';
    for (let tries = 0; tries < 6; tries++) await verify(authyId, guess);
    should(await verify(authyId, guess)).equal('tooManyAttempts');
    await nodeRed.kill();
    await nodeRed.startAgain();
    should(await verify(authyId, codeAt(totp, 1))).equal('tooManyAttempts');
  });

  it('a restored backup does not bring codes back whose time is over', async () => {
    const [authyId, secret] = ['7002', 'KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU'];
    const totp = authenticator(secret);
    await personWith(authyId, '+13175550172', secret);
    await nodeRed.stop();
    const backup = `${nodeRed.userDir}/backup`;
    fs.cpSync(folder(), backup, { recursive: true });
    await nodeRed.startAgain();
    should(await verify(authyId, codeAt(totp))).equal('valid');
    const over = codeAt(totp, -3);
    await nodeRed.kill();
    fs.rmSync(folder(), { recursive: true });
    fs.cpSync(backup, folder(), { recursive: true });
    await nodeRed.startAgain();
    should(await verify(authyId, over)).equal('wrong');
    should(await verify(authyId, codeAt(totp, 1))).equal('valid');
  });
});

function filesIn(folder: string): string[] {
  return (fs.readdirSync(folder, { recursive: true }) as string[])
    .map((file) => path.join(folder, file))
    .filter((file) => fs.statSync(file).isFile());
}
