import type { KeyedHash, People, Person } from '../../contract/people';
import { randomDigits } from './sent-code';

/** How many are made with an authenticator, and their digits: longer than any other code that a token can be. */
const [number, digits] = [10, 12];

/** So many are left when the person is warned. */
export const fewRecoveryCodes = 3;

/** Whether a token can be a recovery code. */
export function isRecoveryCode(token: string): boolean {
  return token.length === digits;
}

/** What hashes of a person's recovery codes are for. */
export function recoveryPlace({ authyId }: Pick<Person, 'authyId'>): string {
  return `a recovery code of ${authyId}`;
}

/** New recovery codes, and what is kept of them. */
export async function newRecoveryCodes(
  people: People,
  person: Person,
): Promise<{ codes: string[]; hashes: KeyedHash[] }> {
  const codes = new Set<string>();
  while (codes.size < number) codes.add(randomDigits(digits));
  const all = [...codes].map((code) => people.hashes(recoveryPlace(person), code));
  const hashes = (await Promise.all(all)).flatMap(([hash]) => hash ?? []);
  return { codes: [...codes], hashes };
}
