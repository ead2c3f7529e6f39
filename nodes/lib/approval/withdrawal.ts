import { refusedInput } from '../contract/errors';
import * as input from '../contract/validation';

/** The value of `msg.cancel` that withdraws every request of the node. */
const allMine = 'all mine';

/**
 * Which requests a message with `reset` or `cancel` withdraws.
 *
 * @returns an approval id in lower case; undefined for all requests of the node
 * @throws AuthyError - `AUTHY_INVALID_INPUT`
 */
export function withdrawnBy(message: object): string | undefined {
  const { cancel } = message as { cancel?: unknown };
  if (Object.hasOwn(message, 'reset') || cancel === allMine) return undefined;
  try {
    return input.uuid(cancel, 'cancel');
  } catch {
    throw refusedInput(
      'cancel',
      `msg.cancel is no approval ID. It must be one, as in msg.payload.approvalId, or “${allMine}”.`,
    );
  }
}

/** Values of `msg.cancel` that withdraw nothing, for flows that set it on every message. */
const none: readonly unknown[] = [undefined, null, false, ''];

/** Whether a message does not ask, but withdraws. */
export function isWithdrawal(message: object): boolean {
  return Object.hasOwn(message, 'reset') || !none.includes((message as { cancel?: unknown }).cancel);
}
