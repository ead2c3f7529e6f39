import { isoSeconds } from '../iso-time';
import type { Reply } from '../reply';
import type { AuthenticatorForm } from '../state/authenticator';
import { confirmFactor, type Factor, type TotpFactor, totpFactor } from '../state/factors';
import { owned, type VerifyCall, type VerifyRoute } from './call';
import { entity, entityAddress, entityOf, ownedBy } from './entities';
import { addFactor, removeFactor } from './factor-life';
import { page } from './lists';
import { created, deleted, invalidParameter, notFound, ok, VerifyFailure } from './replies';
import { sidOf, uuidOf } from './sids';

/** The authenticator apps and devices that prove who an entity is. */
export const factorRoutes: readonly VerifyRoute[] = [
  { method: 'POST', path: `${entity}/Factors`, handle: create },
  { method: 'GET', path: `${entity}/Factors`, handle: list },
  { method: 'GET', path: `${entity}/Factors/{factor}`, handle: (call) => ok(view(call, factorOf(call))) },
  { method: 'POST', path: `${entity}/Factors/{factor}`, handle: update },
  { method: 'DELETE', path: `${entity}/Factors/{factor}`, handle: remove },
];

const algorithms = { sha1: 'SHA1', sha256: 'SHA256', sha512: 'SHA512' } as const;

/** A code of an authenticator. */
const codeForm = /^\d{3,8}$/;

function create(call: VerifyCall): Reply {
  const { form, backend, values } = call;
  const { state, settings } = backend;
  const friendlyName = form.upTo(64, 'FriendlyName') ?? form.required('FriendlyName');
  if (form.required('FactorType') !== 'totp') {
    throw invalidParameter('FactorType', 'register a push factor at the control interface of the simulator');
  }
  const base = { friendlyName, metadata: form.object('Metadata', { length: 1024 }) ?? null };
  const secret = form.matching('Binding.Secret', /^[2-7A-Z]+=*$/i);
  const codes = readForm(call);
  const factor = addFactor(backend, values['identity'] ?? '', (owner) =>
    totpFactor(owner, base, codes, secret, state.now()),
  );
  const { authenticator } = factor;
  return created({
    ...view(call, factor),
    // Only this once.
    binding: { secret: authenticator.base32, uri: authenticator.uri(settings.appName, friendlyName) },
    options: null,
  });
}

function readForm({ form }: VerifyCall): AuthenticatorForm {
  return {
    algorithm: algorithms[form.oneOf('Config.Alg', ['sha1', 'sha256', 'sha512']) ?? 'sha1'],
    period: form.integer('Config.TimeStep', 20, 60) ?? 30,
    skew: form.integer('Config.Skew', 0, 2) ?? 1,
    digits: [form.integer('Config.CodeLength', 3, 8) ?? 6],
  };
}

/** Confirms a factor, or renames it. */
function update(call: VerifyCall): Reply {
  const { form, backend } = call;
  const factor = factorOf(call);
  const code = form.value('AuthPayload');
  const friendlyName = form.upTo(64, 'FriendlyName');
  if (code !== undefined && !factor.isVerified) confirm(call, factor, code);
  if (friendlyName !== undefined) {
    factor.friendlyName = friendlyName;
    factor.updatedAt = backend.state.now();
  }
  return ok(view(call, factor));
}

/** A wrong code changes nothing that is answered. @throws VerifyFailure - 60310: there were too many */
function confirm({ backend }: VerifyCall, factor: Factor, code: string): void {
  // A push factor is verified by its app, when it is made.
  if (factor.type === 'push') return;
  if (confirmFactor(factor, requireCode(code), backend.state.now()) === 'tooMany') {
    throw new VerifyFailure('confirmationsUsedUp');
  }
}

/** @throws VerifyFailure - 60200: it can be no code of an authenticator */
export function requireCode(code: string): string {
  if (!codeForm.test(code)) throw invalidParameter('AuthPayload', 'it has to have 3 to 8 digits');
  return code;
}

function list(call: VerifyCall): Reply {
  const { entities } = call.backend.state;
  return page(call, 'factors', entities.factorsOf(entityOf(call)), (factor) => view(call, factor));
}

function remove(call: VerifyCall): Reply {
  removeFactor(call.backend, factorOf(call));
  return deleted;
}

/** The factor of an entity. @throws VerifyFailure - 20404: there is none with this SID */
export function factorOf(call: VerifyCall, sid = call.values['factor'] ?? ''): Factor {
  const uuid = uuidOf('YF', sid);
  const found = call.backend.state.entities.factorsOf(entityOf(call)).find((factor) => factor.uuid === uuid);
  if (found === undefined) throw notFound(call.path);
  return found;
}

function view(call: VerifyCall, factor: Factor) {
  const { entity: owner, friendlyName, isVerified, type, metadata } = factor;
  const sid = sidOf('YF', factor.uuid);
  return {
    ...owned(call, 'YF', factor.uuid),
    ...ownedBy(owner),
    date_created: isoSeconds(factor.createdAt),
    date_updated: isoSeconds(factor.updatedAt),
    friendly_name: friendlyName,
    status: isVerified ? 'verified' : 'unverified',
    factor_type: type,
    config: factor.type === 'totp' ? totpConfig(factor) : pushConfig,
    metadata,
    url: entityAddress(call, owner, `/Factors/${sid}`),
  };
}

function totpConfig({ authenticator }: TotpFactor) {
  const { algorithm, skew, digits, period } = authenticator.form;
  return { alg: algorithm.toLowerCase(), skew, code_length: digits[0], time_step: period };
}

/** The simulated app: nothing notifies it, it looks itself. */
const pushConfig = {
  sdk_version: '1.0.0',
  app_id: 'simulator',
  notification_platform: 'none',
  notification_token: null,
};
