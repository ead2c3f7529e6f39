import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { AuthyError } from '../contract/errors';
import { codeOf, diskError, syncFolder } from './disk';
import { here, type Holder, isGone, readHolder, writeHolder } from './holder';
import { pause, realTime, type Clock } from '../time';

/** The time between two signs of life of a holder, in milliseconds. */
const beatEvery = 2000;
/** How often, and how many times, a process that wants a directory checks whether its holder lives. */
const look = { every: 500, times: 10 };

const holderFile = 'holder.json';
const folderPattern = /^life-([1-9]\d{0,14})$/;

/** One run of a process. Tests have several in one process. */
export class ProcessRun {
  readonly nonce = randomBytes(8).toString('hex');
  readonly directories = new Map<string, OwnedDirectory>();

  /** Releases its directories as the process ends: the next one need not wait until this one counts as dead. */
  end(): void {
    for (const directory of this.directories.values()) directory.release();
  }
}

export const thisRun = new ProcessRun();
process.once('exit', () => thisRun.end());

/** Why the folder is missing: taken over by another process, or deleted by somebody. */
export type Loss = 'taken' | 'gone';

/** Takes a sentence for a person to read. */
export type Tell = (sentence: string) => void;

/**
 * A directory that one process at a time has to itself.
 *
 * Its content is in a folder `life-N`. A process takes the directory over by renaming that folder to `life-N+1`. Of all
 * that try, one succeeds. From that moment everything that an earlier holder still tries there fails, since its path no
 * longer exists: there are never two holders, however long one of them stood still. So an earlier holder that finds its
 * folder gone does nothing more. One gap remains: it stands still after it has looked, and before it does something outside
 * the folder.
 *
 * A process does not take the directory from a living holder; safety does not depend on that. A living holder gives a sign
 * of life: it changes a file in that folder every two seconds. Clocks of different processes are never compared.
 *
 * All users in a process share the directory, and the process keeps it while nobody uses it: a deploy closes all and opens
 * them again. It is released when the process ends.
 */
export class OwnedDirectory {
  /** What the users of the directory store here about its content, by any name; cleared when it is taken. */
  readonly known = new Map<string, unknown>();
  /** When the previous holder gave its last sign of life, by the computer's clock. */
  lastSign = -Infinity;
  private folder = '';
  private readonly users = new Set<Tell>();
  private entering: Promise<void> | undefined;
  private isTaken = false;
  private beats = 0;
  /** The current series of signs of life; a new object for each. */
  private series: object | undefined;

  private constructor(
    readonly root: string,
    private readonly run: ProcessRun,
    private readonly time: Clock,
  ) {}

  /**
   * Begins to use a directory.
   *
   * @param tell - is told if another process takes it over, until {@link leave}
   * @throws AuthyError - `AUTHY_STORE` if another process has it, or it cannot be used. It may be tried again.
   */
  static async enter(
    root: string,
    tell: Tell,
    run = thisRun,
    time: Clock = realTime,
  ): Promise<OwnedDirectory> {
    const resolved = path.resolve(root);
    for (;;) {
      const directory = run.directories.get(resolved) ?? new OwnedDirectory(resolved, run, time);
      run.directories.set(resolved, directory);
      const isFirst = directory.users.size === 0;
      await directory.enter(tell);
      if (!isFirst) return directory;
      // Another process may have had it since the last user left, and have released it again.
      const loss = await directory.loss().catch((error: unknown) => {
        directory.users.delete(tell);
        throw error;
      });
      if (loss !== 'taken') return directory;
    }
  }

  private async enter(tell: Tell): Promise<void> {
    this.users.add(tell);
    this.entering ??= this.acquire();
    const entering = this.entering;
    try {
      await entering;
    } catch (error) {
      this.users.delete(tell);
      if (this.entering === entering) this.entering = undefined;
      throw diskError(this.root, error);
    }
  }

  /** Ends using it. */
  async leave(tell: Tell): Promise<void> {
    this.users.delete(tell);
    await this.entering?.catch(() => undefined);
  }

  /** Releases the directory within this turn, as the process ends. */
  release(): void {
    this.series = undefined;
    const isEntered = this.entering !== undefined && this.folder !== '';
    this.entering = undefined;
    if (this.isTaken || !isEntered) return;
    try {
      writeFileSync(path.join(this.folder, holderFile), this.holder(true), { flag: 'r+' });
    } catch {
      // Then it counts as dead a little later.
    }
  }

  /**
   * The folder that holds everything.
   *
   * @throws AuthyError - `AUTHY_STORE` if another process has it
   */
  get path(): string {
    this.checkOurs();
    return this.folder;
  }

  /** @throws AuthyError - `AUTHY_STORE` if another process is known to have it */
  checkOurs(): void {
    if (this.isTaken) throw this.takenError();
  }

  /**
   * Whether the folder is gone, and why. Ask this right before doing something that cannot be undone.
   *
   * @throws AuthyError - `AUTHY_STORE` if the disk does not say
   */
  async loss(): Promise<Loss | undefined> {
    if (this.isTaken) return 'taken';
    try {
      if (await exists(path.join(this.folder, holderFile))) return undefined;
      const [newest] = await this.folderNumbers();
      if (newest === undefined || this.nameOf(newest) === this.folder) return 'gone';
    } catch (error) {
      throw diskError(this.root, error);
    }
    this.onTaken();
    return 'taken';
  }

  /**
   * Makes the folder again after somebody has deleted it.
   *
   * @throws AuthyError - `AUTHY_STORE` if another process has the directory by now
   */
  async restore(): Promise<void> {
    if ((await this.loss()) === undefined) return;
    const { path: folder } = this;
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
    await fs.writeFile(path.join(folder, holderFile), this.holder(false), { mode: 0o600 });
    await syncFolder(this.root);
    const [newest] = await this.folderNumbers();
    if (newest === undefined || this.nameOf(newest) === folder) return;
    this.onTaken();
    throw this.takenError();
  }

  private async acquire(): Promise<void> {
    this.checkOurs();
    await this.take();
    this.beat((this.series = {}));
  }

  private async take(): Promise<void> {
    this.known.clear();
    this.folder = '';
    for (;;) {
      const made = await fs.mkdir(this.root, { recursive: true, mode: 0o700 });
      if (made !== undefined) await syncFolder(path.dirname(made));
      const [newest = 0, ...others] = await this.folderNumbers();
      const before = newest === 0 ? undefined : await this.untilFree(this.nameOf(newest));
      const folder = this.nameOf(newest + 1);
      try {
        if (newest === 0) await fs.mkdir(folder, 0o700);
        else await fs.rename(this.nameOf(newest), folder);
        // A new file: an earlier holder that has the old one open may still write into that.
        await fs.rm(path.join(folder, holderFile), { force: true });
        await fs.writeFile(path.join(folder, holderFile), this.holder(false), { mode: 0o600 });
      } catch (error) {
        // Another process was quicker. The next round sees its sign of life.
        if (['ENOENT', 'EEXIST', 'ENOTEMPTY'].includes(codeOf(error))) continue;
        throw error;
      }
      await syncFolder(this.root);
      this.folder = folder;
      this.lastSign = before?.at ?? -Infinity;
      if (others.length > 0) this.tellOfOthers(others);
      return;
    }
  }

  /**
   * Waits until a folder's holder has released it, is gone, or has given no sign of life for a while.
   *
   * @returns the former holder
   * @throws AuthyError - `AUTHY_STORE` if it lives
   */
  private async untilFree(folder: string): Promise<Holder | undefined> {
    let before = await this.read(folder);
    for (let time = 0; time < look.times; time++) {
      const { known } = before;
      if (before.text === undefined || (known !== undefined && this.isFree(known))) return known;
      await pause(this.time, look.every);
      const now = await this.read(folder);
      if (now.known !== undefined && !this.isFree(now.known) && now.text !== before.text) {
        throw this.inUse(now.known);
      }
      before = now;
    }
    return before.known;
  }

  private isFree(holder: Holder): boolean {
    return holder.isFree || isGone(holder);
  }

  private async read(folder: string): Promise<{ text?: string; known?: Holder | undefined }> {
    try {
      const text = await fs.readFile(path.join(folder, holderFile), 'utf8');
      return { text, known: readHolder(text) };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return {};
      throw error;
    }
  }

  /** The numbers of the existing folders, the newest first. There is more than one only if somebody copied one. */
  private async folderNumbers(): Promise<number[]> {
    const names = await fs.readdir(this.root).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    });
    return names
      .map((name) => Number(folderPattern.exec(name)?.[1] ?? 0))
      .filter((number) => number > 0)
      .sort((a, b) => b - a);
  }

  private nameOf(number: number): string {
    return path.join(this.root, `life-${number}`);
  }

  private beat(series: object): void {
    this.time.after(beatEvery, () => {
      if (this.series !== series) return;
      // A disk that fails now may work the next time. A missing folder is reported once.
      void this.sign()
        .catch(() => this.loss())
        .catch(() => undefined)
        .then(() => {
          if (!this.isTaken) this.beat(series);
        });
    });
  }

  /** Gives a sign of life. The file has to be there: nothing may be made in another holder's folder. */
  private async sign(): Promise<void> {
    await fs.writeFile(path.join(this.folder, holderFile), this.holder(false), { flag: 'r+' });
  }

  private holder(isFree: boolean): string {
    this.beats += 1;
    return writeHolder({
      pid: process.pid,
      host: os.hostname(),
      place: here,
      nonce: this.run.nonce,
      beat: this.beats,
      at: this.time.wall(),
      isFree,
    });
  }

  private onTaken(): void {
    if (this.isTaken) return;
    this.isTaken = true;
    this.series = undefined;
    // The next user begins again, as any other process would.
    if (this.run.directories.get(this.root) === this) this.run.directories.delete(this.root);
    for (const tell of this.users) tell(this.takenError().message);
  }

  private takenError(): AuthyError {
    return new AuthyError(
      'AUTHY_STORE',
      `Stop one of two Node-REDs, or give each a user directory of its own, and restart this one: the folder ` +
        `${this.root} was taken over by another Node-RED while this one stood still; this one changes nothing there any more.`,
    );
  }

  private inUse({ pid, host }: Holder): AuthyError {
    return new AuthyError(
      'AUTHY_STORE',
      `Stop one of two Node-REDs, or give each a user directory of its own: the folder ${this.root} is in use by another ` +
        `Node-RED: process ${pid} on ${host}.`,
    );
  }

  private tellOfOthers(others: readonly number[]): void {
    const names = others.map((number) => path.basename(this.nameOf(number))).join(', ');
    for (const tell of this.users) {
      tell(`The folder ${this.root} holds more than one folder life-N; these were left alone: ${names}.`);
    }
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await fs.access(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
