import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { parse } from 'node-html-parser';
import { fragmentsUsedIn, helpsIn, sharedHelp } from '../../scripts/help';
import { temporaryDirectory } from '../support/node_red';
import { languages, translations } from './catalogues';
import { filesOf, read, root, types } from './panels';

/** Texts of so few words, such as "Always true.", may repeat: naming a fragment would take as many. */
const shortText = 3;

/** A help as it is written, with its placeholders. */
function written(language: string, type: string): string {
  return read('locales', language, `${type}.html`);
}

/** The whole texts that a file of the help is made of: paragraphs, explanations and references. */
function textsIn(source: string): string[] {
  const scripts = parse(source).querySelectorAll('script');
  const parts = scripts.length > 0 ? scripts.map(({ rawText }) => rawText) : [source];
  return parts
    .flatMap((part) => parse(part).querySelectorAll('p, dd, li a'))
    .map(({ text }) => text.trim().replace(/\s+/g, ' '))
    .filter((text) => text.split(' ').length > shortText);
}

/** A copy of a language's folder, with some of its files changed. */
function changed(language: string, changes: Record<string, (text: string) => string>): string {
  const folder = path.join(temporaryDirectory(), language);
  fs.cpSync(path.join(root, 'locales', language), folder, { recursive: true });
  for (const [file, change] of Object.entries(changes)) {
    const name = path.join(folder, file);
    const text = fs.readFileSync(name, 'utf8');
    should(change(text)).not.equal(text, `${file} is not changed`);
    fs.writeFileSync(name, change(text));
  }
  return folder;
}

function problemsIn(folder: string): string[] {
  try {
    helpsIn(folder);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

const fragment = (name: string) => `<template id="${name}">`;
const use = (name: string, content = '') => `<shared-help name="${name}">${content}</shared-help>`;

describe('contract: fragments that several helps share', () => {
  it('is written once', () => {
    const files = filesOf('locales/en-US', '.html');
    const texts = files.flatMap((file) => textsIn(read('locales', 'en-US', file)));
    should(texts.length).be.above(200);
    should(texts.filter((text, index) => texts.indexOf(text) !== index)).be.empty();
  });

  for (const language of languages) {
    it(`${language}: each fragment is there, and is used`, () => {
      should(problemsIn(path.join(root, 'locales', language))).be.empty();
    });
  }

  for (const language of translations) {
    it(`${language}: each help uses the fragments of the English one, in its order`, () => {
      for (const type of types) {
        should(fragmentsUsedIn(written(language, type))).deepEqual(
          fragmentsUsedIn(written('en-US', type)),
          type,
        );
      }
    });
  }

  it('stands where it is used, with what the use encloses', () => {
    const folder = changed('en-US', {
      [sharedHelp]: (text) =>
        `${text}<template id="new"\n>\n  <p>One of <slot></slot\n  >: $&.</p>\n</template\n>\n`,
      'authy-config.html': (text) =>
        text.replace('<h3>', () => `${use('new', ' <code>a</code>, <code>$&</code> ')}\n  <h3>`),
    });
    const help = helpsIn(folder).get('authy-config');
    should(help).containEql('<p>One of <code>a</code>, <code>$&</code>: $&.</p>\n');
  });

  it('is refused where a fragment is missing, unused, there twice or outside of all', () => {
    const folder = changed('de', {
      [sharedHelp]: (text) =>
        text.replace(fragment('inputs'), fragment('Inputs')) +
        `<p>A</p>${fragment('errors')}<slot></slot></template>`,
    });
    const lacking = types
      .filter((type) => fragmentsUsedIn(written('de', type)).includes('inputs'))
      .sort()
      .map((type) => `de/${type}.html: ${sharedHelp} has no fragment "inputs"`);
    should(lacking).not.be.empty();
    should(problemsIn(folder)).deepEqual([
      `de/${sharedHelp}: the fragment "errors" is there twice`,
      `de/${sharedHelp}: this is no fragment: <p>A</p>`,
      ...lacking,
      `de/${sharedHelp}: no help uses the fragment "Inputs"`,
    ]);
  });

  it('is refused where a use and the slot of its fragment do not fit', () => {
    const folder = changed('de', {
      'authy-app-stats.html': (text) => text.replace(use('only-reads'), use('only-reads', 'A')),
      'authy-token-sms.html': (text) => text.replace('<h3>', `${use('errors')}<h3>`),
    });
    should(problemsIn(folder)).deepEqual([
      'de/authy-app-stats.html: "only-reads" has no slot for what it encloses',
      'de/authy-token-sms.html: "errors" encloses nothing for the slot of the fragment',
    ]);
  });

  for (const [slip, tag] of [
    ['<shared-help name="inputs">', '<shared-help name="inputs">'],
    ['<shared-help name="inputs" />', '<shared-help name="inputs" />'],
    ['<share-help name="inputs"></p>', '<share-help name="inputs">'],
    ['<shared name="inputs"></p>', '<shared name="inputs">'],
    ['<!-- inputs -->', '<!-- inputs -->'],
    ['<slot></p>', '<slot>'],
    ['<template id="inputs"></p>', '<template id="inputs">'],
  ] as const) {
    it(`is refused where its place is written as ${slip}`, () => {
      const folder = changed('en-US', { 'authy-config.html': (text) => `${text}${slip}` });
      should(problemsIn(folder)).deepEqual([`en-US/authy-config.html: ${tag} has no place in a help`]);
    });
  }

  it('stops the build, which leaves nothing to ship', () => {
    const folder = temporaryDirectory();
    for (const name of ['scripts', 'locales', 'nodes', 'examples', 'docs']) {
      fs.cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
    }
    fs.mkdirSync(path.join(folder, 'dist'));
    fs.appendFileSync(path.join(folder, 'locales', 'fr', 'authy-config.html'), use('no-such'));
    const build = spawnSync(
      process.execPath,
      ['--import', 'tsx', path.join(folder, 'scripts', 'build.mjs')],
      // tsx is looked for from here.
      { cwd: root, encoding: 'utf8' },
    );
    should(build.stderr).equal(`fr/authy-config.html: ${sharedHelp} has no fragment "no-such"\n`);
    should(build.status).equal(1);
    should(fs.existsSync(path.join(folder, 'dist'))).be.false();
  });
});
