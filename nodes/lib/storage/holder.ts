import fs from 'node:fs';
import os from 'node:os';

/** The holder of a directory, as it writes itself into a file there. */
export interface Holder {
  readonly pid: number;
  /** The computer's name, for a person to read. */
  readonly host: string;
  /** Where that process id is valid; see {@link here}. */
  readonly place: string;
  /** Identifies one run of one process: process ids are reused. */
  readonly nonce: string;
  /** Counts up for as long as the holder lives. */
  readonly beat: number;
  /** When it last counted, in milliseconds since 1970 by the computer's clock: the last sign of life. */
  readonly at: number;
  /** The holder has released the directory. */
  readonly isFree: boolean;
}

/** The constant length of the file, so that it can be written on a full disk. */
const length = 1024;

export function writeHolder(holder: Holder): string {
  return JSON.stringify(holder).padEnd(length);
}

/** @returns undefined if it cannot be read, such as a half-written one */
export function readHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder | null;
    return typeof holder?.nonce === 'string' ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where process ids are comparable with this process's. A computer's name is not enough: containers may share one, and
 * each counts its processes from 1. So on Linux this includes the kernel's boot id and the namespace of process ids; a
 * process that is gone there is gone for certain.
 */
export const here = [os.hostname(), linuxFact(readBoot), linuxFact(readNamespace)].join(' ');

/** Whether a holder is gone for certain. Only for a process that does not hold the directory itself. */
export function isGone(holder: Holder): boolean {
  if (holder.place !== here) return false;
  // It was an earlier process: its id is ours now.
  if (holder.pid === process.pid) return true;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function readBoot(): string {
  return fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function readNamespace(): string {
  return fs.readlinkSync('/proc/self/ns/pid');
}

function linuxFact(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
