import { qrPicture } from '../../authenticator/qr-picture';
import { newSecret } from '../../authenticator/totp';
import type { Factor } from '../../contract/people';
import { knownPerson, unknownPerson } from '../../people/known';
import { type Handler, personPath } from './context';
import { createFactor } from './factors';

/** The longest name that Twilio takes. */
const longestName = 64;

/**
 * A new authenticator, and its QR code, drawn here. It takes the place of an earlier one once its first code was right; one
 * that was never confirmed is deleted.
 */
export const userQr: Handler<'userQr'> = async (context, { authyId, label, size = 300 }, call) => {
  const person = await knownPerson(context.people, authyId);
  const name = (label ?? (person.email === '' ? authyId : person.email)).slice(0, longestName);
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
  return {
    outcome: 'made',
    result: {
      authyId,
      qrCode: qrPicture(uri, size),
      label: name,
      issuer: new URL(uri).searchParams.get('issuer'),
      recoveryCodes: null,
    },
    answer,
  };
};
