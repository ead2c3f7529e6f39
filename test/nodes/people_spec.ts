import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import should from 'should';
import { member } from '../../nodes/lib/contract/json';
import type { People } from '../../nodes/lib/contract/people';
import { filePeople, peopleRoot } from '../../nodes/lib/people/file-people';
import { ProcessRun } from '../../nodes/lib/storage/owned-directory';
import { Flow, type FlowNode } from '../support/flow';
import { temporaryDirectory } from '../support/node_red';
import { byId, listOf, newFactor, newPerson, phones } from '../support/people';
import { type HttpAnswer, httpRequest } from '../support/http_request';

const app: FlowNode = { id: 'node', type: 'authy-app-details', account: 'kept' };
const simulated: FlowNode = {
  id: 'kept',
  type: 'authy-config',
  version: 2,
  service: 'verify',
  simulated: true,
  approvalStore: 'files',
};
const real: FlowNode = {
  ...simulated,
  simulated: false,
  verifyServiceSid: `VA${'0'.repeat(32)}`,
  verifyUser: `SK${'0'.repeat(32)}`,
};
const chosen = { id: 'kept', version: 2, service: 'verify', simulated: true };
const limit = 10 * 1024 * 1024;

describe('The people of an account, imported and exported from the editor', () => {
  let flow: Flow | undefined;

  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  async function start(account: FlowNode, others: FlowNode[] = [], settings: object = {}): Promise<Flow> {
    await flow?.stop();
    const userDir = temporaryDirectory();
    flow = await Flow.start(app, 1, [account, ...others], {}, { userDir, ...settings });
    return flow;
  }

  const people = (id = 'kept'): People => (flow as Flow).account(id).people();

  /** A request to the admin side, with any headers. */
  function send(
    route: string,
    body: string | Buffer,
    headers: http.OutgoingHttpHeaders,
    method = 'POST',
  ): Promise<HttpAnswer> {
    return httpRequest(method, `${(flow as Flow).adminUrl}/authy-config/${route}`, headers, body);
  }

  const asJson = { 'Content-Type': 'application/json' };
  const asBytes = { 'Content-Type': 'application/octet-stream' };

  async function answerTo(route: string, body: object): Promise<HttpAnswer['body']> {
    const answer = await send(route, JSON.stringify(body), asJson);
    should(answer.status).equal(200);
    should(answer.headers['cache-control']).equal('no-store');
    return answer.body;
  }

  const about = (form: object = {}) => answerTo('people', { ...chosen, ...form });

  async function exported(format: string, secrets?: boolean, id = 'kept'): Promise<string> {
    const answer = await answerTo('people/export', { id, format, secrets });
    should(answer).match({ ok: true, missing: [] });
    return String(answer['list']);
  }

  async function imported(
    list: string | Buffer,
    { format = 'csv', trial = 'false', id = 'kept' } = {},
  ): Promise<HttpAnswer['body']> {
    const answer = await send(`people/import?id=${id}&format=${format}&trial=${trial}`, list, asBytes);
    should(answer.status).equal(200);
    should(answer.headers['cache-control']).equal('no-store');
    return answer.body;
  }

  it('an export is imported elsewhere as it was, and known there at once', async () => {
    await start(simulated);
    const ada = newPerson({ factors: [newFactor({ lastStep: 7 })] });
    const bob = newPerson({ ...phones[2], email: '' });
    await people().add(ada);
    await people().add(bob);
    should(await about()).eql({
      ok: true,
      instances: [{ id: 'kept', name: '', count: 2 }],
      mostMegabytes: 10,
    });
    const before = byId(await listOf(people().all()));
    const list = await exported('json', true);

    await start(simulated);
    should(await about()).match({ instances: [{ count: 0 }] });
    should(await imported(list, { format: 'json' })).eql({ ok: true, added: 2, changed: 0, unchanged: 0 });
    should(byId(await listOf(people().all()))).eql(before);
    should(await about()).match({ instances: [{ count: 2 }] });
    should(await imported(list, { format: 'json' })).match({ added: 0, unchanged: 2 });
    const csv = await exported('csv', true);
    should(await imported(csv)).match({ ok: true, added: 0, changed: 0, unchanged: 2 });
  });

  it('an export has secrets only if they are asked for', async () => {
    await start(simulated);
    await people().add(newPerson({ factors: [newFactor()] }));
    for (const format of ['csv', 'json']) {
      should(await exported(format)).not.containEql(newFactor().secret);
      should(await exported(format, false)).not.containEql(newFactor().secret);
      should(await exported(format, true)).containEql(newFactor().secret);
    }
    should(await answerTo('people/export', { id: 'kept', format: 'xml' })).match({
      ok: false,
      message: 'Choose csv or json.',
    });
  });

  it('an export names who is missing in it, because they cannot be read', async () => {
    const userDir = temporaryDirectory();
    // As an earlier Node-RED has left them.
    const run = new ProcessRun();
    const earlier = filePeople(
      { root: peopleRoot(userDir), accountId: 'kept' },
      { tell: () => undefined, run },
    );
    await earlier.add(newPerson());
    const { authyId } = await earlier.add(newPerson({ ...phones[2] }));
    await earlier.close();
    run.end();
    const [file = ''] = fs
      .readdirSync(peopleRoot(userDir), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(`${authyId}.json`));
    fs.writeFileSync(path.join(peopleRoot(userDir), file), '{');
    await start(simulated, [], { userDir });
    const { list, missing } = await answerTo('people/export', { id: 'kept', format: 'csv' });
    should(String(list).trim().split('\n')).have.length(2);
    should(missing).match([new RegExp(`^Repair or remove the file .*${authyId}.json, and restart`)]);
  });

  it('an import says before what it would do, and changes nothing until it is told to', async () => {
    await start(simulated);
    await people().add(newPerson());
    const list = 'phone,email\n+491701234567,new@example.com\n+13175550142,\n';
    for (const trial of ['true', '', 'no']) {
      should(await imported(list, { trial })).eql({ ok: true, added: 1, changed: 1, unchanged: 0 });
      should(await listOf(people().all())).match([{ email: 'ada@example.com' }]);
    }
    should(await imported(list)).eql({ ok: true, added: 1, changed: 1, unchanged: 0 });
    should(await imported(list, { trial: 'true' })).eql({ ok: true, added: 0, changed: 0, unchanged: 2 });
    should((await people().findByPhone('+491701234567'))?.email).equal('new@example.com');
  });

  it('of a wrong list each line is named, and nobody is added', async () => {
    await start(simulated);
    const list = 'phone,email\n+491701234567,\n12,\n+13175550142,no\n';
    for (const trial of ['true', 'false']) {
      const { ok, message } = await imported(list, { trial });
      should(ok).be.false();
      should(String(message)).match(/^Correct these, .*nobody was added\.\nline 3: phoneNumber must be .*\n/);
      should(String(message)).match(/\nline 4: email must be /);
      should(String(message)).not.match(/line 2/);
    }
    should(await imported('{', { format: 'json' })).match({
      ok: false,
      message: 'Choose another file or format: the list is not JSON.',
    });
    should(await listOf(people().all())).eql([]);
  });

  it('a list in another encoding is refused: nobody gets an address that is not theirs', async () => {
    await start(simulated);
    const list = 'phone,email\n+491701234567,müller@example.com\n';
    for (const encoding of ['latin1', 'utf16le'] as const) {
      const answer = await imported(
        Buffer.from(`\ufeff${list}`.slice(encoding === 'latin1' ? 1 : 0), encoding),
      );
      should(answer).match({ ok: false, message: /^Save the list as UTF-8.* Nobody was added\.$/ });
    }
    should(await listOf(people().all())).eql([]);
    should(await imported(list)).match({ ok: true, added: 1 });
    should((await people().findByPhone('+491701234567'))?.email).equal('müller@example.com');
  });

  it('an export and an import are in the audit log, also an import that fails; a trial is not', async () => {
    await start(simulated);
    const list = 'phone\n+491701234567\n';
    const [imports, exports] = ['authy-config.people.import', 'authy-config.people.export'];
    const lines = (): object[] => (flow as Flow).audit.filter((line) => member(line, 'id') === 'kept');
    await imported(list, { trial: 'true' });
    should(lines()).eql([]);
    await imported(list);
    await exported('csv', true);
    await imported('phone\n12\n');
    should(lines()).match([
      { event: imports, added: 1, changed: 0, unchanged: 0 },
      { event: exports, format: 'csv', secrets: true },
      { event: imports, error: 'AUTHY_INVALID_INPUT' },
    ]);
    should(JSON.stringify(lines())).not.containEql('1701234567');
  });

  it('made-up phone numbers are for simulators only', async () => {
    const list = 'phone\n+12010000000\n';
    await start(real);
    should(await imported(list)).match({ ok: false, message: /line 2: phoneNumber is not a valid/ });
    await start(simulated);
    should(await imported(list)).match({ ok: true, added: 1 });
  });

  it('10,000 people come in and go out', async function () {
    this.timeout(300_000);
    await start(simulated);
    const all = Array.from({ length: 10_000 }, (_item, index) => ({
      phoneNumber: `+4917${10_000_000 + index}`,
      email: `somebody-with-a-long-address-${index}@mail.of.a.company.example.com`,
      factors: ['A', 'B'].map((name) =>
        newFactor({
          ...{ id: `YF${name}${String(index).padStart(31, '0')}`, service: `VA${'0'.repeat(32)}`, name },
          secret: `${name}${String(index)
            .padStart(5, '0')
            .replace(/\d/g, (digit) => 'ABCDEFGHIJ'.charAt(Number(digit)))}`.padEnd(32, 'X'),
        }),
      ),
    }));
    const list = JSON.stringify(all);
    // More than Node-RED would read itself.
    should(list.length).be.within(5 * 1024 * 1024, limit);
    should(await imported(list, { format: 'json' })).match({ ok: true, added: 10_000 });
    should(await about()).match({ instances: [{ count: 10_000 }] });
    const { people: back } = JSON.parse(await exported('json', true)) as { people: object[] };
    should(back).have.length(10_000);
  });

  it('a list that is too large is refused with the limit and another way', async () => {
    await start(simulated);
    const answer = await send(
      'people/import?id=kept&format=csv&trial=false',
      Buffer.alloc(limit + 1, 'x'),
      asBytes,
    );
    should(answer).match({
      status: 413,
      body: { error: /divide it, or import it with the command authy-people: .* 10 MB at most/ },
    });
    const most = Buffer.alloc(limit, '\n');
    most.write('phone\n+491701234567\n');
    should(await imported(most)).match({ ok: true, added: 1 });
  });

  it('an account that does not run as the panel has it, or whose service keeps nobody, has no list', async () => {
    await start(simulated, [{ ...simulated, id: 'on-authy', service: 'authy', simulated: false }]);
    should(await about({ id: 'new' })).eql({ ok: false, reason: 'notDeployed' });
    should(await about({ simulated: false })).eql({ ok: false, reason: 'notDeployed' });
    should(await about({ id: 'on-authy', service: 'authy' })).eql({ ok: false, reason: 'keepsNobody' });
    should(await about({ service: 'authy' })).eql({ ok: false, reason: 'keepsNobody' });
    should(await about({ id: 'on-authy' })).eql({ ok: false, reason: 'notDeployed' });
    // A variable names the service.
    should(await about({ service: undefined })).match({ ok: true });
    should(await about({ id: 'on-authy', service: undefined })).eql({ ok: false, reason: 'keepsNobody' });
    for (const [id, message] of [
      ['new', 'Deploy the account first: none runs with this id.'],
      ['on-authy', 'Choose another account: the service of this one keeps its users itself.'],
    ] as const) {
      should(await imported('phone\n', { id })).eql({ ok: false, message });
      should(await answerTo('people/export', { id, format: 'csv' })).eql({ ok: false, message });
    }
  });

  it('people who have no place are an error that says so', async () => {
    await start(simulated, [], { userDir: undefined });
    const message = /has no user directory/;
    should(await about()).match({ ok: false, message });
    should(await imported('phone\n+491701234567\n')).match({ ok: false, message });
    should(await answerTo('people/export', { id: 'kept', format: 'csv' })).match({ ok: false, message });
  });

  it('in a subflow, each instance has people of its own', async () => {
    const instance = (id: string, name: string): FlowNode => ({
      id,
      type: 'subflow:template',
      name,
      z: 'tab',
    });
    const subflow: FlowNode[] = [
      { id: 'template', type: 'subflow', name: 'Door', in: [], out: [] },
      { ...simulated, id: 'kept-inner', z: 'template' },
    ];
    await start(simulated, subflow);
    should(await about({ id: 'kept-inner' })).eql({ ok: false, reason: 'notUsed' });
    await start(simulated, [...subflow, instance('front', 'Front door'), instance('back', 'Back door')]);
    should(await imported('phone\n+491701234567\n', { id: 'back-kept-inner' })).match({ ok: true, added: 1 });
    should(await about({ id: 'kept-inner' })).match({
      ok: true,
      instances: [
        { id: 'front-kept-inner', name: 'Front door', count: 0 },
        { id: 'back-kept-inner', name: 'Back door', count: 1 },
      ],
    });
    should(await exported('csv', false, 'back-kept-inner')).containEql('+491701234567');
    should(await exported('csv', false, 'front-kept-inner')).not.containEql('+491701234567');
    should(await imported('phone\n', { id: 'kept-inner' })).match({
      ok: false,
      message: 'Name one instance of the subflow: it has several.',
    });
  });

  it('another site, a strange host, a form and a GET get nothing', async () => {
    await start(simulated);
    const own = { Host: '127.0.0.1:1880' };
    const routes = [
      ['people', JSON.stringify(chosen), asJson],
      ['people/export', JSON.stringify({ id: 'kept', format: 'json', secrets: true }), asJson],
      ['people/import?id=kept&format=csv&trial=false', 'phone\n+491701234567\n', asBytes],
    ] as const;
    for (const [route, body, type] of routes) {
      for (const foreign of [
        { ...own, Origin: 'https://evil.example' },
        { ...own, Origin: 'null' },
        { ...own, 'Sec-Fetch-Site': 'cross-site' },
        { ...own, 'Sec-Fetch-Site': 'same-site' },
        { Host: 'evil.example', Origin: 'http://evil.example' },
      ]) {
        const { status } = await send(route, body, { ...type, ...foreign });
        should(status).equal(403, `${route} ${JSON.stringify(foreign)}`);
      }
      for (const form of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        should((await send(route, body, { ...own, 'Content-Type': form })).status).equal(415, route);
      }
      for (const method of ['GET', 'PUT', 'DELETE']) {
        should((await send(route, '', { ...own }, method)).status).equal(404, `${method} ${route}`);
      }
    }
    should(await listOf(people().all())).eql([]);
  });
});
