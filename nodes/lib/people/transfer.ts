import { setImmediate as turn } from 'node:timers/promises';
import { type AuthyError, invalidInput, missingInput, refusedInput } from '../contract/errors';
import { isObject, member } from '../contract/json';
import { phone, type PhoneRule } from '../contract/phone';
import { utf8 } from '../contract/utf8';
import * as input from '../contract/validation';
import { readCsv, csvLine } from './csv';
import type { Factor, NewPerson, People, Person } from '../contract/people';
import { importedFactor } from './imported-factor';
import { checkPerson } from './person';

export type ListFormat = 'csv' | 'json';

/** What an import has done, or would do. People who are the same in the list and here are left as they are. */
export interface Imported {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

/** Somebody in a list. */
interface Entry {
  /** Where they are in it, for a sentence. */
  readonly place: string;
  readonly person: NewPerson;
}

/** Someone in a list as it was written, before it is checked. */
interface Raw {
  readonly place: string;
  readonly members: Readonly<Record<string, unknown>>;
}

const formatName = 'authy-people';
const version = 1;

/** The columns of a CSV list; the last one only with secrets. */
const columns = ['authyId', 'phoneNumber', 'countryCode', 'email', 'totpSecret'] as const;
type Column = (typeof columns)[number];

/** Other names of columns, as lists have them that were not written here: in lower case, letters and digits alone. */
const columnNames: ReadonlyMap<string, Column> = new Map([
  ['authyid', 'authyId'],
  ['id', 'authyId'],
  ['phonenumber', 'phoneNumber'],
  ['phone', 'phoneNumber'],
  ['cellphone', 'phoneNumber'],
  ['countrycode', 'countryCode'],
  ['email', 'email'],
  ['totpsecret', 'totpSecret'],
  ['secret', 'totpSecret'],
]);

/** What a person in a JSON list may have. */
const members: readonly string[] = [...columns, 'identity', 'createdAt', 'factors', 'verification', 'limits'];

/** How many problems of a list are named. */
const mostProblems = 20;
/** How many people are looked at, or added, before other work has its turn. The files of those who are added are synced together. */
const atOnce = 50;

/** How a list is written. */
export interface ExportOptions {
  readonly format: ListFormat;
  readonly secrets: boolean;
  readonly tell?: ((sentence: string) => void) | undefined;
}

/** How a list is read. */
export interface ImportOptions {
  readonly format: ListFormat;
  readonly rule?: PhoneRule;
  readonly isTrial?: boolean;
}

// ---- export

/**
 * Writes all people as a list, piece by piece.
 *
 * JSON has everything that an import takes: phones, sessions, requests and recovery codes of the approver stay where they are, and
 * belong to its page. CSV has ids, phone numbers and e-mail addresses, and with secrets one TOTP secret of each: it is for
 * spreadsheets and other systems. People who move to another Node-RED go by JSON: it alone has the last TOTP steps, without
 * which a code could be used twice.
 *
 * @param secrets - whether TOTP secrets are written, in clear: whoever has them can make the codes
 * @param tell - is told of people who are missing in the list, because they cannot be read
 */
export async function* exportPeople(
  people: People,
  { format, secrets, tell }: ExportOptions,
): AsyncIterable<string> {
  const all = people.all(tell);
  if (format === 'csv') yield* exportCsv(all, secrets);
  else yield* exportJson(all, secrets);
}

async function* exportCsv(people: AsyncIterable<Person>, secrets: boolean): AsyncIterable<string> {
  const shown = columns.filter((column) => secrets || column !== 'totpSecret');
  yield csvLine(shown);
  for await (const person of people) {
    const row = { ...person, totpSecret: secretOf(person) };
    yield csvLine(shown.map((column) => row[column]));
  }
}

/** The secret of the authenticator that is in use, or of the first one. */
function secretOf({ factors }: Person): string {
  const known = factors.filter(({ type, secret }) => type === 'totp' && secret !== undefined);
  return (known.find(({ state }) => state === 'verified') ?? known[0])?.secret ?? '';
}

async function* exportJson(people: AsyncIterable<Person>, secrets: boolean): AsyncIterable<string> {
  yield `{"format":"${formatName}","version":${version},"people":[`;
  let before = '\n';
  for await (const person of people) {
    const factors = secrets
      ? person.factors
      : person.factors.map((factor) => ({ ...factor, secret: undefined }));
    const moved = Object.fromEntries(Object.entries(person).filter(([name]) => members.includes(name)));
    yield `${before}${JSON.stringify({ ...moved, factors })}`;
    before = ',\n';
  }
  yield '\n]}\n';
}

// ---- import

/**
 * Adds the people of a list: one that {@link exportPeople} wrote, or one from elsewhere. A JSON list may also be no more than
 * `[{"phoneNumber": …}]`; a CSV list needs a first line with the names of its columns, of which `phoneNumber` has to be
 * there. Columns with other names are left out.
 *
 * An id is kept; who comes without gets one. Somebody with a phone number that is known here is that person: they get the
 * e-mail address of the list and those authenticators that they do not have; what they have stays. So an import that was
 * interrupted can be repeated.
 *
 * @param list - its text, or that as a file has it, in UTF-8
 * @param rule - what a phone number has to be
 * @param isTrial - whether nothing is changed: it only says what the import would do now
 * @throws AuthyError - `AUTHY_INVALID_INPUT`, naming the lines, if anything is wrong with the list or contradicts what is known
 *   here: then nobody was added. `AUTHY_STORE`: some may have been
 */
export async function importPeople(
  people: People,
  list: string | Uint8Array,
  { format, rule = 'valid', isTrial = false }: ImportOptions,
): Promise<Imported> {
  const text = typeof list === 'string' ? list : utf8(list);
  if (text === undefined) {
    throw refusedInput(
      'list',
      'Save the list as UTF-8, and import it again: it has another encoding. Nobody was added.',
    );
  }
  const problems = new Problems();
  const entries = await problems.inEach(format === 'csv' ? readTable(text) : readJson(text), (raw) => ({
    place: raw.place,
    person: personOf(raw.members, rule),
  }));
  noteContradictions(entries, problems);
  for await (const part of inParts(entries)) {
    for (const entry of part) await noteClash(people, entry, problems);
  }
  await noteShared(people, entries, problems);
  problems.throwIfAny();
  const counts = { added: 0, changed: 0, unchanged: 0 };
  for await (const part of inParts(entries)) {
    const taken = part.map(({ person }) => (isTrial ? wouldTake(people, person) : take(people, person)));
    // All of them come to their end, before an error ends the import.
    await Promise.allSettled(taken);
    for (const result of await Promise.all(taken)) counts[result] += 1;
  }
  return counts;
}

/** Some of them at a time: a Node-RED that runs does not stand still for a long list. */
async function* inParts<T>(all: readonly T[]): AsyncIterable<readonly T[]> {
  for (let from = 0; from < all.length; from += atOnce) {
    if (from > 0) await turn();
    yield all.slice(from, from + atOnce);
  }
}

/** The problems of a list: all are named at once. */
class Problems {
  /** Those that are named. */
  private readonly sentences: string[] = [];
  private count = 0;

  note(place: string, problem: string): void {
    this.count += 1;
    if (this.count <= mostProblems) this.sentences.push(`${place}: ${problem}`);
  }

  /** Reads each; those that are refused are noted. */
  async inEach<T extends { readonly place: string }, R>(
    all: readonly T[],
    read: (one: T) => R,
  ): Promise<R[]> {
    const results: R[] = [];
    for await (const part of inParts(all)) {
      for (const one of part) {
        try {
          results.push(read(one));
        } catch (error) {
          this.note(one.place, (error as AuthyError).message);
        }
      }
    }
    return results;
  }

  throwIfAny(): void {
    if (this.count === 0) return;
    const named = this.sentences.join('\n');
    const more = this.count - mostProblems;
    const rest = more > 0 ? `\nand ${more} more` : '';
    throw refusedInput(
      'list',
      `Correct these, and import the list again; nobody was added.\n${named}${rest}`,
    );
  }
}

function readTable(text: string): Raw[] {
  let rows;
  try {
    rows = readCsv(text);
  } catch (error) {
    throw refusedInput('list', `Correct the list: ${(error as SyntaxError).message}.`);
  }
  const [head, ...others] = rows;
  const names =
    head?.cells.map((cell) => columnNames.get(cell.toLowerCase().replace(/[^a-z0-9]/g, ''))) ?? [];
  const known = names.filter((name) => name !== undefined);
  if (!known.includes('phoneNumber')) {
    throw refusedInput('list', `Begin the list with a line that names its columns: ${columns.join(', ')}.`);
  }
  if (new Set(known).size < known.length) {
    throw refusedInput('list', 'Remove a column of the list: two of them mean the same.');
  }
  return others.map(({ line, cells }) => ({
    place: `line ${line}`,
    members:
      cells.length === names.length
        ? Object.fromEntries(
            names.flatMap((name, index) => (name === undefined ? [] : [[name, cells[index]]])),
          )
        : { cells: cells.length },
  }));
}

function readJson(text: string): Raw[] {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    throw refusedInput('list', 'Choose another file or format: the list is not JSON.');
  }
  if (isObject(value) && (member(value, 'format') !== formatName || member(value, 'version') !== version)) {
    throw refusedInput(
      'list',
      `Choose another file: the list is not of the format "${formatName}", version ${version}.`,
    );
  }
  const list = Array.isArray(value) ? (value as unknown[]) : member(value, 'people');
  if (!Array.isArray(list))
    throw refusedInput('list', 'Choose another file: there is no list of people in it.');
  return list.map((one: unknown, index) => ({
    place: `person ${index + 1}`,
    members: isObject(one) ? one : { [input.kind(one)]: one },
  }));
}

/** @throws AuthyError - `AUTHY_INVALID_INPUT` */
function personOf(given: Readonly<Record<string, unknown>>, rule: PhoneRule): NewPerson {
  const unknown = Object.keys(given).some((name) => !members.includes(name));
  if (unknown)
    throw invalidInput(
      'person',
      'has another number of cells than the first line, or members that are not known.',
    );
  const read = <T>(name: string, parse: input.Parser<T>): T | undefined => {
    const value = member(given, name);
    return value === undefined || value === '' ? undefined : parse(value, name);
  };
  const number = read('phoneNumber', input.phoneNumber);
  if (number === undefined) throw missingInput('phoneNumber');
  const { e164, countryCode } = phone(number, read('countryCode', input.countryCode), rule);
  const secret = read('totpSecret', input.totpSecret);
  const imported = secret === undefined ? [] : [importedFactor(secret, Date.now())];
  const listed = member(given, 'factors') ?? [];
  if (!Array.isArray(listed)) throw invalidInput('factors', 'is no list.');
  const factors = [...(listed as readonly Factor[]), ...imported];
  const { identity, createdAt, verification, limits } = given as Partial<Person>;
  const person = {
    authyId: read('authyId', input.authyId),
    identity,
    phoneNumber: e164,
    countryCode,
    email: read('email', input.email) ?? '',
    createdAt,
    factors,
    verification,
    limits,
  };
  checkPerson({
    ...person,
    authyId: person.authyId ?? '1',
    identity: identity ?? '0'.repeat(32),
    createdAt: createdAt ?? 0,
  });
  return person;
}

/** Two entries of a list that cannot both be right. */
function noteContradictions(entries: readonly Entry[], problems: Problems): void {
  const phones = new Map<string, Entry>();
  const ids = new Map<string, Entry>();
  for (const entry of entries) {
    const { phoneNumber, authyId } = entry.person;
    const samePhone = phones.get(phoneNumber);
    const sameId = authyId === undefined ? undefined : ids.get(authyId);
    const other = samePhone ?? sameId;
    if (other !== undefined) {
      problems.note(
        `${other.place} and ${entry.place}`,
        samePhone === undefined
          ? 'the same Authy ID, but not the same phone number.'
          : samePhone.person.authyId === authyId
            ? 'the same person. Leave one of them out.'
            : 'the same phone number, but not the same Authy ID.',
      );
    }
    phones.set(phoneNumber, entry);
    if (authyId !== undefined) ids.set(authyId, entry);
  }
}

/** What only one person can have: an identity, an authenticator, its secret. */
function ownOf({ identity, factors = [] }: Pick<NewPerson, 'identity' | 'factors'>): string[] {
  const all = [identity, ...factors.flatMap(({ id, secret }) => [id, secret])];
  return all.filter((one) => one !== undefined);
}

/** Two people with the same identity or authenticator, in the list or here: a code of the one would count for the other. */
async function noteShared(people: People, entries: readonly Entry[], problems: Problems): Promise<void> {
  const owners = new Map<string, string>();
  for await (const person of people.all()) {
    for (const own of ownOf(person)) owners.set(own, person.phoneNumber);
  }
  for (const { place, person } of entries) {
    const { phoneNumber } = person;
    const isShared = ownOf(person).some((own) => (owners.get(own) ?? phoneNumber) !== phoneNumber);
    if (isShared) problems.note(place, 'its identity or an authenticator of it belongs to another person.');
    for (const own of ownOf(person)) owners.set(own, phoneNumber);
  }
}

/** Somebody whom the people here contradict. */
async function noteClash(people: People, { place, person }: Entry, problems: Problems): Promise<void> {
  const { authyId, identity } = person;
  const there = await people.findByPhone(person.phoneNumber);
  if (there === undefined) {
    const isKnown = authyId !== undefined && (await people.find(authyId)) !== undefined;
    if (isKnown) problems.note(place, `the Authy ID ${authyId} is known here with another phone number.`);
  } else if (authyId !== undefined && authyId !== there.authyId) {
    problems.note(place, `its phone number is known here with the Authy ID ${there.authyId}.`);
  } else if (identity !== undefined && identity !== there.identity) {
    problems.note(place, `the person ${there.authyId} is known here with another identity.`);
  }
}

async function wouldTake(people: People, person: NewPerson): Promise<keyof Imported> {
  const there = await people.findByPhone(person.phoneNumber);
  if (there === undefined) return 'added';
  return merged(there, person) === undefined ? 'unchanged' : 'changed';
}

async function take(people: People, person: NewPerson): Promise<keyof Imported> {
  const there = await people.findByPhone(person.phoneNumber);
  const { authyId } = there ?? (await people.add(person));
  // Somebody else may have added them meanwhile, with less.
  const changed = await people.change(authyId, (known) => merged(known, person));
  if (there === undefined) return 'added';
  return changed === undefined ? 'unchanged' : 'changed';
}

/**
 * What a list adds to somebody who is known. An authenticator that is in use stays the only one: a list may be older than it.
 *
 * @returns undefined if there is nothing new
 */
function merged(known: Person, { email, factors = [] }: NewPerson): Person | undefined {
  const isSame = (one: Factor, other: Factor): boolean =>
    one.id === other.id || (one.secret !== undefined && one.secret === other.secret);
  const isInUse = ({ type, state }: Factor): boolean => type === 'totp' && state === 'verified';
  const hasOne = known.factors.some(isInUse);
  const more = factors.filter(
    (factor) => !known.factors.some((one) => isSame(one, factor)) && !(hasOne && isInUse(factor)),
  );
  // A code that was accepted elsewhere does not count again.
  const steps = known.factors.map((one) => {
    const lastStep = Math.max(...[one, ...factors.filter((factor) => isSame(one, factor))].map(lastStepOf));
    return lastStep > lastStepOf(one) ? { ...one, lastStep } : one;
  });
  const areNewer = steps.some((one, index) => one !== known.factors[index]);
  const isOther = email !== '' && email !== known.email;
  if (more.length === 0 && !isOther && !areNewer) return undefined;
  return { ...known, email: isOther ? email : known.email, factors: [...steps, ...more] };
}

const lastStepOf = ({ lastStep = -1 }: Factor): number => lastStep;
