import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { filePeople } from '../../nodes/lib/people/file-people';
import type { People } from '../../nodes/lib/contract/people';
import { ProcessRun } from '../../nodes/lib/storage/owned-directory';
import { newFactor, newPerson } from '../support/people';
import type { Bench, Report } from './figures';
import { heapUsed } from './heap';

const count = 10_000;
const lookUps = 5000;
const changes = 500;
const rounds = 5;
/** So many are added or changed at once. */
const atOnce = 64;

const phoneOf = (index: number): string => `+4917${String(index).padStart(8, '0')}`;

/** As a process sees them that is started now. */
function open(root: string, run: ProcessRun): People {
  const tell = (sentence: string): void => console.error(sentence);
  return filePeople({ root, accountId: 'account' }, { tell, run });
}

/** Opens them anew, as after a restart, and does something with them. */
async function afterRestart<T>(root: string, work: (people: People) => Promise<T>): Promise<T> {
  const run = new ProcessRun();
  const people = open(root, run);
  try {
    return await work(people);
  } finally {
    await people.close();
    run.end();
  }
}

/** How long something takes, in milliseconds. */
async function duration(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

/** Does something for each number below a count, so many at once. */
async function each(upTo: number, work: (index: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < upTo; from += atOnce) {
    const part = Array.from({ length: Math.min(atOnce, upTo - from) }, (_item, index) => work(from + index));
    await Promise.all(part);
  }
}

async function run(): Promise<Report> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'authy-people-'));
  try {
    return await measure(path.join(folder, 'people'), path.join(folder, 'nobody'));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(root: string, empty: string): Promise<Report> {
  const ids: string[] = [];
  const adding = await afterRestart(root, (people) =>
    duration(() =>
      each(count, async (index) => {
        const person = newPerson({ phoneNumber: phoneOf(index), factors: [newFactor({ lastStep: 1 })] });
        ids.push((await people.add(person)).authyId);
      }),
    ),
  );
  const anyId = (index: number): string => ids[(index * 7919) % count] ?? '';
  // The first start makes its folder.
  await afterRestart(empty, (people) => people.find('1'));

  const starts: number[] = [];
  const byId: number[] = [];
  const byPhone: number[] = [];
  const changing: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const without = await duration(() => afterRestart(empty, (people) => people.find('1')));
    await afterRestart(root, async (people) => {
      starts.push((await duration(() => people.find('1'))) - without);
      const perSecond = (number: number, milliseconds: number): number => (number / milliseconds) * 1000;
      const found = await duration(async () => {
        for (let index = 0; index < lookUps; index++) await people.find(anyId(index));
      });
      byId.push(perSecond(lookUps, found));
      const foundByPhone = await duration(async () => {
        for (let index = 0; index < lookUps; index++)
          await people.findByPhone(phoneOf((index * 7919) % count));
      });
      byPhone.push(perSecond(lookUps, foundByPhone));
      const changed = await duration(() =>
        each(changes, (index) =>
          people.change(anyId(index), (person) => ({ ...person, email: `${round}@example.com` })),
        ),
      );
      changing.push(perSecond(changes, changed));
    });
  }

  const heap: number[] = [];
  for (let round = 0; round < 3; round++) {
    // A timer of the one before holds its people until it has run.
    await sleep(2500);
    const before = heapUsed();
    heap.push(
      await afterRestart(root, async (people) => {
        await people.find('1');
        return (heapUsed() - before) / count;
      }),
    );
  }
  return {
    ratios: [
      {
        what: `start: ${count} people, more than nobody`,
        unit: 'ms',
        rounds: starts,
        goal: { atMost: 1000 },
      },
      { what: 'look-ups by id, one after the other', unit: 'calls/s', rounds: byId, goal: { atLeast: 1000 } },
      {
        what: 'look-ups by phone number, one after the other',
        unit: 'calls/s',
        rounds: byPhone,
        goal: { atLeast: 1000 },
      },
      { what: 'heap for each person', unit: 'bytes', rounds: heap, goal: { atMost: 2048 } },
    ],
    figures: [
      { what: `changes, ${atOnce} at once`, unit: 'calls/s', rounds: changing },
      { what: `adding ${count} people, ${atOnce} at once`, unit: 's', rounds: [adding / 1000] },
    ],
    notes: [
      'In files, each with an authenticator whose secret is encrypted: a look-up decrypts it.',
      'Changes and adding depend on how fast the disk syncs.',
    ],
  };
}

export const bench: Bench = { title: '10,000 in files', run };
