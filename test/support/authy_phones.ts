import { Simulator } from '../../nodes/simulator/simulator';
import { eventually } from './node_red';

/** An approval request on a simulated phone. */
export interface OnPhone {
  uuid: string;
  authyId: number;
  status: string;
  message: string;
  details: Readonly<Record<string, string>> | null;
  createdAt: string;
  expiresAt: string | null;
}

/** A simulator outside Node-RED, with users and their phones: it keeps running, whatever happens to Node-RED. */
export class AuthyPhones {
  readonly apiKey = 'authy-phones-test-key';
  private readonly simulator: Simulator;
  url = '';
  private users = 0;

  /** @param now - the clock of the service, in milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.simulator = new Simulator({ apiKey: this.apiKey, now });
  }

  async start(): Promise<this> {
    this.url = await this.simulator.listen();
    return this;
  }

  stop(): Promise<void> {
    return this.simulator.close();
  }

  callbacksTo(callbackUrl: string): void {
    this.simulator.configure({ callbackUrl });
  }

  async newUser(): Promise<string> {
    const cellphone = String(3_175_551_000 + (this.users += 1));
    const { user } = await this.call('POST', '/protected/json/users/new', {
      user: { email: 'ada@example.com', cellphone, country_code: '1' },
    });
    return String((user as { id: number }).id);
  }

  /** All requests, open or not, oldest first. */
  async all<T extends OnPhone>(): Promise<T[]> {
    return (await this.call('GET', '/simulator/approvals'))['approvals'] as T[];
  }

  /** The open requests of a user, once there are so many. */
  async pending(authyId: string, count: number): Promise<OnPhone[]> {
    return eventually(`${count} requests on the phone`, async () => {
      const { approvals } = await this.call('GET', `/simulator/approvals?status=pending&authyId=${authyId}`);
      return (approvals as OnPhone[]).length >= count ? (approvals as OnPhone[]) : undefined;
    });
  }

  async answer(uuid: string, answer: 'approve' | 'deny'): Promise<void> {
    await this.call('POST', `/simulator/approvals/${uuid}`, { answer });
  }

  async faults(...faults: object[]): Promise<void> {
    await this.call('PUT', '/simulator/faults', { faults });
  }

  /** Forgets users, requests and faults. */
  async reset(): Promise<void> {
    await this.call('POST', '/simulator/reset');
  }

  /** A request to the service or to the simulator's control interface. */
  async call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(this.url + path, {
      method,
      headers: { 'Content-Type': 'application/json', 'X-Authy-API-Key': this.apiKey },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  }
}
