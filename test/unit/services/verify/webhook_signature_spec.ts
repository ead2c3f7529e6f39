import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'node:querystring';
import fc from 'fast-check';
import should from 'should';
import type { CallbackRequest } from '../../../../nodes/lib/contract/service';
import { signedForms } from '../../../../nodes/lib/services/verify/webhook/addresses';
import { readEvent } from '../../../../nodes/lib/services/verify/webhook/event';
import {
  addressSignedFor,
  signatureOf,
  verifyWebhook,
  type WebhookRules,
  type WebhookVerdict,
} from '../../../../nodes/lib/services/verify/webhook/signature';
import { watchComparisons } from '../../../support/comparisons';
import { cases } from '../../../support/runs';

type FormParams = Readonly<Record<string, string | readonly string[]>>;

interface Vector {
  readonly id: string;
  readonly source: string;
  readonly token: string;
  readonly url: string;
  readonly params?: FormParams;
  readonly body?: string;
}

const vectors = JSON.parse(
  readFileSync(path.join(__dirname, '..', '..', '..', 'vectors', 'twilio-signatures.json'), 'utf8'),
) as {
  published: (Vector & { signed: string; signature: string })[];
  negative: (Vector & { why: string; signature?: string })[];
};

const formType = 'application/x-www-form-urlencoded; charset=UTF-8';
const rules: WebhookRules = { authToken: '12345', maxSize: 65_536 };
const address = 'https://mycompany.com/myapp.php?foo=1&bar=2';

type Pairs = readonly (readonly [name: string, value: string])[];

function pairsOf(params: FormParams): Pairs {
  return Object.entries(params).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value] as const),
  );
}

function formOf(pairs: Pairs): string {
  return new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();
}

/** A request as it comes in, its address given as a whole. */
function request(
  whole: string,
  body: unknown,
  headers: Readonly<Record<string, unknown>>,
  type = formType,
): CallbackRequest {
  const at = whole.indexOf('?');
  return {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    url: at < 0 ? whole : whole.slice(0, at),
    query: at < 0 ? '' : whole.slice(at + 1),
    body,
  };
}

const signed = (signature: unknown): Record<string, unknown> => ({ 'x-twilio-signature': signature });

function formRequest(whole: string, pairs: Pairs, signature: unknown): CallbackRequest {
  return request(whole, Buffer.from(formOf(pairs)), signed(signature));
}

function jsonRequest(whole: string, body: unknown, signature: unknown): CallbackRequest {
  return request(whole, body, signed(signature), 'application/json');
}

function vectorRequest({ url, params, body }: Vector, signature: unknown): CallbackRequest {
  return params === undefined
    ? jsonRequest(url, Buffer.from(body ?? ''), signature)
    : formRequest(url, pairsOf(params), signature);
}

function reasonOf(verdict: WebhookVerdict): string {
  return verdict.ok ? 'ok' : verdict.reason;
}

/** The signature, written plainly and apart from the code under test. */
function referenceSignature(token: string, whole: string, pairs: Pairs): string {
  const distinct: (readonly [string, string])[] = [];
  for (const [name, value] of pairs) {
    if (!distinct.some((pair) => pair[0] === name && pair[1] === value)) distinct.push([name, value]);
  }
  distinct.sort((one, other) => {
    const [a, b] = one[0] === other[0] ? [one[1], other[1]] : [one[0], other[0]];
    return a < b ? -1 : 1;
  });
  let text = whole;
  for (const [name, value] of distinct) {
    text += name;
    text += value;
  }
  const hmac = crypto.createHmac('sha1', Buffer.from(token, 'utf8'));
  hmac.end(Buffer.from(text, 'utf8'));
  return (hmac.read() as Buffer).toString('base64');
}

/** The six forms of an address, written plainly: put together from its parts. */
function referenceForms(address: {
  scheme: 'http' | 'https';
  user: string;
  host: string;
  port: string;
  path: string;
  query: string;
}): string[] {
  const { scheme, user, host, port, path, query } = address;
  const standard = scheme === 'https' ? '443' : '80';
  const receivedTail = path + (query === '' ? '' : `?${query}`);
  const browser = new URL(`${scheme}://${user}${host}${receivedTail}`);
  const legacyTail =
    browser.search === '' ? receivedTail : `?${stringify(parse(browser.search.replace('?', '')))}`;
  return [host, `${host}:${port === '' ? standard : port}`].flatMap((authority) => [
    `${scheme}://${user}${authority}${receivedTail}`,
    `${scheme}://${user}${authority}${browser.pathname}${browser.search}`,
    `${scheme}://${user}${authority}${browser.search === '' ? browser.pathname : browser.pathname + legacyTail}`,
  ]);
}

describe('Signature of a webhook of Twilio', () => {
  describe('published vectors', () => {
    for (const vector of vectors.published) {
      const { id, source, token, params, signature } = vector;

      it(`${id}: is signed as published (${source})`, () => {
        const parameters = new Map(
          Object.entries(params ?? {}).map(([name, values]) => [name, [values].flat()]),
        );
        signatureOf({ authToken: token, address: vector.signed, parameters }).should.equal(signature);
        referenceSignature(token, vector.signed, pairsOf(params ?? {})).should.equal(signature);
      });

      it(`${id}: is accepted, and read as it was sent`, () => {
        const verdict = verifyWebhook(vectorRequest(vector, signature), { ...rules, authToken: token });
        should(verdict).have.property('ok', true);
        if (!verdict.ok) return;
        const expected = params ?? (JSON.parse(vector.body ?? '') as Record<string, unknown>);
        Object.fromEntries(verdict.parameters).should.eql(
          Object.fromEntries(Object.entries(expected).map(([name, values]) => [name, [values].flat()])),
        );
      });

      it(`${id}: is accepted with another type of body, where that tells the same`, () => {
        const sent = vectorRequest(vector, signature);
        reasonOf(verifyWebhook({ ...sent, body: String(sent.body) }, rules)).should.equal('ok');
        reasonOf(
          verifyWebhook({ ...sent, body: params ?? (JSON.parse(vector.body ?? '') as object) }, rules),
        ).should.equal(params === undefined ? 'unreadableBody' : 'ok');
      });
    }

    for (const vector of vectors.negative) {
      it(`${vector.id}: ${vector.why} is refused (${vector.source})`, () => {
        should(verifyWebhook(vectorRequest(vector, vector.signature), rules)).have.property('ok', false);
      });
    }
  });

  describe('any single character that changes is noticed', () => {
    const [vector] = vectors.published;
    if (vector === undefined) throw new Error('there are no vectors');
    const pairs = pairsOf(vector.params ?? {});

    /** The text with one character replaced by others or left out. None only differs in case: hosts have none. */
    function changes(text: string, replacements: string): string[] {
      return Array.from(text).flatMap((character, at) =>
        [...Array.from(replacements), '']
          .filter((other) => other.toLowerCase() !== character.toLowerCase())
          .map((other) => text.slice(0, at) + other + text.slice(at + 1)),
      );
    }

    it('in the address', () => {
      for (const changed of changes(address, 'xZ0%+/?&=.:@#')) {
        reasonOf(verifyWebhook(formRequest(changed, pairs, vector.signature), rules)).should.equal(
          'signatureMismatch',
          changed,
        );
      }
    });

    it('in a name or a value', () => {
      pairs.forEach(([name, value], index) => {
        const others = [
          ...changes(name, 'xZ0+ &=').map((changed) => [changed, value] as const),
          ...changes(value, 'xZ0+ &=').map((changed) => [name, changed] as const),
        ];
        for (const other of others) {
          const changed = pairs.map((pair, at) => (at === index ? other : pair));
          reasonOf(verifyWebhook(formRequest(address, changed, vector.signature), rules)).should.equal(
            'signatureMismatch',
            other.join(),
          );
        }
      });
    });

    it('in the signature', () => {
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= ,\n';
      const { signature } = vector;
      Array.from(signature).forEach((character, at) => {
        for (const other of [...Array.from(alphabet), '']) {
          if (other === character) continue;
          const changed = signature.slice(0, at) + other + signature.slice(at + 1);
          verifyWebhook(formRequest(address, pairs, changed), rules).ok.should.equal(false, changed);
        }
      });
    });

    it('in the auth token', () => {
      for (const authToken of ['12346', '1234', '123456', ' 12345', '12345 ']) {
        verifyWebhook(formRequest(address, pairs, vector.signature), {
          ...rules,
          authToken,
        }).ok.should.be.false();
      }
    });
  });

  describe('beside an independent reference', () => {
    const piece = fc.string({
      unit: fc.constantFrom(...Array.from('aZ09-._~%+ \'"!*()&=?/;:@,[]{}|$é😀')),
      maxLength: 6,
    });
    const inQuery = piece.map((text) => text.replace(/\s/g, '+'));
    const wholeAddress = fc.record({
      scheme: fc.constantFrom('http' as const, 'https' as const),
      user: fc.constantFrom('', 'user@', 'user:pass@'),
      host: fc.constantFrom('mycompany.com', 'a.example', '127.0.0.1', '[::1]'),
      port: fc.constantFrom('', '8080', '1', '65535'),
      path: fc.constantFrom('/', '/myapp.php', "/it's", '/a%20b/c'),
      query: fc
        .array(fc.tuple(inQuery, inQuery), { maxLength: 4 })
        .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&')),
    });
    const pairsOfAny = fc.array(
      fc.tuple(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
        fc.string({ unit: 'grapheme', maxLength: 4 }),
      ),
      { maxLength: 8 },
    );
    const wholeOf = (parts: {
      scheme: string;
      user: string;
      host: string;
      port: string;
      path: string;
      query: string;
    }): string =>
      `${parts.scheme}://${parts.user}${parts.host}${parts.port === '' ? '' : `:${parts.port}`}${parts.path}` +
      (parts.query === '' ? '' : `?${parts.query}`);

    it('accepts what is signed over one of the six forms of the address, and nothing else', () => {
      fc.assert(
        fc.property(wholeAddress, pairsOfAny, fc.nat(11), (parts, pairs, which) => {
          const forms = referenceForms(parts);
          // Half of them are signed for another address.
          const form = forms[which % 6] ?? '';
          const over = which < 6 ? form : `${form}x`;
          const sent = formRequest(wholeOf(parts), pairs, referenceSignature('12345', over, pairs));
          reasonOf(verifyWebhook(sent, rules)).should.equal(
            forms.includes(over) ? 'ok' : 'signatureMismatch',
            over,
          );
        }),
        cases(2000),
      );
    });

    it('knows the same forms of an address', () => {
      fc.assert(
        fc.property(wholeAddress, (parts) => {
          [...signedForms(wholeOf(parts))].sort().should.eql([...new Set(referenceForms(parts))].sort());
        }),
        cases(1000),
      );
    });

    it('reads the form as it was sent, whether a parser has read it before or not', () => {
      fc.assert(
        fc.property(pairsOfAny, (pairs) => {
          const signature = referenceSignature('12345', address, pairs);
          const sent = formRequest(address, pairs, signature);
          // A prototype of its own would lose names such as __proto__.
          const parsed: object = parse(String(sent.body), '&', '=', { maxKeys: 0 });
          for (const body of [sent.body, parsed]) {
            const verdict = verifyWebhook({ ...sent, body }, rules);
            should(verdict).have.property('ok', true);
            if (!verdict.ok) continue;
            for (const [name, values] of verdict.parameters) {
              values.should.eql(pairs.filter((pair) => pair[0] === name).map((pair) => pair[1]));
            }
            [...verdict.parameters.keys()]
              .sort()
              .should.eql([...new Set(pairs.map(([name]) => name))].sort());
          }
        }),
        cases(1000),
      );
    });
  });

  describe('requests that are not as they have to be', () => {
    const pairs: Pairs = [['a', '1']];
    const right = formRequest(address, pairs, referenceSignature('12345', address, pairs));
    const check = (changes: Partial<CallbackRequest>, otherRules: Partial<WebhookRules> = {}): string =>
      reasonOf(verifyWebhook({ ...right, ...changes }, { ...rules, ...otherRules }));
    const withHeaders = (headers: Readonly<Record<string, unknown>>): Partial<CallbackRequest> => ({
      headers: { ...right.headers, ...headers },
    });

    it('the plain one is accepted', () => check({}).should.equal('ok'));

    it('no auth token', () => {
      for (const authToken of [undefined, '', ' ', '\t\n']) check({}, { authToken }).should.equal('noApiKey');
    });

    it('a key of nothing does not verify what is signed with nothing', () => {
      const headers = signed(referenceSignature('', address, pairs));
      check(withHeaders(headers), { authToken: '' }).should.equal('noApiKey');
    });

    it('another method', () => {
      for (const method of ['GET', 'PUT', '', 'POST ']) check({ method }).should.equal('method');
    });

    it('a header that is missing, blank or odd', () => {
      const signature = String(right.headers['x-twilio-signature']);
      for (const odd of [
        ...[undefined, null, '', ' ', 5, {}, [], [signature], `${signature}, ${signature}`, ` ${signature}`],
        ...[`${signature}=`, signature.slice(0, -1), signature.toLowerCase() + '\n', 'x'.repeat(100_000)],
      ]) {
        check(withHeaders(signed(odd))).should.equal('noSignature');
      }
    });

    it('a signature by a shared key of a webhooks rule', () => {
      const settings = { 'x-twilio-webhooks-signature-settings': 'key=x,algorithm=HMAC_SHA256' };
      check(withHeaders(settings)).should.equal('noSignature');
    });

    it('a compressed body', () => {
      check(withHeaders({ 'content-encoding': 'gzip' })).should.equal('compressed');
      check(withHeaders({ 'content-encoding': 'identity' })).should.equal('ok');
    });

    it('another type of content', () => {
      for (const type of [
        undefined,
        '',
        'text/plain',
        'multipart/form-data',
        'application/x-www-form-urlencodedx',
        [],
      ]) {
        check(withHeaders({ 'content-type': type })).should.equal('unreadableBody');
      }
      check(withHeaders({ 'content-type': 'Application/X-WWW-Form-Urlencoded' })).should.equal('ok');
    });

    it('an address with a fragment, or that cannot be called', () => {
      for (const url of [
        ...[
          'https://mycompany.com/myapp.php#x',
          'mycompany.com/myapp.php',
          '/myapp.php',
          '',
          'ftp://mycompany.com/',
        ],
        ...[
          'https://',
          'https://my company.com/',
          'https://mycompany.com\\@x/',
          'https://mycompany.com:99999/',
          'https://%/',
        ],
        ...[
          'https://mycompany.com/my\tapp.php',
          'https://mycompany.com/\u0001',
          'https://mycompany.com/\ud800',
        ],
      ]) {
        const whole = `${url}?${right.query}`;
        check({ url, ...withHeaders(signed(referenceSignature('12345', whole, pairs))) }).should.equal(
          'signatureMismatch',
        );
      }
      check({
        query: `${right.query}#rc=2`,
        ...withHeaders(signed(referenceSignature('12345', `${address}#rc=2`, pairs))),
      }).should.equal('signatureMismatch');
    });

    it('a query in the configured address gives way to the received one, which is signed', () => {
      check({ url: `${right.url}?foo=3` }).should.equal('ok');
    });

    it('a query that is not the configured one', () => {
      check({}, { query: 'foo=1&bar=2' }).should.equal('ok');
      for (const query of ['', 'foo=1', 'foo=1&bar=2&', 'bar=2&foo=1']) {
        check({}, { query }).should.equal('signatureMismatch');
      }
    });

    it('a query of which the signature leaves a part out', () => {
      const query = `${'a=&'.repeat(1000)}b=`;
      // The default of Node.js is to read the first thousand parameters.
      const shortened = stringify(parse(query));
      shortened.should.not.containEql('b');
      const changes = withHeaders(signed(referenceSignature('12345', `${right.url}?${shortened}`, pairs)));
      check({ query, ...changes }).should.equal('signatureMismatch');
      check({ query: shortened, ...changes }).should.equal('ok');
    });

    it('too much of anything', () => {
      const many = (count: number): Pairs => Array.from({ length: count }, (_, index) => [`a${index}`, '']);
      const sent = (some: Pairs): CallbackRequest =>
        formRequest(address, some, referenceSignature('12345', address, some));
      reasonOf(verifyWebhook(sent(many(500)), rules)).should.equal('ok');
      reasonOf(verifyWebhook(sent(many(501)), rules)).should.equal('tooComplex');
      check({ body: Object.fromEntries(many(501)) }).should.equal('tooComplex');
      check({ body: { a: Array(501).fill('') as string[] } }).should.equal('tooComplex');
      check({ body: Buffer.alloc(65_537, 'a') }).should.equal('tooLarge');
      check({ body: 'é'.repeat(32_769) }).should.equal('tooLarge');
      check({ body: { a: 'a'.repeat(65_536) } }).should.equal('tooLarge');
      check({ body: { ['a'.repeat(1000)]: Array(66).fill('') as string[] } }).should.equal('tooLarge');
      check({ query: `foo=${'1'.repeat(8192)}` }).should.equal('tooLarge');
      check({}, { maxSize: 2 }).should.equal('tooLarge');
      check({}, { maxSize: Number.NaN }).should.equal('tooLarge');
      check({ body: { a: '1' } }, { maxSize: Number.NaN }).should.equal('tooLarge');
    });

    it('a form that is broken, or that was parsed into something else than texts', () => {
      for (const body of [
        ...[
          'a=%',
          'a=%zz',
          'a=%ff',
          '=1',
          '%=1',
          Buffer.from([0x61, 0x3d, 0xff]),
          'a=\ud800',
          undefined,
          null,
          5,
          [],
        ],
        ...[
          { a: 1 },
          { a: null },
          { a: { b: '1' } },
          { a: [['1']] },
          { '': '1' },
          { a: '\ud800' },
          { '\ud800': '' },
        ],
      ]) {
        check({ body }).should.equal('unreadableBody');
      }
    });

    it('names the address without its user, password and query', () => {
      const url = 'https://user:secret@mycompany.com/other.php';
      const verdict = verifyWebhook({ ...right, url }, rules);
      should(verdict).match({ detail: 'the signature does not match POST https://mycompany.com/other.php' });
    });
  });

  describe('a body that is signed by its hash', () => {
    const body = '{"type": "challenge.approved", "uuid": "x"}';
    const hash = (text: string): string => crypto.createHash('sha256').update(text).digest('hex');
    const check = (query: string, sent: unknown = Buffer.from(body), type = 'application/json'): string => {
      const whole = `https://mycompany.com/myapp.php${query}`;
      return reasonOf(
        verifyWebhook(request(whole, sent, signed(referenceSignature('12345', whole, [])), type), rules),
      );
    };
    const right = `bodySHA256=${hash(body)}`;

    it('is accepted wherever the hash stands', () => {
      check(`?${right}`).should.equal('ok');
      check(`?foo=1&${right}&bar=2`).should.equal('ok');
    });

    it('is refused without a hash: nothing signs it', () => {
      for (const query of [
        '',
        '?foo=1',
        '?xbodySHA256=1',
        `?${right.toLowerCase()}`,
        `?foo=${right.replace('=', '%3D')}`,
      ]) {
        check(query).should.equal('signatureMismatch');
      }
    });

    it('is refused if the hash is there twice, or written otherwise', () => {
      const value = hash(body);
      for (const query of [
        ...[
          `?${right}&${right}`,
          `?${right}&bodySHA256=`,
          `?bodySHA256&${right}`,
          `?${right}&body%53HA256=${value}`,
        ],
        ...['?bodySHA256', '?bodySHA256=', `?bodySHA256=${value.toUpperCase()}`, `?bodySHA256=${value}0`],
        ...[`?body%53HA256=${value}`, `?bodySHA256=%${value.charCodeAt(0).toString(16)}${value.slice(1)}`],
      ]) {
        check(query).should.equal('signatureMismatch', query);
      }
    });

    it('is refused if one byte differs', () => {
      Array.from(body).forEach((_, at) => {
        check(`?${right}`, Buffer.from(`${body.slice(0, at)}~${body.slice(at + 1)}`)).should.equal(
          'signatureMismatch',
        );
      });
      for (const other of ['', `${body} `, ` ${body}`, `\ufeff${body}`]) {
        check(`?${right}`, other).should.equal('signatureMismatch');
      }
    });

    it('is refused if its bytes are gone, or if it poses as a form', () => {
      check(`?${right}`, JSON.parse(body)).should.equal('unreadableBody');
      check(`?${right}`, null).should.equal('unreadableBody');
      check(`?${right}`, Buffer.from(body), formType).should.equal('unreadableBody');
    });

    it('is refused if it is no object, or has a name twice, however that is written', () => {
      for (const text of [
        ...[
          '',
          '[]',
          '"x"',
          '5',
          'null',
          '{',
          '{"a":1,"a":1}',
          '{"a":1,"\\u0061":2}',
          '{"a":{"x":1},"b":"}","a":2}',
        ],
        ...['{"__proto__":1,"__proto__":2}', '{"\\\\":1,"\\u005c":2}'],
      ]) {
        check(`?bodySHA256=${hash(text)}`, Buffer.from(text)).should.equal('unreadableBody', text);
      }
      for (const text of [
        '{}',
        '{"a":{"a":1},"b":[{"a":1,"c":":"}],"c\\"":"\\\\","__proto__":1}',
        ' {"a" : ": {[" } ',
      ]) {
        check(`?bodySHA256=${hash(text)}`, Buffer.from(text)).should.equal('ok', text);
      }
      const bytes = Buffer.from([0x22, 0xff, 0x22]);
      const of = crypto.createHash('sha256').update(bytes).digest('hex');
      check(`?bodySHA256=${of}`, bytes).should.equal('unreadableBody');
    });

    it('may differ from the configured query by the hash alone', () => {
      const whole = `https://mycompany.com/myapp.php?foo=1&${right}`;
      const sent = jsonRequest(whole, Buffer.from(body), referenceSignature('12345', whole, []));
      reasonOf(verifyWebhook(sent, { ...rules, query: 'foo=1' })).should.equal('ok');
      reasonOf(verifyWebhook(sent, { ...rules, query: '' })).should.equal('signatureMismatch');
    });
  });

  describe('hostile requests', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.webUrl(), fc.constant(address));
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withTypedArray: true,
    });
    const header = fc.oneof(
      anything,
      fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    );
    const hostile = fc.record({
      method: fc.oneof({ weight: 5, arbitrary: fc.constant('POST') }, text),
      headers: fc.oneof(
        fc.record({
          'content-type': fc.oneof(fc.constantFrom(formType, 'application/json'), anything),
          'x-twilio-signature': header,
        }),
        fc.dictionary(text, anything),
      ),
      url: text,
      query: fc.oneof(text, fc.stringMatching(/^bodySHA256=[0-9a-f]{64}$/)),
      body: fc.oneof(
        anything,
        text,
        text.map((content) => Buffer.from(content)),
        fc.json(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
    });

    it('never throw, and are never accepted', () => {
      fc.assert(
        fc.property(hostile, (sent) => {
          const verdict = verifyWebhook(sent, rules);
          should(verdict).have.property('ok', false);
          if (!verdict.ok) verdict.detail.length.should.be.within(1, 400);
          should(addressSignedFor(sent, rules, [sent.url, address])).equal(undefined);
        }),
        cases(5000),
      );
    });

    it('signed ones never throw either, nor does reading them', () => {
      const someType = fc.constantFrom('challenge.approved', 'challenge.denied', 'factor.created', 'x', '');
      fc.assert(
        fc.property(fc.dictionary(text, anything), someType, (members, type) => {
          const body = JSON.stringify({ ...members, type }, (_, value: unknown) =>
            typeof value === 'bigint' ? String(value) : value,
          );
          const whole = `https://a.example/?bodySHA256=${crypto.createHash('sha256').update(body).digest('hex')}`;
          const verdict = verifyWebhook(
            jsonRequest(whole, body, referenceSignature('12345', whole, [])),
            rules,
          );
          if (verdict.ok) should(readEvent(verdict.parameters)).have.property('ok', false);
        }),
        cases(1000),
      );
    });
  });

  describe('comparisons take the same time', () => {
    const compared = watchComparisons();

    const whole = "https://mycompany.com/myapp.php?a=it's";
    const pairs: Pairs = [['a', '1']];
    const forms = signedForms(whole);

    it('each form of the address is compared in full, whichever of them is signed', () => {
      forms.should.have.length(4);
      for (const form of forms) {
        compared.splice(0);
        const sent = formRequest(whole, pairs, referenceSignature('12345', form, pairs));
        reasonOf(verifyWebhook(sent, rules)).should.equal('ok');
        compared.should.eql(forms.map(() => [28, 28]));
      }
    });

    it('so they are if none of them is, wherever the signature differs', () => {
      const right = referenceSignature('12345', whole, pairs);
      for (const wrong of [
        (right.startsWith('A') ? 'B' : 'A') + right.slice(1),
        `${right.slice(0, -2)}${right.at(-2) === 'A' ? 'E' : 'A'}=`,
        `${'/'.repeat(27)}=`,
      ]) {
        compared.splice(0);
        reasonOf(verifyWebhook(formRequest(whole, pairs, wrong), rules)).should.equal('signatureMismatch');
        compared.should.eql(forms.map(() => [28, 28]));
      }
    });

    it('hashes of bodies are compared in full as well', () => {
      const withHash = `${whole}&bodySHA256=${'0'.repeat(64)}`;
      verifyWebhook(jsonRequest(withHash, '{}', referenceSignature('12345', withHash, [])), rules);
      compared.should.eql([[64, 64]]);
    });
  });

  it('the address that a webhook was signed for is found among others', () => {
    const pairs: Pairs = [['a', '1']];
    const sent = formRequest(
      'http://localhost:1880/x?foo=1',
      pairs,
      referenceSignature('12345', 'https://a.example/x?foo=1', pairs),
    );
    reasonOf(verifyWebhook(sent, rules)).should.equal('signatureMismatch');
    const candidates = ['https://a.example/', 'https://a.example:443/x', 'https://a.example/x'];
    should(addressSignedFor(sent, rules, candidates)).equal('https://a.example:443/x');
    should(addressSignedFor(sent, rules, ['https://b.example/x'])).equal(undefined);
    should(addressSignedFor({ ...sent, method: 'GET' }, rules, candidates)).equal(undefined);
  });
});

describe('What a webhook of Twilio Verify is about', () => {
  const sid = (prefix: string, digit: string): string => prefix + digit.repeat(32);
  const said: Readonly<Record<string, string>> = {
    uuid: '4a725520-bff5-0135-eb01-0e5d90336a8c',
    type: 'challenge.approved',
    account_sid: sid('AC', 'a'),
    service_sid: sid('VA', 'b'),
    entity_identity: '0123456789abcdef0123456789abcdef',
    factor_sid: sid('YF', 'c'),
    factor_type: 'push',
    challenge_sid: sid('YC', 'd'),
  };
  const read = (pairs: Pairs): ReturnType<typeof readEvent> | WebhookVerdict => {
    const verdict = verifyWebhook(
      formRequest(address, pairs, referenceSignature('12345', address, pairs)),
      rules,
    );
    return verdict.ok ? readEvent(verdict.parameters) : verdict;
  };
  const facts = {
    uuid: said['uuid'],
    accountSid: said['account_sid'],
    serviceSid: said['service_sid'],
    identity: said['entity_identity'],
    factorSid: said['factor_sid'],
    factorType: 'push',
  };

  for (const decision of ['approved', 'denied']) {
    it(`challenge.${decision}`, () => {
      const pairs = pairsOf({
        ...said,
        type: `challenge.${decision}`,
        challenge_details: '{}',
        challenge_sids: 'x',
      });
      read(pairs).should.eql({
        ok: true,
        event: { about: 'challenge', decision, ...facts, challengeSid: said['challenge_sid'] },
      });
    });
  }

  for (const change of ['created', 'verified', 'deleted']) {
    it(`factor.${change}`, () => {
      const pairs = pairsOf({ ...said, type: `factor.${change}` }).filter(
        ([name]) => name !== 'challenge_sid',
      );
      read(pairs).should.eql({
        ok: true,
        event: { about: 'factor', change, ...facts },
      });
    });
  }

  it('each parameter has to be there', () => {
    for (const name of Object.keys(said)) {
      const pairs = pairsOf(said).filter((pair) => pair[0] !== name);
      read(pairs).should.match({ ok: false, reason: 'missingField', detail: new RegExp(`^its ${name} `) });
    }
  });

  it('each has to be there once: a repeated one is signed, and could be read in two ways', () => {
    for (const [name, value] of pairsOf(said)) {
      for (const other of [value, sid('YC', 'e'), '']) {
        read([...pairsOf(said), [name, other]]).should.match({ ok: false, reason: 'missingField' });
        read([[name, other], ...pairsOf(said)]).should.match({ ok: false, reason: 'missingField' });
      }
    }
  });

  it('each has to have its form', () => {
    const wrong = ['', ' ', 'x', '../..', '__proto', 'x'.repeat(65), 'VA12345'];
    for (const [name, value] of pairsOf(said)) {
      const others = [
        ...wrong,
        `${value} `,
        ` ${value}`,
        `${value}\n`,
        `${value}\u0000`,
        `${value}.`,
        `${value}é`,
      ];
      for (const other of others) {
        read(pairsOf({ ...said, [name]: other })).should.match(
          { ok: false, reason: 'missingField', detail: new RegExp(`^its ${name} `) },
          `${name}: ${other}`,
        );
      }
    }
    for (const type of [
      '*',
      'constructor',
      '__proto__',
      'toString',
      'challenge.expired',
      'challenge.',
      'CHALLENGE.APPROVED',
    ]) {
      read(pairsOf({ ...said, type })).should.match({ ok: false, reason: 'missingField' });
    }
    for (const challenge of [
      sid('YF', 'd'),
      `${sid('YC', 'd')}d`,
      sid('YC', 'g'),
      sid('YC', 'd').slice(0, -1),
    ]) {
      read(pairsOf({ ...said, challenge_sid: challenge })).should.match({
        ok: false,
        reason: 'missingField',
      });
    }
  });

  it('JSON is read the same, and only texts count', () => {
    const readJson = (body: object): ReturnType<typeof readEvent> =>
      readEvent(new Map(Object.entries(body).map(([name, value]) => [name, [value]])));
    readJson({ ...said, extra: { a: [1] } }).should.have.property('ok', true);
    for (const name of Object.keys(said)) {
      for (const value of [1, true, null, [said[name]], { toString: () => said[name] }]) {
        readJson({ ...said, [name]: value }).should.have.property('ok', false);
      }
    }
  });

  it('where a value ends is not signed, so a parameter that was moved is not believed', () => {
    const signature = referenceSignature('12345', address, pairsOf(said));
    const sorted = [...pairsOf(said)].sort((one, other) => (one[0] < other[0] ? -1 : 1));
    // `ab=c` is signed like `a=bc`: every border is moved by every distance.
    for (const [index, [name, value]] of sorted.entries()) {
      for (let at = 1; at < name.length + value.length; at += 1) {
        if (at === name.length) continue;
        const moved: [string, string] = [(name + value).slice(0, at), (name + value).slice(at)];
        const verdict = verifyWebhook(
          formRequest(
            address,
            sorted.map((pair, which) => (which === index ? moved : pair)),
            signature,
          ),
          rules,
        );
        // Where it would sort elsewhere, the signature is another one.
        if (verdict.ok) readEvent(verdict.parameters).should.have.property('ok', false);
      }
    }
    const moved: Pairs = [['ab', 'c']];
    const sent = formRequest(address, moved, referenceSignature('12345', address, [['a', 'bc']]));
    verifyWebhook(sent, rules).ok.should.be.true();
  });
});
