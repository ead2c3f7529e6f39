import { isoSeconds } from '../iso-time';
import type { Reply } from '../reply';
import type { Entity } from '../state/entities';
import type { Owner } from '../state/factors';
import { addressOf, owned, service, type VerifyCall, type VerifyRoute } from './call';
import { page } from './lists';
import { created, deleted, invalidParameter, notFound, ok, VerifyFailure } from './replies';
import { sidOf } from './sids';

/** The path of an entity. */
export const entity = `${service}/Entities/{identity}`;

const identityForm = /^[\dA-Za-z-]{8,64}$/;

/** The people of the service: an identity each, and nothing personal. */
export const entityRoutes: readonly VerifyRoute[] = [
  { method: 'POST', path: `${service}/Entities`, handle: create },
  { method: 'GET', path: `${service}/Entities`, handle: list },
  { method: 'GET', path: `${service}/Entities/{identity}`, handle: (call) => ok(view(call, entityOf(call))) },
  { method: 'DELETE', path: `${service}/Entities/{identity}`, handle: remove },
];

function create(call: VerifyCall): Reply {
  const { entities } = call.backend.state;
  const identity = requireIdentity(call.form.required('Identity'), 'Identity');
  if (entities.get(identity) !== undefined) throw new VerifyFailure('entityExists');
  return created(view(call, entities.add(identity)));
}

function list(call: VerifyCall): Reply {
  return page(call, 'entities', call.backend.state.entities.all, (shown) => view(call, shown));
}

/** What is still asked of them expires: nobody is left to answer it. */
function remove(call: VerifyCall): Reply {
  const { entities, challenges } = call.backend.state;
  const removed = entityOf(call);
  challenges.withdrawAll(removed);
  entities.remove(removed);
  return deleted;
}

/** The entity that the path names. @throws VerifyFailure - 20404 */
export function entityOf({ backend, values, path }: VerifyCall): Entity {
  const found = backend.state.entities.get(values['identity'] ?? '');
  if (found === undefined) throw notFound(path);
  return found;
}

/** @throws VerifyFailure - 60200: it is none */
export function requireIdentity(identity: string, name: string): string {
  if (!identityForm.test(identity)) {
    throw invalidParameter(name, 'it has to have 8 to 64 letters, digits and hyphens');
  }
  return identity;
}

/** The address of an entity, or of something below it. */
export function entityAddress(call: VerifyCall, { identity }: Owner, path = ''): string {
  return addressOf(call, `/Entities/${identity}${path}`);
}

/** The members that everything of an entity begins with. */
export function ownedBy({ uuid, identity }: Owner) {
  return { entity_sid: sidOf('YE', uuid), identity };
}

function view(call: VerifyCall, shown: Entity) {
  const factors = entityAddress(call, shown, '/Factors');
  return {
    ...owned(call, 'YE', shown.uuid),
    identity: shown.identity,
    date_created: isoSeconds(shown.createdAt),
    date_updated: isoSeconds(shown.updatedAt),
    url: entityAddress(call, shown),
    links: { factors, new_factors: factors, challenges: entityAddress(call, shown, '/Challenges') },
  };
}
