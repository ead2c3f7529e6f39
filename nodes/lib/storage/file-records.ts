import { DirectoryUse } from './directory-use';
import { folderName } from './disk';
import { type Change, Folder, type Kept } from './folder';
import { type ProcessRun, type Tell, thisRun } from './owned-directory';
import {
  type ApprovalRecord,
  type Claim,
  clockTolerance,
  type Found,
  type RecordEvents,
  type Records,
} from './records';
import { storedRecord } from './stored-record';
import { realTime, type Clock } from '../time';

/** The mark of a claimed record. */
const passing = 'passing';

/** The number of records handed over in one step. */
const takenAtOnce = 100;

/** What follows from a record that cannot be read. */
const consequence = 'its message no longer waits';

const claims: Readonly<Record<Change, Claim>> = {
  done: 'ours',
  gone: 'missing',
  taken: 'theirs',
  // It has ended.
  absent: 'theirs',
};

/** The place where the records of a gate are kept in files. */
export interface FilePlace {
  /** The folder of all accounts in the user directory. */
  readonly root: string;
  readonly accountId: string;
  readonly gateId: string;
}

/**
 * The records of a gate as files in the user directory, for one Node-RED: `ROOT/life-N/ACCOUNT/GATE/ID.json`, and
 * `ID.passing.json` once claimed. A change that has resolved is safe if the process is killed or the power fails.
 *
 * {@link OwnedDirectory} makes sure that only one process has them; taking over raises the epoch of all records at once.
 * Within the process the old and the new gate of a deploy share a {@link Folder}, which knows its records: a record that it
 * does not know has ended, and nothing brings it back.
 */
export class FileRecords implements Records {
  readonly name: string;
  private readonly time: Clock;
  private readonly use: DirectoryUse<Folder>;
  private readonly tell: Tell = (sentence) => this.events.onTrouble(sentence);

  constructor(
    { root, accountId, gateId }: FilePlace,
    private readonly events: RecordEvents,
    { time = realTime, run = thisRun }: { readonly time?: Clock; readonly run?: ProcessRun } = {},
  ) {
    this.name = `files ${root} ${accountId}`;
    this.time = time;
    const names = [folderName(accountId), folderName(gateId)];
    this.use = new DirectoryUse({ root, run, time }, this.tell, (directory) =>
      Folder.open(directory, names, time, this.tell, consequence),
    );
  }

  now(): number {
    return this.time.wall();
  }

  async create(record: ApprovalRecord, isWanted = (): boolean => true): Promise<boolean> {
    const folder = await this.use.open();
    await folder.create(record.id, record, isWanted);
    return true;
  }

  async update(record: ApprovalRecord): Promise<boolean> {
    const folder = await this.use.open();
    return (await folder.replace(record.id, '', record)) === 'done';
  }

  async claim(record: ApprovalRecord, isFinal: boolean): Promise<Claim> {
    const folder = await this.use.open();
    return claims[await (isFinal ? folder.remove(record.id) : folder.mark(record.id, '', passing))];
  }

  async unclaim(record: ApprovalRecord): Promise<void> {
    if (record.state === passing) return;
    const folder = await this.use.open();
    await folder.mark(record.id, passing, '');
  }

  async end(record: ApprovalRecord): Promise<void> {
    // If it was claimed here, the folder is open: then nothing runs between handing on and the removal.
    const folder = this.use.opened ?? (await this.use.open());
    await folder.removeNow(record.id);
  }

  /** There are no other instances. */
  withdrawElsewhere(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async take(except: ReadonlyMap<string, number>): Promise<Found[]> {
    const folder = await this.use.open();
    const isClockWrong = this.time.wall() + clockTolerance < folder.lastSign;
    for (;;) {
      const kept = folder.take(takenAtOnce);
      const found = kept
        .filter(({ id }) => !except.has(id))
        .flatMap((one) => this.readKept(folder, one))
        .map((record) => ({ record, isClockWrong }));
      if (kept.length === 0 || found.length > 0) return found;
    }
  }

  close(): Promise<void> {
    return this.use.close((folder) => folder.settled());
  }

  private readKept(folder: Folder, { id, mark, value }: Kept): ApprovalRecord[] {
    try {
      const record = storedRecord(id, value);
      if (mark !== '' && mark !== passing) throw new Error('its mark is not known');
      if (mark === passing) record.state = passing;
      record.epoch += 1;
      return [record];
    } catch (error) {
      this.tell(
        `The file ${folder.setAside(id)} holds an approval request that cannot be read: ${(error as Error).message}. ` +
          `It was left as it is; ${consequence}.`,
      );
      return [];
    }
  }
}
