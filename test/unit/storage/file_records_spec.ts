import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { FileRecords } from '../../../nodes/lib/storage/file-records';
import { ProcessRun } from '../../../nodes/lib/storage/owned-directory';
import type { ApprovalRecord } from '../../../nodes/lib/storage/records';
import { checkRichMessage, richMessage } from '../../support/kept_message';
import { temporaryDirectory } from '../../support/node_red';
import { newRecord, SetTime, takeAll, Told } from '../../support/records';

describe('Records in files', () => {
  let root: string;
  let told: Told;

  beforeEach(() => {
    root = path.join(temporaryDirectory(), 'approvals');
    told = new Told();
  });

  /** Opens the records as a new process does. */
  function open(
    run = new ProcessRun(),
    more: { gateId?: string; time?: SetTime; told?: Told } = {},
  ): FileRecords {
    const place = { root, accountId: 'account', gateId: more.gateId ?? 'gate' };
    return new FileRecords(place, more.told ?? told, { run, ...(more.time && { time: more.time }) });
  }

  /** The folder of the files. */
  function folder(): string {
    const [life = ''] = fs.readdirSync(root);
    return path.join(root, life, 'account', 'gate');
  }

  const idsOf = (records: readonly { record: ApprovalRecord }[]): string[] =>
    records.map(({ record }) => record.id).sort();

  it('are found by the next run, with a higher epoch', async () => {
    const before = open();
    const waiting = newRecord({ state: 'sending', approvalId: undefined });
    const claimed = newRecord();
    const over = newRecord();
    const withdrawn = newRecord();
    for (const record of [waiting, claimed, over, withdrawn]) await before.create(record);
    waiting.state = 'waiting';
    waiting.approvalId = 'given';
    should(await before.update(waiting)).be.true();
    should(await before.claim(claimed, false)).equal('ours');
    should(await before.claim(over, false)).equal('ours');
    await before.end(over);
    should(await before.claim(withdrawn, true)).equal('ours');

    // The first one is not closed, as in a process that is killed.
    const found = await takeAll(open());
    should(idsOf(found)).eql([waiting.id, claimed.id].sort());
    const taken = new Map(found.map(({ record }) => [record.id, record]));
    should(taken.get(waiting.id)).eql({ ...waiting, epoch: 1 });
    should(taken.get(claimed.id)).eql({ ...claimed, state: 'passing', epoch: 1 });
    should(told.troubles).eql([]);
  });

  it('keep pictures, dates, maps and errors in a message across a restart', async () => {
    const before = open();
    await before.create(newRecord({ message: richMessage() }));
    const [found] = await takeAll(open());
    checkRichMessage(found?.record.message);
    should(told.troubles).eql([]);
  });

  it('cannot be changed by a holder that was taken over, which is told so', async () => {
    const old = new Told();
    const before = open(new ProcessRun(), { told: old });
    const [one, two, three, four] = [newRecord(), newRecord(), newRecord(), newRecord()];
    for (const record of [one, two, three]) await before.create(record);
    should(await before.claim(three, false)).equal('ours');
    const after = open();
    should(await takeAll(after)).have.length(3);

    should(await before.claim(one, false)).equal('theirs');
    should(await before.claim(two, true)).equal('theirs');
    should(await before.update(two)).be.false();
    await before.end(three);
    await before.create(four).should.be.rejectedWith({ code: 'AUTHY_STORE', message: /taken over/ });
    should(old.troubles).have.length(1);
    should(old.troubles[0]).match(/taken over by another Node-RED/);

    should(await after.claim(one, false)).equal('ours');
    should(await after.claim(two, false)).equal('ours');
    await Promise.all([before.close(), after.close()]);
    should(idsOf(await takeAll(open()))).eql([one, two, three].map(({ id }) => id).sort());
  });

  it('are claimed once; a claim can be asked for again and taken back', async () => {
    const records = open();
    const record = newRecord();
    await records.create(record);
    await records.create(record).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    should(await records.claim(record, false)).equal('ours');
    should(await records.claim(record, false)).equal('ours');
    should(await records.update(record)).be.false();
    await records.unclaim(record);
    should(await records.update(record)).be.true();
    should(await records.claim(record, false)).equal('ours');
    const ended = records.end(record);
    // In the same turn.
    should(fs.readdirSync(folder())).eql([]);
    await ended;
    should(await records.update(record)).be.false();
    should(await records.claim(record, false)).equal('theirs');
    await records.unclaim(record);
    should(fs.readdirSync(folder())).eql([]);
  });

  it('are shared by the old and the new gate of a deploy', async () => {
    const run = new ProcessRun();
    const old = open(run);
    const [one, two] = [newRecord(), newRecord()];
    await old.create(one);
    await old.create(two);
    should(await old.claim(two, false)).equal('ours');
    const overlapping = open(run);
    should(await takeAll(overlapping)).eql([]);
    should(await overlapping.update(one)).be.true();
    await Promise.all([old.close(), overlapping.close()]);

    const next = open(run);
    should(await takeAll(next)).eql([]);
    should(await next.claim(one, false)).equal('ours');
    // The previous node claimed it, and leaves it to this one.
    should(await next.claim(two, false)).equal('ours');
    await next.end(one);
    await next.end(two);
    should(fs.readdirSync(folder())).eql([]);
    await next.close();
  });

  it('start again if another process had them between two deploys', async () => {
    const run = new ProcessRun();
    const before = open(run);
    const [one, two] = [newRecord(), newRecord()];
    await before.create(one);
    await before.create(two);
    await before.close();
    const other = open();
    should(await takeAll(other)).have.length(2);
    should(await other.claim(one, true)).equal('ours');
    await other.close();

    const after = open(run);
    // The gate still has this record from before.
    should(await after.claim(one, false)).equal('theirs');
    should(idsOf(await takeAll(after))).eql([two.id]);
    await after.close();
  });

  it('report that the disk fails between two deploys, and start again after that', async () => {
    const run = new ProcessRun();
    const before = open(run);
    const record = newRecord();
    await before.create(record);
    await before.close();
    const [first = ''] = fs.readdirSync(root);
    const [ours, aside] = [path.join(root, first), path.join(path.dirname(root), 'aside')];
    fs.renameSync(ours, aside);
    fs.writeFileSync(ours, 'a file');
    const after = open(run);
    await after.claim(record, true).should.be.rejectedWith({
      code: 'AUTHY_STORE',
      message: new RegExp(`folder ${root} cannot be used: it is not a folder`),
    });

    fs.unlinkSync(ours);
    fs.renameSync(aside, ours);
    const other = open();
    should(idsOf(await takeAll(other))).eql([record.id]);
    await other.close();
    should(idsOf(await takeAll(after))).eql([record.id]);
    await after.close();
  });

  it('are given to the gate some at a time, and none that it already has', async () => {
    const before = open();
    const made = Array.from({ length: 250 }, () => newRecord());
    await Promise.all(made.map((record) => before.create(record)));
    const after = open();
    const first = await after.take(new Map([[made[0]?.id ?? '', 0]]));
    should(first.length).be.belowOrEqual(100);
    const rest = await takeAll(after, new Map([[made[0]?.id ?? '', 0]]));
    should(idsOf([...first, ...rest])).eql(
      made
        .slice(1)
        .map(({ id }) => id)
        .sort(),
    );
    should(await after.claim(made[0] ?? newRecord(), true)).equal('ours');
  });

  it('are one file each, which only its owner can read', async () => {
    const records = open();
    const record = newRecord();
    await records.create(record);
    should(fs.readdirSync(folder())).eql([`${record.id}.json`]);
    should(fs.statSync(path.join(folder(), `${record.id}.json`)).mode & 0o777).equal(0o600);
    for (let above = folder(); above !== path.dirname(root); above = path.dirname(above)) {
      should(fs.statSync(above).mode & 0o777).equal(0o700, above);
    }
  });

  it('do not let an id become a path', async () => {
    const records = open(new ProcessRun(), { gateId: '../../Gate' });
    await records.create(newRecord());
    should(fs.readdirSync(path.dirname(folder()))).eql(['%2e%2e%2f%2e%2e%2f%47ate']);
    for (const id of ['../evil', 'a/b', '', 'a.b', 'x'.repeat(65)]) {
      await records.create(newRecord({ id })).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    }
  });

  it('of earlier versions, which had another name for the recipient, are read', async () => {
    const before = open();
    const record = newRecord();
    await before.create(record);
    await before.close();
    const file = path.join(folder(), `${record.id}.json`);
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, text.replace('"recipient"', '"authyId"'));
    should((await takeAll(open()))[0]?.record).eql({ ...record, epoch: record.epoch + 1 });
    should(told.troubles).eql([]);
  });

  it('that cannot be read stay, are named once, and do not affect the others', async () => {
    const before = open();
    const good = Array.from({ length: 6 }, () => newRecord());
    const bad = [newRecord(), newRecord(), newRecord(), newRecord(), newRecord()];
    for (const record of [...good, ...bad]) await before.create(record);
    await before.close();
    const [half, future, empty, copied, list] = bad.map(({ id }) => path.join(folder(), `${id}.json`));
    const change = (file = '', text: (before: string) => string): void =>
      fs.writeFileSync(file, text(fs.readFileSync(file, 'utf8')));
    change(half, (text) => text.slice(0, text.length / 2));
    change(future, (text) => text.replace('"waiting"', '"dreaming"'));
    change(empty, () => '');
    change(copied, (text) => text.replace(bad[3]?.id ?? '', good[0]?.id ?? ''));
    change(list, () => '[]');
    fs.writeFileSync(path.join(folder(), 'notes of somebody.txt'), 'hello');
    fs.writeFileSync(path.join(folder(), `${good[0]?.id ?? ''}.json.tmp`), '{"half');
    const there = fs.readdirSync(folder()).length;

    const after = open();
    should(idsOf(await takeAll(after))).eql(good.map(({ id }) => id).sort());
    for (const { id } of bad) {
      should(told.troubles.filter((sentence) => sentence.includes(`${id}.json`))).have.length(1, id);
    }
    should(told.troubles.join('\n'))
      .match(/notes of somebody\.txt/)
      .and.not.match(/open the door/);
    should(told.troubles).have.length(bad.length + 1);
    // Only the temporary file of the crash is deleted.
    should(fs.readdirSync(folder())).have.length(there - 1);
    await after.create(newRecord({ id: bad[0]?.id ?? '' })).should.be.rejectedWith({ code: 'AUTHY_STORE' });
  });

  it('are reported as missing if somebody has deleted them, and new ones can be created', async () => {
    const records = open();
    const [one, two, three] = [newRecord(), newRecord(), newRecord()];
    for (const record of [one, two, three]) await records.create(record);
    fs.unlinkSync(path.join(folder(), `${one.id}.json`));
    should(await records.claim(one, false)).equal('missing');
    fs.rmSync(root, { recursive: true });
    should(await records.update(two)).be.false();
    should(await records.claim(two, false)).equal('missing');
    should(await records.claim(three, true)).equal('missing');

    const four = newRecord();
    await records.create(four);
    should(await records.claim(four, false)).equal('ours');
    fs.rmSync(folder(), { recursive: true });
    await records.end(four);
    const five = newRecord();
    await records.create(five);
    await records.close();
    should(idsOf(await takeAll(open()))).eql([five.id]);
  });

  it('that were being handed on before a crash stay passing, even if their claim is taken back', async () => {
    const before = open();
    const record = newRecord();
    await before.create(record);
    await before.claim(record, false);
    const records = open();
    const [found] = await takeAll(records);
    should(await records.claim(found?.record ?? record, false)).equal('ours');
    // As if the node was closed before it could raise the error.
    await records.unclaim(found?.record ?? record);
    should((await takeAll(open())).map((one) => one.record.state)).eql(['passing']);
  });

  it('are reported as missing after a deploy too, if somebody has deleted them before it', async () => {
    const run = new ProcessRun();
    const before = open(run);
    const record = newRecord();
    await before.create(record);
    fs.rmSync(root, { recursive: true });
    await before.close();
    const after = open(run);
    should(await after.claim(record, false)).equal('missing');
    await after.create(newRecord());
    await after.close();
    should(await takeAll(open())).have.length(1);
  });

  it('notice that the clock was set back between two runs', async () => {
    const time = new SetTime();
    const start = time.wall();
    const before = open(new ProcessRun(), { time });
    await before.create(newRecord());
    time.move(60_000);
    await before.close();
    time.set(start + 58_000);
    const [found] = await takeAll(open(new ProcessRun(), { time }));
    should(found?.isClockWrong).be.true();
    time.set(start + 59_500);
    const [again] = await takeAll(open(new ProcessRun(), { time }));
    should(again?.isClockWrong).be.false();
  });

  it('notice it also by the time of the last write', async () => {
    const time = new SetTime();
    const before = open(new ProcessRun(), { time });
    await before.create(newRecord());
    time.set(time.wall() + 60_000);
    await before.create(newRecord());
    // No sign of life since then, as if the power had failed.
    time.set(time.wall() - 30_000);
    const found = await takeAll(open(new ProcessRun(), { time }));
    should(found.map(({ isClockWrong }) => isClockWrong)).eql([true, true]);
  });

  it('can be read by the thousand', async function () {
    this.timeout(60_000);
    const before = open();
    const record = newRecord();
    await before.create(record);
    await before.close();
    const text = fs.readFileSync(path.join(folder(), `${record.id}.json`), 'utf8');
    for (let number = 0; number < 3000; number++) {
      const id = `approval_${number}`;
      fs.writeFileSync(path.join(folder(), `${id}.json`), text.replace(record.id, id));
    }
    should(await takeAll(open())).have.length(3001);
    should(told.troubles).eql([]);
  });

  it('take many changes at once, and those of one record in order', async function () {
    this.timeout(60_000);
    const records = open();
    const made = Array.from({ length: 300 }, () => newRecord({ state: 'sending' }));
    await Promise.all(
      made.map(async (record) => {
        const created = records.create(record);
        const first = records.update({ ...record, approvalId: 'first' });
        const second = records.update({ ...record, approvalId: 'second', state: 'waiting' });
        await Promise.all([created, first, second]);
      }),
    );
    const found = await takeAll(open());
    should(found).have.length(300);
    should(new Set(found.map(({ record }) => record.approvalId))).eql(new Set(['second']));
  });

  it('report which folder is not usable, and work once it is', async () => {
    fs.mkdirSync(path.dirname(root), { recursive: true });
    fs.writeFileSync(root, 'a file');
    const records = open();
    const record = newRecord();
    await records
      .create(record)
      .should.be.rejectedWith({ code: 'AUTHY_STORE', message: new RegExp(`folder ${root} cannot be used`) });
    await records.take(new Map()).should.be.rejectedWith({ code: 'AUTHY_STORE' });
    fs.unlinkSync(root);
    await records.create(record);
    should(idsOf(await takeAll(open()))).eql([record.id]);
  });

  describe('on a disk of their own', () => {
    let disk: string;
    let isMounted = false;

    beforeEach(function () {
      disk = temporaryDirectory();
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk], { stdio: 'ignore' });
      } catch {
        isMounted = false;
        process.stderr.write('  Skipped: only root can mount a small disk.\n');
        this.skip();
      }
      isMounted = true;
      root = path.join(disk, 'approvals');
    });
    afterEach(() => {
      if (isMounted) execFileSync('umount', ['--lazy', disk]);
    });

    it('are not changed while it is read-only, and work after that', async () => {
      const records = open();
      const [claimed, waiting, other] = [newRecord(), newRecord(), newRecord()];
      await records.create(claimed);
      await records.create(waiting);
      should(await records.claim(claimed, false)).equal('ours');
      const mount = (how: string): Buffer => execFileSync('mount', ['-o', `remount,${how}`, disk]);
      mount('ro');
      const isReadOnly = { code: 'AUTHY_STORE', message: /the disk is read-only \(EROFS\)/ };
      await records.create(other).should.be.rejectedWith(isReadOnly);
      await records.update(waiting).should.be.rejectedWith(isReadOnly);
      await records.claim(waiting, false).should.be.rejectedWith(isReadOnly);
      await records.claim(waiting, true).should.be.rejectedWith(isReadOnly);
      await records.end(claimed).should.be.rejectedWith(isReadOnly);
      mount('rw');
      await records.end(claimed);
      should(await records.claim(waiting, false)).equal('ours');
      should(fs.readdirSync(folder())).eql([`${waiting.id}.passing.json`]);
    });

    it('keep their old content if it is full', async () => {
      const records = open();
      const record = newRecord();
      await records.create(record);
      fs.writeFileSync(path.join(disk, 'ballast'), Buffer.alloc(200 * 1024));
      const large = { ...record, message: JSON.stringify({ payload: 'x'.repeat(60_000) }) };
      const isFull = { code: 'AUTHY_STORE', message: /the disk is full \(ENOSPC\)/ };
      await records.update(large).should.be.rejectedWith(isFull);
      const other = newRecord({ message: large.message });
      await records.create(other).should.be.rejectedWith(isFull);
      should(fs.readdirSync(folder())).eql([`${record.id}.json`]);
      // Changes that need no space still work.
      should(await records.claim(record, false)).equal('ours');
      await records.unclaim(record);
      fs.unlinkSync(path.join(disk, 'ballast'));
      await records.create(other);
      const found = await takeAll(open());
      should(idsOf(found)).eql([record.id, other.id].sort());
      should(found.find((one) => one.record.id === record.id)?.record.message).equal(record.message);
    });
  });
});
