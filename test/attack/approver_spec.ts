import http from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import should from 'should';
import { ApproverClient, PasskeyPhone } from '../support/approver_client';
import type { HttpAnswer } from '../support/http_request';
import { ApproverFlow } from '../support/approver_flow';
import { eventually } from '../support/node_red';
import { cases, runs } from '../support/runs';
import { SetClock } from '../support/set_clock';

const page = 'https://home.example/approve';
const minute = 60_000;

/** The calls that need a session, and those that need none. */
const ofOwners = ['approve-options', 'approve', 'deny', 'rename', 'push', 'sign-out', 'leave'];
const ofStrangers = ['invitation', 'enrol', 'sign-in-options', 'sign-in', 'recover'];

describe('Attack: the page of the approver', function () {
  this.timeout(300_000);
  let approver: ApproverFlow;
  let ada: string;
  let phone: PasskeyPhone;

  before(async () => {
    approver = new ApproverFlow(page);
    await approver.gate({ timeout: '3600' });
    ada = await approver.person();
    phone = await approver.phone(ada, 'Ada’s phone');
  });
  beforeEach(() => approver.rest());
  afterEach(() => {
    should(approver.flow.log.filter((line) => /TypeError|Cannot read/.test(line))).eql([]);
  });
  after(() => approver.stop());

  const port = (): number => Number(new URL(approver.flow.url).port);

  /** What a server answers to bytes; blank if it closes the connection without an answer. */
  function raw(text: string | Buffer, seconds = 5): Promise<{ status: number; text: string }> {
    return new Promise((resolve) => {
      const socket = net.connect(port(), '127.0.0.1');
      const chunks: Buffer[] = [];
      const done = (): void => {
        clearTimeout(timer);
        const answer = Buffer.concat(chunks).toString();
        resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0), text: answer });
        socket.destroy();
      };
      const timer = setTimeout(done, seconds * 1000);
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('close', done);
      socket.on('error', done);
      socket.write(text);
    });
  }

  describe('a stranger with a link', () => {
    it('of a request or of the page sees an empty page, the same as everybody', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      const stranger = approver.browser();
      const pages = await Promise.all(
        ['/', `/?r=${request.id}`, `/?approve=${request.id}`].flatMap((place) =>
          [stranger, phone.browser].map((browser) => browser.request('GET', place)),
        ),
      );
      const [first] = pages;
      for (const { status, body, headers } of pages) {
        should(status).equal(200);
        should(body['text']).equal(first?.body['text']);
        should(headers['set-cookie']).be.undefined();
        should(headers['content-security-policy']).match(/^default-src 'none'.*frame-ancestors 'none'$/);
      }
      for (const secret of [request.id, request.message, ada, 'ada@example.com', 'Front door', 'Garage']) {
        should(first?.body['text']).not.containEql(secret);
      }
      should(approver.flow.soFar(given).sent).eql([]);
      await phone.browser.done('deny', { id: request.id });
    });

    it('gets nothing of a person by any call', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      const credential = phone.sign(
        (await phone.browser.done('approve-options', { id: request.id }))['options'],
      );
      for (const name of [...ofOwners, 'nothing-of-the-kind']) {
        const answer = await approver
          .browser()
          .call(name, { id: request.id, credential, notMe: true, name: 'x' });
        should(answer).match({ status: 401, body: { error: 'signedOut' } });
      }
      should(await approver.browser().state()).eql({
        ...{ account: 'Front door', grade: 'passkey', isLocalOnly: false, signedIn: false },
      });
      should(await approver.browser().request('GET', '/api/events')).match({ status: 401 });
      // Which passkeys there are is nobody's business.
      const { options } = await approver.browser().done('sign-in-options');
      should(options).not.have.property('allowCredentials');
      should(approver.flow.soFar(given).sent).eql([]);
      await phone.browser.done('deny', { id: request.id });
    });
  });

  it('without an address is there for nobody, and shows no stack', async () => {
    const { host } = approver.approver;
    const before = { ...host };
    Object.assign(host, { settings: { ...host.settings, publicUrl: undefined }, ownUrl: () => undefined });
    try {
      for (const answer of [
        await approver.browser().request('GET', '/'),
        await approver.browser().request('GET', '/api/events'),
        await approver.browser().call('state'),
        await phone.browser.call('state'),
      ]) {
        should(answer).match({ status: 503, body: { error: 'unavailable' } });
      }
    } finally {
      Object.assign(host, before);
    }
  });

  describe('an invitation', () => {
    /** What the page and the network show of an answer. */
    const shown = ({ status, body, headers }: HttpAnswer): object => {
      return { status, body, headers: { ...headers, date: '' } };
    };

    it('that is unknown, used, replaced, over, of another person or of a locked one: all are answered alike', async () => {
      const clock = new SetClock();
      try {
        const bob = await approver.person('+13175550143', 'bob@example.com');
        const eve = await approver.person('+13175550144', 'eve@example.com');
        const [over, used, replaced, locked] = [
          await approver.invited(bob),
          await approver.invited(ada),
          await approver.invited(bob),
          await approver.invited(eve),
        ];
        const foreign = await approver.invited(bob);
        await new PasskeyPhone(approver.browser()).enrol(used, 'Tablet');
        await approver.approver.phones.lock(eve, true);
        const secretOf = (token: string): string => token.split('.')[1] ?? '';
        const tokens: unknown[] = [
          ...[over, used, replaced, locked, `${ada}.${secretOf(foreign)}`, `${bob}.${secretOf(used)}`],
          ...[`1.${secretOf(foreign)}`, `999999999999999.${secretOf(foreign)}`, `${bob}.${'A'.repeat(22)}`],
          ...[
            foreign.slice(0, -1),
            `${foreign}A`,
            `0${foreign}`,
            ` ${foreign}`,
            `${foreign}\n`,
            foreign.toUpperCase(),
          ],
          ...[`${bob}.`, '.', '', 'x', null, undefined, 5, true, {}, [], [foreign], { token: foreign }],
        ];
        const answers: object[] = [];
        for (const token of tokens) {
          for (const name of ['invitation', 'enrol']) {
            const body = { token, name: 'Evil', credential: {}, code: '123456' };
            answers.push(shown(await approver.browser().call(name, body, approver.from())));
          }
        }
        const [first] = answers;
        should(first).match({ status: 404, body: { error: 'invitation' } });
        for (const answer of answers) should(answer).eql(first);
        // The newest one of Bob is still good; after ten minutes it is not.
        should(await approver.browser().call('invitation', { token: foreign })).match({ status: 200 });
        clock.pass(10 * minute);
        approver.rest();
        should(shown(await approver.browser().call('invitation', { token: foreign }))).eql(first);
      } finally {
        clock.restore();
      }
    });

    it('is not found by guessing', async () => {
      await approver.invited(ada);
      const guesses = Array.from(
        { length: runs(300) },
        (_, index) => `${ada}.${String(index).padStart(22, 'A')}`,
      );
      for (const token of guesses) {
        const answer = await approver.browser().call('invitation', { token }, approver.from());
        should(answer).match({ status: 404, body: { error: 'invitation' } });
      }
    });

    it('adds one phone, however many use it at once', async () => {
      const bob = await approver.person('+13175550145', 'bob2@example.com');
      const token = await approver.invited(bob);
      const { options } = await approver.browser().done('invitation', { token });
      const phones = Array.from({ length: 20 }, () => new PasskeyPhone(approver.browser()));
      const answers = await Promise.all(
        phones.map((one) => {
          const credential = one.authenticator.create(options as never);
          return one.browser.call('enrol', { token, name: 'x', credential }, approver.from());
        }),
      );
      should(answers.filter(({ status }) => status === 200)).have.length(1);
      for (const { status, body } of answers) if (status !== 200) should(body).eql({ error: 'invitation' });
      should((await approver.kept(bob)).phones).have.length(1);
      should(phones.filter(({ browser }) => browser.cookie !== undefined)).have.length(1);
    });

    it('gives the phone no name that misleads others', async () => {
      const before = (await approver.kept(ada)).phones?.length;
      const token = await approver.invited(ada);
      const one = new PasskeyPhone(approver.browser());
      for (const name of [
        ...[
          '',
          '   ',
          'a'.repeat(65),
          'Ada\nApproved by the bank',
          'Ada\r\nBcc: x@example.com',
          'Ada\u0000',
          'a\u202egnp.exe',
        ],
        ...['\u2066x', '\u001b[31m', 'a\u2028b', null, 5, {}, ['Ada']],
      ]) {
        const { options } = await one.browser.done('invitation', { token });
        const credential = one.authenticator.create(options as never);
        const answer = await one.browser.call('enrol', { token, name, credential }, approver.from());
        should(answer).match({ status: 400, body: { error: 'invalid' } });
        should(await phone.browser.call('rename', { name })).match({
          status: 400,
          body: { error: 'invalid' },
        });
        approver.rest();
      }
      should((await approver.kept(ada)).phones?.length).equal(before);
      // What people do call their phones.
      await phone.browser.done('rename', { name: 'Ada’s 👩‍👩‍👧 фон' });
      should(await phone.browser.state()).match({ phone: { name: 'Ada’s 👩‍👩‍👧 фон' } });
    });
  });

  describe('a request of another page', () => {
    const foreign = { status: 403, body: { error: 'foreign' } };
    const answered = (headers: Record<string, string | undefined>): Promise<HttpAnswer> =>
      phone.browser.call('state', {}, headers);

    it('is refused, whatever it claims to be', async () => {
      for (const headers of [
        ...[
          'https://evil.example',
          'http://home.example',
          'https://home.example:8443',
          'https://home.example.evil.example',
          'https://evil-home.example',
          'https://a.home.example',
          'https://home.example/',
          'https://home.example/approve',
          'HTTPS://HOME.EXAMPLE',
          'https://home.example, https://evil.example',
          'null',
          '',
          'file://',
        ].map((Origin) => ({ Origin })),
        ...['cross-site', 'same-site', 'none', '', 'same-origin, cross-site', 'SAME-ORIGIN'].map((site) => ({
          'Sec-Fetch-Site': site,
        })),
        ...[
          'evil.example',
          'home.example.evil.example',
          'home.example.',
          'home.example:8443',
          'home.example:443:443',
          'home.example@evil.example',
          '127.0.0.1',
          'localhost',
          `127.0.0.1:${port()}`,
          '[::1]',
          '',
        ].map((Host) => ({ Host })),
        { Origin: undefined },
        { Origin: undefined, 'Sec-Fetch-Site': undefined },
        { Origin: undefined, Referer: `${page}/` },
        { Host: 'evil.example', 'X-Forwarded-Host': 'home.example' },
        { Host: 'evil.example', Forwarded: 'host=home.example' },
      ]) {
        should(await answered(headers)).match(foreign, JSON.stringify(headers));
      }
      // As the browser sends it; older ones do not say from which site.
      for (const headers of [
        {},
        { 'Sec-Fetch-Site': undefined },
        { Host: 'home.example:443' },
        { Host: 'Home.Example' },
      ]) {
        should(await answered(headers)).match({ status: 200, body: { signedIn: true } });
      }
    });

    it('does not open its events, and is told where the page is', async () => {
      for (const headers of [
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
        { Origin: 'https://evil.example' },
        { Host: 'evil.example' },
      ]) {
        should(await phone.browser.request('GET', '/api/events', undefined, headers)).match(foreign);
      }
      should(await phone.browser.request('GET', '/', undefined, { Host: 'evil.example' })).match({
        status: 421,
      });
    });

    it('that a form could send is refused', async () => {
      for (const type of [
        ...[
          'text/plain',
          'application/x-www-form-urlencoded',
          'multipart/form-data; boundary=x',
          '',
          undefined,
        ],
        ...['text/json', 'application/jsonp', 'application/json-patch+json', 'text/plain; application/json'],
      ]) {
        const answer = await phone.browser.call('state', {}, { 'Content-Type': type });
        should(answer).match({ status: 415, body: { error: 'notJson' } }, String(type));
      }
    });

    it('by another method does nothing', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
        for (const name of [...ofOwners, ...ofStrangers, 'state']) {
          const body = ['PUT', 'PATCH', 'PROPFIND'].includes(method)
            ? JSON.stringify({ id: request.id })
            : undefined;
          const answer = await phone.browser.request(method, `/api/${name}?id=${request.id}`, body, {
            'Content-Type': 'application/json',
            Origin: 'https://home.example',
            'X-HTTP-Method-Override': 'POST',
          });
          should(answer.status).equal(405, `${method} ${name}`);
          should(answer.headers['access-control-allow-origin']).be.undefined();
        }
      }
      should(approver.flow.soFar(given).sent).eql([]);
      should(await phone.browser.state()).match({ signedIn: true, requests: [{ id: request.id }] });
      await phone.browser.done('deny', { id: request.id });
    });

    it('by a path that only looks like one of ours leads nowhere', async () => {
      const head = `Host: home.example\r\nOrigin: https://home.example\r\nCookie: ${phone.browser.cookie ?? ''}\r\n`;
      const body = 'Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}';
      for (const path of [
        ...[
          '//approve/api/state',
          '/approve//api/state',
          '/approve/api//state',
          '/approve/api/state/',
          '/approve/api/',
        ],
        ...[
          '/approve/./api/state',
          '/approve/x/../api/state',
          '/x/../approve/api/state',
          '/approve/%2e%2e/approve/api/state',
        ],
        ...[
          '/approve%2fapi%2fstate',
          '/approve/api%2fstate',
          '/approve/%61pi/state',
          '/approve/api/stat%65',
          '/%61pprove/api/state',
        ],
        ...[
          '/APPROVE/api/state',
          '/approve/API/state',
          '/approve/api/State',
          '/approve\\api\\state',
          '/approve;x/api/state',
        ],
        ...[
          '/approve/api/state;x',
          '/approve/api/state%00',
          '/approve/api/%ff',
          '/approvex/api/state',
          '/approve#/api/state',
        ],
        ...[
          '/approve/api/__proto__',
          '/approve/api/constructor',
          '/approve/api/to-string',
          '/approve/api/has-own-property',
        ],
        ...['*', 'http://evil.example/approve/api/state', 'home.example:443'],
      ]) {
        const { status, text } = await raw(`POST ${path} HTTP/1.1\r\n${head}${body}`);
        should(status).be.within(400, 499, path);
        should(text).not.match(/signedIn|ada@| {4}at |node_modules/, path);
      }
      for (const path of [
        ...[
          '/approve/../package.json',
          '/approve/..%2fpackage.json',
          '/approve/%2e%2e/package.json',
          '/approve/index.html',
        ],
        ...[
          '/approve/....//x',
          '/approve/..\\x',
          '/approve/app.js/',
          '/approve/app.js%00.png',
          '/approve//app.js',
          '/approve/.',
        ],
      ]) {
        const { status, text } = await raw(`GET ${path} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
        should(status).be.within(400, 499, path);
        should(text).not.match(/"version"| {4}at |node_modules/, path);
      }
      // The way to the page's folder leads to no other host.
      const { text } = await raw(`GET /approve?//evil.example HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
      should(text).match(/\r\nLocation: approve\/\r\n/i);
    });
  });

  describe('a body', () => {
    it('that is too large or no JSON object is refused', async () => {
      const call = (body: string): Promise<HttpAnswer> =>
        phone.browser.request('POST', '/api/state', body, {
          'Content-Type': 'application/json',
          Origin: 'https://home.example',
        });
      for (const size of [16_385, 100_000, 3_000_000]) {
        should(await call(JSON.stringify({ x: 'a'.repeat(size) }))).match({
          status: 413,
          body: { error: 'tooLarge' },
        });
      }
      for (const body of [
        ...[
          '',
          ' ',
          '{',
          '{"id":',
          'null',
          'true',
          '5',
          '"x"',
          '[]',
          '[{}]',
          'undefined',
          '{}{}',
          "{'a':1}",
          '\u0000',
          '{"a":\u0000}',
        ],
        ...['['.repeat(16_000), '{"a":'.repeat(3000), '\ufeff{}x', 'id=1'],
      ]) {
        should(await call(body)).match({ status: 400, body: { error: 'invalid' } }, body.slice(0, 20));
      }
      // A stranger's as well.
      const stranger = await approver.browser().request('POST', '/api/sign-in', '[]', {
        'Content-Type': 'application/json',
        Origin: 'https://home.example',
      });
      should(stranger).match({ status: 400, body: { error: 'invalid' } });
    });

    it('that never ends, or comes slowly, holds nothing up and is given up', async () => {
      const head =
        `POST /approve/api/sign-in HTTP/1.1\r\nHost: home.example\r\nOrigin: https://home.example\r\n` +
        'Content-Type: application/json\r\n';
      const connections = [
        `${head}Transfer-Encoding: chunked\r\n\r\n`,
        `${head}Content-Length: 100000000\r\n\r\n`,
        `${head}Content-Length: 16000\r\n\r\n{`,
        `${head}Content-Length: 10\r\n\r\n`,
      ].map((start, index) => {
        const socket = net.connect(port(), '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(start);
        const chunk = index === 0 ? `1000\r\n${'a'.repeat(4096)}\r\n` : 'a'.repeat(index === 1 ? 4096 : 1);
        const timer = setInterval(() => socket.write(chunk), index < 2 ? 5 : 300);
        return new Promise<void>((resolve) => {
          socket.on('close', () => {
            clearInterval(timer);
            resolve();
          });
        });
      });
      const before = approver.flow.log.length;
      // Meanwhile others are answered.
      should(await phone.browser.state()).match({ signedIn: true });
      const ended = Promise.all(connections).then(() => true);
      should(
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 30_000, false))]),
      ).be.true();
      // Nobody's log is filled by it.
      should(approver.flow.log.slice(before).filter((line) => /could not do what was asked/.test(line))).eql(
        [],
      );
    });

    it('that is refused before it is read ends the connection', async () => {
      const { status } = await raw(
        'POST /approve/api/state HTTP/1.1\r\nHost: evil.example\r\nOrigin: https://home.example\r\n' +
          'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\naaaaa\r\n',
      );
      should(status).equal(403);
    });

    it('cannot change what objects are', async () => {
      const texts = [
        '{"__proto__":{"polluted":true,"notMe":true,"id":"x"}}',
        '{"constructor":{"prototype":{"polluted":true}}}',
        '{"id":{"__proto__":{"polluted":true}},"credential":{"__proto__":{"response":{}}},"name":{"__proto__":null}}',
        '{"subscription":{"__proto__":{"endpoint":"https://push.example/x"},"keys":{"__proto__":{"auth":"x"}}}}',
      ];
      for (const text of texts) {
        for (const name of [
          ...ofOwners.filter((one) => !['leave', 'sign-out'].includes(one)),
          ...ofStrangers,
        ]) {
          approver.rest();
          const { status } = await phone.browser.request('POST', `/api/${name}`, text, {
            'Content-Type': 'application/json',
            Origin: 'https://home.example',
          });
          should(name === 'sign-in-options' ? status === 200 : status >= 400 && status < 500).be.true(
            `${name} ${text}`,
          );
        }
      }
      should(({} as Record<string, unknown>)['polluted']).be.undefined();
    });

    it('of any content is answered with a reason, and decides nothing', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      const value = fc.oneof(
        fc.jsonValue(),
        fc.constantFrom(request.id, [request.id], ada, '123456', '+13175550142'),
      );
      const body = fc.record(
        {
          ...{ credential: value, code: value, token: value, name: value, phoneNumber: value },
          subscription: value,
          id: fc.oneof(value, fc.constant(request.id)),
        },
        { requiredKeys: [] },
      );
      const name = fc.constantFrom(
        'approve',
        'enrol',
        'invitation',
        'sign-in',
        'recover',
        'push',
        'approve-options',
      );
      await fc.assert(
        fc.asyncProperty(name, body, async (call, sent) => {
          approver.rest();
          const { status, body: answer } = await phone.browser.call(call, sent);
          if (status === 200) should(['approve-options', 'push']).containEql(call);
          else should(status).be.within(400, 499);
          if (status !== 200) should(answer['error']).be.a.String();
        }),
        cases(200),
      );
      should(approver.flow.soFar(given).sent).eql([]);
      approver.rest();
      await phone.browser.done('push', { subscription: null });
      should(await phone.approve(request.id)).match({ status: 200 });
      should(await approver.outcome(given)).equal('out0');
    });
  });

  describe('a cookie', () => {
    const signedInWith = async (cookie: string | undefined): Promise<unknown> => {
      const client = Object.assign(approver.browser(), { cookie });
      return (await client.call('state', {}, approver.from())).body['signedIn'];
    };

    it('that somebody has made up, or changed, signs nobody in', async () => {
      const own = phone.browser.cookie ?? '';
      const [, value = ''] = own.split('=');
      const [authyId = '', phoneId = '', secret = ''] = value.split('.');
      const bob = await approver.person('+13175550146', 'bob3@example.com');
      const other = await approver.phone(bob);
      const [, othersId = '', othersSecret = ''] =
        (other.browser.cookie ?? '').split('=')[1]?.split('.') ?? [];
      const named = (...parts: string[]): string => `authy-approver=${parts.join('.')}`;
      for (const cookie of [
        ...[undefined, '', 'authy-approver', 'authy-approver=', named(authyId), named(authyId, phoneId)],
        ...[
          named(authyId, phoneId, ''),
          named(authyId, phoneId, 'A'.repeat(43)),
          named(authyId, othersId, secret),
        ],
        ...[
          named(authyId, othersId, othersSecret),
          named(bob, phoneId, secret),
          named(authyId, phoneId, othersSecret),
        ],
        ...[
          named(`0${authyId}`, phoneId, secret),
          named(authyId, phoneId, secret.toLowerCase()),
          named('', phoneId, secret),
        ],
        ...[
          `Authy-Approver=${value}`,
          `authy-approver="${value}"`,
          `authy-approver=${value}x`,
          `x=${own}`,
          `${own} x`,
        ],
        ...[
          named(authyId, phoneId, `${secret}%00`),
          named('1'.repeat(21), phoneId, secret),
          'a;'.repeat(5000),
        ],
      ]) {
        should(await signedInWith(cookie)).equal(false, String(cookie));
      }
    });

    it('that another service on the same host has set beside the right one changes nothing', async () => {
      const own = phone.browser.cookie ?? '';
      const madeUp = own.replace(/[^.]+$/, 'A'.repeat(43));
      for (const cookie of [
        own,
        `${madeUp}; ${own}`,
        `${own}; ${madeUp}`,
        `a=b; ${madeUp}; ${madeUp}; ${own}; c=d`,
      ]) {
        should(await signedInWith(cookie)).equal(true, cookie);
      }
      // So many are looked up, and no more.
      should(await signedInWith(`${`${madeUp}; `.repeat(4)}${own}`)).equal(false);
      // It goes to this page alone, and no script reads it.
      const fresh = new PasskeyPhone(approver.browser());
      const token = await approver.invited(ada);
      const { options } = await fresh.browser.done('invitation', { token });
      const { headers } = await fresh.browser.call('enrol', {
        ...{ token, name: 'x', credential: fresh.authenticator.create(options as never) },
      });
      should(headers['set-cookie']).have.length(1);
      should(headers['set-cookie']?.[0]).match(
        /^authy-approver=[\w.-]+; Path=\/approve; Max-Age=15552000; HttpOnly; SameSite=Strict; Secure$/,
      );
    });

    it('counts no longer once its phone was signed out, removed, or its owner deleted', async () => {
      const bob = await approver.person('+13175550147', 'bob4@example.com');
      const one = await approver.phone(bob, 'One');
      const two = await approver.phone(bob, 'Two');
      const three = await approver.phone(bob, 'Three');
      const cookies = [one, two, three].map(({ browser }) => browser.cookie);
      for (const cookie of cookies) should(await signedInWith(cookie)).equal(true);
      await one.browser.done('sign-out');
      should(await signedInWith(cookies[0])).equal(false);
      await two.browser.done('leave');
      should(await signedInWith(cookies[1])).equal(false);
      await approver.approver.host.people().remove(bob);
      should(await signedInWith(cookies[2])).equal(false);
      should(await three.browser.call('leave')).match({ status: 401 });
    });
  });

  describe('the stream of events', () => {
    /** Opens a stream. @returns what has come of it so far */
    function opened(
      browser: ApproverClient,
    ): Promise<{ text: () => string; isOver: () => boolean; close: () => void }> {
      return new Promise((resolve, reject) => {
        let text = '';
        let isOver = false;
        const request = http.get(
          `${approver.flow.url}/approve/api/events`,
          { headers: { Host: 'home.example', Cookie: browser.cookie } },
          (response) => {
            response.on('data', (chunk: Buffer) => (text += chunk.toString()));
            response.on('close', () => (isOver = true));
            response.on('error', () => undefined);
            resolve({ text: () => text, isOver: () => isOver, close: () => request.destroy() });
          },
        );
        request.on('error', reject);
      });
    }

    it('says nothing but that something has changed, and ends with its phone', async () => {
      const tablet = await approver.phone(ada, 'Old tablet');
      const stream = await opened(tablet.browser);
      const { request } = await approver.asked(ada, phone.browser);
      await phone.browser.done('deny', { id: request.id });
      await eventually('events', () => (stream.text().split('event:').length > 3 ? true : undefined));
      should(stream.text()).match(/^(?:retry: 1000\n\n|event: changed\ndata:\n\n)+$/);
      const { phones = [] } = await approver.kept(ada);
      await approver.approver.phones.remove(ada, phones.find(({ name }) => name === 'Old tablet')?.id ?? '');
      await eventually('the end of the stream', () => (stream.isOver() ? true : undefined));
    });

    it('is open six times at most for a person, and is one more call', async () => {
      const streams: Awaited<ReturnType<typeof opened>>[] = [];
      for (let time = 0; time < 9; time++) streams.push(await opened(phone.browser));
      await eventually('the end of the oldest', () =>
        streams.filter((stream) => stream.isOver()).length === 3 ? true : undefined,
      );
      should(streams.slice(0, 3).every((stream) => stream.isOver())).be.true();
      for (const stream of streams) stream.close();
      // A stranger is not answered more often here than elsewhere.
      const stranger = Object.assign(approver.browser(), {
        cookie: (phone.browser.cookie ?? '').replace(/.$/, '_'),
      });
      const from = approver.from();
      const statuses: number[] = [];
      for (let time = 0; time < 31; time++) {
        statuses.push((await stranger.request('GET', '/api/events', undefined, from)).status);
      }
      should(statuses).eql([...Array.from({ length: 30 }, () => 401), 429]);
    });
  });
});
