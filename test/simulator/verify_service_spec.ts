import should from 'should';
import { credentials, phone, service, shouldFail, VerifyHarness, wrong } from './verify_harness';

describe('simulator: service, attempts and look-ups of Twilio', () => {
  const harness = new VerifyHarness();
  before(() => harness.start());
  after(() => harness.stop());
  beforeEach(() => harness.control('DELETE', '/state'));

  it('says what the service is', async () => {
    const { status, body } = await harness.verify('GET', '');
    status.should.equal(200);
    body.should.have.properties({
      sid: credentials.serviceSid,
      friendly_name: 'Garage',
      code_length: 6,
      custom_code_enabled: false,
      url: `${harness.url}${service}`,
    });
    shouldFail(await harness.twilio('GET', `/v2/Services/VA${'0'.repeat(32)}`), 404, 20404);
  });

  describe('attempts', () => {
    let sid: string;
    beforeEach(async () => {
      const first = await harness.startVerification();
      ({ sid } = first);
      await harness.verify('POST', '/Verifications', { To: phone, Channel: 'call' });
      await harness.verify('POST', '/VerificationCheck', { To: phone, Code: first.code });
      harness.wait(3600);
      const second = await harness.startVerification({ To: '+4915123456789' });
      await harness.verify('POST', '/VerificationCheck', { To: '+4915123456789', Code: wrong(second.code) });
    });

    it('are counted', async () => {
      const { body } = await harness.twilio('GET', '/v2/Attempts/Summary');
      body.should.eql({
        total_attempts: 3,
        total_converted: 1,
        total_unconverted: 2,
        conversion_rate_percentage: '33.333333333',
        url: `${harness.url}/v2/Attempts/Summary`,
      });
      for (const [form, total] of [
        [{ Channel: 'sms' }, 2],
        [{ Channel: 'rbm' }, 0],
        [{ Country: 'DE' }, 1],
        [{ DestinationPrefix: '+1317' }, 2],
        [{ DateCreatedAfter: '2026-03-01T12:30:00Z' }, 1],
        [{ DateCreatedBefore: '2026-03-01T12:30:00Z' }, 2],
        [{ DateCreatedAfter: '2026-03-02' }, 0],
        [{ VerifyServiceSid: credentials.serviceSid }, 3],
        [{ VerifyServiceSid: `VA${'0'.repeat(32)}` }, 0],
      ] as const) {
        const summary = await harness.twilio('GET', '/v2/Attempts/Summary', form);
        should(summary.body['total_attempts']).equal(total, JSON.stringify(form));
      }
      shouldFail(
        await harness.twilio('GET', '/v2/Attempts/Summary', { DateCreatedAfter: 'yesterday' }),
        400,
        60200,
        /DateCreatedAfter/,
      );
    });

    it('are listed, newest first; the last one that was sent is the one that converted', async () => {
      const list = async (form = {}) =>
        (await harness.twilio('GET', '/v2/Attempts', form)).body['attempts'] as Record<string, unknown>[];
      (await list())
        .map(({ channel, conversion_status }) => [channel, conversion_status])
        .should.eql([
          ['sms', 'unconverted'],
          ['call', 'converted'],
          ['sms', 'unconverted'],
        ]);
      (await list({ VerificationSid: sid })).should.have.length(2);
      (await list({ Status: 'converted' })).should.matchEach({ verification_sid: sid });
      (await list({ 'ChannelData.To': '+4915123456789' })).should.match([
        { channel_data: { country: 'DE' } },
      ]);
    });

    it('none is no division', async () => {
      await harness.control('DELETE', '/state');
      const { body } = await harness.twilio('GET', '/v2/Attempts/Summary');
      body.should.have.properties({ total_attempts: 0, conversion_rate_percentage: '0' });
    });
  });

  describe('look-ups', () => {
    const lookUp = (number: string, form = {}) =>
      harness.twilio('GET', `/v2/PhoneNumbers/${encodeURIComponent(number)}`, form);
    const withType = { Fields: 'line_type_intelligence' };

    it('say whose number it can be', async () => {
      const { status, body } = await lookUp(phone);
      status.should.equal(200);
      body.should.have.properties({
        calling_country_code: '1',
        country_code: 'US',
        phone_number: phone,
        national_format: '(317) 555-0142',
        valid: true,
        validation_errors: [],
        line_type_intelligence: null,
        caller_name: null,
        url: `${harness.url}/v2/PhoneNumbers/%2B13175550142`,
      });
      (await lookUp('317 555 0142', { CountryCode: 'US' })).body.should.have.property('phone_number', phone);
    });

    it('answer 200 to a number that nobody can have', async () => {
      for (const [number, form, problem] of [
        ['+1317555', {}, 'TOO_SHORT'],
        ['+131755501421234567', {}, 'TOO_LONG'],
        ['+999123456789', {}, 'INVALID_COUNTRY_CODE'],
        ['hello', {}, 'NOT_A_NUMBER'],
        ['+11111111111', {}, 'INVALID_BUT_POSSIBLE'],
        ['3175550142', { CountryCode: 'XX' }, 'INVALID_COUNTRY_CODE'],
      ] as const) {
        const { status, body } = await lookUp(number, { ...withType, ...form });
        status.should.equal(200);
        body.should.have.properties({
          valid: false,
          validation_errors: [problem],
          line_type_intelligence: null,
        });
      }
    });

    it('know the kind of a line by the last digits', async () => {
      for (const [number, type, carrier, error] of [
        [phone, 'mobile', 'Simulated Mobile', null],
        ['+13175550000', 'landline', 'Simulated Landlines', null],
        ['+13175550001', 'nonFixedVoip', 'Simulated VoIP', null],
        ['+13175550002', null, null, 60_600],
        ['+13175550004', null, null, 60_600],
      ] as const) {
        should((await lookUp(number, withType)).body['line_type_intelligence']).have.properties({
          type,
          carrier_name: carrier,
          error_code: error,
        });
      }
      shouldFail(await lookUp('+13175550005', withType), 500, 20500);
      (await lookUp('+13175550005')).status.should.equal(200);
    });

    it('know the names of the packages', async () => {
      shouldFail(await lookUp(phone, { Fields: 'shoe_size' }), 400, 60200, /Fields/);
      const { body } = await lookUp(phone, { Fields: 'caller_name, line_type_intelligence' });
      should(body['line_type_intelligence']).have.property('type', 'mobile');
      should(body['caller_name']).be.null();
    });

    it('need the account, and leave no number in the log', async () => {
      harness.lines.length = 0;
      shouldFail(await harness.request('GET', `/v2/PhoneNumbers/${phone}`), 401, 20003);
      await lookUp(phone);
      harness.lines.should.eql([
        'Authy simulator: GET /v2/PhoneNumbers/***: 401',
        'Authy simulator: GET /v2/PhoneNumbers/***: 200',
      ]);
    });
  });
});
