/** What the tests use of it: the reference implementation of RFC 8188, by one of the authors of RFC 8291. */
declare module 'http_ece' {
  import type { ECDH } from 'node:crypto';

  interface Parameters {
    version: 'aes128gcm';
    privateKey: ECDH;
    /** In base64url. */
    authSecret: string;
  }

  export function decrypt(body: Buffer, parameters: Parameters): Buffer;
}
