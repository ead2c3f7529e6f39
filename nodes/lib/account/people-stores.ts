import type { People } from '../contract/people';
import { AuthyError } from '../contract/errors';
import { filePeople } from '../people/file-people';
import { redisPeople } from '../people/redis-people';
import { RedisConnection } from '../storage/redis/connection';
import { realTime } from '../time';
import type { ApprovalSettings } from './approval-stores';

/** Where the people of an account are kept. */
export interface PeopleSettings {
  /** The folder of all accounts; undefined if this Node-RED has no user directory. */
  readonly root: string | undefined;
  /** `credentialSecret` of settings.js, where it is set. */
  readonly credentialSecret: string | undefined;
}

/**
 * Opens the people of an account: in Redis if its approvals are there, so that several instances know the same people;
 * otherwise in files.
 *
 * @param id - of the account's node
 * @param tell - takes a sentence for a person, without secrets
 * @throws AuthyError - `AUTHY_STORE` if there is no place for them
 */
export function peopleOf(
  id: string,
  { root, credentialSecret }: PeopleSettings,
  approvals: ApprovalSettings,
  tell: (sentence: string) => void,
): People {
  if (approvals.in === 'redis') {
    const link = new RedisConnection(id, { ...approvals, log: tell }, realTime);
    return redisPeople(id, link, { credentialSecret, tell });
  }
  if (root === undefined) {
    throw new AuthyError(
      'AUTHY_STORE',
      'Keep the open approvals of the account in Redis, and its users will be there as well: this Node-RED has no user ' +
        'directory.',
    );
  }
  return filePeople({ root, accountId: id }, { credentialSecret, tell });
}
