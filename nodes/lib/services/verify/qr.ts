import { qrPicture } from '../../authenticator/qr-picture';
import { newSecret } from '../../authenticator/totp';
import type { Factor } from '../../contract/people';
import type { CallOptions, ServiceAnswer } from '../../contract/service';
import { authenticatorName, unknownPerson, usablePerson } from '../../people/known';
import { type Context, type Handler, personPath } from './context';
import { createFactor } from './factors';

/** An authenticator that was made, and its QR code, drawn here. */
export const userQr: Handler<'userQr'> = async (context, { authyId, label, size = 300 }, call) => {
  const { address, name, answer } = await newAuthenticator(context, { authyId, label }, call);
  return {
    outcome: 'made',
    result: {
      authyId,
      qrCode: qrPicture(address, size),
      label: name,
      issuer: new URL(address).searchParams.get('issuer'),
      recoveryCodes: null,
    },
    answer,
  };
};

/**
 * A new authenticator. It takes the place of an earlier one once its first code was right; one that was never confirmed is
 * deleted.
 *
 * @param label - its name; the person's e-mail address or ID if there is none
 * @returns its address for authenticator apps, which holds the secret
 * @throws AuthyError - `AUTHY_USER_NOT_FOUND`, `AUTHY_USER_UNAVAILABLE`, `AUTHY_STORE`; those of Twilio
 */
export async function newAuthenticator(
  context: Context,
  { authyId, label }: { readonly authyId: string; readonly label?: string | undefined },
  call: () => CallOptions,
): Promise<{ readonly address: string; readonly name: string; readonly answer: ServiceAnswer }> {
  const person = await usablePerson(context.people, authyId);
  const name = authenticatorName(person, label);
  const secret = newSecret();
  const isUnconfirmed = ({ type, state, service }: Factor): boolean =>
    type === 'totp' && state === 'unverified' && service === context.serviceSid;
  for (const { id } of person.factors.filter(isUnconfirmed)) {
    await context.verify.call(
      { method: 'DELETE', path: personPath(context, person, 'Factors', id), repeat: 'repeatable' },
      () => undefined,
      call(),
      { 20404: () => undefined },
    );
  }
  const { id, uri, answer } = await createFactor(context, person, name, secret, call);
  const factor: Factor = {
    id,
    type: 'totp',
    service: context.serviceSid,
    state: 'unverified',
    name,
    secret,
    createdAt: context.now(),
  };
  const changed = await context.people.change(authyId, (one) => ({
    ...one,
    factors: [...one.factors.filter((other) => !isUnconfirmed(other)), factor],
  }));
  if (changed === undefined) throw unknownPerson();
  return { address: uri, name, answer };
}
