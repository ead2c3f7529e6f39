import { toBase64url } from './base64url.js';

/**
 * What a passkey signs: the whole request in one form. It changes only together with its first element, and with the
 * server's `approval-challenge`.
 *
 * @param request - the asker, message and details as they are shown, the rest as the server gave it
 */
export function canonicalText({ id, authyId, asker, message, details, hidden, atLeast, expiresAt, nonce }) {
  return JSON.stringify([
    'authy approval 1',
    id,
    authyId,
    asker,
    message,
    details,
    hidden,
    atLeast,
    expiresAt,
    nonce,
    'approve',
  ]);
}

/** The challenge of a request: the SHA-256 of its canonical text, in base64url. Only secure contexts have it. */
export async function challengeOf(request) {
  const bytes = new TextEncoder().encode(canonicalText(request));
  return toBase64url(await crypto.subtle.digest('SHA-256', bytes));
}
