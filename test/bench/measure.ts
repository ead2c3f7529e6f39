// Runs one benchmark, named by the argument, in a process of its own; sends its report to the process that started it.
import path from 'node:path';
import type { Bench, Report } from './figures';

/** What is sent. */
export interface Measured {
  readonly title: string;
  readonly report: Report;
}

async function main(name: string): Promise<void> {
  const { bench } = (await import(path.join(__dirname, `${name}.bench.ts`))) as { bench: Bench };
  const result: Measured = { title: bench.title, report: await bench.run() };
  // Connections and servers of a contender may still be open.
  process.send?.(result, () => process.exit(0));
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
