import { lstatSync } from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { AuthyError } from '../contract/errors';
import { DirectoryUse } from '../storage/directory-use';
import { folderName } from '../storage/disk';
import { type Change, Folder, type Kept as KeptRecord } from '../storage/folder';
import { InTurn } from '../storage/in-turn';
import { type OwnedDirectory, type ProcessRun, type Tell, thisRun } from '../storage/owned-directory';
import { type Clock, realTime } from '../time';
import { KeptPeople } from './kept-people';
import type { People } from '../contract/people';
import type { Kept, PeopleStore, Row } from './people-store';
import { storedPerson } from './person';
import { Sealing } from './sealing';

/** What follows from a file that cannot be read. */
const consequence = 'nobody is known by it';

/** How many people are read, or handed over, before other work has its turn. */
const atOnce = 200;

/** A phone number of which nobody knows whose it is, until Node-RED is restarted or a later change has succeeded. */
interface Doubt {
  /** The person whose change would make an end to it. */
  readonly authyId?: string;
  /** Says what to do. */
  readonly sentence: string;
}

/** The people of an account in files, once they are read. All who use the account in this process share it. */
class Shelf {
  /** The text of each person by their id: less memory than objects. */
  private readonly texts = new Map<string, string>();
  /** The id of each phone number. */
  private readonly phones = new Map<string, string>();
  private readonly doubts = new Map<string, Doubt>();
  /** Changes of the same id, and those that take the same phone number, are made one after the other. */
  private readonly turns = new InTurn();

  private constructor(
    private readonly directory: OwnedDirectory,
    private readonly folder: Folder,
  ) {}

  /** The same one for all callers in this process. @param account - the name of its folder */
  static open(directory: OwnedDirectory, account: string, time: Clock, tell: Tell): Promise<Shelf> {
    // No folder has a name with a space.
    const name = `people of ${account}`;
    const known = directory.known.get(name) as Promise<Shelf> | undefined;
    if (known !== undefined) return known;
    const opened = Folder.open(directory, [account], time, tell, consequence).then((folder) =>
      new Shelf(directory, folder).takeAll(tell),
    );
    directory.known.set(name, opened);
    opened.catch(() => {
      if (directory.known.get(name) === opened) directory.known.delete(name);
    });
    return opened;
  }

  // ---- what is there at the beginning

  private async takeAll(tell: Tell): Promise<this> {
    for (;;) {
      const part = this.folder.take(atOnce);
      if (part.length === 0) break;
      for (const kept of part) this.take(kept, tell);
      await turn();
    }
    for (const { sentence } of this.doubts.values()) tell(sentence);
    return this;
  }

  private take({ id, mark, value }: KeptRecord, tell: Tell): void {
    const text = JSON.stringify(value);
    try {
      if (mark !== '') throw new Error(`its name ends in .${mark}.json`);
      const { phoneNumber } = storedPerson(id, text);
      const other = this.phones.get(phoneNumber);
      if (other !== undefined) {
        const files = `${this.fileOf(other)} and ${this.fileOf(id)}`;
        const sentence = `Remove one of the files ${files}, and restart Node-RED: they have the same phone number.`;
        this.doubts.set(phoneNumber, { sentence });
      }
      this.phones.set(phoneNumber, id);
      this.texts.set(id, text);
    } catch (error) {
      const file = this.folder.setAside(id);
      const why = (error as Error).message;
      tell(`${this.repair(file)}: ${why}. It was left as it is; ${consequence}.`);
    }
  }

  // ---- reading

  fileOf(id: string): string {
    return path.join(this.folder.path, `${id}.json`);
  }

  read(id: string): Row | undefined {
    this.directory.checkOurs();
    if (this.folder.isUnreadable(id)) throw new AuthyError('AUTHY_STORE', this.toRepair(id));
    const text = this.texts.get(id);
    return text === undefined ? undefined : { authyId: id, text };
  }

  idOf(phoneNumber: string): string | undefined {
    this.directory.checkOurs();
    const doubt = this.doubts.get(phoneNumber);
    if (doubt !== undefined) throw new AuthyError('AUTHY_STORE', doubt.sentence);
    return this.phones.get(phoneNumber);
  }

  private repair(file: string): string {
    return `Repair or remove the file ${file}, and restart Node-RED: it holds a person who cannot be read`;
  }

  private toRepair(id: string): string {
    return `${this.repair(this.fileOf(id))}.`;
  }

  /** A sentence about each file that cannot be read. */
  setAside(): string[] {
    this.directory.checkOurs();
    return this.folder.unreadableIds().map((id) => this.toRepair(id));
  }

  ids(): string[] {
    this.directory.checkOurs();
    return [...this.texts.keys()];
  }

  // ---- changing

  add({ authyId, text, person: { phoneNumber } }: Kept): Promise<'done' | 'idTaken' | 'phoneTaken'> {
    return this.withPhone(phoneNumber, authyId, async () => {
      if (this.read(authyId) !== undefined) return 'idTaken';
      try {
        // Nobody waits until a disk that fails works again: whether the file is there is looked up instead.
        await this.folder.create(authyId, text, () => false);
      } catch (error) {
        if (isThere(this.fileOf(authyId))) {
          const sentence = `Restart Node-RED, once its disk works: adding the person ${authyId} has failed, and left a file.`;
          this.doubts.set(phoneNumber, { sentence });
        }
        throw error;
      }
      this.texts.set(authyId, text);
      this.phones.set(phoneNumber, authyId);
      return 'done';
    });
  }

  replace(before: Kept, after: Kept): Promise<'done' | 'changed' | 'phoneTaken'> {
    const { authyId, text } = after;
    const [from, to] = [before.person.phoneNumber, after.person.phoneNumber];
    const work = async (): Promise<'done' | 'changed'> => {
      if (this.texts.get(authyId) !== before.text) return 'changed';
      try {
        this.check(authyId, await this.folder.replace(authyId, '', text));
      } catch (error) {
        if (from !== to) {
          const sentence = `Change the person ${authyId} again, or restart Node-RED: a change of the phone number has failed.`;
          this.doubts.set(to, { authyId, sentence });
        }
        throw error;
      }
      this.settle(authyId);
      this.texts.set(authyId, text);
      if (from !== to) {
        this.phones.set(to, authyId);
        this.release(from, authyId);
      }
      return 'done';
    };
    return from === to ? this.turns.do(`id ${authyId}`, work) : this.withPhone(to, authyId, work);
  }

  remove({ authyId, text, person }: Kept): Promise<'done' | 'changed'> {
    return this.turns.do(`id ${authyId}`, async () => {
      if (this.texts.get(authyId) !== text) return 'changed';
      this.check(authyId, await this.folder.remove(authyId));
      this.settle(authyId);
      this.texts.delete(authyId);
      this.release(person.phoneNumber, authyId);
      return 'done';
    });
  }

  settled(): Promise<void> {
    return this.folder.settled();
  }

  /** Makes a change that takes a phone number, if nobody else has it. */
  private withPhone<T>(phoneNumber: string, id: string, change: () => Promise<T>): Promise<T | 'phoneTaken'> {
    return this.turns.do(`phone ${phoneNumber}`, async () => {
      if (this.doubts.get(phoneNumber)?.authyId === id) return this.turns.do(`id ${id}`, change);
      if (this.idOf(phoneNumber) !== undefined) return 'phoneTaken';
      return this.turns.do(`id ${id}`, change);
    });
  }

  private check(id: string, result: Change): void {
    if (result === 'done') return;
    this.directory.checkOurs();
    throw new AuthyError(
      'AUTHY_STORE',
      `Put the file ${this.fileOf(id)} back, or restart Node-RED: it was removed while Node-RED used it.`,
    );
  }

  /** A change of this person has succeeded: what an earlier one might have left is gone. */
  private settle(authyId: string): void {
    for (const [phone, doubt] of this.doubts) if (doubt.authyId === authyId) this.doubts.delete(phone);
  }

  private release(phoneNumber: string, authyId: string): void {
    if (this.phones.get(phoneNumber) === authyId) this.phones.delete(phoneNumber);
  }
}

/** The people of an account as files in the user directory: `ROOT/life-N/ACCOUNT/ID.json`. */
class FileStore implements PeopleStore {
  private readonly use: DirectoryUse<Shelf>;

  constructor({ root, accountId }: PeoplePlace, tell: Tell, time: Clock, run: ProcessRun) {
    const account = folderName(accountId);
    this.use = new DirectoryUse({ root, run, time }, tell, (directory) =>
      Shelf.open(directory, account, time, tell),
    );
  }

  placeOf(authyId: string): string {
    return `the file ${this.use.opened?.fileOf(authyId) ?? `${authyId}.json`}`;
  }

  async read(authyId: string): Promise<Row | undefined> {
    return (await this.use.open()).read(authyId);
  }

  async readByPhone(phoneNumber: string): Promise<Row | undefined> {
    const shelf = await this.use.open();
    const id = shelf.idOf(phoneNumber);
    return id === undefined ? undefined : shelf.read(id);
  }

  async add(kept: Kept): Promise<'done' | 'idTaken' | 'phoneTaken'> {
    return (await this.use.open()).add(kept);
  }

  async replace(before: Kept, after: Kept): Promise<'done' | 'changed' | 'phoneTaken'> {
    return (await this.use.open()).replace(before, after);
  }

  async remove(before: Kept): Promise<'done' | 'changed'> {
    return (await this.use.open()).remove(before);
  }

  async *parts(): AsyncIterable<readonly Row[]> {
    const shelf = await this.use.open();
    const ids = shelf.ids();
    for (let from = 0; from < ids.length; from += atOnce) {
      yield ids.slice(from, from + atOnce).flatMap((id) => shelf.read(id) ?? []);
      await turn();
    }
  }

  async count(): Promise<number> {
    return (await this.use.open()).ids().length;
  }

  async setAside(): Promise<readonly string[]> {
    return (await this.use.open()).setAside();
  }

  close(): Promise<void> {
    return this.use.close((shelf) => shelf.settled());
  }
}

/** The folder of all accounts in the user directory of Node-RED. */
export function peopleRoot(userDir: string): string {
  return path.join(userDir, 'authy-people');
}

/** Where the people of an account are kept in files. */
export interface PeoplePlace {
  /** The folder of all accounts: see {@link peopleRoot}. It also holds the key, if settings.js has none. */
  readonly root: string;
  readonly accountId: string;
}

export interface FilePeopleOptions {
  /** `credentialSecret` of settings.js, where it is set. */
  readonly credentialSecret?: string | undefined;
  /** Takes a sentence about what cannot be read; it shows nothing of the people. */
  readonly tell: Tell;
  readonly time?: Clock;
  readonly run?: ProcessRun;
}

/**
 * The people of an account in files, for one Node-RED at a time: `ROOT/life-N/ACCOUNT/ID.json`, one for each person. A
 * change that has resolved is safe if the process is killed or the power fails. They are read once, at the start.
 *
 * The folder is not that of the approvals: those who remove it to be rid of old approvals keep their people, and a backup can
 * take it alone.
 */
export function filePeople(
  place: PeoplePlace,
  { credentialSecret, tell, time = realTime, run = thisRun }: FilePeopleOptions,
): People {
  const sealing = new Sealing(place.accountId, {
    credentialSecret,
    keyFile: path.join(place.root, 'secrets.key'),
  });
  return new KeptPeople(new FileStore(place, tell, time, run), sealing, tell, () => time.wall());
}

/** Whether a file is there, or may be. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
