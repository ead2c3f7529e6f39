import should from 'should';
import {
  answeredBy,
  checkedAddresses,
  type HostAddress,
  isPublicAddress,
  readEndpoint,
} from '../../../nodes/lib/approver/push/endpoint';
import { PushRefused } from '../../../nodes/lib/approver/push/refused';
import { readSubscription } from '../../../nodes/lib/approver/push/subscription';
import { PushReceiver } from '../../support/push_receiver';

/** Whether it is, with a sentence that begins with a remedy. */
function isRefused(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch (error) {
    return error instanceof PushRefused && /^(?:Switch notifications off|Send the sub)/.test(error.message);
  }
}

describe('The endpoint of a push subscription', () => {
  it('is what push services give', () => {
    for (const endpoint of [
      'https://fcm.googleapis.com/fcm/send/dXn2-9QyRmE:APA91bGq_x',
      'https://jmt17.google.com/fcm/send/abc',
      'https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn',
      'https://web.push.apple.com/QGuQyavXutnMH9mSUUfT',
      'https://wns2-par02p.notify.windows.com/w/?token=BQYAAAB%2bx%2f',
      'https://push.xn--mller-kva.example/1',
      `https://push.example/${'x'.repeat(979)}`,
    ]) {
      readEndpoint(endpoint).href.should.equal(endpoint);
    }
  });

  const refused: readonly (readonly [title: string, ...endpoints: string[]])[] = [
    ['no address', '', 'x', '/push', '//push.example/1', 'https://', 'https://[::1', 'https://a b.example/'],
    [
      'another scheme',
      'http://push.example/1',
      'ftp://push.example/1',
      'file:///etc/passwd',
      'data:text/plain,x',
      'javascript:alert(1)',
      'unix:/run/docker.sock',
      'wss://push.example/1',
    ],
    ['a port', 'https://push.example:8443/1', 'https://push.example:80/1', 'https://push.example:443/1'],
    [
      'a user',
      'https://user@push.example/1',
      'https://user:password@push.example/1',
      'https://push.example@127.0.0.1/1',
    ],
    ['a fragment', 'https://push.example/1#x', 'https://push.example/1#'],
    ['too long', `https://push.example/${'x'.repeat(980)}`],
    [
      'an IP address, however it is written',
      'https://127.0.0.1/1',
      'https://8.8.8.8/1',
      'https://2130706433/1',
      'https://0x7f000001/1',
      'https://0177.0.0.1/1',
      'https://127.1/1',
      'https://127.0.0.1./1',
      'https://0/1',
      'https://[::1]/1',
      'https://[2606:4700::1111]/1',
      'https://[::ffff:127.0.0.1]/1',
      'https://①②⑦.0.0.1/1',
    ],
    [
      'a name of this network',
      'https://localhost/1',
      'https://nas/1',
      'https://nas./1',
      'https://nas.example./1',
      'https://.example/1',
      'https://a..example/1',
      'https://a_b.example/1',
      `https://${'a'.repeat(64)}.example/1`,
      `https://${'a.'.repeat(130)}example/1`,
    ],
    [
      'not as browsers write it: others could read another host',
      ' https://push.example/1',
      'https://push.example/1\n',
      'https://push.\texample/1',
      'https:\\\\push.example\\1',
      'https:push.example/1',
      'HTTPS://push.example/1',
      'https://PUSH.example/1',
      'https://push.example',
      'https://push.example/a/../1',
      'https://push.example/\u0000',
      'https://push.example/é',
      'https://pusｈ.example/1',
      'https://push%2eexample/1',
    ],
  ];
  for (const [title, ...endpoints] of refused) {
    it(`is refused: ${title}`, () => {
      endpoints.filter((endpoint) => !isRefused(() => readEndpoint(endpoint))).should.be.empty();
    });
  }

  it('comes with the keys of the browser, as the browser gives them', () => {
    const { keys } = new PushReceiver();
    const endpoint = 'https://push.example/1';
    readSubscription({ endpoint, expirationTime: null, keys }).should.eql({ endpoint, ...keys });
    const wrong: unknown[] = [
      ...[undefined, null, 'x', 7, [], {}],
      ...[
        { endpoint },
        { keys },
        { endpoint, keys: null },
        { endpoint: 7, keys },
        { endpoint: [endpoint], keys },
      ],
      { endpoint: 'https://localhost/1', keys },
      { endpoint, keys: { ...keys, auth: 7 } },
      { endpoint, keys: { ...keys, auth: 'x' } },
      { endpoint, keys: { ...keys, p256dh: keys.auth } },
    ];
    wrong.filter((one) => !isRefused(() => readSubscription(one))).should.be.empty();
  });
});

describe('Which addresses a push message may go to', () => {
  it('public ones', () => {
    for (const address of [
      ...['8.8.8.8', '1.1.1.1', '142.250.1.1', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0'],
      ...[
        '126.255.255.255',
        '128.0.0.0',
        '169.253.255.255',
        '172.15.255.255',
        '172.32.0.0',
        '192.167.255.255',
      ],
      ...['192.169.0.0', '198.17.255.255', '198.20.0.0', '223.255.255.255', '17.57.1.1'],
      ...['2606:4700:4700::1111', '2a00:1450:4001:82b::200a', '2620:149:208::1', '2001:4860:4860::8888'],
      // By the translation of a network that has IPv6 alone.
      ...['64:ff9b::8.8.8.8', '64:ff9b::808:808', '64:ff9b:0:0:0:0:8efa:101'],
    ]) {
      isPublicAddress(address).should.equal(true, address);
    }
  });

  const refused: readonly (readonly [title: string, ...addresses: string[]])[] = [
    ['unspecified', '0.0.0.0', '0.1.2.3', '::', '::0'],
    ['loopback', '127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1'],
    [
      'private',
      '10.0.0.1',
      '10.255.255.255',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '192.168.255.255',
    ],
    ['unique local', 'fc00::1', 'fd12:3456:789a::1', 'fdff::1'],
    ['site-local', 'fec0::1'],
    ['link-local', '169.254.169.254', '169.254.0.1', 'fe80::1', 'febf::1', 'fe80::1%eth0'],
    ['of a provider or Tailscale', '100.64.0.1', '100.100.100.100', '100.127.255.255', 'fd7a:115c:a1e0::1'],
    ['multicast, broadcast', '224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1', 'ff0e::1'],
    [
      'reserved',
      '240.0.0.1',
      '192.0.0.8',
      '192.88.99.1',
      '198.18.0.1',
      '198.19.255.255',
      '100::1',
      '5f00::1',
    ],
    ['documentation', '192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1', '3fff:fff::1'],
    ['IPv4 in IPv6', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::ffff:7f00:1', '::127.0.0.1'],
    ['6to4', '2002:7f00:1::', '2002:a00:1::1', '2002:808:808::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '2001::1', '2001:1::1', '2001:20::1'],
    [
      'translated to a private one',
      ...['64:ff9b::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b::10.1.2.3', '64:ff9b::a9fe:a9fe', '64:ff9b::'],
      ...[
        '64:ff9b::1',
        '64:ff9b::c0a8:1',
        '64:ff9b:1::8.8.8.8',
        '64:ff9b:1::7f00:1',
        '64:ff9b::808:808%eth0',
      ],
    ],
    ['outside of what is given out', '4000::1', '1fff::1', 'e000::1', '::2', '::ffff:0:7f00:1'],
    [
      'no address',
      '',
      'x',
      'push.example',
      '8.8.8',
      '8.8.8.8.8',
      '08.8.8.8',
      '[::1]',
      ' 8.8.8.8',
      '8.8.8.8\n',
    ],
  ];
  for (const [title, ...addresses] of refused) {
    it(`none that is ${title}`, () => {
      for (const address of addresses) isPublicAddress(address).should.equal(false, address);
    });
  }

  const asked = (...addresses: string[]): Promise<readonly HostAddress[]> =>
    checkedAddresses(
      'push.example',
      () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
      isPublicAddress,
    );

  it('a name must have no other one among its addresses', async () => {
    await asked('8.8.8.8', '2606:4700:4700::1111').should.be.fulfilled();
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '192.168.1.1'], ['8.8.8.8', '::1'], ['0.0.0.0']]) {
      await asked(...addresses).should.be.rejectedWith({
        name: 'PushRefused',
        message: `Check who answers for push.example, such as a filter for advertisements: its address ${addresses.at(-1) ?? ''} is not public.`,
      });
    }
    await asked().should.be.rejectedWith({ name: 'PushRefused', message: /push\.example has no address/ });
  });

  it('the socket gets those that were checked, one or all, whatever name it asks for', async () => {
    const checked = await asked('8.8.8.8', '2606:4700:4700::1111');
    const lookup = answeredBy(checked);
    const answers: unknown[] = [];
    lookup('elsewhere.example', {}, (...answer) => answers.push(answer));
    lookup('elsewhere.example', { all: true }, (...answer) => answers.push(answer));
    should(answers).eql([
      [null, '8.8.8.8', 4],
      [null, checked],
    ]);
  });
});
