import type { Factor, KeyedHash, People, Person } from '../contract/people';
import { randomDigits } from './random-digits';
import { isAmong } from './sealing';

/** How many are made at once, and their digits: longer than any other code that a token can be. */
const [number, digits] = [10, 12];

/** So many are left when the person is warned. */
export const fewRecoveryCodes = 3;

/** Whether a token can be a recovery code. */
export function isRecoveryCode(token: string): boolean {
  return token.length === digits && /^[0-9]+$/.test(token);
}

/** What hashes of a person's recovery codes are for. */
export function recoveryPlace({ authyId }: Pick<Person, 'authyId'>): string {
  return `a recovery code of ${authyId}`;
}

/** New recovery codes, and what is kept of them. */
export async function newRecoveryCodes(
  people: People,
  person: Pick<Person, 'authyId'>,
): Promise<{ codes: string[]; hashes: KeyedHash[] }> {
  const codes = new Set<string>();
  while (codes.size < number) codes.add(randomDigits(digits));
  const all = [...codes].map((code) => people.hashes(recoveryPlace(person), code));
  const hashes = (await Promise.all(all)).flatMap(([hash]) => hash ?? []);
  return { codes: [...codes], hashes };
}

/** How many recovery codes a person has left; undefined if none were ever made, or all of them are taken back. */
export function recoveryCodesLeft(person: Person): number | undefined {
  const lists = [person.recovery, ...person.factors.filter(isConfirmed).map(({ recovery }) => recovery)];
  const made = lists.filter((list) => list !== undefined);
  return made.length === 0 ? undefined : made.reduce((sum, list) => sum + list.length, 0);
}

/**
 * The person once a recovery code was used.
 *
 * @param hashes - of the code that was typed
 * @returns undefined if it is none of theirs
 */
export function withoutRecoveryCode(person: Person, hashes: readonly KeyedHash[]): Person | undefined {
  const unused = (list: readonly KeyedHash[]): readonly KeyedHash[] =>
    list.filter((kept) => !isAmong(hashes, kept));
  const before = recoveryCodesLeft(person) ?? 0;
  const after: Person = {
    ...person,
    ...(person.recovery === undefined ? {} : { recovery: unused(person.recovery) }),
    factors: person.factors.map((factor) =>
      isConfirmed(factor) && factor.recovery !== undefined
        ? { ...factor, recovery: unused(factor.recovery) }
        : factor,
    ),
  };
  return (recoveryCodesLeft(after) ?? 0) < before ? after : undefined;
}

/** The codes of an authenticator count from its first right code on. */
function isConfirmed({ type, state }: Factor): boolean {
  return type === 'totp' && state === 'verified';
}
