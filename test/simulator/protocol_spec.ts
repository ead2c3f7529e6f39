import http from 'node:http';
import should from 'should';
import { Simulator } from '../../nodes/simulator/simulator';
import { httpRequest } from '../support/http_request';
import { Harness, key, phone, shouldFail } from './harness';

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };

describe('simulator: requests of clients', () => {
  const harness = new Harness();
  let id: number;
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(async () => {
    await harness.control('POST', '/reset');
    id = await harness.createUser();
  });

  const raw = (method: string, path: string, headers: http.OutgoingHttpHeaders, body?: string) =>
    httpRequest(method, harness.url + path, headers, body);

  describe('the key', () => {
    it('is accepted in the header, the query string and the form', async () => {
      const path = `/protected/json/users/${id}/status`;
      (await raw('GET', path, { 'X-Authy-API-Key': key })).status.should.equal(200);
      (await raw('GET', `${path}?api_key=${key}`, {})).status.should.equal(200);
      const update = `/protected/json/users/${id}/update`;
      (await raw('POST', update, form, `api_key=${key}&email=a@b.example`)).status.should.equal(200);
      (await raw('POST', `${update}?api_key=${key}&email=a@b.example`, {})).status.should.equal(200);
    });

    it('is refused as documented on every route, if it is missing or wrong', async () => {
      for (const [path, headers] of [
        ['/protected/json/app/details', {}],
        ['/protected/json/app/details', { 'X-Authy-API-Key': 'wrong' }],
        ['/protected/json/app/details?api_key=wrong', {}],
        [`/protected/json/app/details?api_key=${key}`, { 'X-Authy-API-Key': 'wrong' }],
        ['/onetouch/json/approval_requests/none', {}],
      ] as const) {
        const { status, body } = await raw('GET', path, headers);
        status.should.equal(401);
        body.should.eql({
          message: 'Invalid API key',
          success: false,
          errors: { message: 'Invalid API key' },
          error_code: '60001',
        });
      }
    });
  });

  describe('the parameters', () => {
    const create = `/onetouch/json/users/1/approval_requests`;
    const logos = [
      { res: 'default', url: 'https://example.com/1.png' },
      { res: 'low', url: 'https://example.com/2.png' },
    ];
    const encode = (pairs: [string, string][]): string => new URLSearchParams(pairs).toString();
    const fields: [string, string][] = [
      ['message', 'Open the garage? ä & b'],
      ['details[Where]', 'At home'],
      ['hidden_details[order]', '17'],
    ];
    const indexed: [string, string][] = [
      ...fields,
      ['logos[0][res]', 'default'],
      ['logos[0][url]', 'https://example.com/1.png'],
      ['logos[1][res]', 'low'],
      ['logos[1][url]', 'https://example.com/2.png'],
      ['seconds_to_expire', '60'],
    ];
    const empty: [string, string][] = [
      ...fields,
      ['logos[][res]', 'default'],
      ['logos[][url]', 'https://example.com/1.png'],
      ['logos[][res]', 'low'],
      ['logos[][url]', 'https://example.com/2.png'],
      ['seconds_to_expire', '60'],
    ];
    const json = JSON.stringify({
      message: 'Open the garage? ä & b',
      details: { Where: 'At home' },
      hidden_details: { order: '17' },
      logos,
      seconds_to_expire: 60,
    });

    for (const [style, query, headers, body] of [
      ['JSON', '', { 'Content-Type': 'application/json; charset=utf-8' }, json],
      ['a form with logos[][res]', '', form, encode(empty)],
      ['a form with logos[0][res]', '', form, encode(indexed)],
      ["the query string of a POST, as PHP's http_build_query makes it", `?${encode(indexed)}`, {}, ''],
      ['query string and form together', `?${encode(indexed.slice(0, 1))}`, form, encode(indexed.slice(1))],
    ] as const) {
      it(`may come as ${style}`, async () => {
        const path = create.replace('/1/', `/${id}/`) + query;
        const { status, body: created } = await raw(
          'POST',
          path,
          { ...headers, 'X-Authy-API-Key': key },
          body,
        );
        status.should.equal(200);
        const { uuid } = created['approval_request'] as { uuid: string };
        (await harness.approval(uuid)).should.have.properties({
          message: 'Open the garage? ä & b',
          details: { Where: 'At home' },
          hiddenDetails: { order: '17' },
          logos,
          expiresIn: 60_000,
        });
      });
    }

    it('of a user may come as a form', async () => {
      const body = encode([
        ['user[email]', 'b@example.com'],
        ['user[cellphone]', '317.555.0150'],
        ['user[country_code]', '1'],
        ['send_install_link_via_sms', 'false'],
      ]);
      const { status } = await raw('POST', `/protected/json/users/new?api_key=${key}`, form, body);
      status.should.equal(200);
    });

    it('of a GET may come in its body, as JSON or form', async () => {
      const check = '/protected/json/phones/info';
      const asForm = await raw('GET', `${check}?api_key=${key}`, form, encode(Object.entries(phone)));
      asForm.status.should.equal(200);
      const headers = { 'X-Authy-API-Key': key, 'Content-Type': 'application/json' };
      (await raw('GET', check, headers, JSON.stringify(phone))).status.should.equal(200);
    });

    it('may be none: a trailing question mark or slash does not matter', async () => {
      const headers = { 'X-Authy-API-Key': key };
      for (const ending of ['?', '/', '/?']) {
        (await raw('GET', `/protected/json/sms/${id}${ending}`, headers)).status.should.equal(200);
      }
    });

    it('are 400 with 60002 if they cannot be read', async () => {
      const headers = { 'X-Authy-API-Key': key, 'Content-Type': 'application/json' };
      const path = `/protected/json/users/${id}/update`;
      for (const [url, type, body] of [
        [path, 'application/json', '{"email":'],
        [path, form['Content-Type'], 'a=1&a[b]=2'],
        [path, 'application/json', `{"email":"${'x'.repeat(140_000)}"}`],
      ] as const) {
        const { status, body: answer } = await raw('POST', url, { ...headers, 'Content-Type': type }, body);
        status.should.equal(400);
        answer.should.have.property('error_code', '60002');
      }
    });
  });

  it('unknown routes are 404, as are other formats', async () => {
    for (const [method, path] of [
      ['GET', '/protected/xml/app/details'],
      ['GET', '/protected/json/nothing'],
      ['DELETE', `/protected/json/users/${id}/status`],
      ['POST', `/protected/json/users/${id}/status`],
      ['GET', '/onetouch/json/approval_requests'],
      ['GET', '/nothing'],
    ] as const) {
      shouldFail(await harness.api(method, path), 404, '60000');
    }
  });

  it('answers without spaces, as JSON', async () => {
    const { text, headers } = await harness.api('GET', '/protected/json/app/details');
    text.should.not.match(/[{,:]\s/);
    should(headers.get('content-type')).startWith('application/json');
  });

  describe('the guard', () => {
    const path = '/protected/json/app/details';

    it('accepts the names of this machine', async () => {
      for (const host of ['localhost', 'localhost:1', '127.0.0.1:99', '[::1]:4730']) {
        (await raw('GET', path, { Host: host, 'X-Authy-API-Key': key })).status.should.equal(200, host);
        (await raw('GET', '/simulator/users', { Host: host, Origin: `http://${host}` })).status.should.equal(
          200,
        );
      }
    });

    it('refuses other host names and other origins on every route', async () => {
      for (const headers of [
        { Host: 'evil.example' },
        { Host: 'localhost.evil.example' },
        { Host: 'localhost\\.evil.example' },
        { Host: 'localhost/.evil.example' },
        { Host: 'nodered.local' },
        { Host: '192.168.1.10' },
        { Origin: 'https://evil.example' },
        { Origin: 'http://localhost.evil.example' },
        { Origin: 'http://127.0.0.1' },
        { Origin: 'http://127.0.0.1:1' },
        { Origin: 'null' },
      ] as http.OutgoingHttpHeaders[]) {
        for (const url of [path, '/simulator/users', '/simulator/phone/', '/', '/v2/Attempts']) {
          const { status, body } = await raw('GET', url, { 'X-Authy-API-Key': key, ...headers });
          status.should.equal(403);
          should(body['error']).containEql('simulator');
        }
      }
    });

    it('listens on loopback only', () => {
      harness.url.should.match(/^http:\/\/127\.0\.0\.1:\d+$/);
    });

    it('in a network accepts addresses, names that public DNS does not have, and those it was told of', async () => {
      const open = await new Harness({ host: '0.0.0.0', allowedHosts: ['simulator.example.com'] }).start();
      const statusOf = async (headers: http.OutgoingHttpHeaders): Promise<number> =>
        (await httpRequest('GET', `${open.url}/simulator/users`, headers)).status;
      try {
        for (const host of [
          ...['localhost:4730', '192.168.1.10:4730', '[fd00::2]:4730', 'simulator:4730', 'nas.local'],
          ...['host.docker.internal:4730', 'simulator.example.com', 'SIMULATOR.example.com:4730'],
        ]) {
          (await statusOf({ Host: host })).should.equal(200, host);
          (await statusOf({ Host: host, Origin: `http://${host}` })).should.equal(200, host);
          (await statusOf({ Host: host, Origin: 'http://evil.example' })).should.equal(403, host);
        }
        // Names that a stranger can point at it.
        for (const host of [
          'evil.example',
          'x.simulator.example.com',
          'simulator.example.com.evil.example',
          'a@nas.local',
        ]) {
          (await statusOf({ Host: host })).should.equal(403, host);
        }
      } finally {
        await open.stop();
      }
    });
  });

  it('logs requests as a simulator, without keys, tokens and phone numbers', async () => {
    await harness.api('GET', `/protected/json/sms/${id}`);
    const code = await harness.code('sms');
    await harness.api('GET', `/protected/json/verify/${code}/${id}`, { force: 'true' });
    harness.lines.should.not.be.empty();
    for (const line of harness.lines) line.should.startWith('Authy simulator: ');
    const all = harness.lines.join('\n');
    all.should.containEql(`GET /protected/json/verify/***/${id}: 200`);
    for (const secret of [code, key, phone.phone_number]) all.should.not.containEql(secret);
  });

  it('logs only failures of polled endpoints', async () => {
    const uuid = await harness.createApproval(id);
    const route = `/onetouch/json/approval_requests/${uuid}`;
    harness.lines.length = 0;
    (await harness.api('GET', route)).status.should.equal(200);
    await harness.control('PUT', '/faults', { faults: [{ kind: 'status', status: 503, times: 1 }] });
    (await harness.api('GET', route)).status.should.equal(503);
    (await harness.api('GET', route)).status.should.equal(200);
    harness.lines.should.eql([`Authy simulator: GET ${route}: 503`]);
  });
});

describe('simulator: start and end', () => {
  it('keeps its state and its port when it listens again', async () => {
    const simulator = new Simulator({ apiKey: key });
    should(simulator.url).be.undefined();
    const url = await simulator.listen();
    (await simulator.listen()).should.equal(url);
    should(simulator.url).equal(url);
    const created = await fetch(`${url}/protected/json/users/new?api_key=${key}`, {
      method: 'POST',
      body: new URLSearchParams({
        'user[email]': 'a@b.example',
        'user[cellphone]': '3175550142',
        'user[country_code]': '1',
      }),
    });
    created.status.should.equal(200);
    await simulator.close();
    await simulator.close();
    should(simulator.url).be.undefined();
    await fetch(url).should.be.rejected();
    simulator.configure({ apiKey: 'another', appName: 'Other' });
    simulator.apiKey.should.equal('another');
    (await simulator.listen()).should.equal(url);
    const users = (await (await fetch(`${url}/simulator/users`)).json()) as { users: unknown[] };
    users.users.should.have.length(1);
    await simulator.close();
  });

  it('generates a key, and finds another port if the last one is taken', async () => {
    const first = new Simulator();
    const second = new Simulator({ apiKey: '' });
    first.apiKey.should.match(/^simulator-[0-9a-f]{32}$/);
    second.apiKey.should.match(/^simulator-[0-9a-f]{32}$/).and.not.equal(first.apiKey);
    const url = await first.listen();
    const port = Number(new URL(url).port);
    await second.listen(port).should.be.rejectedWith({ code: 'EADDRINUSE' });
    await first.close();
    await second.listen(port);
    (await first.listen()).should.not.equal(url);
    await Promise.all([first.close(), second.close()]);
  });

  it('ends running requests when it is closed', async () => {
    const simulator = new Simulator({ apiKey: key });
    const url = await simulator.listen();
    await fetch(`${url}/simulator/faults`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ faults: [{ kind: 'latency', ms: 60_000 }] }),
    });
    const slow = fetch(`${url}/protected/json/app/details?api_key=${key}`);
    const ended = slow.should.be.rejected();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await simulator.close();
    await ended;
  });
});
