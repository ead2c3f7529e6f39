import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { examples, pictureOf, titleOf } from '../support/example_flows';
import type { FlowNode } from '../support/node_red';
import { declaredIn, panelOf, types } from './panels';

const root = path.join(__dirname, '..', '..');
const read = (...names: string[]): string => readFileSync(path.join(root, ...names), 'utf8');

/** The pages of a folder. */
const pagesIn = (folder: string): string[] =>
  readdirSync(path.join(root, folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`);

const pages = pagesIn('docs');
/** Pages that belong to one page: they are in a folder of its name. */
const detailsOf = (page: string): string[] => {
  const folder = page.replace(/\.md$/, '');
  return existsSync(path.join(root, folder)) ? pagesIn(folder) : [];
};

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The nodes that a form is posted to, and all behind them. */
function behindForms(nodes: readonly FlowNode[]): FlowNode[] {
  const reached = new Set(nodes.filter(({ type, method }) => type === 'http in' && method === 'post'));
  // What is added while it is gone through has its turn as well.
  for (const { type, wires = [], links } of reached) {
    const next = [...wires.flat(), ...(type === 'link out' ? (links as string[]) : [])];
    for (const node of nodes) if (next.includes(node.id)) reached.add(node);
  }
  return [...reached];
}

describe('contract: documents and examples', () => {
  it('the page on errors lists every error code', () => {
    const codes = [...read('nodes', 'lib', 'contract', 'errors.ts').matchAll(/\| '(AUTHY_\w+)'/g)];
    codes.length.should.be.above(20);
    const page = read('docs', 'errors.md');
    for (const [, code] of codes) page.should.containEql(`| \`${code ?? ''}\``);
  });

  it('the page on rejections lists every reason', () => {
    const reasons = declaredIn(read('nodes', 'lib', 'contract', 'service.ts'), 'Rejection');
    const page = read('docs', 'callback-rejected.md');
    for (const reason of reasons) page.should.containEql(`| \`${reason}\``);
  });

  it('the README is short, and has what somebody with a clone begins with', () => {
    const readme = read('README.md');
    readme.trim().split(/\s+/).length.should.be.belowOrEqual(900);
    for (const command of ['npm ci && npm start', 'npm ci && npm test']) readme.should.containEql(command);
  });

  it('the page on nodes names every node', () => {
    const page = read('docs', 'nodes.md');
    for (const type of types.filter((type) => type !== 'authy-config')) {
      const texts = JSON.parse(read('locales', 'en-US', `${type}.json`)) as Record<
        string,
        { paletteLabel: string }
      >;
      page.should.containEql(`**${texts[type]?.paletteLabel ?? type}**`);
    }
  });

  it('the page on outputs lists every reason why a request expired', () => {
    const reasons = declaredIn(read('nodes', 'lib', 'approval', 'outcome.ts'), 'ExpiryReason');
    const page = read('docs', 'which-output.md');
    for (const reason of reasons) page.should.containEql(`| \`${reason}\``);
  });

  it('every link and picture between the documents leads somewhere', () => {
    const documents = [
      'README.md',
      'SECURITY.md',
      'CONTRIBUTING.md',
      'CHANGELOG.md',
      'nodes/simulator/README.md',
      ...pages,
      ...pages.flatMap(detailsOf),
    ];
    for (const document of documents) {
      for (const [, target = ''] of read(document).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const place = file === '' ? document : path.posix.join(path.posix.dirname(document), file);
        existsSync(path.join(root, place)).should.be.true(`${document} links to ${target}`);
        if (anchor) anchorsOf(read(place)).includes(anchor).should.be.true(`${document} links to ${target}`);
      }
    }
  });

  it('every page that the code, its texts and the examples name is there', () => {
    const named = ['nodes', 'locales', 'examples', 'scripts', 'test']
      .flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && /\.(ts|mjs|html|json)$/.test(entry.name))
      .flatMap((entry) => {
        const file = path.join(entry.parentPath, entry.name);
        const addresses = readFileSync(file, 'utf8').matchAll(/\bdocs\/[\w/-]+\.md(?:#([\w-]+))?/g);
        return [...addresses].map(([address, anchor]) => ({ file, address, anchor }));
      });
    named.length.should.be.above(10);
    for (const { file, address, anchor } of named) {
      const [page = ''] = address.split('#');
      existsSync(path.join(root, page)).should.be.true(`${file} names ${address}`);
      if (anchor) anchorsOf(read(page)).includes(anchor).should.be.true(`${file} names ${address}`);
    }
  });

  it('the account panel links to headings of the page on addresses', () => {
    const panel = read('nodes', 'authy-account-editor.html');
    panel.should.containEql('/blob/main/docs/https.md');
    const anchors = [...panel.matchAll(/, facts\), '#([a-z-]+)'\]/g)].map(([, anchor = '']) => anchor);
    anchors.length.should.be.above(20);
    for (const anchor of anchors) anchorsOf(read('docs', 'https.md')).should.containEql(anchor);
  });

  it('every page is linked from the README or SECURITY.md, and every example and its picture from the page of examples', () => {
    const start = read('README.md') + read('SECURITY.md');
    for (const page of pages) {
      start.should.containEql(`](${page}`);
      for (const detail of detailsOf(page)) {
        read(page).should.containEql(`](${path.posix.relative('docs', detail)}`);
      }
    }
    const shown = read('docs', 'examples.md');
    for (const file of readdirSync(path.join(root, 'examples'))) {
      const name = path.basename(file, '.json');
      const title = titleOf(name);
      const [number = ''] = name.split(' ');
      shown.should.match(new RegExp(`^\\| ${number} +\\| \\[${title.replace(/[()]/g, '\\$&')}\\]`, 'm'));
      shown.should.containEql(`## ${title}\n`);
      shown.should.containEql(`](pictures/${pictureOf(name)}.png)`);
    }
  });

  it('every picture is shown', () => {
    const documents = ['README.md', ...pages].map((page) => read(page)).join('');
    for (const file of readdirSync(path.join(root, 'docs', 'pictures'))) {
      documents.should.containEql(`pictures/${file})`);
    }
  });

  for (const file of readdirSync(path.join(root, 'examples'))) {
    it(`${file}: no function node, no credentials, and a comment that says what to do`, () => {
      const nodes = JSON.parse(read('examples', file)) as { type: string; credentials?: unknown }[];
      should(nodes.filter(({ type }) => type === 'function')).eql([]);
      should(nodes.filter(({ credentials }) => credentials !== undefined)).eql([]);
      nodes.some(({ type }) => type === 'comment').should.be.true();
    });
  }

  it('the examples are numbered without a gap, so that the dialog lists them in the order of the page', () => {
    const numbers = [...examples().keys()].sort().map((name) => name.split(' ')[0]);
    numbers.should.deepEqual(numbers.map((_number, index) => String(index + 1).padStart(2, '0')));
    for (const [name, nodes] of examples()) {
      should(nodes.find(({ type }) => type === 'tab')).have.property('label', titleOf(name));
    }
  });

  it('every page of an example has a style, in light and dark, that needs nothing from elsewhere; small pages the same', () => {
    const pages = [...examples().values()]
      .flat()
      .flatMap(({ type, template }) => (type === 'template' ? [String(template)] : []))
      .filter((template) => template.startsWith('<!doctype html>'));
    pages.length.should.be.above(10);
    const styles = pages.map((page) => {
      page.should.not.match(/<link[^>]*stylesheet|@import|src="http/);
      page.should.containEql('name="viewport"');
      const [, style = ''] = /<style>(.*?)<\/style>/s.exec(page) ?? [];
      style.should.containEql('@media (prefers-color-scheme: dark)');
      return { style, hasScript: page.includes('<script>') };
    });
    new Set(styles.flatMap(({ style, hasScript }) => (hasScript ? [] : [style]))).size.should.equal(1);
  });

  it('each of our nodes in an example has every setting, of this version', () => {
    let checked = 0;
    for (const [name, nodes] of examples()) {
      for (const { id, type, ...settings } of nodes.filter(({ type }) => types.includes(type))) {
        const { defaults } = panelOf(type).definition;
        const missing = Object.keys(defaults).filter((property) => !(property in settings));
        should(missing).deepEqual([], `${name}: ${type} ${id}`);
        checked += 1;
      }
    }
    should(checked).be.above(50);
  });

  it('text typed into a form of an example is trimmed where the flow reads it', () => {
    const taken = [...examples().values()].flatMap((nodes) => {
      const pages = nodes.map(({ template }) => (typeof template === 'string' ? template : '')).join('\n');
      const fields = [...pages.matchAll(/<input [^>]*\bname="(\w+)"/g)].map(([, field]) => field ?? '');
      return behindForms(nodes)
        .flatMap((node) => (node['rules'] as { to?: string }[] | undefined) ?? [])
        .flatMap(({ to = '' }) => {
          const field = fields.find((name) => new RegExp(`\\bpayload\\.${name}\\b`).test(to));
          return field === undefined ? [] : [{ to, trimmed: `$trim($string(payload.${field}))` }];
        });
    });
    taken.length.should.be.above(5);
    for (const { to, trimmed } of taken) to.should.containEql(trimmed);
  });

  it('no two examples answer at the same address: all can run side by side', () => {
    const addresses = readdirSync(path.join(root, 'examples')).flatMap((file) =>
      (JSON.parse(read('examples', file)) as { type: string; method?: string; url?: string }[])
        .filter(({ type }) => type === 'http in')
        .map(({ method, url }) => `${method ?? ''} ${url ?? ''}`),
    );
    addresses.length.should.be.above(20);
    addresses.should.have.length(new Set(addresses).size);
    const pages = [...examples().values()]
      .flat()
      .filter(({ service }) => service === 'local')
      .map(({ approverPath }) => approverPath);
    pages.length.should.be.above(4);
    pages.should.have.length(new Set(pages).size);
  });

  it('a simulated account of an example sends its callbacks to a path of that example, or sends none', () => {
    const paths = [...examples().values()].flatMap((nodes) => {
      const own = nodes.filter(({ type, method }) => type === 'http in' && method === 'post');
      return nodes.flatMap(({ callbackUrl = '' }) => {
        if (callbackUrl !== '') own.map(({ url }) => url).should.containEql(callbackUrl);
        return callbackUrl === '' ? [] : [callbackUrl];
      });
    });
    paths.length.should.be.above(2);
  });
});
