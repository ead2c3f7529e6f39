import path from 'node:path';
import should from 'should';
import { filePeople } from '../../../nodes/lib/people/file-people';
import type { People } from '../../../nodes/lib/contract/people';
import { ProcessRun } from '../../../nodes/lib/storage/owned-directory';
import { Process, root as project, temporaryDirectory } from '../../support/node_red';
import { listOf, newFactor } from '../../support/people';
import { Random } from '../../support/random';
import { runs } from '../../support/runs';
import { saidUntilKilled } from '../../support/said_lines';

const script = path.join(project, 'test', 'support', 'people_process.ts');

describe('People in files, and processes that are killed or two', function () {
  this.timeout(120_000);
  let root: string;
  let told: string[];

  beforeEach(() => {
    root = path.join(temporaryDirectory(), 'people');
    told = [];
  });

  const start = (...mode: string[]): Process =>
    new Process(process.execPath, ['--import', 'tsx', script, root, ...mode], { NODE_NO_WARNINGS: '1' });

  const open = (run: ProcessRun): People =>
    filePeople({ root, accountId: 'account' }, { tell: (sentence) => told.push(sentence), run });

  it('each is as the last change has left them that had resolved, or as the one that was under way', async () => {
    const random = new Random();
    process.stdout.write(`      seed ${random.seed}\n`);
    for (let round = 0; round < runs(4); round++) {
      root = path.join(temporaryDirectory(), 'people');
      const said = await saidUntilKilled(start(), random, round);

      const run = new ProcessRun();
      const people = open(run);
      const found = new Map((await listOf(people.all())).map((person) => [person.authyId, person]));
      should(told).eql([]);
      const last = new Map<string, { what: string; step: number }>();
      for (const [what = '', id = '', step] of said) {
        last.set(id, { what, step: Number(step ?? last.get(id)?.step) });
      }
      for (const [id, { what, step }] of last) {
        const person = found.get(id);
        found.delete(id);
        if (what === 'removed') should(person).be.undefined();
        else if (what !== 'removing') should(person).be.ok();
        if (person === undefined) continue;
        const [factor] = person.factors;
        // The secret is readable: its key was safe before it was used.
        should(factor).have.property('secret', newFactor().secret);
        if (what === 'raising') should(factor?.lastStep).be.within(step - 1, step);
        else should(factor?.lastStep).equal(step);
        should((await people.findByPhone(person.phoneNumber))?.authyId).equal(id);
      }
      // Those whose adding had not resolved yet: one for each of the eight at most.
      should(found.size).be.belowOrEqual(8);
      for (const person of found.values()) should(person.factors[0]?.lastStep).equal(0);
      await people.close();
      run.end();
    }
  });

  it('a second process is refused for as long as the first lives', async () => {
    const holder = start('hold');
    const [, pid = ''] = await holder.until(
      'it to hold',
      () => /ready (\d+)/.exec(holder.output) ?? undefined,
    );
    const second = open(new ProcessRun());
    const inUse = new RegExp(`Stop one of two Node-REDs.* in use by another Node-RED: process ${pid} `);
    await second.find('1').should.be.rejectedWith({ code: 'AUTHY_STORE', message: inUse });
    await holder.kill();
    should(await listOf(second.all())).have.length(1);
    await second.close();
  });
});
