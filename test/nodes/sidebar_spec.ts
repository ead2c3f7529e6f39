import { createHash } from 'node:crypto';
import http from 'node:http';
import should from 'should';
import { member } from '../../nodes/lib/contract/json';
import type { KeyedHash, People, Person } from '../../nodes/lib/contract/people';
import { CodePhone } from '../support/code_phone';
import { Flow, type FlowNode } from '../support/flow';
import { temporaryDirectory } from '../support/node_red';
import { listOf, newFactor, newPerson, phones } from '../support/people';
import { type HttpAnswer, httpRequest } from '../support/http_request';

const app: FlowNode = { id: 'node', type: 'authy-app-details', account: 'door' };
const publicUrl = 'http://door.test/approve';
const door: FlowNode = {
  id: 'door',
  type: 'authy-config',
  version: 2,
  name: 'Front door',
  service: 'local',
  approvalStore: 'files',
  approverUrl: publicUrl,
};
const ownApp: FlowNode = {
  id: 'own-app',
  type: 'authy-config',
  version: 2,
  name: 'Own app',
  service: 'verify',
  simulated: true,
  verifyPush: true,
  approvalStore: 'files',
};

/** What the sidebar shows of a person, as far as it is looked at here. */
interface Shown {
  readonly phones: readonly { id: string; name: string; number: string; grade: string; isUsable: boolean }[];
  readonly [name: string]: unknown;
}

describe('The sidebar “Authy people”, asking the runtime', () => {
  let flow: Flow | undefined;
  /** The text of each answer. */
  const answers: string[] = [];

  beforeEach(() => void answers.splice(0));
  afterEach(async () => {
    await flow?.stop();
    flow = undefined;
  });

  async function start(accounts: FlowNode[] = [door]): Promise<Flow> {
    await flow?.stop();
    flow = await Flow.start(app, 1, accounts, {}, { userDir: temporaryDirectory() });
    return flow;
  }

  const people = (id = 'door'): People => (flow as Flow).account(id).people();

  /** A request to the admin side, with any headers. */
  async function send(
    route: string,
    body: string,
    headers: http.OutgoingHttpHeaders = { 'Content-Type': 'application/json' },
    method = 'POST',
  ): Promise<HttpAnswer> {
    const answer = await httpRequest(
      method,
      `${(flow as Flow).adminUrl}/authy-people/${route}`,
      headers,
      body,
    );
    answers.push(answer.text);
    return answer;
  }

  async function ask(route: string, sent: object = {}): Promise<HttpAnswer['body']> {
    const { status, headers, body } = await send(route, JSON.stringify({ id: 'door', ...sent }));
    should(status).equal(200);
    should(headers['cache-control']).equal('no-store');
    return body;
  }

  async function shown(authyId: string): Promise<Shown> {
    const { ok, person } = await ask('person', { authyId });
    should(ok).be.true();
    return person as Shown;
  }

  const audited = (): object[] =>
    (flow as Flow).audit.filter((line) => String(member(line, 'event')).startsWith('authy-people'));

  it('the accounts are those that keep people, with the page on which they answer', async () => {
    await start([door, ownApp, { ...door, id: 'on-authy', service: 'authy' }]);
    should(await ask('accounts')).eql({
      ok: true,
      accounts: [
        {
          ...{ id: 'door', editorId: 'door', name: 'Front door', instance: '' },
          ...{ service: 'local', isSimulated: false },
          hasApprover: true,
          page: { url: `${publicUrl}/`, grade: 'code', isLocalOnly: false },
          problem: null,
        },
        {
          ...{ id: 'own-app', editorId: 'own-app', name: 'Own app', instance: '' },
          ...{ service: 'verify', isSimulated: true },
          ...{ hasApprover: false, page: null, problem: null },
        },
      ],
    });
    await start([{ ...door, approverUrl: 'https://door.test/approve' }]);
    should(await ask('accounts')).match({ accounts: [{ page: { grade: 'passkey' } }] });
    await start([{ ...door, approverUrl: '' }]);
    should(await ask('accounts')).match({
      accounts: [{ page: { url: /^http:\/\/localhost:\d+\/approve\/$/, isLocalOnly: true } }],
    });
  });

  it('while a deploy is under way, it waits until the accounts are there again', async () => {
    await start();
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    (flow as Flow).onClose('node', () => held);
    const deployed = (flow as Flow).redeployAll();
    const answers = Promise.all([ask('accounts'), ask('list')]);
    // It is answered after those have come in, and waits for nothing.
    await send('accounts', '', {});
    goOn();
    should(await answers).match([{ accounts: [{ id: 'door' }] }, { ok: true, found: 0 }]);
    await deployed;
  });

  it('in a subflow, each instance is an account of its own', async () => {
    const instance = (id: string, name: string): FlowNode => ({
      ...{ id, type: 'subflow:template', name, z: 'tab' },
    });
    await start([
      { id: 'template', type: 'subflow', name: 'Door', in: [], out: [] },
      { ...door, id: 'inner', z: 'template' },
      ...[instance('front', 'Front'), instance('back', 'Back')],
    ]);
    should(await ask('accounts')).match({
      accounts: [
        { id: 'front-inner', editorId: 'inner', name: 'Front door', instance: 'Front' },
        { id: 'back-inner', editorId: 'inner', name: 'Front door', instance: 'Back' },
      ],
    });
    should(await ask('add', { id: 'back-inner', phoneNumber: '+491701234567' })).match({ ok: true });
    should(await ask('list', { id: 'back-inner' })).match({ found: 1 });
    should(await ask('list', { id: 'front-inner' })).match({ found: 0 });
    should(await ask('list', { id: 'inner' })).match({ ok: false, message: /it has several\.$/ });
  });

  it('people are found by a part of their phone number, e-mail address or Authy ID', async () => {
    await start();
    const ada = await people().add(newPerson());
    await people().add(newPerson({ ...phones[2], email: 'bob@example.org' }));
    const found = async (search: string): Promise<unknown[]> => {
      const { rows, found } = await ask('list', { search });
      const list = rows as { email: string }[];
      should(list).have.length(Number(found));
      return list.map(({ email }) => email.split('@')[0]).sort();
    };
    should(await found('')).eql(['ada', 'bob']);
    for (const search of [
      'ADA@',
      '0170 1234',
      '+49 (170) 1234567',
      ada.authyId,
      ` ${ada.authyId.slice(3)} `,
    ]) {
      should(await found(search)).eql(['ada'], search);
    }
    should(await found('example')).eql(['ada', 'bob']);
    for (const search of ['carol', '99999999999999999', '+', '.*'])
      should(await found(search)).eql([], search);
  });

  it('a long list comes in parts of 50, the newest first', async () => {
    await start();
    for (let index = 0; index < 120; index++) {
      await people().add(
        newPerson({ phoneNumber: `+4917${10_000_000 + index}`, email: '', createdAt: index }),
      );
    }
    const part = async (from: unknown): Promise<number[]> => {
      const { rows, found } = await ask('list', { from });
      should(found).equal(120);
      return (rows as Person[]).map(({ createdAt }) => createdAt);
    };
    should(await part(0)).eql(Array.from({ length: 50 }, (_item, index) => 119 - index));
    should(await part(100)).eql(Array.from({ length: 20 }, (_item, index) => 19 - index));
    for (const wrong of [undefined, -1, 0.5, 'x', {}]) should(await part(wrong)).eql(await part(0));
    should(await part(1000)).eql([]);
  }).timeout(60_000);

  it('a person is added, and who is known stays as they are', async () => {
    await start();
    const first = await ask('add', { phoneNumber: ' +49 170 1234567 ', email: ' ada@example.com ' });
    should(first).match({ ok: true, wasKnown: false, person: { phoneNumber: '+491701234567', phones: [] } });
    const again = await ask('add', { phoneNumber: '+491701234567', email: 'eve@example.com' });
    should(again).match({ ok: true, wasKnown: true, person: { email: 'ada@example.com' } });
    should(await ask('add', { phoneNumber: '+13175550142' })).match({ ok: true, person: { email: '' } });
    for (const [sent, field, message] of [
      [{}, 'phoneNumber', /^phoneNumber is missing/],
      [{ phoneNumber: '12' }, 'phoneNumber', /^phoneNumber (must be|is) /],
      [{ phoneNumber: '+12010000000' }, 'phoneNumber', /^phoneNumber (must be|is) /],
      [{ phoneNumber: '+13175550143', email: 'no' }, 'email', /^email (must be|is) /],
    ] as const) {
      should(await ask('add', sent)).match({ ok: false, message, field });
    }
    should(await people().count()).equal(2);
  });

  it('an invited phone is shown with the number that it shows itself, renamed, and removed', async () => {
    await start();
    const { authyId } = await people().add(newPerson());
    const invitation = await ask('invite', { authyId });
    should(invitation).match({
      ok: true,
      url: new RegExp(`^${publicUrl}/#i=${authyId}\\.`),
      qrCode: /^data:image\/svg\+xml;base64,/,
      phones: [],
    });
    const left = Number(invitation['expiresAt']) - Number(invitation['now']);
    should(left).be.within(590_000, 600_000);
    should(await shown(authyId))
      .have.property('invitedUntil')
      .which.is.a.Number();

    const phone = new CodePhone((flow as Flow).url, publicUrl);
    const number = await phone.enrol(String(invitation['url']), 'Pixel 9');
    const after = await shown(authyId);
    should(after).match({
      phones: [{ name: 'Pixel 9', number, grade: 'code', isSynced: false, hasPush: false, isUsable: true }],
      authenticators: [{ isConfirmed: true }],
      recoveryLeft: 10,
      invitedUntil: null,
    });
    const id = after.phones[0]?.id;
    should(await ask('list')).match({ rows: [{ phones: 1 }] });

    should(await ask('phone/rename', { authyId, phone: id, name: ' Work ' })).eql({ ok: true });
    should(await shown(authyId)).match({ phones: [{ id, name: 'Work' }] });
    for (const name of ['', ' ', 'x'.repeat(65), 7, undefined]) {
      should(await ask('phone/rename', { authyId, phone: id, name })).match({
        ok: false,
        message: /^name (?:has|is) /,
      });
    }
    should(await ask('phone/remove', { authyId, phone: id })).eql({ ok: true });
    should(await shown(authyId)).match({ phones: [] });
    should(await ask('phone/remove', { authyId, phone: id })).match({ ok: false, message: /^Look again: / });
  });

  it('an invitation that is ended, or replaced, adds no phone', async () => {
    await start();
    const { authyId } = await people().add(newPerson());
    const phone = new CodePhone((flow as Flow).url, publicUrl);
    const first = await ask('invite', { authyId });
    const second = await ask('invite', { authyId });
    await should(phone.enrol(String(first['url']), 'late')).rejectedWith(/404/);
    should(await ask('withdraw', { authyId })).eql({ ok: true });
    await should(phone.enrol(String(second['url']), 'late')).rejectedWith(/404/);
    should(await shown(authyId)).match({ phones: [], invitedUntil: null });
  });

  it('a person is locked and unlocked; who is locked is not invited', async () => {
    await start([door, ownApp]);
    for (const id of ['door', 'own-app']) {
      const { authyId } = await people(id).add(newPerson());
      should(await ask('lock', { id, authyId, isLocked: true })).eql({ ok: true });
      should(await ask('person', { id, authyId })).match({ person: { isLocked: true } });
      should(await ask('list', { id })).match({ rows: [{ isLocked: true }] });
      should((await people(id).find(authyId))?.locked).be.true();
      if (id === 'door') {
        should(await ask('invite', { authyId })).match({ ok: false, message: /^Unlock the user first/ });
      }
      should(await ask('lock', { id, authyId, isLocked: false })).eql({ ok: true });
      should((await people(id).find(authyId))?.locked).be.undefined();
    }
  });

  it('the pause after “not me” is shown, and ended', async () => {
    await start();
    const { authyId } = await people().add(newPerson());
    should(await shown(authyId)).match({ pause: null });
    const until = Date.now() + 600_000;
    await people().change(authyId, (one) => ({ ...one, notMe: { times: 2, until } }));
    const { pause } = (await shown(authyId)) as unknown as { pause: { until: number; id: number } };
    should(pause.until).be.within(until - 1000, until + 1000);
    // Those who saw the first one must not end the second one.
    for (const other of [pause.id - 1, String(pause.id), 2, undefined]) {
      should(await ask('pause/end', { authyId, pause: other })).match({
        ok: false,
        code: 'AUTHY_NOT_FOUND',
        message: /^Look again: /,
      });
    }
    should(await shown(authyId)).match({ pause: { id: pause.id } });
    // Pressed twice, it ends once.
    for (let time = 0; time < 2; time++) {
      should(await ask('pause/end', { authyId, pause: pause.id })).eql({ ok: true });
      should(await shown(authyId)).match({ pause: null });
    }
    // One that is over by itself still counts for the length of the next one.
    const over = { times: 2, until: Date.now() - 1 };
    await people().change(authyId, (one) => ({ ...one, notMe: over }));
    should(await ask('pause/end', { authyId, pause: over.until })).eql({ ok: true });
    should((await people().find(authyId))?.notMe).eql(over);
  });

  it('new recovery codes are shown once, and end the earlier ones', async () => {
    await start();
    const { authyId } = await people().add(newPerson());
    should(await shown(authyId)).match({ recoveryLeft: null });
    const { codes } = await ask('recovery', { authyId });
    should(codes).have.length(10);
    for (const code of codes as string[]) should(code).match(/^\d{12}$/);
    const { recovery: before } = (await people().find(authyId)) as Person;
    should(await shown(authyId)).match({ recoveryLeft: 10 });
    await ask('recovery', { authyId });
    const { recovery: after } = (await people().find(authyId)) as Person;
    should(after).have.length(10);
    should(after?.filter((hash) => before?.includes(hash))).eql([]);
  });

  it('a person is removed with all that is theirs', async () => {
    await start([door, ownApp]);
    for (const id of ['door', 'own-app']) {
      const { authyId } = await people(id).add(newPerson());
      should(await ask('remove', { id, authyId })).eql({ ok: true });
      should(await people(id).find(authyId)).be.undefined();
      for (const route of ['remove', 'person']) {
        should(await ask(route, { id, authyId })).match({ ok: false, message: /^Create the user first/ });
      }
    }
  });

  it('each change is in the audit log, also one that fails, without phone numbers, names or secrets', async () => {
    await start();
    const { person } = await ask('add', { phoneNumber: '+491701234567', email: 'ada@example.com' });
    const { authyId } = person as Person;
    const { url } = await ask('invite', { authyId });
    await new CodePhone((flow as Flow).url, publicUrl).enrol(String(url), 'Pixel 9');
    const phone = (await shown(authyId)).phones[0]?.id;
    await ask('phone/rename', { authyId, phone, name: 'Work' });
    await ask('phone/remove', { authyId, phone });
    await ask('withdraw', { authyId });
    const until = Date.now() + 600_000;
    await people().change(authyId, (one) => ({ ...one, notMe: { times: 1, until } }));
    await ask('pause/end', { authyId, pause: until - 1 });
    await ask('pause/end', { authyId, pause: until });
    await ask('lock', { authyId, isLocked: true });
    const { codes } = await ask('recovery', { authyId });
    await ask('list', { search: 'ada' });
    await ask('remove', { authyId });
    await ask('remove', { authyId });
    should(audited()).match([
      { event: 'authy-people.add', id: 'door', authyId, wasKnown: false },
      { event: 'authy-people.invite', id: 'door', authyId },
      { event: 'authy-people.phone.rename', authyId, phone },
      { event: 'authy-people.phone.remove', authyId, phone },
      { event: 'authy-people.withdraw', authyId },
      { event: 'authy-people.pause.end', error: 'AUTHY_NOT_FOUND' },
      { event: 'authy-people.pause.end', authyId },
      { event: 'authy-people.lock', authyId, isLocked: true },
      { event: 'authy-people.recovery', authyId },
      { event: 'authy-people.remove', authyId },
      { event: 'authy-people.remove', error: 'AUTHY_USER_NOT_FOUND' },
    ]);
    const written = JSON.stringify(audited());
    for (const secret of ['1701234567', 'ada@', 'Pixel', 'Work', String(url), ...(codes as string[])]) {
      should(written).not.containEql(secret);
    }
  });

  it('no answer has a secret, a hash, a session, a key or where a phone is told', async () => {
    await start([{ ...door, approverUrl: 'https://door.test/approve' }]);
    const { authyId, identity } = await people().add(
      newPerson({ factors: [newFactor({ lastStep: 987_654_321 })] }),
    );
    const canary = (name: string, length = 43): string =>
      createHash('sha512').update(name).digest('base64url').slice(0, length);
    const kept = (name: string): KeyedHash => `h1.${canary(name, 8)}.${canary(name)}` as KeyedHash;
    const text = 'the signed text';
    const request = {
      ...{ id: '4a725520-bff5-4135-ab01-0e5d90336a8c', asker: 'Front door', message: 'Open the door?' },
      ...{
        details: [['Amount', 'a detail']] as const,
        hidden: canary('hidden'),
        atLeast: 'passkey' as const,
      },
      ...{ createdAt: Date.now() - 5000, expiresAt: Date.now() + 60_000, nonce: canary('nonce', 22) },
    };
    const phone = { id: canary('phone', 22), name: 'Pixel 9', grade: 'passkey' as const };
    const publicKey = canary('public key', 80);
    await people().change(authyId, (person) => ({
      ...person,
      recovery: [kept('recovery')],
      verification: {
        ...{ id: canary('verification', 20), channel: 'sms', to: person.phoneNumber, startedAt: 1 },
        hash: kept('sent'),
      },
      phones: [
        {
          ...{ id: phone.id, name: phone.name, addedAt: 1_700_000_000_000 },
          passkey: {
            ...{ id: canary('credential', 22), publicKey, counter: 55_443_322 },
            ...{ isSynced: true, rpId: 'door.test' },
          },
          sessions: [{ hash: canary('session'), startedAt: 1_600_000_000_000 }],
          push: {
            endpoint: `https://push.example.net/${canary('endpoint')}`,
            p256dh: canary('p256dh', 86) + 'A',
            auth: canary('auth', 22),
          },
        },
      ],
      invitation: { hash: canary('invitation'), madeAt: Date.now(), challenge: canary('challenge') },
      requests: [
        { ...request, id: '5a725520-bff5-4135-ab01-0e5d90336a8c' },
        {
          ...request,
          answer: {
            ...{ decision: 'approved', notMe: false, at: Date.now(), phone },
            proof: {
              ...{ text, credentialId: canary('credential', 22), publicKey },
              authenticatorData: canary('data', 60),
              clientDataJSON: canary('client', 60),
              signature: canary('signature', 60),
            },
          },
        },
      ],
    }));
    const person = await shown(authyId);
    should(person).match({
      phones: [{ name: 'Pixel 9', grade: 'passkey', isSynced: true, hasPush: true, isUsable: true }],
      authenticators: [{ name: 'phone', isConfirmed: true }],
      open: 1,
      answers: [{ message: 'Open the door?', outcome: 'approved', phone: 'Pixel 9' }],
    });
    should(person['invitedUntil']).be.a.Number();
    await ask('accounts');
    await ask('list', { search: '' });
    await ask('add', { phoneNumber: '+491701234567' });
    await ask('phone/rename', { authyId, phone: phone.id, name: 'Work' });
    await ask('phone/rename', { authyId, phone: 'none', name: 'Work' });
    await ask('lock', { authyId, isLocked: true });
    const all = answers.join('\n');
    for (const secret of [
      ...[String(newFactor().secret), '987654321', identity, 'a detail', text, '55443322', '1600000000000'],
      ...[
        'hidden',
        'recovery',
        'sent',
        'session',
        'endpoint',
        'invitation',
        'challenge',
        'data',
        'client',
      ].map((name) => canary(name).slice(0, 20)),
      ...['nonce', 'verification', 'credential', 'auth', 'public key', 'p256dh', 'signature'].map((name) =>
        canary(name, 20),
      ),
      'push.example.net',
    ]) {
      should(all.includes(secret)).be.false(secret);
    }
  });

  it('what is not there is an error that says what to do', async () => {
    await start([door, ownApp, { ...door, id: 'on-authy', service: 'authy' }]);
    const { authyId } = await people('own-app').add(newPerson());
    const none = /^Deploy the account first: none runs with this id\.$/;
    for (const id of ['new', '', 7, null])
      should(await ask('list', { id })).match({ ok: false, message: none });
    should(await ask('list', { id: 'on-authy' })).match({
      ok: false,
      message: /^Choose another account/,
    });
    for (const wrong of ['x', '', undefined, {}]) {
      should(await ask('person', { authyId: wrong })).match({ ok: false, message: /^authyId (must be|is) / });
    }
    for (const route of ['invite', 'recovery', 'withdraw', 'phone/remove', 'pause/end']) {
      const sent = { id: 'own-app', authyId, phone: 'x' };
      should(await ask(route, sent)).match({ ok: false, message: /^Choose another account/ });
    }
    const locked = await people().add(newPerson());
    await people().change(locked.authyId, (one) => ({ ...one, locked: true }));
    for (const isLocked of [undefined, null, 'true', 1, {}]) {
      should(await ask('lock', { authyId: locked.authyId, isLocked })).match({
        ok: false,
        message: /^isLocked is /,
      });
    }
    should(await people().find(locked.authyId)).match({ locked: true });
    for (const body of ['[]', '{"id":{}}', '"x"', '7']) {
      should((await send('list', body)).body['ok']).not.equal(true, body);
    }
  });

  it('another site, a strange host, a form and a GET get nothing', async () => {
    await start();
    const { authyId } = await people().add(newPerson());
    const own = { Host: '127.0.0.1:1880' };
    const body = JSON.stringify({ id: 'door', authyId, isLocked: true, phoneNumber: '+13175550142' });
    for (const route of [
      ...['accounts', 'list', 'person', 'add', 'invite', 'withdraw', 'phone/rename', 'phone/remove'],
      ...['lock', 'pause/end', 'recovery', 'remove'],
    ]) {
      for (const foreign of [
        { ...own, Origin: 'https://evil.example' },
        { ...own, Origin: 'null' },
        { ...own, 'Sec-Fetch-Site': 'cross-site' },
        { ...own, 'Sec-Fetch-Site': 'same-site' },
        { Host: 'evil.example', Origin: 'http://evil.example' },
      ]) {
        const { status } = await send(route, body, { 'Content-Type': 'application/json', ...foreign });
        should(status).equal(403, `${route} ${JSON.stringify(foreign)}`);
      }
      for (const form of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
        should((await send(route, body, { ...own, 'Content-Type': form })).status).equal(415, route);
      }
      for (const method of ['GET', 'PUT', 'DELETE']) {
        should((await send(route, '', { ...own }, method)).status).equal(404, `${method} ${route}`);
      }
    }
    should(await listOf(people().all())).match([{ authyId, phoneNumber: '+491701234567' }]);
    should((await people().find(authyId))?.locked).be.undefined();
    should(audited()).eql([]);
  });
});
