// Builds dist/: the compiled nodes, and beside them the files Node-RED looks for next to each node file.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { serviceIds, serviceKind } from '../nodes/lib/services/registry.ts';
import { editorFacts, editorWith } from './editor.ts';
import { helpsIn } from './help.ts';

const root = path.resolve(import.meta.dirname, '..');
const from = (...names) => path.join(root, ...names);

rmSync(from('dist'), { recursive: true, force: true });

const helps = mergedHelps();

const tsc = spawnSync(process.execPath, [from('node_modules', 'typescript', 'bin', 'tsc')], {
  cwd: root,
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

// Panels and the phone page: what is not compiled, and not written for those who read the source.
cpSync(from('nodes'), from('dist'), { recursive: true, filter: (file) => !/\.(ts|md)$/.test(file) });
cpSync(from('icons'), from('dist', 'icons'), { recursive: true });
cpSync(from('locales'), from('dist', 'locales'), {
  recursive: true,
  filter: (file) => !file.endsWith('.html'),
});
const editor = readFileSync(from('nodes', 'authy-editor.html'), 'utf8');
const kinds = serviceIds().map((id) => serviceKind(id));
writeFileSync(from('dist', 'authy-editor.html'), editorWith(editorFacts(kinds), editor));
for (const [file, help] of helps) writeFileSync(from('dist', 'locales', file), help);
const { bin } = JSON.parse(readFileSync(from('package.json'), 'utf8'));
for (const command of Object.values(bin)) chmodSync(from(command), 0o755);

/** The help of each node in each language, by its place in `locales`. */
function mergedHelps() {
  try {
    return new Map(
      readdirSync(from('locales')).flatMap((language) =>
        [...helpsIn(from('locales', language))].map(([type, help]) => [`${language}/${type}.html`, help]),
      ),
    );
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
