import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import should from 'should';
import { Receiver } from './receiver';
import { credentials } from './verify_harness';

const cli = path.resolve(__dirname, '..', '..', 'nodes', 'simulator', 'cli.ts');

describe('simulator: the command', function () {
  this.timeout(30_000);

  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  function run(...args: string[]) {
    const child = spawn(process.execPath, ['--import', 'tsx', cli, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    const output = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      output.out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.err += chunk.toString();
    });
    return { child, output, exited: once(child, 'close').then(([code]) => code as number | null) };
  }

  async function ready(started: ReturnType<typeof run>): Promise<string> {
    while (!started.output.out.includes('\n')) {
      if (started.child.exitCode !== null) throw new Error(started.output.err);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return started.output.out;
  }

  /** The status of an answer under a name. */
  async function statusAs(name: string, url: string): Promise<number | undefined> {
    const request = http.get(url, { headers: { Host: name } });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  it('with --json prints one line when it is ready, works, and ends on a signal', async () => {
    const receiver = await new Receiver().start();
    const callbackUrl = `${receiver.url}/authy/callback`;
    const started = run('--port', '0', '--api-key', 'my-key', '--callback-url', callbackUrl, '--json');
    const line = await ready(started);
    const { url, ...rest } = JSON.parse(line) as { url: string };
    url.should.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    rest.should.eql({ apiKey: 'my-key', phone: `${url}/simulator/phone/` });
    (await fetch(`${url}/protected/json/app/details?api_key=my-key`)).status.should.equal(200);
    (await fetch(`${url}/simulator/phone/`)).status.should.equal(200);
    should(await (await fetch(`${url}/simulator/settings`)).json()).have.property('callbackUrl', callbackUrl);
    started.child.kill('SIGTERM');
    should(await started.exited).equal(0);
    started.output.should.eql({ out: line, err: '' });
    await receiver.stop();
  });

  it('without --json prints addresses and a generated key', async () => {
    const started = run('--port', '0');
    await ready(started);
    while (!started.output.out.includes('Ctrl+C')) await new Promise((resolve) => setTimeout(resolve, 20));
    started.output.out.should.match(/Authy simulator: nothing here reaches a real phone/);
    started.output.out.should.match(
      /Base URL {2}http:\/\/127\.0\.0\.1:\d+\n {2}API key {3}simulator-[0-9a-f]{32}\n/,
    );
    started.child.kill('SIGINT');
    should(await started.exited).equal(0);
  });

  it('with --verify says what clients of Twilio Verify need as well', async () => {
    const { accountSid, authToken, serviceSid, apiKeySid, apiKeySecret } = credentials;
    const given = ['--account-sid', accountSid, '--auth-token', authToken, '--service-sid', serviceSid];
    const keys = ['--api-key-sid', apiKeySid, '--api-key-secret', apiKeySecret];
    const started = run(
      ...['--port', '0', '--verify', '--json', '--api-key', 'my-key', '--custom-codes'],
      ...given,
      ...keys,
    );
    const line = await ready(started);
    const { url, ...rest } = JSON.parse(line) as { url: string };
    rest.should.eql({
      apiKey: 'my-key',
      phone: `${url}/simulator/phone/`,
      verify: { url, lookupsUrl: url, ...credentials },
    });
    const answer = await fetch(`${url}/v2/Services/${serviceSid}/Verifications`, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}` },
      body: new URLSearchParams({ To: '+13175550142', Channel: 'sms', CustomCode: '424242' }),
    });
    answer.status.should.equal(201);
    started.child.kill('SIGTERM');
    should(await started.exited).equal(0);
  });

  it('with --verify and without --json prints SIDs, token and secret of its own', async () => {
    const started = run('--port', '0', '--verify');
    await ready(started);
    while (!started.output.out.includes('Ctrl+C')) await new Promise((resolve) => setTimeout(resolve, 20));
    started.output.out.should.match(
      /Account SID {5}AC[0-9a-f]{32}\n {2}Auth token {6}simulator-[0-9a-f]{32}\n/,
    );
    started.output.out.should.match(
      /API key SID {5}SK[0-9a-f]{32}\n {2}API key secret {2}simulator-[0-9a-f]{32}\n/,
    );
    started.output.out.should.match(/Service SID {5}VA[0-9a-f]{32}\n/);
    started.child.kill('SIGINT');
    should(await started.exited).equal(0);
  });

  it('with --host listens there, answers under the names of that network, and warns', async () => {
    const given = ['--host', '0.0.0.0', '--allow-host', 'Simulator.Example.com', '--api-key', 'my-key'];
    const started = run('--port', '0', '--json', ...given);
    const { url } = JSON.parse(await ready(started)) as { url: string };
    url.should.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    const statuses = ['simulator', 'simulator.example.com', '192.168.1.10', 'evil.example'].map((name) =>
      statusAs(name, `${url}/simulator/users`),
    );
    should(await Promise.all(statuses)).eql([200, 200, 200, 403]);
    // On Linux all of 127.0.0.0/8 is this machine.
    if (process.platform === 'linux') {
      (await fetch(`${url.replace('127.0.0.1', '127.0.0.2')}/simulator/users`)).status.should.equal(200);
    }
    started.output.err.should.match(
      /^authy-simulator: WARNING: this protects nobody\. Whoever reaches it sees all codes/,
    );
    started.output.err.should.match(/\nauthy-simulator: begin the key with simulator-: [^\n]+\n$/);
    started.child.kill('SIGTERM');
    should(await started.exited).equal(0);
  });

  it('says in one line why it cannot listen on an address', async () => {
    // An address of documentation (RFC 5737), which no machine has.
    const started = run('--port', '0', '--host', '203.0.113.1', '--json');
    should(await started.exited).equal(1);
    started.output.err.should.match(/^authy-simulator: Cannot listen on port 0 of 203\.0\.113\.1: [^\n]+\n$/);
  });

  it('says in one line that the port is taken, with exit code 1', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const started = run('--port', String(port), '--json');
    should(await started.exited).equal(1);
    started.output.should.eql({
      out: '',
      err: `authy-simulator: Port ${port} on 127.0.0.1 is taken. Stop what uses it, or choose another one with --port.\n`,
    });
    server.close();
  });

  it('says in one line what is wrong with an option, with exit code 2', async () => {
    for (const args of [
      ['--port', '80a'],
      ['--port', '70000'],
      ['--api-key', 'a b'],
      ['--callback-url', 'nonsense'],
      ['--host', ''],
      ['--host', 'http://127.0.0.1'],
      ['--allow-host', 'simulator:4730'],
      ['--allow-host', '*'],
      ['--prot', '1'],
      ['extra'],
      ['--account-sid', credentials.accountSid],
      ['--custom-codes'],
      ['--verify', '--account-sid', 'AC1'],
      ['--verify', '--auth-token', 'a b'],
    ]) {
      const started = run(...args);
      should(await started.exited).equal(2, args.join(' '));
      started.output.out.should.equal('');
      started.output.err.should.match(/^authy-simulator: [^\n]+\n$/);
    }
  }).timeout(120_000);

  it('explains its options with --help', async () => {
    const started = run('--help');
    should(await started.exited).equal(0);
    started.output.out.should.containEql('--callback-url').and.containEql('simulator');
  });
});
