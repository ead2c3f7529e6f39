import { createHash } from 'node:crypto';
import * as input from '../contract/validation';
import { operations, optional, required, type Values } from '../contract/operations';

/** What a gate asks: as the operation that sends a request does, and how long it waits for the answer. */
export const approvalInputs = {
  ...operations.onetouchSend.inputs,
  timeout: required(input.integer(1, 31_536_000), '300', 'num'),
  // Blank: as long as the timeout.
  secondsToExpire: optional(input.integer(0, 31_536_000), '', 'num'),
} as const;

/** The validated inputs of a gate. */
export type Asked = Values<typeof approvalInputs>;

/** The same for the same question to the same person, and short. */
export function questionOf({ authyId, message, details, hiddenDetails, logos }: Asked): string {
  const question = JSON.stringify([authyId, message, details, hiddenDetails, logos]);
  return createHash('sha256').update(question).digest().subarray(0, 16).toString('base64url');
}
