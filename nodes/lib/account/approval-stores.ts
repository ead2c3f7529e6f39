import type { ContextStore } from '../storage/context-records';
import { LocalStores } from '../storage/local-stores';
import { redisStores } from '../storage/redis/stores';
import type { Stores } from '../storage/stores';
import type { OnAnswer } from './answers';

/** Where open approval requests are kept. */
export type ApprovalSettings =
  /** One of Node-RED's context stores by name, or the default one; and why it cannot be used, if so. */
  | ({ readonly in: 'context' } & ContextStore)
  /** Files in a folder; undefined if this Node-RED has no user directory. */
  | { readonly in: 'files'; readonly root: string | undefined; readonly problem?: string | undefined }
  | {
      readonly in: 'redis';
      readonly url: string;
      readonly password: string;
      readonly problem?: string | undefined;
    };

/**
 * Opens an account's stores, where its settings say.
 *
 * @param id - of the account's node
 * @param log - takes a line that holds no secret
 * @param onAnswer - takes the answers that came to other instances
 */
export function storesOf(
  id: string,
  approvals: ApprovalSettings,
  log: (line: string) => void,
  onAnswer: OnAnswer,
): Stores {
  switch (approvals.in) {
    case 'context':
      return LocalStores.inContext(id, approvals);
    case 'files':
      return LocalStores.inFiles(id, approvals.root);
    case 'redis':
      return redisStores(id, { ...approvals, log }, onAnswer);
  }
}
