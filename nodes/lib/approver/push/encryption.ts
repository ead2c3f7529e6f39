import { createCipheriv, createECDH, type ECDH, hkdfSync, randomBytes } from 'node:crypto';
import type { PushSubscription } from '../../contract/people';
import { newSubscription, PushRefused } from './refused';

/** The browser's keys of a subscription. `p256dh` is a point of P-256, uncompressed; `auth` has 16 bytes. */
export type SubscriptionKeys = Pick<PushSubscription, 'p256dh' | 'auth'>;

/** What is random in a message. */
export interface Chosen {
  /** 16 bytes. */
  readonly salt: Buffer;
  /** A key pair of P-256, for this message alone. */
  readonly ephemeral: ECDH;
  /** Of the whole body, in bytes: what is free is padded. */
  readonly length: number;
}

const curve = 'prime256v1';
/** The first octet of a point with both coordinates. Source: SEC 1, section 2.3.3. */
const uncompressed = 4;

// All in bytes.
const pointLength = 65;
const authLength = 16;
const saltLength = 16;
const tagLength = 16;
/** The header: salt, record size, length of the key, key. Source: RFC 8188, section 2.1. */
const headerLength = saltLength + 4 + 1 + pointLength;
/** Padding begins with this octet in the last record. Source: RFC 8188, section 2. */
const delimiter = 2;
const overhead = headerLength + 1 + tagLength;

/**
 * The lengths of a body. Nearly every message has the first one, so that the length says little. Push services need not take
 * more than the second (RFC 8291, section 4), and the one of Firefox on Android does not take even that
 * (web-push-libs/web-push-php #108).
 */
const lengths = [2048, 4096] as const;

/** The size of a record: the one that there is must be smaller. */
const recordSize = 4096;

/** The longest message, in bytes. */
export const longestPayload = lengths[1] - overhead;

/**
 * Encrypts a message, so that only the browser can read it: RFC 8291 in the coding aes128gcm of RFC 8188.
 *
 * @param payload - at most {@link longestPayload} bytes
 * @param chosen - for published examples; otherwise random, and of one length
 * @returns the body of the request
 * @throws PushRefused - if a key is not what it should be, or the message is too long
 */
export function encrypted(
  keys: SubscriptionKeys,
  payload: Buffer,
  chosen: Chosen = { salt: randomBytes(saltLength), ephemeral: freshPair(), length: lengthFor(payload) },
): Buffer {
  const { salt, ephemeral, length } = chosen;
  const receiver = bytesOf(keys.p256dh, pointLength, 'p256dh');
  const auth = bytesOf(keys.auth, authLength, 'auth');
  const sender = ephemeral.getPublicKey();
  const context = Buffer.concat([Buffer.from('WebPush: info\0'), receiver, sender]);
  const material = derived(sharedSecret(ephemeral, receiver), auth, context, 32);
  const key = derived(material, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derived(material, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const cipher = createCipheriv('aes-128-gcm', key, nonce);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(recordSize);
  const padding = Buffer.alloc(length - overhead - payload.length);
  return Buffer.concat([
    ...[salt, size, Buffer.of(pointLength), sender],
    ...[cipher.update(payload), cipher.update(Buffer.of(delimiter)), cipher.update(padding), cipher.final()],
    cipher.getAuthTag(),
  ]);
}

/** Checks that messages can be encrypted to these keys. @throws PushRefused */
export function checkKeys({ p256dh, auth }: SubscriptionKeys): void {
  bytesOf(auth, authLength, 'auth');
  sharedSecret(freshPair(), bytesOf(p256dh, pointLength, 'p256dh'));
}

function freshPair(): ECDH {
  const pair = createECDH(curve);
  pair.generateKeys();
  return pair;
}

function lengthFor(payload: Buffer): number {
  const length = lengths.find((one) => payload.length + overhead <= one);
  if (length !== undefined) return length;
  throw new PushRefused(
    `Shorten the message: it has ${payload.length} bytes, and ${longestPayload} are possible.`,
  );
}

/** Reads base64url, in the one form that these bytes have. The error does not show it. */
function bytesOf(text: string, length: number, name: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length === length && bytes.toString('base64url') === text) return bytes;
  throw new PushRefused(`${newSubscription}: its ${name} is not ${length} bytes in base64url.`);
}

function sharedSecret(ours: ECDH, theirs: Buffer): Buffer {
  try {
    // OpenSSL refuses what is no point of the curve, but takes hybrid points, whose first octet is another one.
    if (theirs[0] === uncompressed) return ours.computeSecret(theirs);
  } catch {
    // The error says the same, in the words of OpenSSL.
  }
  throw new PushRefused(`${newSubscription}: its p256dh is no point of the curve P-256.`);
}

function derived(material: Buffer, salt: Buffer, info: Buffer, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', material, salt, info, length));
}
