import type { ApprovalRecord } from './records';
import { objectOf, storedRecord } from './stored-record';

/** The names of a record's states in version 0.1. */
const states: Readonly<Record<string, ApprovalRecord['state']>> = {
  asking: 'sending',
  waiting: 'waiting',
  passing: 'passing',
};

/** Whether a stored value is a record of version 0.1, which held all messages that waited for a request. */
export function isOldRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'messages' in value;
}

/**
 * Turns a record of version 0.1 into today's records, one for each message. The first has the old one's id, the others that
 * id with `_1`, `_2` and so on: doing it again gives the same records, and no message twice. To lose none, write the others
 * before the first replaces the old one.
 *
 * @param id - under which it was kept; the id inside it may lack the prefix
 * @returns at least one
 * @throws Error - says what is wrong with it, and shows none of its content
 */
export function recordsOfOld(id: string, value: unknown): ApprovalRecord[] {
  const { messages, timeout, state, ...old } = objectOf(value);
  if (!Array.isArray(messages) || messages.length === 0) throw new Error('it holds no messages');
  if (typeof timeout !== 'number') throw new Error('its timeout is not in the right format');
  return messages.map((message: unknown, index) => {
    const ownId = index === 0 ? id : `${id}_${index}`;
    return storedRecord(ownId, {
      ...old,
      id: ownId,
      state: states[String(state)],
      lifetime: timeout * 1000,
      // The old record did not keep when the others joined: an answer counts for them once the request was seen open.
      ...(index === 0 ? {} : { joinedAfter: timeout * 1000 }),
      message,
      epoch: 0,
    });
  });
}
