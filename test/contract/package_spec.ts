import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import should from 'should';
import { parse } from 'node-html-parser';
import { filesOf, panelOf, read, root, types } from './panels';

interface ExampleNode {
  id: string;
  type: string;
  [property: string]: unknown;
}

/** What the editor itself keeps in a node of a flow. */
const editorProperties = [
  'id',
  'type',
  'z',
  'g',
  'd',
  'x',
  'y',
  'l',
  'info',
  'icon',
  'wires',
  'inputLabels',
  'outputLabels',
];

const examples = new Map(
  fs
    .readdirSync(path.join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .map((file) => [file, JSON.parse(read('examples', file)) as ExampleNode[]]),
);

describe('contract: examples', () => {
  it('use every node', () => {
    const used = new Set([...examples.values()].flat().map(({ type }) => type));
    should(types.filter((type) => !used.has(type))).deepEqual([], 'types that no example uses');
  });

  for (const [file, nodes] of examples) {
    it(`${file}: its nodes have the properties of their panels, and no others`, () => {
      for (const node of nodes.filter(({ type }) => types.includes(type))) {
        const properties = Object.keys(panelOf(node.type).definition.defaults);
        const present = Object.keys(node).filter((name) => !editorProperties.includes(name));
        should(present.sort()).deepEqual(properties.sort(), `${node.type} ${node.id}`);
      }
    });
  }

  it('ask people at paths that neither another example nor a new account has', () => {
    const { defaults } = panelOf('authy-config').definition as {
      defaults: Record<string, { value: unknown }>;
    };
    const asking = [...examples.values()]
      .flat()
      .filter(({ type, service }) => type === 'authy-config' && service === 'local');
    const paths = [defaults['approverPath']?.value, ...asking.map(({ approverPath }) => approverPath)];
    should(paths).have.length(new Set(paths).size);
    should(paths.length).be.above(5);
    const served = [...examples.values()]
      .flat()
      .flatMap(({ type, url }) => (type === 'http in' ? [url] : []));
    const hidden = served.filter((url) =>
      paths.some((path) => `${String(url)}/`.startsWith(`${String(path)}/`)),
    );
    should(hidden).eql([]);
    should(served.length).be.above(5);
  });
});

describe('contract: icons', () => {
  for (const file of filesOf('icons', '.svg')) {
    it(`${file} is white on nothing, and two by three`, () => {
      const source = read('icons', file);
      const [svg, ...others] = parse(source).children;
      should(svg?.rawTagName).equal('svg');
      should(others).be.empty();
      should(svg?.attributes).deepEqual({
        xmlns: 'http://www.w3.org/2000/svg',
        width: '40',
        height: '60',
        viewBox: '0 0 40 60',
      });
      const shapes = svg?.querySelectorAll('*') ?? [];
      should(shapes).not.be.empty();
      should(
        shapes.map(({ rawTagName }) => rawTagName).filter((name) => !/^(?:g|circle|path|rect)$/.test(name)),
      ).be.empty();
      const paints = shapes.flatMap((shape) => [shape.getAttribute('fill'), shape.getAttribute('stroke')]);
      should([...new Set(paints)].filter((paint) => paint !== undefined && paint !== 'none')).deepEqual([
        '#fff',
      ]);
    });
  }
});

describe('contract: licences', () => {
  it('of all that is installed along are listed, and let everybody use it', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/licences.mjs', '--check'], {
      cwd: root,
      encoding: 'utf8',
    });
    should({ status, stderr }).eql({ status: 0, stderr: '' });
  });
});
