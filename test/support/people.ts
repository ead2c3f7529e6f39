import fc from 'fast-check';
import type { CodeLimits, Factor, KeyedHash, Person } from '../../nodes/lib/contract/people';

/** Some phone numbers, few enough to come again. */
export const phones = ['+491701234567', '+491701234568', '+13175550142', '+13175550143', '+447400123456'].map(
  (phoneNumber) => ({
    phoneNumber,
    countryCode: phoneNumber.startsWith('+1') ? '1' : phoneNumber.slice(1, 3),
  }),
);

/** Somebody to be added. */
export function newPerson(more: Partial<Person> = {}) {
  return { phoneNumber: '+491701234567', countryCode: '49', email: 'ada@example.com', ...more };
}

/** An authenticator. */
export function newFactor(more: Partial<Factor> = {}): Factor {
  return {
    id: 'YF1',
    type: 'totp',
    state: 'verified',
    name: 'phone',
    secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
    createdAt: 1_800_000_000_000,
    ...more,
  };
}

/** All that is yielded. */
export async function listOf<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of all) list.push(one);
  return list;
}

/** By their ids, to compare: stores have no order. */
export function byId(people: readonly Person[]): Person[] {
  return [...people].sort((one, other) => (one.authyId < other.authyId ? -1 : 1));
}

const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const email = fc.oneof(
  fc.constant(''),
  fc.emailAddress(),
  fc.stringMatching(/^[=+\-'",a-z\u00e9\u4e2d]{1,20}@[a-z]{1,5}\.[a-z]{1,5}$/),
);

const hash = fc.stringMatching(/^h1\.[A-Za-z0-9_-]{8}\.[A-Za-z0-9_-]{43}$/) as fc.Arbitrary<KeyedHash>;
const limits = fc.record<CodeLimits>(
  {
    sent: fc.array(time, { maxLength: 5 }),
    wrong: fc.array(time, { maxLength: 5 }),
    wrongInARow: fc.nat(),
    locks: fc.nat(),
    lockedUntil: time,
  },
  { noNullPrototype: true },
);

/** Any factor. */
export const factors: fc.Arbitrary<Factor[]> = fc.uniqueArray(
  fc.record<Factor>(
    {
      id,
      type: fc.constantFrom('totp', 'push'),
      service: id,
      state: fc.constantFrom('unverified', 'verified'),
      name: fc.string({ unit: 'binary', maxLength: 32 }),
      secret: fc.stringMatching(/^[A-Z2-7]{16,128}$/),
      lastStep: fc.nat(),
      recovery: fc.array(hash, { maxLength: 10 }),
      createdAt: time,
    },
    { noNullPrototype: true, requiredKeys: ['id', 'type', 'state', 'name', 'createdAt'] },
  ),
  { maxLength: 3, selector: (factor) => factor.id },
);

/** Any people: no two have an id, an identity, a phone number or an authenticator in common. */
export const people: fc.Arbitrary<Person[]> = fc
  .uniqueArray(
    fc.record(
      {
        authyId: fc.stringMatching(/^[1-9][0-9]{0,19}$/),
        identity: fc.stringMatching(/^[0-9a-f]{32}$/),
        national: fc.integer({ min: 2_010_000_000, max: 9_899_999_999 }),
        email,
        createdAt: time,
        factors,
        limits,
        verification: fc.record(
          {
            id,
            channel: fc.constantFrom('sms', 'call', 'email'),
            to: fc.string({ maxLength: 254 }),
            startedAt: time,
            hash,
            tries: fc.nat(5),
            end: fc.constantFrom('approved', 'expired', 'failed', 'canceled'),
          },
          { noNullPrototype: true, requiredKeys: ['id', 'channel', 'to', 'startedAt'] },
        ),
      },
      {
        noNullPrototype: true,
        requiredKeys: ['authyId', 'identity', 'national', 'email', 'createdAt', 'factors'],
      },
    ),
    { minLength: 1, maxLength: 6, selector: (one) => one.authyId },
  )
  .filter((all) => {
    const ofEach: (string | number)[][] = [
      all.map(({ national }) => national),
      all.map(({ identity }) => identity),
      all.flatMap((one) => one.factors.map((factor) => factor.id)),
    ];
    return ofEach.every((values) => new Set(values).size === values.length);
  })
  .map((all) =>
    all.map(({ national, ...person }): Person => ({
      ...person,
      phoneNumber: `+1${national}`,
      countryCode: '1',
    })),
  );
