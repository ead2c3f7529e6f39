import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type WebAuthnCredential,
} from '@simplewebauthn/server';
import { challengeOf, signedText } from '../../nodes/lib/approver/canonical';
import type { ApproverProblem } from '../../nodes/lib/contract/approver';
import type { ApprovalRequest } from '../../nodes/lib/contract/people';
import { readBody } from '../../nodes/lib/server/request-body';
import { Languages } from '../../nodes/lib/texts/languages';
import { root } from './node_red';

/** A request as the page is given it. */
export interface ShownRequest extends ApprovalRequest {
  authyId: string;
}

export interface AnsweredRequest {
  id: string;
  asker: string;
  message: string;
  details: ShownRequest['details'];
  outcome: 'approved' | 'denied' | 'notMe' | 'expired';
  at: number;
  phone: string | null;
}

type Body = Readonly<Record<string, unknown>>;

/** What the stand-in answers with instead of its answer. */
class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: ApproverProblem,
    readonly retryAfter?: number,
  ) {
    super(code);
  }
}

const folder = path.join(root, 'nodes', 'lib', 'approver', 'page');

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

const contentSecurityPolicy = [
  "default-src 'none'",
  ...["script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:"],
  ...["manifest-src 'self'", "worker-src 'self'", "base-uri 'none'", "form-action 'none'"],
  "frame-ancestors 'none'",
].join('; ');

/**
 * What the approver's page talks to, with one person and one phone, in memory. It checks passkeys as a server does, and
 * else says what the test wants; so the page can be shown in each of its states.
 */
export class ApproverStandIn {
  account = 'Front door';
  grade: 'passkey' | 'code' = 'passkey';
  isLocalOnly = false;
  /** A phone name; undefined if nobody is signed in. */
  phone: string | undefined;
  phones = 2;
  recoveryLeft = 10;
  /** The invitation that counts. */
  token: string | undefined = 'invitation';
  knowsAuthenticator = false;
  pushKey: string | null = null;
  /** What notifications of this phone are sent to, as the page has given it; null if they are off. */
  subscription: unknown = null;
  requests: ShownRequest[] = [];
  history: AnsweredRequest[] = [];
  /** Code that is right. */
  code = '123456';
  /** How far the clock of the server is ahead, in milliseconds. */
  ahead = 0;
  /** Changes the challenge that is asked to be signed. */
  forge: ((challenge: string) => string) | undefined;
  /** What the next calls by a name are refused with. */
  readonly refusals = new Map<string, { status: number; code: ApproverProblem; retryAfter?: number }>();
  /** Whether the events of the server do not come through. */
  hasNoEvents = false;
  /** The calls there were. */
  readonly calls: { name: string; body: Body }[] = [];
  /** The size of each file that was fetched: as it is, and as it was sent. */
  readonly sizes = new Map<string, { whole: number; sent: number }>();

  private passkey: WebAuthnCredential | undefined;
  private challenge = '';
  private readonly listeners = new Set<ServerResponse>();
  private readonly languages = new Languages('authy-approver');
  private readonly server = http.createServer((request, response) => void this.answer(request, response));

  /** @param host - the name that the page is opened by */
  constructor(private readonly host = 'localhost') {}

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get origin(): string {
    return `http://${this.host}:${(this.server.address() as AddressInfo).port}`;
  }

  /** The address of the page. */
  get url(): string {
    return `${this.origin}/approve/`;
  }

  /** Asks something, and tells the page. */
  ask(changes: Partial<ShownRequest> = {}): ShownRequest {
    const now = Date.now() + this.ahead;
    const request: ShownRequest = {
      id: randomUUID(),
      authyId: '1000001',
      asker: 'Garage',
      message: 'Open the garage door?',
      details: [],
      hidden: '',
      atLeast: 'code',
      createdAt: now,
      expiresAt: now + 120_000,
      nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
      ...changes,
    };
    this.requests.unshift(request);
    this.changed();
    return request;
  }

  /** Ends a request as if somebody had answered it elsewhere. */
  end(id: string, outcome: AnsweredRequest['outcome'], phone: string | null): void {
    this.close(id, outcome, phone);
    this.changed();
  }

  /** Says that the state is another one. */
  changed(): void {
    for (const listener of this.listeners) listener.write('event: changed\ndata:\n\n');
  }

  /** How many pages listen for changes. */
  get listening(): number {
    return this.listeners.size;
  }

  /** Ends the events of all pages. */
  hangUp(): void {
    for (const listener of this.listeners) listener.end();
  }

  /** The calls by a name. */
  callsOf(name: string): Body[] {
    return this.calls.filter((call) => call.name === name).map(({ body }) => body);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '', this.origin);
    const name = pathname.replace(/^\/approve\//, '');
    if (request.method === 'GET' && name === 'api/events') this.listen(response);
    else if (request.method === 'GET') this.sendFile(request, response, name === '' ? 'index.html' : name);
    else await this.call(name.replace(/^api\//, ''), request, response);
  }

  private listen(response: ServerResponse): void {
    if (this.hasNoEvents) {
      response.writeHead(503).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(': here\n\n');
    this.listeners.add(response);
    response.on('close', () => this.listeners.delete(response));
  }

  private sendFile(request: IncomingMessage, response: ServerResponse, name: string): void {
    const content = this.contentOf(name, request.headers['accept-language']);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    const sent = gzipSync(content);
    this.sizes.set(name, { whole: content.length, sent: sent.length });
    const type = types[path.extname(name)] ?? 'application/manifest+json';
    response.writeHead(200, {
      'Content-Type': type,
      'Content-Encoding': 'gzip',
      'Content-Security-Policy': contentSecurityPolicy,
      'Referrer-Policy': 'no-referrer',
    });
    response.end(sent);
  }

  private contentOf(name: string, language: string | undefined): Buffer | undefined {
    if (name === 'manifest.webmanifest') {
      const icons = [{ src: 'icon.svg', sizes: 'any', type: 'image/svg+xml' }];
      const manifest = { name: this.account, start_url: './', scope: './', display: 'standalone', icons };
      return Buffer.from(JSON.stringify(manifest));
    }
    const file = path.join(folder, path.basename(name));
    if (!fs.existsSync(file)) return undefined;
    return name === 'index.html'
      ? this.pageIn(language, fs.readFileSync(file, 'utf8'))
      : fs.readFileSync(file);
  }

  private pageIn(header: string | undefined, template: string): Buffer {
    const language = this.languages.ofBrowser(header);
    const facts: Readonly<Record<string, string>> = {
      language: language.tag,
      texts: JSON.stringify(language.page),
    };
    const textOf = (key: string): string => facts[key] ?? language.text(`page.${key}`);
    const escaped = (text: string): string =>
      text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
    return Buffer.from(
      template.replace(/\{\{([\w.]+)\}\}/g, (_placeholder, key: string) => escaped(textOf(key))),
    );
  }

  private async call(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, answer: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
    };
    try {
      if (request.headers['content-type'] !== 'application/json') throw new Refused(415, 'notJson');
      if (request.headers.origin !== this.origin) throw new Refused(403, 'foreign');
      const body = JSON.parse((await readBody(request, 16_384)).toString()) as Body;
      this.calls.push({ name, body });
      const refusal = this.refusals.get(name);
      if (refusal !== undefined) throw new Refused(refusal.status, refusal.code, refusal.retryAfter);
      const handler = this.handlers[name];
      if (handler === undefined) throw new Refused(404, 'gone');
      send(200, await handler(body));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      send(error.status, { error: error.code, retryAfter: error.retryAfter });
    }
  }

  private readonly handlers: Readonly<Record<string, (body: Body) => object | Promise<object>>> = {
    state: () => this.state(),
    invitation: (body) => this.invite(body),
    enrol: (body) => this.enrol(body),
    'sign-in-options': async () => ({ options: await this.assertionOptions() }),
    'sign-in': async ({ credential }) => {
      await this.verify(credential, this.challenge);
      this.phone = 'My phone';
      return {};
    },
    recover: ({ code }) => {
      if (code !== '123412341234') throw new Refused(422, 'wrongCode');
      this.token = 'recovered';
      return { token: this.token };
    },
    'approve-options': async ({ id }) => {
      const challenge = challengeOf(signedTextOf(this.find(id)));
      return { options: await this.assertionOptions(this.forge?.(challenge) ?? challenge) };
    },
    approve: async ({ id, credential, code }) => {
      const request = this.find(id);
      if (code === undefined) await this.verify(credential, challengeOf(signedTextOf(request)));
      else if (code !== this.code) throw new Refused(422, 'wrongCode');
      this.close(request.id, 'approved', this.phone ?? null);
      return {};
    },
    deny: ({ id, notMe }) => {
      this.close(this.find(id).id, notMe === true ? 'notMe' : 'denied', this.phone ?? null);
      return {};
    },
    rename: ({ name }) => {
      this.phone = String(name);
      return {};
    },
    push: ({ subscription }) => {
      this.subscription = subscription;
      return {};
    },
    'sign-out': () => {
      this.phone = undefined;
      return {};
    },
    leave: () => {
      this.phone = undefined;
      return {};
    },
  };

  private state(): object {
    const { account, grade, isLocalOnly, phone, phones, recoveryLeft, requests, history } = this;
    if (phone === undefined) return { account, grade, isLocalOnly, signedIn: false };
    return {
      ...{ account, grade, isLocalOnly, signedIn: true, now: Date.now() + this.ahead },
      phone: { id: 'p1', name: phone, grade, number: '42' },
      ...{ phones, recoveryLeft },
      requests: requests.map((request) => ({ ...request, challenge: challengeOf(signedTextOf(request)) })),
      history,
      push: { key: this.pushKey, isOn: this.subscription !== null },
    };
  }

  private async invite({ token }: Body): Promise<object> {
    if (token !== this.token) throw new Refused(404, 'invitation');
    if (this.grade === 'passkey') {
      const options = await generateRegistrationOptions({
        rpName: this.account,
        rpID: this.host,
        userName: 'Ada',
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
      });
      this.challenge = options.challenge;
      return { grade: 'passkey', name: '', options, authenticator: null };
    }
    const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
    const qr =
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 3 3"><path d="M0 0h1v1H0zM1 1h2v2H1z"/></svg>';
    return {
      grade: 'code',
      name: '',
      options: null,
      authenticator: this.knowsAuthenticator
        ? { isKnown: true }
        : {
            isKnown: false,
            address: `otpauth://totp/Front%20door:Ada?secret=${secret}&issuer=Front%20door`,
            qr: `data:image/svg+xml;base64,${Buffer.from(qr).toString('base64')}`,
          },
    };
  }

  private async enrol({ token, name, credential, code }: Body): Promise<object> {
    if (token !== this.token) throw new Refused(404, 'invitation');
    if (this.grade === 'passkey') {
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: credential as RegistrationResponseJSON,
        expectedChallenge: this.challenge,
        expectedOrigin: this.origin,
        expectedRPID: this.host,
        requireUserVerification: true,
      });
      if (!verified) throw new Refused(422, 'passkeyRefused');
      this.passkey = registrationInfo.credential;
    } else if (code !== this.code) throw new Refused(422, 'wrongCode');
    this.token = undefined;
    this.phone = String(name);
    const recoveryCodes = Array.from({ length: 10 }, (_, index) => `12341234123${index}`);
    return { number: '42', recoveryCodes: this.knowsAuthenticator ? null : recoveryCodes };
  }

  private async assertionOptions(challenge?: string): Promise<object> {
    const options = await generateAuthenticationOptions({
      rpID: this.host,
      userVerification: 'required',
      ...(challenge !== undefined && { challenge: Buffer.from(challenge, 'base64url') }),
      ...(this.passkey !== undefined && { allowCredentials: [{ id: this.passkey.id }] }),
    });
    this.challenge = options.challenge;
    return options;
  }

  private async verify(credential: unknown, expectedChallenge: string): Promise<void> {
    if (this.passkey === undefined) throw new Refused(422, 'passkeyRefused');
    const { verified } = await verifyAuthenticationResponse({
      response: credential as AuthenticationResponseJSON,
      expectedChallenge,
      expectedOrigin: this.origin,
      expectedRPID: this.host,
      credential: this.passkey,
      requireUserVerification: true,
    });
    if (!verified) throw new Refused(422, 'passkeyRefused');
  }

  private find(id: unknown): ShownRequest {
    const request = this.requests.find((each) => each.id === id);
    if (request === undefined) throw new Refused(404, 'gone');
    return request;
  }

  private close(id: string, outcome: AnsweredRequest['outcome'], phone: string | null): void {
    const { asker, message, details } = this.find(id);
    this.requests = this.requests.filter((request) => request.id !== id);
    this.history.unshift({ id, asker, message, details, outcome, at: Date.now() + this.ahead, phone });
  }
}

function signedTextOf({ authyId, ...request }: ShownRequest): string {
  return signedText(authyId, request);
}
