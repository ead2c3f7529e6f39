import { createHash, hkdfSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import should from 'should';
import { type ApproverClient, PasskeyPhone } from '../support/approver_client';
import { ApproverFlow } from '../support/approver_flow';
import { PushReceiver } from '../support/push_receiver';
import { PushService } from '../support/push_service';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

describe('Attack: secrets of the approver', function () {
  this.timeout(300_000);
  let approver: ApproverFlow;
  /** What has left, by where it went. */
  let left: Map<string, string[]>;

  beforeEach(() => {
    left = new Map();
  });
  afterEach(() => approver.stop());

  function note(where: string, ...what: unknown[]): void {
    const texts = what.map((one) =>
      typeof one === 'string' ? one : `${JSON.stringify(one)} ${inspect(one, { depth: null })}`,
    );
    left.set(where, [...(left.get(where) ?? []), ...texts]);
  }

  /** A browser whose answers are noted. */
  function watched(where: string, browser: ApproverClient): ApproverClient {
    const request = browser.request.bind(browser);
    browser.request = async (...args) => {
      const answer = await request(...args);
      note(where, answer.body, { ...answer.headers, 'set-cookie': undefined });
      return answer;
    };
    return browser;
  }

  /** Everything that Node-RED shows by itself, up to now. */
  async function noteRest(): Promise<void> {
    const { flow, local } = approver;
    note('log', ...flow.log);
    note('audit', ...flow.audit);
    note('badges', ...flow.statuses);
    for (const one of local.told) note(one.topic === 'invitation' ? 'invitations' : 'told', one);
    note('messages', ...[0, 1, 2].flatMap((output) => flow.all(output)));
    for (const [route, body] of [
      ['/authy-config/people', { id: 'account', service: 'local' }],
      ['/authy-config/people/export', { id: 'account', format: 'csv', secrets: false }],
      ['/authy-config/people/export', { id: 'account', format: 'json', secrets: false }],
      ['/authy-config/test', { id: 'account', service: 'local' }],
    ] as const) {
      const answer = await flow.request().post(route).send(body);
      should(answer.status).equal(200);
      note('admin', answer.text);
      if (!route.endsWith('export') || body.format !== 'json') continue;
      // What is exported can be imported.
      const { list } = JSON.parse(answer.text) as { list: string };
      const [person = {}] = (JSON.parse(list) as { people: object[] }).people;
      should(Object.keys(person)).not.containEql('phones');
      const imported = await flow
        .request()
        .post('/authy-config/people/import?id=account&format=json&trial=true')
        .set('Content-Type', 'application/octet-stream')
        .send(Buffer.from(list));
      should(imported.body).match({ ok: true, added: 0 });
    }
  }

  /** Where one of these texts was seen. */
  const seen = (...canaries: readonly string[]): string[] =>
    [...left]
      .filter(([, texts]) => texts.some((text) => canaries.some((one) => text.includes(one))))
      .map(([where]) => where);

  const filesOf = (): string[] =>
    (fs.readdirSync(approver.local.userDir, { recursive: true }) as string[])
      .map((file) => path.join(approver.local.userDir, file))
      .filter((file) => fs.statSync(file).isFile())
      .map((file) => fs.readFileSync(file, 'utf8'));

  it('of passkey phones are in nothing that leaves', async () => {
    approver = new ApproverFlow();
    await approver.gate({ hiddenDetails: '[{"name":"vault","value":"HIDDEN-CANARY","type":"str"}]' });
    const ada = await approver.person();
    const invitation = await approver.approver.invite(ada);
    const token = invitation.url.split('#i=')[1] ?? '';
    const phone = new PasskeyPhone(watched('own phone', approver.browser()));
    const { recoveryCodes } = await phone.enrol(token, 'Phone');
    const codes = recoveryCodes as string[];
    // They are shown once.
    should(seen(...codes)).eql(['own phone']);
    left.clear();
    const push = await PushService.start('push.example.com');
    approver.approver.pushing.reach = push.reach;
    const { keys } = new PushReceiver();
    const endpoint = 'https://push.example.com/ENDPOINT-CANARY';
    await phone.browser.done('push', { subscription: { endpoint, keys } });
    const bob = await approver.person('+13175550143', 'bob@example.com');
    const other = new PasskeyPhone(watched('another person', approver.browser()));
    await other.enrol(await approver.invited(bob));
    const stranger = watched('a stranger', approver.browser());

    for (const answer of ['approve', 'deny', 'not me']) {
      const { given, request } = await approver.asked(ada, phone.browser);
      await other.browser.call('approve', { id: request.id });
      await stranger.call('approve', { id: request.id });
      await phone.approve(request.id, { userVerified: false });
      if (answer === 'approve') await phone.approve(request.id);
      else await phone.browser.done('deny', { id: request.id, notMe: answer === 'not me' });
      note('messages', await approver.flow.ending(given));
    }
    // Errors, too: nobody may ask now.
    note('messages', await approver.flow.deliver({ authyId: ada }));
    const open = await approver.invited(ada);
    for (const browser of [stranger, other.browser]) {
      await browser.call('recover', { phoneNumber: '+13175550142', code: '000000000000' });
      await browser.call('invitation', { token: `${ada}.${'A'.repeat(22)}` });
      await browser.call('sign-in-options');
      await browser.call('state');
      await browser.request('GET', '/');
      await browser.request('GET', '/manifest.webmanifest');
    }
    const second = new PasskeyPhone(watched('own new phone', approver.browser()));
    await second.enrol(open, 'Second');
    await phone.browser.call('state');
    await noteRest();

    const secret = (phone.browser.cookie ?? '').split('.').at(-1) ?? '';
    const person = await approver.kept(ada);
    const hashes = person.recovery ?? [];
    should([secret.length, hashes.length, codes.length]).eql([43, 10, 10]);
    should(seen(secret, sha256(secret))).eql([]);
    const tokens = [token, open].map((one) => one.split('.')[1] ?? '');
    // The flow sends invitations, and tells nobody else.
    should(seen(...tokens)).eql(['invitations']);
    should(seen(...tokens.map(sha256))).eql([]);
    should(seen(...codes, ...hashes)).eql([]);
    should(seen('ENDPOINT-CANARY', keys.auth, keys.p256dh)).eql([]);
    should(seen('HIDDEN-CANARY')).eql([]);
    // What others do not see of a person.
    const { phones = [] } = person;
    for (const where of seen('ada@example.com', '+13175550142', phones[0]?.passkey?.id ?? '')) {
      should(where).not.be.oneOf('a stranger', 'another person', 'log', 'badges');
    }

    const material = await approver.approver.host.people().keyFor('Web Push');
    const candidate = hkdfSync('sha256', material, '', 'authy web push, vapid key', 40);
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const scalar = ((BigInt(`0x${Buffer.from(candidate).toString('hex')}`) % (order - 1n)) + 1n)
      .toString(16)
      .padStart(64, '0');
    const forms = [material, Buffer.from(scalar, 'hex')].flatMap((bytes) =>
      (['base64url', 'base64', 'hex'] as const).map((form) => bytes.toString(form)),
    );
    should(seen(...forms)).eql([]);
    // The push service gets what belongs to it, and no word of a request.
    should(push.received.length).be.above(0);
    const received = push.received
      .map(({ headers, path: to, body }) => `${inspect(headers)} ${to} ${body.toString('latin1')}`)
      .join();
    for (const canary of ['Open the garage?', ada, 'ada@example.com', secret, keys.auth, ...forms]) {
      should(received).not.containEql(canary);
    }
    // What is not sent anywhere is in no file in the clear either.
    for (const text of filesOf()) {
      for (const canary of [secret, ...tokens, ...codes, ...forms, 'HIDDEN-CANARY'])
        should(text).not.containEql(canary);
    }
    await push.stop();
  });

  it('of authenticators are shown to whoever has the invitation, once, and to nobody else', async () => {
    approver = new ApproverFlow('http://192.168.1.10:1880/approve');
    await approver.gate();
    const ada = await approver.person();
    const phone = await approver.codePhone(ada);
    const browser = watched('own phone', phone.browser);
    const stranger = watched('a stranger', approver.browser());
    const { given, request } = await approver.asked(ada, browser);
    await browser.call('approve', { id: request.id, code: '000000' });
    await stranger.call('approve', { id: request.id, code: phone.codeNow() });
    const used = phone.codeNow();
    await browser.call('approve', { id: request.id, code: used });
    note('messages', await approver.flow.ending(given));
    // An invitation for one more phone does not show the authenticator that is there.
    const token = await approver.invited(ada);
    const second = watched('whoever has an invitation', approver.browser());
    should(await second.done('invitation', { token })).match({ authenticator: { isKnown: true } });
    await noteRest();
    should(seen(phone.secret, used)).eql([]);
    should(seen(...phone.recoveryCodes)).eql([]);
    for (const text of filesOf()) {
      for (const canary of [phone.secret, ...phone.recoveryCodes]) should(text).not.containEql(canary);
    }
  });
});
