// Publishes the package with a statement of where it was built (https://docs.npmjs.com/generating-provenance-statements).
//   node scripts/release.mjs            a dry run: checks all there is to check, and publishes nothing
//   node scripts/release.mjs --publish  for real; only the workflow .github/workflows/release.yml can make the statement
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const isDryRun = !process.argv.includes('--publish');
const { name, version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const lock = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
const changelog = fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8');

const problems = [
  [run('git', ['status', '--porcelain']) !== '', 'There are changes that are not committed.'],
  [run('git', ['tag', '--list', `v${version}`]) === '', `There is no tag v${version}.`],
  [lock.version !== version, `package-lock.json is of version ${lock.version}.`],
  [!changelog.includes(`\n## [${version}] - `), `CHANGELOG.md has no section "## [${version}] - <date>".`],
  [
    !isDryRun && !process.env.ACTIONS_ID_TOKEN_REQUEST_URL,
    'Only the release workflow can state where it was built.',
  ],
]
  .filter(([isSo]) => isSo)
  .map(([, problem]) => problem);
for (const problem of problems) console.error(`  ${problem}`);
if (problems.length > 0 && !isDryRun) process.exit(1);

run(process.execPath, ['--import', 'tsx', 'scripts/build.mjs']);
run(process.execPath, ['scripts/check-package.mjs']);
run(process.execPath, ['scripts/licences.mjs', '--check']);
const options = ['--access', 'public', '--ignore-scripts', ...(isDryRun ? ['--dry-run'] : ['--provenance'])];
console.log(run('npm', ['publish', ...options]));
console.log(
  isDryRun
    ? `${name} ${version} could be published${problems.length > 0 ? ', but for what is said above' : ''}.`
    : '',
);

/** Runs a command to its end. @returns what it wrote; ends the release where it failed */
function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
    process.exit(1);
  }
  return stdout.trim();
}
