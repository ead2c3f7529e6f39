import { renderSVG } from 'uqr';
import { AuthyError } from '../../contract/errors';
import type { Factor } from '../../contract/people';
import { newSecret } from './authenticator';
import { type Handler, knownPerson, personPath, unknownPerson } from './context';
import { createFactor } from './factors';

/** The longest name that Twilio takes. */
const longestName = 64;

/**
 * A new authenticator, and its QR code, drawn here. It takes the place of an earlier one once its first code was right; one
 * that was never confirmed is deleted.
 */
export const userQr: Handler<'userQr'> = async (context, { authyId, label, size = 300 }, call) => {
  const person = await knownPerson(context, authyId);
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
      qrCode: pictureOf(uri, size),
      label: name,
      issuer: new URL(uri).searchParams.get('issuer'),
    },
    answer,
  };
};

/** A QR code as an address that holds the image itself. @param size - width and height in pixels */
function pictureOf(text: string, size: number): string {
  const svg = renderSVG(text, { border: 4 }).replace('<svg ', `<svg width="${size}" height="${size}" `);
  if (!svg.startsWith('<svg width='))
    throw new AuthyError('AUTHY_REJECTED', 'The QR code could not be drawn.');
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
