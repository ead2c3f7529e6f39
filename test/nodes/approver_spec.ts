import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import should from 'should';
import type { Approver } from '../../nodes/lib/approver/approver';
import type { Ending, Flow, FlowNode } from '../support/flow';
import { ownGate } from '../support/approval_gate';
import { ApproverClient, PasskeyPhone, type ShownRequest } from '../support/approver_client';
import { authenticator, calmStep, codeAt, LocalAccount, wrongFor } from '../support/local_account';
import { EventStream } from '../support/event_stream';
import { eventually } from '../support/node_red';
import { newNode } from '../support/operation_nodes';
import { SetClock } from '../support/set_clock';

const page = 'https://home.example/approve';
const minute = 60_000;

describe('The approver of this Node-RED', () => {
  let local: LocalAccount;
  let flow: Flow;
  let authyId: string;

  async function begin(approverUrl = page, account: object = {}): Promise<void> {
    local = new LocalAccount();
    Object.assign(local.account, { approverUrl, ...account });
    const [user] = await local.ask('userCreate', {
      email: 'ada@example.com',
      phoneNumber: '+13175550142',
      countryCode: '1',
    });
    authyId = String(user['authyId']);
    flow = await gate();
  }

  beforeEach(() => begin());
  afterEach(() => local.stop());

  /** Runs a gate. */
  const gate = async (properties: Record<string, unknown> = {}): Promise<Flow> =>
    (flow = await local.startNode(ownGate(properties), 3));

  const browser = (at = page): ApproverClient => new ApproverClient(flow.url, at);

  function approver(): Approver {
    const found = flow.account('account').approver;
    if (found === undefined) throw new Error('The account has no approver.');
    return found;
  }

  async function enrolled(name = 'Ada’s phone', counts = true): Promise<PasskeyPhone> {
    const phone = new PasskeyPhone(browser(), counts);
    const { url } = await approver().invite(authyId);
    await phone.enrol(url, name);
    return phone;
  }

  /** The newest request on a phone, once it is there. */
  const shownOn = (client: ApproverClient, not = ''): Promise<ShownRequest> =>
    eventually('The phone shows a request', async () =>
      (await client.requests()).find(({ id }) => id !== not),
    );

  const payloadOf = ({ sent, caught }: Ending): Record<string, unknown> => {
    should(caught.map(({ error }) => error?.message)).eql([]);
    should(sent).have.length(1);
    return { ...(sent[0]?.message.payload as object), output: sent[0]?.output };
  };
  const errorOf = ({ sent, caught }: Ending): { code?: string; message: string } => {
    should(sent).eql([]);
    return caught[0]?.error ?? { message: 'no error' };
  };

  describe('by passkey', () => {
    it('lets the message out once the phone has signed the words that it shows', async () => {
      const phone = await enrolled();
      const given = flow.give({ authyId, payload: 1 });
      const request = await shownOn(phone.browser);
      should(request).match({
        message: 'Open the garage?',
        details: [['Door', 'Garage']],
        asker: 'Front door',
      });
      should(local.told.at(-1)).match({
        topic: 'approval',
        payload: {
          title: /Front door/,
          text: 'Open the garage?',
          url: `${page}/#r=${request.id}`,
          to: { authyId, email: 'ada@example.com' },
        },
      });
      should(await phone.approve(request.id)).match({ status: 200, body: {} });
      const ending = await flow.ending(given);
      should(payloadOf(ending)).match({
        output: 0,
        decision: 'approved',
        authyId,
        device: { name: 'Ada’s phone', grade: 'passkey' },
      });
      should(await phone.browser.state()).match({
        requests: [],
        history: [{ id: request.id, outcome: 'approved', phone: 'Ada’s phone' }],
      });
      // Anybody can check later what was signed, with nothing but the record.
      const authy = ending.sent[0]?.message['authy'] as {
        response: { answer: { proof: Record<string, string> } };
      };
      const { proof } = authy.response.answer;
      const bytes = (name: string): Buffer => Buffer.from(proof[name] ?? '', 'base64url');
      const client = JSON.parse(bytes('clientDataJSON').toString()) as { challenge: string };
      should(client.challenge).equal(
        createHash('sha256')
          .update(proof['text'] ?? '')
          .digest('base64url'),
      );
      should(JSON.parse(proof['text'] ?? '')).containEql('Open the garage?');
      const [x, y] = [bytes('publicKey').subarray(10, 42), bytes('publicKey').subarray(45, 77)];
      const jwk = { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') };
      const signed = Buffer.concat([
        bytes('authenticatorData'),
        createHash('sha256').update(bytes('clientDataJSON')).digest(),
      ]);
      const key = createPublicKey({ key: jwk, format: 'jwk' });
      should(verifySignature('sha256', signed, key, bytes('signature'))).be.true();
    });

    it('deny leaves by the second output; the phones that are left open forget the request', async () => {
      const [one, other] = [await enrolled('One'), await enrolled('Other')];
      const given = flow.give({ authyId });
      const { id } = await shownOn(other.browser);
      should((await one.browser.call('deny', { id })).status).equal(200);
      should(payloadOf(await flow.ending(given))).match({
        output: 1,
        decision: 'denied',
        device: { name: 'One' },
      });
      should(await other.browser.requests()).eql([]);
      should(await other.approve(id)).match({ status: 409, body: { error: 'answered' } });
      should(await one.browser.call('deny', { id })).match({ status: 409, body: { error: 'answered' } });
    });

    it('“not me” denies, warns, and lets nobody ask for ten minutes, then for twenty', async () => {
      const clock = new SetClock();
      try {
        const phone = await enrolled();
        for (const minutes of [10, 20]) {
          const given = flow.give({ authyId });
          const { id } = await shownOn(phone.browser);
          await phone.browser.done('deny', { id, notMe: true });
          should(payloadOf(await flow.ending(given))).match({ output: 1, decision: 'denied' });
          should(local.told.at(-1)).match({ topic: 'warning', payload: { text: /Open the garage\?/ } });
          should(flow.warnings.join()).containEql(`Nobody may ask them for ${minutes * 60} seconds`);
          should(await phone.browser.state()).match({ history: [{ outcome: 'notMe' }] });
          const error = errorOf(await flow.deliver({ authyId }));
          should(error.message).match(new RegExp(`Wait ${minutes * 60} seconds`));
          clock.pass(minutes * minute);
        }
        const given = flow.give({ authyId });
        const { id } = await shownOn(phone.browser);
        await phone.approve(id);
        should(payloadOf(await flow.ending(given))).match({ output: 0 });
        should((await local.person(authyId)).notMe).be.undefined();
      } finally {
        clock.restore();
      }
    });

    it('the pause after “not me” can be ended: the badge says that there is one, the error where', async () => {
      const phone = await enrolled();
      for (let time = 0; time < 2; time++) {
        const given = flow.give({ authyId });
        const { id } = await shownOn(phone.browser);
        await phone.browser.done('deny', { id, notMe: true });
        await flow.ending(given);
        should(errorOf(await flow.deliver({ authyId }))).match({
          code: 'AUTHY_USER_UNAVAILABLE',
          message:
            /^Wait \d+ seconds, or find out who has asked and end the pause in the sidebar “Authy people”: /,
        });
        should(flow.statuses.at(-1)).match({ fill: 'red', text: /status\.error\.PAUSED$/ });
        const { notMe } = (await approver().host.people().find(authyId)) ?? {};
        await approver().phones.endPause(authyId, notMe?.until);
      }
      // The second one was as short as the first.
      should(
        flow.warnings.filter((line) => line.endsWith('Nobody may ask them for 600 seconds.')),
      ).have.length(2);
    });

    it('a clock that was set does not end the pause, and it can be ended all the same', async () => {
      const clock = new SetClock();
      try {
        const phone = await enrolled();
        const given = flow.give({ authyId });
        const { id } = await shownOn(phone.browser);
        await phone.browser.done('deny', { id, notMe: true });
        await flow.ending(given);
        const { notMe } = (await approver().host.people().find(authyId)) ?? {};
        for (const set of [24 * 60 * minute, -48 * 60 * minute]) {
          clock.set(set);
          should(errorOf(await flow.deliver({ authyId })).code).equal('AUTHY_USER_UNAVAILABLE');
        }
        await should(approver().phones.endPause(authyId, (notMe?.until as number) + 1)).be.rejectedWith(
          /^Look again: /,
        );
        await approver().phones.endPause(authyId, notMe?.until);
        flow.give({ authyId });
        await shownOn(phone.browser);
      } finally {
        clock.restore();
      }
    });

    it('a request that nobody answers expires; an answer after that does not count', async () => {
      await gate({ timeout: '3' });
      const phone = await enrolled();
      const given = flow.give({ authyId });
      const { id } = await shownOn(phone.browser);
      const { options } = await phone.browser.done('approve-options', { id });
      should(payloadOf(await flow.ending(given))).match({
        output: 2,
        decision: 'expired',
        reason: 'noAnswer',
      });
      const late = await phone.browser.call('approve', { id, credential: phone.sign(options) });
      should(late).match({ status: 409, body: { error: 'expired' } });
      should(await phone.browser.state()).match({
        requests: [],
        history: [{ outcome: 'expired', phone: null }],
      });
    });

    it('the history begins with what was answered last, whenever it was asked', async () => {
      await gate({ maxOpen: '2' });
      const phone = await enrolled();
      const given = [flow.give({ authyId }), flow.give({ authyId })];
      const [newer = '', older = ''] = await eventually('both requests', async () => {
        const ids = (await phone.browser.requests()).map(({ id }) => id);
        return ids.length === 2 ? ids : undefined;
      });
      for (const id of [newer, older]) {
        await phone.browser.done('deny', { id });
        // Times are in milliseconds.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      for (const one of given) await flow.ending(one);
      should(await phone.browser.state()).match({ history: [{ id: older }, { id: newer }] });
    });

    it('a phone that was removed is signed out at once, and its passkey is worth nothing', async () => {
      const [one, other] = [await enrolled('One'), await enrolled('Other')];
      const given = flow.give({ authyId });
      const { id } = await shownOn(one.browser);
      const { options } = await one.browser.done('approve-options', { id });
      const { phones = [] } = (await approver().host.people().find(authyId)) ?? {};
      await approver().phones.remove(authyId, phones[0]?.id ?? '');
      const credential = one.sign(options);
      should(await one.browser.call('approve', { id, credential })).match({
        status: 401,
        body: { error: 'signedOut' },
      });
      should(await one.browser.call('deny', { id })).match({ status: 401 });
      const signIn = await one.browser.done('sign-in-options');
      should(await one.browser.call('sign-in', { credential: one.sign(signIn['options']) })).match({
        status: 422,
        body: { error: 'passkeyRefused' },
      });
      should((await other.approve(id)).status).equal(200);
      should(payloadOf(await flow.ending(given))).match({ output: 0, device: { name: 'Other' } });
    });

    it('a browser without a session signs in by the passkey, once with each challenge', async () => {
      const phone = await enrolled();
      const fresh = browser();
      const { options } = await fresh.done('sign-in-options');
      const credential = phone.sign(options);
      should((await fresh.call('sign-in', { credential })).status).equal(200);
      should(await fresh.state()).match({ signedIn: true, phone: { name: 'Ada’s phone', grade: 'passkey' } });
      should(await browser().call('sign-in', { credential })).match({ status: 422 });
      // Both go on: the page and the app on the home screen have storages of their own.
      should(await phone.browser.state()).match({ signedIn: true });
      await fresh.done('sign-out');
      should(await fresh.state()).match({ signedIn: false });
      should(await phone.browser.state()).match({ signedIn: true });
    });

    it('a request to a locked person is refused, and their page says so', async () => {
      const phone = await enrolled();
      const given = flow.give({ authyId });
      const { id } = await shownOn(phone.browser);
      await approver().phones.lock(authyId, true);
      should(await phone.approve(id)).match({ status: 403, body: { error: 'locked' } });
      should(await phone.browser.call('state')).match({ status: 403, body: { error: 'locked' } });
      should(errorOf(await flow.deliver({ authyId }))).match({ code: 'AUTHY_USER_UNAVAILABLE' });
      await approver().phones.lock(authyId, false);
      should((await phone.approve(id)).status).equal(200);
      should(payloadOf(await flow.ending(given))).match({ output: 0 });
    });

    it('passkeys that do not count, as synced ones, sign again and again', async () => {
      const phone = await enrolled('Synced', false);
      for (let time = 0; time < 3; time++) {
        const given = flow.give({ authyId });
        const { id } = await shownOn(phone.browser);
        should((await phone.approve(id)).status).equal(200);
        should(payloadOf(await flow.ending(given))).match({ output: 0 });
      }
    });
  });

  describe('invitations', () => {
    it('show a number to compare, and recovery codes with the first phone only; other phones are told', async () => {
      const phone = new PasskeyPhone(browser());
      const { url, qrCode, expiresAt } = await approver().invite(authyId);
      should(url).match(/^https:\/\/home\.example\/approve\/#i=[0-9]+\.[\w-]{22}$/);
      should(qrCode).startWith('data:image/svg+xml;base64,');
      should(expiresAt).be.above(Date.now() + 9 * minute);
      const first = await phone.enrol(url);
      should(first['number']).match(/^[0-9]{2}$/);
      should(first['recoveryCodes']).have.length(10);
      should(await phone.browser.state()).match({
        phone: { number: first['number'] },
        recoveryLeft: 10,
        phones: 1,
      });
      const second = new PasskeyPhone(browser());
      should(await second.enrol((await approver().invite(authyId)).url, 'Tablet')).match({
        recoveryCodes: null,
      });
      should(local.told.at(-1)).match({ topic: 'warning', payload: { text: /Tablet/ } });
      should(await phone.browser.state()).match({ phones: 2 });
    });

    it('add one phone, once, within ten minutes; a newer one ends an older one; all others are alike', async () => {
      const clock = new SetClock();
      try {
        const { url } = await approver().invite(authyId);
        const refused = async (token: unknown): Promise<void> => {
          for (const name of ['invitation', 'enrol']) {
            const answer = await browser().call(name, { token, name: 'x', credential: {} });
            should(answer).match({ status: 404, body: { error: 'invitation' } });
          }
        };
        const token = url.split('#i=')[1] ?? '';
        await refused(token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')));
        await refused(`1${token}`);
        await refused('');
        await refused(undefined);
        const newer = (await approver().invite(authyId)).url;
        await refused(token);
        await new PasskeyPhone(browser()).enrol(newer);
        await refused(newer.split('#i=')[1]);
        const late = (await approver().invite(authyId)).url.split('#i=')[1];
        clock.set(-30 * minute);
        should((await browser().call('invitation', { token: late })).status).equal(200);
        clock.pass(10 * minute);
        await refused(late);
      } finally {
        clock.restore();
      }
    });

    it('two phones that use one at the same moment: one of them is added', async () => {
      const { url } = await approver().invite(authyId);
      const token = url.split('#i=')[1];
      const phones = [new PasskeyPhone(browser()), new PasskeyPhone(browser())];
      const opened = await (phones[0] as PasskeyPhone).browser.done('invitation', { token });
      const answers = await Promise.all(
        phones.map((phone) =>
          phone.browser.call('enrol', {
            token,
            name: 'x',
            credential: phone.authenticator.create(opened['options'] as never),
          }),
        ),
      );
      should(answers.map(({ status }) => status).sort()).eql([200, 404]);
      should((await local.person(authyId)).phones).have.length(1);
    });

    it('a recovery code makes one, once; wrong codes and unknown numbers are answered alike', async () => {
      const phone = new PasskeyPhone(browser());
      const { recoveryCodes } = await phone.enrol((await approver().invite(authyId)).url);
      const [code = ''] = recoveryCodes as string[];
      const recover = (phoneNumber: string, typed: string): ReturnType<ApproverClient['call']> =>
        browser().call('recover', { phoneNumber, code: typed });
      const wrong = { status: 422, body: { error: 'wrongCode' } };
      should(await recover('+13175550199', code)).match(wrong);
      should(await recover('+13175550142', '000000000000')).match(wrong);
      should(await recover('+13175550142', '')).match(wrong);
      const { body } = await recover('+1 317-555-0142', `${code.slice(0, 6)} ${code.slice(6)}`);
      const next = new PasskeyPhone(browser());
      await next.enrol(String(body['token']), 'New phone');
      should(await recover('+13175550142', code)).match(wrong);
      should(await next.browser.state()).match({ phones: 2, recoveryLeft: 9 });
      // Whoever knows the number alone must not lock its owner out.
      should(await recover('+13175550142', '1')).match(wrong);
      should(await recover('+13175550142', '1')).match({ status: 429, body: { error: 'tooMany' } });
      should((await local.person(authyId)).limits).be.undefined();
    });
  });

  describe('what has to be there before somebody is asked', () => {
    it('a phone: without one nobody is asked', async () => {
      should(errorOf(await flow.deliver({ authyId }))).match({
        code: 'AUTHY_NOT_SENT',
        message: /^Invite the user first in the sidebar .*: they have not set up a phone yet\.$/,
      });
      should(flow.statuses.at(-1)).match({ fill: 'red', text: /status\.error\.NOT_INVITED$/ });
    });

    it('a phone of the address of now: those of another one do not count', async () => {
      await enrolled();
      await approver()
        .host.people()
        .change(authyId, (one) => ({
          ...one,
          phones: (one.phones ?? []).map(({ passkey, ...phone }) => ({
            ...phone,
            ...(passkey === undefined ? {} : { passkey: { ...passkey, rpId: 'former.example' } }),
          })),
        }));
      should(errorOf(await flow.deliver({ authyId }))).match({
        code: 'AUTHY_NOT_SENT',
        message: /^Invite the user again in the sidebar .*: they have set up their phones at another address/,
      });
      should(flow.statuses.at(-1)).match({ fill: 'red', text: /status\.error\.NOT_INVITED$/ });
    });

    it('a page that is theirs: at the page of another account nobody is asked or invited', async () => {
      await enrolled();
      const first = { ...local.account, id: 'first', name: 'Garage' };
      for (const node of [ownGate(), { ...newNode('userInvite'), account: 'account' }]) {
        flow = await local.startNode(node, 3, [first, local.account, ...local.notifications]);
        should(errorOf(await flow.deliver({ authyId }))).match({
          code: 'AUTHY_BAD_CONFIG',
          message: /^Choose another .* in the account: at \/approve the page of the account "Garage" answers/,
        });
      }
    });

    it('somebody who tells them: a notifications node, an open page, or a push subscription', async () => {
      const phone = await enrolled();
      flow = await local.startNode(ownGate(), 3, [local.account]);
      const client = Object.assign(browser(), { cookie: phone.browser.cookie ?? '' });
      const notSent = {
        code: 'AUTHY_NOT_SENT',
        message:
          /^Have the user open https:\S+\/approve\/, or turn on notifications there, or add a notifications node/,
      };
      should(errorOf(await flow.deliver({ authyId }))).match(notSent);
      should(await client.requests()).eql([]);

      const openPage = async (): Promise<EventStream> => {
        const stream = new EventStream(client);
        await eventually('the page to listen', () => stream.changes > 0 || undefined);
        return stream;
      };
      (await openPage()).close();
      // By then the server knows.
      await pause(300);
      // A browser opens events that were cut off anew after a second: until then nobody takes the page for closed.
      const given = flow.give({ authyId });
      const { id } = await shownOn(client);
      const again = await openPage();
      should((await client.call('deny', { id })).status).equal(200);
      should(payloadOf(await flow.ending(given))).match({ output: 1 });
      again.close();
      await pause(4000);
      should(errorOf(await flow.deliver({ authyId }))).match(notSent);
    });

    it('somebody who tells them, where there is no Web Push: the error names no notifications of the page', async () => {
      await local.stop();
      await begin(page, { approverPush: false });
      await enrolled();
      flow = await local.startNode(ownGate(), 3, [local.account]);
      should(errorOf(await flow.deliver({ authyId }))).match({
        code: 'AUTHY_NOT_SENT',
        message: /^Have the user open https:\S+\/approve\/, or add a notifications node/,
      });
    });

    it('where there is no Web Push, a deploy warns that only open pages are told; no badge takes that for an error', async () => {
      await local.stop();
      await begin(page, { approverPush: false });
      const warning =
        /^Add a notifications node .*: without one, and without Web Push, a request to somebody who does not have the page open fails\.$/;
      const warnings = (): number => flow.warnings.filter((line) => warning.test(line)).length;
      const [listening, told] = local.notifications as [FlowNode, FlowNode];
      const others = [
        local.account,
        { ...listening, wires: [[]] },
        told,
        ownGate({ z: 'tab', wires: [[], [], []] }),
      ];
      for (const node of [ownGate(), { ...newNode('onetouchSend'), account: 'account' }]) {
        flow = await local.startNode(node, 3, others);
        // One warning is enough for all nodes of an account.
        should(warnings()).equal(1);
        await flow.redeploy({ wires: [['told']] }, listening.id);
        should(warnings()).equal(1);
        await flow.redeploy({ wires: [[]] }, listening.id);
        should(warnings()).equal(2);
        should(flow.statuses.filter(({ fill }) => fill === 'red')).eql([]);
      }
      // Where nothing can be asked, another error says why.
      const first = { ...local.account, id: 'first', name: 'Garage' };
      for (const [gate, all] of [
        [{}, [{ ...local.account, deadline: 'soon' }]],
        [{}, [first, local.account]],
        [{ maxOpen: 'many' }, [local.account]],
      ] as const) {
        flow = await local.startNode(ownGate(gate), 3, [...all]);
        should(warnings()).equal(0);
      }
    });

    it('at most twenty open requests of one person', async () => {
      const phone = await enrolled();
      flow = await gate({ maxOpen: 0 });
      phone.browser.cookie ??= '';
      const client = Object.assign(browser(), { cookie: phone.browser.cookie });
      const given = Array.from({ length: 21 }, () => flow.give({ authyId }));
      const refused = await eventually('one is refused', () =>
        given.map((id) => flow.soFar(id)).find(({ caught }) => caught.length > 0),
      );
      should(errorOf(refused)).match({ code: 'AUTHY_LIMIT_REACHED' });
      should(await client.requests()).have.length(20);
    });
  });

  describe('limits', () => {
    it('fifty details are shown, and more are refused before anybody is asked', async () => {
      const phone = await enrolled();
      const rows = (count: number): object =>
        Object.fromEntries(Array.from({ length: count }, (_, row) => [`Row ${row}`, row]));
      flow = await gate({ details: 'details', detailsType: 'msg' });
      const client = phone.browser.at(flow.url);
      should(errorOf(await flow.deliver({ authyId, details: rows(51) }))).match({
        code: 'AUTHY_INVALID_INPUT',
        message: /has 51 rows\. This Node-RED shows 50 at most/,
      });
      should(await client.requests()).eql([]);
      flow.give({ authyId, details: rows(50) });
      should((await shownOn(client))['details']).have.length(50);
    });

    it('whoever has ten phones is not invited: a phone is to be removed first', async () => {
      const people = approver().host.people();
      await people.change(authyId, (person) => ({
        ...person,
        phones: Array.from({ length: 10 }, (_, no) => ({
          ...{ id: `phone${no}`, name: `Phone ${no}`, sessions: [], addedAt: 1 },
        })),
      }));
      for (const invite of [() => approver().invite(authyId), () => approver().enrolment.invite(authyId)]) {
        await should(invite()).be.rejectedWith({ code: 'AUTHY_LIMIT_REACHED', message: /^Remove a phone/ });
      }
      should((await people.find(authyId))?.invitation).be.undefined();
      await approver().phones.remove(authyId, 'phone3');
      await enrolled();
    });

    it('a session ends after 180 days; a clock that was ahead for a while has ended none', async () => {
      const clock = new SetClock();
      try {
        const day = 86_400_000;
        const phone = await enrolled();
        clock.set(181 * day);
        should(await phone.browser.state()).match({ signedIn: false });
        clock.set(-181 * day);
        clock.pass(179 * day);
        should(await phone.browser.state()).match({ signedIn: true });
        clock.pass(day);
        should(await phone.browser.state()).match({ signedIn: false });
      } finally {
        clock.restore();
      }
    });
  });

  describe('by the code of an authenticator, on plain http', () => {
    const plain = 'http://192.168.1.10:1880/approve';

    beforeEach(async () => {
      await local.stop();
      await begin(plain);
    });

    /** Adds a phone that has no passkey, with a new authenticator. */
    async function withCode(): Promise<{ client: ApproverClient; codeNow: (step?: number) => string }> {
      const client = browser(plain);
      const token = (await approver().invite(authyId)).url.split('#i=')[1];
      await calmStep();
      const opened = await client.done('invitation', { token });
      should(opened).match({ grade: 'code', options: null, authenticator: { isKnown: false } });
      const { address } = opened['authenticator'] as { address: string };
      const totp = authenticator(new URL(address).searchParams.get('secret') ?? '');
      should(await client.call('enrol', { token, name: 'Wall', code: wrongFor(totp) })).match({
        status: 422,
        body: { error: 'wrongCode' },
      });
      const done = await client.done('enrol', { token, name: 'Wall', code: codeAt(totp, -1) });
      should(done['recoveryCodes']).have.length(10);
      return { client, codeNow: (step) => codeAt(totp, step) };
    }

    it('approves with a code, which counts once', async () => {
      const { client, codeNow } = await withCode();
      should(await client.state()).match({ grade: 'code', phone: { grade: 'code' }, push: { key: null } });
      const given = [flow.give({ authyId, no: 1 }), flow.give({ authyId, no: 2 })];
      await eventually('both are there', async () =>
        (await client.requests()).length === 2 ? true : undefined,
      );
      const [one, two] = await client.requests();
      should(await client.call('approve', { id: one?.id, code: '12345' })).match({ status: 422 });
      const code = codeNow();
      should(await client.call('approve', { id: one?.id, code })).match({ status: 200 });
      should(await client.call('approve', { id: two?.id, code })).match({
        status: 422,
        body: { error: 'reusedCode' },
      });
      await client.done('deny', { id: two?.id });
      const ends = await Promise.all(given.map((id) => flow.ending(id)));
      should(
        ends
          .map(payloadOf)
          .map(({ output }) => output)
          .sort(),
      ).eql([0, 1]);
      should(ends.map(payloadOf)).matchAny({
        decision: 'approved',
        device: { grade: 'code', credentialId: null },
      });
    });

    it('a request that is another one by the time its code is judged is not approved', async () => {
      const { client, codeNow } = await withCode();
      const given = flow.give({ authyId });
      const { id } = await shownOn(client);
      const { host } = approver();
      const codes = host.codes.bind(host);
      // Somebody changes the record while the code is being looked at.
      const slow = async (): ReturnType<typeof codes> => {
        const known = await codes();
        return {
          ...known,
          async check(who, code) {
            const verdict = await known.check(who, code);
            await host.people().change(who, (person) => ({
              ...person,
              requests: (person.requests ?? []).map((one) => ({ ...one, message: 'Open the safe?' })),
            }));
            return verdict;
          },
        };
      };
      Object.assign(host, { codes: slow });
      should(await client.call('approve', { id, code: codeNow() })).match({
        status: 409,
        body: { error: 'changed' },
      });
      should(flow.soFar(given).sent).eql([]);
      should(await client.requests()).match([{ id, message: 'Open the safe?' }]);
    });

    it('a wrong name of a phone costs no code', async () => {
      const client = browser(plain);
      const token = (await approver().invite(authyId)).url.split('#i=')[1];
      const opened = await client.done('invitation', { token });
      const { address } = opened['authenticator'] as { address: string };
      const totp = authenticator(new URL(address).searchParams.get('secret') ?? '');
      const code = codeAt(totp);
      should(await client.call('enrol', { token, name: ' ', code })).match({ status: 400 });
      await client.done('enrol', { token, name: 'Wall', code });
    });

    it('a code that was sent by message is no answer, and neither is a recovery code', async () => {
      const { client } = await withCode();
      const sent = await local.send('tokenSms', authyId);
      flow = await gate();
      const again = Object.assign(browser(plain), { cookie: client.cookie });
      flow.give({ authyId });
      const { id } = await shownOn(again);
      should(await again.call('approve', { id, code: sent })).match({
        status: 422,
        body: { error: 'wrongCode' },
      });
    });

    it('a gate that wants a passkey asks nobody there', async () => {
      await withCode();
      flow = await gate({ atLeast: 'passkey', atLeastType: 'str' });
      should(errorOf(await flow.deliver({ authyId }))).match({
        code: 'AUTHY_NOT_SENT',
        message: /Set the public URL/,
      });
    });

    it('five wrong codes lock; of many at once no more are judged', async () => {
      const { client, codeNow } = await withCode();
      flow.give({ authyId });
      const { id } = await shownOn(client);
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          client.call('approve', { id, code: String(100_000 + index) }),
        ),
      );
      const errors = answers.map(({ body }) => body['error']);
      should(errors.filter((error) => error === 'wrongCode').length).be.belowOrEqual(5);
      should(await client.call('approve', { id, code: codeNow() })).match({
        body: { error: /tooManyAttempts|tooMany/ },
      });
    });
  });

  it('an answer that the gate finds by itself names the phone as well', async () => {
    const phone = await enrolled();
    const given = flow.give({ authyId });
    const { id } = await shownOn(phone.browser);
    // As if another Node-RED had taken it, and could not tell this one.
    Object.assign(approver().host, { answered: () => undefined });
    should((await phone.approve(id)).status).equal(200);
    should(payloadOf(await flow.ending(given))).match({
      ...{ output: 0, decidedBy: 'polling' },
      device: { name: 'Ada’s phone', grade: 'passkey' },
    });
  });

  describe('after a deploy and a restart', () => {
    it('an answer that is given while no gate runs is found by the next one', async () => {
      const phone = await enrolled();
      const given = flow.give({ authyId });
      const { id } = await shownOn(phone.browser);
      await flow.redeployAll();
      should((await phone.approve(id)).status).equal(200);
      should(payloadOf(await flow.ending(given))).match({ output: 0, decision: 'approved' });
    });
  });
});
