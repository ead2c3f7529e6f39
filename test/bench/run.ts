// npm run bench [-- name …]: figures of what is here, one benchmark after the other; all of them without a name.
import fs from 'node:fs';
import path from 'node:path';

/** One line of a table: what was measured, and the figure with its unit. */
export type Figure = readonly [what: string, figure: string];

/** A benchmark: a file here by its name, which exports this as `bench`. */
export interface Bench {
  readonly title: string;
  run(): Promise<Figure[]>;
}

async function main(): Promise<void> {
  const known = fs
    .readdirSync(__dirname)
    .filter((file) => file.endsWith('.bench.ts'))
    .map((file) => file.replace('.bench.ts', ''));
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    console.error(`There is no benchmark ${unknown.join(', ')}; there is ${known.join(', ')}.`);
    process.exit(1);
  }
  for (const name of wanted.length > 0 ? wanted : known) {
    const { bench } = (await import(path.join(__dirname, `${name}.bench.ts`))) as { bench: Bench };
    console.log(`\n### ${name}: ${bench.title}\n\n| what | figure |\n| --- | ---: |`);
    for (const [what, figure] of await bench.run()) console.log(`| ${what} | ${figure} |`);
  }
  process.exit(0);
}

void main();
