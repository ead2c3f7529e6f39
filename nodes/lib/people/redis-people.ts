import { AuthyError } from '../contract/errors';
import type { Tell } from '../storage/owned-directory';
import type { Scripts, ScriptSet } from '../storage/redis/link';
import { KeptPeople } from './kept-people';
import type { People } from '../contract/people';
import type { Kept, PeopleStore, Row } from './people-store';
import { Sealing } from './sealing';

/** How many people are handed over in one step, about. */
const atOnce = 500;

/**
 * Each script is one step in Redis. KEYS[1] is the account's prefix, ARGV[1] the time, which none of them needs.
 *
 * - `people`: a hash with the text of each person by their id
 * - `phones`: a hash with the id of each phone number
 *
 * Both have as many entries: where they do not, Redis has lost one of them, and then nobody is "not known".
 */
const start = `
local people, phones = KEYS[1] .. 'people', KEYS[1] .. 'phones'
local function isWhole() return redis.call('HLEN', people) == redis.call('HLEN', phones) end
`;

const sources = {
  /** ARGV: id. Returns the text, or nothing; and 'lost' if Redis has lost something. */
  find: `${start}
local text = redis.call('HGET', people, ARGV[2])
return { text, not text and not isWhole() and 'lost' or '' }`,

  /** ARGV: phone number. Returns id and text, or nothing; and 'lost' if Redis has lost something. */
  findByPhone: `${start}
local id = redis.call('HGET', phones, ARGV[2])
local text = id and redis.call('HGET', people, id)
return { id, text, not text and (id or not isWhole()) and 'lost' or '' }`,

  /** ARGV: id, phone number, text. Returns a word. */
  add: `${start}
if not isWhole() then return 'lost' end
if redis.call('HEXISTS', phones, ARGV[3]) == 1 then return 'phoneTaken' end
if redis.call('HSETNX', people, ARGV[2], ARGV[4]) == 0 then return 'idTaken' end
redis.call('HSET', phones, ARGV[3], ARGV[2])
return 'done'`,

  /** ARGV: id, the text before, the new one, the phone number before, the new one. Returns a word. */
  replace: `${start}
if redis.call('HGET', people, ARGV[2]) ~= ARGV[3] then return 'changed' end
local other = redis.call('HGET', phones, ARGV[6])
if other and other ~= ARGV[2] then return 'phoneTaken' end
if redis.call('HGET', phones, ARGV[5]) ~= ARGV[2] then return 'lost' end
redis.call('HSET', people, ARGV[2], ARGV[4])
redis.call('HDEL', phones, ARGV[5])
redis.call('HSET', phones, ARGV[6], ARGV[2])
return 'done'`,

  /** ARGV: id, the text, the phone number. Returns a word. */
  remove: `${start}
if redis.call('HGET', people, ARGV[2]) ~= ARGV[3] then return 'changed' end
redis.call('HDEL', people, ARGV[2])
if redis.call('HGET', phones, ARGV[4]) == ARGV[2] then redis.call('HDEL', phones, ARGV[4]) end
return 'done'`,

  /** Returns how many there are; and 'lost' if Redis has lost something. */
  count: `${start}
return { redis.call('HLEN', people), not isWhole() and 'lost' or '' }`,

  /** Some people. ARGV: where to go on, 0 at first; how many, about. Returns where to go on, and ids and texts in turn. */
  part: `${start}
return redis.call('HSCAN', people, ARGV[2], 'COUNT', ARGV[3])`,
} as const;

export type PeopleScript = keyof typeof sources;

/** The scripts for people. */
export const peopleScripts: ScriptSet<PeopleScript> = { sources, prefixes: ['people'], kept: 'people' };

/** Redis, as far as people need it. */
export interface PeopleLink {
  scriptsOf(set: ScriptSet<PeopleScript>): Scripts<PeopleScript>;
  close(milliseconds: number): Promise<void>;
}

export interface RedisPeopleOptions {
  /** `credentialSecret` of settings.js. Without it people can have no secrets here: the instances need the same key. */
  readonly credentialSecret?: string | undefined;
  /** Takes a sentence about what cannot be read; it shows nothing of the people. */
  readonly tell: Tell;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * The people of an account in Redis, for several instances. A change that has resolved is as safe as Redis is told to keep
 * what it has confirmed (`appendonly yes`, `appendfsync always`).
 *
 * @param accountId - the same on all instances, since they run the same flows
 * @param link - a connection, which is closed with it
 */
export function redisPeople(
  accountId: string,
  link: PeopleLink,
  { credentialSecret, tell, now }: RedisPeopleOptions,
): People {
  const sealing = new Sealing(accountId, { credentialSecret });
  return new KeptPeople(new RedisStore(accountId, link), sealing, tell, now);
}

/** In milliseconds. */
const closesWithin = 5000;

class RedisStore implements PeopleStore {
  private readonly scripts: Scripts<PeopleScript>;

  constructor(
    private readonly accountId: string,
    private readonly link: PeopleLink,
  ) {
    this.scripts = link.scriptsOf(peopleScripts);
  }

  placeOf(authyId: string): string {
    return `the field ${authyId} of the key people:{${this.accountId}}:people in Redis`;
  }

  async read(authyId: string): Promise<Row | undefined> {
    const [text, lost] = (await this.scripts.run('find', authyId)) as [string | null, string];
    checkWhole(lost);
    return text === null ? undefined : { authyId, text };
  }

  async readByPhone(phoneNumber: string): Promise<Row | undefined> {
    const answer = await this.scripts.run('findByPhone', phoneNumber);
    const [authyId, text, lost] = answer as [string | null, string | null, string];
    checkWhole(lost);
    return authyId === null || text === null ? undefined : { authyId, text };
  }

  add({ authyId, text, person: { phoneNumber } }: Kept): Promise<'done' | 'idTaken' | 'phoneTaken'> {
    return this.make('add', authyId, phoneNumber, text);
  }

  replace(before: Kept, after: Kept): Promise<'done' | 'changed' | 'phoneTaken'> {
    const phones = [before.person.phoneNumber, after.person.phoneNumber];
    return this.make('replace', after.authyId, before.text, after.text, ...phones);
  }

  remove({ authyId, text, person: { phoneNumber } }: Kept): Promise<'done' | 'changed'> {
    return this.make('remove', authyId, text, phoneNumber);
  }

  async *parts(): AsyncIterable<readonly Row[]> {
    // Redis may hand over the same one twice while the hash grows.
    const seen = new Set<string>();
    let cursor = '0';
    do {
      const [next, values] = (await this.scripts.run('part', cursor, atOnce)) as [string, string[]];
      const rows: Row[] = [];
      for (let index = 0; index < values.length; index += 2) {
        const [authyId = '', text = ''] = values.slice(index, index + 2);
        if (!seen.has(authyId)) rows.push({ authyId, text });
        seen.add(authyId);
      }
      yield rows;
      cursor = next;
    } while (cursor !== '0');
  }

  async count(): Promise<number> {
    const [count, lost] = (await this.scripts.run('count')) as [number, string];
    checkWhole(lost);
    return count;
  }

  /** Whoever cannot be read is found anew each time. */
  setAside(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    return this.link.close(closesWithin);
  }

  /** Makes a change; its result is the script's word. */
  private async make<Word extends string>(name: PeopleScript, ...args: string[]): Promise<Word> {
    const word = (await this.scripts.run(name, ...args)) as Word | 'lost';
    checkWhole(word);
    return word as Word;
  }
}

function checkWhole(word: string): void {
  if (word !== 'lost') return;
  throw new AuthyError(
    'AUTHY_STORE',
    'Set the maxmemory-policy of Redis to noeviction, and bring its data back from a backup: it has lost people, or their phone ' +
      'numbers.',
  );
}
