import type { StoredPerson } from './person';

/** A person as a store keeps them. */
export interface Row {
  readonly authyId: string;
  /** What `textOf` wrote, or what somebody has left there. */
  readonly text: string;
}

/** A person as they were read, or will be: the text, and what the store has to know of it. */
export interface Kept extends Row {
  readonly person: StoredPerson;
}

/**
 * Keeps people as texts, and knows whose phone number it is. Each change is one step: it is made as a whole or not at all,
 * and is safe once it has resolved. Every call may reject with an AuthyError `AUTHY_STORE`.
 */
export interface PeopleStore {
  /** Where a person is kept, for a sentence. */
  placeOf(authyId: string): string;

  read(authyId: string): Promise<Row | undefined>;

  readByPhone(phoneNumber: string): Promise<Row | undefined>;

  add(kept: Kept): Promise<'done' | 'idTaken' | 'phoneTaken'>;

  /** Replaces a person, if the text is still the one before. */
  replace(before: Kept, after: Kept): Promise<'done' | 'changed' | 'phoneTaken'>;

  /** Removes a person, if the text is still this one. */
  remove(before: Kept): Promise<'done' | 'changed'>;

  /** All of them, part by part. */
  parts(): AsyncIterable<readonly Row[]>;

  count(): Promise<number>;

  /** A sentence about each person whom the store has found to be unreadable, and does not hand over any more. */
  setAside(): Promise<readonly string[]>;

  close(): Promise<void>;
}
