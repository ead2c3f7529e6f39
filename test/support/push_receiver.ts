import { createECDH, createPublicKey, type ECDH, randomBytes, verify } from 'node:crypto';
import { decrypt } from 'http_ece';
import type { SubscriptionKeys } from '../../nodes/lib/approver/push/encryption';

/** What a browser has of a subscription: its keys. Decrypts by an implementation that is not ours. */
export class PushReceiver {
  readonly keys: SubscriptionKeys;

  constructor(
    private readonly pair: ECDH = newPair(),
    auth = randomBytes(16).toString('base64url'),
  ) {
    this.keys = { p256dh: pair.getPublicKey('base64url'), auth };
  }

  /** What a browser reads of the body of a request. */
  opened(body: Buffer): Buffer {
    return decrypt(body, { version: 'aes128gcm', privateKey: this.pair, authSecret: this.keys.auth });
  }
}

/** A new key pair of P-256. */
export function newPair(): ECDH {
  const pair = createECDH('prime256v1');
  pair.generateKeys();
  return pair;
}

/** The key pair with this private key, in base64url. */
export function pairOf(privateKey: string): ECDH {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(privateKey, 'base64url');
  return pair;
}

export interface VapidClaims {
  aud: string;
  exp: number;
  sub: string;
}

/** What a push service reads of the header Authorization: the claims, if the signature is right, and the key. */
export function readAuthorization(header: string): { claims: VapidClaims; key: string } {
  const [, start = '', claims = '', signature = '', key = ''] =
    /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(header) ?? [];
  const point = Buffer.from(key, 'base64url');
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      ...{ kty: 'EC', crv: 'P-256' },
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const isRight = verify(
    'sha256',
    Buffer.from(`${start}.${claims}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!isRight) throw new Error('The signature is wrong.');
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  const { typ, alg } = read(start) as { typ: string; alg: string };
  if (typ !== 'JWT' || alg !== 'ES256') throw new Error('The token is of another kind.');
  return { claims: read(claims) as VapidClaims, key };
}
