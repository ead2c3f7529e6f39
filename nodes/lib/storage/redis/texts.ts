import { isObject } from '../../contract/json';
import type { ApprovalAnswer } from '../../contract/service';
import { recordsOfOld } from '../old-records';
import type { ApprovalRecord } from '../records';
import { objectOf, storedRecord } from '../stored-record';

/**
 * Reads a stored record. The values that the scripts have changed since it was written are passed beside it.
 *
 * @throws Error - says what is wrong with it, and shows none of its content
 */
export function readRecord(id: string, text: string, state: string, epoch: number): ApprovalRecord {
  return storedRecord(id, { ...objectOf(JSON.parse(text)), state, epoch });
}

/** A message between instances. */
export interface Hint {
  /** The sender. */
  readonly from: string;
  /** A callback that came there. */
  readonly answer?: ApprovalAnswer;
  /** A gate with withdrawn records. */
  readonly gate?: string;
}

/** @returns undefined if it is not one of ours */
export function readHint(text: string): Hint | undefined {
  try {
    const hint = objectOf(JSON.parse(text)) as Partial<Record<keyof Hint, unknown>>;
    if (typeof hint.from !== 'string') return undefined;
    if (hint.answer !== undefined && !isAnswer(hint.answer)) return undefined;
    return hint as Hint;
  } catch {
    return undefined;
  }
}

function isAnswer(value: unknown): value is ApprovalAnswer {
  const { decision, approvalId, authyId, about, body } = objectOf(value);
  const isDecision = decision === 'approved' || decision === 'denied';
  // An earlier version sends only the body. Such a hint is ignored: polling finds the answer.
  return (
    isDecision &&
    typeof approvalId === 'string' &&
    typeof authyId === 'string' &&
    isObject(about) &&
    isObject(body)
  );
}

/**
 * Makes records from one of the previous version, which held all messages that wait for its request.
 *
 * @param state - its state in the store, beside the text
 * @returns one for each message; their ids follow from its id, so that they are the same each time
 * @throws Error - says what is wrong with it, and shows none of its content
 */
export function readOldRecord(id: string, text: string, state: string): ApprovalRecord[] {
  const old = objectOf(JSON.parse(text));
  const records = recordsOfOld(id, state === 'passing' ? { ...old, state } : old);
  return records.map((record) => ({ ...record, epoch: 1 }));
}
