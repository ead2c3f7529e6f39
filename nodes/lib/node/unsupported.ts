import type { Node } from 'node-red';
import type { Account } from '../account/account';
import { AuthyError } from '../contract/errors';
import type { OperationName } from '../contract/results';
import type { Badge } from './badge';

/** Warns at deploy of an operation that the account's service does not do: otherwise only messages would say so. */
export function warnOfUnsupported(
  node: Node,
  badge: Badge,
  account: Account | undefined,
  name: OperationName,
): void {
  const reason = account?.unsupported(name);
  if (reason === undefined) return;
  node.warn(reason);
  badge.failed(new AuthyError('AUTHY_NOT_SUPPORTED', reason));
}
