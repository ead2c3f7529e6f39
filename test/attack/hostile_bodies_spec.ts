import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import should from 'should';
import { canonicalParams, type Params, signature } from '../../nodes/lib/services/authy/callback/signature';
import { LifeProbe } from '../support/life';
import { type FlowNode, NodeRed, runtimes } from '../support/node_red';
import { runs } from '../support/runs';
import { callbackAnswer } from '../support/signed_callback';

const apiKey = 'hostile-bodies-key';
const mebibyte = 1024 * 1024;

/** A flow with a callback node behind three http in nodes: raw, parsed, and by GET. The reason is sent in a header. */
function callbackFlow(): FlowNode[] {
  const node = (id: string, type: string, wires: string[][], properties: object = {}): FlowNode => ({
    id,
    type,
    z: 'tab',
    x: 100,
    y: 100,
    wires,
    ...properties,
  });
  return [
    { id: 'tab', type: 'tab', label: 'callbacks' },
    node('raw', 'http in', [['validate']], { url: '/raw', method: 'post', skipBodyParsing: true }),
    node('parsed', 'http in', [['validate']], { url: '/parsed', method: 'post' }),
    node('get', 'http in', [['validate']], { url: '/get', method: 'get' }),
    node('validate', 'authy-onetouch-callback', [['respond'], ['respond'], ['explain']], {
      account: 'account',
      publicUrl: 'https://nodered.example/authy/callback',
      publicUrlType: 'str',
      trustForwarded: false,
      strict: false,
      freshness: 'off',
      freshnessWindow: 300,
      maxSize: 64,
    }),
    node('explain', 'change', [['respond']], {
      rules: [{ t: 'set', p: 'headers', pt: 'msg', to: '{"x-reason": authy.reason}', tot: 'jsonata' }],
    }),
    node('respond', 'http response', []),
    {
      id: 'account',
      type: 'authy-config',
      service: 'authy',
      baseUrl: '',
      deadline: 5,
      maxInFlight: 10,
      credentials: { apiKey },
    },
  ];
}

interface Sent {
  body?: string | Buffer;
  query?: string;
  headers?: Record<string, string>;
  /** Sends the body in so many pieces, with a pause after each, as an attacker does to keep a server busy. */
  pieces?: number;
  /** Closes the connection before the body is complete. */
  breaksOff?: boolean;
}

const json = { 'Content-Type': 'application/json' };
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const genuine = JSON.stringify(callbackAnswer());
const many = (count: number, make: (index: number) => string, separator: string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join(separator);

/** Requests from an attacker without the key. */
const hostile: readonly [title: string, sent: Sent][] = [
  ['nothing', { body: '' }],
  ['100,000 lists in each other', { body: `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}` }],
  ['100,000 objects in each other', { body: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}` }],
  ['40 objects in each other', { body: `${'{"a":'.repeat(40)}1${'}'.repeat(40)}` }],
  ['lists that never end', { body: '['.repeat(mebibyte) }],
  ['a million names', { body: `{${many(1_000_000, (index) => `"${index.toString(36)}":1`, ',')}}` }],
  ['400,000 names', { body: `{${many(400_000, (index) => `"${index.toString(36)}":1`, ',')}}` }],
  ['2,001 names', { body: `{${many(2001, (index) => `"${index}":1`, ',')}}` }],
  ['__proto__ that approves', { body: `{"__proto__":${genuine}}` }],
  ['constructor.prototype', { body: `{"constructor":{"prototype":${genuine}}}` }],
  ['names that come twice', { body: genuine.replace('{', '{"status":"denied","status":"approved",') }],
  ['a number beyond all', { body: genuine.replace('209', '1e999') }],
  ['a number of 60,000 digits', { body: genuine.replace('209', '9'.repeat(60_000)) }],
  ['a number of a million digits', { body: genuine.replace('209', '9'.repeat(1_000_000)) }],
  ['no UTF-8', { body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d]) }],
  ['UTF-16', { body: Buffer.from(`\ufeff${genuine}`, 'utf16le') }],
  ['a byte order mark', { body: `\ufeff${genuine}` }],
  ['a lone surrogate', { body: genuine.replace('Open?', '\\ud800') }],
  ['JSON that breaks off', { body: genuine.slice(0, -5) }],
  ['no object', { body: '"approved"' }],
  ['null', { body: 'null' }],
  ['a text of 5 MB', { body: `{"a":"${'x'.repeat(5 * mebibyte - 100)}"}` }],
  ['a text of 5 MB of escapes', { body: `{"a":"${'\\u0000'.repeat(800_000)}"}` }],
  ['a text of 20 MB', { body: `{"a":"${'x'.repeat(20 * mebibyte)}"}` }],
  ['zeros of 5 MB', { body: Buffer.alloc(5 * mebibyte) }],
  ['30 MB in 30 KB', { body: gzipSync(Buffer.alloc(30 * mebibyte, 0x20)), headers: { 'Content-Encoding': 'gzip' } }],
  ['a genuine body compressed', { body: gzipSync(genuine), headers: { 'Content-Encoding': 'gzip' } }],
  ['an encoding nobody knows', { body: genuine, headers: { 'Content-Encoding': 'compress' } }],
  ['a type nobody knows', { body: genuine, headers: { 'Content-Type': 'application/x-authy' } }],
  ['an invalid type', { body: genuine, headers: { 'Content-Type': 'approved' } }],
  ['text', { body: genuine, headers: { 'Content-Type': 'text/plain' } }],
  ['bytes', { body: genuine, headers: { 'Content-Type': 'application/octet-stream' } }],
  ['XML', { body: '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', headers: { 'Content-Type': 'text/xml' } }],
  ['a file', { body: '--x\r\nContent-Disposition: form-data; name="status"\r\n\r\napproved\r\n--x--', headers: { 'Content-Type': 'multipart/form-data; boundary=x' } }],
  ['a form', { body: canonicalParams(callbackAnswer()), headers: form }],
  ['a form of a million names', { body: many(1_000_000, (index) => index.toString(36), '&'), headers: form }],
  ['a form 20,000 deep', { body: `a${'[b]'.repeat(20_000)}=1`, headers: form }],
  ['a form with __proto__', { body: '__proto__[status]=approved&status=approved', headers: form }],
  ['a form that contradicts itself', { body: 'status=approved&status[x]=denied', headers: form }],
  ['in 20 pieces', { body: genuine, pieces: 20 }],
  ['in 500 pieces', { body: genuine.padEnd(4000), pieces: 500 }],
  ['a body that breaks off', { body: `{"a":"${'x'.repeat(mebibyte)}`, breaksOff: true }],
  ['100 headers', { body: genuine, headers: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`X-${i}`, 'x'])) }],
  ['20 KB of headers', { body: genuine, headers: { 'X-Long': 'x'.repeat(20_000) } }],
  ['a query', { query: canonicalParams(callbackAnswer()) }],
  ['a query of 3,000 names', { query: many(3000, (index) => index.toString(36), '&') }],
  ['a query 1,000 deep', { query: `a${'[b]'.repeat(1000)}=1` }],
  ['a query with __proto__', { query: '__proto__[status]=approved&status=approved' }],
  ['a query with invalid escapes', { query: '%=%&%ff=%zz' }],
  ['a query of 20 KB', { query: 'x'.repeat(20_000) }],
]; // prettier-ignore

for (const runtime of runtimes) {
  describe(`Attack: hostile bodies in Node-RED ${runtime.version}x`, function () {
    this.timeout(300_000);
    let nodeRed: NodeRed;
    let probe: LifeProbe;

    before(async function () {
      this.timeout(600_000);
      probe = await LifeProbe.prepare();
      nodeRed = await NodeRed.start(this, runtime, { env: probe.env });
      await nodeRed.deploy(callbackFlow());
    });
    after(async () => {
      // Undefined where it was skipped.
      await (nodeRed as NodeRed | undefined)?.stop();
    });

    /** Sends a request with a signature in the right format; returns the status, the body and the reason. */
    async function send(route: string, { body, query = '', headers = {}, pieces = 1, breaksOff }: Sent) {
      const url = `${nodeRed.nodeUrl}${route}${query === '' ? '' : `?${query}`}`;
      const bytes = Buffer.from(body ?? '');
      const request = http.request(url, {
        method: route === 'get' ? 'GET' : 'POST',
        headers: {
          ...json,
          'X-Authy-Signature': `${'A'.repeat(43)}=`,
          'X-Authy-Signature-Nonce': '1700000000',
          // Without a length the body is sent in chunks.
          ...(pieces > 1 || breaksOff || route === 'get' ? {} : { 'Content-Length': String(bytes.length) }),
          ...headers,
        },
      });
      const answer = new Promise<http.IncomingMessage | undefined>((resolve) => {
        request.once('response', resolve);
        // If the request is refused before all of it was sent, the connection may break.
        request.once('error', () => resolve(undefined));
      });
      for (let piece = 0; piece < pieces; piece++) {
        const [from, to] = [piece, piece + 1].map((at) => Math.floor((bytes.length * at) / pieces));
        if (route !== 'get') request.write(bytes.subarray(from, to));
        if (pieces > 1) await setTimeout(1);
      }
      if (breaksOff) {
        await setTimeout(20);
        request.destroy();
      } else {
        request.end();
      }
      const response = await answer;
      if (response === undefined) return undefined;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      await Promise.race([once(response, 'end'), once(response, 'close')]).catch(() => undefined);
      return {
        status: response.statusCode ?? 0,
        text: Buffer.concat(chunks).toString(),
        reason: response.headers['x-reason'],
      };
    }

    async function sendGenuine(route: string): Promise<number | undefined> {
      const uuid = randomUUID();
      const params: Params = { ...callbackAnswer(), uuid };
      const method = route === 'get' ? 'GET' : 'POST';
      const url = 'https://nodered.example/authy/callback';
      const headers = {
        ...json,
        'X-Authy-Signature': signature({ apiKey, nonce: '1700000000', method, url, params }),
      };
      const sent = route === 'get' ? { query: canonicalParams(params) } : { body: JSON.stringify(params) };
      return (await send(route, { ...sent, headers }))?.status;
    }

    const routesOf = ({ query }: Sent): string[] => (query === undefined ? ['raw', 'parsed'] : ['get']);

    it('all of them are refused without details, and genuine callbacks are still accepted', async () => {
      const reasons: Record<string, number> = {};
      for (const [title, sent] of hostile) {
        for (const route of routesOf(sent)) {
          const answer = await send(route, sent);
          const how =
            answer === undefined ? 'broken off' : (answer.reason?.toString() ?? `HTTP ${answer.status}`);
          reasons[how] = (reasons[how] ?? 0) + 1;
          if (answer === undefined) continue;
          // Node-RED itself refuses some of them, before the node gets them.
          if (![400, 403, 413, 415, 431, 500].includes(answer.status)) {
            throw new Error(`HTTP ${answer.status} for ${title}, ${route}`);
          }
          if (answer.reason !== undefined) {
            answer.should.have.properties({ status: 403, text: '{"error":"Forbidden"}' });
          }
          // With a raw body, only headers that are too long, or a broken connection, keep a request from the node.
          if (route === 'raw' && answer.status !== 431) should(answer.reason).be.a.String();
        }
        if ((await sendGenuine('raw')) !== 200) throw new Error(`Not accepted after ${title}.`);
      }
      for (const route of ['raw', 'parsed', 'get']) should(await sendGenuine(route)).equal(200);
      process.stdout.write(`      ${JSON.stringify(reasons)}\n`);
      for (const reason of [
        'tooLarge',
        'tooComplex',
        'unreadableBody',
        'signatureMismatch',
        'compressed',
        'numbersLost',
      ]) {
        reasons.should.have.property(reason);
      }
      nodeRed.log.should.not.match(/uncaught|unhandled/i);
    });

    it('sent again and again, they leave no memory in use', async () => {
      const memory = async (): Promise<{ held: number; peak: number }> => {
        // Some objects become garbage only in a later turn.
        for (let turn = 0; turn < 4; turn++) {
          await probe.figures();
          await setTimeout(50);
        }
        const { heap, external, peak } = await probe.figures();
        return { held: heap + external, peak };
      };
      let bytes = 0;
      const round = async (): Promise<void> => {
        for (const [, sent] of hostile) {
          await Promise.all(routesOf(sent).map((route) => send(route, sent)));
          bytes += routesOf(sent).length * Buffer.byteLength(sent.body ?? '');
        }
      };
      await round();
      const before = await memory();
      const rounds = runs(3);
      bytes = 0;
      for (let done = 0; done < rounds; done++) await round();
      const after = await memory();
      const mb = (count: number): string => `${(count / mebibyte).toFixed(1)} MB`;
      process.stdout.write(
        `      ${rounds} rounds, ${mb(bytes)} received: held ${mb(before.held)} before, ${mb(after.held)} after; ` +
          `at most ${mb(after.peak)}\n`,
      );
      // If one body of 5 MB stayed in memory in each round, it would be 15 MB.
      (after.held - before.held).should.be.below(12 * mebibyte);
      should(await sendGenuine('raw')).equal(200);
    });
  });
}
