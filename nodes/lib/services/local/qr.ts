import { randomBytes } from 'node:crypto';
import { qrPicture } from '../../authenticator/qr-picture';
import { addressOf, newSecret } from '../../authenticator/totp';
import type { Factor } from '../../contract/people';
import { knownPerson, unknownPerson } from '../../people/known';
import { isPending, service } from './authenticators';
import type { Handler } from './context';
import { newRecoveryCodes } from './recovery';

/** The longest name that is kept. */
const longestName = 64;

/**
 * A new authenticator, its QR code and its recovery codes. It takes the place of an earlier one once its first code was right;
 * one that was never confirmed is forgotten.
 */
export const userQr: Handler<'userQr'> = async ({ people, displayName, now }, values) => {
  const { authyId, label, size = 300 } = values;
  const person = await knownPerson(people, authyId);
  const name = (label ?? (person.email === '' ? authyId : person.email)).slice(0, longestName);
  const secret = newSecret();
  const { codes, hashes } = await newRecoveryCodes(people, person);
  const factor: Factor = {
    id: `${service}-${randomBytes(16).toString('hex')}`,
    type: 'totp',
    service,
    state: 'unverified',
    name,
    secret,
    recovery: hashes,
    createdAt: now(),
  };
  const changed = await people.change(authyId, (one) => ({
    ...one,
    factors: [...one.factors.filter((other) => !isPending(other)), factor],
  }));
  if (changed === undefined) throw unknownPerson();
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
