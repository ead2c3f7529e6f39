import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { filePeople } from '../../nodes/lib/people/file-people';
import { ProcessRun } from '../../nodes/lib/storage/owned-directory';
import {
  approvalContender,
  approvalName,
  bareCodeContender,
  bareCodeName,
  codeContender,
  codeName,
  libraryContender,
  libraryName,
  peopleWithOpenRequests,
} from './approver_in_memory';
import { ApproverNodeRed, inMemory, onDisk, type Ready } from './approver_node_red';
import { contest, type Contender } from './contest';
import { type Bench, type Goal, type Measure, type Report, spreadOf, type Unit } from './figures';
import { heapUsed } from './heap';

/** Of which each person of a Node-RED is asked once in a turn. */
const perTurn = 30;
const pages = 1000;
const openRequests = { people: 10_000, each: 10 } as const;
const history = 60;

const memoryName = 'tap to output, files in memory';
const diskName = 'tap to output, files on this disk';
const plainName = 'http in and http response alone';

/** Does something with each, one after the other. @returns the median of what it gives */
async function medianOf(all: readonly Ready[], work: (one: Ready) => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (const one of all) values.push(await work(one));
  return spreadOf(values).median;
}

function figure(what: string, unit: Unit, value: number, goal?: Goal): Measure {
  return { what, unit, rounds: [value], ...(goal && { goal }) };
}

/** What the approver computes, beside what the libraries compute. */
async function computing(): Promise<{ ratios: Measure[]; figures: Measure[] }> {
  const contenders = [
    await libraryContender(),
    await approvalContender(0),
    await approvalContender(history),
    bareCodeContender(),
    await codeContender(),
  ];
  const results = await contest(contenders, { rounds: 11, warmUps: 2 });
  const ratio = (name: string, other: string, goal?: Goal): Measure => ({
    what: `${name} / ${other}`,
    unit: 'x',
    rounds: results.ratio(name, other),
    ...(goal && { goal }),
  });
  return {
    ratios: [
      ratio(approvalName, libraryName, { atMost: 1.5 }),
      ratio(`${approvalName}, after ${history} others`, libraryName),
      ratio(codeName, bareCodeName),
    ],
    figures: results.figures('µs'),
  };
}

/** From the tap on a phone to the message that leaves the gate. */
async function tapping(): Promise<{ ratios: Measure[]; figures: Measure[] }> {
  const disk = await ApproverNodeRed.start(onDisk, 40);
  const memory = await ApproverNodeRed.start(inMemory ?? onDisk, 200);
  try {
    const taps = (name: string, red: ApproverNodeRed): Contender => ({
      name,
      measure: async () => medianOf(await red.ready(perTurn), (one) => red.tap(one)),
    });
    const plain: Contender = {
      name: plainName,
      measure: () =>
        medianOf(
          memory.phones
            .slice(0, perTurn)
            .map((phone) => ({ no: 0, phone, answer: { id: '', credential: {} } })),
          (one) => memory.plain(one),
        ),
    };
    const results = await contest([plain, taps(memoryName, memory), taps(diskName, disk)], { rounds: 5 });
    const rate = async (red: ApproverNodeRed): Promise<number> => {
      const ready = await red.ready(perTurn);
      const begun = performance.now();
      await Promise.all(ready.map((one) => red.tap(one)));
      return (ready.length / (performance.now() - begun)) * 1000;
    };
    const rates = await contest(
      [
        { name: `approvals, ${perTurn} at once, files in memory`, measure: () => rate(memory) },
        { name: `approvals, ${perTurn} at once, files on this disk`, measure: () => rate(disk) },
      ],
      { rounds: 5 },
    );
    const before = await memory.usage();
    const streams = await memory.listen(pages);
    const after = await memory.usage();
    for (const stream of streams) stream.close();
    return {
      ratios: [
        { what: `${memoryName} / ${plainName}`, unit: 'x', rounds: results.ratio(memoryName, plainName) },
        { what: `${diskName} / ${memoryName}`, unit: 'x', rounds: results.ratio(diskName, memoryName) },
      ],
      figures: [
        ...results.figures('ms'),
        ...rates.figures('calls/s'),
        figure(
          `heap of each of ${pages.toLocaleString('en')} open pages that listen`,
          'bytes',
          (after.heap - before.heap) / pages,
        ),
        figure(
          'memory of the process for all of them',
          'MB',
          (after.resident - before.resident) / 1024 / 1024,
        ),
      ],
    };
  } finally {
    await Promise.all([disk.stop(), memory.stop()]);
  }
}

/** What open requests take in memory, and add to the start. */
async function keeping(): Promise<Measure[]> {
  const folder = fs.mkdtempSync(path.join(inMemory ?? os.tmpdir(), 'authy-bench-'));
  const open = { root: path.join(folder, 'people'), accountId: 'account' };
  const tell = (sentence: string): void => console.error(sentence);
  try {
    const making = new ProcessRun();
    const made = filePeople(open, { tell, run: making });
    await peopleWithOpenRequests(made, openRequests);
    await made.close();
    making.end();
    const before = heapUsed();
    const run = new ProcessRun();
    const people = filePeople(open, { tell, run });
    const begun = performance.now();
    await people.find('1');
    const took = performance.now() - begun;
    const heap = heapUsed() - before;
    await people.close();
    run.end();
    const count = openRequests.people * openRequests.each;
    return [
      figure(
        `heap of each of ${count.toLocaleString('en')} open requests, its person included`,
        'bytes',
        heap / count,
      ),
      figure('start with them', 's', took / 1000),
    ];
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

async function run(): Promise<Report> {
  const [computed, kept, tapped] = [await computing(), await keeping(), await tapping()];
  return {
    ratios: [...computed.ratios, ...tapped.ratios],
    figures: [...computed.figures, ...tapped.figures, ...kept],
    notes: [
      'Microseconds are processor time; milliseconds are by the clock, from the call of the phone to the message that leaves, medians of a turn.',
      'An approval in memory is all but HTTP, Node-RED and the disk: session, signature, words, and the change of the person. The library checks the signature.',
      `After ${history} others the record of the person holds their proofs, and is written anew with each answer.`,
      'otpauth computes one HMAC. A code also has its secret decrypted, and is used up in the record before it is valid.',
      'Node-RED is a process of its own. Before a message leaves, the answer and the claim are each synced to the disk.',
      inMemory === undefined
        ? 'This system has no /dev/shm: files in memory are on the disk as well.'
        : 'Files in memory are in /dev/shm, where syncing costs nothing.',
    ],
  };
}

export const bench: Bench = { title: 'people answer on Node-RED’s own page', run };
