import type { Approvals, FoundRequest, MadeInvitation } from '../contract/approver';
import type { ValuesOf } from '../contract/operations';
import type { ApprovalRequest } from '../contract/people';
import { type PageAddress, pageAddress } from './address';
import { Asking } from './asking';
import { Enrolment } from './enrolment';
import type { ApproverHost } from './host';
import { Probes } from './pages/probes';
import { Phones } from './phones';
import { SigningIn } from './signing-in';
import { Floods } from './floods';
import { Pushing } from './pushing';
import { Telling } from './telling';

/** The approver of an account: people answer its requests on their phones, on a page of this Node-RED. */
export class Approver implements Approvals {
  readonly asking: Asking;
  readonly enrolment: Enrolment;
  readonly phones: Phones;
  readonly pushing: Pushing;
  /** What the page may be asked for within a minute. */
  readonly floods = new Floods();
  readonly signingIn: SigningIn;
  readonly probes = new Probes();
  private readonly telling: Telling;

  constructor(readonly host: ApproverHost) {
    this.pushing = new Pushing(host);
    this.telling = new Telling(host, this.pushing.send);
    this.asking = new Asking(host, this.telling);
    this.enrolment = new Enrolment(host, this.telling);
    this.phones = new Phones(host, this.telling);
    this.signingIn = new SigningIn(host);
  }

  /** @throws AuthyError - `AUTHY_BAD_CONFIG` if it has no address */
  get page(): PageAddress {
    return pageAddress(this.host);
  }

  ask(
    question: ValuesOf<'onetouchSend'>,
    options: { readonly asker: string; readonly signal?: AbortSignal | undefined },
  ): Promise<ApprovalRequest> {
    return this.asking.ask(question, options);
  }

  find(authyId: string, approvalId: string): Promise<FoundRequest> {
    return this.asking.find(authyId, approvalId);
  }

  assertAddress(): void {
    pageAddress(this.host);
  }

  invite(authyId: string): Promise<MadeInvitation> {
    return this.enrolment.inviteAndTell(authyId);
  }
}
