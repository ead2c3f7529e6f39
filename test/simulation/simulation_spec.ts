import should from 'should';
import { Gate } from '../../nodes/lib/approval/gate';
import { newProcess } from '../../nodes/lib/approval/process';
import { runs } from '../support/runs';
import { coreWith, faults } from './faults';
import { type Core, World } from './world';

/** How many worlds: 5,000 in `npm test`, 100,000 in `npm run test:long`. */
const count = runs(5000);

/** A fault that is put back has to be found within so many. */
const most = 20_000;

const core: Core = { Gate, newProcess };

async function problemsIn(seed: number, tried: Core): Promise<{ problems: string[]; trace: string[] }> {
  const world = new World(seed, tried);
  return { problems: await world.run(), trace: world.trace };
}

describe('Approvals in simulated worlds', function () {
  this.timeout(3_600_000);

  it(`${count} worlds: each message has one end, and none is approved late, unasked or withdrawn`, async () => {
    // The same worlds each time in `npm test`: those that nobody has seen are for `npm run test:long`.
    const unseen = process.env['RUNS'] === undefined ? 1 : Date.now() % 1_000_000_000;
    const from = Number(process.env['SEED'] ?? unseen);
    process.stdout.write(`      SEED=${from}\n`);
    for (let seed = from; seed < from + count; seed++) {
      const { problems, trace } = await problemsIn(seed, core);
      should(problems).eql([], `world ${seed}:\n${trace.join('\n')}\n`);
    }
  });

  it('the worlds in which a fault was found that is fixed', async () => {
    // A withdrawal that met a take-over, here and elsewhere; an end between two nodes; a clock that jumped.
    const first = [916_623_043, 917_159_622, 916_630_710, 916_635_513];
    // A message that waited for one that never got to be sent; one withdrawn while another instance handed it on; a claim
    // that overtook a write; one withdrawn before its node had it again; an instance before its first sign of life.
    const second = [920_751_205, 920_863_745, 920_992_867, 921_156_477, 921_222_013];
    // A withdrawn message that two instances told of; a record that came back by way of another instance.
    const third = [922_967_685, 923_043_403];
    for (const seed of [...first, ...second, ...third]) {
      const { problems, trace } = await problemsIn(seed, core);
      should(problems).eql([], `world ${seed}:\n${trace.join('\n')}\n`);
    }
  });

  it('the same seed gives the same world', async () => {
    for (const seed of [1, 2, 3]) {
      should((await problemsIn(seed, core)).trace).eql((await problemsIn(seed, core)).trace);
    }
  });

  for (const fault of faults) {
    it(`finds it where ${fault.name}`, async () => {
      const faulty = await coreWith(fault);
      const { from = 1 } = fault;
      for (let seed = from; seed < from + most; seed++) {
        const { problems } = await problemsIn(seed, faulty);
        if (problems.length === 0) continue;
        process.stdout.write(`      world ${seed}: ${problems[0] ?? ''}\n`);
        return;
      }
      throw new Error(`It is not found in ${most} worlds.`);
    });
  }
});
