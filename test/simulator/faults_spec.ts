import should from 'should';
import { Harness, key, shouldFail } from './harness';

describe('simulator: requests with faults', () => {
  const harness = new Harness();
  let id: number;
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(async () => {
    await harness.control('POST', '/reset');
    id = await harness.createUser();
  });

  const set = async (...faults: object[]): Promise<void> => {
    (await harness.control('PUT', '/faults', { faults })).status.should.equal(200);
  };
  const ask = () => harness.api('GET', `/protected/json/users/${id}/status`);

  it('answers with a status, a number and Retry-After', async () => {
    await set(
      { kind: 'status', status: 429, retryAfter: 2, times: 1 },
      { kind: 'status', status: 500, times: 1 },
    );
    const limited = await ask();
    shouldFail(limited, 429, '60003');
    should(limited.headers.get('retry-after')).equal('2');
    should(limited.body['message']).match(/Simulator/);
    const failed = await ask();
    failed.status.should.equal(500);
    failed.body.should.not.have.property('error_code');
    (await ask()).status.should.equal(200);
    await set({
      kind: 'status',
      status: 503,
      code: '60060',
      message: 'Suspended',
      retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT',
    });
    const suspended = await ask();
    shouldFail(suspended, 503, '60060');
    should(suspended.body['message']).equal('Suspended');
    should(suspended.headers.get('retry-after')).equal('Wed, 21 Oct 2026 07:28:00 GMT');
  });

  it('answers with an HTML page instead of JSON', async () => {
    await set({ kind: 'html' });
    const page = await ask();
    page.status.should.equal(502);
    should(page.headers.get('content-type')).startWith('text/html');
    page.text.should.containEql('simulator');
    await set({ kind: 'html', status: 200 });
    (await ask()).status.should.equal(200);
  });

  it('answers with JSON that ends in the middle', async () => {
    await set({ kind: 'garbage' });
    const { status, text } = await ask();
    status.should.equal(200);
    should(() => JSON.parse(text) as unknown).throw();
  });

  it('drops the connection before or after the request is carried out', async () => {
    const sms = () => harness.api('GET', `/protected/json/sms/${id}`);
    await set({ kind: 'drop', times: 1 });
    await sms().should.be.rejected();
    (await harness.messages()).should.be.empty();
    await set({ kind: 'drop', after: true, times: 1 });
    await sms().should.be.rejected();
    (await harness.messages()).should.have.length(1);
    should((await harness.control('GET', '/requests?path=/sms/')).body).match({
      count: 2,
      requests: [
        { status: null, fault: 'drop' },
        { status: null, fault: 'drop' },
      ],
    });
  });

  it('answers late, and then as the next fault says', async () => {
    await set({ kind: 'latency', ms: 80 }, { kind: 'status', status: 503, times: 1 });
    for (const status of [503, 200]) {
      const began = performance.now();
      (await ask()).status.should.equal(status);
      (performance.now() - began).should.be.above(70);
    }
  });

  it('does not carry out a delayed request if its client has disconnected', async () => {
    await set({ kind: 'latency', ms: 1000, times: 1 });
    const signal = AbortSignal.timeout(20);
    await fetch(`${harness.url}/protected/json/sms/${id}?api_key=${key}`, { signal }).should.be.rejected();
    await new Promise((resolve) => setTimeout(resolve, 1200));
    (await harness.messages()).should.be.empty();
  });

  it('refuses GETs with a body, and no others', async () => {
    await set({ kind: 'refuseGetBody' });
    (await ask()).status.should.equal(200);
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const headers = { 'X-Authy-API-Key': key, 'Content-Length': 2, 'Content-Type': 'application/json' };
      request(`${harness.url}/protected/json/users/${id}/status`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end('{}');
    });
    should(status).equal(400);
  });

  it('is limited to a method, a part of the path and a number of requests', async () => {
    await set({ kind: 'status', status: 500, method: 'post', path: '/update', times: 2 });
    const update = () => harness.api('POST', `/protected/json/users/${id}/update`, { email: 'a@b.example' });
    (await ask()).status.should.equal(200);
    (await update()).status.should.equal(500);
    should((await harness.control('GET', '/faults')).body).eql({
      faults: [{ kind: 'status', status: 500, method: 'post', path: '/update', times: 1 }],
    });
    (await update()).status.should.equal(500);
    (await update()).status.should.equal(200);
    should((await harness.control('GET', '/faults')).body).eql({ faults: [] });
  });

  it('does not apply to the control interface or the page', async () => {
    await set({ kind: 'drop' });
    for (const path of ['', '/users', '/phone/'])
      (await harness.control('GET', path)).status.should.equal(200);
  });

  it('says what is wrong with a fault, and keeps the old faults', async () => {
    await set({ kind: 'garbage' });
    for (const [faults, problem] of [
      [undefined, /"faults" has to be a list/],
      ['drop', /has to be a list/],
      [['drop'], /faults\[0\] has to be an object/],
      [[{ kind: 'explode' }], /faults\[0\]\.kind has to be one of status, html, latency/],
      [[{ kind: 'drop' }, { kind: 'status' }], /faults\[1\]\.status has to be a status from 200 to 599/],
      [[{ kind: 'status', status: 99 }], /status/],
      [[{ kind: 'latency' }], /faults\[0\]\.ms has to be milliseconds/],
      [[{ kind: 'drop', times: 0 }], /times has to be a whole number from 1/],
      [[{ kind: 'drop', after: 'yes' }], /after has to be true or false/],
      [[{ kind: 'drop', pth: '/sms' }], /faults\[0\]\.pth is not known; .*path/],
    ] as const) {
      const { status, body } = await harness.control('PUT', '/faults', { faults });
      status.should.equal(400);
      should(body['error']).match(problem);
    }
    should((await harness.control('GET', '/faults')).body).eql({ faults: [{ kind: 'garbage' }] });
  });
});
