import { invalidInput } from '../contract/errors';
import { isObject, member } from '../contract/json';
import type {
  ApprovalProof,
  ApprovalRequest,
  CodeLimits,
  Factor,
  Invitation,
  MonthCounts,
  NotMe,
  Passkey,
  Person,
  Phone,
  PushSubscription,
  RequestAnswer,
  Session,
  Verification,
} from '../contract/people';
import { formats } from '../contract/validation';
import type { SealedText } from './sealing';

/** A person as they are stored: secrets are sealed. */
export type StoredPerson = Person<SealedText>;

/** The formats that only people have. */
const ofPeople = {
  id: /^[A-Za-z0-9_-]{1,64}$/,
  identity: /^[0-9a-f]{32}$/,
  e164: /^\+[1-9][0-9]{4,14}$/,
  hash: /^h1\.[A-Za-z0-9_-]{8}\.[A-Za-z0-9_-]{43}$/,
  sealed: /^v1(?:\.[A-Za-z0-9_-]{1,300}){2}$/,
  sha256: /^[A-Za-z0-9_-]{43}$/,
  base64url: /^[A-Za-z0-9_-]{1,2048}$/,
} as const;

/** Twilio allows no more factors of a person. */
const mostFactors = 100;
const longestName = 64;
/** More are never kept of one person. */
const mostTimes = 100;
const mostRecoveryCodes = 20;
/** Of one person. */
export const mostPhones = 10;
export const mostSessions = 5;
/** Open and ended ones together. */
export const mostRequests = 70;
/** That are counted. */
export const mostMonths = 6;
/** The rows that a request shows. */
export const mostDetails = 50;
/** The text that an approval signs, in characters. */
export const longestText = 20_000;

type Check = (value: unknown) => boolean;
type Checks<T> = { readonly [Name in keyof T]-?: Check };

const isLike =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const isOneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isAbsentOr =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isText =
  (longest: number): Check =>
  (value) =>
    typeof value === 'string' && value.length <= longest;
const isListOf =
  (check: Check, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(check);

/** An object with these members, and no others. */
function isObjectOf<T>(checks: Checks<T>): Check {
  return (value) =>
    isObject(value) &&
    Object.entries<Check>(checks).every(([name, isRight]) => isRight(member(value, name))) &&
    Object.keys(value).every((name) => Object.hasOwn(checks, name));
}

/** Looks at each object once: whoever has one that was right leaves it as it is. */
function isOnce(check: Check): Check {
  const right = new WeakSet();
  return (value) => {
    if (!isObject(value)) return check(value);
    if (right.has(value)) return true;
    const isRight = check(value);
    if (isRight) right.add(value);
    return isRight;
  };
}

const isId = isLike(ofPeople.id);
export const isIdentity = isLike(ofPeople.identity);
export const isE164 = isLike(ofPeople.e164);
const isSecret = isLike(formats.totpSecret);
const isSealed = isLike(ofPeople.sealed);
const isHash = isLike(ofPeople.hash);
const isEmail: Check = (value) => value === '' || isLike(formats.email)(value);

const factorChecks = (secret: Check): Checks<Factor> => ({
  id: isId,
  type: isOneOf('totp', 'push'),
  service: isAbsentOr(isId),
  state: isOneOf('unverified', 'verified'),
  name: isText(longestName),
  secret: isAbsentOr(secret),
  lastStep: isAbsentOr(isCount),
  recovery: isAbsentOr(isListOf(isHash, mostRecoveryCodes)),
  createdAt: isCount,
});

const verificationChecks: Checks<Verification> = {
  id: isId,
  channel: isOneOf('sms', 'call', 'email'),
  to: isText(254),
  startedAt: isCount,
  hash: isAbsentOr(isHash),
  tries: isAbsentOr(isCount),
  end: isAbsentOr(isOneOf('approved', 'expired', 'failed', 'canceled')),
};

const limitsChecks: Checks<CodeLimits> = {
  sent: isListOf(isCount, mostTimes),
  wrong: isListOf(isCount, mostTimes),
  wrongInARow: isCount,
  locks: isCount,
  lockedUntil: isCount,
};

const isGrade = isOneOf('passkey', 'code');
const isHash256 = isLike(ofPeople.sha256);
const isBase64url = isLike(ofPeople.base64url);
const isFlag = isOneOf(true, false);

const isSession = isObjectOf<Session>({ hash: isHash256, startedAt: isCount });

const isPasskey = isObjectOf<Passkey>({
  id: isBase64url,
  publicKey: isBase64url,
  counter: isCount,
  isSynced: isFlag,
  rpId: isText(253),
});

const isPush = isObjectOf<PushSubscription>({
  endpoint: isText(1000),
  p256dh: isBase64url,
  auth: isBase64url,
});

const isPhone = isObjectOf<Phone>({
  id: isId,
  name: isText(longestName),
  passkey: isAbsentOr(isPasskey),
  sessions: isListOf(isSession, mostSessions),
  push: isAbsentOr(isPush),
  addedAt: isCount,
  signedInAt: isAbsentOr(isCount),
});

const isProof = isObjectOf<ApprovalProof>({
  text: isText(longestText),
  credentialId: isBase64url,
  publicKey: isBase64url,
  authenticatorData: isBase64url,
  clientDataJSON: isBase64url,
  signature: isBase64url,
});

const isAnswer = isObjectOf<RequestAnswer>({
  decision: isOneOf('approved', 'denied'),
  notMe: isFlag,
  at: isCount,
  phone: isObjectOf<RequestAnswer['phone']>({ id: isId, name: isText(longestName), grade: isGrade }),
  proof: isAbsentOr(isProof),
});

const isDetail: Check = (value) =>
  Array.isArray(value) && value.length === 2 && isText(20)(value[0]) && isText(200)(value[1]);

/** There are many of them, and most changes of a person leave them all but one as they are. */
const isRequest = isOnce(
  isObjectOf<ApprovalRequest>({
    id: isLike(formats.uuid),
    asker: isText(100),
    message: isText(144),
    details: isListOf(isDetail, mostDetails),
    hidden: (value) => value === '' || isHash256(value),
    atLeast: isGrade,
    createdAt: isCount,
    expiresAt: (value) => value === null || isCount(value),
    nonce: isLike(/^[A-Za-z0-9_-]{22}$/),
    answer: isAbsentOr(isAnswer),
  }),
);

const isInvitation = isObjectOf<Invitation>({
  hash: isHash256,
  madeAt: isCount,
  challenge: isAbsentOr(isHash256),
});

const isMonthCounts = isObjectOf<MonthCounts>({
  month: isLike(/^[0-9]{4}-(?:0[1-9]|1[0-2])$/),
  sms: isCount,
  calls: isCount,
  auths: isCount,
});

const isNotMe = isObjectOf<NotMe>({ times: isCount, until: isCount });

const personChecks: Checks<Omit<Person, 'factors' | 'verification' | 'limits'>> = {
  authyId: isLike(formats.authyId),
  identity: isIdentity,
  phoneNumber: isE164,
  countryCode: isLike(/^[1-9][0-9]{0,2}$/),
  email: isEmail,
  createdAt: isCount,
  recovery: isAbsentOr(isListOf(isHash, mostRecoveryCodes)),
  phones: isAbsentOr(isListOf(isPhone, mostPhones)),
  invitation: isAbsentOr(isInvitation),
  requests: isAbsentOr(isListOf(isRequest, mostRequests)),
  notMe: isAbsentOr(isNotMe),
  counts: isAbsentOr(isListOf(isMonthCounts, mostMonths)),
  locked: isAbsentOr(isOneOf(true)),
};

/** The members that are lists and objects: they are checked one by one. */
const inner = ['factors', 'verification', 'limits'];

/** The name of the first member that is not in the right format; undefined if there is none. */
function wrongMember(person: unknown, secret: Check): string | undefined {
  const wrong = wrongAmong(person, personChecks, '', inner);
  if (wrong !== undefined) return wrong;
  const { phoneNumber, countryCode, factors, verification, limits } = person as Person;
  if (!phoneNumber.startsWith(`+${countryCode}`)) return 'countryCode';
  if (!Array.isArray(factors) || factors.length > mostFactors) return 'factors';
  const checks = factorChecks(secret);
  for (const [index, factor] of (factors as readonly unknown[]).entries()) {
    const within = wrongAmong(factor, checks, `factors[${index}]`);
    if (within !== undefined) return within;
  }
  const ids = new Set((factors as readonly Factor[]).map(({ id }) => id));
  if (ids.size < factors.length) return 'factors';
  return (
    wrongIfThere(verification, verificationChecks, 'verification') ??
    wrongIfThere(limits, limitsChecks, 'limits')
  );
}

function wrongIfThere(
  value: unknown,
  checks: Readonly<Record<string, Check>>,
  place: string,
): string | undefined {
  return value === undefined ? undefined : wrongAmong(value, checks, place);
}

function wrongAmong(
  value: unknown,
  checks: Readonly<Record<string, Check>>,
  place: string,
  others: readonly string[] = [],
): string | undefined {
  if (!isObject(value)) return place;
  const prefix = place === '' ? '' : `${place}.`;
  for (const [name, isRight] of Object.entries(checks)) {
    if (!isRight(member(value, name))) return `${prefix}${name}`;
  }
  // What a later version has added would be lost with the next change.
  const isKnown = (name: string): boolean => Object.hasOwn(checks, name) || others.includes(name);
  return Object.keys(value).every(isKnown) ? undefined : `${prefix}(a member that is not known here)`;
}

/**
 * The version of the stored form. Version 1 had no limits, no hashes and no recovery codes, and version 2 no phones and no
 * requests: they read as a person of today who has none. A package of that time refuses a later version: it would lose them.
 */
const version = 3;
const readable: readonly unknown[] = [1, 2, version];

/** The texts of requests: most changes of a person leave them all but one as they are. */
const requestTexts = new WeakMap<ApprovalRequest, string>();

/** Writes a person as the text that {@link storedPerson} reads. */
export function textOf({ requests, ...person }: StoredPerson): string {
  const text = JSON.stringify({ version, ...person });
  return requests === undefined
    ? text
    : `${text.slice(0, -1)},"requests":[${requests.map(requestText).join(',')}]}`;
}

function requestText(request: ApprovalRequest): string {
  const text = requestTexts.get(request) ?? JSON.stringify(request);
  requestTexts.set(request, text);
  return text;
}

/**
 * Reads the stored text of a person. Nothing in it is repaired.
 *
 * @param authyId - under which it was kept
 * @throws Error - says what is wrong with it, and shows none of its content
 */
export function storedPerson(authyId: string, text: string): StoredPerson {
  const value = parsed(text);
  if (!readable.includes(member(value, 'version')))
    throw new Error('it is not of a version that is known here');
  const person: Record<string, unknown> = { ...(value as object) };
  delete person['version'];
  const wrong = wrongMember(person, isSealed);
  if (wrong !== undefined) throw new Error(`its ${wrong} is not in the right format`);
  if (person['authyId'] !== authyId) throw new Error('it is stored under another id');
  return person as unknown as StoredPerson;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not in the right format');
  }
}

/**
 * Checks a person before they are stored: what could not be read again must not be written.
 *
 * @throws AuthyError - `AUTHY_INVALID_INPUT`, naming the member
 */
export function checkPerson(person: Person): void {
  const wrong = wrongMember(person, isSecret);
  if (wrong !== undefined) {
    throw invalidInput(wrong === '' ? 'person' : wrong, 'is not in the format in which people are kept.');
  }
}
