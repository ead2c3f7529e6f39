import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { renderSVG } from 'uqr';
import { authenticator, codeAt, LocalAccount, wrong, wrongFor } from '../support/local_account';
import { newFactor, newPerson } from '../support/people';
import { SetClock } from '../support/set_clock';

const phone = { phoneNumber: '+13175550142', countryCode: '1' };
const minute = 60_000;

describe('Operation nodes on this Node-RED', () => {
  let local: LocalAccount;
  let clock: SetClock;
  let authyId: string;

  beforeEach(async () => {
    clock = new SetClock();
    local = new LocalAccount();
    const [user] = await local.ask('userCreate', { email: 'user@example.com', ...phone });
    authyId = String(user['authyId']);
  });
  afterEach(async () => {
    await local.stop();
    clock.restore();
  });

  describe('users', () => {
    it('the same phone number has the same id; read, updated, deleted', async () => {
      should((await local.ask('userCreate', { email: 'other@example.com', ...phone }))[0]).eql({
        authyId,
        ...phone,
      });
      const [status] = await local.ask('userStatus', { authyId });
      should(status).eql({
        authyId,
        confirmed: false,
        registered: null,
        maskedPhone: 'XXX-XXX-0142',
        countryCode: '1',
        // Otherwise whoever knows the number could have the codes sent elsewhere.
        email: 'user@example.com',
        devices: [],
        hasHardToken: null,
        accountDisabled: null,
        identity: null,
      });
      const [updated] = await local.ask('userUpdate', { authyId, email: 'new@example.com' });
      should(updated).eql({ authyId, email: 'new@example.com' });
      const [deleted] = await local.ask('userDelete', { authyId });
      should(deleted).eql({ authyId, deleted: true });
      for (const name of ['userStatus', 'userDelete', 'userQr', 'userActivity', 'tokenSms'] as const) {
        should(await local.errorOf(name, { authyId })).match({ code: 'AUTHY_USER_NOT_FOUND' });
      }
    });

    it('an install link is an invitation, and nobody is added without somebody who sends it', async () => {
      const other = { email: 'bob@example.com', phoneNumber: '+13175550143' };
      const link = { sendInstallLink: 'true', sendInstallLinkType: 'bool' };
      await local.ask('userCreate', other, link);
      should(local.told.at(-1)).match({
        topic: 'invitation',
        payload: { url: /\/approve\/#i=/, to: { email: 'bob@example.com' } },
      });
      const third = { email: 'eve@example.com', phoneNumber: '+13175550144' };
      const flow = await local.start('userCreate', link, [local.account]);
      const { caught } = await flow.deliver(third);
      should(caught[0]?.error).match({ code: 'AUTHY_NOT_SENT' });
      // Or without a page to be invited to.
      const pageless = await local.start('userCreate', link, undefined, { httpNodeRoot: false });
      should((await pageless.deliver(third)).caught[0]?.error).match({ code: 'AUTHY_BAD_CONFIG' });
      should(await local.withPeople((people) => people.count())).equal(2);
    });

    it('an install link for somebody who is known goes to no address that came with it', async () => {
      const link = { sendInstallLink: 'true', sendInstallLinkType: 'bool' };
      const known = { phoneNumber: '+13175550143', countryCode: '1' };
      const one = await local.withPeople((people) => people.add({ ...known, email: '' }));
      const asked = { email: 'eve@example.com', phoneNumber: known.phoneNumber };
      should((await local.ask('userCreate', asked, link))[0]).eql({ authyId: one.authyId, ...known });
      should(local.told.at(-1)).match({ topic: 'invitation', payload: { to: { email: null } } });
      const number = local.told.length;
      await local.withPeople((people) =>
        people.change(one.authyId, (person) => ({ ...person, locked: true })),
      );
      should(await local.errorOf('userCreate', asked, link)).match({ code: 'AUTHY_USER_UNAVAILABLE' });
      should(local.told).have.length(number);
      should(await local.person(one.authyId)).match({ email: '' });
    });

    it('an activity is a line of the log, without its data', async () => {
      const data = { data: '{"ip":"192.0.2.7"}' };
      const [recorded] = await local.ask('userActivity', { authyId }, { activity: 'banned', ...data });
      should(recorded).eql({ authyId, activity: 'banned' });
      const { log = [] } = local.flow ?? {};
      should(log.some((line) => line.includes(`Activity of the user ${authyId}: banned`))).be.true();
      should(log.join()).not.containEql('192.0.2.7');
    });
  });

  describe('codes that are sent', () => {
    for (const [name, via] of [
      ['tokenSms', 'sms'],
      ['tokenCall', 'call'],
      ['tokenEmail', 'email'],
    ] as const) {
      it(`${name}: the notifications node hands it on, and it is valid once`, async () => {
        const [sent] = await local.ask(name, { authyId });
        should(sent).containEql({ sent: true });
        should(local.told).have.length(1);
        const { topic, payload } = local.told[0] ?? { topic: '', payload: {} };
        const code = local.newestCode;
        should(topic).equal('code');
        should(payload).match({
          title: 'Your code for Front door',
          text: `${code} is your code for Front door. It is valid for 10 minutes. Tell it to nobody.`,
          via,
          account: 'Front door',
          to: { authyId, phoneNumber: phone.phoneNumber, email: 'user@example.com', name: null },
        });
        should(payload).not.have.property('url');
        should(code).match(/^[0-9]{6}$/);
        should(await local.verify(authyId, wrong(code))).equal('wrong');
        should(await local.verify(authyId, code)).equal('valid');
        should(await local.verify(authyId, code)).equal('reused');
        should(await local.verify(authyId, wrong(code))).equal('notPending');
      });
    }

    it('end when they expire, and at five wrong tries', async () => {
      const before = Date.now();
      const first = await local.send('tokenSms', authyId);
      const expiresAt = local.told[0]?.payload['expiresAt'] as number;
      should(expiresAt).equal(before + 10 * minute);
      clock.pass(10 * minute);
      should(await local.verify(authyId, first)).equal('expired');
      const second = await local.send('tokenSms', authyId);
      for (let tries = 0; tries < 5; tries++) {
        should(await local.verify(authyId, wrong(second))).equal('wrong');
      }
      should(await local.verify(authyId, second)).equal('tooManyAttempts');
      clock.pass(10 * minute);
      should(await local.verify(authyId, second)).equal('tooManyAttempts');
    });

    it('a new one ends the one before', async () => {
      const first = await local.send('tokenSms', authyId);
      const second = await local.send('tokenEmail', authyId);
      if (first !== second) should(await local.verify(authyId, first)).equal('wrong');
      should(await local.verify(authyId, second)).equal('valid');
    });

    it('five in ten minutes, however they are sent; a clock that is set back makes none of them count longer', async () => {
      for (const name of ['tokenSms', 'tokenCall', 'tokenEmail', 'tokenSms', 'tokenCall'] as const) {
        await local.send(name, authyId);
        clock.pass(1000);
      }
      const last = local.newestCode;
      const refused = await local.errorOf('tokenSms', { authyId });
      should(refused).match({ code: 'AUTHY_LIMIT_REACHED', message: /Wait 595 seconds/ });
      should(local.told).have.length(5);
      clock.set(-400 * 24 * 60 * minute);
      should(await local.errorOf('tokenSms', { authyId })).match({ code: 'AUTHY_LIMIT_REACHED' });
      // Nobody knows how old it is.
      should(await local.verify(authyId, last)).equal('expired');
      clock.pass(10 * minute);
      should(await local.verify(authyId, await local.send('tokenSms', authyId))).equal('valid');
    });

    it('an e-mail address that is changed ends a code that went to the old one; without an address none is sent', async () => {
      const code = await local.send('tokenEmail', authyId);
      await local.ask('userUpdate', { authyId, email: 'new@example.com' });
      should(await local.verify(authyId, code)).equal('notPending');
      await local.withPeople((people) => people.change(authyId, (person) => ({ ...person, email: '' })));
      should(await local.errorOf('tokenEmail', { authyId })).match({ code: 'AUTHY_NOT_SENT' });
    });

    for (const [locale, words] of [
      ['de', /^\d{6} ist Ihr Code für Front door\./],
      ['ja', /Front door のコードは \d{6} です/],
      ['pt', /^\d{6} é o seu código/],
      ['sv', /^\d{6} is your code/],
    ] as const) {
      it(`are in the language that was asked for: ${locale}`, async () => {
        await local.ask('tokenSms', { authyId }, { locale });
        should(local.told[0]?.payload['text']).match(words);
      });
    }

    it('are in the language of this Node-RED if none was asked for', async () => {
      const flow = await local.start('tokenSms', {}, undefined, { lang: 'fr' });
      await flow.deliver({ authyId });
      should(local.told[0]?.payload['title']).equal('Votre code pour Front door');
    });

    it('are not sent to somebody who has an authenticator, unless forced', async () => {
      await local.confirmed(authyId);
      for (const name of ['tokenSms', 'tokenCall'] as const) {
        const [ignored] = await local.ask(name, { authyId });
        should(ignored).match({ sent: false, ignored: true, device: 'user@example.com' });
      }
      should(local.told).be.empty();
      should(await local.verify(authyId, await local.send('tokenSms', authyId))).equal('valid');
    });

    it('the code is in no log, no badge and no message but the one that is handed on', async () => {
      const flow = await local.start('tokenSms');
      const { sent } = await flow.deliver({ authyId });
      const code = local.newestCode;
      should(code).match(/^[0-9]{6}$/);
      should(JSON.stringify([flow.log, flow.statuses, sent])).not.containEql(code);
    });
  });

  describe('without anybody to send it', () => {
    const listening = { id: 'notifications', type: 'authy-notifications', z: 'tab', account: 'account' };
    const told = { id: 'told', type: 'helper', z: 'tab', wires: [] };
    const warning = /Add a notifications node for this account/;

    for (const [what, others] of [
      ['no notifications node', []],
      ['one that is not wired', [{ ...listening, wires: [[]] }]],
      ['one that is disabled', [{ ...listening, d: true, wires: [['told']] }, told]],
      ['one of another account', [{ ...listening, account: 'other', wires: [['told']] }, told]],
    ] as const) {
      it(`${what}: a warning at deploy, an error for each message, and nothing is kept`, async () => {
        for (const name of ['tokenSms', 'tokenCall', 'tokenEmail'] as const) {
          const flow = await local.start(name, {}, [local.account, ...others]);
          should(flow.log.filter((line) => warning.test(line))).have.length(1);
          should(flow.statuses.at(-1)).match({ fill: 'red', text: /NOT_SENT$/ });
          const { caught, sent } = await flow.deliver({ authyId });
          should(sent).be.empty();
          should(caught[0]?.error).match({ code: 'AUTHY_NOT_SENT', message: warning });
        }
        const flow = await local.start('phoneStart', {}, [local.account, ...others]);
        const { caught } = await flow.deliver(phone);
        should(caught[0]?.error).match({ code: 'AUTHY_NOT_SENT' });
        should(await local.person(authyId)).not.have.properties('verification', 'limits');
        should(await local.ask('phoneCheck', { ...phone, payload: '1234' })).match([
          { reason: 'notPending' },
          1,
        ]);
      });
    }

    it('nor does a node whose account is wrong: the badge goes on to say so', async () => {
      const flow = await local.start('tokenSms', {}, [{ ...local.account, deadline: 'soon' }]);
      should(flow.log.filter((line) => warning.test(line))).be.empty();
      should(flow.statuses.at(-1)).match({ fill: 'red', text: /BAD_CONFIG$/ });
    });

    it('nodes that tell nobody anything do not warn', async () => {
      for (const name of ['userCreate', 'tokenVerify', 'phoneCheck', 'userQr'] as const) {
        const flow = await local.start(name, {}, [local.account]);
        should(flow.log.filter((line) => warning.test(line))).be.empty();
      }
    });

    it('a deploy that adds the node, or wires it, is enough; one that takes the wires away warns again', async () => {
      const others = [local.account, { ...listening, wires: [[]] }, told];
      const flow = await local.start('tokenSms', {}, [...others]);
      const warnings = (): number => flow.log.filter((line) => warning.test(line)).length;
      should(warnings()).equal(1);
      await flow.redeploy({ wires: [['told']] }, 'notifications');
      const arrived = flow.next('told');
      should((await flow.deliver({ authyId })).sent).have.length(1);
      should((await arrived).topic).equal('code');
      should(warnings()).equal(1);
      await flow.redeploy({ wires: [[]] }, 'notifications');
      should(warnings()).equal(2);
      should((await flow.deliver({ authyId })).caught[0]?.error).match({ code: 'AUTHY_NOT_SENT' });
    });

    it('several of them: each hands it on', async () => {
      const others = ['one', 'two', 'three'].flatMap((name) => [
        { ...listening, id: name, wires: [[`at ${name}`]] },
        { id: `at ${name}`, type: 'helper', z: 'tab', wires: [] },
      ]);
      const flow = await local.start('tokenSms', {}, [local.account, ...others]);
      const arrived = ['one', 'two', 'three'].map((name) => flow.next(`at ${name}`));
      should((await flow.deliver({ authyId })).sent).have.length(1);
      const texts = (await Promise.all(arrived)).map(({ payload }) => (payload as { text: string }).text);
      should(new Set(texts).size).equal(1);
    });

    it('a node on an account that sends for itself warns', async () => {
      const authy = { ...local.account, service: 'authy', simulated: true };
      const flow = await local.start('tokenSms', {}, [authy, { ...listening, wires: [['told']] }, told]);
      should(
        flow.log.filter((line) => /Leave this node out, or choose another account/.test(line)),
      ).have.length(1);
    });
  });

  describe('authenticators', () => {
    it('a QR code is drawn here, of a secret that is kept encrypted and named for the account', async () => {
      const [made] = await local.ask('userQr', { authyId }, { size: '200', sizeType: 'num' });
      const { factors } = await local.person(authyId);
      const secret = factors[0]?.secret ?? '';
      should(secret).match(/^[A-Z2-7]{32}$/);
      const address =
        `otpauth://totp/Front%20door:user%40example.com?issuer=Front%20door&secret=${secret}` +
        '&algorithm=SHA1&digits=6&period=30';
      const svg = renderSVG(address, { border: 4 }).replace('<svg ', '<svg width="200" height="200" ');
      should(made).containEql({
        authyId,
        qrCode: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`,
        label: 'user@example.com',
        issuer: 'Front door',
      });
      for (const file of filesIn(local.userDir)) should(fs.readFileSync(file, 'utf8')).not.containEql(secret);
    });

    it('count once their first code was right; until then the one before does', async () => {
      const { totp: first } = await local.newAuthenticator(authyId);
      should((await local.ask('userStatus', { authyId }))[0]).match({ confirmed: false, devices: [] });
      should(await local.verify(authyId, codeAt(first, -1))).equal('valid');
      should((await local.ask('userStatus', { authyId }))[0]).match({
        confirmed: true,
        devices: ['user@example.com'],
      });
      const { totp: never } = await local.newAuthenticator(authyId);
      const { totp: second } = await local.newAuthenticator(authyId);
      should(await local.verify(authyId, codeAt(first))).equal('valid');
      should(await local.verify(authyId, codeAt(never))).equal('wrong');
      should(await local.verify(authyId, codeAt(second))).equal('valid');
      clock.pass(minute);
      should(await local.verify(authyId, codeAt(first))).equal('wrong');
      should(await local.verify(authyId, codeAt(second))).equal('valid');
      should((await local.person(authyId)).factors).have.length(1);
    });

    it('a code of the step before or after is right, once, and none before one that was used', async () => {
      const { totp } = await local.confirmed(authyId);
      should(await local.verify(authyId, codeAt(totp, 1))).equal('valid');
      for (const step of [1, 0, -1]) should(await local.verify(authyId, codeAt(totp, step))).equal('reused');
      should(await local.verify(authyId, codeAt(totp, 2))).equal('wrong');
      clock.pass(minute);
      should(await local.verify(authyId, codeAt(totp))).equal('valid');
      clock.set(-10 * minute);
      should(await local.verify(authyId, codeAt(totp))).equal('reused');
    });

    for (const [step, when] of [
      [-10, '300 seconds ago'],
      [7, '210 seconds from now'],
    ] as const) {
      it(`a code of ${when} is wrong, and a line of the log tells of the clocks`, async () => {
        const { totp } = await local.confirmed(authyId);
        const code = codeAt(totp, step);
        should(await local.verify(authyId, code)).equal('wrong');
        const { log = [] } = local.flow ?? {};
        const lines = log.filter((line) => /Check the clock of this computer/.test(line));
        should(lines).have.length(1);
        should(lines[0]).containEql(when);
        should(log.join()).not.containEql(code);
        should(await local.verify(authyId, wrongFor(totp))).equal('wrong');
        should(local.flow?.log.filter((line) => /Check the clock/.test(line))).be.empty();
      });
    }

    // RFC 6238, appendix B, SHA-1: the last six digits.
    for (const [seconds, code] of [
      [59, '287082'],
      [1_111_111_109, '081804'],
      [1_111_111_111, '050471'],
      [1_234_567_890, '005924'],
      [2_000_000_000, '279037'],
      [20_000_000_000, '353130'],
    ] as const) {
      it(`RFC 6238: ${code} is right at ${seconds} s`, async () => {
        const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
        await local.withPeople((people) =>
          people.change(authyId, (person) => ({ ...person, factors: [newFactor({ secret })] })),
        );
        clock.setTo(seconds * 1000);
        should(await local.verify(authyId, wrong(code))).equal('wrong');
        should(await local.verify(authyId, code)).equal('valid');
      });
    }

    it('one that came in a list counts at once; one of another service does not', async () => {
      const totp = authenticator(newFactor().secret ?? '');
      const factors = [newFactor({ service: `VA${'0'.repeat(32)}`, lastStep: 5 })];
      await local.withPeople((people) => people.change(authyId, (person) => ({ ...person, factors })));
      should(await local.verify(authyId, codeAt(totp))).equal('notPending');
      const listed = [...factors, newFactor({ id: 'imported-1' })];
      await local.withPeople((people) =>
        people.change(authyId, (person) => ({ ...person, factors: listed })),
      );
      should(await local.verify(authyId, codeAt(totp))).equal('valid');
      should(await local.verify(authyId, codeAt(totp))).equal('reused');
      // What another service would be asked with counts as used there, too.
      const steps = (await local.person(authyId)).factors.map(({ lastStep }) => lastStep);
      should(steps).eql([Math.floor(Date.now() / 30_000), Math.floor(Date.now() / 30_000)]);
      const { totp: own } = await local.newAuthenticator(authyId);
      should(await local.verify(authyId, codeAt(own))).equal('valid');
      should((await local.person(authyId)).factors.map(({ service }) => service)).eql([
        `VA${'0'.repeat(32)}`,
        'local',
      ]);
    });
  });

  describe('recovery codes', () => {
    it('ten come with a QR code, count with its authenticator, and each once; the person is told of the last three', async () => {
      const { totp, recoveryCodes } = await local.newAuthenticator(authyId);
      should(recoveryCodes).have.length(10);
      should(new Set(recoveryCodes).size).equal(10);
      for (const code of recoveryCodes) should(code).match(/^[0-9]{12}$/);
      const [first = '', ...others] = recoveryCodes;
      should(await local.verify(authyId, first)).equal('wrong');
      should(await local.verify(authyId, codeAt(totp, -1))).equal('valid');
      should(await local.verify(authyId, first)).equal('valid');
      should(await local.verify(authyId, first)).equal('wrong');
      for (const code of others.slice(0, 5)) should(await local.verify(authyId, code)).equal('valid');
      should(local.told).be.empty();
      should(await local.verify(authyId, others[5] ?? '')).equal('valid');
      should(local.told).match([
        {
          topic: 'warning',
          payload: {
            title: 'Few recovery codes are left',
            text: /^Recovery codes left for Front door: 3\./,
            to: { authyId, phoneNumber: phone.phoneNumber },
          },
        },
      ]);
      should(
        local.flow?.log.some((line) => line.includes(`user ${authyId}: 3 of their recovery codes`)),
      ).be.true();
      for (const file of filesIn(local.userDir)) {
        const text = fs.readFileSync(file, 'utf8');
        for (const code of recoveryCodes) should(text).not.containEql(code);
      }
      const { recoveryCodes: newer } = await local.confirmed(authyId);
      should(await local.verify(authyId, others[8] ?? '')).equal('wrong');
      should(await local.verify(authyId, newer[0] ?? '')).equal('valid');
    });

    it('a right one is right without anybody to warn', async () => {
      const { recoveryCodes } = await local.confirmed(authyId);
      for (const code of recoveryCodes.slice(1)) await local.verify(authyId, code);
      const flow = await local.start('tokenVerify', {}, [local.account]);
      const { sent } = await flow.deliver({ authyId, payload: recoveryCodes[0] });
      should(sent).match([{ output: 0, message: { payload: { valid: true } } }]);
    });
  });

  describe('the lock', () => {
    async function lock(token: string): Promise<void> {
      for (let tries = 0; tries < 5; tries++) should(await local.verify(authyId, token)).equal('wrong');
      should(await local.verify(authyId, token)).equal('tooManyAttempts');
    }

    it('five wrong codes within ten minutes lock for ten, twenty, forty minutes, and an hour; a right one begins anew', async () => {
      const { totp } = await local.confirmed(authyId);
      const isLocked = async (): Promise<boolean> =>
        (await local.verify(authyId, codeAt(totp))) === 'tooManyAttempts';
      for (const minutes of [10, 20, 40, 60, 60]) {
        await lock(wrongFor(totp));
        clock.pass(minutes * minute - 1000);
        should(await isLocked()).be.true();
        clock.pass(1000);
        should(await local.verify(authyId, wrongFor(totp))).equal('wrong');
        clock.pass(10 * minute);
      }
      should(await local.verify(authyId, codeAt(totp))).equal('valid');
      await lock(wrongFor(totp));
      clock.pass(10 * minute);
      should(await local.verify(authyId, codeAt(totp))).equal('valid');
    }).timeout(60_000);

    it('four are forgotten after ten minutes', async () => {
      const { totp } = await local.confirmed(authyId);
      for (let time = 0; time < 3; time++) {
        for (let tries = 0; tries < 4; tries++) {
          should(await local.verify(authyId, wrongFor(totp))).equal('wrong');
        }
        clock.pass(10 * minute);
      }
      should(await local.verify(authyId, codeAt(totp))).equal('valid');
    });

    it('whoever guesses slowly is locked as well, from the fiftieth wrong code in a row on', async () => {
      const { totp } = await local.confirmed(authyId);
      await local.withPeople((people) =>
        people.change(authyId, (person) => ({
          ...person,
          limits: { sent: [], wrong: [], wrongInARow: 48, locks: 0, lockedUntil: 0 },
        })),
      );
      should(await local.verify(authyId, wrongFor(totp))).equal('wrong');
      clock.pass(10 * minute);
      for (const minutes of [10, 20, 40]) {
        should(await local.verify(authyId, wrongFor(totp))).equal('wrong');
        should(await local.verify(authyId, codeAt(totp))).equal('tooManyAttempts');
        clock.pass(minutes * minute);
      }
      should(await local.verify(authyId, codeAt(totp))).equal('valid');
    });

    it('a new code does not reset it; a code that is sent while it lasts counts once it is over', async () => {
      await lock(wrong(await local.send('tokenSms', authyId)));
      clock.pass(5 * minute);
      const code = await local.send('tokenSms', authyId);
      should(await local.verify(authyId, code)).equal('tooManyAttempts');
      clock.pass(5 * minute);
      should(await local.verify(authyId, code)).equal('valid');
    });

    it('a clock that is set forward does not end it, and one that is set back prolongs it by an hour at most', async () => {
      const { totp } = await local.confirmed(authyId);
      await lock(wrongFor(totp));
      clock.set(24 * 60 * minute);
      should(await local.verify(authyId, codeAt(totp))).equal('tooManyAttempts');
      clock.set(-30 * 24 * 60 * minute);
      should(await local.verify(authyId, codeAt(totp))).equal('tooManyAttempts');
      clock.pass(60 * minute);
      should(await local.verify(authyId, codeAt(totp))).equal('reused');
      clock.set(29 * 24 * 60 * minute);
      should(await local.verify(authyId, codeAt(totp))).equal('valid');
    });

    it('where nothing can be right, nothing is counted', async () => {
      for (let tries = 0; tries < 7; tries++) {
        should(await local.verify(authyId, '123456')).equal('notPending');
      }
      should(await local.person(authyId)).not.have.property('limits');
    });
  });

  describe('phone numbers', () => {
    it('a code is sent, looked at and checked', async () => {
      const [started] = await local.ask('phoneStart', phone, { codeLength: '6', codeLengthType: 'num' });
      const { verificationId } = started;
      should(started).match({ ...phone, via: 'sms', secondsToExpire: 600, carrier: null, isPorted: null });
      should(local.told).match([
        { topic: 'code', payload: { via: 'sms', to: { authyId: null, phoneNumber: phone.phoneNumber } } },
      ]);
      const code = local.newestCode;
      should(code).match(/^[0-9]{6}$/);
      for (const by of [{ verificationId }, phone]) {
        const [status] = await local.ask('phoneStatus', by);
        should(status).have.property('status', 'pending');
        should(status['secondsToExpire']).be.within(500, 600);
      }
      const other = { phoneNumber: '+13175550143' };
      should(await local.ask('phoneCheck', { ...other, payload: code })).match([{ reason: 'notPending' }, 1]);
      should(await local.ask('phoneCheck', { ...phone, payload: wrong(code) })).match([
        { reason: 'wrong' },
        1,
      ]);
      should(await local.ask('phoneCheck', { ...phone, payload: code })).match([{ valid: true }, 0]);
      should(await local.ask('phoneCheck', { ...phone, payload: code })).match([{ reason: 'notPending' }, 1]);
      should(await local.ask('phoneStatus', { verificationId })).match([{ status: 'verified' }, 0]);
    });

    it('the length, the code and the text are those that the flow gives', async () => {
      await local.ask('phoneStart', phone);
      should(local.newestCode).match(/^[0-9]{4}$/);
      const template = {
        customCode: '0071',
        customMessage: 'Say {{code}} at the door: {{code}}.',
        via: 'call',
      };
      await local.ask('phoneStart', phone, template);
      should(local.told.at(-1)?.payload).match({ text: 'Say 0071 at the door: 0071.', via: 'call' });
      should(await local.ask('phoneCheck', { ...phone, payload: '0071' })).match([{ valid: true }, 0]);
    });

    it('a code expires, ends at five wrong tries, and the number is locked then, also for a new code', async () => {
      const number = { phoneNumber: '+13175550144' };
      await local.ask('phoneStart', number);
      clock.pass(10 * minute);
      const late = local.newestCode;
      should(await local.ask('phoneCheck', { ...number, payload: late })).match([{ reason: 'expired' }, 1]);
      should(await local.ask('phoneStatus', number)).eql([{ status: 'expired', secondsToExpire: null }, 0]);
      await local.ask('phoneStart', number);
      for (let tries = 0; tries < 5; tries++) {
        const payload = wrong(local.newestCode);
        should(await local.ask('phoneCheck', { ...number, payload })).match([{ reason: 'wrong' }, 1]);
      }
      await local.ask('phoneStart', number);
      const payload = local.newestCode;
      should(await local.ask('phoneCheck', { ...number, payload })).match([{ reason: 'tooManyAttempts' }, 1]);
      await local.ask('phoneStart', number);
      await local.ask('phoneStart', number);
      await local.ask('phoneStart', number);
      should(await local.errorOf('phoneStart', number)).match({ code: 'AUTHY_LIMIT_REACHED' });
    });

    for (const [phoneNumber, type] of [
      ['+4915123456789', 'cellphone'],
      ['+493012345678', 'landline'],
      ['+448001111111', 'unknown'],
      // There nobody can see it.
      ['+13175550142', null],
    ] as const) {
      it(`what ${phoneNumber} itself says: ${type ?? 'nothing'}`, async () => {
        const [info] = await local.ask('phoneInfo', { phoneNumber });
        should(info).match({ phoneNumber, type, provider: null, ported: null });
      });
    }
  });

  describe('the account', () => {
    it('its details and statistics', async () => {
      const details = { appId: null, name: 'Front door', plan: null, onetouchEnabled: true };
      should((await local.ask('appDetails'))[0]).eql({
        ...details,
        smsEnabled: true,
        phoneCallsEnabled: true,
      });
      const flow = await local.start('appDetails', {}, [local.account]);
      const { sent } = await flow.deliver({});
      should(sent[0]?.message.payload).eql({ ...details, smsEnabled: false, phoneCallsEnabled: false });
      await local.ask('userCreate', { email: 'other@example.com', phoneNumber: '+13175550143' });
      await local.send('tokenSms', authyId);
      should(await local.verify(authyId, await local.send('tokenCall', authyId))).equal('valid');
      should(await local.verify(authyId, '000000')).not.equal('valid');
      const [statistics] = await local.ask('appStats');
      should(statistics).match({ appId: null, totalUsers: 2 });
      const months = statistics['months'] as object[];
      should(months).have.length(6);
      const today = new Date();
      should(months.at(-1)).eql({
        month: today.toLocaleString('en-US', { month: 'long', timeZone: 'UTC' }),
        year: today.getUTCFullYear(),
        ...{ smsCount: 1, callsCount: 1, usersCount: 2, authsCount: 1, apiCallsCount: null },
      });
      should(months[0]).match({ smsCount: 0, callsCount: 0, usersCount: 0, authsCount: 0 });
    });

    it('half a year counts, and no more', async () => {
      // From the end of some months on, 31 days later is the month after the next one.
      clock.setTo(Date.UTC(2026, 0, 15));
      for (let month = 0; month < 8; month += 1) {
        await local.send('tokenSms', authyId);
        clock.pass(31 * 86_400_000);
      }
      await local.send('tokenSms', authyId);
      const [{ months }] = await local.ask('appStats');
      should((months as { smsCount: number }[]).map(({ smsCount }) => smsCount)).eql([1, 1, 1, 1, 1, 1]);
      should((await local.person(authyId)).counts).have.length(6);
    });

    it('a clock that shows no month of four digits, or an imported time that no calendar has, stops nothing', async () => {
      clock.setTo(Date.UTC(12_026, 0, 1));
      should(await local.verify(authyId, await local.send('tokenSms', authyId))).equal('valid');
      should((await local.person(authyId)).counts).be.undefined();
      await local.withPeople((people) => people.add(newPerson({ createdAt: Number.MAX_SAFE_INTEGER })));
      for (const time of [Date.UTC(12_026, 0, 1), Date.UTC(2026, 0, 1), 0]) {
        clock.setTo(time);
        const [{ totalUsers, months }] = await local.ask('appStats');
        should(totalUsers).equal(2);
        should(months).have.length(6);
      }
    });

    it('the name that people see is its own, that of the account, or Node-RED', async () => {
      for (const [settings, name] of [
        [{ name: 'Front door', localName: 'Example Ltd.' }, 'Example Ltd.'],
        [{ name: '', localName: '' }, 'Node-RED'],
      ] as const) {
        const flow = await local.start('appDetails', {}, [{ ...local.account, ...settings }]);
        should((await flow.deliver({})).sent).match([{ message: { payload: { name } } }]);
      }
      const long = { ...local.account, localName: 'x'.repeat(65) };
      const { caught } = await (await local.start('appDetails', {}, [long])).deliver({});
      should(caught[0]?.error).match({ code: 'AUTHY_BAD_CONFIG', message: /^Name people see: enter a name/ });
    });

    it('the test button says the name, also of one that is not deployed yet', async () => {
      const flow = await local.start('appDetails');
      const test = async (form: object): Promise<unknown> =>
        (
          (await flow
            .request()
            .post('/authy-config/test')
            .set('Content-Type', 'application/json')
            .send(form)) as {
            body: unknown;
          }
        ).body;
      should(await test({ id: 'account', service: 'local' })).eql({ ok: true, name: 'Front door' });
      should(await test({ id: 'account', service: 'local', localName: 'New' })).eql({
        ok: true,
        name: 'New',
      });
      should(await test({ id: 'other', service: 'local', localName: '' })).eql({
        ok: true,
        name: 'Node-RED',
      });
      for (const id of ['account', 'other']) {
        should(await test({ id, service: 'local', localName: '', name: 'Garage' })).eql({
          ok: true,
          name: 'Garage',
        });
      }
      should(await test({ id: 'other', service: 'local', localName: 'x'.repeat(65) })).match({ ok: false });
    });

    it('what it does not do is said at deploy and by each message', async () => {
      for (const name of ['userExport', 'userImport'] as const) {
        should(await local.errorOf(name, { authyId, ...phone })).match({
          code: 'AUTHY_NOT_SUPPORTED',
          message: /the people .* as a list instead/,
        });
        should(local.flow?.statuses[0]?.text).endWith('NOT_SUPPORTED');
      }
      const action = { action: 'login', actionType: 'str' };
      for (const name of ['tokenSms', 'tokenCall', 'tokenVerify'] as const) {
        should(await local.errorOf(name, { authyId, payload: '123456' }, action)).match({
          code: 'AUTHY_NOT_SUPPORTED',
          message: /Action: leave it blank/,
        });
      }
    });
  });
});

function filesIn(folder: string): string[] {
  return (fs.readdirSync(folder, { recursive: true }) as string[])
    .map((file) => path.join(folder, file))
    .filter((file) => fs.statSync(file).isFile());
}
