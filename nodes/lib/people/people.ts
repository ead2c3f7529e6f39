import type { Person } from './person';

/** Somebody to be added. What is absent is made up, or empty. */
export type NewPerson = Pick<Person, 'phoneNumber' | 'countryCode' | 'email'> &
  Partial<Pick<Person, 'authyId' | 'identity' | 'createdAt' | 'factors' | 'verification'>>;

/**
 * Who is known to an account. Every call may reject with an AuthyError `AUTHY_STORE`, if the store cannot be used, or what
 * it holds cannot be trusted: then nothing is concluded. What has resolved is as safe as the store promises.
 */
export interface People {
  find(authyId: string): Promise<Person | undefined>;

  /** @param phoneNumber - in E.164 format */
  findByPhone(phoneNumber: string): Promise<Person | undefined>;

  /**
   * Adds somebody. If the phone number is known, it is that person, who gets this e-mail address and nothing else.
   *
   * @returns the person as they are kept
   * @throws AuthyError - `AUTHY_INVALID_INPUT` if something is not in the right format, or if the Authy ID and the phone number
   *   belong to different people
   */
  add(person: NewPerson): Promise<Person>;

  /**
   * Changes a person. Changes of the same person are made one after the other, also those of other instances: each gets the
   * person as the one before has left them. So a TOTP step is accepted once if `change` returns undefined for one that is
   * not larger than `lastStep`.
   *
   * @param change - returns the changed person, or undefined to leave them as they are. It may be called again, with
   *   a newer person: only its last result counts. The ids and `createdAt` stay the same.
   * @returns the person as changed, once that is safe; undefined if they were left as they are, or are not known. After a
   *   rejection nobody knows whether they were changed
   * @throws AuthyError - `AUTHY_INVALID_INPUT` if the changed person is not in the right format, or if the new phone number
   *   belongs to another person
   */
  change(authyId: string, change: (person: Person) => Person | undefined): Promise<Person | undefined>;

  /**
   * Removes a person with all that is kept of them, also if their secrets cannot be read.
   *
   * @returns whether they were known
   */
  remove(authyId: string): Promise<boolean>;

  /** All people, in no order. Those who are added or removed meanwhile may be among them or not. */
  all(): AsyncIterable<Person>;

  close(): Promise<void>;
}
