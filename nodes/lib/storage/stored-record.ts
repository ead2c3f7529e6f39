import type { ApprovalRecord } from './records';
import { readMessage } from './storable';

const states: readonly unknown[] = ['unsent', 'sending', 'waiting', 'passing'];

const isText = (value: unknown): boolean => typeof value === 'string';
const isTime = (value: unknown): boolean => Number.isFinite(value);

/** The check of each member of a record. */
const checks: { readonly [Name in keyof ApprovalRecord]-?: (value: unknown) => boolean } = {
  id: isText,
  accountId: isText,
  recipient: isText,
  state: (value) => states.includes(value),
  approvalId: (value) => value === undefined || isText(value),
  question: isText,
  endsAt: isTime,
  lifetime: (value) => isTime(value) && (value as number) >= 0,
  joinedAfter: (value) => value === undefined || isTime(value),
  reminded: (value) => typeof value === 'boolean',
  message: isMessage,
  epoch: Number.isSafeInteger,
};

/**
 * Reads a stored value as a record of this version. Nothing in it is repaired.
 *
 * @param id - under which it was kept
 * @throws Error - says what is wrong with it, and shows none of its content
 */
export function storedRecord(id: string, value: unknown): ApprovalRecord {
  const record = withTodaysNames(objectOf(value));
  for (const [name, isRight] of Object.entries(checks)) {
    if (!isRight(record[name])) throw new Error(`its ${name} is not in the right format`);
  }
  if (record['id'] !== id) throw new Error('it is stored under another id');
  const { approvalId, ...rest } = record as unknown as ApprovalRecord;
  // Earlier versions did not change its case.
  return { ...rest, approvalId: approvalId?.toLowerCase() };
}

/** Earlier versions called the recipient `authyId`. */
function withTodaysNames(stored: Record<string, unknown>): Record<string, unknown> {
  if (!('authyId' in stored)) return stored;
  const { authyId: recipient, ...others } = stored;
  return { recipient, ...others };
}

/** @throws Error - if it is not an object */
export function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('it is not in the right format');
  }
  return value as Record<string, unknown>;
}

/** Otherwise a message that cannot be read would be noticed only when it has to leave. */
function isMessage(value: unknown): boolean {
  try {
    return typeof value === 'string' && Object.keys(readMessage(value)).length > 0;
  } catch {
    return false;
  }
}
