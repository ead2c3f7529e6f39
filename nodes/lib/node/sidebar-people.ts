import type { Account } from '../account/account';
import type { Approver } from '../approver/approver';
import { usablePhones } from '../approver/asking';
import { numberOf } from '../approver/enrolment';
import { invitedFor } from '../approver/invitations';
import { pauseLeft } from '../approver/not-me';
import { endedAt, historyOf, openRequests, outcomeOf } from '../approver/requests';
import type { Grade, People, Person } from '../contract/people';
import { recoveryCodesLeft } from '../people/recovery';
import type { Instance } from './instances';

/** How many people are shown at once. */
export const mostRows = 50;
/** How many answers of a person are shown. */
const mostAnswers = 10;

/** An account as the sidebar shows it. All times in these answers are in milliseconds since 1970. */
export interface ShownAccount {
  readonly id: string;
  /** The id by which the editor knows it. */
  readonly editorId: string;
  /** Blank if it has none. */
  readonly name: string;
  /** The instance of the subflow that it runs in; blank if it runs in none. */
  readonly instance: string;
  /** The id of its service. */
  readonly service: string;
  readonly isSimulated: boolean;
  /** Whether its people answer here; otherwise nobody is invited. */
  readonly hasApprover: boolean;
  /** Where people answer; null if they do not, or there is no address. */
  readonly page: { readonly url: string; readonly grade: Grade; readonly isLocalOnly: boolean } | null;
  /** Why there is no address: a sentence. */
  readonly problem: string | null;
}

/** A person in the list. */
export interface Row {
  readonly authyId: string;
  readonly phoneNumber: string;
  readonly email: string;
  readonly createdAt: number;
  readonly isLocked: boolean;
  /** How many phones they have. */
  readonly phones: number;
}

/** A part of the list, the newest first. */
export interface Rows {
  readonly rows: readonly Row[];
  /** How many there are, with those before and after this part. */
  readonly found: number;
  /** A sentence for each person who cannot be read. */
  readonly missing: readonly string[];
}

/** A person, without anything that lets somebody act as them. */
export interface ShownPerson extends Omit<Row, 'phones'> {
  readonly authenticators: readonly {
    readonly name: string;
    readonly isConfirmed: boolean;
    readonly createdAt: number;
  }[];
  /** null if there never were any. */
  readonly recoveryLeft: number | null;
  readonly phones: readonly {
    readonly id: string;
    readonly name: string;
    readonly grade: Grade;
    readonly isSynced: boolean;
    /** Two digits that the phone shows as well. */
    readonly number: string;
    readonly addedAt: number;
    readonly hasPush: boolean;
    /** Whether it can answer at the present address. */
    readonly isUsable: boolean;
  }[];
  readonly invitedUntil: number | null;
  /** Nobody may ask them until then, because they have said "not me". By its id it can be ended. */
  readonly pause: { readonly until: number; readonly id: number } | null;
  readonly open: number;
  /** The last ones, the newest first. */
  readonly answers: readonly {
    readonly message: string;
    readonly outcome: ReturnType<typeof outcomeOf>;
    readonly at: number;
    /** The phone's name; null if nobody has answered. */
    readonly phone: string | null;
  }[];
}

/** What the sidebar shows of an account. */
export function shownAccount({ id, editorId, accountName, name, account }: Instance): ShownAccount {
  const { approver } = account;
  return {
    ...{ id, editorId, name: accountName, instance: name },
    service: account.kindId ?? '',
    isSimulated: account.isSimulated,
    hasApprover: approver !== undefined,
    ...pageOf(approver),
  };
}

function pageOf(approver: Approver | undefined): Pick<ShownAccount, 'page' | 'problem'> {
  if (approver === undefined) return { page: null, problem: null };
  try {
    const { url, grade, isLocalOnly } = approver.page;
    return { page: { url: `${url}/`, grade, isLocalOnly }, problem: null };
  } catch (error) {
    return { page: null, problem: (error as Error).message };
  }
}

/**
 * Looks for people by a part of their phone number, their e-mail address or their Authy ID.
 *
 * @param wanted - as it was typed; blank finds all
 * @param from - how many of those that were found come before the part
 */
export async function foundPeople(people: People, wanted: string, from: number): Promise<Rows> {
  const isWanted = search(wanted);
  const all: Row[] = [];
  const missing: string[] = [];
  for await (const person of people.all((sentence) => void missing.push(sentence))) {
    if (isWanted(person)) all.push(rowOf(person));
  }
  all.sort((one, other) => other.createdAt - one.createdAt || (one.authyId < other.authyId ? -1 : 1));
  return { rows: all.slice(from, from + mostRows), found: all.length, missing };
}

function search(wanted: string): (person: Person) => boolean {
  const text = wanted.trim().toLowerCase();
  if (text === '') return () => true;
  // As people write them, with the zeros in front that belong to no number in E.164 format.
  const digits = /^[\d\s()+./-]+$/.test(text) ? text.replace(/\D/g, '').replace(/^0+/, '') : '';
  return ({ phoneNumber, email, authyId }) =>
    (digits !== '' && (phoneNumber.includes(digits) || authyId.includes(digits))) ||
    email.toLowerCase().includes(text);
}

function rowOf(person: Person): Row {
  const { authyId, phoneNumber, email, createdAt, phones = [] } = person;
  return {
    ...{ authyId, phoneNumber, email, createdAt },
    isLocked: person.locked === true,
    phones: phones.length,
  };
}

/** What the sidebar shows of a person. What it does not name stays here. */
export function shownPerson({ approver }: Account, person: Person): ShownPerson {
  return {
    ...rowOf(person),
    authenticators: person.factors.map(({ name, state, createdAt }) => ({
      ...{ name, createdAt },
      isConfirmed: state === 'verified',
    })),
    recoveryLeft: recoveryCodesLeft(person) ?? null,
    ...(approver === undefined ? nothingHere : answeredHere(approver, person)),
  };
}

type AnsweredHere = Pick<ShownPerson, 'phones' | 'invitedUntil' | 'pause' | 'open' | 'answers'>;

const nothingHere: AnsweredHere = { phones: [], invitedUntil: null, pause: null, open: 0, answers: [] };

function answeredHere(approver: Approver, person: Person): AnsweredHere {
  const { host } = approver;
  const [invited, pause] = [invitedFor(person, host), pauseLeft(person, host)];
  const usable = usableIds(approver, person);
  return {
    phones: (person.phones ?? []).map((phone) => ({
      id: phone.id,
      name: phone.name,
      grade: phone.passkey === undefined ? 'code' : 'passkey',
      isSynced: phone.passkey?.isSynced === true,
      number: numberOf(phone),
      addedAt: phone.addedAt,
      hasPush: phone.push !== undefined,
      isUsable: usable.has(phone.id),
    })),
    invitedUntil: invited > 0 ? host.now() + invited : null,
    pause: pause > 0 ? { until: host.now() + pause, id: person.notMe?.until ?? 0 } : null,
    open: openRequests(person, host).length,
    answers: historyOf(person, host)
      .slice(0, mostAnswers)
      .map((request) => ({
        message: request.message,
        outcome: outcomeOf(request),
        at: endedAt(request),
        phone: request.answer?.phone.name ?? null,
      })),
  };
}

function usableIds(approver: Approver, person: Person): ReadonlySet<string> {
  try {
    return new Set(usablePhones(person, approver.page).map(({ id }) => id));
  } catch {
    // Without an address none of them can answer.
    return new Set();
  }
}
