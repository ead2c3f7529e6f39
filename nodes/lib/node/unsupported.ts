import type { Node } from 'node-red';
import type { Account } from '../account/account';
import { AuthyError } from '../contract/errors';
import type { OperationName } from '../contract/results';
import type { Badge } from './badge';

/**
 * Warns at deploy of what the account's service does not do: otherwise only messages would say so.
 *
 * @param known - the values of the inputs that are known now, validated
 * @returns whether it warned
 */
export function warnOfUnsupported(
  node: Node,
  badge: Badge,
  account: Account | undefined,
  name: OperationName,
  known: Readonly<Record<string, unknown>>,
): boolean {
  const reason = account?.unsupported(name, known);
  if (reason === undefined) return false;
  node.warn(reason);
  badge.failed(new AuthyError('AUTHY_NOT_SUPPORTED', reason));
  return true;
}
