import { setTimeout as pause } from 'node:timers/promises';
import { Secret, TOTP } from 'otpauth';
import should from 'should';
import { operations } from '../../nodes/lib/contract/operations';
import type { People, Person } from '../../nodes/lib/contract/people';
import type { OperationName } from '../../nodes/lib/contract/results';
import { filePeople } from '../../nodes/lib/people/file-people';
import { type Ending, Flow, type FlowNode } from './flow';
import { newNode, outputsOf } from './operation_nodes';
import { temporaryDirectory } from './node_red';

/** What a notifications node has sent on. */
export interface Told {
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** An account whose service is this Node-RED, with a notifications node. Its people outlive its flows, as after a deploy. */
export class LocalAccount {
  readonly userDir = temporaryDirectory();
  /** All that was told, in order. */
  readonly told: Told[] = [];
  /** The flow of the last operation. */
  flow: Flow | undefined;

  readonly account: FlowNode = {
    id: 'account',
    type: 'authy-config',
    version: 2,
    name: 'Front door',
    service: 'local',
    localName: '',
    approvalStore: 'files',
  };

  readonly notifications: FlowNode[] = [
    { id: 'notifications', type: 'authy-notifications', z: 'tab', account: 'account', wires: [['told']] },
    { id: 'told', type: 'helper', z: 'tab', wires: [] },
  ];

  /** Starts a flow of one operation node, with the panel's defaults and what is set beyond them. */
  async start(
    name: OperationName,
    properties: Record<string, unknown> = {},
    others: FlowNode[] = [this.account, ...this.notifications],
    settings: object = {},
  ): Promise<Flow> {
    return this.startNode(newNode(name, properties), outputsOf(name), others, settings);
  }

  /** Starts a flow of any node. */
  async startNode(
    watched: FlowNode,
    outputs: number,
    others: FlowNode[] = [this.account, ...this.notifications],
    settings: object = {},
  ): Promise<Flow> {
    await this.stop();
    this.flow = await Flow.start(watched, outputs, others, {}, { userDir: this.userDir, ...settings });
    if (this.flow.has('told'))
      this.flow.onArrival('told', (message) => this.told.push(message as unknown as Told));
    return this.flow;
  }

  async stop(): Promise<void> {
    await this.flow?.stop();
    this.flow = undefined;
  }

  async end(
    name: OperationName,
    message: Record<string, unknown> = {},
    properties?: Record<string, unknown>,
  ): Promise<Ending> {
    return (await this.start(name, properties)).deliver(message);
  }

  /** Delivers one message; gives the payload and the output it left by. */
  async ask(
    name: OperationName,
    message: Record<string, unknown> = {},
    properties?: Record<string, unknown>,
  ): Promise<[payload: Record<string, unknown>, output: number]> {
    const { caught, completed, sent } = await this.end(name, message, properties);
    should(caught.map(({ error }) => error?.message)).eql([]);
    should([completed, sent.length]).eql([1, 1]);
    const authy = sent[0]?.message['authy'] as Record<string, unknown>;
    should(authy).containEql({ operation: operations[name].node.slice('authy-'.length), service: 'local' });
    return [sent[0]?.message.payload as Record<string, unknown>, sent[0]?.output ?? -1];
  }

  async errorOf(
    name: OperationName,
    message: Record<string, unknown> = {},
    properties?: Record<string, unknown>,
  ): Promise<{ message: string; code?: string } | undefined> {
    const { caught, sent } = await this.end(name, message, properties);
    should(sent).be.empty();
    should(caught).have.length(1);
    return caught[0]?.error;
  }

  /** The result of a token: `valid`, or the reason why it is not. */
  async verify(authyId: string, token: string): Promise<unknown> {
    const [{ valid, reason }, output] = await this.ask('tokenVerify', { authyId, payload: token });
    should(output).equal(valid === true ? 0 : 1);
    return valid === true ? 'valid' : reason;
  }

  /** Delivers messages to one node at the same time; gives how they ended. */
  async atOnce(name: OperationName, messages: readonly Record<string, unknown>[]): Promise<Ending[]> {
    const flow = await this.start(name);
    const ids = messages.map((message) => flow.give(message));
    return Promise.all(ids.map((id) => flow.ending(id)));
  }

  /** Sends a code and gives it. */
  async send(name: 'tokenSms' | 'tokenCall' | 'tokenEmail', authyId: string): Promise<string> {
    await this.ask(name, { authyId }, { force: 'true', forceType: 'bool' });
    return this.newestCode;
  }

  get newestCode(): string {
    return /\b[0-9]{4,10}\b/.exec(String(this.told.at(-1)?.payload['text']))?.[0] ?? '';
  }

  /** The secret in a QR code, as an authenticator app has it. */
  async newAuthenticator(authyId: string): Promise<{ totp: TOTP; recoveryCodes: string[] }> {
    const [{ recoveryCodes }] = await this.ask('userQr', { authyId });
    const { factors } = await this.person(authyId);
    const secret = factors.at(-1)?.secret ?? '';
    return { totp: authenticator(secret), recoveryCodes: recoveryCodes as string[] };
  }

  /** The same, confirmed by its code of the step before this one: the present one is still to be used. */
  async confirmed(authyId: string): Promise<{ totp: TOTP; recoveryCodes: string[] }> {
    const made = await this.newAuthenticator(authyId);
    should(await this.verify(authyId, codeAt(made.totp, -1))).equal('valid');
    return made;
  }

  /** Looks at the people of the account, or changes them, while no flow runs. */
  async withPeople<T>(use: (people: People) => Promise<T>): Promise<T> {
    await this.stop();
    const people = filePeople(
      { root: `${this.userDir}/authy-people`, accountId: 'account' },
      { tell: () => undefined },
    );
    try {
      return await use(people);
    } finally {
      await people.close();
    }
  }

  async person(authyId: string): Promise<Person> {
    const person = await this.withPeople((people) => people.find(authyId));
    if (person === undefined) throw new Error('There is no such person.');
    return person;
  }
}

/** An authenticator app with a secret. */
export function authenticator(secret: string): TOTP {
  return new TOTP({ secret: Secret.fromBase32(secret) });
}

/** The code of an authenticator app, some steps from now. */
export function codeAt(totp: TOTP, steps = 0): string {
  return totp.generate({ timestamp: Date.now() + steps * 30_000 });
}

/** Waits, if need be, until the present step of authenticators has some seconds left: codes of the step before are right until then. */
export async function calmStep(): Promise<void> {
  const left = 30_000 - (Date.now() % 30_000);
  if (left < 4000) await pause(left);
}

/** A token of six digits that is right nowhere near. */
export function wrongFor(totp: TOTP): string {
  const right = Array.from({ length: 41 }, (_, index) => codeAt(totp, index - 20));
  for (let number = 100_000; ; number++) if (!right.includes(String(number))) return String(number);
}

/** A wrong code in the same format. */
export function wrong(code: string): string {
  return code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
}
