import { createRequire } from 'node:module';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NodeAPI } from 'node-red';
import should from 'should';
import { application, below } from '../../nodes/lib/server/router';
import type { Simulator } from '../../nodes/simulator/simulator';
import { BoundedList, BoundedMap } from '../../nodes/simulator/state/bounded';
import { Harness, key } from './harness';

describe('simulator: control interface', () => {
  const harness = new Harness();
  let id: number;
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(async () => {
    await harness.control('DELETE', '/state');
    id = await harness.createUser();
  });

  it('describes itself', async () => {
    const { status, body } = await harness.control('GET', '');
    status.should.equal(200);
    should(body['simulator']).match(/simulator/);
    should(body['endpoints']).containEql('GET /protected/json/verify/{token}/{id}');
    should(body['control']).have.properties(['GET /messages', 'POST /approvals/{id}', 'PUT /faults']);
    should(body['phoneNumbersEndingIn']).have.property('0000');
    (await harness.request('GET', '/')).headers.get('location')?.should.equal('simulator/phone/');
  });

  it('shows requests without their values', async () => {
    const secretToken = '1234567';
    await harness.api('GET', `/protected/json/verify/${secretToken}/${id}`, { force: 'true', api_key: key });
    const { body, text } = await harness.control('GET', '/requests?method=GET&path=/verify/');
    should(body).match({
      count: 1,
      requests: [
        {
          method: 'GET',
          path: `/protected/json/verify/***/${id}`,
          parameters: ['api_key', 'force'],
          status: 401,
          fault: null,
        },
      ],
    });
    text.should.not.containEql(key).and.not.containEql(secretToken);
  });

  it('changes settings, and says what is wrong with others', async () => {
    const changed = await harness.control('PUT', '/settings', {
      callbackUrl: 'http://127.0.0.1:1880/authy/callback',
      callbackMethod: 'GET',
    });
    changed.body.should.eql({
      appName: 'Garage',
      callbackUrl: 'http://127.0.0.1:1880/authy/callback',
      callbackMethod: 'GET',
      callbackForm: '2019',
    });
    (await harness.control('GET', '/settings')).body.should.eql(changed.body);
    for (const [settings, problem] of [
      [{ callbackUrl: 'nonsense' }, /callbackUrl/],
      [{ callbackUrl: 'ftp://127.0.0.1/' }, /callbackUrl/],
      [{ callbackUrl: 'http://me:secret@127.0.0.1/' }, /password/],
      [{ callbackMethod: 'PUT' }, /callbackMethod/],
      [{ appName: '' }, /appName/],
      [{ apiKey: 'x' }, /"apiKey" is not known here/],
    ] as const) {
      const { status, body } = await harness.control('PUT', '/settings', settings);
      status.should.equal(400);
      should(body['error']).match(problem);
    }
    (await harness.control('GET', '/settings')).body.should.eql(changed.body);
  });

  it('answers a wrong request with a sentence', async () => {
    const uuid = await harness.createApproval(id);
    for (const [method, path, body, status] of [
      ['GET', '/nothing', undefined, 404],
      ['PATCH', '/users', undefined, 405],
      ['GET', '/users/1', undefined, 404],
      ['GET', '/approvals/none', undefined, 404],
      ['POST', '/approvals/none', { answer: 'approve' }, 404],
      ['POST', `/approvals/${uuid}`, {}, 400],
      ['POST', `/approvals/${uuid}`, { answer: 'maybe' }, 400],
      ['POST', `/approvals/${uuid}`, ['approve'], 400],
      ['PUT', `/users/${id}`, { app: 'yes' }, 400],
      ['PUT', `/users/${id}`, { name: 'x' }, 400],
      ['GET', '/state?limit=x', undefined, 400],
      ['PUT', '/settings', { appName: 'x'.repeat(140_000) }, 413],
    ] as const) {
      const answer = await harness.control(method, path, body);
      answer.status.should.equal(status, `${method} ${path}`);
      should(answer.body['error'])
        .be.a.String()
        .and.match(/^\S.*\.$/);
    }
    const json = { 'Content-Type': 'application/json' };
    const broken = await harness.request('PUT', '/simulator/faults', { headers: json, body: '{' });
    broken.status.should.equal(400);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const form = { headers: { 'Content-Type': type }, body: '{"answer":"approve"}' };
      (await harness.request('POST', `/simulator/approvals/${uuid}`, form)).status.should.equal(415, type);
    }
    (await harness.approval(uuid)).status.should.equal('pending');
  });

  it('filters approvals, and limits the state to the newest', async () => {
    const first = await harness.createApproval(id);
    const second = await harness.createApproval(id);
    await harness.control('POST', `/approvals/${first}`, { answer: 'deny' });
    const pending = await harness.control('GET', `/approvals?status=pending&authyId=${id}`);
    should(pending.body['approvals']).match([{ uuid: second }]);
    const { body } = await harness.control('GET', '/state?limit=1');
    should(body).match({
      appName: 'Garage',
      users: [{ authyId: id }],
      approvals: [{ uuid: second }],
      messages: [],
    });
  });

  it('forgets everything but the settings', async () => {
    await harness.control('PUT', '/settings', { callbackUrl: 'http://127.0.0.1:9/' });
    await harness.createApproval(id);
    await harness.api('GET', `/protected/json/sms/${id}`);
    await harness.control('PUT', '/faults', { faults: [{ kind: 'drop' }] });
    (await harness.control('POST', '/reset')).body.should.eql({ reset: true });
    const { body } = await harness.control('GET', '/state');
    should(body).match({ users: [], approvals: [], messages: [], callbackUrl: 'http://127.0.0.1:9/' });
    should((await harness.control('GET', '/requests')).body).eql({ count: 0, requests: [] });
    should((await harness.control('GET', '/faults')).body).eql({ faults: [] });
  });

  it('remembers a limited number of entries', () => {
    const list = new BoundedList<number>(2);
    const map = new BoundedMap<string, number>(2);
    for (const number of [1, 2, 3]) {
      list.add(number);
      map.set(String(number), number);
    }
    list.all.should.eql([2, 3]);
    map.all.should.eql([2, 3]);
    map.set('2', 4);
    map.all.should.eql([3, 4]);
  });
});

/** Node-RED's own Express. */
const express = createRequire(require.resolve('@node-red/editor-api'))('express') as {
  (): NodeAPI['httpAdmin'];
  json(): http.RequestListener;
  urlencoded(options: { extended: boolean }): http.RequestListener;
};
const mounted = '/admin/authy-simulator/a1';

describe('simulator: inside another application', () => {
  for (const [name, inside] of [
    [
      "Node-RED's Express, behind body parsers",
      ({ phonePage, control }: Simulator) =>
        express()
          .use(express.json(), express.urlencoded({ extended: true }))
          .use(`${mounted}/phone`, phonePage)
          .use(mounted, control),
    ],
    [
      "Node-RED's Express",
      ({ phonePage, control }: Simulator) =>
        express().use(`${mounted}/phone`, phonePage).use(mounted, control),
    ],
    [
      'our own router',
      ({ phonePage, control }: Simulator) =>
        application([below(`${mounted}/phone`, phonePage), below(mounted, control)], String),
    ],
  ] as const) {
    it(`${name}: control and page`, async () => {
      const harness = new Harness();
      await harness.start();
      const server = http.createServer(inside(harness.simulator)).listen(0, '127.0.0.1');
      try {
        await new Promise((resolve) => server.once('listening', resolve));
        const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${mounted}`;
        const uuid = await harness.createApproval(await harness.createUser());
        const answered = await fetch(`${base}/approvals/${uuid}`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: '{"answer":"approve"}',
        });
        should(await answered.json()).have.property('status', 'approved');
        const list = await fetch(`${base}/approvals?status=approved`);
        should(await list.json()).match({ approvals: [{ uuid }] });
        (await fetch(`${base}/nothing`)).status.should.equal(404);

        const redirected = await fetch(`${base}/phone`, { redirect: 'manual' });
        redirected.status.should.equal(302);
        should(redirected.headers.get('location')).equal('phone/');
        const page = await fetch(`${base}/phone/`);
        page.status.should.equal(200);
        should(page.headers.get('content-type')).startWith('text/html');
        should(page.headers.get('content-security-policy')).match(/default-src 'none'.*script-src 'self'/);
        const html = await page.text();
        html.should.containEql('simulator').and.not.match(/(?:src|href)="(?:\/|https?:)|<script>|style=/);
        for (const [, file = ''] of html.matchAll(/(?:src|href)="([\w.]+)"/g)) {
          (await fetch(`${base}/phone/${file}`)).status.should.equal(200, file);
        }
        (await fetch(`${base}/phone/..%2fsimulator.ts`)).status.should.not.equal(200);
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await harness.stop();
      }
    });
  }
});
