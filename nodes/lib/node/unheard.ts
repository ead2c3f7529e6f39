import type { Node, NodeAPI } from 'node-red';
import { accountOf } from '../account/account';
import { AuthyError } from '../contract/errors';
import type { OperationName } from '../contract/results';
import type { Badge } from './badge';
import { deploysOf } from './deploys';

/** The accounts of which a node has said at the end of this deploy that only open pages are told: one warning is enough. */
const said = new Set<string>();

/**
 * Warns at deploy of what a node tells people and may reach none of them: otherwise only messages would say so. It looks after
 * each deploy, since one that leaves this node as it is may add, remove or disable the notifications node.
 *
 * @param account - the id of the node's account
 * @returns stops looking
 */
export function warnOfUnheard(
  RED: NodeAPI,
  { node, badge }: { readonly node: Node; readonly badge: Badge },
  account: string,
  name: OperationName,
): () => void {
  let wasUnheard = false;
  return deploysOf(RED).onEnd(() => {
    const unheard = accountOf(RED, account)?.unheard(name);
    const isNew = unheard !== undefined && !wasUnheard;
    wasUnheard = unheard !== undefined;
    if (!isNew) return;
    if (unheard.fails) {
      node.warn(unheard.reason);
      badge.failed(new AuthyError('AUTHY_NOT_SENT', unheard.reason));
    } else if (!said.has(account)) {
      node.warn(unheard.reason);
      said.add(account);
      setImmediate(() => said.delete(account));
    }
  });
}
