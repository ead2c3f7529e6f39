// Builds dist/: the compiled nodes, and beside them the files Node-RED looks for next to each node file.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const from = (...names) => path.join(root, ...names);

rmSync(from('dist'), { recursive: true, force: true });

const tsc = spawnSync(process.execPath, [from('node_modules', 'typescript', 'bin', 'tsc')], {
  cwd: root,
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

// Panels and the phone page: everything under nodes/ that is not compiled.
cpSync(from('nodes'), from('dist'), { recursive: true, filter: (file) => !file.endsWith('.ts') });
cpSync(from('icons'), from('dist', 'icons'), { recursive: true });
cpSync(from('locales'), from('dist', 'locales'), { recursive: true });
chmodSync(from('dist', 'simulator', 'cli.js'), 0o755);
