import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { approvalFlow } from '../support/approval_flow';
import { AuthyPhones } from '../support/authy_phones';
import { Collector } from '../support/collector';
import { eventually, type FlowNode, NodeRed, type Runtime, runtimes } from '../support/node_red';
import { Witness } from '../support/witness';

const [runtime] = runtimes as [Runtime];

/** The parts of a request's file that the tests read. */
interface Kept {
  writtenAt: number;
  value: { state: string; approvalId?: string; message: string };
}

describe('open approvals in files of the user directory', function () {
  this.timeout(120_000);
  let phones: AuthyPhones;
  let collector: Collector;
  let witness: Witness;
  let nodeRed: NodeRed;
  let authyId: string;
  let last = 0;

  before(async function () {
    this.timeout(600_000);
    phones = await new AuthyPhones().start();
    collector = await new Collector().start();
    witness = new Witness();
    nodeRed = await NodeRed.start(this, runtime, { env: witness.env });
    phones.callbacksTo(`${nodeRed.nodeUrl}callback`);
  });
  after(async () => {
    await (nodeRed as NodeRed | undefined)?.stop();
    await collector.stop();
    await phones.stop();
  });

  beforeEach(async () => {
    await phones.faults();
    authyId = await phones.newUser();
  });

  const root = (): string => path.join(nodeRed.userDir, 'authy-approvals');

  function flows(gate: Record<string, unknown> = {}): FlowNode[] {
    return approvalFlow({
      baseUrl: phones.url,
      apiKey: phones.apiKey,
      collector: collector.url,
      gate: { timeout: '120', maxOpen: 0, details: '{"No": $string(no)}', detailsType: 'jsonata', ...gate },
      account: { approvalStore: 'files' },
    });
  }

  /** Gives a message to the gate. @returns its number */
  async function ask(red = nodeRed): Promise<number> {
    const no = (last += 1);
    const response = await fetch(`${red.nodeUrl}ask`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ no, authyId }),
    });
    should(response.status).equal(202);
    return no;
  }

  async function askFor(count: number): Promise<number[]> {
    const numbers: number[] = [];
    for (let index = 0; index < count; index++) numbers.push(await ask());
    return numbers;
  }

  /** The uuid of each open request of the current user, by the number of its message. */
  async function onPhone(count: number): Promise<(no: number) => string> {
    const pending = await phones.pending(authyId, count);
    const uuids = new Map(pending.map(({ uuid, details }) => [Number(details?.['No']), uuid]));
    return (no) => uuids.get(no) ?? '';
  }

  /** The files of all records. */
  function files(): string[] {
    while (fs.existsSync(root())) {
      try {
        const all = fs.readdirSync(root(), { recursive: true }) as string[];
        return all
          .filter((name) => /approval_\w+(?:\.\w+)?\.json$/.test(name))
          .map((name) => path.join(root(), name));
      } catch {
        // A Node-RED that starts renames the parent folder.
      }
    }
    return [];
  }

  /** The same files, with their content. */
  function records(): { file: string; kept: Kept }[] {
    return files().flatMap((file) => {
      try {
        return [{ file, kept: JSON.parse(fs.readFileSync(file, 'utf8')) as Kept }];
      } catch {
        // The file has just been deleted or renamed, or a test has broken it.
        return [];
      }
    });
  }

  /** Waits until so many records on the disk say that their request is on the phone. */
  async function keptAsWaiting(count: number): Promise<void> {
    await eventually(`${count} records that say their request was sent`, () =>
      records().filter(({ kept }) => kept.value.state === 'waiting').length === count ? true : undefined,
    );
  }

  /** Waits until each message has ended, and checks that it ended once, with this outcome. */
  async function shouldEnd(numbers: readonly number[], outcome: string, seconds = 30): Promise<void> {
    await eventually(
      `${numbers.length} outcomes`,
      () => {
        const all = witness.read();
        return numbers.every((no) => (all.get(no) ?? []).length > 0) || undefined;
      },
      seconds,
    );
    for (const no of numbers) should(witness.outcomesOf(no)).eql([outcome], `message ${no}`);
  }

  /** Waits until no other record is left. Looks twice: a file may be missed while it is being renamed. */
  async function nothingIsLeft({
    but,
    seconds = 30,
  }: { but?: string; seconds?: number } = {}): Promise<void> {
    let looks = 0;
    await eventually(
      'no record to be left',
      () => {
        looks = files().every((file) => path.basename(file) === but) ? looks + 1 : 0;
        return looks === 2 ? true : undefined;
      },
      seconds,
    );
  }

  for (const [how, end] of [
    ['a proper end', () => nodeRed.terminate()],
    ['a SIGKILL', () => nodeRed.kill()],
  ] as const) {
    it(`after ${how}, open messages go on waiting, and each decision is handed on once`, async () => {
      await nodeRed.deploy(flows());
      const numbers = await askFor(12);
      const uuidOf = await onPhone(12);
      const answer = async (from: number, to: number, decision: 'approve' | 'deny'): Promise<number[]> => {
        const some = numbers.slice(from, to);
        for (const no of some) await phones.answer(uuidOf(no), decision);
        return some;
      };
      const before = await answer(0, 2, 'approve');
      await shouldEnd(before, 'approved');
      await keptAsWaiting(10);
      await end();
      const approved = await answer(2, 6, 'approve');
      const denied = await answer(6, 8, 'deny');
      await nodeRed.startAgain();
      await shouldEnd(approved, 'approved');
      await shouldEnd(denied, 'denied');
      await shouldEnd(await answer(8, 12, 'deny'), 'denied');
      await shouldEnd([...before, ...approved], 'approved');
      await nothingIsLeft();
    });
  }

  it('requests that are being sent when Node-RED is stopped go on waiting after the restart', async () => {
    await nodeRed.deploy(flows());
    await phones.faults({ kind: 'latency', ms: 4000, path: '/users/', method: 'POST', after: true });
    const numbers = await askFor(8);
    // The requests are on the phone, but the gate does not know that yet.
    const uuidOf = await onPhone(8);
    should(records().map(({ kept }) => kept.value.state)).eql(Array(8).fill('sending'));
    await nodeRed.terminate();
    await phones.faults();
    should(records().map(({ kept }) => kept.value.state)).eql(Array(8).fill('waiting'));
    await nodeRed.startAgain();
    for (const no of numbers) await phones.answer(uuidOf(no), 'approve');
    await shouldEnd(numbers, 'approved');
    await nothingIsLeft();
  });

  it('after three kills, no message has two outcomes, and no sent request is lost inside the gate', async function () {
    this.timeout(300_000);
    await nodeRed.deploy(flows());
    const state = { isOver: false, isUp: true };
    const first = last + 1;
    const answering = (async () => {
      const done = new Set<string>();
      while (!state.isOver) {
        for (const { uuid, status } of await phones.all()) {
          if (status !== 'pending' || done.has(uuid)) continue;
          done.add(uuid);
          // Some answers come before the kill, and some after it.
          if (done.size % 4 > 0) await phones.answer(uuid, 'approve');
          else setTimeout(() => void phones.answer(uuid, 'approve'), 1500);
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const asking = new Set<Promise<unknown>>();
    const lives = 3;
    for (let life = 0; life < lives; life++) {
      const before = witness.read().size;
      let isEnough = false;
      while (!isEnough) {
        // A message to a process that is ending does not reach the gate.
        const asked = ask().catch(() => undefined);
        asking.add(asked);
        await new Promise((resolve) => setTimeout(resolve, 25));
        isEnough = witness.read().size - before > 150;
      }
      await nodeRed.kill();
      await nodeRed.startAgain();
    }
    await Promise.all(asking);
    await nothingIsLeft({ seconds: 120 });
    state.isOver = true;
    await answering;

    const all = [...witness.read()].filter(([no]) => no >= first);
    const count = (outcome: string): number =>
      all.filter(([, outcomes]) => outcomes.includes(outcome)).length;
    const missing = all.filter(([, outcomes]) => outcomes.length === 0).map(([no]) => no);
    const onPhones = new Set((await phones.all()).map(({ details }) => Number(details?.['No'])));
    const gone = missing.filter((no) => onPhones.has(no));
    process.stdout.write(
      `      of ${all.length}: ${count('approved')} approved, ${count('AUTHY_OUTCOME_UNKNOWN')} unknown, ` +
        `${missing.length - gone.length} not stored yet, ${gone.length} lost with the process behind the gate\n`,
    );
    for (const [no, outcomes] of all)
      should(outcomes.length).be.belowOrEqual(1, `message ${no}: ${outcomes.join()}`);
    should(count('approved')).be.above(all.length / 2);
    // Messages that are gone had left the gate, and were on their way to the next node when the process ended.
    const left = witness.left();
    should(gone.filter((no) => !left.has(no))).eql([]);
  });

  it('three deploys, while decisions are handed on and messages are stored, lose none of them', async () => {
    await nodeRed.deploy(flows());
    for (let time = 0; time < 3; time++) {
      authyId = await phones.newUser();
      const numbers = await askFor(30);
      const uuidOf = await onPhone(30);
      const answering = numbers.map((no) => phones.answer(uuidOf(no), 'approve'));
      const more = Promise.all(Array.from({ length: 20 }, () => ask()));
      const late = await more;
      await eventually('the messages to reach the gate', () => {
        const all = witness.read();
        return late.every((no) => all.has(no)) || undefined;
      });
      await nodeRed.deploy(flows());
      await Promise.all(answering);
      await shouldEnd(numbers, 'approved');
      const uuidOfLate = await onPhone(20);
      await Promise.all(late.map((no) => phones.answer(uuidOfLate(no), 'deny')));
      await shouldEnd(late, 'denied');
      await shouldEnd(numbers, 'approved');
    }
    await nothingIsLeft();
  });

  it('a file that cannot be read is named in the log and stays, and the other messages are not affected', async () => {
    await nodeRed.deploy(flows());
    const numbers = await askFor(7);
    const uuidOf = await onPhone(7);
    await keptAsWaiting(7);
    await nodeRed.terminate();
    const [broken = 0, ...good] = numbers;
    const { file } = records().find(({ kept }) => kept.value.approvalId === uuidOf(broken)) as {
      file: string;
    };
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, text.slice(0, text.length / 2));
    for (const no of numbers) await phones.answer(uuidOf(no), 'approve');
    await nodeRed.startAgain();
    await shouldEnd(good, 'approved');
    await nothingIsLeft({ but: path.basename(file) });
    should(witness.outcomesOf(broken)).eql([]);
    nodeRed.log.should.match(/cannot be read/).and.containEql(path.basename(file));
    const [left = '', ...more] = files();
    should(more).be.empty();
    fs.rmSync(left);
  });

  for (const [what, change] of [
    ['the last sign of life', (later: (text: string) => string) => changeFiles(/holder\.json$/, later)],
    ['the records', (later: (text: string) => string) => changeFiles(/approval_\w+\.json$/, later)],
  ] as const) {
    it(`if the clock was set back meanwhile, judged by ${what}, messages expire and are never approved`, async () => {
      await nodeRed.deploy(flows());
      const numbers = await askFor(3);
      const uuidOf = await onPhone(3);
      await keptAsWaiting(3);
      await nodeRed.terminate();
      // As if the files had been written an hour later than now.
      change((text) =>
        text.replace(/"(at|writtenAt)":(\d+)/g, (_all, name, at) => `"${name}":${Number(at) + 3_600_000}`),
      );
      for (const no of numbers) await phones.answer(uuidOf(no), 'approve');
      await nodeRed.startAgain();
      await shouldEnd(numbers, 'expired clock');
      await nothingIsLeft();
    });
  }

  function changeFiles(which: RegExp, change: (text: string) => string): void {
    const files = (fs.readdirSync(root(), { recursive: true }) as string[]).filter((name) =>
      which.test(name),
    );
    should(files).not.be.empty();
    for (const name of files) {
      const file = path.join(root(), name);
      fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
    }
  }

  it('a second Node-RED on the same folder is refused, says why, and takes no message', async function () {
    await nodeRed.deploy(flows());
    const no = await ask();
    const uuidOf = await onPhone(1);
    await keptAsWaiting(1);
    const others = new Witness();
    const other = await NodeRed.start(this, runtime, { env: others.env });
    try {
      fs.symlinkSync(root(), path.join(other.userDir, 'authy-approvals'));
      await other.deploy(flows());
      const refused = await ask(other);
      await eventually('the refusal', () => (others.outcomesOf(refused).length > 0 ? true : undefined));
      should(others.outcomesOf(refused)).eql(['AUTHY_STORE']);
      other.log.should.match(/is in use by another Node-RED: process \d+ on /);
    } finally {
      await other.stop();
    }
    await phones.answer(uuidOf(no), 'approve');
    await shouldEnd([no], 'approved');
  });

  it('if the folder is deleted, open messages end in an error, the log says so, and new ones are stored', async () => {
    await nodeRed.deploy(flows());
    const numbers = await askFor(3);
    const uuidOf = await onPhone(3);
    await keptAsWaiting(3);
    fs.rmSync(root(), { recursive: true });
    for (const no of numbers) await phones.answer(uuidOf(no), 'approve');
    await shouldEnd(numbers, 'AUTHY_STORE');
    nodeRed.log.should.match(/it has lost this request/);
    authyId = await phones.newUser();
    const next = await ask();
    await phones.answer((await onPhone(1))(next), 'approve');
    await shouldEnd([next], 'approved');
  });
});
