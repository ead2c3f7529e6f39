import type { TOTP } from 'otpauth';
import should from 'should';
import { without } from '../../nodes/lib/contract/without';
import { importedFactor } from '../../nodes/lib/people/imported-factor';
import { ApproverAccount, type Enrolled } from '../support/approver_account';
import { authenticatorAt, type ShownRequest, tokenOf } from '../support/approver_browser';
import { authenticator, codeAt, wrongFor } from '../support/local_account';
import { SetClock } from '../support/set_clock';

interface Factor {
  readonly sid: string;
  readonly verified: boolean;
  readonly kind: string;
}

const step = 30_000;

describe('Approvals on Twilio Verify, on this Node-RED’s own page', () => {
  let clock: SetClock;
  let account: ApproverAccount;

  beforeEach(async () => {
    clock = new SetClock();
    account = await ApproverAccount.start();
    await account.perform('appDetails', {});
    await account.control('post', '/reset');
  });
  afterEach(async () => {
    await account.stop();
    clock.restore();
  });

  const atTwilio = async (): Promise<readonly Factor[]> =>
    (await account.control<{ factors: readonly Factor[] }>('get', '/factors')).factors;

  const fault = (more: object): Promise<unknown> =>
    account.control('put', '/faults', { faults: [{ times: 1, method: 'POST', ...more }] });

  /** A message at the gate, and what the person's page shows of it. */
  async function asked({ authyId, browser }: Enrolled): Promise<{ id: string; request: ShownRequest }> {
    const events = await browser.listen();
    const id = account.flow.give({ authyId });
    await events.changed();
    events.close();
    const [request] = (await browser.state()).requests;
    if (request === undefined) throw new Error('Nothing is shown.');
    return { id, request };
  }

  describe('a new user', () => {
    it('sets up an authenticator at Twilio by the invitation, and answers with its codes', async () => {
      const authyId = await account.newPerson();
      const invitation = await account.invite(authyId);
      should(invitation).startWith(`${account.page}/#i=`);
      const browser = account.browser();
      const opened = await browser.open(invitation);
      should(opened).match({ grade: 'code', options: null, authenticator: { isKnown: false } });
      const { address } = opened.authenticator as { address: string };
      should(await atTwilio()).match([{ verified: false }]);
      const totp = authenticatorAt(address);
      const enrol = { token: tokenOf(invitation), name: 'Pixel' };
      should(await browser.refusal('enrol', { ...enrol, code: wrongFor(totp) })).match({
        status: 422,
        code: 'wrongCode',
      });
      should(await browser.isSignedIn()).be.false();
      const enrolled = await browser.call<{ number: string; recoveryCodes: string[] }>('enrol', {
        ...enrol,
        code: codeAt(totp, -1),
      });
      should(enrolled.number).match(/^[0-9]{2}$/);
      should(enrolled.recoveryCodes).have.length(10);
      should(await atTwilio()).match([{ verified: true }]);
      should(await browser.state()).match({
        ...{ account: 'Front door', grade: 'code', signedIn: true, phones: 1, recoveryLeft: 10 },
        ...{ phone: { name: 'Pixel', grade: 'code', number: enrolled.number }, requests: [] },
        push: { key: null, isOn: false },
      });
      // The same authenticator counts for the other operations.
      const [status] = [(await account.perform('userStatus', { authyId })).payload];
      should(status).match({ confirmed: true, devices: ['ada@example.com'] });
      should((await account.perform('tokenVerify', { authyId, token: codeAt(totp, -1) })).payload).match({
        valid: false,
        reason: 'reused',
      });
    });

    it('whose invitation is opened again gets another authenticator, and the one before is none', async () => {
      const authyId = await account.newPerson();
      const invitation = await account.invite(authyId);
      const [first, second] = [account.browser(), account.browser()];
      const { authenticator: one } = await first.open(invitation);
      const { totp } = await second.enrolByCode(invitation, (made) => codeAt(made as TOTP, -1));
      should(totp).not.be.undefined();
      should(await atTwilio()).match([{ verified: true }]);
      const code = codeAt(authenticatorAt((one as { address: string }).address));
      const enrol = { token: tokenOf(invitation), name: 'Late', code };
      should((await first.refusal('enrol', enrol)).code).equal('invitation');
    });

    it('and a Twilio that does not answer: nobody is signed in, and nothing is concluded', async () => {
      const authyId = await account.newPerson();
      const invitation = await account.invite(authyId);
      const browser = account.browser();
      await fault({ kind: 'status', status: 503, path: '/Factors' });
      should(await browser.refusal('invitation', { token: tokenOf(invitation) })).match({
        status: 503,
        code: 'unavailable',
      });
      await fault({ kind: 'garbage', path: '/Factors/YF' });
      const refused = browser.enrolByCode(invitation, (made) => codeAt(made as TOTP, -1));
      await should(refused).be.rejectedWith({ status: 503, code: 'unavailable' });
      should(await browser.isSignedIn()).be.false();
      // The invitation is still one.
      await browser.enrolByCode(invitation, (made) => codeAt(made as TOTP, 0));
      should(await browser.isSignedIn()).be.true();
    });

    it('who has an imported authenticator types its code: that brings it to Twilio', async () => {
      const authyId = await account.newPerson();
      const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
      const totp = authenticator(secret);
      const people = account.flow.account('account').people();
      await people.change(authyId, (person) => ({
        ...person,
        factors: [importedFactor(secret, Date.now())],
      }));
      const invitation = await account.invite(authyId);
      const browser = account.browser();
      should((await browser.open(invitation)).authenticator).eql({ isKnown: true });
      should(await atTwilio()).be.empty();
      await browser.enrolByCode(invitation, () => codeAt(totp, -1));
      should(await atTwilio()).match([{ verified: true }]);
      const { id, request } = await asked({ authyId, browser, totp, recoveryCodes: [] });
      should((await browser.refusal('approve', { id: request.id, code: codeAt(totp, -1) })).code).equal(
        'reusedCode',
      );
      await browser.call('approve', { id: request.id, code: codeAt(totp) });
      should((await account.flow.ending(id)).sent).match([{ output: 0 }]);
    });
  });

  it('an authenticator whose secret is not known here counts as none: an invitation makes another', async () => {
    const { authyId } = await account.enrolled();
    const people = account.flow.account('account').people();
    // As a list without secrets brings it.
    await people.change(authyId, ({ factors, ...person }) => ({
      ...person,
      factors: factors.map((factor) => without(factor, 'secret')),
    }));
    const browser = account.browser();
    const invitation = await account.invite(authyId);
    const refused = browser.enrolByCode(invitation, (made) => wrongFor(made as TOTP));
    await should(refused).be.rejectedWith({ code: 'wrongCode' });
    await browser.enrolByCode(invitation, (made) => codeAt(made as TOTP));
    should(await atTwilio()).match([{ verified: true }]);
  });

  describe('at the gate', () => {
    let ada: Enrolled;
    beforeEach(async () => {
      ada = await account.enrolled();
    });

    it('shows what is asked; the code of the authenticator lets the message out', async () => {
      const { id, request } = await asked(ada);
      should(request).match({
        authyId: ada.authyId,
        message: 'Open the garage?',
        details: [['Door', 'Garage']],
        hidden: '',
        atLeast: 'code',
      });
      should(account.told.at(-1)).match({
        topic: 'approval',
        payload: { text: 'Open the garage?', url: `${account.page}/#r=${request.id}` },
      });
      const { browser, totp } = ada;
      const approve = (code: string): Promise<object> => browser.refusal('approve', { id: request.id, code });
      should(await approve(wrongFor(totp))).match({ status: 422, code: 'wrongCode' });
      should(await approve(codeAt(totp, -1))).match({ status: 422, code: 'reusedCode' });
      should(await approve('')).match({ status: 422, code: 'wrongCode' });
      should(account.flow.soFar(id).sent).be.empty();
      await browser.call('approve', { id: request.id, code: codeAt(totp) });
      const { sent } = await account.flow.ending(id);
      should(sent).match([
        {
          output: 0,
          message: {
            payload: {
              ...{ decision: 'approved', authyId: ada.authyId, approvalId: request.id },
              device: { name: 'Phone', grade: 'code', credentialId: null },
            },
          },
        },
      ]);
      should(await browser.state()).match({
        requests: [],
        history: [{ id: request.id, outcome: 'approved', phone: 'Phone' }],
      });
      should(await approve(codeAt(totp, 1))).match({ status: 409, code: 'answered' });
    });

    for (const [notMe, outcome] of [
      [false, 'denied'],
      [true, 'notMe'],
    ] as const) {
      it(`${outcome}: the message leaves by “denied”, and no code is needed`, async () => {
        const { id, request } = await asked(ada);
        await ada.browser.call('deny', { id: request.id, notMe });
        const { sent } = await account.flow.ending(id);
        should(sent).match([{ output: 1, message: { payload: { decision: 'denied' } } }]);
        should((await ada.browser.state()).history).match([{ outcome }]);
        const next = await account.try('onetouchSend', { authyId: ada.authyId, message: 'Again?' });
        if (notMe) should(next).match({ code: 'AUTHY_USER_UNAVAILABLE' });
        else should(next).match({ payload: { status: 'pending' } });
      });
    }

    it('a code that has approved one request approves no other, also at the same time', async () => {
      const ids = await Promise.all(
        ['One?', 'Two?', 'Three?'].map(
          async (message) =>
            (await account.perform('onetouchSend', { authyId: ada.authyId, message })).payload['approvalId'],
        ),
      );
      const code = codeAt(ada.totp);
      const ends = await Promise.all(ids.map((id) => ada.browser.send('approve', { id, code })));
      should(ends.map(({ status }) => status).sort()).eql([200, 422, 422]);
      clock.pass(step);
      should((await ada.browser.state()).requests).have.length(2);
      const statuses = await Promise.all(
        ids.map(async (id) => (await account.perform('onetouchStatus', { approvalId: String(id) })).output),
      );
      should(statuses.sort()).eql([0, 2, 2]);
    });

    it('a code that was sent is no answer, and stays one for “verify token”', async () => {
      await account.perform('tokenSms', { authyId: ada.authyId });
      const { messages } = await account.control<{ messages: { text: string }[] }>('get', '/messages');
      const sent = /\b[0-9]{6}\b/.exec(messages.at(-1)?.text ?? '')?.[0] ?? '';
      const { id, request } = await asked(ada);
      should((await ada.browser.refusal('approve', { id: request.id, code: sent })).code).equal('wrongCode');
      const { authyId } = ada;
      should(await account.perform('tokenVerify', { authyId, token: sent })).match({ output: 0 });
      await ada.browser.call('approve', { id: request.id, code: codeAt(ada.totp) });
      should((await account.flow.ending(id)).sent).match([{ output: 0 }]);
    });

    it('Twilio counts wrong codes, also while a code that was sent is open', async () => {
      await account.perform('tokenSms', { authyId: ada.authyId });
      const { request } = await asked(ada);
      const code = wrongFor(ada.totp);
      const codes: string[] = [];
      for (let tries = 0; tries < 51; tries += 1) {
        codes.push((await ada.browser.refusal('approve', { id: request.id, code })).code);
      }
      should(codes.slice(0, 50)).eql(Array.from({ length: 50 }, () => 'wrongCode'));
      should(codes[50]).equal('tooManyAttempts');
      const right = { id: request.id, code: codeAt(ada.totp) };
      should((await ada.browser.refusal('approve', right)).code).equal('tooManyAttempts');
    });

    for (const [what, more] of [
      ['does not answer', { kind: 'status', status: 503 }],
      ['answers nonsense', { kind: 'garbage' }],
      ['knows another error', { kind: 'status', status: 403, code: '60390', message: 'No.' }],
      ['does not take the key', { kind: 'status', status: 401, code: '20003', message: 'No.' }],
      ['cuts the connection', { kind: 'drop' }],
    ] as const) {
      it(`Twilio ${what}: nothing is approved, the log says why, and the next code counts`, async () => {
        const { id, request } = await asked(ada);
        await fault({ path: '/Challenges', ...more });
        const { browser, totp } = ada;
        should(await browser.refusal('approve', { id: request.id, code: codeAt(totp) })).match({
          status: 503,
          code: 'unavailable',
        });
        should(account.flow.soFar(id).sent).be.empty();
        should(account.flow.log.some((line) => line.includes('could not do what was asked'))).be.true();
        should(account.flow.log.join()).not.containEql(codeAt(totp));
        await browser.call('approve', { id: request.id, code: codeAt(totp, 1) });
        should((await account.flow.ending(id)).sent).match([{ output: 0 }]);
      });
    }

    it('an authenticator that somebody has deleted at Twilio: the log says what to do, and that helps', async () => {
      const { id, request } = await asked(ada);
      const [{ sid }] = (await atTwilio()) as [Factor];
      await account.control('delete', `/factors/${sid}`);
      const { browser, totp, authyId } = ada;
      const answer = (code: string) => browser.refusal('approve', { id: request.id, code });
      should(await answer(codeAt(totp))).match({ status: 503, code: 'unavailable' });
      should(account.flow.log.some((line) => line.includes('Make a new QR code for the user'))).be.true();
      await account.perform('userQr', { authyId });
      const person = await account.flow.account('account').people().find(authyId);
      const made = authenticator(person?.factors.at(-1)?.secret ?? '');
      should((await answer(wrongFor(made))).code).equal('wrongCode');
      await browser.call('approve', { id: request.id, code: codeAt(made) });
      should((await account.flow.ending(id)).sent).match([{ output: 0 }]);
    });
  });

  describe('with an account that is set to another service', () => {
    let ada: Enrolled;

    const setTo = (service: string, more: object = {}): Promise<void> =>
      account.set({ service, simulated: service !== 'local', ...more });

    it('phone, session, open requests and recovery codes stay; an authenticator counts where it was made', async () => {
      await setTo('local');
      ada = await account.enrolled();
      const { authyId, browser, totp, recoveryCodes } = ada;
      const open = await account.perform('onetouchSend', { authyId, message: 'Open?', secondsToExpire: 0 });
      const id = String(open.payload['approvalId']);
      await setTo('verify');
      should(await browser.state()).match({
        ...{ phones: 1, recoveryLeft: 10, phone: { name: 'Phone' } },
        requests: [{ id, message: 'Open?', expiresAt: null }],
      });
      // Twilio does not know it, and nothing here takes its place.
      should(await browser.refusal('approve', { id, code: codeAt(totp) })).match({ status: 503 });
      should(await account.errorOf('onetouchSend', { authyId, message: 'And now?' })).match({
        code: 'AUTHY_NOT_SENT',
        message: /Invite the user again/,
      });
      const { payload } = await account.perform('onetouchStatus', { approvalId: id });
      should(payload).match({ status: 'pending', authyId });
      // A recovery code of the one service adds a phone on the other.
      const second = account.browser();
      const [code = ''] = recoveryCodes;
      const recovered = await second.call<{ token: string }>('recover', {
        phoneNumber: '+1 317 555 0142',
        code,
      });
      const { totp: at } = await second.enrolByCode(recovered.token, (made) => codeAt(made as TOTP, -1));
      should((await browser.state()).recoveryLeft).equal(9);
      await browser.call('approve', { id, code: codeAt(at as TOTP) });
      should((await account.perform('onetouchStatus', { approvalId: id })).output).equal(0);
      // And back: the authenticator from before is there still.
      await setTo('local');
      const next = await account.perform('onetouchSend', { authyId, message: 'Once more?' });
      const last = String(next.payload['approvalId']);
      clock.pass(step);
      should((await second.refusal('approve', { id: last, code: codeAt(at as TOTP) })).code).equal(
        'wrongCode',
      );
      await second.call('approve', { id: last, code: codeAt(totp) });
      should((await browser.state()).history).have.length(2);
    });

    it('an app of one’s own: the page is gone, Twilio asks; without the app the phone is there again', async () => {
      ada = await account.enrolled();
      const { authyId, browser, totp } = ada;
      await setTo('verify', { verifyPush: true });
      should((await browser.send('state')).status).equal(404);
      const { payload } = await account.perform('onetouchSend', {
        authyId,
        message: 'By push?',
        secondsToExpire: 300,
      });
      const { approvals } = await account.control<{ approvals: { uuid: string; message: string }[] }>(
        'get',
        '/approvals',
      );
      should(approvals).match([{ uuid: payload['approvalId'], message: 'By push?' }]);
      await account.control('post', `/approvals/${String(payload['approvalId'])}`, { answer: 'approve' });
      const approvalId = String(payload['approvalId']);
      should((await account.perform('onetouchStatus', { approvalId })).output).equal(0);
      should(await account.errorOf('userInvite', { authyId })).match({ code: 'AUTHY_NOT_SUPPORTED' });
      await setTo('verify', { verifyPush: false });
      // It was asked by Twilio.
      should(await account.errorOf('onetouchStatus', { approvalId })).match({ code: 'AUTHY_NOT_FOUND' });
      const { id, request } = await asked(ada);
      await browser.call('approve', { id: request.id, code: codeAt(totp) });
      should((await account.flow.ending(id)).sent).match([{ output: 0 }]);
    });
  });
});
