import { randomUUID } from 'node:crypto';
import { isoSeconds } from '../iso-time';
import type { Reply } from '../reply';
import { owned, type VerifyCall, type VerifyRoute } from './call';
import { challengeOf } from './challenges';
import { entity, ownedBy } from './entities';
import { created, invalidParameter, VerifyFailure } from './replies';
import { sidOf } from './sids';

/** Asks a device again. */
export const notificationRoutes: readonly VerifyRoute[] = [
  { method: 'POST', path: `${entity}/Challenges/{challenge}/Notifications`, handle: create },
];

/** The phone page shows the challenge all the time: nothing changes there. */
function create(call: VerifyCall): Reply {
  const { challenges, now } = call.backend.state;
  const challenge = challengeOf(call);
  const ttl = call.form.integer('Ttl', 0, 300) ?? 300;
  if (challenge.factor.type !== 'push')
    throw invalidParameter('ChallengeSid', 'its factor is no push factor');
  const status = challenges.statusOf(challenge);
  if (status === 'expired') throw new VerifyFailure('challengeExpired');
  if (status !== 'pending') throw invalidParameter('ChallengeSid', `it is ${status} already`);
  return created({
    ...owned(call, 'NT', randomUUID()),
    ...ownedBy(challenge.factor.entity),
    challenge_sid: sidOf('YC', challenge.uuid),
    priority: 'high',
    ttl,
    date_created: isoSeconds(now()),
  });
}
