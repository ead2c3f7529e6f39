// npm run bench [-- name …] [--json]: runs the named benchmarks, or all of them, one after the other.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isMet, type Measure, type Report, spreadOf } from './figures';
import { markdown } from './markdown';
import type { Measured } from './measure';

/** Runs one benchmark in a process of its own, so that nothing another one has loaded or changed affects it. */
async function measured(name: string): Promise<Measured> {
  const child = fork(path.join(__dirname, 'measure.ts'), [name], {
    // Other output must not get between the figures.
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  let result: Measured | undefined;
  child.on('message', (message) => (result = message as Measured));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0 || result === undefined) throw new Error(`The benchmark ${name} did not finish.`);
  return result;
}

/** A report as data: each figure with its rounds, their median and extremes, and whether its goal is met. */
function asData(name: string, title: string, { ratios, figures, notes }: Report): object {
  const data = (measure: Measure): object => ({
    ...measure,
    ...spreadOf(measure.rounds),
    met: isMet(measure),
  });
  return { name, title, ratios: ratios.map(data), figures: figures.map(data), notes };
}

async function main(): Promise<void> {
  const known = fs
    .readdirSync(__dirname)
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.replace('.bench.ts', ''));
  const given = process.argv.slice(2);
  const asJson = given.includes('--json');
  const wanted = given.filter((argument) => argument !== '--json');
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no benchmark ${unknown.join(', ')}; there is ${known.join(', ')}.`);
    process.exit(1);
  }
  if (!asJson) {
    const processors = os.cpus();
    console.log(
      `Node.js ${process.version}, ${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    );
  }
  const data: object[] = [];
  for (const name of wanted.length > 0 ? wanted : known) {
    const { title, report } = await measured(name);
    if (asJson) data.push(asData(name, title, report));
    else console.log(`\n${markdown(name, title, report)}`);
  }
  if (asJson) console.log(JSON.stringify(data, null, 2));
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exitCode = 1;
});
