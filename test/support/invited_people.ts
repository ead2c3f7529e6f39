import { invitationOf, newSecret, tokenText } from '../../nodes/lib/approver/invitations';
import type { People } from '../../nodes/lib/contract/people';
import { filePeople, peopleRoot } from '../../nodes/lib/people/file-people';
import { ProcessRun } from '../../nodes/lib/storage/owned-directory';
import { type ApproverClient, PasskeyPhone } from './approver_client';

/** Somebody with an invitation. */
export interface Invited {
  readonly authyId: string;
  readonly phoneNumber: string;
  /** Behind `#i=` in the address of the invitation. */
  readonly token: string;
}

/** Uses the people of a Node-RED that does not use them itself: it has no account yet, or is stopped. */
export async function withFilePeople<T>(
  { userDir }: { readonly userDir: string },
  use: (people: People) => Promise<T>,
): Promise<T> {
  const run = new ProcessRun();
  const people = filePeople(
    { root: peopleRoot(userDir), accountId: 'account' },
    {
      credentialSecret: 'a secret of the tests',
      tell: (sentence) => process.stderr.write(`${sentence}\n`),
      run,
    },
  );
  try {
    return await use(people);
  } finally {
    await people.close();
    run.end();
  }
}

/** Adds people, and invites each to add a phone. */
export async function invite(people: People, count: number): Promise<Invited[]> {
  return Promise.all(
    Array.from({ length: count }, async (_item, index) => {
      const phoneNumber = `+4917${String(20_000_000 + index)}`;
      const { authyId } = await people.add({ phoneNumber, countryCode: '49', email: 'ada@example.com' });
      const secret = newSecret();
      await people.change(authyId, (one) => ({ ...one, invitation: invitationOf(secret, Date.now()) }));
      return { authyId, phoneNumber, token: tokenText({ authyId, secret }) };
    }),
  );
}

/** A phone, and another one that is added by a recovery code of the first. The second is synced: it does not count. */
export async function twoPhones(
  { token, phoneNumber }: Invited,
  browser: () => ApproverClient,
): Promise<[PasskeyPhone, PasskeyPhone]> {
  const one = new PasskeyPhone(browser());
  const { recoveryCodes } = await one.enrol(token, 'One');
  const [code] = recoveryCodes as string[];
  const other = new PasskeyPhone(browser(), false);
  const recovered = await other.browser.done('recover', { phoneNumber, code });
  await other.enrol(String(recovered['token']), 'Other');
  return [one, other];
}
