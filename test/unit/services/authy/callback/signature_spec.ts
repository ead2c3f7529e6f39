import { createHash } from 'node:crypto';
import { signaturesMatch } from '../../../../../nodes/lib/contract/signed-requests';
import { parseQuery } from '../../../../../nodes/lib/services/authy/callback/query';
import {
  canonicalParams,
  signature,
  type Params,
} from '../../../../../nodes/lib/services/authy/callback/signature';
import { type NegativeVector, vectors } from '../../../../support/vectors';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A body is JSON, or the raw query string of a GET. */
const paramsOf = (vector: NegativeVector): Params =>
  vector.body.startsWith('{') ? (JSON.parse(vector.body) as Params) : parseQuery(vector.body);

const signatureOf = (vector: NegativeVector, params = paramsOf(vector)): string =>
  signature({ apiKey: vector.key, nonce: vector.nonce, method: vector.method, url: vector.url, params });

describe('OneTouch signature', () => {
  describe('published callbacks', () => {
    for (const vector of vectors.published) {
      it(`${vector.id}: the canonical string equals that of the reference`, () => {
        sha256(canonicalParams(paramsOf(vector))).should.equal(vector.canonical_sha256);
      });

      if (vector.valid_with_params) {
        it(`${vector.id}: verifies (${vector.source})`, () => {
          signatureOf(vector).should.equal(vector.signature);
        });
      } else {
        it(`${vector.id}: does not verify as published, but with its corrected value (${vector.source})`, () => {
          signatureOf(vector).should.not.equal(vector.signature);
          signatureOf(vector).should.equal(vector.signature_with_params);
          signatureOf(vector, {}).should.equal(vector.signature);
        });
      }

      if (vector.method === 'GET' && !vector.body.startsWith('{')) {
        it(`${vector.id}: the query string as received is already the canonical string`, () => {
          canonicalParams(parseQuery(vector.body)).should.equal(vector.body);
        });
      }
    }

    for (const vector of vectors.negative) {
      it(`${vector.id}: does not verify (${vector.source})`, () => {
        signaturesMatch(vector.signature, signatureOf(vector)).should.be.false();
      });
    }
  });

  describe('canonical parameter string', () => {
    for (const vector of vectors.canonical) {
      it(vector.n, () => {
        canonicalParams(vector.params).should.equal(vector.canonical);
        signature({ ...vector, apiKey: vector.key }).should.equal(vector.signature);
      });
    }

    // Output of ActiveSupport 6.1.7.10, `Hash#to_query`.
    const rails: [name: string, params: Params, canonical: string][] = [
      ['an object of empty objects leaves only its separator', { a: { b: {} }, c: 1 }, '&c=1'],
      ['an empty array in an array is a null', { a: [[]], b: 1 }, 'a%5B%5D%5B%5D=&b=1'],
      ['an empty object in an array is nothing', { a: [{}, { x: 1 }] }, '&a%5B%5D%5Bx%5D=1'],
      [
        'members below an array keep their order, however deep',
        { a: [{ z: 1, b: { y: 1, c: 2 } }] },
        'a%5B%5D%5Bz%5D=1&a%5B%5D%5Bb%5D%5By%5D=1&a%5B%5D%5Bb%5D%5Bc%5D=2',
      ],
      ['brackets in a name are encoded', { 'a b': { 'c[d]': 1 } }, 'a+b%5Bc%5Bd%5D%5D=1'],
      [
        'a name that spells a path is written like the path',
        { a: { b: 1 }, 'a[b]': 0 },
        'a%5Bb%5D=0&a%5Bb%5D=1',
      ],
      [
        'a member called [] stops the sorting',
        { x: { '[]': { b: 1, a: 2 } } },
        'x%5B%5B%5D%5D%5Bb%5D=1&x%5B%5B%5D%5D%5Ba%5D=2',
      ],
      [
        'names sort by their encoded bytes',
        { é: 1, z: 2, '😀': 3, '\uFFFD': 4 },
        '%C3%A9=1&%EF%BF%BD=4&%F0%9F%98%80=3&z=2',
      ],
    ];
    for (const [name, params, canonical] of rails) {
      it(name, () => canonicalParams(params).should.equal(canonical));
    }

    it('differs for two texts that differ only in a number in brackets', () => {
      canonicalParams({ message: 'pay [1]' }).should.not.equal(canonicalParams({ message: 'pay [2]' }));
    });
  });

  it('signs the method in upper case, whatever case it was given in', () => {
    const request = { apiKey: 'k', nonce: '1', url: 'https://x.example/', params: { a: 1 } };
    signature({ ...request, method: 'post' }).should.equal(signature({ ...request, method: 'POST' }));
  });

  it('compares signatures of any length', () => {
    signaturesMatch('', '').should.be.true();
    signaturesMatch('abc', 'abcd').should.be.false();
    signaturesMatch('ä', 'a').should.be.false();
  });
});
