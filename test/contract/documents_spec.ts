import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';

const root = path.join(__dirname, '..', '..');
const read = (...names: string[]): string => readFileSync(path.join(root, ...names), 'utf8');

describe('contract: documents and examples', () => {
  it('the README lists every error code', () => {
    const codes = [...read('nodes', 'lib', 'authy', 'errors.ts').matchAll(/\| '(AUTHY_\w+)'/g)];
    codes.length.should.be.above(20);
    const readme = read('README.md');
    for (const [, code] of codes) readme.should.containEql(`\`${code ?? ''}\``);
  });

  for (const file of readdirSync(path.join(root, 'examples'))) {
    it(`${file}: no function node, no credentials, and a comment that says what to do`, () => {
      const nodes = JSON.parse(read('examples', file)) as { type: string; credentials?: unknown }[];
      should(nodes.filter(({ type }) => type === 'function')).eql([]);
      should(nodes.filter(({ credentials }) => credentials !== undefined)).eql([]);
      nodes.some(({ type }) => type === 'comment').should.be.true();
    });
  }

  it('no two examples answer at the same address: all can run side by side', () => {
    const addresses = readdirSync(path.join(root, 'examples')).flatMap((file) =>
      (JSON.parse(read('examples', file)) as { type: string; method?: string; url?: string }[])
        .filter(({ type }) => type === 'http in')
        .map(({ method, url }) => `${method ?? ''} ${url ?? ''}`),
    );
    addresses.length.should.be.above(20);
    addresses.should.have.length(new Set(addresses).size);
  });
});
