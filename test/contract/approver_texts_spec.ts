import should from 'should';
import { approverCatalogue, formsOf, textsOf } from './catalogues';
import { callsOf, declaredIn, filesOf, read, syntaxOf, textKeysIn } from './panels';

const folder = 'nodes/lib/approver/page';
const texts = textsOf('en-US', approverCatalogue);
const html = read(folder, 'index.html');
const names = filesOf(folder, '.js');

/** The page's modules, without the one that finds texts by keys it is given. */
const scripts = names
  .filter((name) => !['texts.js', 'sw.js'].includes(name))
  .map((name) => read(folder, name));

/** What the page's `{{…}}` hold beside texts. */
const facts = ['language', 'texts'];

function usedKeys(): string[] {
  const inHtml = [...html.matchAll(/\{\{([\w.]+)\}\}/g)].map(([, key]) => key ?? '');
  const keysOf = (script: string, call: string): string[] =>
    callsOf(script, call).flatMap(({ arguments: [key] }) => textKeysIn(key));
  const inScripts = scripts.flatMap((script) => [
    ...keysOf(script, 'text'),
    ...keysOf(script, 'counted').flatMap((key) => formsOf('en-US', key)),
  ]);
  // The one text that texts.js and problems.js name by a variable of theirs is of a code, below.
  return [...inHtml.filter((key) => !facts.includes(key)), ...inScripts];
}

/** The codes of problems that the page itself has. */
function problemsOfPage(): string[] {
  const thrown = scripts
    .flatMap(syntaxOf)
    .flatMap((node) => (node.type === 'NewExpression' ? [node] : []))
    .filter(({ callee }) => callee.type === 'Identifier' && callee.name === 'Problem')
    .map(({ arguments: [code] }) => code)
    // The other ones are what the server has answered, or are in a list below.
    .filter((code) => code?.type === 'Literal' || code?.type === 'ConditionalExpression')
    .flatMap(textKeysIn);
  const ofPasskeys = [...read(folder, 'passkeys.js').matchAll(/Error: '(\w+)'/g)].map(
    ([, code]) => code ?? '',
  );
  const ofForms = [...scripts.join('\n').matchAll(/missing\(\w[\w.]*, '(\w+)'\)/g)].map(
    ([, code]) => code ?? '',
  );
  return [...thrown, ...ofPasskeys, ...ofForms];
}

describe('contract: texts of the page for approvals', () => {
  it('each key that is used has its text, and each text its use', () => {
    const used = usedKeys().map((key) => `page.${key}`);
    used.length.should.be.above(80);
    const isMeant = (key: string, there: string): boolean =>
      new RegExp(`^${key.replaceAll('.', '\\.').replaceAll('*', '.+')}$`).test(there);
    const there = [...texts.keys()];
    used.filter((key) => !there.some((text) => isMeant(key, text))).should.deepEqual([], 'without a text');
    there.filter((text) => !used.some((key) => isMeant(key, text))).should.deepEqual([], 'without a use');
  });

  it('there is a sentence for each problem of the server and of the page, and no other', () => {
    const ofServer = declaredIn(read('nodes', 'lib', 'contract', 'approver.ts'), 'ApproverProblem');
    const known = new Set([...ofServer, ...problemsOfPage(), 'tooManyUntil', 'failed']);
    const there = [...texts.keys()].flatMap((key) => /^page\.problem\.(\w+)$/.exec(key)?.[1] ?? []);
    should(there.sort()).deepEqual([...known].sort());
  });

  it('the page names all of its modules, so that they come with the first answer', () => {
    const named = [...html.matchAll(/(?:rel="modulepreload" href|<script src)="([\w-]+\.js)"/g)];
    should(named.map(([, name]) => name).sort()).deepEqual(names.filter((name) => name !== 'sw.js'));
  });

  it('nothing that comes from the server becomes HTML', () => {
    for (const script of scripts) {
      should(script).not.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|setHTML|DOMParser/);
    }
  });
});
