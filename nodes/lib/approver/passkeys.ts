import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
  VerifiedRegistrationResponse,
} from '@simplewebauthn/server';
import { isObject, member, parsedJson, textOrNull } from '../contract/json';
import type { Passkey, Person } from '../contract/people';
import type { PageAddress } from './address';
import { Refused } from './refused';
import { isDerSignature } from './signature-form';

export type CreationOptions = PublicKeyCredentialCreationOptionsJSON;
export type RequestOptions = PublicKeyCredentialRequestOptionsJSON;

/** ES256 and RS256, which all platforms have between them. Source: https://www.iana.org/assignments/cose */
const [es256, rs256] = [-7, -257];
const algorithms = [es256, rs256];

/** How long the browser may ask its user, in milliseconds. */
const timeout = 120_000;

const load = () => import('@simplewebauthn/server');
let loaded: ReturnType<typeof load> | undefined;

/** It takes 0.3 s to load: only who enrols a phone or approves something waits for it. */
const library = (): ReturnType<typeof load> => (loaded ??= load());
const helpers = () => import('@simplewebauthn/server/helpers');

/** Longer ones are not kept. In characters of base64url. */
const longestPart = 2048;

/** What a phone is asked for a new passkey. @param challenge - in base64url */
export async function creationOptions(
  person: Person,
  challenge: string,
  name: string,
  { rpId }: PageAddress,
): Promise<CreationOptions> {
  const { generateRegistrationOptions } = await library();
  const shown = person.email === '' ? person.phoneNumber : person.email;
  return generateRegistrationOptions({
    rpName: name,
    rpID: rpId,
    userID: new Uint8Array(Buffer.from(person.authyId)),
    userName: shown,
    userDisplayName: shown,
    challenge: bytesOf(challenge),
    timeout,
    attestationType: 'none',
    excludeCredentials: passkeysOf(person, rpId).map(({ id }) => ({ id })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  });
}

/** What a phone is asked for a signature. @param passkey - that has to sign; any of this page if it is undefined */
export function requestOptions(challenge: string, { rpId }: PageAddress, passkey?: Passkey): RequestOptions {
  return {
    challenge,
    rpId,
    timeout,
    userVerification: 'required',
    ...(passkey === undefined ? {} : { allowCredentials: [{ id: passkey.id, type: 'public-key' }] }),
  };
}

/**
 * The passkey that a phone has made.
 *
 * @param credential - a RegistrationResponseJSON, or anything else
 * @throws Refused - `passkeyRefused`
 */
export async function newPasskey(
  credential: unknown,
  challenge: string,
  { origin, rpId }: PageAddress,
): Promise<Passkey> {
  checkFrame(credential);
  await checkAttestation(credential);
  const { verifyRegistrationResponse } = await library();
  const verified = await verifyRegistrationResponse({
    response: credential as RegistrationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpId,
    requireUserVerification: true,
    supportedAlgorithmIDs: algorithms,
  }).catch((): VerifiedRegistrationResponse => ({ verified: false }));
  if (!verified.verified) throw new Refused('passkeyRefused');
  const { credential: made, credentialDeviceType } = verified.registrationInfo;
  const publicKey = Buffer.from(made.publicKey).toString('base64url');
  if (made.id.length > longestPart || publicKey.length > longestPart) throw new Refused('passkeyRefused');
  return {
    id: made.id,
    publicKey,
    counter: made.counter,
    isSynced: credentialDeviceType === 'multiDevice',
    rpId,
  };
}

/**
 * Checks a signature by a passkey.
 *
 * @param credential - an AuthenticationResponseJSON, or anything else
 * @returns its new counter
 * @throws Refused - `passkeyRefused`
 */
export async function checkSignature(
  credential: unknown,
  challenge: string,
  passkey: Passkey,
  { origin, rpId }: PageAddress,
): Promise<number> {
  checkFrame(credential);
  partOf(credential, 'authenticatorData');
  const signature = partOf(credential, 'signature');
  if (passkey.rpId !== rpId) throw new Refused('passkeyRefused');
  const { verifyAuthenticationResponse } = await library();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: credential as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      credential: {
        id: passkey.id,
        publicKey: bytesOf(passkey.publicKey),
        counter: passkey.counter,
      },
      requireUserVerification: true,
    });
    const isExact = (await algorithmOf(passkey)) !== es256 || isDerSignature(signature);
    if (!verified || !isExact || !authenticationInfo.userVerified) throw new Refused('passkeyRefused');
    return authenticationInfo.newCounter;
  } catch {
    throw new Refused('passkeyRefused');
  }
}

async function algorithmOf({ publicKey }: Passkey): Promise<unknown> {
  const { cose, decodeCredentialPublicKey } = await helpers();
  return decodeCredentialPublicKey(bytesOf(publicKey)).get(cose.COSEKEYS.alg);
}

/** Whether a signature may come after the last one: a copied passkey is found by its counter. */
export function isNewer(counter: number, { counter: before }: Passkey): boolean {
  return counter > before || (counter === 0 && before === 0);
}

/** The passkeys of a person that a page can use. */
function passkeysOf({ phones = [] }: Person, rpId: string): Passkey[] {
  return phones.flatMap(({ passkey }) => (passkey?.rpId === rpId ? [passkey] : []));
}

/** The challenge that a browser has signed; blank if it cannot be read. */
export function challengeOfCredential(credential: unknown): string {
  return textOrNull(clientData(credential), 'challenge') ?? '';
}

/** What a browser says of the page that asked; undefined if it cannot be read. */
function clientData(credential: unknown): unknown {
  const text = textOrNull(member(credential, 'response'), 'clientDataJSON');
  return text === null ? undefined : parsedJson(Buffer.from(text, 'base64url').toString('utf8'));
}

/**
 * Bytes of a credential, in the one form that they have in base64url: of any other, two readers could see different bytes.
 *
 * @throws Refused - `passkeyRefused`
 */
function partOf(credential: unknown, name: string, longest = longestPart): Buffer {
  const text = textOrNull(member(credential, 'response'), name) ?? '';
  const bytes = Buffer.from(text, 'base64url');
  if (text === '' || text.length > longest || bytes.toString('base64url') !== text) {
    throw new Refused('passkeyRefused');
  }
  return bytes;
}

/**
 * Nobody asks for an attestation, and browsers send none then. One with certificates may come from whoever has an invitation, and
 * names addresses at which the library would look up whether they were revoked: it would call any address in our own network.
 *
 * Source: https://www.w3.org/TR/webauthn-3/#dom-attestationconveyancepreference-none, where "packed" without certificates stays
 *
 * @throws Refused - `passkeyRefused`
 */
async function checkAttestation(credential: unknown): Promise<void> {
  const bytes = partOf(credential, 'attestationObject', Infinity);
  const { decodeAttestationObject } = await helpers();
  let isBare: boolean;
  try {
    const attestation = decodeAttestationObject(new Uint8Array(bytes));
    const format = attestation.get('fmt');
    isBare =
      format === 'none' || (format === 'packed' && attestation.get('attStmt').get('x5c') === undefined);
  } catch {
    isBare = false;
  }
  if (!isBare) throw new Refused('passkeyRefused');
}

/**
 * No other site may show the page in a frame of its own. The library looks at `crossOrigin` where a top origin is expected alone.
 *
 * Source: https://www.w3.org/TR/webauthn-3/#dom-collectedclientdata-crossorigin
 */
function checkFrame(credential: unknown): void {
  partOf(credential, 'clientDataJSON');
  const data = clientData(credential);
  const crossOrigin = member(data, 'crossOrigin');
  const isOwnFrame = crossOrigin === undefined || crossOrigin === false;
  if (!isObject(data) || !isOwnFrame || member(data, 'topOrigin') !== undefined) {
    throw new Refused('passkeyRefused');
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
