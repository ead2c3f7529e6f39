import { type NodeRed } from './node_red';

/** What an approval request looks like in the simulator's control interface, as far as tests read it. */
export interface SimulatedApproval {
  uuid: string;
  status: 'pending' | 'approved' | 'denied' | 'expired';
  message: string;
}

/** What came to the simulated phones. */
export interface SimulatedMessage {
  to: string;
  via: 'sms' | 'call' | 'email';
  code: string | null;
}

/** The phone of an account's simulator, worked through its control interface as its page does. */
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
}
