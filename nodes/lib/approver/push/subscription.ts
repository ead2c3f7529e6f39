import type { PushSubscription } from '../../contract/people';
import { checkKeys } from './encryption';
import { readEndpoint } from './endpoint';
import { PushRefused } from './refused';

/**
 * Reads a subscription as a browser sends it (`PushSubscriptionJSON`), before it is kept.
 *
 * @throws PushRefused - if nothing could be sent to it, whatever the reason
 */
export function readSubscription(json: unknown): PushSubscription {
  const { endpoint, keys } = membersOf(json);
  const { p256dh, auth } = membersOf(keys);
  if (typeof endpoint !== 'string' || typeof p256dh !== 'string' || typeof auth !== 'string') {
    throw new PushRefused(
      'Send the subscription as the browser gives it: endpoint, keys.p256dh and keys.auth.',
    );
  }
  readEndpoint(endpoint);
  checkKeys({ p256dh, auth });
  return { endpoint, p256dh, auth };
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
