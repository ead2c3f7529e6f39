import { invalidInput } from '../contract/errors';
import * as input from '../contract/validation';

/** What `msg.cancel` says to withdraw every request of the node. */
const allMine = 'all mine';

/**
 * Which requests a message with `reset` or `cancel` withdraws.
 *
 * @returns an approval id in lower case; undefined for all of the node
 * @throws AuthyError - `AUTHY_INVALID_INPUT`
 */
export function withdrawnBy(message: object): string | undefined {
  const { cancel } = message as { cancel?: unknown };
  if (Object.hasOwn(message, 'reset') || cancel === allMine) return undefined;
  try {
    return input.uuid(cancel, 'cancel');
  } catch {
    throw invalidInput(
      'cancel',
      `expected the id of an approval request, as in msg.payload.approvalId, or "${allMine}".`,
    );
  }
}

/** What `msg.cancel` says where a flow sets it on every message, and nothing is to be withdrawn. */
const none: readonly unknown[] = [undefined, null, false, ''];

/** Whether a message asks for nothing, but takes back what was asked. */
export function isWithdrawal(message: object): boolean {
  return Object.hasOwn(message, 'reset') || !none.includes((message as { cancel?: unknown }).cancel);
}
