import type { AuthenticatorCodes } from '../../contract/approver';
import type { CallOptions } from '../../contract/service';
import { usablePerson } from '../../people/known';
import { hasAuthenticator } from './authenticators';
import type { Context } from './context';
import { newAuthenticator } from './qr';
import { checkAuthenticatorCode } from './token';

/**
 * The authenticators of people, for answers to approval requests: Twilio judges their codes.
 *
 * @param begin - begins something that has a deadline: gives the options of its calls
 */
export function authenticatorCodes(context: Context, begin: () => () => CallOptions): AuthenticatorCodes {
  return {
    isKnown: async (authyId) => hasAuthenticator(context, await usablePerson(context.people, authyId)),
    async make(authyId) {
      const { address } = await newAuthenticator(context, { authyId }, begin());
      return address;
    },
    check: (authyId, code) => checkAuthenticatorCode(context, authyId, code, begin()),
  };
}
