import { createECDH, createPrivateKey, hkdfSync, type KeyObject, sign } from 'node:crypto';
import { PushRefused } from './refused';

/** The order of the curve P-256. Source: NIST SP 800-186, section 3.2.1.3. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

// In bytes.
const secretLength = 32;
const scalarLength = 32;
/** 64 bits more than needed: so no number is noticeably more likely than another. */
const candidateLength = scalarLength + 8;

/**
 * How long a token counts, in seconds. More than 24 hours are refused (RFC 8292, section 2); with half of that, the clocks may
 * differ by 12 hours.
 */
const validity = 12 * 60 * 60;

/**
 * Says to push services who sends: VAPID, RFC 8292. A subscription is bound to the public key: with another one, every phone
 * has to subscribe again.
 */
export class Vapid {
  /** What the browser is given to subscribe with, in base64url: a point of P-256, uncompressed. */
  readonly publicKey: string;
  readonly #privateKey: KeyObject;

  /**
   * Derives the key pair; nothing has to be stored but the secret. It is made as in FIPS 186-5, A.2.1 (extra random bits): trying
   * again until a number is in range would be code that runs once in 2^32 secrets.
   *
   * @param secret - 32 random bytes
   * @throws TypeError - if it has another length
   */
  constructor(secret: Uint8Array) {
    if (secret.length !== secretLength) {
      throw new TypeError(`Give ${secretLength} random bytes as the secret of Web Push.`);
    }
    const candidate = hkdfSync('sha256', secret, '', 'authy web push, vapid key', candidateLength);
    const number = (BigInt(`0x${Buffer.from(candidate).toString('hex')}`) % (order - 1n)) + 1n;
    const scalar = Buffer.from(number.toString(16).padStart(2 * scalarLength, '0'), 'hex');
    const pair = createECDH('prime256v1');
    pair.setPrivateKey(scalar);
    const point = pair.getPublicKey();
    const coordinate = (from: number): string => point.subarray(from, from + 32).toString('base64url');
    this.publicKey = point.toString('base64url');
    this.#privateKey = createPrivateKey({
      format: 'jwk',
      key: {
        kty: 'EC',
        crv: 'P-256',
        d: scalar.toString('base64url'),
        x: coordinate(1),
        y: coordinate(33),
      },
    });
  }

  /**
   * The header `Authorization` for requests to one push service.
   *
   * @param origin - of the endpoint, such as `https://fcm.googleapis.com`
   * @param subject - whom its operator can turn to: `mailto:…` or `https://…`. Apple's takes none of this machine
   * @param now - milliseconds since the epoch
   * @throws PushRefused - if the subject is neither
   */
  authorization(origin: string, subject: string, now: number = Date.now()): string {
    if (!/^(?:mailto:[^\s<>]+@[^\s<>]+|https:\/\/[^\s<>]+)$/.test(subject)) {
      throw new PushRefused(
        'Give an address that begins with mailto: or https:// as the sender of Web Push.',
      );
    }
    const claims = { aud: origin, exp: Math.floor(now / 1000) + validity, sub: subject };
    const signed = [{ typ: 'JWT', alg: 'ES256' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(signed), {
      key: this.#privateKey,
      dsaEncoding: 'ieee-p1363',
    });
    return `vapid t=${signed}.${signature.toString('base64url')}, k=${this.publicKey}`;
  }
}
