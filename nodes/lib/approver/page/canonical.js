import { toBase64url } from './base64url.js';
import { Problem } from './problems.js';

/**
 * What a passkey signs: everything that is shown of a request, and everything that makes it this one. The server makes the
 * same text: both have to write it alike.
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

/** The challenge of a request: the SHA-256 of its canonical text, in base64url. @throws Problem - the page is no secure context */
export async function challengeOf(request) {
  if (!isSecureContext) throw new Problem('wrongAddress');
  const bytes = new TextEncoder().encode(canonicalText(request));
  return toBase64url(await crypto.subtle.digest('SHA-256', bytes));
}
