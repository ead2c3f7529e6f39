import { AuthyError } from './errors';
import type { OperationName } from './results';
import type { Abilities } from './service';

/**
 * Why a service does not do an operation.
 *
 * @param values - validated; absent if it is asked before there is a message
 * @returns a sentence that says what to do; undefined if the service does it
 */
export function unsupportedBy(
  abilities: Abilities,
  name: OperationName,
  values: Readonly<Record<string, unknown>> = {},
): { readonly reason: string; readonly field?: string } | undefined {
  const ability = abilities[name];
  if ('unsupported' in ability) return { reason: ability.unsupported };
  if (ability.refuses === undefined) return undefined;
  const refusals: Readonly<Record<string, ((value: never) => string | undefined) | undefined>> =
    ability.refuses;
  for (const [field, refuse] of Object.entries(refusals)) {
    const value = values[field];
    const reason = value === undefined ? undefined : refuse?.(value as never);
    if (reason !== undefined) return { reason: `${field}: ${reason}`, field };
  }
  return undefined;
}

/** @throws AuthyError - `AUTHY_NOT_SUPPORTED` if the service does not do an operation with these values */
export function assertSupported(
  abilities: Abilities,
  name: OperationName,
  values: Readonly<Record<string, unknown>>,
): void {
  const problem = unsupportedBy(abilities, name, values);
  if (problem !== undefined)
    throw new AuthyError('AUTHY_NOT_SUPPORTED', problem.reason, { field: problem.field });
}
