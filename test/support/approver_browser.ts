import { TOTP, URI } from 'otpauth';
import { ApproverClient } from './approver_client';
import type { HttpAnswer } from './http_request';
import { EventStream } from './event_stream';
import { eventually } from './node_red';

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

/** A person on the approver's page, with what its script does. Two of them are two browsers. */
export class ApproverBrowser {
  private readonly client: ApproverClient;

  /** @param page - the address of the page, where its server is as well */
  constructor(page: string) {
    const { origin, pathname } = new URL(page);
    this.client = new ApproverClient(origin, page, pathname, newAddress());
  }

  /** Makes a call of the page. @throws ApproverRefusal */
  async call<T = object>(name: string, body: object = {}): Promise<T> {
    const answer = await this.send(name, body);
    if (answer.status === 200) return answer.body as T;
    throw refusalOf(name, answer);
  }

  /** Makes a call that has to be refused. @throws Error - it was not */
  async refusal(name: string, body: object = {}): Promise<ApproverRefusal> {
    const answer = await this.send(name, body);
    if (answer.status === 200) throw new Error(`${name} was answered: ${JSON.stringify(answer.body)}`);
    return refusalOf(name, answer);
  }

  /** Makes a call, whatever comes of it. */
  send(name: string, body: object = {}): Promise<HttpAnswer> {
    return this.client.call(name, body);
  }

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
    const events = new ApproverEvents(new EventStream(this.client));
    await events.changed();
    return events;
  }
}

/** Events of the server: what the page would fetch is no longer what it shows. */
export class ApproverEvents {
  private seen = 0;

  constructor(private readonly stream: EventStream) {}

  /** Waits for the next `changed`, or takes one that has come. */
  async changed(): Promise<void> {
    await eventually('an event', () => (this.stream.changes > this.seen ? true : undefined));
    this.seen += 1;
  }

  close(): void {
    this.stream.close();
  }
}

let addresses = 0;

/** An address of a private network that no other browser has: calls are limited by it. */
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

function refusalOf(call: string, { status, body }: HttpAnswer): ApproverRefusal {
  const { error = 'no JSON', retryAfter } = body as { error?: string; retryAfter?: number };
  return new ApproverRefusal(call, status, error, retryAfter);
}
