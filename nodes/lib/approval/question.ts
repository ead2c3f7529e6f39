import { createHash } from 'node:crypto';
import * as input from '../contract/validation';
import { operations, optional, required, type Values } from '../contract/operations';

/** The inputs of a gate: those of the operation that sends a request, and how long the gate waits for the answer. */
export const approvalInputs = {
  ...operations.onetouchSend.inputs,
  timeout: required(input.integer(1, 31_536_000), '300', 'num'),
  // Blank: as long as the timeout.
  secondsToExpire: optional(input.integer(0, 31_536_000), '', 'num'),
} as const;

/** The validated inputs of a gate. */
export type Asked = Values<typeof approvalInputs>;

/** The inputs of the request that a gate sends: unless it is told otherwise, the phone offers it as long as the gate waits. */
export function requestOf<Given extends Partial<Asked>>(asked: Given): Given {
  return { ...asked, secondsToExpire: asked.secondsToExpire ?? asked.timeout };
}

/** A short text that is the same for the same question to the same person. */
export function questionOf({ authyId, message, details, hiddenDetails, logos, atLeast }: Asked): string {
  const question = JSON.stringify([authyId, message, details, hiddenDetails, logos, atLeast]);
  return createHash('sha256').update(question).digest().subarray(0, 16).toString('base64url');
}
