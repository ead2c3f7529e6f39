// Lists the packages that come along with ours, and their licences: npm run licences writes docs/licences.md.
//   --check   writes nothing, and fails where the page is not what it would write
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const page = path.join(root, 'docs', 'licences.md');
const { packages } = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'));

/** Licences under which a package may be used, passed on and changed by anybody. */
const allowed = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT'];

const shipped = Object.entries(packages)
  .filter(([place, { dev, devOptional, optional }]) => place !== '' && !dev && !devOptional && !optional)
  .map(([place, { license }]) => ({ name: place.replace(/^.*node_modules\//, ''), licence: license }));
const refused = shipped.filter(({ licence }) => !allowed.includes(licence));
if (refused.length > 0) {
  for (const { name, licence } of refused) console.error(`${name}: ${licence ?? 'no licence'}`);
  process.exit(1);
}

const text = written(shipped);
if (!process.argv.includes('--check')) fs.writeFileSync(page, text);
else if (fs.readFileSync(page, 'utf8') !== text) {
  console.error('docs/licences.md is not up to date. Run: npm run licences');
  process.exitCode = 1;
}

function written(list) {
  const names = new Map();
  for (const { name, licence } of list) names.set(licence, [...(names.get(licence) ?? []), name]);
  const sections = [...names].sort().map(([licence, all]) => {
    const lines = [...new Set(all)].sort().map((name) => `- ${name}\n`);
    return `\n## ${licence}\n\n${lines.join('')}`;
  });
  return `# Licences

The package itself is under the MIT licence. These are the packages that npm installs along with it, by licence. The page is
written by \`npm run licences\` from \`package-lock.json\`, and \`npm test\` holds it to that.
${sections.join('')}`;
}
