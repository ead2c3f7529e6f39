import { type HttpAnswer, httpRequest } from './http_request';
import { SoftwareAuthenticator, type Twists } from './software_authenticator';

/** A request as the page shows it. */
export interface ShownRequest {
  readonly id: string;
  readonly message: string;
  readonly asker: string;
  readonly challenge: string;
  readonly [member: string]: unknown;
}

/**
 * A browser on the approver's page, as far as its requests go: it keeps the cookie, and says where it comes from as browsers do.
 * The name of the page need not lead to this machine.
 */
export class ApproverClient {
  cookie: string | undefined;

  /**
   * @param server - where Node-RED listens, such as `http://127.0.0.1:1880`
   * @param page - the page's address, as the account has it
   * @param path - of the page, where Node-RED has it
   * @param from - its address, as a proxy says it; otherwise it is this machine
   */
  constructor(
    readonly server: string,
    readonly page: string,
    readonly path = '/approve',
    readonly from?: string,
  ) {}

  /** Another browser, with no cookie. */
  another(): ApproverClient {
    return new ApproverClient(this.server, this.page, this.path, this.from);
  }

  /** The same browser, cookie and all, with another Node-RED behind the page's address. */
  at(server: string): ApproverClient {
    return Object.assign(new ApproverClient(server, this.page, this.path, this.from), {
      cookie: this.cookie,
    });
  }

  /**
   * One call of the API.
   *
   * @param headers - others than a browser would send; undefined leaves one out
   */
  async call(
    name: string,
    body: unknown = {},
    headers: Record<string, string | undefined> = {},
  ): Promise<HttpAnswer> {
    return this.request('POST', `/api/${name}`, JSON.stringify(body), {
      'Content-Type': 'application/json',
      Origin: new URL(this.page).origin,
      'Sec-Fetch-Site': 'same-origin',
      ...headers,
    });
  }

  /** The answer of a call that has to be done. @throws Error */
  async done(name: string, body: unknown = {}): Promise<Record<string, unknown>> {
    const { status, body: answer } = await this.call(name, body);
    if (status !== 200) throw new Error(`${name} was answered ${status} ${JSON.stringify(answer)}.`);
    return answer;
  }

  /** What the page shows. */
  state(): Promise<Record<string, unknown>> {
    return this.done('state');
  }

  /** The open requests, the newest first. */
  async requests(): Promise<ShownRequest[]> {
    return (await this.state())['requests'] as ShownRequest[];
  }

  /** A request of any kind, with the cookie. */
  async request(
    method: string,
    place: string,
    body?: string,
    headers: Record<string, string | undefined> = {},
  ): Promise<HttpAnswer> {
    const all = {
      Host: new URL(this.page).host,
      Cookie: this.cookie,
      'X-Forwarded-For': this.from,
      ...headers,
    };
    const url = new URL(this.path + place, this.server);
    const answer = await httpRequest(method, url, all, body);
    const [set] = answer.headers['set-cookie'] ?? [];
    if (set !== undefined) this.cookie = set.includes('Max-Age=0;') ? undefined : set.split(';')[0];
    return answer;
  }
}

/** A phone with a passkey on the approver's page. */
export class PasskeyPhone {
  readonly authenticator: SoftwareAuthenticator;

  constructor(
    readonly browser: ApproverClient,
    counts = true,
  ) {
    this.authenticator = new SoftwareAuthenticator(new URL(browser.page).origin, counts);
  }

  /** Adds itself by an invitation. @param url - of the invitation, or its token */
  async enrol(url: string, name = 'Phone'): Promise<Record<string, unknown>> {
    const token = url.split('#i=').at(-1);
    const { options } = await this.browser.done('invitation', { token });
    const credential = this.authenticator.create(options as Parameters<SoftwareAuthenticator['create']>[0]);
    return this.browser.done('enrol', { token, name, credential });
  }

  /**
   * Approves a request, signed over what the server asks for, or over something else.
   *
   * @param browser - another one on the same phone
   */
  async approve(id: string, twists: Twists = {}, browser = this.browser): Promise<HttpAnswer> {
    const offered = await browser.call('approve-options', { id });
    if (offered.status !== 200) return offered;
    return browser.call('approve', { id, credential: this.sign(offered.body['options'], twists) });
  }

  sign(options: unknown, twists: Twists = {}): object {
    return this.authenticator.get(options as Parameters<SoftwareAuthenticator['get']>[0], twists);
  }
}
