import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import should from 'should';
import { approverPages } from '../../nodes/lib/approver/pages/pages';
import { below } from '../../nodes/lib/server/router';
import { ApproverClient, type PasskeyPhone } from '../support/approver_client';
import { ApproverFlow } from '../support/approver_flow';
import { PushReceiver } from '../support/push_receiver';
import { PushService } from '../support/push_service';
import { runs } from '../support/runs';
import { SetClock } from '../support/set_clock';

describe('Attack: floods of the approver', function () {
  this.timeout(300_000);
  let approver: ApproverFlow;
  let ada: string;
  let phone: PasskeyPhone;

  beforeEach(async () => {
    approver = new ApproverFlow();
    await approver.gate({ timeout: '3600' });
    ada = await approver.person();
    phone = await approver.phone(ada);
    approver.rest();
  });
  afterEach(() => approver.stop());

  /** How often each status comes for calls by somebody. */
  async function statuses(
    count: number,
    call: (index: number) => Promise<{ status: number }>,
  ): Promise<object> {
    const all: Record<number, number> = {};
    for (let index = 0; index < count; index++) {
      const { status } = await call(index);
      all[status] = (all[status] ?? 0) + 1;
    }
    return all;
  }

  /** The same pages, where requests come from another address. */
  async function seenFrom(address: string): Promise<{ url: string; stop: () => void }> {
    const pages = below('/approve', approverPages(approver.approver));
    const server = http.createServer((request, response) => {
      Object.defineProperty(request.socket, 'remoteAddress', { value: address });
      pages(request, response, () => response.writeHead(404).end());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stop = (): void => {
      server.closeAllConnections();
      server.close();
    };
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
  }

  describe('before signing in', () => {
    it('thirty calls in a minute for an address, whatever they are; those who are signed in go on', async () => {
      const clock = new SetClock();
      try {
        const names = [
          'state',
          'sign-in-options',
          'sign-in',
          'invitation',
          'enrol',
          'recover',
          'approve',
          'nothing',
        ];
        const flood = (): Promise<object> =>
          statuses(300, (index) => approver.browser().call(names[index % names.length] ?? '', { index }));
        should(await flood()).containEql({ 429: 270 });
        should(await phone.browser.state()).match({ signedIn: true });
        const { body } = await approver.browser().call('state');
        should(body).match({ error: 'tooMany' });
        should(body['retryAfter']).be.within(1, 60);
        // A cookie that was made up is no way around it.
        const madeUp = Object.assign(approver.browser(), {
          cookie: (phone.browser.cookie ?? '').replace(/.$/, '_'),
        });
        should(await statuses(10, () => madeUp.call('state'))).eql({ 429: 10 });
        // The clock of the computer is no way around it either.
        clock.set(3_600_000);
        should(await statuses(3, () => approver.browser().call('state'))).eql({ 429: 3 });
        clock.pass(60_000);
        should(await flood()).containEql({ 429: 270 });
      } finally {
        clock.restore();
      }
    });

    it('each phone has a limit of its own', async () => {
      const tablet = await approver.phone(ada, 'Tablet');
      should(await statuses(200, () => phone.browser.call('state'))).eql({ 200: 120, 429: 80 });
      should(await tablet.browser.state()).match({ signedIn: true });
    });

    it('behind a proxy on this machine its last entry counts, and nothing that a stranger writes before it', async () => {
      const from = (entry: string) => (index: number) =>
        approver.browser().call('state', {}, { 'X-Forwarded-For': entry.replace('*', String(index)) });
      should(await statuses(40, from('10.0.0.*, 203.0.113.1'))).eql({ 200: 30, 429: 10 });
      should(await statuses(40, from('spoofed-*, 203.0.113.2'))).eql({ 200: 30, 429: 10 });
      should(await statuses(40, from('203.0.113.3:2*'))).eql({ 200: 30, 429: 10 });
      // What is no address is not taken for one: a tunnel that adds nothing lets everybody write anything.
      should(await statuses(40, from('stranger-*'))).eql({ 200: 30, 429: 10 });
      should(await statuses(5, from(`${'x'.repeat(4000)}*`))).eql({ 429: 5 });
      // Whoever has a network of IPv6 has more addresses than anybody can count.
      should(await statuses(40, from('2001:db8:0:1::*'))).eql({ 200: 30, 429: 10 });
      should(await statuses(5, from('[2001:0DB8::1:0:0:0:*]:443'))).eql({ 429: 5 });
      should(await statuses(5, from('2001:db8:0:2::*'))).eql({ 200: 5 });
      should(await statuses(5, from('::ffff:203.0.113.1'))).eql({ 429: 5 });
    });

    it('from outside nothing of X-Forwarded-For counts', async () => {
      for (const address of ['203.0.113.9', '::ffff:203.0.113.10', '2001:db8::1', '10.0.0.1']) {
        const { url, stop } = await seenFrom(address);
        const stranger = (): ApproverClient => new ApproverClient(url, approver.page);
        const call = (index: number): Promise<{ status: number }> =>
          stranger().call('state', {}, { 'X-Forwarded-For': `198.51.100.${index}` });
        should(await statuses(40, call)).eql({ 200: 30, 429: 10 });
        const { status } = await Object.assign(stranger(), { cookie: phone.browser.cookie }).call('state');
        should(status).equal(200);
        stop();
      }
    });

    it('from 100,000 addresses it takes no more memory than from 20,000', () => {
      const { strangers } = approver.approver.floods;
      for (let index = 0; index < runs(100_000); index++) strangers.count(`address ${index}`, 1);
      const { counts } = strangers as unknown as { counts: Map<string, number> };
      should(counts.size).be.belowOrEqual(20_001);
      // Those who were there already are answered as before, those beyond are one crowd.
      should(strangers.count('address 1', 1)).equal(0);
      should(strangers.count('one more', 1)).be.above(0);
    });
  });

  describe('recovery codes', () => {
    const recover = (phoneNumber: string, headers: Record<string, string>): Promise<{ status: number }> =>
      approver.browser().call('recover', { phoneNumber, code: '000000000000' }, headers);

    it('are tried five times a minute for a number and an address, however it is written', async () => {
      const written = [
        '+13175550142',
        '+1 317 555 0142',
        '+1 (317) 555-0142',
        '+1-317-555-0142',
        '+1317.555.0142',
      ];
      const bob = await approver.person('+442079460018', 'bob@example.com', '44');
      const here = approver.from();
      should(await statuses(10, (index) => recover(written[index % 5] ?? '', here))).eql({ 422: 5, 429: 5 });
      const british = ['+442079460018', '+44 20 7946 0018', '+44 (0)20 7946 0018', '+44 (0) 207 946 0018'];
      should(await statuses(8, (index) => recover(british[index % 4] ?? '', here))).eql({ 422: 5, 429: 3 });
      should((await approver.kept(bob)).limits).be.undefined();
    });

    it('cannot be kept from their owner by one stranger, and are tried 300 times a minute at most by many', async () => {
      should(await statuses(20, () => recover('+13175550142', { 'X-Forwarded-For': '203.0.113.66' }))).eql({
        422: 5,
        429: 15,
      });
      should(await recover('+13175550142', approver.from())).match({ status: 422 });
      const all = Array.from({ length: 80 * 5 }, (_, index) =>
        recover('+13175550142', { 'X-Forwarded-For': `198.51.100.${index % 80}` }),
      );
      const answers = (await Promise.all(all)).map(({ status }) => status);
      const results = await statuses(answers.length, (index) =>
        Promise.resolve({ status: answers[index] ?? 0 }),
      );
      should(results).eql({ 422: 294, 429: 106 });
      should((await approver.kept(ada)).limits).be.undefined();
    });
  });

  describe('a push subscription', () => {
    const receiver = new PushReceiver();
    const subscribe = (endpoint: unknown): Promise<{ status: number; body: object }> =>
      phone.browser.call('push', { subscription: { endpoint, keys: receiver.keys } });

    it('that leads to no public host is refused', async () => {
      for (const endpoint of [
        ...[
          'http://push.example.com/x',
          'https://localhost/x',
          'https://localhost./x',
          'https://127.0.0.1/x',
          'https://127.1/x',
        ],
        ...[
          'https://2130706433/x',
          'https://0x7f000001/x',
          'https://0177.0.0.1/x',
          'https://[::1]/x',
          'https://[::ffff:127.0.0.1]/x',
        ],
        ...[
          'https://[::ffff:7f00:1]/x',
          'https://10.0.0.1/x',
          'https://169.254.169.254/latest',
          'https://192.168.1.1/x',
          'https://0/x',
        ],
        ...[
          'https://nas/x',
          'https://push.example.com:8443/x',
          'https://push.example.com:22/x',
          'https://a:b@push.example.com/x',
        ],
        ...[
          'https://push.example.com@127.0.0.1/x',
          'https://127.0.0.1#push.example.com/',
          'https://push.example.com/x#y',
        ],
        ...[
          'https://１２７.0.0.1/x',
          'https://ⓛocalhost/x',
          'https://push.example.com\\@127.0.0.1/x',
          ' https://push.example.com/x',
        ],
        ...[
          'https://push.example.com/\r\nHost: x',
          'HTTPS://push.example.com/x',
          'https://PUSH.example.com/x',
          '//push.example.com/x',
        ],
        ...[
          'file:///etc/passwd',
          'ftp://push.example.com/x',
          'javascript:alert(1)',
          'data:,x',
          'https://',
          'https:///x',
          '',
        ],
        ...[
          `https://push.example.com/${'a'.repeat(1000)}`,
          `https://${'a'.repeat(64)}.example.com/x`,
          'https://a..b/x',
        ],
        ...[null, 5, true, {}, [], ['https://push.example.com/x']],
      ]) {
        should(await subscribe(endpoint)).match(
          { status: 400, body: { error: 'invalid' } },
          inspect(endpoint),
        );
      }
      for (const keys of [
        undefined,
        null,
        {},
        { p256dh: 'AAAA', auth: receiver.keys.auth },
        { ...receiver.keys, auth: 'AA' },
      ]) {
        const subscription = { endpoint: 'https://push.example.com/x', keys };
        should(await phone.browser.call('push', { subscription })).match({ status: 400 });
      }
      for (const subscription of [undefined, 5, 'x', [], {}]) {
        should(await phone.browser.call('push', { subscription })).match({ status: 400 });
      }
      should((await approver.kept(ada)).phones?.some(({ push }) => push !== undefined)).be.false();
    });

    it('whose name leads into the network is called by nobody', async () => {
      const service = await PushService.start('push.example.com');
      const { isPublicAddress } = await import('../../nodes/lib/approver/push/endpoint.js');
      await subscribe('https://push.example.com/wake');
      const reach = service.reach;
      for (const address of [
        '127.0.0.1',
        '::1',
        '10.1.2.3',
        '169.254.169.254',
        '::ffff:127.0.0.1',
        '64:ff9b::7f00:1',
        'fe80::1%lo',
        'fd00::1',
      ]) {
        const family = address.includes(':') ? 6 : 4;
        // One public address beside it does not help.
        for (const others of [[], [{ address: '93.184.215.14', family: 4 }]]) {
          const lookup = (): Promise<{ address: string; family: number }[]> =>
            Promise.resolve([...others, { address, family }]);
          approver.approver.pushing.reach = { ...reach, lookup, allows: isPublicAddress };
          const { request } = await approver.asked(ada, phone.browser);
          await phone.browser.done('deny', { id: request.id });
        }
      }
      should(service.received).eql([]);
      should(approver.flow.log.join('\n')).match(/address 169\.254\.169\.254 is not public/);
      should(approver.flow.log.join('\n')).not.match(/wake/);
      approver.approver.pushing.reach = reach;
      const { request } = await approver.asked(ada, phone.browser);
      await phone.browser.done('deny', { id: request.id });
      for (let wait = 0; service.received.length === 0 && wait < 100; wait++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      should(service.received.map(({ path }) => path)).eql(['/wake']);
      await service.stop();
    });
  });
});
