import { AuthyError, InputError } from './errors';
import type { OperationName } from './results';
import type { Abilities, Need, Refusal, Supported, Unsupported } from './service';

/** What a service does not do. */
export interface Unable {
  /** What to do instead: a sentence, which does not name the input. */
  readonly reason: string;
  /** The input that it is about, if it is about one. */
  readonly field?: string;
}

/** What the service of an account does. */
export interface Offer {
  readonly abilities: Abilities;
  /** The settings of the account that are ticked. */
  readonly ticked?: readonly string[] | undefined;
}

/**
 * What a service does not do of an operation.
 *
 * @param values - validated; those that are known
 * @returns undefined if it does all of it
 */
export function unsupportedBy(
  { abilities, ticked = [] }: Offer,
  name: OperationName,
  values: Readonly<Record<string, unknown>> = {},
): Unable | undefined {
  const ability: Unsupported | Supported<OperationName> = abilities[name];
  if ('unsupported' in ability) return { reason: ability.unsupported };
  const unmet = unmetNeed(ability.needs, ticked);
  if (unmet !== undefined) return { reason: unmet };
  for (const [field, refusal] of Object.entries<Refusal>(ability.refuses ?? {})) {
    const { ifTicked } = refusal;
    const counts = ifTicked === undefined || ticked.includes(ifTicked);
    if (counts && isRefused(values[field], refusal)) return { reason: refusal.reason, field };
  }
  return undefined;
}

/** What to do about a setting that is not as it has to be; undefined if it is. */
export function unmetNeed(need: Need | undefined, ticked: readonly string[] = []): string | undefined {
  const isMet = need === undefined || ticked.includes(need.setting) === (need.ticked ?? true);
  return isMet ? undefined : need.reason;
}

function isRefused(value: unknown, { accepts = [], atMost, atLeast = 0 }: Refusal): boolean {
  if (value === undefined || accepts.includes(value)) return false;
  return !(typeof value === 'number' && atMost !== undefined && value >= atLeast && value <= atMost);
}

/** @throws AuthyError - `AUTHY_NOT_SUPPORTED` if the service does not do an operation with these values */
export function assertSupported(
  offer: Offer,
  name: OperationName,
  values: Readonly<Record<string, unknown>>,
): void {
  const unable = unsupportedBy(offer, name, values);
  if (unable !== undefined) throw notSupported(unable);
}

/** The error about what a service does not do. */
export function notSupported({ reason, field }: Unable): AuthyError {
  return field === undefined
    ? new AuthyError('AUTHY_NOT_SUPPORTED', reason)
    : new InputError('AUTHY_NOT_SUPPORTED', field, `: ${reason}`);
}
