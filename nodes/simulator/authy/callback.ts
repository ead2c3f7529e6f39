import { randomBytes } from 'node:crypto';
import { parseQuery } from '../../lib/services/authy/callback/query';
import { canonicalParams, type Params, signature } from '../../lib/services/authy/callback/signature';
import type { Callback, Outgoing } from '../delivery';
import { deviceOf } from '../device';
import {
  application,
  type CallbackForm,
  type CallbackMethod,
  callbackTarget,
  type Settings,
} from '../settings';
import type { Approval } from '../state/approvals';

/**
 * The body of a callback, every field that Authy sends.
 *
 * Source: the callbacks in twilio/authy-java's tests (TestAuthyUtil.java)
 *
 * @param approval - one that was answered
 * @param contradicts - whether it says the opposite of the answer
 */
export function callbackBody(approval: Approval, form: CallbackForm, contradicts: boolean): Params {
  const { user, uuid } = approval;
  const status = (approval.answer === 'approve') !== contradicts ? 'approved' : 'denied';
  const device = deviceOf(user);
  const multidevice = { multidevice_enabled: false, multidevice_updated_at: device.registration_date };
  const fields2019 = {
    ...multidevice,
    last_unlock_date: seconds(approval.answeredAt),
    enabled_unlock_methods: ['pin'],
    last_unlock_method_used: 'pin',
    registration_device_id: device.id,
  };
  return {
    authy_id: user.id,
    device_uuid: device.id,
    callback_action: 'approval_request_status',
    uuid,
    status,
    approval_request: {
      transaction: {
        details: approval.details,
        device_details: {},
        device_geolocation: '',
        device_signing_time: seconds(approval.answeredAt),
        encrypted: false,
        flagged: false,
        hidden_details: approval.hiddenDetails,
        message: approval.message,
        reason: '',
        requester_details: null,
        status,
        uuid,
        created_at_time: seconds(approval.createdAt),
        customer_uuid: application.serialId,
      },
      expiration_timestamp: seconds(approval.expiresAt),
      logos: approval.logos,
      app_id: application.id,
    },
    // The device's own signature. Nobody can verify it: only its length is right.
    signature: randomBytes(256).toString('base64'),
    ...(form === '2017' ? { device } : { device: { ...device, ...fields2019 }, ...multidevice }),
  };
}

function seconds(time: number | undefined): number {
  return time === undefined ? 0 : Math.floor(time / 1000);
}

/**
 * The callback of an answered approval, as Authy sends it. It uses the settings of this moment, however late it is sent.
 *
 * @param now - the clock, in milliseconds since 1970, for the nonces
 */
export function callbackOf(
  { ...settings }: Readonly<Settings>,
  approval: Approval,
  now: () => number,
): Callback {
  const { callbackMethod: method } = settings;
  return {
    target: callbackTarget(settings),
    method,
    prepare: ({ isForged, contradicts }) => {
      const body = callbackBody(approval, settings.callbackForm, contradicts);
      const apiKey = isForged ? randomBytes(16).toString('hex') : settings.apiKey;
      return (url) => write(apiKey, url, method, body, now());
    },
  };
}

function write(
  apiKey: string,
  callbackUrl: string,
  method: CallbackMethod,
  body: Params,
  now: number,
): Outgoing {
  // The address is signed as it was set, without its query string.
  const [address = '', query = ''] = (callbackUrl.split('#')[0] ?? '').split(/\?(.*)/s);
  // In a GET the parameters of the address are parameters like the others.
  const params = method === 'GET' ? { ...parseQuery(query), ...body } : body;
  const nonce = String(Math.floor(now / 1000)).padStart(10, '0');
  const headers = {
    'User-Agent': 'authy-simulator',
    'X-Authy-Signature': signature({ apiKey, nonce, method, url: address, params }),
    'X-Authy-Signature-Nonce': nonce,
  };
  return method === 'GET'
    ? { url: `${address}?${canonicalParams(params)}`, headers }
    : {
        url: callbackUrl,
        headers: { 'Content-Type': 'application/json', ...headers },
        data: JSON.stringify(body),
      };
}
