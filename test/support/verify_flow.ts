import { randomBytes } from 'node:crypto';
import should from 'should';
import { operations } from '../../nodes/lib/contract/operations';
import type { OperationName } from '../../nodes/lib/contract/results';
import { Simulator } from '../../nodes/simulator/simulator';
import type { VerifyOptions } from '../../nodes/simulator/verify/settings';
import { type Ending, Flow, type FlowNode } from './flow';
import { temporaryDirectory } from './node_red';
import { newNode, outputsOf } from './operation_nodes';

export const phone = { phoneNumber: '+13175550142', countryCode: '1' };

type Properties = Readonly<Record<string, unknown>>;

/** Flows of one node each, whose account is on a simulator of Twilio Verify as it would be on Twilio. */
export class VerifyFlow {
  /** How far the simulator's clock is ahead, in milliseconds. */
  ahead = 0;
  readonly userDir = temporaryDirectory();
  /** Settings of the account beyond the necessary ones, and its credentials. */
  account: Properties = {};
  credentials: Properties = {};
  simulator: Simulator;
  baseUrl = '';
  flow: Flow | undefined;

  /** @param service - how the Verify service is set */
  constructor(private readonly service: VerifyOptions = {}) {
    this.simulator = this.newSimulator();
  }

  private newSimulator(): Simulator {
    // Secrets such as Twilio's: by its own, an account would know that it asks a simulator.
    const secret = (): string => randomBytes(16).toString('hex');
    const verify = { authToken: secret(), apiKeySecret: secret(), ...this.service };
    return new Simulator({ now: () => Date.now() + this.ahead, verify });
  }

  async start(): Promise<void> {
    this.baseUrl = await this.simulator.listen();
  }

  /** Another simulator, which knows nothing of the one before. */
  async restart(): Promise<void> {
    await this.simulator.close();
    this.simulator = this.newSimulator();
    await this.start();
  }

  async stop(): Promise<void> {
    await this.stopFlow();
    await this.simulator.close();
  }

  async stopFlow(): Promise<void> {
    await this.flow?.stop();
    this.flow = undefined;
  }

  /** Starts a flow of one operation node, with the panel's defaults and what is set beyond them. */
  node(name: OperationName, properties: Properties = {}): Promise<Flow> {
    return this.run(newNode(name, properties), outputsOf(name));
  }

  /** Starts a flow that watches a node. */
  async run(watched: FlowNode, outputs: number, others: readonly FlowNode[] = []): Promise<Flow> {
    await this.stopFlow();
    const { serviceSid, apiKeySid, apiKeySecret } = this.simulator.verify;
    this.flow = await Flow.start(
      watched,
      outputs,
      [
        {
          id: 'account',
          type: 'authy-config',
          version: 2,
          service: 'verify',
          verifyServiceSid: serviceSid,
          verifyUser: apiKeySid,
          verifyLookup: true,
          verifyBaseUrl: this.baseUrl,
          verifyLookupsUrl: this.baseUrl,
          approvalStore: 'files',
          ...this.account,
        },
        ...others,
      ],
      { account: { verifySecret: apiKeySecret, ...this.credentials } },
      { userDir: this.userDir },
    );
    return this.flow;
  }

  async end(name: OperationName, message: Properties, properties?: Properties): Promise<Ending> {
    return (await this.node(name, properties)).deliver({ ...message });
  }

  /** Delivers one message; gives the payload and the output it left by. */
  async ask(
    name: OperationName,
    message: Properties,
    properties?: Properties,
  ): Promise<[payload: Record<string, unknown>, output: number]> {
    const { caught, completed, sent } = await this.end(name, message, properties);
    should(caught.map(({ error }) => error?.message)).eql([]);
    should(completed).equal(1);
    should(sent).have.length(1);
    const authy = sent[0]?.message['authy'] as Record<string, unknown>;
    authy.should.have.properties({
      operation: operations[name].node.slice('authy-'.length),
      service: 'verify',
    });
    structuredClone(authy).should.eql(authy);
    return [sent[0]?.message.payload as Record<string, unknown>, sent[0]?.output ?? -1];
  }

  async errorOf(
    name: OperationName,
    message: Properties,
    properties?: Properties,
  ): Promise<{ message: string; code?: string } | undefined> {
    const { caught, sent } = await this.end(name, message, properties);
    should(sent).be.empty();
    should(caught).have.length(1);
    return caught[0]?.error;
  }

  /** Asks the control interface of the simulator. */
  async control(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.baseUrl}/simulator${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Asks the service at Twilio, as an app of the customer's does. @param path - below the service */
  async twilio(path: string, form?: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
    const { serviceSid, apiKeySid, apiKeySecret } = this.simulator.verify;
    const response = await fetch(`${this.baseUrl}/v2/Services/${serviceSid}${path}`, {
      headers: { authorization: `Basic ${Buffer.from(`${apiKeySid}:${apiKeySecret}`).toString('base64')}` },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** How many requests to Twilio had this in their path. */
  async requestsTo(path: string): Promise<number> {
    const { requests } = (await this.control('GET', `/requests?path=${encodeURIComponent(path)}`)) as {
      requests: unknown[];
    };
    return requests.length;
  }
}
