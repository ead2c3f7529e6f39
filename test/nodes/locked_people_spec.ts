import should from 'should';
import { type Operation, operations } from '../../nodes/lib/contract/operations';
import type { People } from '../../nodes/lib/contract/people';
import type { OperationName } from '../../nodes/lib/contract/results';
import { without } from '../../nodes/lib/contract/without';
import { ApproverAccount, type Enrolled } from '../support/approver_account';
import { codeAt } from '../support/local_account';
import { eventually } from '../support/node_red';

const names = Object.keys(operations) as OperationName[];
const phoneNumber = '+13175550142';

/**
 * What becomes of each operation about somebody who is locked: what asks or believes them, or gives them something to be
 * believed by, is refused; what reads, deletes or updates is done. Others are about nobody who is known.
 */
const fates: Readonly<Record<OperationName, 'refused' | 'done' | 'about nobody'>> = {
  userCreate: 'done',
  userStatus: 'done',
  userUpdate: 'done',
  userDelete: 'done',
  userExport: 'done',
  userImport: 'refused',
  userQr: 'refused',
  userInvite: 'refused',
  userActivity: 'done',
  tokenSms: 'refused',
  tokenCall: 'refused',
  tokenEmail: 'refused',
  tokenVerify: 'refused',
  phoneStart: 'about nobody',
  phoneCheck: 'about nobody',
  phoneStatus: 'about nobody',
  phoneInfo: 'about nobody',
  appDetails: 'about nobody',
  appStats: 'about nobody',
  onetouchSend: 'refused',
  onetouchStatus: 'done',
};

for (const [what, settings] of [
  ['this Node-RED', { service: 'local', simulated: false }],
  ['Twilio Verify', { service: 'verify' }],
  ['Twilio Verify with an app of one’s own', { service: 'verify', verifyPush: true }],
] as const) {
  describe(`Somebody who is locked, on ${what}`, () => {
    let account: ApproverAccount;
    let ada: Enrolled;
    let approvalId: string;

    beforeEach(async () => {
      account = await ApproverAccount.start({ ...settings, verifyPush: false });
      if (settings.service === 'verify') {
        // A simulator outlives its flow.
        await account.perform('appDetails', {});
        await account.control('post', '/reset');
      }
      ada = await account.enrolled();
      await account.set(settings);
      const { authyId } = ada;
      const question = { authyId, message: 'Open?', secondsToExpire: 300 };
      approvalId = String((await account.perform('onetouchSend', question)).payload['approvalId']);
      await lock(true);
    });
    afterEach(() => account.stop());

    const people = (): People => account.flow.account('account').people();

    const lock = (isLocked: boolean): Promise<unknown> =>
      people().change(ada.authyId, (person) =>
        isLocked ? { ...person, locked: true } : without(person, 'locked'),
      );

    /** The last one of their authenticator that was used, or is being asked about. */
    const lastStep = async (): Promise<number> =>
      (await people().find(ada.authyId))?.factors.at(-1)?.lastStep ?? -1;

    /** What they would be asked, or would answer, if they were not locked. */
    function valuesOf(name: OperationName): Record<string, unknown> {
      const { authyId, totp } = ada;
      const all = {
        ...{ authyId, phoneNumber, approvalId, email: 'new@example.com', message: 'Again?' },
        ...{ token: codeAt(totp), code: '1234', activity: 'banned', via: 'sms', secondsToExpire: 300 },
      };
      const { inputs }: Operation = operations[name];
      const values = Object.entries(all).filter(([input]) => input in inputs);
      // A code of another authenticator, that is to be theirs.
      const imported = { totpSecret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', token: '' };
      return { ...Object.fromEntries(values), ...(name === 'userImport' ? imported : {}) };
    }

    const attempt = (name: OperationName): Promise<object> => account.try(name, valuesOf(name));

    for (const name of names) {
      it(`${name}: ${fates[name]}`, async () => {
        if (name === 'userImport') await withoutAuthenticator();
        const end = await attempt(name);
        if ('code' in end && end.code === 'AUTHY_NOT_SUPPORTED') return;
        if (fates[name] !== 'refused') {
          should(end).have.property('output');
          return;
        }
        should(end).match({ code: 'AUTHY_USER_UNAVAILABLE', message: /Unlock the user first/ });
        await lock(false);
        should(await attempt(name)).have.property('output', 0);
      });
    }

    it('is believed nothing, and told nothing: no code is used up, and none is sent', async () => {
      const told = account.told.length;
      for (const name of ['tokenVerify', 'tokenSms', 'onetouchSend'] as const) await attempt(name);
      should(account.told).have.length(told);
      await lock(false);
      should(await attempt('tokenVerify')).match({ output: 0 });
    });

    if (settings.service === 'verify') {
      it('and is locked while Twilio is asked about their code: it does not count', async () => {
        await lock(false);
        const faults = [{ kind: 'latency', ms: 1500, path: '/Challenges', times: 1 }];
        await account.control('put', '/faults', { faults });
        const before = await lastStep();
        const end = attempt('tokenVerify');
        await eventually('the code to be asked about', async () => (await lastStep()) > before || undefined);
        await lock(true);
        should(await end).match({ code: 'AUTHY_USER_UNAVAILABLE' });
      });
    }

    if (!('verifyPush' in settings)) {
      it('is shown nothing on the page, and their answers do not count', async () => {
        const { browser, totp } = ada;
        const refused = { status: 403, code: 'locked' };
        for (const [call, body] of [
          ['state', {}],
          ['approve', { id: approvalId, code: codeAt(totp) }],
          ['deny', { id: approvalId, notMe: false }],
        ] as const) {
          should(await browser.refusal(call, body)).match(refused);
        }
        should(await account.perform('onetouchStatus', { approvalId })).match({ output: 2 });
        await lock(false);
        await browser.call('approve', { id: approvalId, code: codeAt(totp) });
      });
    }

    async function withoutAuthenticator(): Promise<void> {
      await people().change(ada.authyId, (person) => ({ ...person, factors: [] }));
    }
  });
}
