import should from 'should';
import { Harness, phone } from './harness';

describe('simulator: application', () => {
  const harness = new Harness();
  before(() => harness.start());
  after(() => harness.stop());

  it('details are answered as documented', async () => {
    const { status, body } = await harness.api('GET', '/protected/json/app/details');
    status.should.equal(200);
    body.should.eql({
      success: true,
      app: {
        name: 'Garage',
        plan: 'simulator',
        sms_enabled: true,
        phone_calls_enabled: true,
        app_id: 1,
        onetouch_enabled: true,
      },
      message: 'Application information.',
    });
  });

  it('statistics count messages, calls, users and requests by month', async () => {
    await harness.control('POST', '/reset');
    const id = await harness.createUser();
    await harness.api('GET', `/protected/json/sms/${id}`);
    await harness.api('POST', '/protected/json/phones/verification/start', { ...phone, via: 'sms' });
    await harness.api('GET', `/protected/json/call/${id}`);
    harness.wait(31 * 86_400);
    await harness.api('GET', `/protected/json/verify/0000000/${id}`, { force: 'true' });
    const { body } = await harness.api('GET', '/protected/json/app/stats');
    body.should.have.properties({
      success: true,
      message: 'Monthly statistics.',
      count: 2,
      total_users: 1,
      app_id: 1,
    });
    should(body['stats']).eql([
      {
        month: 'March',
        year: 2026,
        sms_count: 2,
        calls_count: 1,
        users_count: 1,
        auths_count: 0,
        api_calls_count: 4,
      },
      {
        month: 'April',
        year: 2026,
        sms_count: 0,
        calls_count: 0,
        users_count: 0,
        auths_count: 1,
        api_calls_count: 2,
      },
    ]);
  });
});
