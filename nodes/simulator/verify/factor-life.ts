import type { Backend } from '../backend';
import type { Entity } from '../state/entities';
import { type Factor, type PushFactor, pushFactor } from '../state/factors';
import { requireIdentity } from './entities';
import { announce } from './events';
import { VerifyFailure } from './replies';

/**
 * Gives a person a factor; a first one makes the person.
 *
 * @throws VerifyFailure - 60200: the identity is none; 60315, 60326: there are too many factors
 */
export function addFactor<F extends Factor>(
  { state }: Backend,
  identity: string,
  make: (owner: Entity) => F,
): F {
  const { entities } = state;
  const owner = entities.get(identity) ?? entities.add(requireIdentity(identity, 'Identity'));
  const factor = make(owner);
  const tooMany = entities.addFactor(owner, factor);
  if (tooMany === undefined) return factor;
  throw new VerifyFailure(tooMany === 'factors' ? 'tooManyFactors' : 'factorsOfToday');
}

/**
 * Makes a push factor, as an app of the customer's own does it with Twilio's SDK: it registers itself and is verified at
 * once.
 *
 * @param phone - the number of the phone that the app is on, in E.164, if it is known
 * @throws VerifyFailure - as {@link addFactor}
 */
export function enrol(
  backend: Backend,
  identity: string,
  friendlyName: string,
  phone: string | null = null,
): PushFactor {
  const factor = addFactor(backend, identity, (owner) =>
    pushFactor(owner, { friendlyName, metadata: null }, phone, backend.state.now()),
  );
  announce(backend, 'factor.created', factor);
  announce(backend, 'factor.verified', factor);
  return factor;
}

/** Removes a factor; what it is still asked expires. */
export function removeFactor(backend: Backend, factor: Factor): void {
  const { challenges, entities } = backend.state;
  challenges.withdrawAll(factor);
  entities.removeFactor(factor);
  announce(backend, 'factor.deleted', factor);
}
