import fs from 'node:fs';
import path from 'node:path';
import type { TOTP } from 'otpauth';
import { type Operation, operations, type ValuesOf } from '../../nodes/lib/contract/operations';
import type { OperationName } from '../../nodes/lib/contract/results';
import { ownGate } from './approval_gate';
import { ApproverBrowser } from './approver_browser';
import { Flow, type FlowNode, type Message } from './flow';
import { calmStep, codeAt, type Told } from './local_account';
import { root, temporaryDirectory } from './node_red';
import { outputsOf } from './operation_nodes';

/** How an operation has ended. */
export interface Performed {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly output: number;
}

/** An operation's error as a Catch node has it. */
export interface PerformError {
  readonly message: string;
  readonly code?: string;
}

/** Somebody with a phone that answers by the codes of their authenticator app. */
export interface Enrolled {
  readonly authyId: string;
  readonly browser: ApproverBrowser;
  readonly totp: TOTP;
  readonly recoveryCodes: readonly string[];
}

const { nodes: packaged } = (
  JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    'node-red': { nodes: Readonly<Record<string, string>> };
  }
)['node-red'];
/** The operations that have a node. */
const names = (Object.keys(operations) as OperationName[]).filter(
  (name) => operations[name].node in packaged,
);
const pagePath = '/approve';
const outputs = Math.max(...names.map(outputsOf));

/**
 * An account whose people answer on this Node-RED's own page, in a real Node-RED: with a gate, a node for each operation, and a
 * notifications node. It is a simulated one on Twilio Verify unless it is set otherwise.
 */
export class ApproverAccount {
  /** What was told by the notifications node, in order. */
  readonly told: Told[] = [];
  private readonly waiting = new Map<string, (end: Performed | PerformError) => void>();

  private constructor(readonly flow: Flow) {}

  /**
   * @param account - its settings. Its page is at the address of this Node-RED's http nodes, `http://127.0.0.1:…`, unless
   *   `approverUrl` names another one
   * @param gate - settings of the gate
   */
  static async start(
    account: Readonly<Record<string, unknown>> = {},
    {
      gate = {},
      settings = {},
    }: { readonly gate?: Readonly<Record<string, unknown>>; readonly settings?: object } = {},
  ): Promise<ApproverAccount> {
    const flow = await Flow.start(
      ownGate(gate),
      3,
      nodesOf(account),
      {},
      { userDir: temporaryDirectory(), ...settings },
      names,
    );
    const started = new ApproverAccount(flow);
    flow.onArrival('told', (message) => started.told.push(message as unknown as Told));
    for (let output = 0; output < outputs; output += 1) {
      flow.onArrival(`left ${output}`, (message) =>
        started.end(message, { payload: message.payload as Performed['payload'], output }),
      );
    }
    flow.onArrival('caught', (message) => started.end(message, message.error ?? { message: '' }));
    await started.set(account);
    return started;
  }

  /** Deploys the account with other settings. */
  async set(account: Readonly<Record<string, unknown>>): Promise<void> {
    await this.flow.redeploy({ approverUrl: this.page, ...account }, 'account');
  }

  /** The address of the page: of the grade `code`. */
  get page(): string {
    return `${this.flow.url}${pagePath}`;
  }

  /** The node of an operation performs it. @throws Error - with the node's error as its cause */
  async perform<N extends OperationName>(name: N, values: ValuesOf<N>): Promise<Performed> {
    const end = await this.try(name, values);
    if ('output' in end) return end;
    throw new Error(`${name}: ${end.message}`, { cause: end });
  }

  /** The error that the node of an operation raises. */
  async errorOf<N extends OperationName>(name: N, values: ValuesOf<N>): Promise<PerformError> {
    const end = await this.try(name, values);
    if ('output' in end) throw new Error(`${name}: ${JSON.stringify(end)}`);
    return end;
  }

  /** How the node of an operation ends; one that has no node is performed by the account itself. */
  async try<N extends OperationName>(name: N, values: ValuesOf<N>): Promise<Performed | PerformError> {
    if (!this.flow.has(name)) {
      return this.flow
        .account('account')
        .perform(name, values)
        .then(
          ({ result }) => ({ payload: result, output: 0 }) as unknown as Performed,
          (error: unknown) => error as PerformError,
        );
    }
    return new Promise((resolve) => {
      this.waiting.set(this.flow.give({ ...values }, name), resolve);
    });
  }

  /** A new browser with the page. */
  browser(): ApproverBrowser {
    return new ApproverBrowser(this.page);
  }

  /** Adds somebody. */
  async newPerson(phoneNumber = '+13175550142'): Promise<string> {
    const { payload } = await this.perform('userCreate', { email: 'ada@example.com', phoneNumber });
    return String(payload['authyId']);
  }

  /** The address of a new invitation. */
  async invite(authyId: string): Promise<string> {
    return String((await this.perform('userInvite', { authyId })).payload['url']);
  }

  /** Adds somebody with a phone. The code of the step before this one was used for that. */
  async enrolled(phoneNumber?: string): Promise<Enrolled> {
    const authyId = await this.newPerson(phoneNumber);
    const browser = this.browser();
    await calmStep();
    const { totp, recoveryCodes } = await browser.enrolByCode(await this.invite(authyId), (made) =>
      made === undefined ? '' : codeAt(made, -1),
    );
    if (totp === undefined) throw new Error('They had an authenticator already.');
    return { authyId, browser, totp, recoveryCodes: recoveryCodes ?? [] };
  }

  /** Asks the control interface of the account's simulator, beside the editor. */
  async control<T>(method: 'get' | 'put' | 'post' | 'delete', route: string, body: object = {}): Promise<T> {
    const asked = this.flow.request()[method](`/authy-simulator/account${route}`);
    return (await (method === 'get' ? asked : asked.send(body)).expect(200)).body as T;
  }

  stop(): Promise<void> {
    return this.flow.stop();
  }

  private end(message: Message, end: Performed | PerformError): void {
    const id = String(message._msgid);
    this.waiting.get(id)?.(end);
    this.waiting.delete(id);
  }
}

/** Each input of an operation's node is the member of the message with its name. */
function nodeOf(name: OperationName): FlowNode {
  const { inputs, node }: Operation = operations[name];
  const properties = Object.keys(inputs).flatMap((input): [string, string][] => [
    [input, input],
    [`${input}Type`, 'msg'],
  ]);
  const wires = Array.from({ length: outputsOf(name) }, (_, output) => [`left ${output}`]);
  return { id: name, type: node, z: 'tab', account: 'account', ...Object.fromEntries(properties), wires };
}

function nodesOf(account: Readonly<Record<string, unknown>>): FlowNode[] {
  const helper = (id: string): FlowNode => ({ id, type: 'helper', z: 'tab', wires: [] });
  return [
    {
      ...{ id: 'account', type: 'authy-config', version: 2, name: 'Front door' },
      ...{ service: 'verify', simulated: true, approvalStore: 'files', approverPath: pagePath },
      ...account,
    },
    { id: 'notifications', type: 'authy-notifications', z: 'tab', account: 'account', wires: [['told']] },
    helper('told'),
    ...names.map(nodeOf),
    ...Array.from({ length: outputs }, (_, output) => helper(`left ${output}`)),
  ];
}
