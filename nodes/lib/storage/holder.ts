import fs from 'node:fs';
import os from 'node:os';

/** Who has a directory, as its holder writes it into a file there. */
export interface Holder {
  readonly pid: number;
  /** The computer's name, for a person to read. */
  readonly host: string;
  /** Where that process id means something; see {@link here}. */
  readonly place: string;
  /** Of one life of one process: process ids come again. */
  readonly nonce: string;
  /** Counts up for as long as the holder lives. */
  readonly beat: number;
  /** When it did so, in milliseconds since 1970 by the computer's clock: the last sign of life. */
  readonly at: number;
  /** The holder has let go. */
  readonly isFree: boolean;
}

/** A file of always the same length, so that a disk that is full takes it. */
const length = 1024;

export function writeHolder(holder: Holder): string {
  return JSON.stringify(holder).padEnd(length);
}

/** @returns undefined if it cannot be read, such as half of it */
export function readHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Holder | null;
    return typeof holder?.nonce === 'string' ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where a process id of this process means something. A computer's name does not tell that: containers may share one, and
 * each counts its processes from 1. So on Linux this is the start of the kernel and the namespace of process ids; what is
 * gone there is gone for certain.
 */
export const here = [os.hostname(), linuxFact(readBoot), linuxFact(readNamespace)].join(' ');

/** Whether a holder is gone for certain. To be asked by a process that does not hold the directory itself. */
export function isGone(holder: Holder): boolean {
  if (holder.place !== here) return false;
  // It was a life before this one: the process id is ours now.
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
