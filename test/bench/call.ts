/** What is asked in every call: whether a token of a user is valid. */
export const authyId = '209';
export const token = '0123456';
export const apiKey = 'benchmark-test-key';

/** The path and query with which it is asked. */
export const verifyPath = `/protected/json/verify/${token}/${authyId}?force=true`;

/** Somebody who makes that call. */
export interface Caller {
  readonly name: string;
  /** Makes one call; rejects where the answer is not "valid". */
  readonly call: () => Promise<void>;
}

/** The answer as it was parsed has to say "valid", as the documentation has it. */
export function checkAnswer(statusCode: number, body: unknown): void {
  const { success, token: said } = body as { success?: unknown; token?: unknown };
  if (statusCode !== 200 || success !== 'true' || said !== 'is valid') throw new Error('A wrong answer.');
}
