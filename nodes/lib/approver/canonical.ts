import { createHash } from 'node:crypto';
import type { ApprovalRequest } from '../contract/people';

/**
 * The text of a request that an approval signs: everything that the phone shows, and everything that makes the request this one.
 * The page on the phone makes it itself from what it shows: so both have to write it alike.
 */
export function signedText(authyId: string, request: ApprovalRequest): string {
  const { id, asker, message, details, hidden, atLeast, expiresAt, nonce } = request;
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

/** What a passkey signs for a text: its SHA-256, in base64url. */
export function challengeOf(text: string): string {
  return sha256(text);
}

/** What stands for the hidden details of a request: blank if there are none. */
export function hiddenHash(hidden: Readonly<Record<string, string>> | undefined): string {
  return hidden === undefined ? '' : sha256(JSON.stringify(Object.entries(hidden)));
}

/** SHA-256 of a text in UTF-8, in base64url. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
