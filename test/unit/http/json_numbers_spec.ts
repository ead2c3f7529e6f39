import fc from 'fast-check';
import should from 'should';
import { hasPlainMembers, parseExact, withNumbersAsText } from '../../../nodes/lib/contract/json-numbers';
import { cases } from '../../support/runs';

const plain = ['0', '7', '-1', '209', '1700000000', '123456789012345', '-999999999999999'];
const odd = ['-0', '1.0', '0.0', '1e3', '1E5', '1e+3', '-1.50', '9007199254740993', '1e400'];

/** Texts with a number in different places. */
const wraps = [
  (literal: string) => `{"a":${literal}}`,
  (literal: string) => `{"a":{"b":[1, ${literal} ,"x"]},"c":"5"}`,
  (literal: string) => `{ "a" :\n[${literal}]\n}`,
  (literal: string) => literal,
];

describe('Numbers of a JSON text', () => {
  it('are plain if JavaScript would write them in the same way', () => {
    for (const literal of plain) {
      for (const json of [`{"a":${literal}}`, `{"a" :\n\t ${literal} , "b":{"c":${literal}}}`]) {
        hasPlainMembers(json).should.be.true();
        withNumbersAsText(json).should.equal(json);
      }
    }
    hasPlainMembers('{}').should.be.true();
    hasPlainMembers('{"a":"1.0","b":"x:y","c":null,"d":[true],"e":"at 12:30:00"}').should.be.true();
  });

  it('are not plain if JavaScript would write them in another way', () => {
    for (const literal of odd) {
      for (const json of [
        `{"a":${literal}}`,
        `{"b":1,"a": \r\n${literal}\n}`,
        `{"b":{"c":[{"d":${literal}}]}}`,
      ]) {
        hasPlainMembers(json).should.be.false();
        withNumbersAsText(json).should.equal(json.replace(literal, `"${literal}"`));
      }
    }
    // The check may say no for a plain text, but never yes for another.
    hasPlainMembers('{"a":1234567890123456}').should.be.false();
    hasPlainMembers('{"a":"sum: 1.50"}').should.be.false();
  });

  it('in quotes stay text', () => {
    for (const json of ['{"a":"1.0"}', '{"a":"\\":1.0"}', '{"a\\\\":"1e3, 1.0"}', '{"1.0":"x"}']) {
      withNumbersAsText(json).should.equal(json);
    }
    withNumbersAsText('{"a":[1.0,2,"3.0"],"b\\"":1e3}').should.equal('{"a":["1.0",2,"3.0"],"b\\"":"1e3"}');
  });

  it('are read as numbers if JavaScript can represent them, and otherwise as the text that was sent', () => {
    for (const literal of [
      ...plain,
      ...['1.0', '0.0', '1e3', '1E5', '1e+3', '-1.50', '0.1', '1e300', '5e-324'],
    ]) {
      for (const wrap of wraps) should(parseExact(wrap(literal))).eql(JSON.parse(wrap(literal)));
    }
    should(parseExact('{"a":9007199254740992}')).eql({ a: 9007199254740992 });
    should(Object.is((parseExact('{"a":-0}') as { a: number }).a, -0)).be.true();
    const rounded = ['9007199254740993', '-9007199254740993', '12345678901234567890', '1e400', '-1e-400'];
    const long = [
      '0.1000000000000000055511151231257827',
      '1.00000000000000000001',
      `1${'0'.repeat(60_000)}1`,
    ];
    const verySmall = `1.${'0'.repeat(60_000)}1`;
    for (const literal of [...rounded, ...long, verySmall]) {
      for (const wrap of wraps) should(parseExact(wrap(literal))).eql(JSON.parse(wrap(`"${literal}"`)));
    }
    should(() => parseExact('{"a":')).throw(SyntaxError);
    should(parseExact('{"a":"9007199254740993","b":"x 1e400, 9007199254740993"}')).eql({
      a: '9007199254740993',
      b: 'x 1e400, 9007199254740993',
    });
  });

  it('are read as by JSON.parse if there is nothing to round', () => {
    const value = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.maxSafeInteger(),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(value, fc.array(value))), (tree) => {
        const json = JSON.stringify(tree);
        should(parseExact(json)).eql(JSON.parse(json));
      }),
      cases(5000),
    );
  });

  it('of any size keep the value that was sent', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (number) => {
        const { a } = parseExact(`{"a":${number}}`) as { a: number | string };
        should(BigInt(a)).equal(number);
      }),
      cases(5000),
    );
  });

  it('are never called plain if one of them would be put into quotes, except in lists', () => {
    const name = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom('a":1.0', '\\', ':', '😀'));
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(...plain, ...odd),
        fc.oneof(fc.string(), name).map((text) => JSON.stringify(text)),
        fc
          .array(fc.tuple(name, tie('tree'), fc.constantFrom('', ' ', '\n  ')), { maxLength: 4 })
          .map(
            (pairs) =>
              `{${pairs.map(([key, value, space]) => `${space}${JSON.stringify(key)}${space}:${space}${value}`).join(',')}}`,
          ),
      ),
    }));
    const count = { plain: 0, odd: 0 };
    fc.assert(
      fc.property(tree, (value) => {
        const json = `{"x":${value}}`;
        should(() => JSON.parse(json) as unknown).not.throw();
        const isPlain = hasPlainMembers(json);
        count[isPlain ? 'plain' : 'odd'] += 1;
        if (isPlain) withNumbersAsText(json).should.equal(json);
      }),
      cases(10_000),
    );
    for (const some of Object.values(count)) some.should.be.above(500);
  });
});
