import dns from 'node:dns/promises';
import os from 'node:os';
import should from 'should';
import { Simulator } from '../../nodes/simulator/simulator';
import { Flow } from '../support/flow';
import { newNode, outputsOf } from '../support/operation_nodes';

describe('an account on a simulator of another machine', () => {
  let simulator: Simulator;
  /** Its address by a name of the private network, as another machine calls it. */
  let url: string;
  let flow: Flow | undefined;

  before(async function () {
    const name = os.hostname().toLowerCase();
    const found = await dns.lookup(name, 4).catch(() => undefined);
    if (found === undefined || (name.includes('.') && !name.endsWith('.local'))) {
      process.stderr.write(
        `  Skipped: ${name} is no name of a private network that leads to this machine.\n`,
      );
      this.skip();
    }
    simulator = new Simulator({ host: '0.0.0.0' });
    const { port } = new URL(await simulator.listen());
    url = `http://${name}:${port}`;
  });
  after(() => (simulator as Simulator | undefined)?.close());
  afterEach(() => flow?.stop());

  async function start(account: object, credentials: Record<string, string>): Promise<Flow> {
    const settings = { id: 'account', type: 'authy-config', version: 2, deadline: 5, ...account };
    flow = await Flow.start(newNode('appDetails'), outputsOf('appDetails'), [settings], {
      account: credentials,
    });
    return flow;
  }

  /** Every place says that such an account protects nobody. */
  function saysSo(running: Flow): void {
    running.log
      .filter((line) => line.includes(`this account asks a simulator (${url})`))
      .should.have.length(1);
    should(running.statuses.at(-1)?.text).endWith('· @flowauth/node-red-authy/authy-config:status.simulator');
  }

  it('works by plain http with the key that the simulator made, and says that it protects nobody', async () => {
    const running = await start({ service: 'authy', baseUrl: url }, { apiKey: simulator.apiKey });
    const { sent, caught } = await running.deliver({});
    should(caught).eql([]);
    should(sent[0]?.message.payload).have.property('name', 'Authy Simulator');
    saysSo(running);
  });

  it('works for Twilio Verify as well', async () => {
    const { serviceSid: verifyServiceSid, apiKeySid: verifyUser, apiKeySecret } = simulator.verify;
    const addresses = { verifyBaseUrl: url, verifyLookupsUrl: url };
    const running = await start(
      { service: 'verify', verifyServiceSid, verifyUser, ...addresses },
      { verifySecret: apiKeySecret },
    );
    const { sent, caught } = await running.deliver({});
    should(caught).eql([]);
    should(sent).have.length(1);
    saysSo(running);
  });

  it('with a key that may be a real one: an error, and nothing is sent', async () => {
    const before = await requests();
    const running = await start({ service: 'authy', baseUrl: url }, { apiKey: 'a-key-that-may-be-real' });
    const { caught } = await running.deliver({});
    should(caught[0]?.error).match({ code: 'AUTHY_BAD_CONFIG', message: /whose key begins with simulator-/ });
    (await requests()).should.equal(before);
  });

  async function requests(): Promise<number> {
    const answer = (await (await fetch(`${url}/simulator/requests`)).json()) as { count: number };
    return answer.count;
  }
});
