import { randomBytes, randomUUID } from 'node:crypto';
import type { Backend } from '../backend';
import { type Callback, deliver, outcomeOf, reportAnswer } from '../delivery';
import { courseOf } from '../faults';
import { callbackTarget, type CallbackTarget } from '../settings';
import type { Challenge } from '../state/challenges';
import type { Factor } from '../state/factors';
import { sidOf } from './sids';
import { twilioSignature } from './twilio-signature';

/** What webhooks are told of. An authenticator's codes are no event, and neither is it that nobody answered. */
export const eventTypes = [
  'factor.created',
  'factor.verified',
  'factor.deleted',
  'challenge.approved',
  'challenge.denied',
] as const;

type EventType = (typeof eventTypes)[number];

/** Tells webhooks of a push factor; nobody waits for it. */
export function announce(backend: Backend, type: EventType, factor: Factor): void {
  if (factor.type !== 'push') return;
  const stop = backend.stop();
  for (const webhook of backend.state.webhooks.of(type)) {
    void deliver(
      callbackOf(backend, { url: webhook.url }, factor, () => ({ type })),
      courseOf([]),
      stop,
    ).then((report) => {
      backend.log(`webhook of ${type} ${outcomeOf(report)}`);
    });
  }
}

/**
 * Tells webhooks how a challenge was answered, one after another, and records what became of it: the result of the last one
 * is the report. Never throws.
 */
export async function reportChallenge(backend: Backend, challenge: Challenge): Promise<void> {
  const { webhooks, challenges } = backend.state;
  const { factor, answer } = challenge;
  const isKnown = (): boolean => challenges.get(challenge.uuid) === challenge;
  const typeOf = (isApproved: boolean): EventType => (isApproved ? 'challenge.approved' : 'challenge.denied');
  const wanting = webhooks.of(typeOf(answer === 'approve')).map(({ url }) => ({ url }));
  // The address in the settings is told of every answer, as with Authy.
  const set = callbackTarget(backend.settings);
  const others = wanting.filter(({ url }) => url !== set?.url);
  for (const target of set === undefined && others.length === 0
    ? [undefined]
    : [...(set ? [set] : []), ...others]) {
    const callback = callbackOf(backend, target, factor, (contradicts) => ({
      type: typeOf((answer === 'approve') !== contradicts),
      challenge_sid: sidOf('YC', challenge.uuid),
    }));
    await reportAnswer(backend, challenge, callback, challenge.uuid, isKnown);
  }
}

/** A webhook's request: every copy is the same delivery, with the same uuid. */
function callbackOf(
  backend: Backend,
  target: CallbackTarget | undefined,
  factor: Factor,
  about: (contradicts: boolean) => Readonly<Record<string, string>>,
): Callback {
  const { accountSid, serviceSid, authToken } = backend.settings.verify;
  return {
    target,
    method: 'POST',
    prepare: ({ isForged, contradicts }) => {
      const params = {
        uuid: randomUUID(),
        account_sid: accountSid,
        service_sid: serviceSid,
        entity_identity: factor.entity.identity,
        factor_sid: sidOf('YF', factor.uuid),
        factor_type: factor.type,
        ...about(contradicts),
      };
      const key = isForged ? randomBytes(16).toString('hex') : authToken;
      const idempotencyToken = randomUUID();
      return (url) => ({
        url,
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          'User-Agent': 'authy-simulator',
          'I-Twilio-Idempotency-Token': idempotencyToken,
          'X-Twilio-Signature': twilioSignature(key, url.split('#')[0] ?? '', params),
        },
        data: new URLSearchParams(params).toString(),
      });
    },
  };
}
