/**
 * Something that cannot be sent, or not there. The message begins with the remedy; it shows no key, and nothing of an endpoint
 * but its host.
 */
export class PushRefused extends Error {
  override readonly name = 'PushRefused';
}

/** What a person can do about a subscription that is of no use. */
export const newSubscription = 'Switch notifications off and on again on the phone';
