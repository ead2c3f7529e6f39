import type { CallbackReport } from '../../nodes/simulator/state/callback-report';
import { Simulator, type SimulatorOptions } from '../../nodes/simulator/simulator';
import type { ApprovalView, UserView } from '../../nodes/simulator/views';
import type { Message } from '../../nodes/simulator/state/messages';

export const key = 'test-key';
export const phone = { country_code: '1', phone_number: '3175550142' };

/** An answer whose body has been read. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
  text: string;
  headers: Headers;
}

/** A simulator with a clock of its own, and the requests that tests make to it. */
export class Harness {
  /** Milliseconds since 1970; 2026-03-01 12:00:00 UTC. */
  time = Date.UTC(2026, 2, 1, 12);
  readonly lines: string[] = [];
  readonly simulator: Simulator;
  url = '';

  constructor(options: SimulatorOptions = {}) {
    this.simulator = new Simulator({
      apiKey: key,
      appName: 'Garage',
      now: () => this.time,
      log: (line) => this.lines.push(line),
      ...options,
    });
  }

  async start(): Promise<this> {
    this.url = await this.simulator.listen(0);
    return this;
  }

  stop(): Promise<void> {
    return this.simulator.close();
  }

  /** Moves the simulator's clock forward. */
  wait(seconds: number): void {
    this.time += seconds * 1000;
  }

  /** A request with the key in the header, parameters of a GET in the query string and of others as JSON. */
  async api(method: string, path: string, params: Record<string, unknown> = {}): Promise<Answer> {
    const query = new URLSearchParams(params as Record<string, string>).toString();
    const isGet = method === 'GET';
    return this.request(method, isGet && query !== '' ? `${path}?${query}` : path, {
      headers: { 'X-Authy-API-Key': key, ...(isGet ? {} : { 'Content-Type': 'application/json' }) },
      ...(isGet ? {} : { body: JSON.stringify(params) }),
    });
  }

  /** A request to the control interface. */
  async control(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.request(method, `/simulator${path}`, {
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async request(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(this.url + path, { redirect: 'manual', ...init, method });
    const text = await response.text();
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      body = {};
    }
    return {
      status: response.status,
      body: body as Record<string, unknown>,
      text,
      headers: response.headers,
    };
  }

  async createUser(user: Record<string, unknown> = {}): Promise<number> {
    const { body } = await this.api('POST', '/protected/json/users/new', {
      user: { email: 'ada@example.com', cellphone: phone.phone_number, country_code: '1', ...user },
      send_install_link_via_sms: false,
    });
    return (body['user'] as { id: number }).id;
  }

  async createApproval(id: number, params: Record<string, unknown> = {}): Promise<string> {
    const { body } = await this.api('POST', `/onetouch/json/users/${id}/approval_requests`, {
      message: 'Open the garage?',
      ...params,
    });
    return (body['approval_request'] as { uuid: string }).uuid;
  }

  async messages(query = ''): Promise<Message[]> {
    return (await this.control('GET', `/messages${query}`)).body['messages'] as Message[];
  }

  async approval(uuid: string): Promise<ApprovalView> {
    return (await this.control('GET', `/approvals/${uuid}`)).body as unknown as ApprovalView;
  }

  /** The report on an approval's callback, once there is one. */
  async reported(uuid: string): Promise<CallbackReport> {
    for (let tries = 0; tries < 500; tries++) {
      const { callback } = await this.approval(uuid);
      if (callback?.status !== undefined || callback?.error !== undefined) return callback;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`There was no callback of ${uuid} in time.`);
  }

  async user(id: number): Promise<UserView> {
    return (await this.control('GET', `/users/${id}`)).body as unknown as UserView;
  }

  /** The code of the last message of a kind. */
  async code(kind: string): Promise<string> {
    return (await this.messages(`?kind=${kind}`)).at(-1)?.code ?? '';
  }
}

/** Checks that an answer is an error with all members that an error has. */
export function shouldFail(answer: Answer, status: number, code: string): void {
  answer.status.should.equal(status, answer.text);
  answer.body.should.have.properties({ success: false, error_code: code });
  answer.body.should.have.property('message').which.is.a.String().and.not.empty();
  answer.body.should.have.property('errors').which.is.an.Object();
}
