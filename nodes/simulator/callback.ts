import { randomBytes, X509Certificate } from 'node:crypto';
import https from 'node:https';
import axios from 'axios';
import { parseQuery } from '../lib/services/authy/callback/query';
import { canonicalParams, type Params, signature } from '../lib/services/authy/callback/signature';
import { deviceOf } from './device';
import type { CallbackCourse } from './faults';
import {
  application,
  type CallbackForm,
  type CallbackMethod,
  type CallbackTarget,
  callbackUrlProblem,
  type Settings,
} from './settings';
import type { Approval } from './state/approvals';
import type { CallbackReport } from './state/callback-report';

/** How long a delivery may take, in milliseconds. */
const deadline = 10_000;

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
 * Sends a callback as Authy does, or with the faults of its course, and reports the result; never throws. The caller
 * handles a delay. If one of several copies gets no answer, no further ones are sent.
 *
 * @param target - where it goes; undefined: nowhere
 * @param approval - one that was answered
 * @param now - the clock, in milliseconds since 1970, for the nonces
 * @param stop - ends a running delivery
 */
export async function deliverCallback(
  settings: Readonly<Settings>,
  target: CallbackTarget | undefined,
  approval: Approval,
  course: CallbackCourse,
  now: () => number,
  stop: AbortSignal,
): Promise<CallbackReport> {
  const { callbackMethod: method } = settings;
  if (target === undefined) return { url: null, method, failure: 'missing', error: 'no callback URL set' };
  const report = { url: target.url, method };
  const problem = callbackUrlProblem(target.url);
  if (problem !== undefined) return { ...report, failure: 'address', error: problem };
  if (course.isLost) return { ...report, failure: 'lost', error: 'the simulator was told to lose it' };
  const body = callbackBody(approval, settings.callbackForm, course.contradicts);
  const apiKey = course.isForged ? randomBytes(16).toString('hex') : settings.apiKey;
  try {
    let status = await send(apiKey, target, method, body, now(), stop);
    for (let sent = 1; sent < course.copies; sent++) {
      status = await send(apiKey, target, method, body, now(), stop);
    }
    return { ...report, status };
  } catch (error) {
    return { ...report, ...failureOf(error, stop) };
  }
}

async function send(
  apiKey: string,
  { url: callbackUrl, certificates }: CallbackTarget,
  method: CallbackMethod,
  body: Params,
  now: number,
  stop: AbortSignal,
): Promise<number> {
  // The address is signed as it was set, without its query string.
  const [address = '', query = ''] = (callbackUrl.split('#')[0] ?? '').split(/\?(.*)/s);
  // In a GET the parameters of the address are parameters like the others.
  const params = method === 'GET' ? { ...parseQuery(query), ...body } : body;
  const nonce = String(Math.floor(now / 1000)).padStart(10, '0');
  const response = await axios.request<NodeJS.ReadableStream & { destroy(): void }>({
    method,
    url: method === 'GET' ? `${address}?${canonicalParams(params)}` : callbackUrl,
    data: method === 'POST' ? JSON.stringify(body) : undefined,
    headers: {
      ...(method === 'POST' ? { 'Content-Type': 'application/json' } : {}),
      'User-Agent': 'authy-simulator',
      'X-Authy-Signature': signature({ apiKey, nonce, method, url: address, params }),
      'X-Authy-Signature-Nonce': nonce,
    },
    // The address may be anything: it is called directly, once, and its answer is not read.
    proxy: false,
    ...(certificates === undefined ? {} : { httpsAgent: onlyFor(certificates) }),
    maxRedirects: 0,
    responseType: 'stream',
    validateStatus: () => true,
    signal: AbortSignal.any([stop, AbortSignal.timeout(deadline)]),
  });
  response.data.destroy();
  return response.status;
}

/** Connects to a server with one of these certificates, whoever has signed it and whatever names it has, and to no other. */
function onlyFor(certificates: readonly (string | Buffer)[]): https.Agent {
  const known = certificates.map((certificate) => new X509Certificate(certificate).fingerprint256);
  return new https.Agent({
    ca: [...certificates],
    // A certificate that an authority has signed is trusted as well, without the authority's own.
    allowPartialTrustChain: true,
    checkServerIdentity: (_name, { fingerprint256 }) =>
      known.includes(fingerprint256) ? undefined : new Error('the certificate is not the one of this server'),
  });
}

function failureOf(error: unknown, stop: AbortSignal): Pick<CallbackReport, 'failure' | 'error'> {
  if (stop.aborted) return { failure: 'stopped', error: 'the simulator was stopped' };
  if (axios.isCancel(error)) return { failure: 'timeout', error: `no answer within ${deadline / 1000} s` };
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  // Some errors have no message, and some no code.
  return { failure: 'connection', error: message || code || 'unknown error' };
}
