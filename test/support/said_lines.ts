import { writeSync } from 'node:fs';
import type { Process } from './node_red';
import type { Random } from './random';

/** What a process says of its work, for a test that kills it: a word, an id, and perhaps a number. */
const saidLine = /^[a-z]+ \w+(?: \d+)?$/;

/** Writes a line to the standard output before it returns: a process that is killed after it has said it. */
export function say(...words: (string | number)[]): void {
  const line = Buffer.from(`${words.join(' ')}\n`);
  for (let written = 0; written < line.length;) {
    try {
      written += writeSync(1, line, written);
    } catch (error) {
      // tsx makes the standard output non-blocking: while nobody reads it, it is full at some time.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      standStill(1);
    }
  }
}

/**
 * Kills a process while it works, and returns what it has said, as words. A line that was never finished is left out.
 *
 * @param round - in every other round, nobody reads for a while what it says
 * @throws Error - if it has written anything else, such as a warning or the error that it ended with
 */
export async function saidUntilKilled(writer: Process, random: Random, round: number): Promise<string[][]> {
  const least = 20 + Math.floor(random.next() * 400);
  await writer.until('its lines', () => writer.output.split('\n').length > least || undefined);
  if (round % 2 === 1) standStill(500);
  await new Promise((resolve) => setTimeout(resolve, random.next() * 20));
  await writer.kill();
  const lines = writer.output.split('\n').slice(0, -1);
  const other = lines.find((line) => !saidLine.test(line));
  if (other !== undefined) throw new Error(`It wrote "${other}":\n${writer.output.slice(-4000)}`);
  return lines.map((line) => line.split(' '));
}

/** Nothing in this process goes on. */
function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
