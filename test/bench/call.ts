/** Every call asks whether this user's token is valid. */
export const authyId = '209';
export const token = '0123456';
export const apiKey = 'benchmark-test-key';

/** The path and query of the call. */
export const verifyPath = `/protected/json/verify/${token}/${authyId}?force=true`;

/** Something that makes the call. */
export interface Caller {
  readonly name: string;
  /** Makes one call; rejects if the answer is not "valid". */
  readonly call: () => Promise<void>;
}

/** Throws unless the parsed answer says "valid", in the way that is documented. */
export function checkAnswer(statusCode: number, body: unknown): void {
  const { success, token: said } = body as { success?: unknown; token?: unknown };
  if (statusCode !== 200 || success !== 'true' || said !== 'is valid') throw new Error('A wrong answer.');
}
