import fc from 'fast-check';
import should from 'should';
import { type CallbackRequest, type CallbackVerdict } from '../../nodes/lib/contract/service';
import { verifyCallback } from '../../nodes/lib/services/authy/callback/callback';
import { canonicalParams, type Params } from '../../nodes/lib/services/authy/callback/signature';
import { cases } from '../support/runs';
import {
  callbackAnswer,
  callbackKey,
  callbackModes,
  callbackNonce,
  callbackUrl,
  carried,
  signedCallback,
} from '../support/signed_callback';
import { trees } from '../support/trees';

const rules = { apiKeys: [callbackKey], maxSize: 1024 * 1024 };

const verdictOf = (request: CallbackRequest): CallbackVerdict => verifyCallback(request, rules);

function reasonOf(request: CallbackRequest): string {
  const verdict = verdictOf(request);
  return verdict.accepted ? 'accepted' : verdict.reason;
}

/** Random names, and names that have caused trouble elsewhere. None of them spells a path. */
const name = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      'length',
      '12',
      '0',
      'a&b=c',
      'x y',
      'é',
      '%5B',
      'a]',
      '[a',
    ),
  )
  .filter((text) => text !== '' && !text.includes(']['));

/** A name at the top level, where a bracket would begin a path. */
const topName = name.filter((text) => !text.includes('['));

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    ' ',
    'a+b',
    'pay [1]',
    'null',
    'true',
    '1.0',
    '"1.0"',
    '\\',
    '\u0000',
    '😀',
    '\ufffd',
    'a|b',
    'x&status=denied',
  ),
);

const scalar = fc.oneof(
  text,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
);

const { tree } = trees(name, scalar, { maxDepth: 5, maxKeys: 5, maxLength: 4 });

/** The names of the members that every answer has. */
const fixedNames = Object.keys(callbackAnswer());

/** A complete callback with random additional members. */
const callback = fc
  .tuple(
    fc.constantFrom('approved' as const, 'denied' as const),
    fc.dictionary(
      topName.filter((key) => !fixedNames.includes(key)),
      tree,
      { maxKeys: 5 },
    ),
    fc.dictionary(name, tree, { maxKeys: 5 }),
  )
  .map(([status, added, details]): Params => {
    const answer = callbackAnswer(status, added);
    return { ...answer, approval_request: { transaction: { status, message: 'Open?', details } } };
  });

const sent = (params: Params): Params => JSON.parse(JSON.stringify(params)) as Params;

describe('Attack: a signed callback with any content', function () {
  this.timeout(0);

  for (const mode of ['raw', 'parsed'] as const) {
    it(`${mode}: a callback signed by the simulator is accepted, and read as it was sent`, () => {
      fc.assert(
        fc.property(callback, (params) => {
          const verdict = verdictOf(signedCallback(params, mode));
          should(verdict).have.property('accepted', true);
          if (!verdict.accepted) return;
          should(verdict.answer.decision).equal(params['status']);
          should(verdict.answer.body).eql(sent(params));
        }),
        cases(2000),
      );
    });
  }

  it('get: it is accepted with the signed decision, or refused if a name has two meanings', () => {
    let accepted = 0;
    fc.assert(
      fc.property(callback, (params) => {
        const request = signedCallback(params, 'get');
        const verdict = verdictOf(request);
        if (!verdict.accepted) {
          // A query has no types: so lists of lists, and lists of different objects, can become ambiguous.
          ['tooComplex', 'unreadableBody'].should.containEql(verdict.reason);
          return;
        }
        accepted += 1;
        should(verdict.answer.decision).equal(params['status']);
        should(verdict.answer.authyId).equal('209');
        // A proxy may rewrite the query in another order.
        const rewritten = request.query.split('&').reverse().join('&');
        should(['accepted', 'signatureMismatch', 'tooComplex']).containEql(
          reasonOf({ ...request, query: rewritten }),
        );
      }),
      cases(2000),
    );
    accepted.should.be.above(0);
  });

  it('get: names and texts are read as they were sent', () => {
    const flat = fc.dictionary(name, text, { maxKeys: 5 });
    fc.assert(
      fc.property(flat, (details) => {
        const transaction = { status: 'approved', message: 'Open?', details };
        const params = callbackAnswer('approved', { approval_request: { transaction } });
        const withDetails = { ...params, approval_request: { transaction } };
        const verdict = verdictOf(signedCallback(withDetails, 'get'));
        should(verdict).have.property('accepted', true);
        if (!verdict.accepted) return;
        const { approval_request: request } = verdict.answer.body as {
          approval_request: { transaction: { details?: object } };
        };
        const came = Object.entries(request.transaction.details ?? {});
        should(new Map(came)).eql(new Map(Object.entries(details)));
      }),
      cases(2000),
    );
  });

  it('numbers as other languages write them are accepted raw; parsed, they are rejected if their text is lost', () => {
    const digits = (length: number): fc.Arbitrary<string> =>
      fc.stringMatching(new RegExp(`^[1-9][0-9]{0,${length}}$`));
    const literal = fc.oneof(
      digits(24),
      fc.tuple(digits(5), digits(5)).map(([whole, part]) => `${whole}.${part}0`),
      fc.tuple(digits(1), fc.integer({ min: 0, max: 300 })).map(([d, e]) => `-${d}.0e+${e}`),
      fc.constantFrom('1.0', '-0', '0.0', '1E5', '9007199254740993', '0.1', '17'),
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(literal, { minLength: 1, maxLength: 4 }), (literals) => {
        const marks = literals.map((_, index) => `@${index}@`);
        const json = literals.reduce(
          (body, written, index) => body.replace(`"@${index}@"`, written),
          JSON.stringify(callbackAnswer('approved', { amounts: marks })),
        );
        // The signature covers the numbers as they are written.
        const signed = callbackAnswer('approved', { amounts: literals });
        const request = signedCallback(signed, 'raw');
        should(reasonOf({ ...request, body: Buffer.from(json) })).equal('accepted');
        const reason = reasonOf({ ...request, body: JSON.parse(json) as unknown });
        const isKept = literals.every((written) => String(Number(written)) === written);
        // After parsing, 1.0 cannot be told from 1.
        const leavesTrace = literals.some((written) => !Number.isSafeInteger(Number(written)));
        should(reason).equal(isKept ? 'accepted' : leavesTrace ? 'numbersLost' : 'signatureMismatch');
        seen.add(reason);
      }),
      cases(2000),
    );
    [...seen].sort().should.eql(['accepted', 'numbersLost', 'signatureMismatch']);
  });
});

/** Every place in a tree that can be changed: the object or list, and the name or index in it. */
function placesOf(params: object): { holder: Record<string, unknown>; key: string }[] {
  return Object.entries(params).flatMap(([key, value]) => [
    { holder: params as Record<string, unknown>, key },
    ...(typeof value === 'object' && value !== null ? placesOf(value as object) : []),
  ]);
}

/** One change in a callback. Some changes leave the signed text as it is; {@link meaning} recognises these. */
const change = fc.record({
  what: fc.constantFrom('value', 'name', 'remove', 'add', 'structure'),
  where: fc.nat(),
  name: topName,
  value: fc.oneof(scalar, fc.constantFrom('approved', 'denied', '210')),
});

type Change = typeof change extends fc.Arbitrary<infer C> ? C : never;

function changed(params: Params, { what, where, name: newName, value }: Change): Params {
  const copy = structuredClone(sent(params));
  const places = placesOf(copy);
  const place = places[where % places.length];
  if (place === undefined) return copy;
  const { holder, key } = place;
  const old = holder[key];
  const define = (object: object, member: string, content: unknown): void => {
    Object.defineProperty(object, member, {
      value: content,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  };
  switch (what) {
    case 'value':
      define(holder, key, value);
      break;
    case 'name':
      if (!Array.isArray(holder)) {
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
        delete holder[key];
        define(holder, newName, old);
      }
      break;
    case 'remove':
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
      else delete holder[key];
      break;
    case 'add':
      if (Array.isArray(holder)) holder.push(value);
      else define(holder, newName, value);
      break;
    case 'structure':
      // a: {b: 1} becomes "a[b]": 1, which has the same signature.
      if (typeof old === 'object' && old !== null && !Array.isArray(old) && !Array.isArray(holder)) {
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
        delete holder[key];
        const inside = holder === copy ? ['[', ']'] : ['][', ''];
        for (const [member, content] of Object.entries(old)) {
          define(holder, `${key}${inside[0] ?? ''}${member}${inside[1] ?? ''}`, content);
        }
      }
  }
  return copy;
}

type Scalar = string | number | boolean;

/**
 * Every text in a callback and its place. Authy's signature covers just that: not the type of a value, not what is
 * empty, and not how the elements of a list in a list, or the members of the objects in a list, are grouped.
 */
function meaning(value: unknown, path: readonly (string | number)[] = []): [path: string, text: string][] {
  if (Array.isArray(value)) {
    // An empty list inside another list is signed as a null.
    const elements: unknown[] = value.length === 0 && path.at(-1) === 0 ? [null] : value;
    return elements.flatMap((element) => meaning(element, [...path, 0]));
  }
  if (typeof value !== 'object' || value === null)
    return [[JSON.stringify(path), `${(value as Scalar | null) ?? ''}`]];
  const texts = Object.entries(value).flatMap(([key, content]) => meaning(content, [...path, key]));
  return texts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

describe('Attack: a signed callback is refused after any single change', function () {
  this.timeout(0);
  const mode = fc.constantFrom(...callbackModes);
  const refused = [
    'signatureMismatch',
    'noSignature',
    'noNonce',
    'method',
    'numbersLost',
    'tooComplex',
    'unreadableBody',
  ];

  function isRefused(request: CallbackRequest, apiKeys: readonly string[] = rules.apiKeys): void {
    const verdict = verifyCallback(request, { ...rules, apiKeys });
    should(verdict).have.property('accepted', false);
    if (!verdict.accepted) refused.should.containEql(verdict.reason);
  }

  it('of the nonce', () => {
    const nonce = fc.oneof(
      fc.stringMatching(/^[0-9]{1,15}$/),
      fc.constantFrom(
        `${callbackNonce}.0`,
        `0${callbackNonce}`,
        ` ${callbackNonce}`,
        `${callbackNonce}|POST`,
        '1700000001',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(
        callback,
        mode,
        nonce.filter((other) => other !== callbackNonce),
        (params, as, other) => {
          const request = signedCallback(params, as);
          isRefused({ ...request, headers: { ...request.headers, 'x-authy-signature-nonce': other } });
        },
      ),
      cases(1000),
    );
  });

  it('of the method', () => {
    const method = fc.oneof(
      fc.constantFrom('GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(callback, mode, method, (params, as, other) => {
        const request = signedCallback(params, as);
        if (other.toUpperCase() === request.method) return;
        // The signed parameters are in both places, wherever the other method looks for them.
        isRefused({
          ...request,
          method: other,
          query: canonicalParams(params),
          body: carried(params, 'raw').body,
        });
      }),
      cases(1000),
    );
  });

  it('of the address', () => {
    const url = fc.oneof(
      fc.constantFrom(
        callbackUrl.replace('https', 'http'),
        `${callbackUrl}/`,
        `${callbackUrl}?`,
        callbackUrl.toUpperCase(),
        callbackUrl.replace('.example', '.example:443'),
        '',
      ),
      fc
        .tuple(fc.nat(callbackUrl.length - 1), fc.string({ maxLength: 3 }))
        .map(([at, other]) => callbackUrl.slice(0, at) + other + callbackUrl.slice(at + 1)),
    );
    fc.assert(
      fc.property(
        callback,
        mode,
        url.filter((other) => other !== callbackUrl),
        (params, as, other) => isRefused({ ...signedCallback(params, as), url: other }),
      ),
      cases(1000),
    );
  });

  it('of the key', () => {
    const keys = fc.array(
      fc
        .oneof(fc.string(), fc.constantFrom('', 'the-ke', 'the-key ', 'THE-KEY', 'the-key\u0000x'))
        .filter((key) => key !== callbackKey),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(callback, mode, keys, (params, as, other) => {
        const verdict = verifyCallback(signedCallback(params, as), { ...rules, apiKeys: other });
        should(verdict).have.property('accepted', false);
      }),
      cases(1000),
    );
  });

  it('of the signature', () => {
    const character = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=');
    fc.assert(
      fc.property(
        callback,
        mode,
        fc.nat(43),
        fc.constantFrom(...character),
        fc.string(),
        (params, as, at, one, any) => {
          const request = signedCallback(params, as);
          const signed = String(request.headers['x-authy-signature']);
          for (const other of [
            signed.slice(0, at) + one + signed.slice(at + 1),
            any,
            signed + any,
            signed.slice(0, at),
          ]) {
            if (other === signed) continue;
            isRefused({ ...request, headers: { ...request.headers, 'x-authy-signature': other } });
          }
        },
      ),
      cases(1000),
    );
  });

  it('of a name, a value or the structure, unless the change is not visible to a flow', () => {
    const tried = { refused: 0, same: 0 };
    fc.assert(
      fc.property(callback, mode, change, (params, as, one) => {
        const forged = changed(params, one);
        const verdict = verdictOf({ ...signedCallback(params, as), ...carried(forged, as) });
        if (!verdict.accepted) {
          refused.should.containEql(verdict.reason);
          tried.refused += 1;
          return;
        }
        // Accepted: so the change must not be visible to a flow.
        tried.same += 1;
        const original = as === 'get' ? verdictOf(signedCallback(params, as)) : undefined;
        const before = original?.accepted ? original.answer.body : params;
        should(meaning(verdict.answer.body)).eql(meaning(before));
      }),
      cases(2000),
    );
    tried.refused.should.be.above(tried.same);
  });
});

describe('Attack: a random request instead of a callback', function () {
  this.timeout(0);

  it('is rejected with a reason; it is never accepted and never causes an exception', () => {
    const request = fc.record({
      method: fc.oneof(fc.constantFrom('GET', 'POST'), fc.string()),
      headers: fc.dictionary(
        fc.oneof(
          fc.constantFrom('x-authy-signature', 'x-authy-signature-nonce', 'content-type', 'content-encoding'),
          fc.string(),
        ),
        fc.oneof(
          fc.constantFrom(
            `${'A'.repeat(43)}=`,
            callbackNonce,
            'application/x-www-form-urlencoded',
            'application/json',
          ),
          fc.anything(),
        ),
      ),
      url: fc.string(),
      query: fc.oneof(fc.string(), fc.webQueryParameters(), fc.json()),
      body: fc.oneof(
        fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }),
        fc.json(),
        fc.webQueryParameters(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.json().map((json) => Buffer.from(json)),
      ),
    });
    const seen = new Set<string>();
    fc.assert(
      fc.property(request, fc.boolean(), (made, isSigned) => {
        const headers = isSigned
          ? {
              ...made.headers,
              'x-authy-signature': `${'A'.repeat(43)}=`,
              'x-authy-signature-nonce': callbackNonce,
            }
          : made.headers;
        const reason = reasonOf({ ...made, headers });
        reason.should.not.equal('accepted');
        seen.add(reason);
      }),
      cases(5000),
    );
    seen.size.should.be.above(3);
  });
});
