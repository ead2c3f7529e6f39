import type { Params } from '../../nodes/lib/services/authy/callback/signature';

/** How large the body is, in bytes. */
export const bodySize = 1600;

/** A OneTouch callback as Authy sends it, with the fields of the published samples, padded to {@link bodySize}. */
export function callbackParams(): Params {
  const uuid = '4a725520-bff5-0135-eb01-0e5d90336a8c';
  const withNote = (note: string): Params => ({
    authy_id: 688611,
    device_uuid: '7a4d03b0-9c2e-0135-c5a2-0ae5a5a3e4f1',
    callback_action: 'approval_request_status',
    uuid,
    status: 'approved',
    approval_request: {
      transaction: {
        details: { username: 'jdoe', location: 'Garage, north side', reference: '1234567890', note },
        device_details: {},
        device_geolocation: '',
        device_signing_time: 1512923419,
        encrypted: false,
        flagged: false,
        hidden_details: { transaction_id: 'TR139872562346' },
        message: 'Open the garage? Somebody stands in front of it.',
        reason: '',
        requester_details: null,
        status: 'approved',
        uuid,
        created_at_time: 1512923400,
        customer_uuid: 15083,
      },
      expiration_timestamp: 1513009800,
      logos: [{ res: 'default', url: 'https://example.com/logo.png' }],
      app_id: '582380eb7e1caa03317ec08c',
    },
    signature: `${'pQmypvnmoIb7qIHrKcd3nwPArh8Ecr8L87XTYqqAfagDkXhOD7CulSdDkE0I+/'.repeat(5)}BQ==`,
    device: {
      city: null,
      country: 'Colombia',
      ip: '190.130.65.251',
      region: null,
      registration_city: null,
      registration_country: 'Colombia',
      registration_ip: '190.130.66.242',
      registration_method: 'sms',
      registration_region: null,
      os_type: 'android',
      last_account_recovery_at: null,
      id: 2102943,
      registration_date: 1505418165,
      last_sync_date: 1505418173,
    },
  });
  const missing = bodySize - JSON.stringify(withNote('')).length;
  if (missing < 0) throw new Error('The body is too large already.');
  return withNote('Please look at the camera first. '.repeat(bodySize).slice(0, missing));
}
