import { TOTP, URI } from 'otpauth';
import { Agent, request } from 'undici';

/** A request as the page shows it: everything that an approval signs, and the challenge. */
export interface ShownRequest {
  readonly id: string;
  readonly authyId: string;
  readonly asker: string;
  readonly message: string;
  readonly details: readonly (readonly [label: string, value: string])[];
  readonly hidden: string;
  readonly atLeast: 'code' | 'passkey';
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly nonce: string;
  readonly challenge: string;
}

/** What the page shows to somebody who is signed in. */
export interface SignedInState {
  readonly account: string;
  readonly grade: 'code' | 'passkey';
  readonly isLocalOnly: boolean;
  readonly signedIn: true;
  readonly now: number;
  readonly phone: {
    readonly id: string;
    readonly name: string;
    readonly grade: 'code' | 'passkey';
    readonly number: string;
  };
  readonly phones: number;
  readonly recoveryLeft: number;
  readonly requests: readonly ShownRequest[];
  readonly history: readonly {
    readonly id: string;
    readonly asker: string;
    readonly message: string;
    readonly details: readonly (readonly [label: string, value: string])[];
    readonly outcome: 'approved' | 'denied' | 'notMe' | 'expired';
    readonly at: number;
    readonly phone: string | null;
  }[];
  readonly push: { readonly key: string | null; readonly isOn: boolean };
}

/** An invitation that was opened. @typeParam Options - those of `navigator.credentials.create` */
export interface OpenedInvitation<Options = object> {
  readonly grade: 'code' | 'passkey';
  readonly name: string;
  readonly options: Options | null;
  readonly authenticator:
    | { readonly isKnown: true }
    | { readonly isKnown: false; readonly address: string; readonly qr: string }
    | null;
}

export interface EnrolledPhone {
  readonly number: string;
  readonly recoveryCodes: readonly string[] | null;
}

/** An answer as it came. */
export interface ApproverAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed, if it is JSON; otherwise the text. */
  readonly body: unknown;
}

/** What the page was told instead of an answer. */
export class ApproverRefusal extends Error {
  override readonly name = 'ApproverRefusal';

  constructor(
    call: string,
    readonly status: number,
    /** `error` of the answer. */
    readonly code: string,
    /** In seconds. */
    readonly retryAfter: number | undefined,
  ) {
    super(`${call} was refused: ${status} ${code}`);
  }
}

/** Headers by lower-case name: those that are undefined are left out of what a browser sends. */
export type ClientHeaders = Readonly<Record<string, string | undefined>>;

export interface ApproverBrowserOptions {
  /** The address of the page, as the person has opened it, without a slash at its end. */
  readonly page: string;
  /** Where its server is, as a proxy in front of it knows it; the page's address if it is absent. */
  readonly server?: string;
  /** Where the browser is, as a proxy on this machine says it; somewhere of its own if it is absent: calls are limited by it. */
  readonly address?: string;
  /** In PEM: what the server's certificate is signed by. */
  readonly ca?: string;
  /** Of each call, beside or instead of those of a browser. */
  readonly headers?: ClientHeaders;
}

/** One call beyond its name and body. */
export interface CallMore {
  readonly method?: string;
  readonly headers?: ClientHeaders;
  /** Instead of the body as JSON. */
  readonly raw?: string | Buffer;
}

/**
 * A browser on a person's phone that has the approver's page open: it sends what a browser sends by itself, keeps cookies, and
 * makes the calls of the page's script. Two of them are two browsers.
 */
export class ApproverBrowser {
  /** Values of cookies by name, as for this page. */
  readonly cookies = new Map<string, string>();
  private readonly address: string;
  private readonly dispatcher: Agent;

  constructor(private readonly options: ApproverBrowserOptions) {
    this.address = options.address ?? newAddress();
    this.dispatcher = new Agent(options.ca === undefined ? {} : { connect: { ca: options.ca } });
  }

  /** The page's origin, as browsers write it. */
  get origin(): string {
    return new URL(this.options.page).origin;
  }

  /** Another browser with the same page, which is not signed in. */
  another(): ApproverBrowser {
    return new ApproverBrowser(this.options);
  }

  /** The same browser with a copy of the cookies, as a thief of them would have it. */
  copy(): ApproverBrowser {
    const copy = this.another();
    for (const [name, value] of this.cookies) copy.cookies.set(name, value);
    return copy;
  }

  /** Makes a call of the page. @throws ApproverRefusal */
  async call<T = object>(name: string, body: object = {}, more: CallMore = {}): Promise<T> {
    const answer = await this.send(name, body, more);
    if (answer.status === 200) return answer.body as T;
    throw refusalOf(name, answer);
  }

  /** Makes a call that has to be refused. @throws Error - it was not */
  async refusal(name: string, body: object = {}, more: CallMore = {}): Promise<ApproverRefusal> {
    const answer = await this.send(name, body, more);
    if (answer.status === 200) throw new Error(`${name} was answered: ${JSON.stringify(answer.body)}`);
    return refusalOf(name, answer);
  }

  /** Makes a call, whatever comes of it. */
  async send(name: string, body: object = {}, more: CallMore = {}): Promise<ApproverAnswer> {
    const { method = 'POST', headers = {}, raw = JSON.stringify(body) } = more;
    return this.exchange(method, `/api/${name}`, raw, {
      'content-type': 'application/json',
      origin: this.origin,
      'sec-fetch-site': 'same-origin',
      'sec-fetch-mode': 'cors',
      ...headers,
    });
  }

  /** Opens a file of the page, or the page itself. @param path - from the page on, such as `/` */
  get(path: string, headers: ClientHeaders = {}): Promise<ApproverAnswer> {
    return this.exchange('GET', path, undefined, headers);
  }

  // ---- what the page's script does

  /** @throws ApproverRefusal; Error - nobody is signed in */
  async state(): Promise<SignedInState> {
    const state = await this.call<SignedInState | { signedIn: false }>('state');
    if (!state.signedIn) throw new Error('Nobody is signed in.');
    return state;
  }

  async isSignedIn(): Promise<boolean> {
    return (await this.call<{ signedIn: boolean }>('state')).signedIn;
  }

  /** @param invitation - its address, or its token */
  open<Options = object>(invitation: string): Promise<OpenedInvitation<Options>> {
    return this.call('invitation', { token: tokenOf(invitation) });
  }

  /**
   * Adds this browser as a phone, where passkeys do not work.
   *
   * @param invitation - its address, or its token
   * @param codeOf - gives the code that the person types: with the authenticator app that they have set up by the page's QR
   *   code; undefined if they have one already
   */
  async enrolByCode(
    invitation: string,
    codeOf: (totp: TOTP | undefined) => string,
    name = 'Phone',
  ): Promise<EnrolledPhone & { readonly totp: TOTP | undefined }> {
    const { authenticator } = await this.open(invitation);
    const totp = authenticator?.isKnown === false ? authenticatorAt(authenticator.address) : undefined;
    const enrolled = await this.call<EnrolledPhone>('enrol', {
      token: tokenOf(invitation),
      name,
      code: codeOf(totp),
    });
    return { ...enrolled, totp };
  }

  /** Listens to the server's events, as the page does. */
  async listen(): Promise<ApproverEvents> {
    const { page } = this.options;
    const { statusCode, body } = await request(this.addressOf('/api/events'), {
      headers: this.headersOf({ accept: 'text/event-stream', 'sec-fetch-site': 'same-origin' }),
      dispatcher: this.dispatcher,
    });
    if (statusCode === 200) return new ApproverEvents(body);
    const answer = { status: statusCode, headers: {}, body: parsed(await body.text()) };
    throw refusalOf(`${page}/api/events`, answer);
  }

  private async exchange(
    method: string,
    path: string,
    sent: string | Buffer | undefined,
    more: ClientHeaders,
  ): Promise<ApproverAnswer> {
    const { statusCode, headers, body } = await request(this.addressOf(path), {
      method: method as 'POST',
      headers: this.headersOf(more),
      ...(sent === undefined ? {} : { body: sent }),
      dispatcher: this.dispatcher,
    });
    for (const line of [headers['set-cookie'] ?? []].flat()) this.keep(line);
    return { status: statusCode, headers, body: parsed(await body.text()) };
  }

  private addressOf(path: string): string {
    const { page, server = page } = this.options;
    return `${server}${path}`;
  }

  private headersOf(more: ClientHeaders): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const all: ClientHeaders = {
      host: new URL(this.options.page).host,
      'x-forwarded-for': this.address,
      ...(cookie === '' ? {} : { cookie }),
      ...this.options.headers,
      ...more,
    };
    return Object.fromEntries(
      Object.entries(all).filter((header): header is [string, string] => header[1] !== undefined),
    );
  }

  /** Keeps a cookie as a browser does that is at this page. */
  private keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/);
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(pair) ?? [];
    const of = (wanted: string): string | undefined =>
      attributes
        .map((one) => one.split('='))
        .find(([key]) => key?.toLowerCase() === wanted)
        ?.slice(1)
        .join('=');
    const { protocol, pathname } = new URL(this.options.page);
    const path = of('path') ?? '/';
    const isHere = path === '/' || pathname === path || pathname.startsWith(`${path}/`);
    if (!isHere || (of('secure') !== undefined && protocol !== 'https:')) return;
    if (Number(of('max-age') ?? 1) <= 0) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** Events of the server: what the page would fetch is no longer what it shows. */
export class ApproverEvents {
  private changes = 0;
  private isOver = false;
  private wake: () => void = () => undefined;

  constructor(private readonly stream: NodeJS.ReadableStream & { destroy(): unknown }) {
    let text = '';
    stream.on('data', (part: Buffer) => {
      text += part.toString();
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      this.changes += events.filter((event) => /^event: changed$/m.test(event)).length;
      this.wake();
    });
    for (const end of ['end', 'close', 'error']) {
      stream.on(end, () => {
        this.isOver = true;
        this.wake();
      });
    }
  }

  /** Waits for the next `changed`, or takes one that has come. @throws Error - the server has ended the stream */
  async changed(): Promise<void> {
    while (this.changes === 0) {
      if (this.isOver) throw new Error('The stream has ended.');
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    this.changes -= 1;
  }

  /** Waits until the server has ended the stream. */
  async ended(): Promise<void> {
    while (!this.isOver) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  close(): void {
    this.stream.destroy();
  }
}

let addresses = 0;

/** An address of a private network that no other browser has. */
function newAddress(): string {
  addresses += 1;
  return `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;
}

/** The token in the address of an invitation; a token stays one. */
export function tokenOf(invitation: string): string {
  return invitation.split('#i=').at(-1) ?? '';
}

/** The authenticator app that somebody has set up by a QR code. @param address - `otpauth://totp/…` */
export function authenticatorAt(address: string): TOTP {
  const totp = URI.parse(address);
  if (totp instanceof TOTP) return totp;
  throw new Error('It is not the address of a TOTP authenticator.');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function refusalOf(call: string, { status, body }: ApproverAnswer): ApproverRefusal {
  const { error = 'no JSON', retryAfter } = Object(body) as { error?: string; retryAfter?: number };
  return new ApproverRefusal(call, status, error, retryAfter);
}
