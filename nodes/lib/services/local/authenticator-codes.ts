import type { AuthenticatorCodes } from '../../contract/approver';
import { addressOf } from '../../authenticator/totp';
import { usablePerson } from '../../people/known';
import { activeOf } from './authenticators';
import type { Context } from './context';
import { newAuthenticator } from './qr';
import { checkAuthenticatorCode } from './token';

/** The authenticators of people, for answers to approval requests. */
export function authenticatorCodes(context: Context): AuthenticatorCodes {
  return {
    isKnown: async (authyId) => activeOf(await usablePerson(context.people, authyId)) !== undefined,
    async make(authyId) {
      const { secret, name } = await newAuthenticator(context, { authyId });
      return addressOf(secret, { issuer: context.displayName, label: name });
    },
    check: (authyId, code) => checkAuthenticatorCode(context, authyId, code),
  };
}
