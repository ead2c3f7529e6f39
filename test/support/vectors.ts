import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface PublishedVector {
  id: string;
  source: string;
  method: 'GET' | 'POST';
  url: string;
  nonce: string;
  key: string;
  signature: string;
  valid_with_params: boolean;
  signature_with_params?: string;
  canonical_sha256: string;
  body: string;
}

export type NegativeVector = Omit<
  PublishedVector,
  'valid_with_params' | 'signature_with_params' | 'canonical_sha256'
>;

export interface CanonicalVector {
  n: string;
  method: string;
  url: string;
  nonce: string;
  key: string;
  params: Record<string, unknown>;
  canonical: string;
  signature: string;
}

/** The published signatures; see test/vectors/README.md. */
export const vectors = JSON.parse(
  readFileSync(path.join(__dirname, '..', 'vectors', 'onetouch-callbacks.json'), 'utf8'),
) as { published: PublishedVector[]; negative: NegativeVector[]; canonical: CanonicalVector[] };
