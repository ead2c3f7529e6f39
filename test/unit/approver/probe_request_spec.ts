import { setImmediate } from 'node:timers/promises';
import should from 'should';
import { sendProbe } from '../../../nodes/lib/approver/probe-request';

describe('A request to the public address of a page', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

  it('one that cannot be sent leaves nothing that ends Node-RED later', async () => {
    // That of the test itself is there by then.
    await setImmediate();
    const before = timers();
    const certificates = [{} as unknown as Buffer];
    const request = { method: 'POST', headers: {}, body: '{}', certificates, until: '}' } as const;
    await should(sendProbe({ ...request, url: 'https://127.0.0.1:9/approve/api/probe' })).be.rejected();
    should(timers()).equal(before);
  });
});
