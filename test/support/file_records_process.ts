/*
 * A process that keeps records in files, for tests that stop or kill it. It prints each finished change at once.
 *
 *     write DIRECTORY   makes, changes, claims and ends records for as long as it lives
 *     hold DIRECTORY    makes two records; once there is a file "go", tries everything that a holder may do
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { FileRecords } from '../../nodes/lib/storage/file-records';
import { newRecord, Told } from './records';
import { say } from './said_lines';

const [, , mode, directory = ''] = process.argv;
const told = new Told();
const records = new FileRecords({ root: directory, accountId: 'account', gateId: 'gate' }, told);

/** Long enough that a test would notice a half-written one. */
function messageOf(version: number): string {
  return JSON.stringify({ version, payload: String(version % 10).repeat(20_000) });
}

async function live(): Promise<void> {
  for (;;) {
    const record = newRecord({ message: messageOf(0), state: 'sending' });
    say('creating', record.id);
    await records.create(record);
    say('created', record.id);
    let current = record;
    for (let version = 1; version < 4; version++) {
      current = { ...current, message: messageOf(version) };
      await records.update(current);
      say('updated', record.id, version);
    }
    // Some records are left waiting.
    if (Math.random() < 0.3) continue;
    say('claiming', record.id);
    const isFinal = Math.random() < 0.3;
    await records.claim(current, isFinal);
    say(isFinal ? 'ended' : 'claimed', record.id);
    if (isFinal) continue;
    if (Math.random() < 0.5) await new Promise((resolve) => setTimeout(resolve, 5));
    say('ending', record.id);
    const ended = records.end(current);
    say('ended', record.id);
    await ended;
  }
}

async function hold(): Promise<void> {
  const one = newRecord();
  const two = newRecord();
  await records.create(one);
  await records.create(two);
  say('ready', process.pid, one.id, two.id);
  while (!existsSync(path.join(directory, 'go'))) await new Promise((resolve) => setTimeout(resolve, 10));
  say('claim', await records.claim(one, false));
  say('final', await records.claim(two, true));
  say('update', String(await records.update(two)));
  const created = records.create(newRecord()).then(() => 'made');
  say('create', await created.catch((error: unknown) => (error as { code: string }).code));
  say('troubles', told.troubles.join(' '));
  say('done');
}

// Timers of the package do not keep a process alive; this one does.
setInterval(() => undefined, 1000);
if (mode === 'hold') hold().catch((error: unknown) => say('refused', (error as { code: string }).code));
else for (let worker = 0; worker < 8; worker++) void live();
