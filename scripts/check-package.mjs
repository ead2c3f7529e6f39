// Checks what `npm pack` would publish: all that is needed and nothing else. Prints what is wrong.
//   node scripts/check-package.mjs [folder of the package]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const folder = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, '..'));
const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
const problems = problemsOf(packedFiles(), manifest);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log('The package ships what is needed and nothing else.');

function packedFiles() {
  // The scripts are left out: what is checked is what is there, and a build of its own would hide that it is stale.
  const npm = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    console.error(`npm pack failed:\n${npm.stderr}`);
    process.exit(1);
  }
  return Object.values(JSON.parse(npm.stdout))[0].files.map((file) => file.path);
}

function problemsOf(files, { 'node-red': nodeRed, bin = {} }) {
  const shipped = new Set(files);
  const missing = requiredFiles(files, nodeRed, bin)
    .filter((file) => !shipped.has(file))
    .map((file) => `missing: ${file}`);
  const unwanted = files.filter((file) => !isAllowed(file)).map((file) => `should not be shipped: ${file}`);
  return [...missing, ...unwanted];
}

function requiredFiles(files, { nodes, plugins = {} }, bin) {
  const modules = Object.values(nodes);
  const languages = [...new Set(files.map((file) => /^dist\/locales\/([^/]+)\//.exec(file)?.[1]))].filter(
    Boolean,
  );
  // The language every other one falls back on.
  if (!languages.includes('en-US')) languages.push('en-US');
  return [
    'package.json',
    'README.md',
    'LICENSE',
    ...Object.values(plugins),
    ...Object.values(bin),
    ...modules,
    ...modules.map((file) => file.replace(/\.js$/, '.html')),
    ...modules.flatMap((file) =>
      languages.flatMap((language) => {
        const base = path.posix.join('dist/locales', language, path.posix.basename(file, '.js'));
        return [`${base}.json`, `${base}.html`];
      }),
    ),
    ...languages.flatMap((language) =>
      ['simulator', 'messages', 'approver', 'sidebar'].map(
        (name) => `dist/locales/${language}/authy-${name}.json`,
      ),
    ),
    ...['index.html', 'style.css', 'sw.js', 'icon.svg'].map((name) => `dist/lib/approver/page/${name}`),
    ...modules.map(iconOf).filter(Boolean),
    ...relativeRequires(files),
    ...fs.readdirSync(path.join(folder, 'examples')).map((file) => `examples/${file}`),
  ];
}

/** The icon a panel names, unless it is one of Node-RED's own or of Font Awesome. */
function iconOf(module) {
  const panel = path.join(folder, module.replace(/\.js$/, '.html'));
  if (!fs.existsSync(panel)) return undefined;
  const icon = /\bicon:\s*(['"])(authy[^'"/]*)\1/.exec(fs.readFileSync(panel, 'utf8'))?.[2];
  return icon && `dist/icons/${icon}`;
}

/** What the compiled files load from each other. */
function relativeRequires(files) {
  return files
    .filter((file) => file.startsWith('dist/') && file.endsWith('.js'))
    .flatMap((file) => {
      const text = fs.readFileSync(path.join(folder, file), 'utf8');
      return [...text.matchAll(/\b(?:(?:require|import)\(|from )['"](\.{1,2}\/[^'"]+)['"]/g)].map(
        ([, target]) => {
          const resolved = path.posix.join(path.posix.dirname(file), target);
          return path.posix.extname(resolved) === '' ? `${resolved}.js` : resolved;
        },
      );
    });
}

function isAllowed(file) {
  if (/(^|\/)(\.|test\/|node_modules\/)|_spec\.|\.(ts|map|tgz|log)$/.test(file)) return false;
  return (
    ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'].includes(file) ||
    /^examples\/[^/]+\.json$/.test(file) ||
    /^dist\/locales\/[^/]+\/authy-[^/]+\.(json|html)$/.test(file) ||
    /^dist\/icons\/[^/]+\.svg$/.test(file) ||
    /^dist\/[^/]+\.(js|html)$/.test(file) ||
    /^dist\/(lib|simulator)\/.+\.(js|html|css|json|svg|png)$/.test(file)
  );
}
