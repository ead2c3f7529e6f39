import should from 'should';
import { dashboard2, lastCode, playExample, type Played, sendForm, wrong } from '../support/example_player';
import { eventually, type FlowNode, NodeRed, runtimes } from '../support/node_red';

/** A service whose simulator the accounts of the examples are set to. */
interface OnService {
  readonly account: object;
  /** A part of the paths by which codes are checked, approvals are asked for, and the application is read. */
  readonly paths: { readonly check: string; readonly ask: string; readonly application: string };
  /** The number of the error for a key that is not known. */
  readonly unknownKey: string;
}

const services: Readonly<Record<string, OnService>> = {
  Authy: {
    account: {},
    paths: { check: '/verify/', ask: 'approval_requests', application: '/app/' },
    unknownKey: '60001',
  },
  'Twilio Verify': {
    account: { service: 'verify', simulated: true },
    paths: { check: '/VerificationCheck', ask: '/Challenges', application: '/v2/Services/' },
    unknownKey: '20003',
  },
};

const combinations = runtimes.flatMap((runtime, index) =>
  Object.entries(services).map(([service, on]) => ({ runtime, index, service, ...on })),
);

for (const { runtime, index, service, account, paths, unknownKey } of combinations) {
  describe(`the examples with pages of their own in Node-RED ${runtime.version}x, on simulated ${service}`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;

    before(async function () {
      // The first time, all of Node-RED 5 is downloaded.
      this.timeout(600_000);
      nodeRed = await NodeRed.start(this, runtime, {
        packages: [dashboard2],
        // Addresses in examples must not depend on the roots.
        settings: index === 0 ? {} : { httpAdminRoot: '/admin', httpNodeRoot: '/api' },
      });
    });

    after(async () => {
      // Undefined where it was skipped.
      await (nodeRed as NodeRed | undefined)?.stop();
    });

    const play = (name: string, change = (node: FlowNode): FlowNode => node): Promise<Played> =>
      playExample(nodeRed, name, (node) =>
        // The account of a service that is not simulated stays as it is.
        change(node.type === 'authy-config' && node['simulated'] === true ? { ...node, ...account } : node),
      );

    /** The state that an example sends to its page. */
    async function state<T>(page: string): Promise<T> {
      const response = await fetch(`${nodeRed.nodeUrl}${page}/state`);
      response.status.should.equal(200);
      return (await response.json()) as T;
    }

    async function stateIs(page: string, expected: object): Promise<void> {
      let last: object = {};
      await eventually(`${page} to get ${JSON.stringify(expected)}`, async () => {
        last = await state<Record<string, unknown>>(page);
        return matches(last, expected) || undefined;
      }).catch((error: unknown) => {
        throw new Error(`${(error as Error).message} The last state was ${JSON.stringify(last)}.`);
      });
    }

    /** Presses a button of a page. */
    async function press(route: string): Promise<void> {
      const response = await fetch(nodeRed.nodeUrl + route, { method: 'POST' });
      response.status.should.equal(202);
      await response.body?.cancel();
    }

    async function page(route: string): Promise<string> {
      const response = await fetch(nodeRed.nodeUrl + route);
      response.status.should.equal(200);
      should(response.headers.get('content-type')).startWith('text/html');
      return response.text();
    }

    describe('signing up', () => {
      const url = (): string => `${nodeRed.nodeUrl}authy/sign-up`;
      const who = { email: 'ada@example.com', phoneNumber: '+13175550124' };
      /** As pasted from an app that adds a space or a line break. */
      const typed = { email: ' ada@example.com ', phoneNumber: '+13175550124\n' };

      it('takes a number, sends a code to it, and creates the user once the code is right', async () => {
        const { phone, press, left, unexpected } = await play('Sign up with phone verification');
        (await page('authy/sign-up')).should.containEql('name="phoneNumber"');
        (await sendForm(url(), typed)).should.deepEqual([200, 'One more step']);
        (await left('authy-phone-info')).should.have.property('type');
        (await left('authy-phone-start')).should.containEql({ via: 'sms' });
        await press('look at the last one');
        (await left('authy-phone-status')).should.containEql({ status: 'pending' });

        const code = await lastCode(phone, 'sms');
        (await sendForm(url(), { ...who, code: wrong(code) })).should.deepEqual([200, 'Not right']);
        (await left('authy-phone-check', 1)).should.containEql({ valid: false, reason: 'wrong' });
        (await sendForm(url(), { ...typed, code: ` ${code}\r\n` })).should.deepEqual([200, 'Welcome']);
        (await left('authy-phone-check', 0)).should.containEql({ valid: true });
        (await left('authy-user-create')).should.have.property('authyId');
        await press('look at the last one');
        (await left('authy-phone-status')).should.containEql({ status: 'verified' });
        (await unexpected()).should.deepEqual([]);
      });

      it('calls a landline, and says what is wrong with what was typed', async () => {
        const { left } = await play('Sign up with phone verification');
        (await sendForm(url(), { ...who, phoneNumber: '+13175550000' })).should.deepEqual([
          200,
          'One more step',
        ]);
        (await left('authy-phone-start')).should.containEql({ via: 'call' });

        const refused = await fetch(url(), {
          method: 'POST',
          body: new URLSearchParams({ ...who, phoneNumber: '<b>12</b>' }),
        });
        refused.status.should.equal(400);
        const html = await refused.text();
        html.should.containEql('Type the number with its country code').and.not.containEql('<b>');
      });
    });

    describe('logging in with an authenticator', () => {
      it('shows the QR code until a code was right; a code that the flow sends is right as well', async () => {
        const { press, left, context } = await play('Log in with an authenticator code');
        const url = `${nodeRed.nodeUrl}authy/authenticator`;
        const picture = /<img src="data:image(?:\/|&#x2F;)svg/;
        (await page('authy/authenticator')).should.not.match(picture);
        await press('create the user, and a QR code');
        const { authyId } = (await left('authy-user-create')) as { authyId: string };
        (await left('authy-user-qr')).should.containEql({ authyId, issuer: 'Example log-in' });
        await context('user');
        (await page('authy/authenticator')).should.match(picture);
        await press('send a code');
        (await left('authy-token-sms')).should.containEql({ sent: true });
        const { text } = (await left('authy-notifications')) as { text: string };
        const code = /[0-9]{6}/.exec(text)?.[0] ?? '';
        (await sendForm(url, { code: wrong(code) })).should.deepEqual([200, 'Not right']);
        (await left('authy-token-verify', 1)).should.containEql({ valid: false, reason: 'wrong' });
        (await sendForm(url, { code: ` ${code}\r\n` })).should.deepEqual([200, 'Welcome']);
        (await left('authy-token-verify', 0)).should.containEql({ valid: true });
        (await page('authy/authenticator')).should.not.match(picture);
        (await sendForm(url, { code: 'x' })).should.deepEqual([400, 'Not checked']);
        (await left('catch', 0, 'could not be checked')).should.containEql({ code: 'AUTHY_INVALID_INPUT' });
      });
    });

    describe('logging in', () => {
      const url = (): string => `${nodeRed.nodeUrl}login`;

      async function ready(): Promise<Played> {
        const played = await play('Log in with a code by SMS');
        await played.context('users');
        return played;
      }

      it('sends a code to the phone that belongs to the name, and takes it once', async () => {
        const { phone, left } = await ready();
        (await page('login')).should.containEql('name="name"');
        (await sendForm(url(), { name: ' Ada ' })).should.deepEqual([200, 'Your code']);
        (await left('authy-token-sms')).should.containEql({ sent: true });
        const code = await lastCode(phone, 'sms');
        (await sendForm(url(), { name: 'ben', code })).should.deepEqual([401, 'Not right']);
        (await sendForm(url(), { name: 'ada', code: wrong(code) })).should.deepEqual([401, 'Not right']);
        (await sendForm(url(), { name: 'ada', code })).should.deepEqual([200, 'Welcome']);
        (await sendForm(url(), { name: 'ada', code })).should.deepEqual([401, 'Not right']);
      });

      it('takes the right code with a space or a line break around it', async () => {
        for (const [before, behind] of [
          ['', ' '],
          ['', '\r\n'],
          ['\t', ''],
        ]) {
          const { phone, left } = await ready();
          await sendForm(url(), { name: 'ada' });
          await left('authy-token-sms');
          const code = `${before}${await lastCode(phone, 'sms')}${behind}`;
          (await sendForm(url(), { name: 'ada', code })).should.deepEqual([200, 'Welcome']);
        }
      });

      it('gives an unknown name the same answer as a known one, but sends nothing', async () => {
        const { phone, left } = await ready();
        const known = await text({ name: 'ada' });
        const unknown = await text({ name: 'eva' });
        unknown.replaceAll('eva', 'ada').should.equal(known);
        await left('authy-token-sms');
        (await phone.messages()).should.have.length(1);

        const right = { name: 'ada', code: '12 34' };
        (await text({ ...right, name: 'eva' })).replaceAll('eva', 'ada').should.equal(await text(right));
        (await text({ name: '<b>', code: '1234567' })).should.not.containEql('<b>');
      });

      it('takes five tries, one at a time, and no sixth, even if its code is right', async () => {
        const { phone, left } = await ready();
        await sendForm(url(), { name: 'ada' });
        await left('authy-token-sms');
        const code = await lastCode(phone, 'sms');
        const tries = Array.from({ length: 20 }, () => sendForm(url(), { name: 'ada', code: wrong(code) }));
        for (const answer of await Promise.all(tries)) answer.should.deepEqual([401, 'Not right']);
        (await sendForm(url(), { name: 'ada', code })).should.deepEqual([401, 'Not right']);
        (await phone.requests(paths.check)).should.equal(5);
      });

      it('lets nobody in while the codes cannot be checked', async () => {
        const { phone, left } = await ready();
        await sendForm(url(), { name: 'ada' });
        await left('authy-token-sms');
        const code = await lastCode(phone, 'sms');
        await phone.faults({ kind: 'drop', path: paths.check, times: 1 });
        (await sendForm(url(), { name: 'ada', code })).should.deepEqual([401, 'Not right']);
        (await left('catch', 0, 'could not be checked')).should.containEql({ code: 'AUTHY_OUTCOME_UNKNOWN' });
        (await sendForm(url(), { name: 'ada', code })).should.deepEqual([200, 'Welcome']);
      });

      async function text(form: Record<string, string>): Promise<string> {
        return (await fetch(url(), { method: 'POST', body: new URLSearchParams(form) })).text();
      }
    });

    describe('the alarm', () => {
      const name = 'Disarm the alarm from a dashboard';
      const short = (node: FlowNode): FlowNode =>
        node.type === 'authy-onetouch-approval' ? { ...node, timeout: '1' } : node;

      it('is armed at the start, goes off once the phone has approved, and is armed again', async () => {
        const { phone, pending, press: inject } = await play(name);
        (await page('alarm')).should.containEql('Disarm');
        await stateIs('alarm', { alarm: 'armed' });
        await inject('the front door opens');
        await stateIs('alarm', { alarm: 'sounding', note: 'The front door was opened!' });
        await press('alarm/disarm');
        await stateIs('alarm', { alarm: 'sounding', step: 'asking' });
        await phone.answer((await pending()).uuid, 'approve');
        await stateIs('alarm', { alarm: 'off', step: 'approved' });
        await press('alarm/arm');
        await stateIs('alarm', { alarm: 'armed', step: '' });
      });

      it('stays armed when the phone denies, and when nobody answers', async () => {
        const { phone, pending } = await play(name);
        await stateIs('alarm', { alarm: 'armed' });
        await press('alarm/disarm');
        await phone.answer((await pending()).uuid, 'deny');
        await stateIs('alarm', { alarm: 'armed', step: 'denied' });

        await play(name, short);
        await stateIs('alarm', { alarm: 'armed', step: '' });
        await press('alarm/disarm');
        await stateIs('alarm', { alarm: 'armed', step: 'expired' });
      });

      it('stays armed if it is armed again after the question, whatever the phone answers', async () => {
        const { phone, pending, left, unexpected } = await play(name);
        await stateIs('alarm', { alarm: 'armed' });
        await press('alarm/disarm');
        const { uuid } = await pending();
        await left('authy-user-create');
        await press('alarm/arm');
        await stateIs('alarm', { alarm: 'armed', step: '' });
        await phone.answer(uuid, 'approve');
        (await unexpected()).should.deepEqual([]);
        await stateIs('alarm', { alarm: 'armed', step: '' });
      });

      it('says why nobody could be asked, and stays armed', async () => {
        await play(name, (node) =>
          node.type === 'authy-onetouch-approval' ? { ...node, message: '' } : node,
        );
        await stateIs('alarm', { alarm: 'armed' });
        await press('alarm/disarm');
        await stateIs('alarm', {
          alarm: 'armed',
          step: 'error',
          note: 'Message is missing. Enter it in the node.',
        });
      });
    });

    describe('two approvers', () => {
      const name = 'Two approvers (four eyes)';
      const phones = { ada: '+13175550123', ben: '+13175550124' };

      /** Asks both, and returns the id of the request on each phone. */
      async function ask(change?: (node: FlowNode) => FlowNode) {
        const played = await play(name, change);
        (await page('payment')).should.containEql('Ask both');
        await press('payment/ask');
        const requests = await eventually('both to be asked', async () => {
          const open = (await played.phone.approvals()).filter(({ status }) => status === 'pending');
          return open.length === 2 ? open : undefined;
        });
        const on = (phone: string): string => requests.find((request) => request.phone === phone)?.uuid ?? '';
        await stateIs('payment', { step: 'asking', ada: 'asked', ben: 'asked' });
        return { ...played, ada: on(phones.ada), ben: on(phones.ben) };
      }

      for (const [first, second] of [
        ['ada', 'ben'],
        ['ben', 'ada'],
      ] as const) {
        it(`pay when both have said yes, ${first} first`, async () => {
          const { phone, ...asked } = await ask();
          await phone.answer(asked[first], 'approve');
          await stateIs('payment', { step: 'asking', [first]: 'approved', [second]: 'asked' });
          await phone.answer(asked[second], 'approve');
          await stateIs('payment', { step: 'approved', [first]: 'approved', [second]: 'approved' });
        });
      }

      it('pay nothing when one says no after the other has said yes', async () => {
        const { phone, ada, ben } = await ask();
        await phone.answer(ada, 'approve');
        await stateIs('payment', { ada: 'approved' });
        await phone.answer(ben, 'deny');
        await stateIs('payment', { step: 'denied', ada: 'approved', ben: 'denied' });
      });

      it('when one says no, the question to the other one is withdrawn', async () => {
        const { phone, ada, ben, left, unexpected } = await ask();
        await phone.answer(ada, 'deny');
        await stateIs('payment', { step: 'denied', ada: 'denied', ben: 'withdrawn' });
        await phone.answer(ben, 'approve');
        for (const who of ['Ada', 'Ben']) await left('authy-user-create', 0, who);
        (await left('authy-onetouch-approval', 1, 'ask Ada')).should.containEql({ decision: 'denied' });
        (await unexpected()).should.deepEqual([]);
        await stateIs('payment', { step: 'denied', ben: 'withdrawn' });
      });

      it('pay nothing when one does not answer', async () => {
        const { phone, ada } = await ask((node) =>
          node.name === 'ask Ben' ? { ...node, timeout: '6', secondsToExpire: '60' } : node,
        );
        await phone.answer(ada, 'approve');
        await stateIs('payment', { step: 'expired', ada: 'approved', ben: 'expired' });
      });

      it('have to be two people: one phone under two names is not asked', async () => {
        const { phone } = await play(name, (node) =>
          node.type === 'authy-user-create' ? { ...node, phoneNumber: phones.ada } : node,
        );
        await press('payment/ask');
        await stateIs('payment', { step: 'error' });
        (await phone.approvals()).should.deepEqual([]);
      });

      it('are not asked if one of them cannot be asked', async () => {
        await play(name, (node) => (node.name === 'ask Ben' ? { ...node, message: '' } : node));
        await press('payment/ask');
        await stateIs('payment', {
          step: 'error',
          note: 'Message is missing. Enter it in the node. Nothing is paid.',
          ada: 'withdrawn',
        });
      });
    });

    describe('a callback through a proxy', () => {
      for (const [answer, output, status] of [
        ['approve', 0, 'approved'],
        ['deny', 1, 'denied'],
      ] as const) {
        it(`is accepted (${status}) if the public address is known, and rejected if it is not`, async () => {
          const {
            phone,
            press: inject,
            pending,
            left,
            unexpected,
          } = await play('Callback behind a reverse proxy');
          await inject('ask');
          const { uuid } = await pending();
          await left('authy-user-create');
          await left('authy-onetouch-send');
          await phone.answer(uuid, answer);
          (await left('authy-onetouch-callback', output, 'knows its public URL')).should.containEql({
            status,
            approvalId: uuid,
          });
          (await left('authy-onetouch-callback', 2, 'knows nothing')).should.deepEqual({
            error: 'Forbidden',
          });
          nodeRed.log.should.containEql('signatureMismatch');
          (await unexpected()).should.deepEqual([]);
        });
      }

      it('is refused with 403 through the proxy if it is not signed', async () => {
        await play('Callback behind a reverse proxy');
        const response = await fetch(`${nodeRed.nodeUrl}proxy/outside`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"status":"approved"}',
        });
        response.status.should.equal(403);
        (await response.text()).should.equal('{"error":"Forbidden"}');
      });
    });

    describe('errors', () => {
      const name = 'Errors and what to do about them';
      const hasty = (node: FlowNode): FlowNode => {
        if (node.type === 'delay') return { ...node, timeout: '10', timeoutUnits: 'milliseconds' };
        return node.type === 'authy-onetouch-approval' ? { ...node, coolDown: 0 } : node;
      };
      const lost = { kind: 'drop', path: paths.ask, method: 'POST', after: true, times: 1 };
      const refused = { kind: 'status', status: 429, path: paths.ask, method: 'POST' };

      for (const [inject, faults, code, advice] of [
        ['a wrong input', [], 'AUTHY_INVALID_INPUT', /ask again/],
        ['a user who is gone', [], 'AUTHY_USER_NOT_FOUND', /Create the user again/],
        ['a person who can be asked', [lost], 'AUTHY_OUTCOME_UNKNOWN', /Never repeat/],
        ['a person who can be asked', [refused], 'AUTHY_RATE_LIMITED', /Tried three times/],
      ] as const) {
        it(`${code} comes with what to do about it`, async () => {
          const { phone, press: inject_, context } = await play(name, hasty);
          await phone.faults(...faults);
          await inject_(inject);
          const found = (await context('advice')) as { code: string; message: string; advice: string };
          found.code.should.equal(code);
          found.advice.should.match(advice);
          found.message.should.not.match(/Error: /);
          if (code === 'AUTHY_OUTCOME_UNKNOWN') (await phone.approvals()).should.have.length(1);
        });
      }

      it('a question that came too soon is tried again, and finished ones are counted', async () => {
        const {
          phone,
          press: inject,
          context,
          left,
        } = await play(name, (node) => {
          if (node.type === 'delay') return { ...node, timeout: '4500', timeoutUnits: 'milliseconds' };
          return node.type === 'authy-onetouch-approval' ? { ...node, coolDown: 4 } : node;
        });
        await inject('a person who can be asked');
        await inject('a person who can be asked');
        (await left('catch')).should.containEql({ code: 'AUTHY_COOL_DOWN' });
        const open = await eventually('the second question', async () => {
          const found = await phone.approvals();
          return found.length === 2 ? found : undefined;
        });
        for (const { uuid } of open) await phone.answer(uuid, 'approve');
        await eventually('both to be counted', async () => (await context('done')) === 2 || undefined);
      });

      it('the lamp shows trouble until something works', async () => {
        const { press: inject, context } = await play(name);
        const lampIs = (lamp: string): Promise<true> =>
          eventually(`the lamp to be ${lamp}`, async () => (await context('lamp')) === lamp || undefined);
        await inject('a wrong input');
        await lampIs('on');
        await inject('a person who can be asked');
        await lampIs('off');
      });
    });

    it('a list of users in CSV is imported, and the rows that failed are listed with the reason', async () => {
      const { context } = await play('Import users from CSV', (node) => {
        if (node.type === 'delay') return { ...node, rate: '8' };
        if (node.name !== 'the old list') return node;
        // Lists typed by people have spaces around the values.
        return { ...node, template: String(node['template']).replace(/^1001,(.*),(.*)$/m, '1001, $1 ,$2 ') };
      });
      await context('import');
      (await page('import')).should.containEql('<progress');
      await stateIs('import', { running: false, total: 0 });
      await press('import/start');
      const seen = new Set<number>();
      interface Import {
        running: boolean;
        total: number;
        rows: { id: string; email: string; authyId: string }[];
        failures: { id: string; why: string }[];
      }
      const done = await eventually('the end of the import', async () => {
        const now = await state<Import>('import');
        seen.add(now.rows.length + now.failures.length);
        return now.total > 0 && !now.running ? now : undefined;
      });
      [...seen].some((count) => count > 0 && count < 20).should.be.true();
      done.total.should.equal(20);
      done.rows.should.have.length(18);
      new Set(done.rows.map(({ authyId }) => authyId)).size.should.equal(18);
      done.failures.map(({ id }) => id).should.deepEqual(['1007', '1014']);
      for (const { why } of done.failures) why.should.match(/^msg\.(?:phoneNumber|email) /);

      const csv = await fetch(`${nodeRed.nodeUrl}import/users.csv`);
      should(csv.headers.get('content-type')).startWith('text/csv');
      const lines = (await csv.text()).trim().split('\r\n');
      should(lines[0]).equal('id,email,authyId');
      should(lines[1]).equal(`1001,ada@example.com,${done.rows[0]?.authyId ?? ''}`);
      lines.should.have.length(19);
    });

    it('the nightly check reports that all is well, or what is wrong', async () => {
      const name = 'Nightly check and statistics (Dashboard 2)';
      const { phone, press: inject, context, left } = await play(name);
      await inject('every night at 3');
      should(await context('notice')).match(/: All is well with /);
      (await left('authy-app-stats')).should.have.property('months');

      const again = await play(name);
      await phone.faults({ kind: 'status', status: 401, code: unknownKey, path: paths.application });
      await again.press('every night at 3');
      should(await again.context('notice')).match(/: Authy does not accept the API key any more/);
    });
  });
}

/** Whether an object has all members of another one, with the same values. */
function matches(object: object, expected: object): boolean {
  const members = object as Record<string, unknown>;
  return Object.entries(expected).every(([name, value]) => members[name] === value);
}
