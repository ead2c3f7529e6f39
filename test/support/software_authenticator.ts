import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** What an assertion may have wrong, for those who attack. */
export interface Twists {
  readonly origin?: string;
  readonly type?: string;
  readonly challenge?: string;
  readonly rpId?: string;
  readonly crossOrigin?: boolean;
  readonly topOrigin?: string;
  /** Without user verification: nobody has shown face, finger or PIN. */
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly counter?: number;
  /** Changes the signature. */
  readonly signature?: (signature: Buffer) => Buffer;
  readonly id?: string;
}

interface CreationOptions {
  readonly challenge: string;
  readonly user: { readonly id: string };
}

interface RequestOptions {
  readonly challenge: string;
}

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
const base64url = (data: string | Buffer): string => Buffer.from(data).toString('base64url');

/**
 * An authenticator with one passkey, ES256, as a phone has it: for what a browser would never send. What a browser does send is
 * tested with Chromium's own.
 *
 * Source: https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data
 */
export class SoftwareAuthenticator {
  readonly id = randomBytes(16);
  private readonly privateKey: KeyObject;
  private readonly publicKey: KeyObject;
  private userHandle = '';
  /** How often it has signed; 0 for ever if it does not count, as synced passkeys do not. */
  counter = 0;

  /** @param origin - of the page, such as `https://home.example` */
  constructor(
    private readonly origin: string,
    private readonly counts = true,
  ) {
    ({ privateKey: this.privateKey, publicKey: this.publicKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
    }));
  }

  /** A RegistrationResponseJSON. */
  create(options: CreationOptions, twists: Twists = {}): object {
    this.userHandle = options.user.id;
    const { x = '', y = '' } = this.publicKey.export({ format: 'jwk' });
    // COSE: kty EC2, alg ES256, crv P-256, x, y. Source: RFC 9053, 7.1.1
    const key = Buffer.concat([
      Buffer.from('a5010203262001215820', 'hex'),
      Buffer.from(x, 'base64url'),
      Buffer.from('225820', 'hex'),
      Buffer.from(y, 'base64url'),
    ]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.id.length);
    const credential = Buffer.concat([Buffer.alloc(16), length, this.id, key]);
    const data = Buffer.concat([this.authenticatorData(twists, 0x40), credential]);
    const size = Buffer.alloc(2);
    size.writeUInt16BE(data.length);
    // CBOR: {fmt: "none", attStmt: {}, authData: bytes}
    const attestationObject = Buffer.concat([
      Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746159', 'hex'),
      size,
      data,
    ]);
    return {
      ...this.about(),
      response: {
        clientDataJSON: base64url(this.clientData('webauthn.create', options.challenge, twists)),
        attestationObject: base64url(attestationObject),
        transports: ['internal'],
      },
    };
  }

  /** An AuthenticationResponseJSON. */
  get(options: RequestOptions, twists: Twists = {}): object {
    if (this.counts) this.counter += 1;
    const data = this.authenticatorData(twists);
    const client = this.clientData('webauthn.get', options.challenge, twists);
    const signature = sign('sha256', Buffer.concat([data, sha256(client)]), this.privateKey);
    return {
      ...this.about(twists.id),
      response: {
        clientDataJSON: base64url(client),
        authenticatorData: base64url(data),
        signature: base64url(twists.signature?.(signature) ?? signature),
        userHandle: this.userHandle,
      },
    };
  }

  private about(id = base64url(this.id)): object {
    return {
      ...{ id, rawId: id, type: 'public-key' },
      clientExtensionResults: {},
      authenticatorAttachment: 'platform',
    };
  }

  private clientData(type: string, challenge: string, twists: Twists): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: twists.type ?? type,
        challenge: twists.challenge ?? challenge,
        origin: twists.origin ?? this.origin,
        crossOrigin: twists.crossOrigin ?? false,
        ...(twists.topOrigin === undefined ? {} : { topOrigin: twists.topOrigin }),
      }),
    );
  }

  private authenticatorData(twists: Twists, further = 0): Buffer {
    const { userPresent = true, userVerified = true, counter = this.counter } = twists;
    const flags = (userPresent ? 0x01 : 0) | (userVerified ? 0x04 : 0) | further;
    const numbers = Buffer.alloc(5);
    numbers.writeUInt8(flags);
    numbers.writeUInt32BE(counter, 1);
    return Buffer.concat([sha256(twists.rpId ?? new URL(this.origin).hostname), numbers]);
  }
}
