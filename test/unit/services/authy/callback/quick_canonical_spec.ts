import should from 'should';
import { outOfBounds } from '../../../../../nodes/lib/services/authy/callback/bounds';
import { quickCanonical } from '../../../../../nodes/lib/services/authy/callback/quick-canonical';
import { parseQuery } from '../../../../../nodes/lib/services/authy/callback/query';
import { canonicalParams, type Params } from '../../../../../nodes/lib/services/authy/callback/signature';
import { callbackAnswer } from '../../../../support/signed_callback';
import { vectors } from '../../../../support/vectors';

const kibibyte = 1024;

const written = (params: Params, maxSize = 64 * kibibyte): string | undefined => {
  const bytes = quickCanonical(params, maxSize);
  return bytes && Buffer.from(bytes).toString('latin1');
};

// test/attack/canonical_spec.ts compares this with the plain functions, on random trees.
describe('Canonical string of usual callbacks', () => {
  describe('is written for each published callback', () => {
    for (const { id, body } of vectors.published) {
      it(id, () => {
        const params = body.startsWith('{') ? (JSON.parse(body) as Params) : parseQuery(body);
        should(written(params)).equal(canonicalParams(params));
      });
    }
  });

  it('is written for texts in any language, labels with spaces, and lists of texts or objects', () => {
    for (const added of [
      { details: { Bank: 'Banco de Bogotá', 'Bank account': '№ 5', 'Où ?': '東京 😀' } },
      {
        logos: [
          { url: 'https://a.example/b?c=d&e', res: 'default' },
          { res: 'low', url: '' },
        ],
      },
      { enabled_unlock_methods: ['pin', 'fingerprint', null, true], empty: {}, none: [] },
      { amount: 1.5, much: 1e21, less: -1, big: 12345678901234567890n },
    ]) {
      const params = callbackAnswer('approved', added);
      should(written(params)).equal(canonicalParams(params));
    }
    should(written({})).equal('');
  });

  it('is not written if it would be ambiguous, or if the callback has to be refused', () => {
    for (const added of [
      { a: { b: {} } },
      { a: [{}] },
      { a: [[]] },
      { a: [['x']] },
      { a: [1] },
      { a: new Array(3) },
      { a: Object.assign(['x'], { b: 'y' }) },
      { 'a[b]': 1 },
      { a: { '[]': { c: 1, b: 2 } } },
      { a: { '': 1 } },
      { a: '\ud800' },
      { '\udc00': 1 },
      { a: 'é\ud800' },
      { device: 1, device1: 2 },
      { ['é'.repeat(50)]: 1 },
      { long: ' '.repeat(20_000) },
      { long: 'é'.repeat(3000) },
    ]) {
      should(written(callbackAnswer('approved', added))).be.undefined();
    }
  });

  it('has the same limits for members and characters as the bounds', () => {
    const names = (count: number, value: unknown): Params =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [(index + 360).toString(36), value]));
    // 30 objects of 65 members each, 30 more members, and an object of the rest.
    const wide = (count: number): Params => ({
      ...names(30, { ...names(63, {}), full: null }),
      more: { ...names(count - 30 * 65 - 31, []), ...names(1, 'text') },
      ...Object.fromEntries(Object.entries(names(30, null)).map(([key]) => [`x${key}`, null])),
    });
    should(outOfBounds(wide(2000), 64 * kibibyte)).be.undefined();
    should(written(wide(2000))).equal(canonicalParams(wide(2000)));
    should(outOfBounds(wide(2001), 64 * kibibyte)).have.property('reason', 'tooComplex');
    should(written(wide(2001))).be.undefined();
    const size = (params: Params): number => {
      let least = 0;
      while (outOfBounds(params, least) !== undefined) least += 1;
      return least;
    };
    for (const params of [
      callbackAnswer(),
      callbackAnswer('denied', { list: Array(10).fill('x'), é: ['é', { 'x y': '😀' }] }),
    ]) {
      const least = size(params);
      should(written(params, least)).be.a.String();
      should(written(params, least - 1)).be.undefined();
    }
  });
});

describe('Bounds of a callback', () => {
  const nested = (depth: number, inner: unknown): unknown =>
    depth === 0 ? inner : { x: nested(depth - 1, inner) };

  it('are 32 levels', () => {
    should(outOfBounds({ x: nested(31, {}) }, kibibyte)).be.undefined();
    should(outOfBounds({ x: nested(32, {}) }, kibibyte)).match({
      reason: 'tooComplex',
      detail: 'it is nested deeper than 32',
    });
    should(outOfBounds({ x: nested(32, 'text') }, kibibyte)).be.undefined();
  });

  it('are 2000 members, and as many characters as allowed', () => {
    const wide = (count: number): Params => ({ x: Array.from({ length: count - 1 }, () => null) });
    should(outOfBounds(wide(2000), 64 * kibibyte)).be.undefined();
    should(outOfBounds(wide(2001), 64 * kibibyte)).match({
      reason: 'tooComplex',
      detail: 'it has more than 2000 members',
    });
    should(outOfBounds({ name: 'x'.repeat(96) }, 100)).be.undefined();
    should(outOfBounds({ name: 'x'.repeat(97) }, 100)).match({
      reason: 'tooLarge',
      detail: 'it holds more than 100 bytes',
    });
  });

  it('give the reason that is found first', () => {
    const deep = nested(40, 1);
    should(outOfBounds({ a: '\ud800', deep }, 10)).have.property('reason', 'unreadableBody');
    should(outOfBounds({ long: 'x'.repeat(20), deep, a: '\ud800' }, 10)).have.property('reason', 'tooLarge');
    should(outOfBounds({ deep, a: '\ud800' }, 100)).have.property('reason', 'tooComplex');
  });
});
