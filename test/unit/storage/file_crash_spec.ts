import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { FileRecords } from '../../../nodes/lib/storage/file-records';
import { here, writeHolder } from '../../../nodes/lib/storage/holder';
import { ProcessRun } from '../../../nodes/lib/storage/owned-directory';
import { realTime } from '../../../nodes/lib/time';
import { Process, root as project, temporaryDirectory } from '../../support/node_red';
import { Random } from '../../support/random';
import { newRecord, takeAll, Told } from '../../support/records';
import { runs } from '../../support/runs';
import { saidUntilKilled } from '../../support/said_lines';

const script = path.join(project, 'test', 'support', 'file_records_process.ts');

/** A time in which a process waits longer for others, so that none is taken for dead on a busy machine. */
const patient = {
  ...realTime,
  after: (milliseconds: number, action: () => void) => realTime.after(milliseconds * 4, action),
};

/** A time in which a process waits less for others, for tests with processes that give no sign of life. */
const impatient = {
  ...realTime,
  after: (milliseconds: number, action: () => void) => realTime.after(milliseconds / 10, action),
};

describe('Records in files, with several processes', function () {
  this.timeout(180_000);
  let root: string;
  /** The last run that was opened in this process. */
  let run: ProcessRun;

  beforeEach(() => {
    root = path.join(temporaryDirectory(), 'approvals');
  });

  function start(mode: 'write' | 'hold'): Process {
    return new Process(process.execPath, ['--import', 'tsx', script, mode, root], { NODE_NO_WARNINGS: '1' });
  }

  function open(told = new Told(), time = realTime): FileRecords {
    run = new ProcessRun();
    return new FileRecords({ root, accountId: 'account', gateId: 'gate' }, told, { run, time });
  }

  it('each record is the old or the new one, whenever the process is killed', async () => {
    const random = new Random();
    process.stdout.write(`      seed ${random.seed}\n`);
    for (let round = 0; round < runs(4); round++) {
      const said = await saidUntilKilled(start('write'), random, round);

      const told = new Told();
      const records = open(told);
      const found = new Map((await takeAll(records)).map(({ record }) => [record.id, record]));
      should(told.troubles).eql([]);
      const last = new Map<string, { what: string; version: number }>();
      for (const [what = '', id = '', version] of said) {
        last.set(id, { what, version: Number(version ?? last.get(id)?.version ?? 0) });
      }
      for (const [id, { what, version }] of last) {
        const record = found.get(id);
        found.delete(id);
        if (what === 'ended') should(record).be.undefined();
        if (['created', 'updated', 'claimed'].includes(what)) should(record?.id).equal(id, what);
        if (record === undefined) continue;
        const message = JSON.parse(record.message) as { version: number; payload: string };
        should(message.payload).equal(String(message.version % 10).repeat(20_000));
        should(message.version).be.within(version, version + 1);
        if (what === 'claimed') should(record.state).equal('passing');
        if (['created', 'updated'].includes(what)) should(record.state).equal('sending');
        should(await records.claim(record, true)).equal('ours');
      }
      should([...found.keys()]).eql([]);
      await records.close();
      run.end();
    }
  });

  it('a second process is refused for as long as the first lives', async () => {
    const holder = start('hold');
    const [, pid] = await holder.until(
      'it to hold the records',
      () => /ready (\d+)/.exec(holder.output) ?? undefined,
    );
    const second = open(new Told(), patient);
    const inUse = {
      code: 'AUTHY_STORE',
      message: new RegExp(`in use by another Node-RED: process ${pid ?? ''} `),
    };
    await second.create(newRecord()).should.be.rejectedWith(inUse);
    await second.take(new Map()).should.be.rejectedWith(inUse);
    await holder.kill();
    should(await takeAll(second)).have.length(2);
    await second.close();
  });

  it('a second process is refused while the first is deployed, and accepted once the first has ended', async () => {
    const first = open();
    await first.create(newRecord());
    await first.close();
    const second = start('hold');
    await second.until('it to be refused', () => /^refused AUTHY_STORE/m.test(second.output) || undefined);
    await second.kill();
    const again = new FileRecords({ root, accountId: 'account', gateId: 'gate' }, new Told(), { run });
    await again.create(newRecord());
    await again.close();
    run.end();
    const third = start('hold');
    await third.until('it to hold the records', () => /^ready /m.test(third.output) || undefined);
    await third.kill();
  });

  it('a process that stood still and was taken over can change nothing', async () => {
    const holder = start('hold');
    const [, pid, one = '', two = ''] = await holder.until(
      'it to hold the records',
      () => /ready (\d+) (\w+) (\w+)\n/.exec(holder.output) ?? undefined,
    );
    process.kill(Number(pid), 'SIGSTOP');
    const told = new Told();
    const second = open(told, impatient);
    const found = await takeAll(second);
    should(found.map(({ record }) => record.id).sort()).eql([one, two].sort());
    should(await second.claim(found[0]?.record ?? newRecord(), true)).equal('ours');
    fs.writeFileSync(path.join(root, 'go'), '');
    process.kill(Number(pid), 'SIGCONT');
    await holder.until('it to have tried', () => holder.output.includes('done\n') || undefined);
    await holder.kill();
    should(holder.output).match(/claim theirs\nfinal theirs\nupdate false\ncreate AUTHY_STORE\n/);
    should(holder.output).match(/troubles .*taken over by another Node-RED/);
    should(await second.claim(found[1]?.record ?? newRecord(), false)).equal('ours');
    await second.close();
  });

  it('of several processes that start at the same time, one gets the records', async () => {
    const all = Array.from({ length: 3 }, () => start('hold'));
    const said = (what: RegExp): number => all.filter(({ output }) => what.test(output)).length;
    await Promise.all(
      all.map((one) => one.until('it to know', () => /^(ready|refused)/m.test(one.output) || undefined)),
    );
    should(fs.readdirSync(root)).have.length(1);
    // A process that gave no sign of life in time may have been ready, and then have lost the records.
    fs.writeFileSync(path.join(root, 'go'), '');
    await Promise.all(
      all.map((one) => one.until('it to have tried', () => /^(done|refused)/m.test(one.output) || undefined)),
    );
    should(said(/^claim ours/m)).equal(1);
    should(said(/^claim theirs/m) + said(/^refused AUTHY_STORE/m)).equal(2);
    await Promise.all(all.map((one) => one.kill()));
  });

  it('a holder whose process id now belongs to another process does not block a new process', async () => {
    const folder = path.join(root, 'life-3');
    fs.mkdirSync(folder, { recursive: true });
    const holder = { host: 'here', place: here, nonce: 'x', beat: 7, at: 0, isFree: false };
    // As in a container, where the new process gets the same small number again.
    fs.writeFileSync(path.join(folder, 'holder.json'), writeHolder({ ...holder, pid: process.pid }));
    const same = open();
    await same.create(newRecord());
    await same.close();
    should(fs.readdirSync(root)).eql(['life-4']);
    // A running process that has nothing to do with this.
    fs.writeFileSync(
      path.join(root, 'life-4', 'holder.json'),
      writeHolder({ ...holder, pid: process.ppid, beat: 8 }),
    );
    const other = open(new Told(), impatient);
    should(await takeAll(other)).have.length(1);
    // An incomplete file.
    fs.writeFileSync(path.join(root, 'life-5', 'holder.json'), '{"pid":1');
    const third = open(new Told(), impatient);
    should(await takeAll(third)).have.length(1);
    await third.close();
  });
});
