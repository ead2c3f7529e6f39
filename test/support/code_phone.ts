import { URI } from 'otpauth';
import { member, textOrNull } from '../../nodes/lib/contract/json';
import { ApproverClient } from './approver_client';

/** A phone without passkeys, on the page where people answer, and the authenticator app beside it. */
export class CodePhone {
  readonly browser: ApproverClient;

  /**
   * @param nodeUrl - where the http in nodes of the Node-RED really are
   * @param publicUrl - the address of the page, as the account has it
   */
  constructor(nodeUrl: string, publicUrl: string) {
    this.browser = new ApproverClient(nodeUrl, publicUrl, new URL(publicUrl).pathname);
  }

  /** Opens an invitation, sets up the authenticator app that it offers, and adds the phone. @returns its two-digit number */
  async enrol(invitation: string, name: string): Promise<string> {
    const token = new URL(invitation).hash.replace('#i=', '');
    const opened = await this.browser.done('invitation', { token });
    const address = textOrNull(member(opened, 'authenticator'), 'address') ?? '';
    const code = URI.parse(address).generate();
    return textOrNull(await this.browser.done('enrol', { token, name, code }), 'number') ?? '';
  }
}
