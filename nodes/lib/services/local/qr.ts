import { randomBytes } from 'node:crypto';
import { qrPicture } from '../../authenticator/qr-picture';
import { addressOf, newSecret } from '../../authenticator/totp';
import type { Factor, KeyedHash } from '../../contract/people';
import { authenticatorName, unknownPerson, usablePerson } from '../../people/known';
import { isPending, service } from './authenticators';
import type { Context, Handler } from './context';
import { newRecoveryCodes } from '../../people/recovery';

/**
 * A new authenticator, its QR code and its recovery codes. It takes the place of an earlier one once its first code was right;
 * one that was never confirmed is forgotten.
 */
export const userQr: Handler<'userQr'> = async (context, { authyId, label, size = 300 }) => {
  const { people, displayName } = context;
  const { codes, hashes } = await newRecoveryCodes(people, { authyId });
  const { secret, name } = await newAuthenticator(context, { authyId, label, recovery: hashes });
  const address = addressOf(secret, { issuer: displayName, label: name });
  return {
    outcome: 'made',
    result: {
      authyId,
      qrCode: qrPicture(address, size),
      label: name,
      issuer: displayName,
      recoveryCodes: codes,
    },
  };
};

/**
 * An authenticator that its first right code will confirm.
 *
 * @param label - its name; the person's e-mail address or ID if there is none
 * @throws AuthyError - `AUTHY_USER_NOT_FOUND`, `AUTHY_USER_UNAVAILABLE`, `AUTHY_STORE`
 */
export async function newAuthenticator(
  { people, now }: Pick<Context, 'people' | 'now'>,
  {
    authyId,
    label,
    recovery,
  }: {
    readonly authyId: string;
    readonly label?: string | undefined;
    readonly recovery?: readonly KeyedHash[];
  },
): Promise<{ secret: string; name: string }> {
  const person = await usablePerson(people, authyId);
  const name = authenticatorName(person, label);
  const secret = newSecret();
  const factor: Factor = {
    id: `${service}-${randomBytes(16).toString('hex')}`,
    type: 'totp',
    service,
    state: 'unverified',
    name,
    secret,
    ...(recovery === undefined ? {} : { recovery }),
    createdAt: now(),
  };
  const changed = await people.change(authyId, (one) => ({
    ...one,
    factors: [...one.factors.filter((other) => !isPending(other)), factor],
  }));
  if (changed === undefined) throw unknownPerson();
  return { secret, name };
}
