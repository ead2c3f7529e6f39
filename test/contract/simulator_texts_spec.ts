import fs from 'node:fs';
import path from 'node:path';
import 'should';
import { languages, simulatorCatalogue, textsOf } from './catalogues';
import { callsOf, declaredIn, read, root, textKeysIn } from './panels';

const texts = textsOf('en-US', simulatorCatalogue);
const script = read('nodes', 'simulator', 'phone', 'phone.js');

/** What the page's `{{…}}` hold beside texts. */
const facts = ['language', 'texts'];

function keysOfPage(): string[] {
  const html = read('nodes', 'simulator', 'phone', 'index.html');
  const inHtml = [...html.matchAll(/\{\{([\w.]+)\}\}/g)].map(([, key]) => key ?? '');
  const inScript = callsOf(script, 'text').flatMap((call) => textKeysIn(call.arguments[0]));
  return [...inHtml.filter((key) => !facts.includes(key)), ...inScript].map((key) => `page.${key}`);
}

function keysOfMessages(): string[] {
  return fs
    .readdirSync(path.join(root, 'nodes', 'simulator'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...read('nodes', 'simulator', file).matchAll(/\.text\(\s*'([\w.]+)'/g)])
    .map(([, key]) => key ?? '');
}

describe('contract: texts of the simulator', () => {
  it('each key that is used has its text, and each text its use', () => {
    const used = [...keysOfPage(), ...keysOfMessages()];
    used.length.should.be.above(40);
    const isMeant = (key: string, text: string): boolean =>
      key.endsWith('*') ? text.startsWith(key.slice(0, -1)) : text === key;
    const there = [...texts.keys()];
    used.filter((key) => !there.some((text) => isMeant(key, text))).should.deepEqual([], 'without a text');
    there.filter((text) => !used.some((key) => isMeant(key, text))).should.deepEqual([], 'without a use');
  });

  it('there is a text for each way in which a callback fails, and none where there is no callback', () => {
    const failures = declaredIn(read('nodes', 'simulator', 'state', 'callback-report.ts'), 'CallbackFailure');
    failures.should.containEql('missing').and.containEql('closed');
    failures.filter((failure) => !texts.has(`page.callback.${failure}`)).should.eql(['missing']);
  });

  it('the eight languages are there', () => {
    languages.should.deepEqual(['en-US', 'de', 'es-ES', 'fr', 'it', 'ja', 'pt-BR', 'zh-CN']);
    for (const language of languages) textsOf(language, simulatorCatalogue).size.should.equal(texts.size);
  });
});
