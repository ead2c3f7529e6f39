import type { TOTP } from 'otpauth';
import should from 'should';
import { ApproverAccount } from '../support/approver_account';
import { authenticatorAt, tokenOf } from '../support/approver_browser';
import { authenticator, codeAt } from '../support/local_account';

describe('Recovery codes of a phone that answers by code', () => {
  let account: ApproverAccount;
  beforeEach(async () => {
    account = await ApproverAccount.start({ service: 'local', simulated: false });
  });
  afterEach(() => account.stop());

  const phoneNumber = '+13175550142';

  it('each adds one phone, once, and tells the others', async () => {
    const { authyId, browser, totp, recoveryCodes } = await account.enrolled(phoneNumber);
    should(recoveryCodes).have.length(10);
    const [code = ''] = recoveryCodes;
    const second = account.browser();
    const typed = `${code.slice(0, 4)} ${code.slice(4, 8)}-${code.slice(8)}`;
    const { token } = await second.call<{ token: string }>('recover', { phoneNumber, code: typed });
    const enrolled = await second.enrolByCode(token, () => codeAt(totp), 'Tablet');
    // The other nine are still known.
    should(enrolled.recoveryCodes).be.null();
    should(await browser.state()).match({ phones: 2, recoveryLeft: 9 });
    should(account.told.at(-1)).match({ topic: 'warning', payload: { to: { authyId } } });
    should((await account.browser().refusal('recover', { phoneNumber, code })).code).equal('wrongCode');
  });

  it('those of a QR code that was made meanwhile stay the only ones: no others are shown', async () => {
    const authyId = await account.newPerson(phoneNumber);
    const invitation = await account.invite(authyId);
    const browser = account.browser();
    await browser.open(invitation);
    const { payload } = await account.perform('userQr', { authyId });
    const person = await account.flow.account('account').people().find(authyId);
    const totp = authenticator(person?.factors.at(-1)?.secret ?? '');
    const enrol = { token: tokenOf(invitation), name: 'Phone', code: codeAt(totp) };
    should(await browser.call('enrol', enrol)).match({ recoveryCodes: null });
    should((await browser.state()).recoveryLeft).equal(10);
    const [code] = payload['recoveryCodes'] as string[];
    const other = account.browser();
    const { token } = await other.call<{ token: string }>('recover', { phoneNumber, code });
    should((await other.open(token)).authenticator).eql({ isKnown: true });
  });

  it('an authenticator that was set up by the page counts only once its first code was right', async () => {
    const authyId = await account.newPerson(phoneNumber);
    const browser = account.browser();
    const { authenticator: made } = await browser.open(await account.invite(authyId));
    should((await account.perform('userStatus', { authyId })).payload).match({ confirmed: false });
    const totp: TOTP = authenticatorAt((made as { address: string }).address);
    should(totp.issuer).equal('Front door');
    should((await account.perform('tokenVerify', { authyId, token: codeAt(totp) })).output).equal(0);
    should((await account.perform('userStatus', { authyId })).payload).match({ confirmed: true });
  });
});
