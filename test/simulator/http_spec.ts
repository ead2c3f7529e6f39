import http from 'node:http';
import net from 'node:net';
import { gunzipSync } from 'node:zlib';
import should from 'should';
import { key } from './harness';
import { service, shouldFail, VerifyHarness } from './verify_harness';

const host = 'Host: 127.0.0.1';
const last = `${host}\r\nConnection: close`;
const json = { 'Content-Type': 'application/json' };

describe('simulator: HTTP', () => {
  const harness = new VerifyHarness();
  let id: number;
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(async () => {
    await harness.control('POST', '/reset');
    harness.lines.length = 0;
    id = await harness.createUser();
  });

  /** Sends bytes as they are, which no HTTP client would. @returns what comes until the simulator closes the connection */
  function exchange(...requests: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = '';
      const socket = net.connect(Number(new URL(harness.url).port), '127.0.0.1', () => {
        socket.write(requests.join(''));
      });
      socket.setEncoding('utf8');
      socket.on('data', (part: string) => (text += part));
      socket.on('error', reject).on('close', () => resolve(text));
    });
  }

  const statusesIn = (text: string): number[] =>
    [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));

  describe('the path', () => {
    for (const part of ['%', '%zz', '%f', '%ff', '%c3', '%ed%a0%80']) {
      it(`with a value of ${part} is 400, in the form of whoever answers`, async () => {
        const control = await harness.control('GET', `/approvals/${part}`);
        control.status.should.equal(400);
        should(control.body['error']).match(/^Percent-encode .*\.$/);
        const authy = await harness.api('GET', `/protected/json/users/${part}/status`);
        authy.status.should.equal(400);
        authy.body.should.have.properties({ success: false, error_code: '60002' });
        shouldFail(await harness.verify('GET', `/Verifications/${part}`), 400, 60200, /Percent-encode/);
        harness.lines.filter((line) => line.includes('internal error')).should.be.empty();
      });
    }

    it('with an encoded slash in a value is no other path', async () => {
      for (const token of ['..%2fsms', '%2e%2e%2fsms', '..%5csms']) {
        const path = `/protected/json/verify/${token}/${id}`;
        const answer = await exchange(`GET ${path}?force=true&api_key=${key} HTTP/1.1\r\n${last}\r\n\r\n`);
        statusesIn(answer).should.not.containEql(200);
      }
      (await harness.messages('?kind=sms')).should.be.empty();
    });

    it('is told by its capitals, and a slash too many is another one', async () => {
      for (const path of [
        '/Simulator/users',
        '/simulator//users',
        '/simulatorusers',
        '//',
        '/SIMULATOR/phone/',
      ]) {
        (await harness.request('GET', path)).status.should.equal(404, path);
      }
    });

    it('may be an absolute address, as RFC 9112 asks of a server', async () => {
      const [users, root] = await Promise.all(
        ['/simulator/users?x=1', ''].map((path) =>
          exchange(`GET http://127.0.0.1${path} HTTP/1.1\r\n${last}\r\n\r\n`),
        ),
      );
      should(users).match(/^HTTP\/1\.1 200 /);
      should(root).match(/^HTTP\/1\.1 302 [^]*\r\nLocation: simulator\/phone\/\r\n/);
    });
  });

  describe('the method', () => {
    for (const [path, methods, allow] of [
      ['/', ['POST', 'DELETE', 'OPTIONS'], 'GET, HEAD'],
      ['/simulator/phone/', ['POST', 'PUT'], 'GET, HEAD'],
      ['/simulator/phone/phone.js', ['POST', 'DELETE'], 'GET, HEAD'],
      ['/simulator/users', ['POST', 'PATCH', 'OPTIONS'], 'GET, HEAD'],
      ['/simulator/state', ['POST'], 'GET, HEAD, DELETE'],
      ['/simulator/reset', ['GET', 'HEAD'], 'POST'],
    ] as const) {
      for (const method of methods) {
        it(`${method} ${path} is 405, and says what is allowed`, async () => {
          const { status, headers, body } = await harness.request(method, path, { headers: json });
          status.should.equal(405);
          should(headers.get('allow')).equal(allow);
          if (method !== 'HEAD') should(body['error']).match(/^Send .*\.$/);
        });
      }
    }

    it('is Twilio’s 20004 and Authy’s unknown address, if it is another one', async () => {
      const refused = await harness.verify('DELETE', '/Verifications');
      shouldFail(refused, 405, 20004);
      should(refused.headers.get('allow')).equal('POST');
      const authy = await harness.api('POST', `/protected/json/users/${id}/status`);
      authy.status.should.equal(404);
      authy.body.should.have.property('error_code', '60000');
    });

    it('HEAD is GET without the content', async () => {
      const authorization = { 'X-Authy-API-Key': key };
      for (const path of [
        '/',
        '/simulator/phone/',
        '/simulator/phone/phone.css',
        '/simulator/users',
        '/protected/json/app/details',
        service,
        '/nothing',
      ]) {
        const [get, head] = await Promise.all(
          ['GET', 'HEAD'].map((method) => harness.request(method, path, { headers: authorization })),
        );
        const facts = ['content-type', 'content-length', 'etag', 'location', 'cache-control'];
        should(head?.text).equal('');
        should(head?.status).equal(get?.status, path);
        for (const fact of facts) should(head?.headers.get(fact)).equal(get?.headers.get(fact), path);
      }
    });

    it('HEAD reads the query string of Verify as GET does', async () => {
      await harness.startVerification();
      const { verify } = harness.simulator;
      const user = Buffer.from(`${verify.accountSid}:${verify.authToken}`).toString('base64');
      const statuses = ['PageSize=1', 'PageSize=x'].map(async (query) => {
        const headers = { Authorization: `Basic ${user}` };
        return (await harness.request('HEAD', `/v2/Attempts?${query}`, { headers })).status;
      });
      (await Promise.all(statuses)).should.eql([200, 400]);
    });

    it('that HTTP does not know is refused', async () => {
      (await exchange(`FOO / HTTP/1.1\r\n${last}\r\n\r\n`)).should.startWith('HTTP/1.1 400 ');
    });
  });

  describe('the body', () => {
    const piece = 'x'.repeat(16_384);
    const chunks = `${`4000\r\n${piece}\r\n`.repeat(9)}0\r\n\r\n`;

    for (const [path, type, status] of [
      ['/simulator/settings', 'application/json', 413],
      [`/protected/json/users/new?api_key=${key}`, 'application/json', 400],
    ] as const) {
      it(`of unknown length is refused at ${path.split('?')[0]} if it is too large, and the connection goes on`, async () => {
        const method = status === 413 ? 'PUT' : 'POST';
        const large = `${method} ${path} HTTP/1.1\r\n${host}\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
        const answers = await exchange(large, chunks, `GET /simulator/users HTTP/1.1\r\n${last}\r\n\r\n`);
        statusesIn(answers).should.eql([status, 200]);
        answers.should.containEql('The body is larger than 131072 bytes.');
      });
    }

    it('that is refused unread is never taken for a request', async () => {
      const hidden = `DELETE /simulator/state HTTP/1.1\r\n${host}\r\nContent-Type: application/json\r\n\r\n`;
      const bodied = (line: string, more = ''): string =>
        `${line} HTTP/1.1\r\n${host}\r\n${more}Content-Length: ${hidden.length}\r\n\r\n${hidden}`;
      const answers = await exchange(
        bodied('POST /simulator/users'),
        bodied('PUT /simulator/settings', 'Content-Type: text/plain\r\n'),
        bodied('POST /simulator/reset', 'Content-Type: application/json\r\nOrigin: http://evil.example\r\n'),
        bodied('GET /simulator/phone/phone.js'),
        `GET /simulator/users/${id} HTTP/1.1\r\n${last}\r\n\r\n`,
      );
      statusesIn(answers).should.eql([405, 415, 403, 200, 200]);
    });

    it('that breaks off is no failure, and hinders nobody', async () => {
      const other = await new VerifyHarness().start();
      const port = Number(new URL(other.url).port);
      const begun = ['PUT /simulator/settings', `POST /protected/json/users/new?api_key=${key}`].map(
        (line) =>
          new Promise<void>((resolve, reject) => {
            const socket = net.connect(port, '127.0.0.1', () => {
              const type = 'Content-Type: application/json';
              const headers = `${host}\r\n${type}\r\nContent-Length: 100\r\nExpect: 100-continue`;
              socket.write(`${line} HTTP/1.1\r\n${headers}\r\n\r\n`);
            });
            socket.once('data', (data: Buffer) => {
              data.toString().should.startWith('HTTP/1.1 100 ');
              socket.end('{"app', () => socket.destroy());
            });
            socket.on('error', reject).on('close', () => resolve());
          }),
      );
      await Promise.all(begun);
      (await other.control('GET', '/users')).body.should.eql({ users: [] });
      // Once it has closed every connection, it has seen how they ended.
      await other.stop();
      other.lines.filter((line) => line.includes('internal error')).should.be.empty();
    });
  });

  it('answers pipelined requests in their order, also when the first one takes longer', async () => {
    const slow = { kind: 'latency', ms: 50, path: '/app/details', times: 1 };
    await harness.control('PUT', '/faults', { faults: [slow] });
    const answers = await exchange(
      `GET /protected/json/app/details?api_key=${key} HTTP/1.1\r\n${host}\r\n\r\n`,
      `GET /simulator/phone/none.svg HTTP/1.1\r\n${host}\r\n\r\n`,
      `GET / HTTP/1.1\r\n${last}\r\n\r\n`,
    );
    statusesIn(answers).should.eql([200, 404, 302]);
  });

  it('says of an error of its own only that there was one; the log says which', async () => {
    const lines: string[] = [];
    const failing = new VerifyHarness({
      log: (line) => {
        if (/: GET /.test(line)) throw new Error('the disk is full');
        lines.push(line);
      },
    });
    await failing.start();
    const { status, text, headers } = await failing.api('GET', '/protected/json/app/details');
    status.should.equal(500);
    should(JSON.parse(text)).eql({ error: 'The Authy simulator failed; its log says why.' });
    should(headers.get('x-powered-by')).be.null();
    lines.join('\n').should.match(/internal error: Error: the disk is full\n +at /);
    await failing.stop();
  });

  describe('the files of the phone page', () => {
    for (const path of [
      '../simulator.ts',
      '..%2fsimulator.ts',
      '%2e%2e/simulator.ts',
      '%2e%2e%2fsimulator.ts',
      '..\\simulator.ts',
      '..%5csimulator.ts',
      '....//simulator.ts',
      '/etc/passwd',
      '%2fetc%2fpasswd',
      '.',
      '..',
      'phone.js/../../cli.ts',
      'phone.js%00',
      'phone.js%00.css',
      'phone.js%20',
      'PHONE.JS',
      'phone.ts',
      '__proto__',
      'constructor',
    ]) {
      it(`are not left by ${path}`, async () => {
        const answer = await exchange(`GET /simulator/phone/${path} HTTP/1.1\r\n${last}\r\n\r\n`);
        should(statusesIn(answer)).eql([404]);
      });
    }

    for (const [file, type] of [
      ['', 'text/html; charset=utf-8'],
      ['index.html', 'text/html; charset=utf-8'],
      ['phone.css', 'text/css; charset=utf-8'],
      ['phone.js', 'text/javascript; charset=utf-8'],
      ['icon.svg', 'image/svg+xml'],
    ] as const) {
      it(`${file === '' ? 'the page' : file} is sent again only if it has changed`, async () => {
        const path = `/simulator/phone/${file}`;
        const { status, headers, text } = await harness.request('GET', path);
        status.should.equal(200);
        text.should.not.be.empty();
        should(headers.get('content-type')).equal(type);
        should(headers.get('x-content-type-options')).equal('nosniff');
        const etag = headers.get('etag') ?? '';
        for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
          const again = await harness.request('GET', path, { headers: { 'If-None-Match': known } });
          again.status.should.equal(304, known);
          again.text.should.equal('');
          for (const name of ['etag', 'cache-control', 'content-security-policy', 'vary']) {
            should(again.headers.get(name)).equal(headers.get(name), name);
          }
        }
        const changed = await harness.request('GET', path, { headers: { 'If-None-Match': '"other"' } });
        changed.text.should.equal(text);
      });
    }

    for (const [accepted, isCompressed] of [
      ['gzip, deflate, br', true],
      ['br;q=1.0, GZIP;q=0.5', true],
      ['identity', false],
      ['br, gzip;q=0', false],
      ['', false],
    ] as const) {
      it(`are ${isCompressed ? '' : 'not '}compressed for Accept-Encoding “${accepted}”`, async () => {
        const { headers, body } = await bytesOf('/simulator/phone/phone.js', accepted);
        should(headers['content-encoding']).equal(isCompressed ? 'gzip' : undefined);
        should(headers.vary).match(/Accept-Encoding/);
        const plain = await bytesOf('/simulator/phone/phone.js', 'identity');
        should((isCompressed ? gunzipSync(body) : body).equals(plain.body)).be.true();
        (headers.etag === plain.headers.etag).should.equal(!isCompressed);
      });
    }

    /** The answer as it is sent, before any client decodes it. */
    function bytesOf(
      path: string,
      accepted: string,
    ): Promise<{ headers: http.IncomingHttpHeaders; body: Buffer }> {
      return new Promise((resolve, reject) => {
        const request = http.get(
          harness.url + path,
          { headers: { 'Accept-Encoding': accepted } },
          (response) => {
            const parts: Buffer[] = [];
            response.on('data', (part: Buffer) => parts.push(part));
            response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
          },
        );
        request.on('error', reject);
      });
    }

    it('are another page in another language, which no cache may confuse', async () => {
      const [german, french] = await Promise.all(
        ['de', 'fr'].map((language) =>
          harness.request('GET', '/simulator/phone/', { headers: { 'Accept-Language': language } }),
        ),
      );
      should(german?.headers.get('content-language')).equal('de');
      should(french?.headers.get('content-language')).equal('fr');
      should(german?.headers.get('vary')).match(/Accept-Language/);
      const etag = german?.headers.get('etag') ?? '';
      etag.should.not.equal(french?.headers.get('etag'));
      const headers = { 'Accept-Language': 'fr', 'If-None-Match': etag };
      (await harness.request('GET', '/simulator/phone/', { headers })).status.should.equal(200);
    });
  });
});
