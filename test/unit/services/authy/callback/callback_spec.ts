import should from 'should';
import { type CallbackRequest } from '../../../../../nodes/lib/contract/service';
import { verifyCallback } from '../../../../../nodes/lib/services/authy/callback/callback';
import { addressesOf } from '../../../../../nodes/lib/server/request-address';
import {
  canonicalParams,
  signature,
  type Params,
} from '../../../../../nodes/lib/services/authy/callback/signature';
import { vectors } from '../../../../support/vectors';

const rules = { apiKeys: ['the-key'], maxSize: 65_536 };
const url = 'https://nodered.example/authy/callback';

const answer = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  authy_id: 209,
  uuid: '4a725520-bff5-0135-eb01-0e5d90336a8c',
  status: 'approved',
  callback_action: 'approval_request_status',
  approval_request: { transaction: { status: 'approved', message: 'Open?', details: { Where: 'Home' } } },
  ...changes,
});

function signed(
  params: Params,
  changes: Partial<CallbackRequest> & { apiKey?: string } = {},
): CallbackRequest {
  const { apiKey = 'the-key', ...request } = changes;
  const method = request.method ?? 'POST';
  return {
    method,
    url,
    query: method === 'GET' ? canonicalParams(params) : '',
    body: method === 'GET' ? undefined : Buffer.from(JSON.stringify(params)),
    headers: {
      'x-authy-signature': signature({ apiKey, nonce: '1700000000', method, url, params }),
      'x-authy-signature-nonce': '1700000000',
    },
    ...request,
  };
}

function reasonOf(request: CallbackRequest, changed: Partial<typeof rules> = {}): string {
  const verdict = verifyCallback(request, { ...rules, ...changed });
  return verdict.accepted ? 'accepted' : verdict.reason;
}

describe('OneTouch callback', () => {
  describe('published callbacks, as complete requests', () => {
    for (const vector of vectors.published.filter(({ id }) => /^V[1-7]$|^V10$|^V14$/.test(id))) {
      it(`${vector.id} is accepted`, () => {
        const verdict = verifyCallback(
          {
            method: vector.method,
            url: vector.url,
            query: vector.method === 'GET' ? vector.body : '',
            body: Buffer.from(vector.body),
            headers: { 'x-authy-signature': vector.signature, 'x-authy-signature-nonce': vector.nonce },
          },
          { apiKeys: [vector.key], maxSize: 65_536 },
        );
        should(verdict).have.property('accepted', true);
      });
    }

    it('V11 is rejected: its status is approved inside and denied outside', () => {
      const vector = vectors.published.find(({ id }) => id === 'V11');
      should(vector).be.ok();
      if (vector === undefined) return;
      const headers = { 'x-authy-signature': vector.signature, 'x-authy-signature-nonce': vector.nonce };
      const request = { method: 'POST', url: vector.url, query: '', body: vector.body, headers };
      reasonOf(request, { apiKeys: [vector.key] }).should.equal('statusDisagrees');
    });
  });

  it('reads the decision and the user', () => {
    for (const method of ['POST', 'GET']) {
      const verdict = verifyCallback(signed(answer(), { method }), rules);
      should(verdict).have.property('accepted', true);
      if (!verdict.accepted) return;
      verdict.answer.decision.should.equal('approved');
      verdict.answer.authyId.should.equal('209');
      verdict.answer.approvalId.should.equal('4a725520-bff5-0135-eb01-0e5d90336a8c');
      verdict.answer.nonce.should.equal(1_700_000_000);
    }
  });

  it('accepts the body as bytes, as text, parsed, or as a form', () => {
    const params = answer();
    reasonOf(signed(params, { body: JSON.stringify(params) })).should.equal('accepted');
    reasonOf(signed(params, { body: params })).should.equal('accepted');
    const form = signed(params, { body: Buffer.from(canonicalParams(params)) });
    const headers = { ...form.headers, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
    reasonOf({ ...form, headers }).should.equal('accepted');
  });

  it('accepts a GET whose query was rewritten by a proxy', () => {
    const request = signed(answer(), { method: 'GET' });
    const rewritten = request.query
      .split('&')
      .reverse()
      .join('&')
      .replaceAll('%5B', '[')
      .replaceAll('%5D', ']');
    rewritten.should.not.equal(request.query);
    reasonOf({ ...request, query: rewritten }).should.equal('accepted');
  });

  it('accepts each of several keys, and no other', () => {
    const request = signed(answer(), { apiKey: 'previous' });
    reasonOf(request, { apiKeys: ['current', 'previous'] }).should.equal('accepted');
    reasonOf(request, { apiKeys: ['current'] }).should.equal('signatureMismatch');
    reasonOf(request, { apiKeys: [] }).should.equal('noApiKey');
  });

  it('rejects a callback if a header is missing or in the wrong format', () => {
    const request = signed(answer());
    const without = (name: string): CallbackRequest => ({
      ...request,
      headers: Object.fromEntries(Object.entries(request.headers).filter(([header]) => header !== name)),
    });
    reasonOf(without('x-authy-signature')).should.equal('noSignature');
    reasonOf(without('x-authy-signature-nonce')).should.equal('noNonce');
    for (const odd of [
      '',
      'Made-Up Authy Signature',
      ['x'],
      5,
      `${String(request.headers['x-authy-signature'])}, x`,
    ]) {
      reasonOf({ ...request, headers: { ...request.headers, 'x-authy-signature': odd } }).should.equal(
        'noSignature',
      );
    }
    for (const odd of ['', 'now', '1|POST', '1700000000 ', ['1'], 5]) {
      reasonOf({ ...request, headers: { ...request.headers, 'x-authy-signature-nonce': odd } }).should.equal(
        'noNonce',
      );
    }
    for (const method of ['PUT', 'HEAD', 'DELETE', 'PATCH', ''])
      reasonOf({ ...request, method }).should.equal('method');
  });

  it('rejects any change of the signed parts', () => {
    const request = signed(answer());
    const changed: CallbackRequest[] = [
      { ...request, url: 'http://nodered.example/authy/callback' },
      { ...request, url: `${url}/` },
      { ...request, headers: { ...request.headers, 'x-authy-signature-nonce': '1700000001' } },
      { ...request, body: Buffer.from(JSON.stringify(answer({ status: 'denied' }))) },
      { ...request, body: Buffer.from(JSON.stringify(answer({ extra: 1 }))) },
      { ...request, body: Buffer.from(JSON.stringify(answer({ authy_id: 210 }))) },
      { ...request, method: 'GET', query: canonicalParams(answer()) },
    ];
    for (const forged of changed) reasonOf(forged).should.equal('signatureMismatch');
  });

  it('rejects an answer that is incomplete or contradicts itself', () => {
    const inner = (status: unknown): object => ({ approval_request: { transaction: { status } } });
    for (const [changes, reason] of [
      [{ status: 'maybe' }, 'missingField'],
      [{ status: 'Approved' }, 'missingField'],
      [{ status: undefined }, 'missingField'],
      [{ status: ['approved'] }, 'missingField'],
      [{ uuid: undefined }, 'missingField'],
      [{ uuid: 'x/../y' }, 'missingField'],
      [{ authy_id: null }, 'missingField'],
      [{ authy_id: '12x' }, 'missingField'],
      [{ approval_request: {} }, 'missingField'],
      [inner('denied'), 'statusDisagrees'],
      [inner(true), 'statusDisagrees'],
      [{ status: 'denied' }, 'statusDisagrees'],
    ] as [Record<string, unknown>, string][]) {
      reasonOf(signed(JSON.parse(JSON.stringify(answer(changes))) as Params)).should.equal(reason);
    }
  });

  it('verifies numbers as they were written, if it has the raw body', () => {
    // As Ruby writes and signs them; JavaScript would write 1, 1000 and 12345678901234567000.
    const literals: [literal: string, canonical: string, parsed: string][] = [
      // After parsing, nobody can see that there was a ".0": so the reason is a mismatch.
      ['1.0', '1.0', 'signatureMismatch'],
      ['1.0e+21', '1.0e%2B21', 'numbersLost'],
      ['12345678901234567890', '12345678901234567890', 'numbersLost'],
      ['-0.5', '-0.5', 'accepted'],
    ];
    for (const [literal, canonical, parsed] of literals) {
      const text = JSON.stringify(answer({ amount: 'AMOUNT' })).replace('"AMOUNT"', literal);
      const expected = canonicalParams(answer({ amount: '@' })).replace('%40', canonical);
      const request = signed(answer({ amount: literal }), { body: Buffer.from(text) });
      canonicalParams(answer({ amount: literal })).should.equal(expected);
      reasonOf(request).should.equal('accepted');
      reasonOf({ ...request, body: JSON.parse(text) as unknown }).should.equal(parsed);
    }
  });

  it('hands on large numbers as they were sent, such as the user id', () => {
    const ids = ['9007199254740993', '9007199254740992', '12345678901234567890', '99999999999999999999'];
    for (const id of ids) {
      const inner = `{"status":"approved","message":"Open?","details":{"Account":${id},"List":[${id}]}}`;
      const rest = JSON.stringify(answer({ authy_id: 'ID', approval_request: 'INNER' }));
      const text = rest.replace('"ID"', id).replace('"INNER"', `{"transaction":${inner}}`);
      const asText = JSON.parse(text.replaceAll(id, `"${id}"`)) as Params;
      for (const body of [text, Buffer.from(text)]) {
        const verdict = verifyCallback(signed(asText, { body }), rules);
        should(verdict).have.property('accepted', true);
        if (!verdict.accepted) return;
        verdict.answer.authyId.should.equal(id);
        const written = JSON.stringify(verdict.answer.body).replaceAll('"', '');
        written.should.equal(text.replaceAll('"', ''));
      }
      // The parser may have rounded the number: then it is refused, else it is the number that was sent.
      const parsed = verifyCallback(signed(asText, { body: JSON.parse(text) as unknown }), rules);
      if (parsed.accepted) parsed.answer.authyId.should.equal(id);
      else parsed.reason.should.equal('numbersLost');
    }
  });

  it('does not read a number in quotes as a number', () => {
    const params = answer({ note: 'say "1.0" and \\ 1.0', other: '1e3' });
    reasonOf(signed(params)).should.equal('accepted');
  });

  it('accepts a long text if the limit allows it, whatever is in it', function () {
    this.timeout(60_000);
    for (const [part, megabytes] of [
      ['x', 16],
      ['"', 5],
    ] as const) {
      const params = answer({ long: part.repeat(megabytes * 1024 * 1024) });
      reasonOf(signed(params), { maxSize: 32 * 1024 * 1024 }).should.equal('accepted');
    }
  });

  it('limits size, depth and number of members, and rejects an unreadable body', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 40; level++) deep = { x: deep };
    const wide = Object.fromEntries(Array.from({ length: 2100 }, (_, index) => [`k${index}`, 1]));
    reasonOf(signed(answer({ deep }))).should.equal('tooComplex');
    reasonOf(signed(answer({ wide }))).should.equal('tooComplex');
    reasonOf(signed(answer({ deep }), { body: answer({ deep }) })).should.equal('tooComplex');
    reasonOf(signed(answer({ long: 'x'.repeat(70_000) }))).should.equal('tooLarge');
    reasonOf(signed(answer(), { body: answer({ long: 'x'.repeat(70_000) }) })).should.equal('tooLarge');
    reasonOf(signed(answer({ long: 'x'.repeat(70_000) }), { method: 'GET' })).should.equal('tooLarge');
    reasonOf({
      ...signed(answer()),
      body: Buffer.from(`${'['.repeat(30_000)}${']'.repeat(30_000)}`),
    }).should.equal('unreadableBody');
    reasonOf({
      ...signed(answer()),
      body: Buffer.from(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`),
    }).should.equal('tooComplex');
    for (const body of [
      undefined,
      null,
      '',
      'x',
      '[]',
      '"x"',
      5,
      [],
      Buffer.from([0x7b, 0xff, 0x7d]),
      Buffer.alloc(0),
    ]) {
      reasonOf({ ...signed(answer()), body }).should.equal('unreadableBody');
    }
    const { headers } = signed(answer());
    const odd = { ...headers, 'content-type': { toString: false } };
    reasonOf({ ...signed(answer()), headers: odd, body: '' }).should.equal('unreadableBody');
    const compressed = signed(answer());
    reasonOf({ ...compressed, headers: { ...compressed.headers, 'content-encoding': 'gzip' } }).should.equal(
      'compressed',
    );
  });

  it('rejects names that are signed like nested ones, and lone surrogates', () => {
    const { status, uuid, authy_id, approval_request } = answer();
    const genuine = signed({ status, uuid, authy_id, approval_request });
    const transaction = { status, message: 'Open?' };
    for (const forged of [
      { 'approval_request[transaction][details][Where]': 'Home', approval_request: { transaction } },
      { approval_request: { transaction, 'transaction][details][Where': 'Home' } },
    ]) {
      const body = { status, uuid, authy_id, ...forged };
      canonicalParams(body).should.equal(canonicalParams({ status, uuid, authy_id, approval_request }));
      reasonOf({ ...genuine, body }).should.equal('unreadableBody');
      reasonOf({ ...genuine, body: JSON.stringify(body) }).should.equal('unreadableBody');
    }
    reasonOf(signed(answer({ list: ['x'] }), { body: answer({ list: { '': 'x' } }) })).should.equal(
      'unreadableBody',
    );
    reasonOf(signed(answer({ note: '\ufffd' }), { body: answer({ note: '\ud800' }) })).should.equal(
      'unreadableBody',
    );
    // A label with brackets is allowed: it does not spell a path.
    reasonOf(signed(answer({ details: { 'Amount [EUR]': '5' } }))).should.equal('accepted');
  });

  it('is not confused by __proto__', () => {
    const text = JSON.stringify(answer()).replace('{', '{"__proto__":{"status":"denied"},');
    const params = JSON.parse(text) as Params;
    reasonOf(signed(params, { body: Buffer.from(text) })).should.equal('accepted');
    const inherited = JSON.stringify(answer({ status: undefined })).replace(
      '{',
      '{"__proto__":{"status":"approved"},',
    );
    reasonOf(signed(JSON.parse(inherited) as Params, { body: Buffer.from(inherited) })).should.equal(
      'missingField',
    );
  });
});

describe('Callback address', () => {
  const request = {
    originalUrl: '/api/authy/callback?a=1&b=?',
    protocol: 'http',
    headers: {
      host: 'inner:1880',
      'x-forwarded-proto': 'https, http',
      'x-forwarded-host': 'public.example.com',
    },
  };

  it('is the configured one or that of the request; forwarded headers count only if they are trusted', () => {
    addressesOf(request, 'https://public.example.com/cb', true).url.should.equal(
      'https://public.example.com/cb',
    );
    addressesOf(request, undefined, false).url.should.equal('http://inner:1880/api/authy/callback');
    addressesOf(request, undefined, true).url.should.equal('https://public.example.com/api/authy/callback');
    addressesOf(request, undefined, false).query.should.equal('a=1&b=?');
  });

  it('has candidates for what a proxy may have changed', () => {
    const { candidates } = addressesOf(request, undefined, false);
    candidates.should.containEql('https://public.example.com/api/authy/callback');
    candidates.should.containEql('https://inner:1880/api/authy/callback');
    candidates.should.containEql('http://inner:1880/api/authy/callback/');
  });
});
