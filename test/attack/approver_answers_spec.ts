import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { onAnswers } from '../../nodes/lib/account/answers';
import type { Refused } from '../../nodes/lib/approver/refused';
import { Noted } from '../../nodes/lib/people/noted';
import { thisRun } from '../../nodes/lib/storage/owned-directory';
import { PasskeyPhone } from '../support/approver_client';
import type { HttpAnswer } from '../support/http_request';
import { ApproverFlow, type CodePhone } from '../support/approver_flow';
import { authenticator, codeAt } from '../support/local_account';
import { runs } from '../support/runs';
import { SetClock } from '../support/set_clock';

const [minute, day] = [60_000, 86_400_000];

/** How often each one is there. */
function counted(all: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of all) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

const errorOf = ({ status, body }: HttpAnswer): string => (status === 200 ? 'done' : String(body['error']));

describe('Attack: answers to the approver', function () {
  this.timeout(300_000);
  let approver: ApproverFlow;
  let ada: string;

  async function begin(page?: string, gate: Record<string, unknown> = {}): Promise<void> {
    approver = new ApproverFlow(page);
    await approver.gate(gate);
    ada = await approver.person();
  }

  afterEach(() => approver.stop());

  /** As after a restart: what only the process has remembered is gone. */
  async function restarted(
    gate: Record<string, unknown> = {},
    meanwhile: () => void = () => undefined,
  ): Promise<void> {
    await approver.stop();
    thisRun.end();
    thisRun.directories.clear();
    (Noted.ofProcess() as unknown as { since: Map<string, number> }).since.clear();
    meanwhile();
    await approver.gate(gate);
  }

  describe('many at once', () => {
    it('by two phones, yes and no: one of them counts, and the gate hears of it once', async () => {
      await begin();
      const [one, two] = [await approver.phone(ada, 'One', false), await approver.phone(ada, 'Two', false)];
      for (let round = 0; round < runs(5); round++) {
        const { given, request } = await approver.asked(ada, one.browser);
        const heard: string[] = [];
        const stop = onAnswers('account', ({ decision, approvalId }) =>
          heard.push(`${decision} ${approvalId}`),
        );
        const signed = await Promise.all(
          [one, two].map(async (phone) => {
            const { options } = await phone.browser.done('approve-options', { id: request.id });
            return phone.sign(options);
          }),
        );
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, index) => {
            const phone = index % 2 === 0 ? one : two;
            return index % 3 === round % 3
              ? phone.browser.call('approve', { id: request.id, credential: signed[index % 2] })
              : phone.browser.call('deny', { id: request.id, notMe: false });
          }),
        );
        stop();
        should(counted(answers.map(errorOf))).eql({ done: 1, answered: 49 });
        const outcome = await approver.outcome(given);
        should(heard).eql([`${outcome === 'out0' ? 'approved' : 'denied'} ${request.id}`]);
        const { history } = (await one.browser.state()) as { history: { id: string; outcome: string }[] };
        should(history[0]).match({ id: request.id, outcome: outcome === 'out0' ? 'approved' : 'denied' });
      }
    });

    it('to many requests: each of them ends once, and as its own answer says', async () => {
      await begin();
      const phone = await approver.phone(ada, 'Phone', false);
      const asked = [];
      for (let index = 0; index < 20; index++) asked.push(await approver.asked(ada, phone.browser));
      approver.rest();
      const all = asked.map(async ({ given, request }, index) => {
        const wanted = index % 2 === 0;
        const call = wanted ? phone.approve(request.id) : phone.browser.call('deny', { id: request.id });
        should(await call).match({ status: 200 });
        should(await approver.outcome(given)).equal(wanted ? 'out0' : 'out1');
      });
      await Promise.all(all);
    });

    it('while the phone is removed: before or after, and never half', async () => {
      await begin();
      for (let round = 0; round < runs(5); round++) {
        const phone = await approver.phone(ada, `Phone ${round}`);
        const { given, request } = await approver.asked(ada, phone.browser);
        const { options } = await phone.browser.done('approve-options', { id: request.id });
        const { phones = [] } = await approver.kept(ada);
        const [answer] = await Promise.all([
          phone.browser.call('approve', { id: request.id, credential: phone.sign(options) }),
          approver.approver.phones.remove(ada, phones.at(-1)?.id ?? ''),
        ]);
        const { requests = [] } = await approver.kept(ada);
        const kept = requests.find(({ id }) => id === request.id)?.answer?.decision;
        should([errorOf(answer), kept]).be.oneOf(['done', 'approved'], ['signedOut', undefined]);
        if (kept === 'approved') should(await approver.outcome(given)).equal('out0');
        else should(approver.flow.soFar(given).sent).eql([]);
      }
    });
  });

  describe('wrong codes', () => {
    let phone: CodePhone;

    beforeEach(async () => {
      await begin('http://192.168.1.10:1880/approve', { timeout: '3600' });
      phone = await approver.codePhone(ada);
    });

    const guesses = (count: number): string[] => {
      const right = Array.from({ length: 9 }, (_, index) => phone.codeNow(index - 4));
      const all = Array.from({ length: count + 9 }, (_, index) => String(100_000 + index));
      return all.filter((code) => !right.includes(code)).slice(0, count);
    };

    /** What comes of ten thousand wrong codes that no limit of calls keeps away. */
    async function judgedWithoutLimit(id: string): Promise<string[]> {
      const { asking, signingIn } = approver.approver;
      const [, authyId = '', phoneId = '', secret = ''] =
        /=(\d+)\.([\w-]+)\.([\w-]+)/.exec(phone.browser.cookie ?? '') ?? [];
      const signedIn = await signingIn.signedIn([{ authyId, phoneId, secret }]);
      return Promise.all(
        guesses(runs(10_000)).map((code) =>
          asking.approve(signedIn, { id, code }).then(
            () => 'done',
            (error: unknown) => (error as Refused).problem,
          ),
        ),
      );
    }

    it('10,000 at once: the limit of calls answers nearly all of them, and of the others five are judged', async () => {
      const { given, request } = await approver.asked(ada, phone.browser);
      approver.rest();
      const errors: string[] = [];
      const waiting = guesses(runs(2000));
      const workers = Array.from({ length: 100 }, async () => {
        for (let code = waiting.pop(); code !== undefined; code = waiting.pop()) {
          errors.push(errorOf(await phone.browser.call('approve', { id: request.id, code })));
        }
      });
      await Promise.all(workers);
      should(counted(errors)).eql({ wrongCode: 5, tooManyAttempts: 115, tooMany: errors.length - 120 });
      // Without that limit it is the same.
      approver.rest();
      const judged = await judgedWithoutLimit(request.id);
      should(counted(judged)).eql({ tooManyAttempts: judged.length });
      // Not even the right one counts now, and the person can still say no.
      should(errorOf(await phone.browser.call('approve', { id: request.id, code: phone.codeNow() }))).equal(
        'tooManyAttempts',
      );
      should(approver.flow.soFar(given).sent).eql([]);
      should(await phone.browser.call('deny', { id: request.id })).match({ status: 200 });
      should(await approver.outcome(given)).equal('out1');
    });

    it('10,000 at once without the limit of calls: five are judged', async () => {
      const { request } = await approver.asked(ada, phone.browser);
      const judged = await judgedWithoutLimit(request.id);
      should(counted(judged)).eql({ wrongCode: 5, tooManyAttempts: judged.length - 5 });
    });

    it('lock for their whole time, whatever somebody does to the clock', async () => {
      const clock = new SetClock();
      try {
        const { request } = await approver.asked(ada, phone.browser);
        const approve = async (code: unknown): Promise<string> => {
          approver.rest();
          return errorOf(await phone.browser.call('approve', { id: request.id, code }));
        };
        for (const code of guesses(5)) should(await approve(code)).equal('wrongCode');
        for (const jump of [day, -day, 11 * minute, -11 * minute, 3_600_000, -2 * day, 2 * day]) {
          clock.set(jump);
          should(await approve(phone.codeNow())).equal('tooManyAttempts');
        }
        clock.pass(10 * minute);
        should(await approve(phone.codeNow())).equal('done');
      } finally {
        clock.restore();
      }
    });

    it('that are no codes are not judged, and one code answers one request', async () => {
      const [one, two] = [await approver.asked(ada, phone.browser), await approver.asked(ada, phone.browser)];
      for (const code of [
        ...[
          phone.codeNow().slice(0, 5),
          ` ${phone.codeNow()}`,
          `${phone.codeNow()}\n`,
          Number(phone.codeNow()),
          [phone.codeNow()],
        ],
        ...[
          '١٢٣٤٥٦',
          '12345６',
          '-12345',
          '1e5000',
          '',
          null,
          true,
          {},
          { toString: '123456' },
          phone.recoveryCodes[0],
        ],
      ]) {
        approver.rest();
        should(errorOf(await phone.browser.call('approve', { id: one.request.id, code }))).equal('wrongCode');
      }
      should((await approver.kept(ada)).limits?.wrong ?? []).eql([]);
      approver.rest();
      const code = phone.codeNow();
      const answers = await Promise.all(
        [one, two, one, two].map(({ request }) => phone.browser.call('approve', { id: request.id, code })),
      );
      should(counted(answers.map(errorOf))).match({ done: 1 });
      should(approver.flow.all(0).length).be.belowOrEqual(1);
      // A passkey is never taken for a code, and a code never for a passkey.
      should(errorOf(await phone.browser.call('approve-options', { id: two.request.id }))).be.oneOf(
        'passkeyNeeded',
        'answered',
      );
    });
  });

  describe('the clocks', () => {
    it('an answer counts in the last millisecond, and not in the next one', async () => {
      await begin();
      const phone = await approver.phone(ada);
      for (const [after, error] of [
        [minute - 1, 'done'],
        [minute, 'expired'],
        [minute + 1, 'expired'],
      ] as const) {
        const clock = new SetClock();
        let now = Math.ceil(performance.now());
        performance.now = () => now;
        try {
          const { given, request } = await approver.asked(ada, phone.browser);
          const { options } = await phone.browser.done('approve-options', { id: request.id });
          const credential = phone.sign(options);
          now += after;
          clock.set(after);
          should(errorOf(await phone.browser.call('approve', { id: request.id, credential }))).equal(error);
          if (error === 'done') should(await approver.outcome(given)).equal('out0');
          else should(approver.flow.soFar(given).sent).eql([]);
        } finally {
          clock.restore();
        }
      }
    });

    const jumps = [-day, day, -3_600_000, 3_600_000, -61_000, 61_000];

    it('set back and forth: nothing is open longer than was promised', async () => {
      await begin(undefined, { timeout: '3600', secondsToExpire: '60', secondsToExpireType: 'num' });
      const phone = await approver.phone(ada, 'Phone', false);
      for (const jump of jumps) {
        const clock = new SetClock();
        try {
          const { request } = await approver.asked(ada, phone.browser);
          const token = await approver.invited(ada);
          const { options } = await phone.browser.done('approve-options', { id: request.id });
          clock.set(jump);
          // Nothing has passed yet.
          should(await phone.browser.call('approve-options', { id: request.id })).match({ status: 200 });
          clock.pass(minute);
          clock.set(-2 * jump);
          const credential = phone.sign(options);
          should(errorOf(await phone.browser.call('approve', { id: request.id, credential }))).equal(
            'expired',
          );
          should(errorOf(await phone.browser.call('deny', { id: request.id }))).equal('expired');
          clock.pass(9 * minute);
          should(errorOf(await approver.browser().call('invitation', { token }))).equal('invitation');
        } finally {
          clock.restore();
        }
      }
    });

    it('set back while Node-RED is stopped: what is of a time to come is over', async () => {
      const gate = { timeout: '3600', secondsToExpire: '3000', secondsToExpireType: 'num' };
      await begin(undefined, gate);
      const clock = new SetClock();
      try {
        const phone = await approver.phone(ada);
        const { given, request } = await approver.asked(ada, phone.browser);
        const token = await approver.invited(ada);
        clock.set(-1);
        await restarted(gate);
        const again = Object.assign(approver.browser(), { cookie: phone.browser.cookie });
        should(errorOf(await again.call('approve-options', { id: request.id }))).equal('expired');
        should(errorOf(await again.call('deny', { id: request.id }))).equal('expired');
        should(errorOf(await again.call('invitation', { token }))).equal('invitation');
        should(await approver.outcome(given)).equal('out2');
      } finally {
        clock.restore();
      }
    });

    it('set forward: nobody is asked sooner after “not me”', async () => {
      await begin();
      const clock = new SetClock();
      try {
        const phone = await approver.phone(ada);
        const { given, request } = await approver.asked(ada, phone.browser);
        await phone.browser.done('deny', { id: request.id, notMe: true });
        should(await approver.outcome(given)).equal('out1');
        for (const jump of [10 * minute, day, -2 * day]) {
          clock.set(jump);
          should(await approver.outcome(approver.flow.give({ authyId: ada }))).equal(
            'AUTHY_USER_UNAVAILABLE',
          );
        }
        clock.set(day);
        clock.pass(10 * minute);
        await approver.asked(ada, phone.browser);
      } finally {
        clock.restore();
      }
    });

    it('a challenge for signing in is good for three minutes, and not before it was made', async () => {
      await begin();
      const phone = await approver.phone(ada);
      const signIn = async (after: number): Promise<string> => {
        const clock = new SetClock();
        try {
          const { options } = await approver.browser().done('sign-in-options');
          clock.pass(after);
          return errorOf(await approver.browser().call('sign-in', { credential: phone.sign(options) }));
        } finally {
          clock.restore();
        }
      };
      for (const after of [180_001, day, -1, -day]) should(await signIn(after)).equal('passkeyRefused');
      should(await signIn(180_000)).equal('done');
    });
  });

  describe('a request that could not be approved', () => {
    it('because its text is too long to be kept is asked of nobody', async () => {
      await begin();
      const phone = await approver.phone(ada);
      const details = Array.from({ length: 50 }, (_, index) => ({
        name: `Row ${index}`,
        value: '"'.repeat(200),
        type: 'str',
      }));
      await approver.gate({ details: JSON.stringify(details) });
      const again = Object.assign(approver.browser(), { cookie: phone.browser.cookie });
      should(await approver.outcome(approver.flow.give({ authyId: ada }))).equal('AUTHY_INVALID_INPUT');
      should(await again.requests()).eql([]);
      // What is as long as possible is approved.
      await approver.gate({
        details: JSON.stringify(details.map((row) => ({ ...row, value: 'x'.repeat(200) }))),
      });
      const last = Object.assign(phone, {
        browser: Object.assign(approver.browser(), { cookie: phone.browser.cookie }),
      });
      const { given, request } = await approver.asked(ada, last.browser);
      should(await last.approve(request.id)).match({ status: 200 });
      should(await approver.outcome(given)).equal('out0');
    });
  });

  describe('a restored backup of the people', () => {
    const folder = (): string => path.join(approver.local.userDir, 'authy-people');

    /** What has changed since is undone: the folder as it was, while Node-RED is stopped. */
    async function undone(change: () => Promise<void>, gate: Record<string, unknown> = {}): Promise<void> {
      const copy = path.join(approver.local.userDir, 'copy');
      fs.cpSync(folder(), copy, { recursive: true });
      await change();
      await restarted(gate, () => {
        fs.rmSync(folder(), { recursive: true });
        fs.cpSync(copy, folder(), { recursive: true });
      });
    }

    /** The same phone, after a restart. */
    const again = (phone: PasskeyPhone): PasskeyPhone =>
      Object.assign(phone, { browser: Object.assign(approver.browser(), { cookie: phone.browser.cookie }) });

    it('brings back phones, sessions and locks as they were: nothing of it is noticed', async () => {
      await begin();
      const [one, two] = [await approver.phone(ada, 'One'), await approver.phone(ada, 'Two')];
      const cookies = [one, two].map(({ browser }) => browser.cookie);
      await undone(async () => {
        await two.browser.done('leave');
        await one.browser.done('sign-out');
        await approver.approver.phones.lock(ada, true);
      });
      [one, two].forEach(({ browser }, index) => (browser.cookie = cookies[index]));
      should(await again(one).browser.state()).match({ signedIn: true, phones: 2 });
      should(await again(two).browser.state()).match({ signedIn: true });
      const { given, request } = await approver.asked(ada, two.browser);
      should(await two.approve(request.id)).match({ status: 200 });
      should(await approver.outcome(given)).equal('out0');
    });

    it('opens an answered request again; its message does not leave a second time', async () => {
      const gate = { timeout: '3600' };
      await begin(undefined, gate);
      const phone = await approver.phone(ada);
      const { given, request } = await approver.asked(ada, phone.browser);
      let credential: unknown;
      await undone(async () => {
        const { options } = await phone.browser.done('approve-options', { id: request.id });
        credential = phone.sign(options);
        await phone.browser.done('approve', { id: request.id, credential });
        should(await approver.outcome(given)).equal('out0');
      }, gate);
      should((await again(phone).browser.requests()).map(({ id }) => id)).eql([request.id]);
      // Even the recorded answer counts again, for whoever has the session as well: it says the same as before.
      should(errorOf(await phone.browser.call('approve', { id: request.id, credential }))).equal('done');
      should(errorOf(await phone.browser.call('approve', { id: request.id, credential }))).equal('answered');
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      should(approver.flow.all(0)).have.length(0);
    });

    it('makes used recovery codes and invitations good again, and the codes of the last minute', async () => {
      await begin();
      const first = new PasskeyPhone(approver.browser());
      const { recoveryCodes } = await first.enrol(await approver.invited(ada));
      const [code] = recoveryCodes as string[];
      const codes = await approver.approver.host.codes();
      const totp = authenticator(new URL(await codes.make(ada)).searchParams.get('secret') ?? '');
      should(await codes.check(ada, codeAt(totp, -1))).equal('valid');
      const now = codeAt(totp);
      const token = await approver.invited(ada);
      const recover = (): Promise<HttpAnswer> =>
        approver.browser().call('recover', { phoneNumber: '+13175550142', code });
      await undone(async () => {
        should(await codes.check(ada, now)).equal('valid');
        should(await codes.check(ada, now)).equal('reused');
        await new PasskeyPhone(approver.browser()).enrol(token, 'Used');
        should(errorOf(await recover())).equal('done');
        should(errorOf(await recover())).equal('wrongCode');
      });
      should((await approver.kept(ada)).phones).have.length(1);
      should(await (await approver.approver.host.codes()).check(ada, now)).equal('valid');
      await new PasskeyPhone(approver.browser()).enrol(token, 'Used again');
      should(errorOf(await recover())).equal('done');
    });

    it('brings nothing back whose time is over', async () => {
      await begin();
      const clock = new SetClock();
      try {
        const phone = await approver.phone(ada);
        const { request } = await approver.asked(ada, phone.browser);
        const token = await approver.invited(ada);
        await undone(async () => {
          await phone.browser.done('deny', { id: request.id });
          clock.pass(10 * minute);
        });
        should(errorOf(await again(phone).browser.call('approve-options', { id: request.id }))).equal(
          'expired',
        );
        should(errorOf(await approver.browser().call('invitation', { token }))).equal('invitation');
      } finally {
        clock.restore();
      }
    });
  });
});
