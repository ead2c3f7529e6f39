import type { Node } from 'node-red';
import type { Account } from '../account/account';
import type { OperationName } from '../contract/results';
import type { Badge } from './badge';
import type { NodeInputs } from './inputs';

/**
 * Warns at deploy of what the account's service does not do: otherwise only messages would say so.
 *
 * @param known - the values of the inputs that are known now, validated
 * @returns whether it warned
 */
export function warnOfUnsupported(
  { node, badge, inputs }: { readonly node: Node; readonly badge: Badge; readonly inputs: NodeInputs },
  account: Account | undefined,
  name: OperationName,
  known: Readonly<Record<string, unknown>>,
): boolean {
  const unsupported = account?.unsupported(name, known);
  if (unsupported === undefined) return false;
  const error = inputs.withSource(unsupported);
  node.warn(error.message);
  badge.failed(error);
  return true;
}
