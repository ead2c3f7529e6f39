import { Gate } from '../../nodes/lib/approval/gate';
import { newProcess } from '../../nodes/lib/approval/process';
import { World } from './world';

/** Prints what happens in one world: `npx tsx test/simulation/replay.ts SEED`. */
async function replay(seed: number): Promise<void> {
  const world = new World(seed, { Gate, newProcess });
  const problems = await world.run();
  process.stdout.write(`${[...world.trace, '', ...problems].join('\n')}\n`);
}

void replay(Number(process.argv[2] ?? 1));
