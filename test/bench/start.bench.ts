import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { contest, type Contender } from './contest';
import type { Bench, Report } from './figures';
import { installedFigures } from './installed';
import { unlessSkipped } from './unless_skipped';

const packageLoad = 'all nodes of the package';
const axiosLoad = 'axios alone';

/** Loads something in a new process; in milliseconds of processor time, without the start of the process. */
function load(name: string, what: 'package' | 'axios'): Contender {
  return {
    name,
    async measure() {
      const probe = path.join(__dirname, 'load_probe.cjs');
      // The new process must not load the modules that this one was started with.
      const env = { ...process.env, NODE_OPTIONS: undefined };
      const { stdout } = await promisify(execFile)(process.execPath, [probe, what], { env });
      return Number(stdout);
    },
  };
}

async function run(): Promise<Report> {
  const results = await contest([load(packageLoad, 'package'), load(axiosLoad, 'axios')], {
    rounds: 15,
    warmUps: 2,
  });
  const installed = await unlessSkipped(installedFigures);
  const notes = [
    'Each load happens in a new process. It is processor time, without that of the start of Node.js itself.',
    'The modules are called with as much of Node-RED as they use then; no node is made yet.',
  ];
  return {
    ratios: [
      {
        what: `load time: ${packageLoad} / ${axiosLoad}`,
        unit: 'x',
        rounds: results.ratio(packageLoad, axiosLoad),
        goal: { atMost: 1.3 },
      },
    ],
    figures: [...results.figures('ms', ', load time'), ...(installed ?? [])],
    notes: installed
      ? notes
      : [...notes, 'The installed size is missing: the dependencies could not be downloaded.'],
  };
}

export const bench: Bench = { title: 'the package is loaded', run };
