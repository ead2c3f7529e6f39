import { randomBytes } from 'node:crypto';
import type { Factor } from '../contract/people';

/**
 * An authenticator that its owner has used elsewhere. No service of ours knows it yet.
 *
 * @param secret - in base32
 * @param createdAt - milliseconds since 1970
 */
export function importedFactor(secret: string, createdAt: number): Factor {
  const id = `imported-${randomBytes(8).toString('hex')}`;
  return { id, type: 'totp', state: 'verified', name: 'imported', secret, createdAt };
}
