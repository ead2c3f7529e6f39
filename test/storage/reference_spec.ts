import { Redis } from '../support/redis';
import { runs } from '../support/runs';
import { ContextsUnderTest, FilesUnderTest, RedisUnderTest } from '../support/stores_under_test';
import { type Promises, SideBySide } from './side_by_side';

const local = {
  machines: 1,
  tombstones: false,
  epochs: false,
  remembersLost: true,
  takenAlive: false,
  midway: false,
  endsAtOnce: false,
  powerMayFail: false,
} as const;

/** How the promises of the stores differ. docs/approvals/survives.md says the same to users. */
const promises = {
  memory: { ...local, reference: 'memory', killLeaves: 'nothing', endsAtOnce: true, clock: 'roughly' },
  cached: {
    ...local,
    reference: 'files',
    killLeaves: 'the records at its start',
    endsAtOnce: true,
    clock: 'roughly',
  },
  uncached: { ...local, reference: 'files', killLeaves: 'everything', clock: 'roughly', midway: true },
  files: {
    ...local,
    reference: 'files',
    killLeaves: 'everything',
    clock: 'exact',
    midway: true,
    endsAtOnce: true,
    powerMayFail: true,
    takenAlive: true,
  },
  redis: {
    reference: 'redis',
    machines: 3,
    killLeaves: 'everything',
    midway: false,
    endsAtOnce: false,
    powerMayFail: false,
    tombstones: true,
    epochs: true,
    remembersLost: false,
    clock: 'exact',
    takenAlive: false,
  },
} satisfies Record<string, Promises>;

const steps = 60;

describe('each store does the same as the reference of the simulation', function () {
  this.timeout(3_600_000);

  async function each(count: number, run: (seed: number) => Promise<void>): Promise<void> {
    // `npm test` uses the same seeds each time; `npm run test:long` uses new ones.
    const unseen = process.env['RUNS'] === undefined ? 1 : Date.now() % 1_000_000_000;
    const from = Number(process.env['SEED'] ?? unseen);
    process.stdout.write(`      SEED=${from}\n`);
    for (let seed = from; seed < from + runs(count); seed++) await run(seed);
  }

  it('files', () =>
    each(14, (seed) =>
      SideBySide.run(seed, promises.files, (scheduler) => new FilesUnderTest(scheduler), steps),
    ));

  for (const [name, store] of [
    ['memory', { module: 'memory' }],
    ['cached', { module: 'localfilesystem', cache: true }],
    ['uncached', { module: 'localfilesystem', cache: false }],
  ] as const) {
    it(`a context of Node-RED: ${name}`, () =>
      each(14, (seed) => SideBySide.run(seed, promises[name], () => new ContextsUnderTest(store), steps)));
  }

  it('Redis', async function () {
    const redis = await Redis.start(this, []);
    try {
      await each(12, (seed) =>
        SideBySide.run(seed, promises.redis, (scheduler) => RedisUnderTest.open(redis, scheduler), steps),
      );
    } finally {
      await redis.stop();
    }
  });
});
