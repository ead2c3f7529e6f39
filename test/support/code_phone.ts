import http from 'node:http';
import { URI } from 'otpauth';
import { member, parsedJson, textOrNull } from '../../nodes/lib/contract/json';

/**
 * A phone without passkeys, on the page where people answer: what that page does, by HTTP and under its own address, and the
 * authenticator app beside it.
 */
export class CodePhone {
  /**
   * @param nodeUrl - where the http in nodes of the Node-RED really are
   * @param publicUrl - the address of the page, as the account has it
   */
  constructor(
    private readonly nodeUrl: string,
    private readonly publicUrl: string,
  ) {}

  /** Opens an invitation, sets up the authenticator app that it offers, and adds the phone. @returns its two-digit number */
  async enrol(invitation: string, name: string): Promise<string> {
    const token = new URL(invitation).hash.replace('#i=', '');
    const opened = await this.call('invitation', { token });
    const address = textOrNull(member(opened, 'authenticator'), 'address') ?? '';
    const code = URI.parse(address).generate();
    return textOrNull(await this.call('enrol', { token, name, code }), 'number') ?? '';
  }

  private call(route: string, body: object): Promise<unknown> {
    const page = new URL(this.publicUrl);
    const url = new URL(`${page.pathname}/api/${route}`, this.nodeUrl);
    const headers = { Host: page.host, Origin: page.origin, 'Content-Type': 'application/json' };
    return new Promise((resolve, reject) => {
      const request = http.request(url, { method: 'POST', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(parsedJson(text));
          else reject(new Error(`${route}: ${response.statusCode ?? 0} ${text}`));
        });
      });
      request.on('error', reject).end(JSON.stringify(body));
    });
  }
}
