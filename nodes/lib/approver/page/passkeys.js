import { fromBase64url, toBase64url } from './base64url.js';
import { Problem } from './problems.js';

/** The remedy for each way in which WebAuthn fails (W3C WebAuthn 3, 5.1.3 and 5.1.4). */
const problemOf = {
  NotAllowedError: 'cancelled',
  AbortError: 'cancelled',
  InvalidStateError: 'alreadyEnrolled',
  SecurityError: 'wrongAddress',
  NotSupportedError: 'noPasskeys',
  ConstraintError: 'noScreenLock',
};

/** Whether this browser has passkeys at this address: only secure contexts do. */
export const hasPasskeys = typeof PublicKeyCredential === 'function';

/** Makes a passkey. @param json - PublicKeyCredentialCreationOptionsJSON @returns RegistrationResponseJSON */
export function createPasskey(json) {
  return prompted('create', 'parseCreationOptionsFromJSON', json);
}

/** Signs with a passkey. @param json - PublicKeyCredentialRequestOptionsJSON @returns AuthenticationResponseJSON */
export function usePasskey(json) {
  return prompted('get', 'parseRequestOptionsFromJSON', json);
}

async function prompted(method, parse, json) {
  if (!hasPasskeys) throw new Problem(isSecureContext ? 'noPasskeys' : 'wrongAddress');
  try {
    const publicKey = PublicKeyCredential[parse]?.(json) ?? parsed(json);
    const credential = await navigator.credentials[method]({ publicKey });
    return credential.toJSON?.() ?? serialized(credential);
  } catch ({ name }) {
    throw new Problem(problemOf[name] ?? 'failed');
  }
}

/** For browsers before 2025: the fields that are bytes, which JSON has as base64url. */
function parsed(json) {
  const withBytes = (credential) => ({ ...credential, id: fromBase64url(credential.id) });
  return {
    ...json,
    challenge: fromBase64url(json.challenge),
    ...(json.user && { user: withBytes(json.user) }),
    excludeCredentials: json.excludeCredentials?.map(withBytes),
    allowCredentials: json.allowCredentials?.map(withBytes),
  };
}

/** For browsers before 2025: the bytes of an answer as base64url. */
function serialized(credential) {
  const { id, type, authenticatorAttachment, response } = credential;
  const bytes = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'];
  const present = bytes.filter((field) => response[field]);
  return {
    id,
    rawId: id,
    type,
    authenticatorAttachment: authenticatorAttachment ?? undefined,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: {
      ...Object.fromEntries(present.map((field) => [field, toBase64url(response[field])])),
      ...(response.getTransports && { transports: response.getTransports() }),
    },
  };
}
