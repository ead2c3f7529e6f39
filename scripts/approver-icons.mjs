// node scripts/approver-icons.mjs: draws the icons of the approver's page from its icon.svg, by the machine's own browser.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

const folder = path.resolve(import.meta.dirname, '..', 'nodes', 'lib', 'approver', 'page');
const svg = readFileSync(path.join(folder, 'icon.svg'), 'utf8');
const [, head, ground, shield, tick] = /(<svg[^>]*>)\s*(<rect[^>]*>)\s*(<path[^>]*>)\s*(<path[^>]*>)/.exec(
  svg,
);

/** The whole square is painted, and what matters is in the inner 80 %: launchers cut it into shapes of theirs. */
const maskable = `${head}${ground.replace(/ rx="\d+"/, '')}<g transform="translate(6.4 6.4) scale(.8)">${shield}${tick}</g></svg>`;

/** Of a badge only the transparency counts: a shield out of which the tick is cut. */
const badge = `${head.replace(/viewBox="[^"]*"/, 'viewBox="8 9 48 48"')}
  <mask id="m">${shield}${tick.replace(/stroke="#\w+"/, 'stroke="#000"')}</mask>
  <rect width="64" height="64" fill="#fff" mask="url(#m)"/></svg>`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const [name, size, picture] of [
  ['icon-192', 192, svg],
  ['icon-512', 512, svg],
  ['icon-maskable-512', 512, maskable],
  ['badge-96', 96, badge],
]) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(
    `<style>body{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${picture}`,
  );
  await page.screenshot({ path: path.join(folder, `${name}.png`), omitBackground: true });
  await page.close();
}
await browser.close();
