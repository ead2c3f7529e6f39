import { randomBytes, randomInt } from 'node:crypto';
import { AuthyError, invalidInput } from '../contract/errors';
import { InTurn } from '../storage/in-turn';
import type { Tell } from '../storage/owned-directory';
import type { Factor, KeyedHash, NewPerson, People, Person } from '../contract/people';
import type { Kept, PeopleStore, Row } from './people-store';
import { checkPerson, storedPerson, type StoredPerson, textOf } from './person';
import { RecentPeople } from './recent';
import type { Sealing } from './sealing';

/** How often a change is tried that others have overtaken. Each time, one of the others has made a change. */
const mostTries = 100;

/** The members that a change must leave as they are. */
const fixed = ['authyId', 'identity', 'createdAt'] as const;

/** A person as they are stored, and as others see them. */
interface Opened {
  readonly kept: Kept;
  readonly person: Person;
}

/** {@link People} in a store: what is the same wherever they are kept. */
export class KeptPeople implements People {
  /** Spares this process the tries that its own changes would cost each other. */
  private readonly changes = new InTurn();
  private readonly recent = new RecentPeople();

  /** @param tell - is told of people that cannot be read, when all are asked for */
  constructor(
    private readonly store: PeopleStore,
    private readonly sealing: Sealing,
    private readonly tell: Tell,
    private readonly now: () => number = Date.now,
  ) {}

  async find(authyId: string): Promise<Person | undefined> {
    const row = await this.store.read(authyId);
    return row && (await this.open(row)).person;
  }

  async findByPhone(phoneNumber: string): Promise<Person | undefined> {
    const kept = await this.readByPhone(phoneNumber);
    return kept && this.opened(kept);
  }

  async add(given: NewPerson): Promise<Person> {
    for (let time = 0; time < mostTries; time++) {
      const person = this.made(given);
      checkPerson(person);
      const there = await this.readByPhone(given.phoneNumber);
      if (there === undefined) {
        const result = await this.store.add(await this.seal(person));
        if (result === 'done') return person;
        // An id of ours: another one is tried.
        if (result === 'idTaken' && given.authyId !== undefined) throw clash();
      } else {
        if (given.authyId !== undefined && given.authyId !== there.authyId) throw clash();
        const known = await this.setEmail(there.authyId, given);
        if (known !== undefined) return known;
      }
    }
    throw tooManyTries();
  }

  change(authyId: string, change: (person: Person) => Person | undefined): Promise<Person | undefined> {
    return this.changes.do(authyId, async () => {
      for (let time = 0; time < mostTries; time++) {
        const row = await this.store.read(authyId);
        if (row === undefined) return undefined;
        const before = await this.open(row);
        const after = change(before.person);
        if (after === undefined) return undefined;
        if (fixed.some((name) => after[name] !== before.person[name])) {
          throw new Error(`A change of a person must leave ${fixed.join(', ')} as they are.`);
        }
        checkPerson(after);
        const sealed = await this.seal(after, before);
        const result = await this.store.replace(before.kept, sealed);
        if (result === 'phoneTaken') {
          throw invalidInput('phoneNumber', 'belongs to another person. Use another one.');
        }
        if (result === 'done') {
          this.recent.remember(sealed);
          return after;
        }
      }
      throw tooManyTries();
    });
  }

  remove(authyId: string): Promise<boolean> {
    return this.changes.do(authyId, async () => {
      for (let time = 0; time < mostTries; time++) {
        const row = await this.store.read(authyId);
        if (row === undefined) return false;
        if ((await this.store.remove(this.read(row))) === 'done') {
          this.recent.forget(authyId);
          return true;
        }
      }
      throw tooManyTries();
    });
  }

  async *all(tell?: Tell): AsyncIterable<Person> {
    // The log knows of these already.
    if (tell !== undefined) for (const sentence of await this.store.setAside()) tell(sentence);
    for await (const rows of this.store.parts()) {
      for (const row of rows) {
        const kept = this.readOrTell(row, tell ?? this.tell);
        if (kept !== undefined) yield await this.opened(kept);
      }
    }
  }

  count(): Promise<number> {
    return this.store.count();
  }

  hashes(place: string, code: string): Promise<readonly KeyedHash[]> {
    return this.sealing.hashes(place, code);
  }

  keyFor(purpose: string): Promise<Buffer> {
    return this.sealing.keyFor(purpose);
  }

  close(): Promise<void> {
    return this.store.close();
  }

  /** @returns undefined if the phone number is not this person's any more */
  private async setEmail(authyId: string, given: NewPerson): Promise<Person | undefined> {
    let known: Person | undefined;
    const changed = await this.change(authyId, (person) => {
      known = person.phoneNumber === given.phoneNumber ? person : undefined;
      return known === undefined || known.email === given.email
        ? undefined
        : { ...known, email: given.email };
    });
    return changed ?? known;
  }

  private made(given: NewPerson): Person {
    const { phoneNumber, countryCode, email, verification, limits } = given;
    return {
      authyId: given.authyId ?? newId(),
      identity: given.identity ?? randomBytes(16).toString('hex'),
      phoneNumber,
      countryCode,
      email,
      createdAt: given.createdAt ?? this.now(),
      factors: given.factors ?? [],
      ...(verification === undefined ? {} : { verification }),
      ...(limits === undefined ? {} : { limits }),
    };
  }

  // ---- from and to the store

  private async open(row: Row): Promise<Opened> {
    const kept = this.recent.find(row) ?? this.read(row);
    this.recent.remember(kept);
    return { kept, person: await this.opened(kept) };
  }

  /** @throws AuthyError - `AUTHY_STORE` */
  private read(row: Row): Kept {
    try {
      return { ...row, person: storedPerson(row.authyId, row.text) };
    } catch (error) {
      throw this.notReadable(row, (error as Error).message);
    }
  }

  private notReadable({ authyId }: Row, why: string): AuthyError {
    return new AuthyError(
      'AUTHY_STORE',
      `Repair or remove ${this.store.placeOf(authyId)}, which holds a person who cannot be read: ${why}. ` +
        'It was left as it is.',
    );
  }

  private async readByPhone(phoneNumber: string): Promise<Kept | undefined> {
    const row = await this.store.readByPhone(phoneNumber);
    if (row === undefined) return undefined;
    const kept = this.read(row);
    // A code must not go to somebody else.
    if (kept.person.phoneNumber !== phoneNumber) {
      throw this.notReadable(row, 'its phone number is not the one it is listed under');
    }
    return kept;
  }

  private readOrTell(row: Row, tell: Tell): Kept | undefined {
    try {
      return this.read(row);
    } catch (error) {
      tell((error as Error).message);
      return undefined;
    }
  }

  private async opened({ person }: Kept): Promise<Person> {
    const factors = person.factors.map(async ({ secret, ...factor }): Promise<Factor> => {
      if (secret === undefined) return factor;
      return { ...factor, secret: await this.sealing.open(placeOf(person.authyId, factor.id), secret) };
    });
    return { ...person, factors: await Promise.all(factors) };
  }

  /** @param before - the person before this change: what is sealed already stays so */
  private async seal(person: Person, before?: Opened): Promise<Kept> {
    const factors = person.factors.map(async ({ secret, ...factor }): Promise<Factor<StoredSecret>> => {
      if (secret === undefined) return factor;
      const known = await this.sealedBefore(factor.id, secret, before);
      return {
        ...factor,
        secret: known ?? (await this.sealing.seal(placeOf(person.authyId, factor.id), secret)),
      };
    });
    const stored: StoredPerson = { ...person, factors: await Promise.all(factors) };
    return { authyId: stored.authyId, text: textOf(stored), person: stored };
  }

  private async sealedBefore(id: string, secret: string, before?: Opened): Promise<StoredSecret | undefined> {
    const known = before?.person.factors.find((factor) => factor.id === id && factor.secret === secret);
    if (known === undefined) return undefined;
    const sealed = before?.kept.person.factors.find((factor) => factor.id === id)?.secret;
    return sealed !== undefined && (await this.sealing.isCurrent(sealed)) ? sealed : undefined;
  }
}

type StoredSecret = NonNullable<StoredPerson['factors'][number]['secret']>;

/**
 * An id of ours: 15 random digits. No id of Authy has as many, and JSON and JavaScript keep it as a number, too.
 *
 * Nothing is kept of a person who was removed, not even the id: among 900,000,000,000,000 it does not come again. After a
 * million removals the chance is one in 900 million for each new one.
 */
function newId(): string {
  return `${randomInt(1, 10)}${String(randomInt(0, 10 ** 14)).padStart(14, '0')}`;
}

/** Where a secret belongs. It is authenticated with it. */
function placeOf(authyId: string, factorId: string): string {
  return `the factor ${factorId} of the person ${authyId}`;
}

function clash(): AuthyError {
  return invalidInput(
    'authyId',
    'and the phone number belong to different people here. Correct one of the two.',
  );
}

function tooManyTries(): AuthyError {
  return new AuthyError(
    'AUTHY_STORE',
    'Try again: other Node-REDs have changed this person all the time, and nothing was changed here.',
  );
}
