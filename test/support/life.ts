import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import type { Figures } from './life_probe';
import { freePort, temporaryDirectory } from './node_red';

/** Reads the counts of a Node-RED in a process of its own, from inside; see life_probe.ts. */
export class LifeProbe {
  private constructor(
    private readonly port: number,
    /** The environment that starts the probe in a Node-RED. */
    readonly env: Readonly<Record<string, string>>,
  ) {}

  static async prepare(): Promise<LifeProbe> {
    const source = fs.readFileSync(path.join(__dirname, 'life_probe.ts'), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022,
        esModuleInterop: true,
      },
    });
    const file = path.join(temporaryDirectory(), 'probe.cjs');
    fs.writeFileSync(file, outputText);
    const port = await freePort();
    return new LifeProbe(port, { NODE_OPTIONS: `--require ${file}`, PROBE_PORT: String(port) });
  }

  async figures(): Promise<Figures> {
    const response = await fetch(`http://127.0.0.1:${this.port}/`);
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`The probe: ${String(answer)}`);
    return answer as Figures;
  }
}
