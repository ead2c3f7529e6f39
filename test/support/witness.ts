import fs from 'node:fs';
import path from 'node:path';
import { temporaryDirectory } from './node_red';

/** The messages that a gate in another process received and sent, however that process ends; see witness_probe.cjs. */
export class Witness {
  private readonly file = path.join(temporaryDirectory(), 'witness');

  /** The environment that starts the probe in a Node-RED. */
  get env(): Readonly<Record<string, string>> {
    return {
      NODE_OPTIONS: `--require ${path.join(__dirname, 'witness_probe.cjs')}`,
      WITNESS: this.file,
    };
  }

  /** The outcomes of one message so far. */
  outcomesOf(no: number): string[] {
    return this.read().get(no) ?? [];
  }

  /** The outcomes of each message that the gate received. A message that is given back to the gate counts once. */
  read(): Map<number, string[]> {
    const all = new Map<number, string[]>();
    for (const { no, outcome } of this.lines()) {
      const outcomes = all.get(no) ?? [];
      if (outcome !== 'asked' && outcome !== 'left') outcomes.push(outcome);
      all.set(no, outcomes);
    }
    return all;
  }

  /** The messages that have left the gate, whether or not they have reached the node behind it. */
  left(): Set<number> {
    return new Set(this.lines().flatMap(({ no, outcome }) => (outcome === 'left' ? [no] : [])));
  }

  private lines(): { no: number; outcome: string }[] {
    const text = fs.existsSync(this.file) ? fs.readFileSync(this.file, 'utf8') : '';
    // The text after the last line break is still being written.
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as { no: number; outcome: string });
  }
}
