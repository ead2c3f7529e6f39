import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  scrypt,
  type ScryptOptions,
  timingSafeEqual,
} from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { AuthyError } from '../contract/errors';
import type { KeyedHash } from '../contract/people';
import { codeOf, diskError, replaceFile, syncFolder } from '../storage/disk';
import { InTurn } from '../storage/in-turn';

/** A secret as it is stored: `v1.KEY.BYTES`, the id of its key, and nonce, encrypted text and tag in base64url. */
export type SealedText = string & { readonly isSealed: true };

/** Where the key comes from. The first that there is seals; each opens what it has sealed. */
export interface KeySources {
  /** `credentialSecret` of settings.js, where it is set. */
  readonly credentialSecret?: string | undefined;
  /** A file that holds a random key. It is made when a key is needed and there is no other. */
  readonly keyFile?: string | undefined;
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
  /** For hashes. */
  readonly hashing: Buffer;
  /** Another key, for a purpose. */
  readonly derived: (purpose: string) => Buffer;
}

const algorithm = 'aes-256-gcm';
// All in bytes.
const keyLength = 32;
const nonceLength = 12;
const tagLength = 16;
const idLength = 6;

/**
 * People choose a credentialSecret: so whoever tries out many has to pay for each. 16 MiB, and 0.1 s on a PC.
 *
 * Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
 */
const effort: ScryptOptions = { N: 2 ** 14, r: 8, p: 5 };

/**
 * Encrypts the secrets of an account's people, by AES-256-GCM with a random nonce. The place of a secret is authenticated
 * with it: a sealed secret that is copied to another person cannot be opened there.
 *
 * Keys are derived when the first is needed: many accounts have no secrets.
 */
export class Sealing {
  private keys: Promise<readonly Key[]> | undefined;

  /** @param account - its id: each account has keys of its own */
  constructor(
    private readonly account: string,
    private readonly sources: KeySources,
  ) {}

  /**
   * @param place - where the secret belongs
   * @throws AuthyError - `AUTHY_BAD_CONFIG` if there is no key; `AUTHY_STORE` if the key file cannot be used
   */
  async seal(place: string, secret: string): Promise<SealedText> {
    const { id, bytes } = await this.currentKey();
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv(algorithm, bytes, nonce).setAAD(Buffer.from(place));
    const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `v1.${id}.${sealed.toString('base64url')}` as SealedText;
  }

  /**
   * @param place - where it was found
   * @throws AuthyError - `AUTHY_STORE` if it was sealed with another key, for another place, or was changed
   */
  async open(place: string, sealed: SealedText): Promise<string> {
    const [, id = '', text = ''] = sealed.split('.');
    const key = (await this.known()).find((one) => one.id === id);
    if (key === undefined) {
      throw new AuthyError(
        'AUTHY_STORE',
        `Set credentialSecret in settings.js to what it was, or put the file with the key back: the secret of ${place} was ` +
          'encrypted with another key.',
      );
    }
    const bytes = Buffer.from(text, 'base64url');
    try {
      const decipher = createDecipheriv(algorithm, key.bytes, bytes.subarray(0, nonceLength), {
        authTagLength: tagLength,
      });
      decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-tagLength));
      const middle = bytes.subarray(nonceLength, -tagLength);
      return Buffer.concat([decipher.update(middle), decipher.final()]).toString('utf8');
    } catch {
      throw new AuthyError(
        'AUTHY_STORE',
        `Take the record back from a backup, or remove the person and add them again: the secret of ${place} was changed, or ` +
          'belongs somewhere else.',
      );
    }
  }

  /**
   * The keyed hashes of a code: HMAC-SHA256, by each key. The first is by the key that seals.
   *
   * @throws AuthyError - as {@link seal}
   */
  async hashes(place: string, code: string): Promise<readonly KeyedHash[]> {
    await this.currentKey();
    return (await this.known()).map(({ id, hashing }) => {
      const mac = createHmac('sha256', hashing)
        .update(JSON.stringify([place, code]))
        .digest('base64url');
      return `h1.${id}.${mac}` as KeyedHash;
    });
  }

  /** A key for a purpose, of 32 bytes, by the key that seals. @throws AuthyError - as {@link seal} */
  async keyFor(purpose: string): Promise<Buffer> {
    return (await this.currentKey()).derived(purpose);
  }

  /** Whether it was sealed with the key that seals now. */
  async isCurrent(sealed: SealedText): Promise<boolean> {
    const [current] = await this.known();
    return sealed.split('.')[1] === current?.id;
  }

  private async currentKey(): Promise<Key> {
    const [known] = await this.known();
    if (known !== undefined) return known;
    const { keyFile } = this.sources;
    if (keyFile === undefined) {
      throw new AuthyError(
        'AUTHY_BAD_CONFIG',
        'Set credentialSecret in settings.js, to the same text on all Node-REDs that share these people: without it there is ' +
          'no key that all of them have to encrypt secrets with.',
      );
    }
    await makingKeys.do(keyFile, () => makeKeyFile(keyFile));
    this.keys = undefined;
    return this.currentKey();
  }

  /** Derives the keys that there are, once; after a failure again. */
  private known(): Promise<readonly Key[]> {
    if (this.keys !== undefined) return this.keys;
    const keys = this.derive();
    this.keys = keys;
    keys.catch(() => {
      if (this.keys === keys) this.keys = undefined;
    });
    return keys;
  }

  private async derive(): Promise<readonly Key[]> {
    const { credentialSecret = '', keyFile } = this.sources;
    const fromSettings =
      credentialSecret === '' ? undefined : await stretched(credentialSecret, this.account);
    const fromFile = keyFile === undefined ? undefined : await readKeyFile(keyFile);
    return [fromSettings, fromFile]
      .filter((material) => material !== undefined)
      .map((material) => {
        const derived = (purpose: string, length: number): Buffer =>
          Buffer.from(hkdfSync('sha256', material, this.account, `authy people, ${purpose}`, length));
        return {
          id: derived('id of the key', idLength).toString('base64url'),
          bytes: derived('secrets', keyLength),
          hashing: derived('hashes', keyLength),
          derived: (purpose) => derived(`key for ${purpose}`, keyLength),
        };
      });
  }
}

/** Whether one of the hashes of a code is the one that was kept, in constant time. */
export function isAmong(hashes: readonly KeyedHash[], kept: KeyedHash): boolean {
  const wanted = Buffer.from(kept);
  return hashes
    .map((hash) => Buffer.from(hash))
    .some((hash) => hash.length === wanted.length && timingSafeEqual(hash, wanted));
}

function stretched(secret: string, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret, `authy people ${salt}`, keyLength, effort, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

/** @returns undefined if there is none */
async function readKeyFile(file: string): Promise<Buffer | undefined> {
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw diskError(path.dirname(file), error);
  }
  if (!/^[0-9a-f]{64}\n?$/.test(text)) {
    throw new AuthyError(
      'AUTHY_STORE',
      `Take the file ${file} back from a backup: it is not the key that was kept there. ` +
        'If there is none, remove the file; the secrets that were encrypted with it are lost.',
    );
  }
  return Buffer.from(text.trim(), 'hex');
}

/** All accounts have the same file: it is made once. */
const makingKeys = new InTurn();

/**
 * Makes the file, if it is not there. It is safe against a power failure once this resolves: nothing that was encrypted with
 * a key may be safe before the key is.
 */
async function makeKeyFile(file: string): Promise<void> {
  if ((await readKeyFile(file)) !== undefined) return;
  try {
    await replaceFile(file, `${randomBytes(keyLength).toString('hex')}\n`);
    await syncFolder(path.dirname(file));
  } catch (error) {
    throw diskError(path.dirname(file), error);
  }
}
