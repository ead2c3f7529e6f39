import { TOTP, URI } from 'otpauth';
import type { Simulator, SimulatorOptions } from '../../nodes/simulator/simulator';
import { type Answer, Harness } from './harness';

const digits = (hex: string): string => hex.repeat(32).slice(0, 32);

/** What the clients of Verify send in these tests. */
export const credentials: Simulator['verify'] = {
  accountSid: `AC${digits('a1')}`,
  authToken: 'auth-token-of-the-tests',
  apiKeySid: `SK${digits('b2')}`,
  apiKeySecret: 'secret-of-the-tests',
  serviceSid: `VA${digits('c3')}`,
};

/** The path of the service. */
export const service = `/v2/Services/${credentials.serviceSid}`;

export const phone = '+13175550142';

/** Values of a form; a list repeats the name. */
export type FormValues = Readonly<Record<string, string | readonly string[]>>;

/** A simulator, and the requests that tests make to its endpoints of Verify. */
export class VerifyHarness extends Harness {
  constructor(options: SimulatorOptions = {}) {
    super({ ...options, verify: { ...credentials, ...options.verify } });
  }

  /** A request as the account, to a path below `/v2/Services/VA…`; the form of a GET is its query string. */
  verify(method: string, path: string, form: FormValues = {}): Promise<Answer> {
    return this.twilio(method, service + path, form);
  }

  /** A request as the account, to any path. */
  twilio(method: string, path: string, form: FormValues = {}, user?: string): Promise<Answer> {
    const { accountSid, authToken } = credentials;
    const fields = new URLSearchParams();
    for (const [name, value] of Object.entries(form)) {
      for (const one of typeof value === 'string' ? [value] : value) fields.append(name, one);
    }
    const isGet = method === 'GET';
    const query = isGet && fields.size > 0 ? `?${fields.toString()}` : '';
    return this.request(method, path + query, {
      headers: {
        Authorization: `Basic ${Buffer.from(user ?? `${accountSid}:${authToken}`).toString('base64')}`,
      },
      ...(isGet ? {} : { body: fields }),
    });
  }

  /** Makes an authenticator for a person; it is not confirmed yet. */
  async createFactor(identity: string, form: FormValues = {}): Promise<{ sid: string; app: App }> {
    const { status, body, text } = await this.verify('POST', `/Entities/${identity}/Factors`, {
      FriendlyName: 'Phone of Ada',
      FactorType: 'totp',
      ...form,
    });
    status.should.equal(201, text);
    const { uri } = body['binding'] as { uri: string };
    return { sid: String(body['sid']), app: new App(uri, this) };
  }

  /** Makes one, and confirms it. */
  async createVerifiedFactor(identity: string, form: FormValues = {}): Promise<{ sid: string; app: App }> {
    const factor = await this.createFactor(identity, form);
    const path = `/Entities/${identity}/Factors/${factor.sid}`;
    const { body } = await this.verify('POST', path, { AuthPayload: factor.app.code });
    body.should.have.property('status', 'verified');
    return factor;
  }

  /** Starts a verification. @returns its SID and its code */
  async startVerification(form: FormValues = {}): Promise<{ sid: string; code: string }> {
    const started = await this.verify('POST', '/Verifications', { To: phone, Channel: 'sms', ...form });
    started.status.should.equal(201, started.text);
    return { sid: String(started.body['sid']), code: await this.code('verification') };
  }
}

/** An authenticator app with the secret of a factor. */
export class App {
  private readonly totp: TOTP;

  constructor(
    uri: string,
    private readonly harness: Harness,
  ) {
    this.totp = URI.parse(uri) as TOTP;
  }

  /** The code that it shows. */
  get code(): string {
    return this.totp.generate({ timestamp: this.harness.time });
  }
}

/** A code of the same length that is not this one. */
export function wrong(code: string): string {
  return code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));
}

/** What every error body of Twilio's holds. */
export function shouldFail(answer: Answer, status: number, code: number, message: RegExp = /./): void {
  answer.status.should.equal(status, answer.text);
  Object.keys(answer.body).should.eql(['code', 'message', 'more_info', 'status']);
  answer.body.should.have.properties({
    code,
    status,
    more_info: `https://www.twilio.com/docs/errors/${code}`,
  });
  String(answer.body['message']).should.match(message);
}
