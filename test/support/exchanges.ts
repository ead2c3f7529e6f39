import type { DoneBy } from '../../nodes/lib/contract/service';
import type { abilities } from '../../nodes/lib/services/authy/abilities';

export const uuid = '4a725520-bff5-0135-eb01-0e5d90336a8c';
export const phone = { phoneNumber: '317-338-9302', countryCode: '1' };
const phoneResult = { phoneNumber: '+13173389302', countryCode: '1' };

/** One call of an operation and what Authy answers. */
export interface Exchange {
  inputs: Record<string, unknown>;
  /** Method, path and query as they must be sent. */
  request: string;
  body?: unknown;
  answer: Record<string, unknown>;
  outcome: string;
  result: Record<string, unknown>;
}

const device = { os_type: 'android', id: 5 };

/** An operation that Authy does. */
export type OnAuthy = DoneBy<typeof abilities>;

/** One exchange for each of them, as documented. */
export const exchanges: Record<OnAuthy, Exchange> = {
  userCreate: {
    inputs: { email: 'user@example.com', ...phone },
    request: 'POST /protected/json/users/new',
    body: {
      user: { email: 'user@example.com', cellphone: '3173389302', country_code: '1' },
      send_install_link_via_sms: false,
    },
    answer: { message: 'User created successfully.', user: { id: 209 }, success: true },
    outcome: 'created',
    result: { authyId: '209', ...phoneResult },
  },
  userStatus: {
    inputs: { authyId: 209 },
    request: 'GET /protected/json/users/209/status',
    answer: {
      status: {
        authy_id: 209,
        confirmed: true,
        registered: false,
        country_code: 1,
        phone_number: 'XXX-XXX-9302',
        devices: ['android'],
        has_hard_token: false,
        account_disabled: false,
      },
      message: 'User status.',
      success: true,
    },
    outcome: 'read',
    result: {
      authyId: '209',
      confirmed: true,
      registered: false,
      maskedPhone: 'XXX-XXX-9302',
      countryCode: '1',
      email: null,
      devices: ['android'],
      hasHardToken: false,
      accountDisabled: false,
      identity: null,
    },
  },
  userUpdate: {
    inputs: { authyId: '209', email: 'new@example.com' },
    request: 'POST /protected/json/users/209/update',
    body: { email: 'new@example.com' },
    answer: { message: 'User was updated successfully', success: true },
    outcome: 'updated',
    result: { authyId: '209', email: 'new@example.com' },
  },
  userDelete: {
    inputs: { authyId: '209' },
    request: 'POST /protected/json/users/209/remove',
    body: {},
    answer: { message: 'User removed from application', success: true },
    outcome: 'deleted',
    result: { authyId: '209', deleted: true },
  },
  userExport: {
    inputs: { authyId: '209' },
    request: 'GET /protected/json/users/209/phone_number',
    // It has no `success`.
    answer: {
      phone_number: '317-338-9302',
      country_code: '1',
      e164: '+13173389302',
      updated_at: '2021-12-09T15:41:20Z',
    },
    outcome: 'read',
    result: { authyId: '209', ...phoneResult, totpSecret: null, token: null },
  },
  userQr: {
    inputs: { authyId: '209', label: 'Home', size: '200' },
    request: 'POST /protected/json/users/209/secret',
    body: { label: 'Home', qr_size: 200 },
    answer: { qr_code: 'https://example.com/qr.png', label: 'Home', issuer: 'App', success: true },
    outcome: 'made',
    result: {
      authyId: '209',
      qrCode: 'https://example.com/qr.png',
      label: 'Home',
      issuer: 'App',
      recoveryCodes: null,
    },
  },
  userActivity: {
    inputs: { authyId: '209', activity: 'banned', data: { reason: 'spam' } },
    request: 'POST /protected/json/users/209/register_activity',
    body: { type: 'banned', data: { reason: 'spam' } },
    answer: { message: 'Activity was created.', success: true },
    outcome: 'recorded',
    result: { authyId: '209', activity: 'banned' },
  },
  tokenSms: {
    inputs: { authyId: '209', force: true, action: 'login', actionMessage: 'Log in to x & y', locale: 'de' },
    request: 'GET /protected/json/sms/209?force=true&action=login&action_message=Log+in+to+x+%26+y&locale=de',
    answer: { success: true, message: 'SMS token was sent', cellphone: '+1-XXX-XXX-XX02' },
    outcome: 'sent',
    result: { authyId: '209', sent: true, ignored: false, maskedPhone: '+1-XXX-XXX-XX02', device: null },
  },
  tokenCall: {
    inputs: { authyId: '209', force: false },
    request: 'GET /protected/json/call/209?force=false',
    answer: {
      success: true,
      ignored: true,
      device: 'android',
      message: 'Call ignored…',
      cellphone: '+1-XXX',
    },
    outcome: 'ignored',
    result: { authyId: '209', sent: false, ignored: true, maskedPhone: '+1-XXX', device: 'android' },
  },
  tokenEmail: {
    inputs: { authyId: '209' },
    request: 'POST /protected/json/email/209',
    body: {},
    answer: { success: true, message: 'Email token was sent', email: 'u@example.com', email_id: 'EM1' },
    outcome: 'sent',
    result: { authyId: '209', sent: true, email: 'u@example.com', emailId: 'EM1' },
  },
  tokenVerify: {
    inputs: { authyId: '209', token: '0123456' },
    request: 'GET /protected/json/verify/0123456/209?force=true',
    answer: { message: 'Token is valid.', token: 'is valid', success: 'true', device },
    outcome: 'valid',
    result: { authyId: '209', valid: true, reason: null, device },
  },
  phoneStart: {
    inputs: { ...phone, via: 'sms', codeLength: 6, locale: 'es' },
    request: 'POST /protected/json/phones/verification/start',
    body: { country_code: '1', phone_number: '3173389302', via: 'sms', locale: 'es', code_length: 6 },
    answer: {
      carrier: 'AT&T',
      is_cellphone: true,
      is_ported: false,
      message: 'Text message sent to +1 317-338-9302.',
      seconds_to_expire: 599,
      uuid,
      success: true,
    },
    outcome: 'sent',
    result: {
      ...phoneResult,
      via: 'sms',
      verificationId: uuid,
      secondsToExpire: 599,
      carrier: 'AT&T',
      isCellphone: true,
      isPorted: false,
    },
  },
  phoneCheck: {
    inputs: { ...phone, code: '0123' },
    request:
      'GET /protected/json/phones/verification/check?country_code=1&phone_number=3173389302&verification_code=0123',
    answer: { message: 'Verification code is correct.', success: true },
    outcome: 'valid',
    result: { ...phoneResult, valid: true, reason: null },
  },
  phoneStatus: {
    inputs: phone,
    request: 'GET /protected/json/phones/verification/status?country_code=1&phone_number=3173389302',
    answer: {
      message: 'Phone Verification status.',
      status: 'pending',
      seconds_to_expire: 300,
      success: true,
    },
    outcome: 'read',
    result: { status: 'pending', secondsToExpire: 300 },
  },
  phoneInfo: {
    inputs: phone,
    request: 'GET /protected/json/phones/info?country_code=1&phone_number=3173389302',
    answer: {
      message: 'Phone number information',
      type: 'voip',
      provider: 'Pinger',
      ported: false,
      success: true,
    },
    outcome: 'read',
    result: { ...phoneResult, type: 'voip', provider: 'Pinger', ported: false },
  },
  appDetails: {
    inputs: {},
    request: 'GET /protected/json/app/details',
    answer: {
      app: {
        name: 'Garage',
        plan: 'pay',
        sms_enabled: true,
        phone_calls_enabled: false,
        app_id: 7,
        onetouch_enabled: true,
      },
      message: 'Application information.',
      success: true,
    },
    outcome: 'read',
    result: {
      appId: 7,
      name: 'Garage',
      plan: 'pay',
      smsEnabled: true,
      phoneCallsEnabled: false,
      onetouchEnabled: true,
    },
  },
  appStats: {
    inputs: {},
    request: 'GET /protected/json/app/stats',
    answer: {
      message: 'Monthly statistics.',
      count: 1,
      total_users: 9,
      app_id: 7,
      stats: [
        {
          month: 'July',
          year: 2026,
          sms_count: 1,
          calls_count: 2,
          users_count: 3,
          auths_count: 4,
          api_calls_count: 5,
        },
      ],
      success: true,
    },
    outcome: 'read',
    result: {
      appId: 7,
      totalUsers: 9,
      months: [
        {
          month: 'July',
          year: 2026,
          smsCount: 1,
          callsCount: 2,
          usersCount: 3,
          authsCount: 4,
          apiCallsCount: 5,
        },
      ],
    },
  },
  onetouchSend: {
    inputs: {
      authyId: '209',
      message: 'Open the garage?',
      details: { Where: 'Home' },
      hiddenDetails: { door: 1 },
      logos: [{ res: 'default', url: 'https://example.com/l.png' }],
      secondsToExpire: 0,
    },
    request: 'POST /onetouch/json/users/209/approval_requests',
    body: {
      message: 'Open the garage?',
      details: { Where: 'Home' },
      hidden_details: { door: '1' },
      logos: [{ res: 'default', url: 'https://example.com/l.png' }],
      seconds_to_expire: 0,
    },
    answer: { approval_request: { uuid }, success: true },
    outcome: 'sent',
    result: { approvalId: uuid, authyId: '209', status: 'pending' },
  },
  onetouchStatus: {
    inputs: { approvalId: uuid },
    request: `GET /onetouch/json/approval_requests/${uuid}`,
    answer: {
      approval_request: {
        _authy_id: '209',
        uuid,
        status: 'approved',
        notified: true,
        created_at: '2026-01-01T00:00:00Z',
        processed_at: '2026-01-01T00:00:09Z',
        seconds_to_expire: 86400,
      },
      success: true,
    },
    outcome: 'approved',
    result: {
      approvalId: uuid,
      authyId: '209',
      status: 'approved',
      notified: true,
      createdAt: '2026-01-01T00:00:00Z',
      processedAt: '2026-01-01T00:00:09Z',
      secondsToExpire: 86400,
    },
  },
};

/** Their names. */
export const onAuthy = Object.keys(exchanges) as OnAuthy[];
