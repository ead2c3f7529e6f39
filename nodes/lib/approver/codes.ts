import type { CodeVerdict } from '../contract/approver';
import type { ApproverHost } from './host';
import { Refused } from './refused';

const problemOf = { wrong: 'wrongCode', reused: 'reusedCode', tooManyAttempts: 'tooManyAttempts' } as const;

/**
 * Takes a code of a person's authenticator: it is used up.
 *
 * @param code - as it was typed; null if none was
 * @throws Refused - it does not count
 */
export async function takeCode(
  host: Pick<ApproverHost, 'codes'>,
  authyId: string,
  code: string | null,
): Promise<void> {
  const isCode = code !== null && /^[0-9]{6,8}$/.test(code);
  const verdict: CodeVerdict = isCode ? await (await host.codes()).check(authyId, code) : 'wrong';
  if (verdict !== 'valid') throw new Refused(problemOf[verdict]);
}
