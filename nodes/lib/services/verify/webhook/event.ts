import type { Decision } from '../../../contract/service';
import { hasForm } from '../../../contract/signed-requests';
import { isSid, type SidPrefix } from '../sids';
import type { Parameters } from './parameters';
import type { Refused } from './signature';

/** What every webhook of Verify Push says. */
interface Said {
  /** Of this delivery; the same event can come again. */
  readonly uuid: string;
  readonly accountSid: string;
  readonly serviceSid: string;
  /** The person's name at Twilio. */
  readonly identity: string;
  readonly factorSid: string;
  readonly factorType: FactorType;
}

export type FactorType = 'push' | 'totp' | 'passkeys';

/** Somebody has decided a challenge. */
export interface ChallengeEvent extends Said {
  readonly about: 'challenge';
  readonly challengeSid: string;
  readonly decision: Decision;
}

/** Something has happened to a factor. */
export interface FactorEvent extends Said {
  readonly about: 'factor';
  readonly change: 'created' | 'verified' | 'deleted';
}

export type WebhookEvent = ChallengeEvent | FactorEvent;

/** Twilio does not say what it looks like, but for its name. Nothing depends on it: repeats are told by the challenge. */
const uuidForm = /^[\w-]{8,64}$/;
/** Source: https://www.twilio.com/docs/verify/api/entity */
const identityForm = /^[A-Za-z0-9-]{8,64}$/;
const factorTypes: readonly FactorType[] = ['push', 'totp', 'passkeys'];

/** The types of events. A new one is refused: nobody knows yet what it decides. */
const types: ReadonlyMap<
  string,
  Pick<ChallengeEvent, 'about' | 'decision'> | Pick<FactorEvent, 'about' | 'change'>
> = new Map([
  ['challenge.approved', { about: 'challenge', decision: 'approved' }],
  ['challenge.denied', { about: 'challenge', decision: 'denied' }],
  ['factor.created', { about: 'factor', change: 'created' }],
  ['factor.verified', { about: 'factor', change: 'verified' }],
  ['factor.deleted', { about: 'factor', change: 'deleted' }],
]);

/**
 * Reads what a webhook of Verify Push is about. Each parameter that is read has to be there once, as text of its exact form:
 * the signature does not say where a value ends. Other parameters are ignored.
 *
 * Source: https://www.twilio.com/docs/verify/api/webhooks
 *
 * @param parameters - what `verifyWebhook` has accepted
 */
export function readEvent(
  parameters: Parameters,
): { readonly ok: true; readonly event: WebhookEvent } | Refused {
  const type = types.get(only(parameters, 'type') ?? '');
  if (type === undefined) return unusable('type');
  const uuid = only(parameters, 'uuid');
  if (!hasForm(uuid, uuidForm)) return unusable('uuid');
  const accountSid = sid(parameters, 'account_sid', 'AC');
  if (accountSid === undefined) return unusable('account_sid');
  const serviceSid = sid(parameters, 'service_sid', 'VA');
  if (serviceSid === undefined) return unusable('service_sid');
  const identity = only(parameters, 'entity_identity');
  if (!hasForm(identity, identityForm)) return unusable('entity_identity');
  const factorSid = sid(parameters, 'factor_sid', 'YF');
  if (factorSid === undefined) return unusable('factor_sid');
  const typeOfFactor = only(parameters, 'factor_type');
  const factorType = factorTypes.find((known) => known === typeOfFactor);
  if (factorType === undefined) return unusable('factor_type');

  const said: Said = { uuid, accountSid, serviceSid, identity, factorSid, factorType };
  if (type.about === 'factor') return { ok: true, event: { ...type, ...said } };
  const challengeSid = sid(parameters, 'challenge_sid', 'YC');
  if (challengeSid === undefined) return unusable('challenge_sid');
  return { ok: true, event: { ...type, ...said, challengeSid } };
}

/** The text of a parameter that comes once; one that is repeated could be read in two ways, even if its values are equal. */
function only(parameters: Parameters, name: string): string | undefined {
  const [value, ...others] = parameters.get(name) ?? [];
  return typeof value === 'string' && others.length === 0 ? value : undefined;
}

function sid(parameters: Parameters, name: string, prefix: SidPrefix): string | undefined {
  const value = only(parameters, name);
  return isSid(prefix, value) ? value : undefined;
}

function unusable(name: string): Refused {
  return { ok: false, reason: 'missingField', detail: `its ${name} is missing, repeated or of another form` };
}
