import { type NodeRed } from './node_red';

/** An approval request in the simulator's control interface, with the members that tests read. */
export interface SimulatedApproval {
  uuid: string;
  /** The phone it came to, in E.164. */
  phone: string;
  status: 'pending' | 'approved' | 'denied' | 'expired';
  message: string;
  /** What became of its callback; null until it was answered. */
  callback: { status?: number; failure?: string } | null;
}

/** A message to the simulated phones. */
export interface SimulatedMessage {
  to: string;
  via: 'sms' | 'call' | 'email';
  code: string | null;
}

/** The phone of an account's simulator, used by its control interface as its page does. */
export class Phone {
  private readonly route: string;

  constructor(
    private readonly nodeRed: NodeRed,
    accountId: string,
  ) {
    this.route = `authy-simulator/${accountId}`;
  }

  async approvals(): Promise<SimulatedApproval[]> {
    const { approvals } = (await this.nodeRed.get(`${this.route}/approvals`)) as {
      approvals: SimulatedApproval[];
    };
    return approvals;
  }

  async messages(): Promise<SimulatedMessage[]> {
    const { messages } = (await this.nodeRed.get(`${this.route}/messages`)) as {
      messages: SimulatedMessage[];
    };
    return messages;
  }

  async answer(uuid: string, answer: 'approve' | 'deny'): Promise<void> {
    await this.nodeRed.post(`${this.route}/approvals/${uuid}`, { answer });
  }

  /** How many requests to the Authy endpoints had this in their path. */
  async requests(path: string): Promise<number> {
    const { requests } = (await this.nodeRed.get(`${this.route}/requests?path=${path}`)) as {
      requests: unknown[];
    };
    return requests.length;
  }

  /** Sets faults of the simulator. */
  async faults(...faults: object[]): Promise<void> {
    const response = await this.nodeRed.request(`${this.route}/faults`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ faults }),
    });
    if (!response.ok) throw new Error(`The faults were refused: ${await response.text()}`);
  }
}
