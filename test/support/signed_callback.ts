import type { CallbackRequest } from '../../nodes/lib/contract/service';
import { canonicalParams, type Params, signature } from '../../nodes/lib/services/authy/callback/signature';

/** How a callback reaches the validator. */
export const callbackModes = ['raw', 'parsed', 'get'] as const;
export type CallbackMode = (typeof callbackModes)[number];

export const callbackKey = 'the-key';
export const callbackUrl = 'https://nodered.example/authy/callback';
export const callbackNonce = '1700000000';

/** A callback with every field that the validator reads, and with additional ones. */
export function callbackAnswer(status: 'approved' | 'denied' = 'approved', added: Params = {}): Params {
  return {
    ...added,
    authy_id: 209,
    uuid: '4a725520-bff5-0135-eb01-0e5d90336a8c',
    status,
    approval_request: { transaction: { status, message: 'Open?', details: { Where: 'Home' } } },
  };
}

/** A request with these parameters, as the simulator signs and sends them. */
export function signedCallback(params: Params, mode: CallbackMode, signed: Params = params): CallbackRequest {
  const method = mode === 'get' ? 'GET' : 'POST';
  return {
    method,
    url: callbackUrl,
    headers: {
      'content-type': 'application/json',
      'x-authy-signature': signature({
        apiKey: callbackKey,
        nonce: callbackNonce,
        method,
        url: callbackUrl,
        params: signed,
      }),
      'x-authy-signature-nonce': callbackNonce,
    },
    ...carried(params, mode),
  };
}

/** The query and the body that carry the parameters in this mode. */
export function carried(params: Params, mode: CallbackMode): Pick<CallbackRequest, 'query' | 'body'> {
  if (mode === 'get') return { query: canonicalParams(params), body: undefined };
  const text = JSON.stringify(params);
  return { query: '', body: mode === 'raw' ? Buffer.from(text) : (JSON.parse(text) as unknown) };
}
