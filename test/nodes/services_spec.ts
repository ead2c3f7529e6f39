import { randomUUID } from 'node:crypto';
import should from 'should';
import { operations } from '../../nodes/lib/contract/operations';
import type { OperationName } from '../../nodes/lib/contract/results';
import type { Abilities, Performed } from '../../nodes/lib/contract/service';
import { migrated } from '../../nodes/lib/node/migrate';
import { addService } from '../../nodes/lib/services/registry';
import { AuthyError } from '../../nodes/lib/contract/errors';
import { filesOf, read } from '../contract/panels';
import { ownGate } from '../support/approval_gate';
import { type Exchange, exchanges, onAuthy } from '../support/exchanges';
import { type Ending, Flow } from '../support/flow';
import { type Does, memoryService } from '../support/memory_service';
import { outputsOf } from '../support/operation_nodes';
import { ScriptedServer, type Step } from '../support/scripted_server';

const names = Object.keys(operations) as OperationName[];
/** A call of each operation: those of Authy's documentation, and what Authy does not do. */
const calls: Record<OperationName, Pick<Exchange, 'inputs' | 'result'>> = {
  ...exchanges,
  userImport: {
    inputs: { authyId: '209', phoneNumber: '+13173389302', totpSecret: 'JBSWY3DPEHPK3PXP' },
    result: { authyId: '209', phoneNumber: '+13173389302', countryCode: '1', authenticator: 'imported' },
  },
  userInvite: {
    inputs: { authyId: '209' },
    result: {
      authyId: '209',
      url: 'https://home.example/approve/#i=209.x',
      qrCode: 'data:image/svg+xml;base64,',
      expiresAt: '2026-01-01T00:10:00.000Z',
    },
  },
};
const approvalId = '4a725520-bff5-0135-eb01-0e5d90336a8c';

/** A yes, or what takes the place of one. */
function status(outcome: string): Performed<'onetouchStatus'> {
  const result = {
    approvalId,
    authyId: '209',
    status: 'approved',
    notified: true,
    createdAt: '2026-01-01T00:00:00Z',
    processedAt: '2026-01-01T00:00:01Z',
    secondsToExpire: null,
  };
  return { outcome, result } as Performed<'onetouchStatus'>;
}

const sent = (): Performed<'onetouchSend'> => ({
  outcome: 'sent',
  result: { approvalId, authyId: '209', status: 'pending' },
});

describe('A service', () => {
  let flow: Flow | undefined;
  let remove: (() => void) | undefined;

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
    remove?.();
    remove = undefined;
  });

  async function start(
    node: Record<string, unknown> & { type: string },
    outputs: number,
    does: Does | undefined,
    refuses: Partial<Abilities> = {},
  ): Promise<Flow> {
    await flow?.stop();
    remove?.();
    remove = does && addService(memoryService('memory', does, refuses));
    flow = await Flow.start({ id: 'node', account: 'account', ...node }, outputs, [
      { id: 'account', type: 'authy-config', version: 2, service: 'memory', approvalStore: 'context' },
    ]);
    return flow;
  }

  /** A node with fixed inputs, those of the documented exchange. */
  function asking(name: OperationName): Record<string, unknown> & { type: string } {
    const inputs = Object.entries(calls[name].inputs);
    const properties = inputs.flatMap(([input, value]): [string, unknown][] => {
      const isText = typeof value === 'string';
      return [
        [input, isText ? value : JSON.stringify(value)],
        [`${input}Type`, isText ? 'str' : 'json'],
      ];
    });
    return { ...Object.fromEntries(properties), type: operations[name].node };
  }

  async function operate(name: OperationName, does: Does | undefined): Promise<Ending> {
    return (await start(asking(name), outputsOf(name), does)).deliver({});
  }

  /** The same on Authy. */
  async function operateOnAuthy(name: OperationName, step: Step): Promise<Ending> {
    const server = await new ScriptedServer().start();
    server.script(step);
    await flow?.stop();
    flow = await Flow.start(
      { id: 'node', account: 'account', ...asking(name) },
      outputsOf(name),
      [{ id: 'account', type: 'authy-config', version: 2, service: 'authy', baseUrl: server.url }],
      { account: { apiKey: 'a-key-of-sixteen-letters' } },
    );
    const ending = await flow.deliver({});
    await server.stop();
    return ending;
  }

  /** How a message ended and what its node showed, without what the service alone can say. */
  function seen({ sent, caught, completed }: Ending): object {
    const same = { service: '', statusCode: undefined, response: undefined };
    return {
      sent: sent.map(({ output, message }) => ({
        output,
        message: { ...message, authy: { ...(message as { authy?: object }).authy, ...same } },
      })),
      caught: caught.map(({ error }) => error?.code),
      completed,
      statuses: flow?.statuses,
    };
  }

  for (const name of names) {
    it(`${name}: an outcome that is not its own is an error, and leaves by no output`, async () => {
      const { result } = calls[name];
      for (const outcome of ['another', '', 'constructor', undefined, 0]) {
        const does = { [name]: () => ({ outcome, result }) } as unknown as Does;
        const { sent, caught, completed } = await operate(name, does);
        should(sent).be.empty();
        should(completed).equal(0);
        should(caught.map(({ error }) => error?.code)).eql(['AUTHY_BAD_RESPONSE']);
      }
    });

    it(`${name}: what the service does not do is said at deploy and by each message`, async () => {
      const { sent, caught } = await operate(name, {});
      should(sent).be.empty();
      should(caught[0]?.error).match({
        code: 'AUTHY_NOT_SUPPORTED',
        message: new RegExp(`Leave out ${name}`),
      });
      const { log = [], statuses = [] } = flow ?? {};
      should(log.some((line) => line.includes(`Leave out ${name}`))).be.true();
      should(statuses[0]).match({ fill: 'red', shape: 'ring', text: /NOT_SUPPORTED$/ });
    });

    it(`${name}: a service that is not there is a wrong setting`, async () => {
      const { sent, caught } = await operate(name, undefined);
      should(sent).be.empty();
      should(caught[0]?.error).match({ code: 'AUTHY_BAD_CONFIG', message: /Service: choose one of / });
    });
  }

  for (const name of onAuthy) {
    it(`${name}: a message goes on from any service as it does from Authy`, async () => {
      const { answer, outcome, result } = exchanges[name];
      const does = { [name]: () => ({ outcome, result: structuredClone(result) }) } as unknown as Does;
      const expected = seen(await operateOnAuthy(name, { status: 200, json: answer }));
      should(seen(await operate(name, does))).eql(expected);
      should(flow?.statuses).not.be.empty();
    });

    it(`${name}: an error of any service is caught as one of Authy's is`, async () => {
      const does = {
        [name]: () => {
          throw new AuthyError('AUTHY_INVALID_API_KEY', 'Enter another key.');
        },
      } as unknown as Does;
      const refused = { error_code: '60001', message: 'Invalid API key', success: false };
      const expected = seen(await operateOnAuthy(name, { status: 401, json: refused }));
      should(expected).match({ sent: [], caught: ['AUTHY_INVALID_API_KEY'], completed: 0 });
      should(seen(await operate(name, does))).eql(expected);
    });
  }

  it('that refuses a value of an input: an error that names it, and nothing is performed', async () => {
    const refuses: Partial<Abilities> = {
      onetouchSend: { refuses: { logos: { reason: 'leave it out.' } } },
    };
    let performed = 0;
    const does: Does = {
      onetouchSend: () => {
        performed += 1;
        return sent();
      },
    };
    const node = {
      type: 'authy-onetouch-send',
      authyId: '209',
      authyIdType: 'str',
      message: 'Open?',
      messageType: 'str',
    };
    const list = [{ res: 'default', url: 'https://example.com/a.png' }];
    const logos = { logos: JSON.stringify(list), logosType: 'json' };
    const { sent: left, caught } = await (await start({ ...node, ...logos }, 1, does, refuses)).deliver({});
    should(left).be.empty();
    should(caught[0]?.error).match({ code: 'AUTHY_NOT_SUPPORTED', message: /Logos: leave it out\./ });
    should(performed).equal(0);
    should((await (await start(node, 1, does, refuses)).deliver({})).sent).have.length(1);
    should(performed).equal(1);
  });

  it('that refuses a fixed value: said at deploy as well, and not of a value that comes with the message', async () => {
    const refuses: Partial<Abilities> = {
      onetouchSend: { refuses: { secondsToExpire: { atMost: 3600, reason: 'an hour at most.' } } },
    };
    const asks = { authyId: '209', authyIdType: 'str', message: 'Open?', messageType: 'str' };
    const saidAtDeploy = async (node: Record<string, unknown> & { type: string }): Promise<boolean> => {
      await start(
        { ...asks, ...node },
        3,
        { onetouchSend: sent, onetouchStatus: () => status('approved') },
        refuses,
      );
      const said =
        flow?.log.some((line) =>
          /^(?:Expires in \(s\)|Environment variable SECONDS_FOR_A_TEST): an hour at most\.$/.test(line),
        ) ?? false;
      should(flow?.statuses.at(0)?.text?.endsWith('NOT_SUPPORTED') ?? false).equal(said);
      return said;
    };
    const seconds = (value: string, kind: string) => ({ secondsToExpire: value, secondsToExpireType: kind });
    const send = { type: 'authy-onetouch-send' };
    process.env['SECONDS_FOR_A_TEST'] = '3601';
    should(await saidAtDeploy({ ...send, ...seconds('3601', 'num') })).be.true();
    should(await saidAtDeploy({ ...send, ...seconds('SECONDS_FOR_A_TEST', 'env') })).be.true();
    should(await saidAtDeploy({ ...send, ...seconds('3600', 'num') })).be.false();
    should(await saidAtDeploy({ ...send, ...seconds('later', 'num') })).be.false();
    should(await saidAtDeploy({ ...send, ...seconds('seconds', 'msg') })).be.false();
    // A gate offers a request for as long as it waits.
    should(await saidAtDeploy(ownGate({ timeout: '3601' }))).be.true();
    should(await saidAtDeploy(ownGate({ timeout: '3600' }))).be.false();
    should(await saidAtDeploy(ownGate({ timeout: '3601', ...seconds('60', 'num') }))).be.false();
    delete process.env['SECONDS_FOR_A_TEST'];
  });

  describe('at an approval gate', () => {
    const gate = ownGate({ timeout: '5', maxOpen: 0 });

    async function ask(outcome: string): Promise<Ending> {
      return (await start(gate, 3, { onetouchSend: sent, onetouchStatus: () => status(outcome) })).deliver({
        authyId: '209',
      });
    }

    it('a yes lets the message out', async () => {
      const { sent: left } = await ask('approved');
      should(left).match([{ output: 0, message: { payload: { decision: 'approved' } } }]);
      should(left[0]?.message['authy']).have.property('service', 'memory');
    });

    for (const outcome of ['another', 'sent', '', 'toString']) {
      it(`"${outcome}" is never one`, async () => {
        const { sent: left, caught } = await ask(outcome);
        should(caught).be.empty();
        should(left).match([
          { output: 2, message: { payload: { decision: 'expired', reason: 'statusUnreadable' } } },
        ]);
      });
    }

    it('that does not ask: said at deploy and by each message', async () => {
      const { caught } = await (await start(gate, 3, {})).deliver({ authyId: '209' });
      should(caught[0]?.error?.code).equal('AUTHY_NOT_SUPPORTED');
      should(flow?.log.some((line) => line.includes('Leave out onetouchSend'))).be.true();
    });

    it('that refuses a value: before the guard rails count the request', async () => {
      const refuses: Partial<Abilities> = {
        onetouchSend: { refuses: { message: { accepts: ['yes'], reason: 'say something else.' } } },
      };
      const strict = { ...gate, message: 'message', messageType: 'msg', maxOpen: 1, coolDown: 0 };
      const does = { onetouchSend: sent, onetouchStatus: () => status('approved') };
      const running = await start(strict, 3, does, refuses);
      const { caught } = await running.deliver({ authyId: '209', message: 'no' });
      should(caught[0]?.error).match({
        code: 'AUTHY_NOT_SUPPORTED',
        message: /message: say something else\./,
      });
      should((await running.deliver({ authyId: '209', message: 'yes' })).sent).match([{ output: 0 }]);
    });

    it('a question that wants more of its answer is another one, and joins none', async () => {
      let asked = 0;
      const does: Does = {
        onetouchSend: () => {
          asked += 1;
          const result = { approvalId: randomUUID(), authyId: '209', status: 'pending' };
          return { outcome: 'sent', result } as Performed<'onetouchSend'>;
        },
        onetouchStatus: ({ approvalId: id }) => {
          const { result, ...approved } = status('approved');
          return { ...approved, result: { ...result, approvalId: id } };
        },
      };
      const joining = { ...gate, join: true, atLeast: 'atLeast', atLeastType: 'msg' };
      const running = await start(joining, 3, does);
      for (const [grades, requests] of [
        [['passkey', 'passkey'], 1],
        [[undefined, 'passkey'], 2],
      ] as const) {
        asked = 0;
        const ids = grades.map((atLeast) => running.give({ authyId: '209', atLeast }));
        for (const id of ids) should((await running.ending(id)).sent).match([{ output: 0 }]);
        should(asked).equal(requests);
      }
    });

    it('that is not there: a wrong setting', async () => {
      const { caught } = await (await start(gate, 3, undefined)).deliver({ authyId: '209' });
      should(caught[0]?.error?.code).equal('AUTHY_BAD_CONFIG');
    });
  });
});

describe('Settings of an older version', () => {
  it('the simulator was a separate service', () => {
    const saved = { name: 'mine', service: 'simulator', callbackUrl: '/here' };
    should(migrated(saved)).eql({ ...saved, service: 'authy', simulated: true });
    should(migrated({ ...saved, version: 1 })).eql({
      ...saved,
      version: 1,
      service: 'authy',
      simulated: true,
    });
  });

  it('every example, as it was before there was a version, is read as it is today', () => {
    for (const name of filesOf('examples', '.json')) {
      const flow = JSON.parse(read('examples', name)) as Record<string, unknown>[];
      const accounts = flow.filter(({ type }) => type === 'authy-config');
      should(accounts).not.be.empty();
      for (const { version, service, simulated, ...others } of accounts) {
        // Nothing stands in for this Node-RED itself.
        should({ version, simulated }).eql({ version: 3, simulated: service !== 'local' }, name);
        // There was one simulator, that of Authy, and its callbacks had a path in any case.
        if (service !== 'authy') continue;
        const callbackUrl = others['callbackUrl'] === '' ? '/authy/callback' : others['callbackUrl'];
        should(migrated({ ...others, service: 'simulator' })).eql({
          ...others,
          service,
          simulated,
          callbackUrl,
        });
      }
    }
  });

  it('a variable may hold the old name in every version', () => {
    for (const version of [2, 3]) {
      should(migrated({ version, service: 'simulator' })).match({ service: 'authy', simulated: true });
    }
  });

  it('callbacks without an address went to /authy/callback, and now there are none', () => {
    for (const version of [undefined, 1, 2]) {
      for (const callbackUrl of ['', undefined]) {
        should(migrated({ version, service: 'verify', simulated: true, callbackUrl })).have.property(
          'callbackUrl',
          '/authy/callback',
        );
      }
      should(migrated({ version, callbackUrl: '/here' })).have.property('callbackUrl', '/here');
    }
    should(migrated({ version: 3, callbackUrl: '' })).have.property('callbackUrl', '');
  });

  it('what is of this version, or of a newer one, stays', () => {
    for (const version of [3, 4]) {
      const saved = { version, service: 'authy', simulated: false, callbackUrl: '' };
      should(migrated(saved)).eql(saved);
    }
    const before = { service: 'authy', callbackUrl: '/here' };
    should(migrated(before)).eql(before);
  });

  it('a value that is not a version counts as the first', () => {
    for (const version of ['2', null, 0, NaN, {}]) {
      should(migrated({ version, service: 'simulator' })).match({ simulated: true });
    }
  });
});
