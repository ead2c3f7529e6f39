import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { AuthyError } from '../contract/errors';
import { codeOf, diskError, FolderSync, makeFolders, replaceFile } from './disk';
import { InTurn } from './in-turn';
import type { Loss, OwnedDirectory, Tell } from './owned-directory';
import { pause, type Clock } from '../time';

/** How long files are read before other work has its turn, in milliseconds. */
const readSlice = 5;

/** The pause between two tries to remove a record that must not be there, in milliseconds. */
const removePause = 1000;

/** `ID.json`, or `ID.MARK.json`. */
const recordName = /^([A-Za-z0-9_-]{1,64})(?:\.([a-z]+))?\.json$/;
const temporaryName = /^[A-Za-z0-9_-]{1,64}(?:\.[a-z]+)?\.json\.tmp$/;

/** A record that was found in a folder. */
export interface Kept {
  readonly id: string;
  readonly mark: string;
  readonly value: unknown;
}

/** The result of a change: it is done and safe, or nothing was changed because the record is not there (any more). */
export type Change = 'done' | 'absent' | Loss;

/** The content of a file: a record, and when it was written by the computer's clock. */
interface Content {
  readonly writtenAt: number;
  readonly value: unknown;
}

/**
 * A folder of small records, each in its own file that only its owner can read. It does not know their content.
 *
 * - Content is written to another name, synced and renamed: after a crash or a power failure it is the old or the new
 *   content.
 * - A record carries a *mark*, a word, in its file's name. A rename changes it: as safe as new content, in half the time.
 * - A removal can be done within one turn: only a power failure can come between it and the next line of code.
 *
 * A change is `done` once it is synced, and only if the folder was still ours after that; see {@link OwnedDirectory}.
 */
export class Folder {
  /** The last sign of life before this run, by the computer's clock: of a process, or the time of a record. */
  lastSign: number;
  /** The records that are there, with their marks: those made here, and earlier ones that were taken. */
  private readonly marks = new Map<string, string>();
  /** Earlier records that nobody has taken yet. */
  private left: Kept[] = [];
  /** Records that cannot be read, and must not be overwritten. */
  private readonly unreadable = new Set<string>();
  /** Records whose removal is not safe yet. */
  private readonly removed = new Set<string>();
  private readonly changes = new InTurn();
  private readonly syncing: FolderSync;

  private constructor(
    private readonly directory: OwnedDirectory,
    private readonly names: readonly string[],
    private readonly time: Clock,
  ) {
    this.lastSign = directory.lastSign;
    this.syncing = new FolderSync(this.path);
  }

  /**
   * The folder inside a directory that the caller has entered: the same one for all callers in this process.
   *
   * @param names - of the folders that lead to it
   * @param tell - is told of records that cannot be read; they stay where they are
   * @param consequence - what follows from that, for the sentence
   * @throws AuthyError - `AUTHY_STORE`
   */
  static open(
    directory: OwnedDirectory,
    names: readonly string[],
    time: Clock,
    tell: Tell,
    consequence: string,
  ): Promise<Folder> {
    const name = path.join(...names);
    const known = directory.known.get(name) as Promise<Folder> | undefined;
    if (known !== undefined) return known;
    const opened = new Folder(directory, names, time).read(tell, consequence);
    directory.known.set(name, opened);
    opened.catch(() => {
      if (directory.known.get(name) === opened) directory.known.delete(name);
    });
    return opened;
  }

  /** @throws AuthyError - `AUTHY_STORE` if the directory was taken over */
  get path(): string {
    return path.join(this.directory.path, ...this.names);
  }

  /** Hands over some records of an earlier run; none once all are taken. */
  take(count: number): Kept[] {
    const taken = this.left.splice(-count);
    for (const { id, mark } of taken) this.marks.set(id, mark);
    return taken;
  }

  /** Forgets a record that was taken and cannot be read. Its file stays. @returns its path */
  setAside(id: string): string {
    const file = this.fileOf(id, this.marks.get(id) ?? '');
    this.marks.delete(id);
    this.unreadable.add(id);
    return file;
  }

  /** Whether there is a record that cannot be read. */
  isUnreadable(id: string): boolean {
    return this.unreadable.has(id);
  }

  /** The ids of all records that cannot be read. */
  unreadableIds(): string[] {
    return [...this.unreadable];
  }

  /** The mark of a record; undefined if it is not there. */
  markOf(id: string): string | undefined {
    return this.removed.has(id) ? undefined : this.marks.get(id);
  }

  /**
   * Makes a record.
   *
   * @param value - or its JSON
   * @param isWanted - asked again as long as the record may still exist after a failure
   * @throws AuthyError - `AUTHY_STORE`: it is not there
   */
  create(id: string, value: object | string, isWanted: () => boolean): Promise<void> {
    return this.change(id, async () => {
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw this.refused('a record needs an id of letters and digits');
      if (this.marks.has(id) || this.unreadable.has(id)) {
        throw this.refused(`there is a record ${id} already; it must not be overwritten`);
      }
      try {
        try {
          await this.write(id, '', value);
        } catch (error) {
          if (codeOf(error) !== 'ENOENT') throw error;
          await this.restore();
          await this.write(id, '', value);
        }
        if ((await this.directory.loss()) !== undefined) throw this.refused('it is gone');
      } catch (error) {
        await this.removeForCertain(id, isWanted);
        throw error;
      }
      this.marks.set(id, '');
    });
  }

  /** Gives a record new content, if it has this mark. @param value - or its JSON */
  replace(id: string, mark: string, value: object | string): Promise<Change> {
    return this.change(id, async () => {
      if (this.markOf(id) !== mark) return 'absent';
      return this.resultOf(async () => {
        // A rename would bring back a file that somebody has deleted.
        await fs.promises.access(this.fileOf(id, mark));
        await this.write(id, mark, value);
      });
    });
  }

  /** Changes a record's mark from one to another. If it is changed already, only makes sure that this is safe. */
  mark(id: string, from: string, to: string): Promise<Change> {
    return this.change(id, async () => {
      const mark = this.markOf(id);
      if (mark !== from && mark !== to) return 'absent';
      return this.resultOf(async () => {
        if (mark === from) await fs.promises.rename(this.fileOf(id, from), this.fileOf(id, to));
        this.marks.set(id, to);
        await this.syncing.sync();
      });
    });
  }

  /** Removes a record. */
  remove(id: string): Promise<Change> {
    return this.change(id, async () => {
      if (!this.marks.has(id)) return 'absent';
      return this.resultOf(async () => {
        if (!this.removed.has(id)) await fs.promises.unlink(this.fileOf(id, this.marks.get(id) ?? ''));
        this.removed.add(id);
        await this.syncing.sync();
        this.marks.delete(id);
        this.removed.delete(id);
      });
    });
  }

  /**
   * Removes a record before this returns, even if another change is running.
   *
   * @returns settles when that is safe
   * @throws AuthyError - or rejects with it; `AUTHY_STORE`. It may be tried again.
   */
  async removeNow(id: string): Promise<void> {
    const mark = this.marks.get(id);
    if (mark === undefined) return;
    try {
      if (!this.removed.has(id)) unlinkIfThere(this.fileOf(id, mark));
      this.removed.add(id);
      await this.syncing.sync();
      this.marks.delete(id);
      this.removed.delete(id);
    } catch (error) {
      // In a folder that is gone, or no longer ours, there is nothing to remove.
      if (codeOf(error) === 'ENOENT' || (await this.directory.loss()) !== undefined) return;
      throw diskError(this.path, error);
    }
  }

  /** Settles when no change is running, and all removals are safe, if the disk works. */
  async settled(): Promise<void> {
    await this.changes.settled();
    await this.syncing.sync().catch(() => undefined);
  }

  private change<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.changes.do(id, async () => {
      try {
        return await work();
      } catch (error) {
        throw diskError(this.path, error);
      }
    });
  }

  /** Makes a change and reports its result. */
  private async resultOf(work: () => Promise<void>): Promise<Change> {
    try {
      await work();
    } catch (error) {
      const loss = await this.directory.loss();
      if (loss === undefined && codeOf(error) !== 'ENOENT') throw error;
      return loss ?? 'gone';
    }
    return (await this.directory.loss()) ?? 'done';
  }

  private async write(id: string, mark: string, value: object | string): Promise<void> {
    const json = typeof value === 'string' ? value : JSON.stringify(value);
    await replaceFile(this.fileOf(id, mark), `{"writtenAt":${this.time.wall()},"value":${json}}`);
    await this.syncing.sync();
  }

  /** Its caller counts the record as not made: it must not be found after a restart. */
  private async removeForCertain(id: string, isWanted: () => boolean): Promise<void> {
    for (;;) {
      try {
        // A read-only disk also refuses to remove a file that is not there.
        const file = this.fileOf(id, '');
        if (fs.lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
        unlinkIfThere(file);
        await this.syncing.sync();
        return;
      } catch (error) {
        // In a folder that another process has, or that is gone, we have no records.
        if (error instanceof AuthyError || !isWanted()) return;
        await pause(this.time, removePause);
      }
    }
  }

  private fileOf(id: string, mark: string): string {
    return path.join(this.path, `${id}${mark === '' ? '' : `.${mark}`}.json`);
  }

  private refused(why: string): AuthyError {
    return new AuthyError(
      'AUTHY_STORE',
      `Check the disk and its rights: the folder ${this.path} cannot be used: ${why}.`,
    );
  }

  /** Makes the folder again, after somebody has deleted it or one above it. */
  private async restore(): Promise<void> {
    await this.directory.restore();
    await makeFolders(this.directory.path, this.names);
  }

  // ---- what is there at the beginning

  private async read(tell: Tell, consequence: string): Promise<this> {
    try {
      const folder = await makeFolders(this.directory.path, this.names);
      const foreign: string[] = [];
      const names = await fs.promises.readdir(folder);
      // Reading a file synchronously takes a fifth of the time.
      let since = this.time.steady();
      for (const name of names) {
        const problem = this.readOne(folder, name, foreign);
        if (problem !== undefined) tell(`${problem} It was left as it is; ${consequence}.`);
        if (this.time.steady() - since < readSlice) continue;
        await turn();
        since = this.time.steady();
      }
      this.leaveOneOfEach();
      this.tellOfForeign(folder, foreign, tell);
    } catch (error) {
      throw diskError(this.path, error);
    }
    return this;
  }

  /** @returns a sentence, if it is a record that cannot be read */
  private readOne(folder: string, name: string, foreign: string[]): string | undefined {
    const file = path.join(folder, name);
    if (temporaryName.test(name)) {
      fs.rmSync(file, { force: true });
      return undefined;
    }
    const [, id, mark = ''] = recordName.exec(name) ?? [];
    if (id === undefined) {
      foreign.push(name);
      return undefined;
    }
    try {
      const content = contentOf(fs.readFileSync(file, 'utf8'));
      this.lastSign = Math.max(this.lastSign, content.writtenAt);
      this.left.push({ id, mark, value: content.value });
      return undefined;
    } catch (error) {
      this.unreadable.add(id);
      const why = error instanceof SyntaxError ? 'it is not in the right format' : codeOf(error);
      return `The file ${file} cannot be read (${why}).`;
    }
  }

  /** After a power failure in a rename, a disk without a journal may show both names. The one with the mark counts. */
  private leaveOneOfEach(): void {
    const marked = new Set(this.left.filter(({ mark }) => mark !== '').map(({ id }) => id));
    const isDouble = ({ id, mark }: Kept): boolean => mark === '' && marked.has(id);
    for (const { id } of this.left.filter(isDouble)) unlinkIfThere(this.fileOf(id, ''));
    this.left = this.left.filter((kept) => !isDouble(kept));
  }

  private tellOfForeign(folder: string, names: readonly string[], tell: Tell): void {
    if (names.length === 0) return;
    const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
    tell(
      `The folder ${folder} holds files that are not records; they were left alone: ${names.slice(0, 5).join(', ')}${more}.`,
    );
  }
}

/** @throws SyntaxError */
function contentOf(text: string): Content {
  const content = JSON.parse(text) as Partial<Content> | null;
  if (typeof content?.writtenAt !== 'number' || content.value === undefined) throw new SyntaxError();
  return { writtenAt: content.writtenAt, value: content.value };
}

function unlinkIfThere(file: string): void {
  try {
    fs.unlinkSync(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
