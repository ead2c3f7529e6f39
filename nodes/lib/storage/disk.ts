import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { AuthyError } from '../contract/errors';

/** The number of files open at once, for all callers: a process may not have many more. */
const atOnce = 64;

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than allowed',
  EACCES: 'Node-RED is not allowed to do that there',
  EPERM: 'Node-RED is not allowed to do that there',
  EROFS: 'the disk is read-only',
  EIO: 'the disk does not work',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ENOENT: 'it is gone',
  ENOTDIR: 'it is not a folder',
};

/** The error for a failed operation in a folder. It shows nothing of the files' content. */
export function diskError(folder: string, error: unknown): AuthyError {
  if (error instanceof AuthyError) return error;
  const code = codeOf(error);
  const reason = reasons[code] ?? 'it failed';
  return new AuthyError(
    'AUTHY_STORE',
    `Check the disk and its rights: the folder ${folder} cannot be used: ${reason} (${code}).`,
  );
}

/** The code of an error of the file system, such as `ENOENT`. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

/**
 * Gives a file new content. If the power fails, the file has either its old content or all of the new.
 * It is safe once the folder is synced as well.
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.tmp`;
  await withOpenFile(async () => {
    try {
      await writeSynced(temporary, text);
      await fs.rename(temporary, file);
    } catch (error) {
      await fs.rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  });
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await fs.open(file, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Syncs what was created, renamed and removed in a folder. Windows does that by itself, and offers no call for it. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Syncs a folder once for all calls that come at the same time. */
export class FolderSync {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(private readonly folder: string) {}

  /** @returns settles when everything done before this call is safe */
  sync(): Promise<void> {
    // A running sync may have begun before the last change.
    if (this.running !== undefined) {
      this.next ??= this.running.then(
        () => this.begin(),
        () => this.begin(),
      );
      return this.next;
    }
    return this.begin();
  }

  private begin(): Promise<void> {
    this.next = undefined;
    const running = syncFolder(this.folder).finally(() => {
      if (this.running === running) this.running = undefined;
    });
    this.running = running;
    return running;
  }
}

/** Makes folders inside `within`, which has to exist: a folder that somebody moved away must not come back. */
export async function makeFolders(within: string, names: readonly string[]): Promise<string> {
  let folder = within;
  for (const name of names) {
    const above = folder;
    folder = path.join(folder, name);
    await fs.mkdir(folder, 0o700).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
    // Also if it was there already: the process that made it may not have synced it.
    await syncFolder(above);
  }
  return folder;
}

let openFiles = 0;
const waiting = new Set<() => void>();

/** Does something that needs an open file, once fewer than {@link atOnce} are open. */
async function withOpenFile<T>(work: () => Promise<T>): Promise<T> {
  if (openFiles >= atOnce) await new Promise<void>((resolve) => waiting.add(resolve));
  else openFiles += 1;
  try {
    return await work();
  } finally {
    const [next] = waiting;
    if (next === undefined) {
      openFiles -= 1;
    } else {
      waiting.delete(next);
      next();
    }
  }
}

/** The name of a folder for an id of Node-RED, which may hold anything if somebody wrote the flows by hand. */
export function folderName(id: string): string {
  // Upper case as well: on some disks it is the same name as lower case.
  const name = id.replace(/[^a-z0-9_-]/gu, (character) => `%${Buffer.from(character).toString('hex')}`);
  const isUsable = name !== '' && name.length <= 100;
  return isUsable ? name : `%${createHash('sha256').update(id).digest('hex')}`;
}
