import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import should from 'should';
import { AuthyClient, type AuthyClientOptions } from '../../../../nodes/lib/services/authy/client';
import { type CallOptions } from '../../../../nodes/lib/contract/service';
import { isDocumented, meaningOf } from '../../../../nodes/lib/services/authy/error-numbers';
import { AuthyError } from '../../../../nodes/lib/contract/errors';
import { proxyFor } from '../../../../nodes/lib/http/proxy';
import { reasonOf } from '../../../../nodes/lib/http/reasons';
import { retryAfterSeconds } from '../../../../nodes/lib/http/retry';
import { serviceAddress } from '../../../../nodes/lib/http/transport';
import type { OperationName } from '../../../../nodes/lib/contract/results';
import { ValidatingService } from '../../../support/validating_service';
import { selfSigned } from '../../../support/certificate';
import { ScriptedServer, type Step } from '../../../support/scripted_server';

const apiKey = 'canary-key-0123456789';
const sms: [OperationName, Record<string, unknown>] = ['tokenSms', { authyId: '209' }];
const status: [OperationName, Record<string, unknown>] = ['appDetails', {}];
const details = { app: { name: 'x' }, message: 'Application information.', success: true };
const sent = { success: true, message: 'SMS token was sent', cellphone: '+1-XXX' };

const unavailable: Step = { status: 503, json: { message: 'Service unavailable', success: false } };
const tooMany: Step = {
  status: 429,
  json: { message: 'Too many', success: false, error_code: '60003' },
  headers: { 'Retry-After': '0' },
};
const html502: Step = { status: 502, text: '<html>Bad gateway</html>', type: 'text/html; charset=utf-8' };

describe('Authy client', () => {
  const server = new ScriptedServer();
  const services: ValidatingService[] = [];

  before(() => server.start());
  after(() => server.stop());
  afterEach(() => {
    for (const service of services.splice(0)) service.close();
  });

  function serviceWith(options: Partial<AuthyClientOptions> = {}): ValidatingService {
    const service = new ValidatingService(new AuthyClient({ apiKey, baseUrl: server.url, ...options }));
    services.push(service);
    return service;
  }

  async function failure(
    [name, inputs]: [OperationName, Record<string, unknown>],
    options?: Partial<AuthyClientOptions>,
    call?: CallOptions,
  ): Promise<AuthyError> {
    const error: unknown = await serviceWith(options)
      .perform(name, inputs, call)
      .then(
        ({ outcome }) => new Error(`ended as ${outcome}`),
        (reason: unknown) => reason,
      );
    should(error).be.instanceof(AuthyError, String(error));
    for (const text of [
      inspect(error, { depth: 10 }),
      JSON.stringify(error),
      String((error as Error).stack),
    ]) {
      text.should.not.match(/canary/);
    }
    structuredClone((error as AuthyError).toJSON()).should.be.an.Object();
    return error as AuthyError;
  }

  it('a call that is under way still gets its answer after close, and no connection is left', async () => {
    let answer: (() => void) | undefined;
    const slow = http.createServer((_request, response) => {
      answer = () => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(sent));
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const service = serviceWith({ baseUrl: `http://127.0.0.1:${(slow.address() as AddressInfo).port}` });
    const idle = new Promise((resolve) => slow.on('connection', (socket) => socket.on('close', resolve)));
    const call = service.perform(...sms);
    await new Promise((resolve) => slow.once('request', resolve));
    service.close();
    answer?.();
    (await call).should.have.property('outcome', 'sent');
    await idle;
    await new Promise((resolve) => slow.close(resolve));
  });

  describe('repeats', () => {
    // Operation, failing step, the number of requests, and the final error: the table of nodes/lib/http/retry.ts.
    const phone = { phoneNumber: '+13173389302' };
    const uuid = '4a725520-bff5-0135-eb01-0e5d90336a8c';
    const reads: [OperationName, Record<string, unknown>][] = [
      status,
      ['appStats', {}],
      ['userStatus', { authyId: '209' }],
      ['onetouchStatus', { approvalId: uuid }],
      ['phoneStatus', { verificationId: uuid }],
    ];
    const once: [OperationName, Record<string, unknown>][] = [
      sms,
      ['tokenCall', { authyId: '209' }],
      ['tokenEmail', { authyId: '209' }],
      ['tokenVerify', { authyId: '209', token: '0123456' }],
      ['phoneStart', { ...phone, via: 'sms' }],
      ['phoneCheck', { ...phone, code: '0123' }],
      ['onetouchSend', { authyId: '209', message: 'x' }],
      ['userQr', { authyId: '209' }],
      ['userActivity', { authyId: '209', activity: 'banned' }],
    ];
    const repeatable: [OperationName, Record<string, unknown>][] = [
      ['userCreate', { email: 'u@example.com', ...phone }],
      ['userUpdate', { authyId: '209', email: 'u@example.com' }],
      ['userDelete', { authyId: '209' }],
    ];
    const billed: [OperationName, Record<string, unknown>][] = [['phoneInfo', phone]];

    const cases: [
      calls: [OperationName, Record<string, unknown>][],
      step: Step,
      hits: number,
      code: string,
    ][] = [
      [reads, unavailable, 3, 'AUTHY_UNAVAILABLE'],
      [reads, html502, 3, 'AUTHY_UNAVAILABLE'],
      [reads, 'drop', 3, 'AUTHY_UNAVAILABLE'],
      [reads, 'truncate', 3, 'AUTHY_UNAVAILABLE'],
      [reads, tooMany, 3, 'AUTHY_RATE_LIMITED'],
      [billed, unavailable, 2, 'AUTHY_UNAVAILABLE'],
      [billed, tooMany, 2, 'AUTHY_RATE_LIMITED'],
      [repeatable, unavailable, 2, 'AUTHY_OUTCOME_UNKNOWN'],
      [repeatable, 'drop', 2, 'AUTHY_OUTCOME_UNKNOWN'],
      [repeatable, tooMany, 3, 'AUTHY_RATE_LIMITED'],
      [once, unavailable, 1, 'AUTHY_OUTCOME_UNKNOWN'],
      [once, html502, 1, 'AUTHY_OUTCOME_UNKNOWN'],
      [once, 'drop', 1, 'AUTHY_OUTCOME_UNKNOWN'],
      [once, 'truncate', 1, 'AUTHY_OUTCOME_UNKNOWN'],
      [once, tooMany, 1, 'AUTHY_RATE_LIMITED'],
    ];
    for (const [calls, step, hits, code] of cases) {
      for (const call of calls) {
        const what = typeof step === 'string' ? step : `HTTP ${step.status}`;
        it(`${call[0]}, ${what}: ${hits} ${hits === 1 ? 'request' : 'requests'}, then ${code}`, async () => {
          server.script(step);
          (await failure(call)).code.should.equal(code);
          server.seen.length.should.equal(hits);
        });
      }
    }

    it('a read succeeds after two failures', async () => {
      server.script('drop', unavailable, { status: 200, json: details });
      (await serviceWith().perform('appDetails', {})).outcome.should.equal('read');
      server.seen.length.should.equal(3);
    });

    it("a 5xx with one of Authy's own numbers is an answer", async () => {
      server.script({
        status: 503,
        json: { message: 'SMS token was not sent', success: false, error_code: '60015' },
      });
      const error = await failure(sms);
      error.code.should.equal('AUTHY_NOT_SENT');
      should(error.authyCode).equal('60015');
    });

    it('if Retry-After is longer than the deadline, the error comes at once and says how long to wait', async () => {
      server.script({ ...tooMany, headers: { 'Retry-After': '20' } });
      const error = await failure(status, { deadline: 500 });
      error.code.should.equal('AUTHY_RATE_LIMITED');
      should(error.retryAfter).equal(20);
      server.seen.length.should.equal(1);
    });
  });

  describe('time', () => {
    it('if the server does not answer, the outcome is unknown after one request', async () => {
      server.script('hang');
      const error = await failure(sms, { deadline: 1000 });
      error.code.should.equal('AUTHY_OUTCOME_UNKNOWN');
      server.seen.length.should.equal(1);
    });

    it('if the server does not answer a read, it is repeated while there is time, then times out', async () => {
      server.script('hang');
      (await failure(status, { deadline: 1500 })).code.should.equal('AUTHY_TIMEOUT');
      server.script('hang', { status: 200, json: details });
      (await serviceWith({ deadline: 2000 }).perform('appDetails', {})).outcome.should.equal('read');
    });

    it('a body that comes slowly and without end ends with the deadline', async () => {
      server.script('drip');
      (await failure(sms, { deadline: 200 })).code.should.equal('AUTHY_OUTCOME_UNKNOWN');
    });

    it('a fast body without end is cut off', async () => {
      server.script('flood');
      (await failure(status)).code.should.equal('AUTHY_BAD_RESPONSE');
    });

    it('a deadline of the call takes precedence over that of the client', async () => {
      server.script('hang');
      (await failure(status, { deadline: 60_000 }, { deadline: 1500 })).code.should.equal('AUTHY_TIMEOUT');
    });

    it('a call can be cancelled before it is sent and while it is under way', async () => {
      server.script('hang');
      (await failure(sms, {}, { signal: AbortSignal.abort() })).code.should.equal('AUTHY_CANCELLED');
      server.seen.length.should.equal(0);
      for (const [call, code] of [
        [sms, 'AUTHY_OUTCOME_UNKNOWN'],
        [status, 'AUTHY_CANCELLED'],
      ] as const) {
        server.script('hang');
        const controller = new AbortController();
        const failed = failure(call, {}, { signal: controller.signal });
        while (server.seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        controller.abort();
        (await failed).code.should.equal(code);
      }
    });
  });

  describe("answers that are not Authy's", () => {
    it('HTML with status 200 is an error', async () => {
      server.script({ status: 200, text: '<html>Log in to the hotel</html>', type: 'text/html' });
      const error = await failure(sms);
      error.code.should.equal('AUTHY_BAD_RESPONSE');
      error.message.should.match(/HTTP 200 with text\/html instead of JSON.*not known/);
      server.seen.length.should.equal(1);
    });

    it('JSON that is broken or not an object is an error', async () => {
      for (const text of ['null', '[]', '"is valid"', 'true', '', '{"success":true', '{"success":true}}']) {
        server.script({ status: 200, text, type: 'application/json' });
        (await failure(sms)).code.should.equal('AUTHY_BAD_RESPONSE');
      }
    });

    it('a compressed answer is an error: it was not asked for, and could be of any size', async () => {
      server.script({ status: 200, json: sent, headers: { 'Content-Encoding': 'gzip' } });
      const error = await failure(sms);
      error.code.should.equal('AUTHY_BAD_RESPONSE');
      error.message.should.match(/compressed/);
      should(server.seen[0]?.headers).have.property('accept-encoding', 'identity');
    });

    it('a redirect is not followed', async () => {
      const other = await new ScriptedServer().start();
      other.script({ status: 200, json: sent });
      server.script({
        status: 302,
        json: sent,
        headers: { Location: `${other.url}/protected/json/sms/209` },
      });
      (await failure(sms)).code.should.equal('AUTHY_BAD_RESPONSE');
      other.seen.length.should.equal(0);
      await other.stop();
    });

    it('a key that the server repeats is removed', async () => {
      server.script({
        status: 400,
        json: { message: `bad key ${apiKey}`, success: false, error_code: '60002' },
      });
      const error = await failure(sms);
      JSON.stringify(error.response).should.not.match(/canary/);
      error.message.should.match(/\[API key\]/);
    });

    it('other secrets are removed too, in any place and any spelling', async () => {
      const escaped = (json: string): string =>
        json.replace(/"[^"]*"/g, (text) =>
          text.replace(/[a-z]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
        );
      const odd = 'canary/key+with&signs%41;x';
      const secrets = ['canary-previous-key-7c2e', odd];
      for (const secret of [apiKey, ...secrets]) {
        for (const text of [secret, encodeURIComponent(secret), secret.toUpperCase()]) {
          const message = `bad: ${text}`;
          const answer = { message, success: false, error_code: '60002', more: [{ [text]: [text] }] };
          for (const status of [400, 401, 404, 429, 500, 503, 302, 200]) {
            for (const body of [JSON.stringify(answer), escaped(JSON.stringify(answer))]) {
              server.script({ status, text: body, type: 'application/json' });
              const error = await failure(sms, { secrets });
              inspect(error.response, { depth: 10 }).should.not.match(/canary/i);
            }
          }
          // For an answer that is not JSON, the error names its content type.
          for (const status of [200, 404, 500]) {
            server.script({ status, text, type: `text/${text}` });
            (await failure(sms, { secrets })).message.should.not.match(/canary/i);
          }
        }
      }
    });

    it('secrets are removed from a successful answer', async () => {
      const secrets = ['canary-previous-key-7c2e'];
      server.script({
        status: 200,
        json: {
          ...details,
          app: { name: `of ${apiKey}`, plan: secrets[0], [apiKey]: 1, n: 5, yes: true, none: null },
        },
      });
      const performed = await serviceWith({ secrets }).perform('appDetails', {});
      inspect(performed, { depth: 10 }).should.not.match(/canary/);
      performed.result.should.have.properties({ name: 'of [API key]', plan: '[secret]' });
      should(performed.answer?.body['app']).have.properties({ '[API key]': 1, n: 5, yes: true, none: null });
    });

    it('an answer is read correctly even if the key looks like JSON or a word of it', async () => {
      const valid = { message: 'Token is valid.', token: 'is valid', success: 'true', device: { id: 1 } };
      for (const key of [
        '{"token":"is_valid"}',
        '"success":"true"',
        'truetruetruetrue',
        'successsuccesssuccess',
        '""""""""""""""""',
        '::::::::::::::::',
        ',,,,,,,,,,,,,,,,',
        '1234567123456712',
      ]) {
        const service = serviceWith({ apiKey: key });
        server.script({ status: 200, json: valid });
        (await service.perform('tokenVerify', { authyId: '1234567', token: '0123456' })).outcome.should.equal(
          'valid',
        );
        server.script({
          status: 401,
          json: { message: 'Token is invalid', success: 'false', error_code: '60020' },
        });
        const wrong = await service.perform('tokenVerify', { authyId: '1234567', token: '0123456' });
        wrong.outcome.should.equal('invalid');
        wrong.result.authyId.should.equal('1234567');
      }
    });

    it('JSON that is nested too deep is an error', async () => {
      const text = `{"success":true,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
      server.script({ status: 200, text, type: 'application/json' });
      (await failure(sms)).code.should.equal('AUTHY_BAD_RESPONSE');
    });

    it('a token in a message is masked', async () => {
      server.script({
        status: 400,
        json: { message: 'Cannot use 123456 twice', success: false, error_code: '60002' },
      });
      (await failure(sms)).message.should.match(/Cannot use …56 twice/);
    });

    it('phone numbers in messages are masked', async () => {
      server.script({
        status: 404,
        json: {
          message: 'No pending verifications for +1 317-338-9302 found.',
          success: false,
          error_code: '60023',
        },
      });
      const error = await failure(['phoneStart', { phoneNumber: '+13173389302', via: 'sms' }]);
      error.message.should.match(/for …02 found/);
      error.message.should.not.match(/338/);
    });
  });

  describe('the network', () => {
    it('a refused connection is tried again, for every operation, and then AUTHY_NETWORK', async () => {
      const closed = await new ScriptedServer().start();
      const baseUrl = closed.url;
      await closed.stop();
      const error = await failure(sms, { baseUrl });
      error.code.should.equal('AUTHY_NETWORK');
      error.message.should.match(/ECONNREFUSED.*Nothing was sent/);
    });

    it('a call succeeds if the server starts between two attempts', async () => {
      const late = await new ScriptedServer().start();
      const { port } = late;
      await late.stop();
      const performed = serviceWith({ baseUrl: `http://127.0.0.1:${port}` }).perform('tokenSms', {
        authyId: '209',
      });
      const reborn = http.createServer((_request, response) => {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify(sent));
      });
      reborn.listen(port, '127.0.0.1');
      await performed.then(
        ({ outcome }) => outcome.should.equal('sent'),
        // The three attempts may be over before the server listens: then nothing was sent.
        (error: unknown) => (error as AuthyError).code.should.equal('AUTHY_NETWORK'),
      );
      await new Promise((resolve) => {
        reborn.closeAllConnections();
        reborn.close(resolve);
      });
    });

    it('an unknown host is AUTHY_NETWORK', async () => {
      const error = await failure(sms, { baseUrl: 'https://authy.invalid' });
      error.code.should.equal('AUTHY_NETWORK');
      error.message.should.match(/authy\.invalid/);
    });

    it('connections are kept and used again', async () => {
      const fresh = await new ScriptedServer().start();
      fresh.script({ status: 200, json: details });
      const service = serviceWith({ baseUrl: fresh.url });
      for (let i = 0; i < 5; i++) await service.perform('appDetails', {});
      fresh.connections.should.equal(1);
      await fresh.stop();
    });

    it('no more calls are under way than allowed, and the queue has a limit', async () => {
      const slow = await new ScriptedServer().start();
      slow.script('hang');
      const service = serviceWith({ baseUrl: slow.url, maxInFlight: 2, deadline: 60_000 });
      const controller = new AbortController();
      const { signal } = controller;
      setMaxListeners(0, signal);
      const calls = Array.from({ length: 25 }, () =>
        service.perform('tokenSms', { authyId: '209' }, { signal }).then(
          () => 'done',
          (error: unknown) => (error as AuthyError).code,
        ),
      );
      (await Promise.race(calls)).should.equal('AUTHY_BUSY');
      while (slow.seen.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      controller.abort();
      const codes = await Promise.all(calls);
      slow.seen.length.should.equal(2);
      codes.filter((code) => code === 'AUTHY_BUSY').length.should.equal(3);
      codes.filter((code) => code === 'AUTHY_CANCELLED').length.should.equal(20);
      codes.filter((code) => code === 'AUTHY_OUTCOME_UNKNOWN').length.should.equal(2);
      await slow.stop();
    });
  });

  describe('a call that waits for its next try takes up no place', () => {
    const verify: [OperationName, Record<string, unknown>] = [
      'tokenVerify',
      { authyId: '209', token: '0123456' },
    ];
    const valid: Step = { status: 200, json: { success: true, token: 'is valid' } };
    const later: Step = { ...tooMany, headers: { 'Retry-After': '20' } };
    const isVerification = (url: string): boolean => url.includes('/verify/');
    const asked = (): string[] => server.seen.map(({ url }) => (isVerification(url) ? 'verify' : 'read'));
    const codeOf = (performed: Promise<unknown>): Promise<string> =>
      performed.then(
        () => 'done',
        (error: unknown) => (error as AuthyError).code,
      );

    it('verifications go through while reads wait for Retry-After', async () => {
      server.script(valid);
      server.decide(({ url }) => (isVerification(url) ? valid : later));
      const service = serviceWith({ maxInFlight: 3, deadline: 60_000 });
      const controller = new AbortController();
      const reads = [1, 2, 3].map(() => codeOf(service.perform(...status, { signal: controller.signal })));
      const verifications = Array.from({ length: 20 }, () => service.perform(...verify));
      for (const { outcome } of await Promise.all(verifications)) outcome.should.equal('valid');
      asked()
        .sort()
        .should.eql([...Array<string>(3).fill('read'), ...Array<string>(20).fill('verify')]);
      controller.abort();
      (await Promise.all(reads)).should.eql(Array<string>(3).fill('AUTHY_CANCELLED'));
      // All places are free again.
      server.decide(() => valid);
      await Promise.all([1, 2, 3].map(() => service.perform(...verify)));
    });

    for (const [what, step] of [
      ['Retry-After', tooMany],
      ['an error of the server', unavailable],
      ['a broken connection', 'drop'],
    ] as const) {
      it(`after ${what} a call is repeated after the calls that were already waiting`, async () => {
        server.script(step, valid, valid, { status: 200, json: details });
        const service = serviceWith({ maxInFlight: 1 });
        const calls = [service.perform(...status), service.perform(...verify), service.perform(...verify)];
        (await Promise.all(calls)).map(({ outcome }) => outcome).should.eql(['read', 'valid', 'valid']);
        asked().should.eql(['read', 'verify', 'verify', 'read']);
      });
    }

    it('as many calls may wait for their next try as for a place; another one gets its error at once', async () => {
      server.script(later);
      const service = serviceWith({ maxInFlight: 1, deadline: 60_000 });
      const controller = new AbortController();
      setMaxListeners(0, controller.signal);
      const reads = Array.from({ length: 11 }, () =>
        service.perform(...status, { signal: controller.signal }),
      );
      const first: unknown = await Promise.race(reads).catch((error: unknown) => error);
      should(first).have.properties({ code: 'AUTHY_RATE_LIMITED', retryAfter: 20 });
      server.seen.length.should.equal(11);
      controller.abort();
      const codes = await Promise.all(reads.map(codeOf));
      codes.filter((code) => code === 'AUTHY_CANCELLED').length.should.equal(10);
      server.script({ status: 200, json: details });
      (await service.perform(...status)).outcome.should.equal('read');
    });

    it('a call that gets no place before its deadline reports its last answer', async () => {
      server.script(tooMany, 'hang');
      const service = serviceWith({ maxInFlight: 1, deadline: 60_000 });
      const controller = new AbortController();
      const read = codeOf(service.perform(...status, { deadline: 300 }));
      const sending = codeOf(service.perform(...sms, { signal: controller.signal }));
      (await read).should.equal('AUTHY_RATE_LIMITED');
      server.seen.length.should.equal(2);
      controller.abort();
      (await sending).should.equal('AUTHY_OUTCOME_UNKNOWN');
      server.script(valid);
      (await service.perform(...verify)).outcome.should.equal('valid');
    });
  });

  describe('TLS', () => {
    it('refuses a self-signed certificate, unless its authority is given', async () => {
      const certificate = await selfSigned();
      const secure = await new ScriptedServer(certificate).start();
      secure.script({ status: 200, json: sent });
      const error = await failure(sms, { baseUrl: secure.url });
      error.code.should.equal('AUTHY_TLS');
      secure.seen.length.should.equal(0);
      const service = serviceWith({ baseUrl: secure.url, tls: { ca: certificate.cert } });
      (await service.perform('tokenSms', { authyId: '209' })).outcome.should.equal('sent');
      await service.perform('tokenSms', { authyId: '209' });
      secure.seen.length.should.equal(2);
      await secure.stop();
    });

    it('refuses a certificate for another name, at once', async () => {
      const certificate = await selfSigned();
      const secure = await new ScriptedServer(certificate).start();
      const tls = { ca: certificate.cert, servername: 'other.example' };
      const error = await failure(sms, { baseUrl: secure.url, tls });
      error.code.should.equal('AUTHY_TLS');
      error.message.should.match(/ERR_TLS_CERT_ALTNAME_INVALID.*Nothing was sent/);
      secure.seen.length.should.equal(0);
      await secure.stop();
    });
  });

  describe('proxies', () => {
    /** A CONNECT proxy that connects everything to one port, whatever was asked for. */
    async function connectProxy(
      to: number,
    ): Promise<{ url: string; asked: string[]; auth: (string | undefined)[]; stop: () => Promise<void> }> {
      const asked: string[] = [];
      const auth: (string | undefined)[] = [];
      const proxy = http.createServer();
      const sockets = new Set<net.Socket>();
      proxy.on('connect', (request, client: net.Socket) => {
        asked.push(request.url ?? '');
        auth.push(request.headers['proxy-authorization']);
        const target = net.connect(to, '127.0.0.1', () => {
          client.write('HTTP/1.1 200 OK\r\n\r\n');
          client.pipe(target).pipe(client);
        });
        for (const socket of [client, target]) {
          sockets.add(socket);
          socket.on('error', () => socket.destroy());
        }
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      return {
        url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
        asked,
        auth,
        stop: async () => {
          for (const socket of sockets) socket.destroy();
          await new Promise((resolve) => proxy.close(resolve));
        },
      };
    }

    it('are used with their password, and the certificate is checked end to end', async () => {
      const certificate = await selfSigned();
      const secure = await new ScriptedServer(certificate).start();
      secure.script({ status: 200, json: sent });
      const proxy = await connectProxy(secure.port);
      const options = {
        baseUrl: 'https://api.authy.test',
        proxy: { url: proxy.url, username: 'user', password: 'pass' },
      };
      const service = serviceWith({ ...options, tls: { ca: certificate.cert } });
      (await service.perform('tokenSms', { authyId: '209' })).outcome.should.equal('sent');
      proxy.asked.should.eql(['api.authy.test:443']);
      proxy.auth.should.eql([`Basic ${Buffer.from('user:pass').toString('base64')}`]);
      (await failure(sms, options)).code.should.equal('AUTHY_TLS');
      await proxy.stop();
      await secure.stop();
    });

    it('a server elsewhere gets only valid phone numbers, one on this machine also invented ones', async () => {
      const certificate = await selfSigned();
      const secure = await new ScriptedServer(certificate).start();
      secure.script({ status: 200, json: { success: true } });
      server.script({ status: 200, json: { success: true } });
      const proxy = await connectProxy(secure.port);
      const elsewhere = {
        baseUrl: 'https://api.authy.test',
        proxy: { url: proxy.url },
        tls: { ca: certificate.cert },
      };
      const to = (phoneNumber: string): [OperationName, Record<string, unknown>] => [
        'phoneStart',
        { phoneNumber, via: 'sms' },
      ];
      for (const number of ['+15551234567', '+10612345678', '2015550123']) {
        const error = await failure(to(number), elsewhere);
        error.code.should.equal('AUTHY_INVALID_INPUT');
        should(error.field).equal('phoneNumber');
      }
      proxy.asked.should.eql([]);
      await serviceWith(elsewhere).perform(...to('+13173389302'));
      await serviceWith().perform(...to('+15551234567'));
      const bodies = [...secure.seen, ...server.seen].map(({ body }) => JSON.parse(body) as object);
      bodies.should.eql([
        { country_code: '1', phone_number: '3173389302', via: 'sms' },
        { country_code: '1', phone_number: '5551234567', via: 'sms' },
      ]);
      await proxy.stop();
      await secure.stop();
    });

    it('may have a password with %', async () => {
      const certificate = await selfSigned();
      const secure = await new ScriptedServer(certificate).start();
      secure.script({ status: 200, json: sent });
      const proxy = await connectProxy(secure.port);
      const reach = async (setting: AuthyClientOptions['proxy']): Promise<string | undefined> => {
        const service = serviceWith({
          baseUrl: 'https://api.authy.test',
          proxy: setting,
          tls: { ca: certificate.cert },
        });
        (await service.perform('tokenSms', { authyId: '209' })).outcome.should.equal('sent');
        const header = proxy.auth.at(-1)?.replace('Basic ', '') ?? '';
        return Buffer.from(header, 'base64').toString();
      };
      const address = proxy.url.replace('http://', '');
      for (const [written, meant] of [
        ['100%', '100%'],
        ['%', '%'],
        ['a%zzb', 'a%zzb'],
        ['50%off%20', '50%off '],
        ['p%40ss', 'p@ss'],
        ['p@ss', 'p@ss'],
        ['%C3%BC%', 'ü%'],
        ['%E4', '%E4'],
      ] as const) {
        const url = `http://us%er:${written}@${address}`;
        (await reach({ url }))?.should.equal(`us%er:${meant}`);
        process.env['https_proxy'] = url;
        try {
          (await reach(undefined))?.should.equal(`us%er:${meant}`);
        } finally {
          delete process.env['https_proxy'];
        }
        // In their own fields, user name and password are not encoded at all.
        (await reach({ url: proxy.url, username: 'us%er', password: written }))?.should.equal(
          `us%er:${written}`,
        );
      }
      await proxy.stop();
      await secure.stop();
    });

    it('with a wrong address are an error that says where the address is from', () => {
      const target = new URL('https://api.authy.com/x');
      for (const [url, problem] of [
        ['proxy.example:3128', /must begin with http/],
        ['socks5://user:canary@proxy.example', /must begin with http/],
        ['http://', /such as http:\/\/proxy\.example/],
        ['http://user:can/ary@proxy.example:3128', /such as http:\/\/proxy\.example/],
        ['http://user:12/canary@proxy.example:3128', /must end with its port/],
        ['http://user:12?canary@proxy.example:3128', /must end with its port/],
        ['http://user:12#canary@proxy.example:3128', /must end with its port/],
        ['http://proxy.example:99999', /such as http:\/\/proxy\.example/],
        ['http://proxy%.example', /such as http:\/\/proxy\.example/],
      ] as const) {
        const named = (where: RegExp, setting?: { url: string }): void => {
          should(() => proxyFor(target, setting)).throw(TypeError);
          should(() => proxyFor(target, setting)).throw(where);
          should(() => proxyFor(target, setting)).throw(problem);
          should(() => proxyFor(target, setting)).not.throw(/canary|malformed/);
        };
        named(/^The address of the proxy/, { url });
        for (const name of ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']) {
          // In the environment, an address without a scheme means http, as in other programs.
          if (!url.includes('://')) continue;
          process.env[name] = url;
          try {
            named(new RegExp(`^The address of the proxy in the environment variable ${name}`));
          } finally {
            // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- A name from the list above.
            delete process.env[name];
          }
        }
      }
      should(proxyFor(target, { url: 'http://proxy.example:3128/' })).have.property('port', 3128);
    });

    const answers = (text: string) => (socket: net.Socket) => socket.once('data', () => socket.end(text));
    for (const [what, connected, tries, reason] of [
      ['hangs up at once', (socket) => socket.destroy(), 3, /ECONNRESET/],
      ['hangs up when asked', answers(''), 3, /ECONNRESET/],
      ['resets when asked', (socket) => socket.once('data', () => socket.resetAndDestroy()), 3, /ECONNRESET/],
      ['has no connection', answers('HTTP/1.1 502 Bad Gateway\r\n\r\n'), 3, /the proxy answered HTTP 502/],
      ['hangs up once connected', answers('HTTP/1.1 200 OK\r\n\r\n'), 3, /ECONNRESET/],
      ['wants a password', answers('HTTP/1.1 407 Who are you\r\n\r\n'), 1, /user name and password/],
    ] as [string, (socket: net.Socket) => void, number, RegExp][]) {
      it(`a proxy that ${what}: nothing was sent, ${tries === 1 ? 'one try' : `${tries} tries`}`, async () => {
        let connections = 0;
        const proxy = net.createServer((socket) => {
          connections += 1;
          socket.on('error', () => undefined);
          connected(socket);
        });
        await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
        const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
        const error = await failure(sms, { baseUrl: 'https://api.authy.test', proxy: { url } });
        error.code.should.equal('AUTHY_NETWORK');
        error.message.should.match(reason).and.match(/nothing was sent/i);
        connections.should.equal(tries);
        await new Promise((resolve) => proxy.close(resolve));
      });
    }

    it('a proxy that never answers leaves time for another try, and no open connection', async () => {
      const open = new Set<net.Socket>();
      let connections = 0;
      const deaf = net.createServer((socket) => {
        connections += 1;
        open.add(socket);
        socket.on('error', () => undefined).on('close', () => open.delete(socket));
        socket.resume();
      });
      await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}`;
      const options = { baseUrl: 'https://api.authy.test', proxy: { url }, deadline: 1000 };
      const { message } = await failure(sms, options);
      message.should.match(/Nothing was sent|before the request could be sent/).and.not.match(/UND_ERR/);
      connections.should.be.above(1);
      while (open.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => deaf.close(resolve));
    });

    it('a code of undici is not shown to users', async () => {
      const deaf = net.createServer((socket) => socket.on('error', () => undefined).resume());
      await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve));
      const { port } = deaf.address() as AddressInfo;
      // The connection is opened, but TLS never begins.
      const baseUrl = `https://127.0.0.1:${port}`;
      const errors = await Promise.all(
        Array.from({ length: 8 }, () => failure(sms, { baseUrl, deadline: 400 })),
      );
      for (const { message } of errors) {
        message.should.match(/\(no connection in time\)\. Nothing was sent|before the request could be sent/);
      }
      await new Promise((resolve) => deaf.close(resolve));
    });

    it('every error of undici has a reason in words', () => {
      const source = readFileSync(require.resolve('undici/lib/core/errors.js'), 'utf8');
      const codes = [...source.matchAll(/'(UND_ERR_\w+)'/g)].map(([, code]) => code ?? '');
      codes.should.containEql('UND_ERR_DESTROYED');
      for (const code of codes)
        reasonOf(code)
          .should.match(/^[a-z].{10,}$/)
          .and.not.match(/UND_ERR/);
    });

    it('for an answer that is not HTTP the error says so', async () => {
      const other = net.createServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.end('220 mail.example ESMTP\r\n'));
      });
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as AddressInfo;
      const { message } = await failure(sms, { baseUrl: `http://127.0.0.1:${port}` });
      message.should.match(/the connection broke: the answer is not HTTP/);
      await new Promise((resolve) => other.close(resolve));
    });

    it('are taken from the environment if none is set', async () => {
      const certificate = await selfSigned();
      const secure = await new ScriptedServer(certificate).start();
      secure.script({ status: 200, json: sent });
      const proxy = await connectProxy(secure.port);
      process.env['https_proxy'] = proxy.url;
      try {
        const service = serviceWith({ baseUrl: 'https://api.authy.test', tls: { ca: certificate.cert } });
        (await service.perform('tokenSms', { authyId: '209' })).outcome.should.equal('sent');
        proxy.asked.should.eql(['api.authy.test:443']);
        // A proxy is never used for this machine.
        const local = serviceWith({ baseUrl: secure.url, tls: { ca: certificate.cert } });
        (await local.perform('tokenSms', { authyId: '209' })).outcome.should.equal('sent');
        proxy.asked.length.should.equal(1);
      } finally {
        delete process.env['https_proxy'];
      }
      await proxy.stop();
      await secure.stop();
    });

    it('are not used for excluded hosts, and not for this machine', () => {
      const target = new URL('https://api.authy.com/x');
      const url = 'http://proxy.example:3128';
      const asked = (bypass: string[]): unknown => proxyFor(target, { url, bypass });
      should(asked([])).eql({ protocol: 'http:', host: 'proxy.example', port: 3128 });
      should(proxyFor(target, { url: 'https://user:p%40ss@[fd00::1]' })).eql({
        protocol: 'https:',
        host: 'fd00::1',
        port: 443,
        authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}`,
      });
      for (const none of ['proxy.example:3128', 'socks5://proxy.example', '']) {
        should(() => proxyFor(target, { url: none })).throw(TypeError);
      }
      for (const bypass of [
        '*',
        'api.authy.com',
        'authy.com',
        '.authy.com',
        '*.authy.com',
        'authy.com:443',
      ]) {
        should(asked(['other.example', bypass])).be.undefined();
      }
      for (const bypass of ['', 'uthy.com', 'api.authy.com.evil', 'authy.com:8443'])
        should(asked([bypass])).be.an.Object();
      for (const local of ['http://127.0.0.1:1', 'http://localhost', 'http://[::1]:80']) {
        should(proxyFor(new URL(local), { url })).be.undefined();
      }
      should(proxyFor(target, undefined)).be.undefined();
    });
  });

  it('checks the base URL', () => {
    const key = 'a-key-that-may-be-real';
    serviceAddress('https://api.authy.com', '', key).should.equal('https://api.authy.com');
    serviceAddress('https://api.authy.com/', '/v2/', key).should.equal('https://api.authy.com/v2');
    serviceAddress('http://127.0.0.1:8080/x', '', key).should.equal('http://127.0.0.1:8080/x');
    for (const [url, prefix, problem] of [
      ['http://api.authy.com', '', /must begin with https/],
      ['ftp://127.0.0.1', '', /must begin with https/],
      ['api.authy.com', '', /must be an address/],
      ['https://user:pass@api.authy.com', '', /user name or password/],
      ['https://api.authy.com?x=1', '', /query or fragment/],
      ['https://api.authy.com', '../x', /path prefix/],
      ['https://api.authy.com', 'a b', /path prefix/],
    ] as const) {
      (() => serviceAddress(url, prefix, key)).should.throw(problem);
    }
  });

  it('sends by http to a private network only what is no secret: the key of a simulator', () => {
    const key = 'simulator-0123456789abcdef';
    for (const host of [
      ...[
        'simulator:8080',
        'my_simulator',
        'nas.local',
        'host.docker.internal:4730',
        'pc.home.arpa',
        'pc.lan',
      ],
      ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.10:4730', '[fd00::2]:4730', '[fc00::1]'],
    ]) {
      serviceAddress(`http://${host}`, '', key).should.equal(`http://${host}`);
      for (const other of ['a-key-that-may-be-real', 'Simulator-0123456789', ' simulator-0123456789', '']) {
        (() => serviceAddress(`http://${host}`, '', other)).should.throw(/must begin with https/);
      }
    }
    for (const host of [
      ...[
        'api.authy.com',
        'simulator.example.com',
        'local.example',
        'evillocal.com',
        'simulator.',
        'nas.local.',
      ],
      ...['8.8.8.8', '134744072', '0x08080808', '172.15.0.1', '172.32.0.1', '192.169.0.1', '169.254.169.254'],
      ...['[2001:db8::1]', '[fe80::1]', '[::ffff:8.8.8.8]', '10.0.0.1.example.com', '192.168.1.10.nip.io'],
    ]) {
      (() => serviceAddress(`http://${host}`, '', key)).should.throw(/must begin with https/, host);
    }
  });

  it('checks the key', () => {
    for (const key of [
      '',
      'fifteen-letters',
      'two words and enough letters',
      'line\nbreak and enough letters',
      'schlüsselschlüssel',
      '${AUTHY_API_KEY}',
      '$(AUTHY_API_KEY)',
      'prefix-${AUTHY_API_KEY}',
    ]) {
      (() => new AuthyClient({ apiKey: key })).should.throw(/^API key: copy it anew/);
    }
    new AuthyClient({ apiKey: 'sixteen-letters!' }).close();
  });

  it('puts the path prefix before every path', async () => {
    server.script({ status: 200, json: details });
    await serviceWith({ pathPrefix: '/moved/v9' }).perform('appDetails', {});
    should(server.seen[0]?.url).equal('/moved/v9/protected/json/app/details');
  });

  it('reads Retry-After as seconds and as a date, up to 30 seconds', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    should(retryAfterSeconds('5', now)).equal(5);
    should(retryAfterSeconds('3600', now)).equal(30);
    should(retryAfterSeconds('Thu, 01 Jan 2026 00:00:09 GMT', now)).equal(9);
    should(retryAfterSeconds('Wed, 31 Dec 2025 00:00:00 GMT', now)).equal(0);
    should(retryAfterSeconds('Thursday, 01-Jan-26 00:00:09 GMT', now)).equal(9);
    // This date has no time zone: it is UTC, whatever the zone of this machine is.
    const zone = process.env['TZ'];
    try {
      for (const name of ['Asia/Tokyo', 'America/Lima']) {
        process.env['TZ'] = name;
        should(retryAfterSeconds('Thu Jan  1 00:00:09 2026', now)).equal(9, name);
      }
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
    should(retryAfterSeconds('99999999999', now)).equal(30);
    for (const nothing of [undefined, '', 'soon', '-5', '1.5', '5s', '0x5', '2027-01-01']) {
      should(retryAfterSeconds(nothing, now)).be.undefined();
    }
  });

  describe('answers without error numbers', () => {
    const verify: [OperationName, Record<string, unknown>] = [
      'tokenVerify',
      { authyId: '209', token: '0123456' },
    ];
    const check: [OperationName, Record<string, unknown>] = [
      'phoneCheck',
      { phoneNumber: '+13173389302', code: '0123' },
    ];
    const refusal = (status: number, message: string, more: object = {}): Step => ({
      status,
      json: { message, success: false, errors: { message }, ...more },
    });

    for (const [call, statusCode, message, reason] of [
      [verify, 401, 'Token is invalid', 'wrong'],
      [verify, 401, 'Token is invalid.', 'wrong'],
      [verify, 401, 'Token is invalid. Token was used recently', 'reused'],
      [check, 401, 'Verification code is incorrect', 'wrong'],
      [check, 401, 'Verification code is incorrect.', 'wrong'],
      [check, 404, 'No pending verifications for +1 317-338-9302 found.', 'notPending'],
    ] as const) {
      it(`${call[0]}, HTTP ${statusCode}, "${message}" is invalid: ${reason}`, async () => {
        server.script(refusal(statusCode, message));
        const { outcome, result } = await serviceWith().perform(...call);
        outcome.should.equal('invalid');
        should(result).have.properties({ valid: false, reason });
        server.seen.length.should.equal(1);
      });
    }

    for (const [call, statusCode, message, code] of [
      [verify, 401, 'Invalid API key', 'AUTHY_INVALID_API_KEY'],
      [verify, 401, 'Invalid API key. Token is invalid', 'AUTHY_INVALID_API_KEY'],
      [verify, 401, 'The token is invalid', 'AUTHY_INVALID_API_KEY'],
      [verify, 401, 'token IS invalid', 'AUTHY_INVALID_API_KEY'],
      [verify, 401, 'Token is invalid\n', 'AUTHY_INVALID_API_KEY'],
      [verify, 401, 'Token is valid.', 'AUTHY_INVALID_API_KEY'],
      [verify, 401, "User doesn't exist", 'AUTHY_USER_NOT_FOUND'],
      [verify, 403, 'Token is invalid', 'AUTHY_NOT_ALLOWED'],
      [verify, 500, 'Token is invalid', 'AUTHY_OUTCOME_UNKNOWN'],
      [verify, 200, 'Token is invalid', 'AUTHY_BAD_RESPONSE'],
      // The text about a token counts only for the operation that checks it.
      [check, 401, 'Token is invalid', 'AUTHY_INVALID_API_KEY'],
      [status, 401, 'Token is invalid', 'AUTHY_INVALID_API_KEY'],
      [sms, 401, 'Invalid API key.', 'AUTHY_INVALID_API_KEY'],
      [sms, 404, 'User not found.', 'AUTHY_USER_NOT_FOUND'],
      [sms, 503, 'User has been suspended.', 'AUTHY_USER_UNAVAILABLE'],
      [sms, 503, 'User is suspended', 'AUTHY_USER_UNAVAILABLE'],
      [sms, 503, 'Account has been suspended', 'AUTHY_ACCOUNT_SUSPENDED'],
      [sms, 503, 'Your application was suspended. Contact support.', 'AUTHY_ACCOUNT_SUSPENDED'],
      [sms, 503, 'DoS protection', 'AUTHY_RATE_LIMITED'],
      [sms, 503, 'Request denied by DoS protection.', 'AUTHY_RATE_LIMITED'],
      [sms, 503, 'SMS token was not sent', 'AUTHY_NOT_SENT'],
      [sms, 503, 'SMS is not enabled', 'AUTHY_NOT_ALLOWED'],
      [sms, 503, 'Phone calls are not enabled on this account', 'AUTHY_NOT_ALLOWED'],
      // No known text: the SMS may have been sent.
      [sms, 503, 'Service unavailable', 'AUTHY_OUTCOME_UNKNOWN'],
      [sms, 503, 'suspend your disbelief', 'AUTHY_OUTCOME_UNKNOWN'],
      [sms, 500, 'User has been suspended.', 'AUTHY_OUTCOME_UNKNOWN'],
      [sms, 502, 'DoS protection', 'AUTHY_OUTCOME_UNKNOWN'],
    ] as const) {
      it(`${call[0]}, HTTP ${statusCode}, ${JSON.stringify(message)}: ${code}`, async () => {
        server.script(refusal(statusCode, message));
        const error = await failure(call);
        error.code.should.equal(code);
        // The answer had no number, so the error must not name one.
        should(error.authyCode).be.undefined();
        server.seen.length.should.equal(1);
      });
    }

    it('a number counts more than the text beside it, even an unknown number', async () => {
      server.script(refusal(401, 'Token is invalid', { error_code: '60001' }));
      (await failure(verify)).code.should.equal('AUTHY_INVALID_API_KEY');
      server.script(refusal(401, 'Token is invalid', { error_code: '69999' }));
      (await failure(verify)).code.should.equal('AUTHY_INVALID_API_KEY');
      server.script(refusal(503, 'User has been suspended.', { error_code: '69999' }));
      (await failure(sms)).code.should.equal('AUTHY_OUTCOME_UNKNOWN');
    });

    it('the text is not believed if the answer also says success', async () => {
      for (const success of [true, 'true']) {
        server.script(refusal(503, 'User has been suspended.', { success }));
        (await failure(sms)).code.should.equal('AUTHY_OUTCOME_UNKNOWN');
      }
    });

    it('a long text is not searched', async () => {
      server.script(refusal(503, 'account '.repeat(50_000)));
      (await failure(sms)).code.should.equal('AUTHY_OUTCOME_UNKNOWN');
    });

    it('a text that is not JSON is not an answer of Authy', async () => {
      server.script({ status: 503, text: 'DoS protection: account suspended', type: 'text/plain' });
      (await failure(sms)).code.should.equal('AUTHY_OUTCOME_UNKNOWN');
    });

    it('a read is asked again after DoS protection, as after too many requests', async () => {
      server.script(refusal(503, 'DoS protection'), { status: 200, json: details });
      (await serviceWith().perform(...status)).outcome.should.equal('read');
      server.seen.length.should.equal(2);
    });
  });

  describe('error numbers', () => {
    it('count more than the status', () => {
      meaningOf('60020', 401).code.should.equal('AUTHY_REJECTED');
      meaningOf('60001', 401).code.should.equal('AUTHY_INVALID_API_KEY');
      meaningOf(undefined, 401).code.should.equal('AUTHY_INVALID_API_KEY');
      meaningOf('99999', 403).code.should.equal('AUTHY_NOT_ALLOWED');
      meaningOf(undefined, 418).code.should.equal('AUTHY_REJECTED');
      isDocumented('60154').should.be.true();
      isDocumented('constructor').should.be.false();
    });

    it('each have a meaning', () => {
      const documented = Array.from({ length: 200 }, (_, index) => String(60_000 + index)).filter(
        isDocumented,
      );
      documented.length.should.equal(120);
      for (const number of documented) meaningOf(number, 400).advice.should.match(/^[A-Z].*\.$/);
    });

    it('may be missing, or a number', async () => {
      server.script({ status: 404, json: { message: 'Nothing found.', success: false } });
      (await failure(['userStatus', { authyId: '209' }])).code.should.equal('AUTHY_NOT_FOUND');
      server.script({
        status: 404,
        json: { message: 'User not found.', success: 'false', error_code: 60026 },
      });
      (await failure(['userStatus', { authyId: '209' }])).code.should.equal('AUTHY_USER_NOT_FOUND');
    });
  });
});
