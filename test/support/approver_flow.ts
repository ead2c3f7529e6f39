import type { Approver } from '../../nodes/lib/approver/approver';
import { Floods } from '../../nodes/lib/approver/floods';
import type { Person } from '../../nodes/lib/contract/people';
import { ApproverClient, PasskeyPhone, type ShownRequest } from './approver_client';
import { approvalGate } from './approval_gate';
import type { Ending, Flow } from './flow';
import { authenticator, calmStep, codeAt, LocalAccount } from './local_account';
import { eventually } from './node_red';

/** How messages that were given to a gate have ended: `out0` approved, `out1` denied, `out2` expired, or the code of an error. */
export type Outcome = string;

/** A phone without a passkey, and the authenticator app of its owner. */
export interface CodePhone {
  readonly browser: ApproverClient;
  /** @param steps - from now */
  readonly codeNow: (steps?: number) => string;
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
}

let gates = 0;

/** A gate on an account of this Node-RED, and people with phones. */
export class ApproverFlow {
  readonly local = new LocalAccount();
  private serial = 0;
  /** A gate takes over what an earlier one with the same id has left in this process: that of another test must not. */
  private readonly gateId = `gate-${(gates += 1)}`;

  /** @param page - the address of the page, as people reach it: with https and a name its grade is `passkey` */
  constructor(readonly page = 'https://home.example/approve') {
    Object.assign(this.local.account, { approverUrl: page });
  }

  /** Runs a gate. @param properties - beyond those of {@link approvalGate} */
  gate(properties: Record<string, unknown> = {}, settings: object = {}): Promise<Flow> {
    const others = [this.local.account, ...this.local.notifications];
    return this.local.startNode(
      { ...approvalGate, id: this.gateId, maxOpen: 0, ...properties },
      3,
      others,
      settings,
    );
  }

  get flow(): Flow {
    if (this.local.flow === undefined) throw new Error('No flow runs.');
    return this.local.flow;
  }

  get approver(): Approver {
    const found = this.flow.account('account').approver;
    if (found === undefined) throw new Error('The account has no approver.');
    return found;
  }

  /** Adds somebody. @returns the Authy ID */
  async person(phoneNumber = '+13175550142', email = 'ada@example.com', countryCode = '1'): Promise<string> {
    const people = this.approver.host.people();
    return (await people.add({ phoneNumber, countryCode, email })).authyId;
  }

  /** Somebody as they are kept now. */
  async kept(authyId: string): Promise<Person> {
    const person = await this.approver.host.people().find(authyId);
    if (person === undefined) throw new Error('There is no such person.');
    return person;
  }

  browser(): ApproverClient {
    return new ApproverClient(this.flow.url, this.page);
  }

  /** The token of a new invitation. */
  async invited(authyId: string): Promise<string> {
    return (await this.approver.invite(authyId)).url.split('#i=')[1] ?? '';
  }

  /** A new phone of a person, with a passkey. */
  async phone(authyId: string, name = 'Phone', counts = true): Promise<PasskeyPhone> {
    const phone = new PasskeyPhone(this.browser(), counts);
    await phone.enrol(await this.invited(authyId), name);
    return phone;
  }

  /** A new phone of a person, with a new authenticator app; its code of this step is still to be used. */
  async codePhone(authyId: string, name = 'Wall'): Promise<CodePhone> {
    const browser = this.browser();
    const token = await this.invited(authyId);
    await calmStep();
    const opened = await browser.done('invitation', { token });
    const { address } = opened['authenticator'] as { address: string };
    const secret = new URL(address).searchParams.get('secret') ?? '';
    const totp = authenticator(secret);
    const { recoveryCodes } = await browser.done('enrol', { token, name, code: codeAt(totp, -1) });
    return {
      ...{ browser, secret, recoveryCodes: recoveryCodes as string[] },
      codeNow: (steps) => codeAt(totp, steps),
    };
  }

  /** Asks a person by the gate. @returns the id of the message, and the request as a phone shows it */
  async asked(
    authyId: string,
    browser: ApproverClient,
    message: Record<string, unknown> = {},
  ): Promise<{ given: string; request: ShownRequest }> {
    this.rest();
    const before = new Set((await browser.requests()).map(({ id }) => id));
    const given = this.flow.give({ authyId, ...message });
    const request = await eventually('the phone shows a request', async () =>
      (await browser.requests()).find(({ id }) => !before.has(id)),
    );
    return { given, request };
  }

  /** How a message has ended at the gate. */
  async outcome(given: string): Promise<Outcome> {
    return outcomeOf(await this.flow.ending(given));
  }

  /** A minute goes by, as far as the limits of calls go. */
  rest(): void {
    Object.assign(this.approver, { floods: new Floods() });
  }

  /** Another address on the internet each time: as what a proxy on this machine would say. */
  from(): Record<string, string> {
    this.serial += 1;
    return { 'X-Forwarded-For': `198.51.${this.serial >> 8}.${this.serial & 255}` };
  }

  stop(): Promise<void> {
    return this.local.stop();
  }
}

/** @throws Error - it has ended more than once */
export function outcomeOf({ sent, caught }: Ending): Outcome {
  const all = [
    ...sent.map(({ output }) => `out${output}`),
    ...caught.map(({ error }) => error?.code ?? 'error'),
  ];
  const [only, ...others] = all;
  if (only === undefined || others.length > 0)
    throw new Error(`The message has ended as ${all.join(' and ')}.`);
  return only;
}
