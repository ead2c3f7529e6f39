import { isoSeconds } from '../iso-time';
import type { Reply } from '../reply';
import type { Challenge } from '../state/challenges';
import type { TotpFactor } from '../state/factors';
import { owned, type VerifyCall, type VerifyRoute } from './call';
import { entity, entityAddress, entityOf, ownedBy } from './entities';
import { factorOf, requireCode } from './factors';
import { page } from './lists';
import { askDevice, lifetime } from './push';
import { created, invalidParameter, notFound, ok, VerifyFailure } from './replies';
import { sidOf, uuidOf } from './sids';

/** What factors are asked to prove. */
export const challengeRoutes: readonly VerifyRoute[] = [
  { method: 'POST', path: `${entity}/Challenges`, handle: create },
  { method: 'GET', path: `${entity}/Challenges`, handle: list },
  { method: 'GET', path: `${entity}/Challenges/{challenge}`, handle: read, isPolled: true },
  { method: 'POST', path: `${entity}/Challenges/{challenge}`, handle: update },
];

function create(call: VerifyCall): Reply {
  const factor = factorOf(call, call.form.required('FactorSid', /^YF[\dA-Fa-f]{32}$/));
  if (!factor.isVerified) throw new VerifyFailure('unverified');
  return created(view(call, factor.type === 'push' ? askDevice(call, factor) : askForCode(call, factor)));
}

/** With an authenticator, the first code comes with the challenge. */
function askForCode(call: VerifyCall, factor: TotpFactor): Challenge {
  const { challenges, now } = call.backend.state;
  const code = requireCode(call.form.required('AuthPayload'));
  if (!factor.challenges.take(now())) throw new VerifyFailure('challengesUsedUp');
  const challenge = challenges.ask(factor, {
    details: null,
    hiddenDetails: null,
    expiresAt: now() + lifetime.usual,
  });
  challenges.try(challenge, code);
  return challenge;
}

function update(call: VerifyCall): Reply {
  const { challenges } = call.backend.state;
  const challenge = challengeOf(call);
  const payload = call.form.required('AuthPayload');
  if (!isOfTotp(challenge)) {
    throw invalidParameter('AuthPayload', 'answer this challenge on the phone page of the simulator');
  }
  const code = requireCode(payload);
  const status = challenges.statusOf(challenge);
  if (status === 'expired') throw new VerifyFailure('challengeExpired');
  if (status === 'pending' && challenges.try(challenge, code) === 'tooMany') {
    throw new VerifyFailure('triesUsedUp');
  }
  return ok(view(call, challenge));
}

function isOfTotp(challenge: Challenge): challenge is Challenge<TotpFactor> {
  return challenge.factor.type === 'totp';
}

function read(call: VerifyCall): Reply {
  // What an app has to sign: the members that its answer is about.
  const headers = { 'Twilio-Verify-Signature-Fields': 'sid,factor_sid,identity,status' };
  return { ...ok(view(call, challengeOf(call))), headers };
}

function list(call: VerifyCall): Reply {
  const { form, backend } = call;
  const { challenges } = backend.state;
  const factor = form.matching('FactorSid', /^YF[\dA-Fa-f]{32}$/);
  const status = form.oneOf('Status', ['pending', 'expired', 'approved', 'denied']);
  const isDescending = form.oneOf('Order', ['asc', 'desc']) !== 'asc';
  const found = challenges
    .of(entityOf(call))
    .filter(
      (challenge) =>
        (factor === undefined || uuidOf('YF', factor) === challenge.factor.uuid) &&
        (status === undefined || status === challenges.statusOf(challenge)),
    );
  return page(call, 'challenges', isDescending ? [...found].reverse() : found, (challenge) =>
    view(call, challenge),
  );
}

/** The challenge that the path names. @throws VerifyFailure - 20404: the entity has none with this SID */
export function challengeOf(call: VerifyCall): Challenge {
  const owner = entityOf(call);
  const uuid = uuidOf('YC', call.values['challenge'] ?? '');
  const found = uuid === undefined ? undefined : call.backend.state.challenges.get(uuid);
  if (found === undefined || found.factor.entity !== owner) throw notFound(call.path);
  return found;
}

function view(call: VerifyCall, challenge: Challenge) {
  const { factor, details, hiddenDetails, answeredAt, expiresAt } = challenge;
  const url = entityAddress(call, factor.entity, `/Challenges/${sidOf('YC', challenge.uuid)}`);
  return {
    ...owned(call, 'YC', challenge.uuid),
    ...ownedBy(factor.entity),
    factor_sid: sidOf('YF', factor.uuid),
    date_created: isoSeconds(challenge.createdAt),
    date_updated: isoSeconds(challenge.updatedAt),
    date_responded: answeredAt === undefined ? null : isoSeconds(answeredAt),
    expiration_date: expiresAt === undefined ? null : isoSeconds(expiresAt),
    status: call.backend.state.challenges.statusOf(challenge),
    responded_reason: 'none',
    details: details === null ? null : { ...details, date: isoSeconds(challenge.createdAt) },
    hidden_details: hiddenDetails,
    metadata: null,
    factor_type: factor.type,
    url,
    links: { notifications: `${url}/Notifications` },
  };
}
