import dns from 'node:dns';
import net from 'node:net';
import should from 'should';
import { isPublicAddress } from '../../../nodes/lib/approver/push/endpoint';
import {
  type PushMessage,
  type PushResult,
  type Reach,
  sendPush,
} from '../../../nodes/lib/approver/push/send';
import { Vapid } from '../../../nodes/lib/approver/push/vapid';
import type { PushSubscription } from '../../../nodes/lib/contract/people';
import { selfSigned } from '../../support/certificate';
import { eventually, freePort } from '../../support/node_red';
import { PushReceiver, readAuthorization } from '../../support/push_receiver';
import { PushService, reachOf } from '../../support/push_service';
import { ScriptedServer, type Step } from '../../support/scripted_server';

const vapid = new Vapid(Buffer.alloc(32, 1));
const subject = 'https://home.example/approve/';
const receiver = new PushReceiver();
const subscription: PushSubscription = {
  endpoint: 'https://push.example/send/Capability?x=1',
  ...receiver.keys,
};
const message: PushMessage = { payload: { title: 'Front door', id: 'a' }, ttl: 300 };

describe('Sending a push message', () => {
  let service: PushService;

  before(async () => {
    service = await PushService.start('push.example');
  });

  after(() => service.stop());

  beforeEach(() => {
    service.received.length = 0;
  });

  const send = (
    reach: Partial<Reach> = {},
    what: Partial<PushMessage> = {},
    to: Partial<PushSubscription> = {},
  ): Promise<PushResult> =>
    sendPush(
      { ...subscription, ...to },
      { ...message, ...what },
      { vapid, subject, reach: { ...service.reach, ...reach } },
    );

  /** Failed, with a reason that shows nothing of the endpoint but its host, and no key. */
  const shouldFail = (result: PushResult, reason: RegExp): void => {
    result.should.match({ outcome: 'failed', reason });
    JSON.stringify(result).should.not.match(/Capability|x=1|Front door/);
    for (const secret of Object.values(receiver.keys)) JSON.stringify(result).should.not.containEql(secret);
  };

  it('brings it to the endpoint, encrypted, with what push services want to know', async () => {
    (await send()).should.eql({ outcome: 'delivered' });
    const [received, ...others] = service.received;
    if (received === undefined) throw new Error();
    others.should.be.empty();
    received.should.match({
      method: 'POST',
      path: '/send/Capability?x=1',
      headers: {
        host: 'push.example',
        ttl: '300',
        urgency: 'high',
        'content-encoding': 'aes128gcm',
        'content-type': 'application/octet-stream',
        'content-length': '2048',
      },
    });
    should(received.headers.topic).be.undefined();
    const { claims, key } = readAuthorization(received.headers.authorization ?? '');
    claims.should.match({ aud: 'https://push.example', sub: subject });
    key.should.equal(vapid.publicKey);
    should(JSON.parse(receiver.opened(received.body).toString())).eql(message.payload);
  });

  it('says how long it counts, and how urgent it is', async () => {
    for (const [ttl, sent] of [
      [0, '0'],
      [12.9, '12'],
      [-5, '0'],
    ] as const) {
      await send({}, { ttl, urgency: 'low' });
      service.received.at(-1)?.headers.should.match({ ttl: sent, urgency: 'low' });
    }
  });

  it('names what it is about, so that a newer one replaces it, without saying what that is', async () => {
    const topics: unknown[] = [];
    for (const topic of ['8a2b7c1e-0000-4000-8000-000000000001', 'ü'.repeat(500), 'ü'.repeat(500)]) {
      await send({}, { topic });
      topics.push(service.received.at(-1)?.headers.topic);
    }
    for (const topic of topics) String(topic).should.match(/^[\w-]{32}$/);
    should(topics[1]).equal(topics[2]);
    should(topics[0]).not.equal(topics[1]);
    String(topics[0]).should.not.containEql('8a2b');
  });

  it('sends nothing to an endpoint or with keys that are not what they should be', async () => {
    shouldFail(
      await send({}, {}, { endpoint: 'http://push.example/send/Capability' }),
      /^Switch notifications off/,
    );
    shouldFail(await send({}, {}, { p256dh: vapid.publicKey.slice(1) }), /^Switch notifications off/);
    shouldFail(await send({}, { payload: { text: 'x'.repeat(4000) } }), /^Shorten the message/);
    const wrong = await sendPush(subscription, message, {
      vapid,
      subject: 'http://localhost/',
      reach: service.reach,
    });
    shouldFail(wrong, /^Give an address that begins with mailto: or https:/);
    service.received.should.be.empty();
  });

  describe('to an address of the public internet alone', () => {
    it('nothing goes to this machine, by whatever name', async () => {
      const { reach } = service;
      const lookup = (): ReturnType<Reach['lookup']> =>
        Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
      shouldFail(
        await send({ ...reach, lookup, allows: isPublicAddress }),
        /its address 127\.0\.0\.1 is not public/,
      );
      service.received.should.be.empty();
    });

    it('by default too: the system answers for its own names', async () => {
      const original = dns.promises.lookup;
      // What a resolver could answer for a stranger's name.
      const forged = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
      Object.assign(dns.promises, { lookup: forged });
      try {
        shouldFail(await sendPush(subscription, message, { vapid, subject }), /127\.0\.0\.1 is not public/);
      } finally {
        Object.assign(dns.promises, { lookup: original });
      }
      // No lookup at all is needed to know that there is no such host.
      shouldFail(
        await sendPush({ ...subscription, endpoint: 'https://push.invalid/Capability' }, message, {
          vapid,
          subject,
        }),
        /push\.invalid could not be reached/,
      );
    });

    it('the connection goes to the address that was checked: there is no second lookup', async () => {
      // The same port of another address of this machine.
      const trap = new ScriptedServer(await selfSigned('push.example'));
      await trap.start('127.0.0.2', service.reach.port);
      try {
        let lookups = 0;
        const rebinding = (): ReturnType<Reach['lookup']> => {
          lookups += 1;
          return Promise.resolve([{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
        };
        (await send({ lookup: rebinding })).should.eql({ outcome: 'delivered' });
        lookups.should.equal(1);
        shouldFail(await send({ lookup: rebinding }), /its address 127\.0\.0\.2 is not public/);
        trap.connections.should.equal(0);
        service.received.should.have.length(1);
      } finally {
        await trap.stop();
      }
    });

    it('the other end has to show that it is whom the endpoint names, before anything is sent', async () => {
      shouldFail(await send({ ca: undefined }), /could not be reached \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
      shouldFail(
        await send({}, {}, { endpoint: 'https://other.example/Capability' }),
        /other\.example could not be reached \(ERR_TLS_CERT_ALTNAME_INVALID\)/,
      );
      const variable = 'NODE_TLS_REJECT_UNAUTHORIZED';
      const before = process.env[variable];
      process.env[variable] = '0';
      try {
        shouldFail(await send({ ca: undefined }), /DEPTH_ZERO_SELF_SIGNED_CERT/);
      } finally {
        if (before === undefined) Reflect.deleteProperty(process.env, variable);
        else process.env[variable] = before;
      }
      service.received.should.be.empty();
    });
  });

  it('fails where nobody can be reached, and may be tried again', async () => {
    // It accepts connections and says nothing, not even in TLS.
    const silent = net.createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));
    for (const [reach, code] of [
      [{ lookup: failing('ENOTFOUND') }, 'ENOTFOUND'],
      [{ lookup: failing('EAI_AGAIN') }, 'EAI_AGAIN'],
      [{ lookup: () => new Promise(() => undefined), deadline: 50 }, 'ETIMEDOUT'],
      [{ port: await freePort() }, 'ECONNREFUSED'],
      [{ port: (silent.address() as net.AddressInfo).port, deadline: 50 }, 'ETIMEDOUT'],
    ] as [Partial<Reach>, string][]) {
      const result = await send(reach);
      shouldFail(
        result,
        new RegExp(`^Check the network.* push\\.example could not be reached \\(${code}\\)\\.$`),
      );
      result.should.have.property('retryAfter', 5);
    }
    // It ends once nobody is connected any more.
    await new Promise((resolve) => silent.close(resolve));
  });

  describe('by the answer of the push service', () => {
    let server: ScriptedServer;
    let reach: Reach;

    before(async () => {
      const certificate = await selfSigned('push.example');
      server = await new ScriptedServer(certificate).start();
      reach = reachOf(server.port, certificate.cert);
    });

    after(() => server.stop());

    const answered = (step: Step, deadline = reach.deadline): Promise<PushResult> => {
      server.script(step);
      return send({ ...reach, deadline });
    };
    const text = (status: number, body = '', headers: Record<string, string> = {}): Step => ({
      status,
      text: body,
      type: 'text/plain',
      headers,
    });

    it('taken', async () => {
      for (const status of [200, 201, 202, 204]) {
        (await answered(text(status))).should.eql({ outcome: 'delivered' });
      }
    });

    it('gone', async () => {
      for (const status of [404, 410]) {
        (await answered(text(status))).should.eql({
          outcome: 'gone',
          reason: `Switch notifications off and on again on the phone: push.example no longer knows it (HTTP ${status}).`,
        });
      }
    });

    it('not now: it says when, as seconds or as a date, within reason', async () => {
      for (const status of [408, 429, 500, 502, 503]) {
        const result = await answered(text(status));
        shouldFail(result, new RegExp(`^Try again later: push\\.example .* \\(HTTP ${status}\\)\\.$`));
        result.should.have.property('retryAfter', 5);
      }
      for (const [header, seconds] of [
        ['120', 120],
        ['0', 1],
        ['99999999999', 86_400],
        [new Date(0).toUTCString(), 1],
        [new Date(Date.now() + 7 * 86_400_000).toUTCString(), 86_400],
        ['soon', 5],
        ['-3', 1],
        ['', 5],
      ] as const) {
        const result = await answered(text(429, '', { 'Retry-After': header }));
        result.should.have.property('retryAfter', seconds);
      }
      const result = await answered(
        text(503, '', { 'Retry-After': new Date(Date.now() + 600_000).toUTCString() }),
      );
      result.should.have.property('retryAfter').which.is.within(500, 601);
    });

    it('not from us', async () => {
      const result = await answered(text(403, '{"reason":"BadJwtToken"}'));
      shouldFail(result, /^Check the clock and the public URL.* \(HTTP 403, BadJwtToken\)\.$/);
      result.should.not.have.property('retryAfter');
      shouldFail(
        await answered(text(401, '{"code":401,"errno":109,"error":"Unauthorized"}')),
        /\(HTTP 401, 109\)/,
      );
    });

    it('not at all', async () => {
      for (const status of [400, 405, 413, 418]) {
        const result = await answered(text(status));
        shouldFail(result, new RegExp(`push\\.example refused the message \\(HTTP ${status}\\)`));
        result.should.not.have.property('retryAfter');
      }
    });

    it('nothing that it says goes into the log but a name or number of its error', async () => {
      for (const body of [
        'Capability',
        `{"reason":"${'Capability'.repeat(5)}"}`,
        '{"reason":"Capability/x"}\u001b[31m\n2026-01-01 [error] forged',
        '{"errno":12345}',
      ]) {
        const result = await answered(text(400, body));
        should(JSON.stringify(result)).not.match(/forged|12345/);
        if (!body.includes('/')) should(JSON.stringify(result)).not.match(/Capability/);
      }
    });

    it('elsewhere: nobody goes there', async () => {
      for (const status of [301, 302, 303, 307, 308]) {
        for (const location of [
          'https://127.0.0.1/',
          `https://push.example:${server.port}/again`,
          '/again',
        ]) {
          const result = await answered(text(status, '', { Location: location }));
          shouldFail(result, new RegExp(`sends us elsewhere, where we do not go \\(HTTP ${status}\\)`));
          result.should.not.have.property('retryAfter');
          server.seen.should.have.length(1);
        }
      }
    });

    it('none, or none that ends: the status counts, if there was one in time', async () => {
      for (const step of ['drop', 'reset'] as const) {
        shouldFail(await answered(step), /could not be reached \(ECONNRESET\)/);
      }
      shouldFail(await answered('hang', 200), /could not be reached \(ETIMEDOUT\)/);
      (await answered('drip', 2000)).should.eql({ outcome: 'delivered' });
      (await answered('truncate')).should.eql({ outcome: 'delivered' });
      // No deadline ends this one.
      (await answered('flood', 3_600_000)).should.eql({ outcome: 'delivered' });
      server.answered.should.equal(1);
    });

    it('with more headers than it needs: that is no answer', async () => {
      const result = await answered(text(201, '', { 'X-Long': 'x'.repeat(10_000) }));
      shouldFail(result, /could not be reached \(HPE_HEADER_OVERFLOW\)/);
    });

    it('that is larger than what is read of it', async () => {
      const reason = '{"reason":"PayloadTooLarge"}';
      shouldFail(await answered(text(413, reason + 'x'.repeat(10_000_000))), /\(HTTP 413, PayloadTooLarge\)/);
      shouldFail(await answered(text(413, ' '.repeat(4096) + reason)), /\(HTTP 413\)/);
    });

    it('leaves no connection behind', async () => {
      await eventually('the connections to close', () => (server.open === 0 ? true : undefined));
    });
  });
});
