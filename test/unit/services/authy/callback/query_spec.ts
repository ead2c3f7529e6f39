import should from 'should';
import { parseQuery } from '../../../../../nodes/lib/services/authy/callback/query';

describe('Query parsing', () => {
  const plain = (text: string): unknown => JSON.parse(JSON.stringify(parseQuery(text)));

  it('nests names and collects lists as Rack does', () => {
    should(plain('a=1&b[c]=2&b[d][e]=3&f[]=4&f[]=5')).eql({
      a: '1',
      b: { c: '2', d: { e: '3' } },
      f: ['4', '5'],
    });
    should(plain('l[][res]=default&l[][url]=u1&l[][res]=low&l[][url]=u2')).eql({
      l: [
        { res: 'default', url: 'u1' },
        { res: 'low', url: 'u2' },
      ],
    });
    should(plain('d[12]=x&d[3]=y')).eql({ d: { 12: 'x', 3: 'y' } });
  });

  it('decodes plus and percent, and keeps what is not an escape', () => {
    should(plain('a+b=c%20d+e&x=%zz&%E2%9C%93=%F0%9F%98%80')).eql({ 'a b': 'c d e', x: '%zz', '✓': '😀' });
    should(plain('a&b=&&c==')).eql({ a: '', b: '', c: '=' });
  });

  it('treats __proto__ like any other name', () => {
    const parsed = parseQuery('__proto__[polluted]=1&constructor=2');
    Object.keys(parsed).should.eql(['__proto__', 'constructor']);
    should(({} as Record<string, unknown>)['polluted']).be.undefined();
  });

  it('refuses contradictions, deep nesting and too many parameters', () => {
    should(() => parseQuery('a=1&a[b]=2')).throw(/both a value and a container/);
    should(() => parseQuery('a[]=1&a[b]=2')).throw(/both a value and a container/);
    should(() => parseQuery(`a${'[b]'.repeat(40)}=1`)).throw(/nested deeper than 32/);
    should(() => parseQuery('a=1&'.repeat(2001))).throw(/more than 2000 parameters/);
  });
});
