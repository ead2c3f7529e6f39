import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const sha256 = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();

/**
 * A RegistrationResponseJSON with an attestation `android-key`, by an authority that the attacker has made up. Its certificate says
 * at which address one can look up whether it was revoked.
 *
 * Source: https://www.w3.org/TR/webauthn-3/#sctn-android-key-attestation
 *
 * @param revocations - the address
 */
export async function androidKeyRegistration(
  options: { readonly challenge: string },
  origin: string,
  revocations: string,
): Promise<object> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const clientData = Buffer.from(
    JSON.stringify({ type: 'webauthn.create', challenge: options.challenge, origin }),
  );
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const id = randomBytes(16);
  const authData = Buffer.concat([
    sha256(new URL(origin).hostname),
    Buffer.from([0x45, 0, 0, 0, 0]),
    Buffer.alloc(16),
    Buffer.from([0, 16]),
    id,
    ...[Buffer.from('a5010203262001215820', 'hex'), Buffer.from(x, 'base64url')],
    ...[Buffer.from('225820', 'hex'), Buffer.from(y, 'base64url')],
  ]);
  // KeyDescription: versions and security levels, the challenge, and three empty parts.
  const description = Buffer.concat([
    Buffer.from('0201030a01000201030a01000420', 'hex'),
    sha256(clientData),
    Buffer.from('040030003000', 'hex'),
  ]);
  const extension = Buffer.concat([Buffer.from([0x30, description.length]), description]).toString('hex');
  const certificates = await chain(
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    `1.3.6.1.4.1.11129.2.1.17=DER:${extension.replace(/(..)(?=.)/g, '$1:')}`,
    `crlDistributionPoints=URI:${revocations}`,
  );
  const signature = sign('sha256', Buffer.concat([authData, sha256(clientData)]), privateKey);
  const attestation = Buffer.concat([
    Buffer.from([0xa3]),
    ...[cborText('fmt'), cborText('android-key')],
    ...[cborText('attStmt'), Buffer.from([0xa3])],
    ...[cborText('alg'), Buffer.from([0x26])],
    ...[cborText('sig'), cborBytes(signature)],
    ...[cborText('x5c'), Buffer.from([0x80 + certificates.length]), ...certificates.map(cborBytes)],
    ...[cborText('authData'), cborBytes(authData)],
  ]);
  return {
    ...{ id: id.toString('base64url'), rawId: id.toString('base64url'), type: 'public-key' },
    clientExtensionResults: {},
    response: {
      clientDataJSON: clientData.toString('base64url'),
      attestationObject: attestation.toString('base64url'),
    },
  };
}

function cborText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 + text.length]), Buffer.from(text)]);
}

function cborBytes(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x59, bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** A certificate with extensions, and the authority above it, as DER. */
async function chain(key: string, ...extensions: string[]): Promise<Buffer[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'authy-chain-'));
  const file = (name: string): string => path.join(folder, name);
  const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args);
  try {
    await writeFile(file('leaf.key'), key);
    // prettier-ignore
    await openssl(
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=root',
      '-keyout', file('root.key'), '-out', file('root.pem'),
    );
    // prettier-ignore
    await openssl(
      'req', '-x509', '-new', '-key', file('leaf.key'), '-CA', file('root.pem'), '-CAkey', file('root.key'), '-days', '2',
      '-subj', '/CN=leaf', ...extensions.flatMap((extension) => ['-addext', extension]), '-out', file('leaf.pem'),
    );
    const all = ['leaf', 'root'].map(async (name) => {
      const pem = await readFile(file(`${name}.pem`), 'utf8');
      return Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
    });
    return await Promise.all(all);
  } finally {
    await rm(folder, { recursive: true });
  }
}
