import type { ServiceKind, SimulatedPhone } from '../contract/service';
import authy from './authy/kind';
import local from './local/kind';
import verify from './verify/kind';

/** Every service there is, by its id: the only place that names them. */
const kinds = new Map<string, ServiceKind>([
  [authy.id, authy],
  [verify.id, verify],
  [local.id, local],
]);

/** The ids; the first is the default. */
export function serviceIds(): readonly [string, ...string[]] {
  return [...kinds.keys()] as [string, ...string[]];
}

/** @returns undefined if there is no such service */
export function serviceKind(id: string): ServiceKind | undefined {
  return kinds.get(id);
}

/** The simulated phone of an account, of any service. */
export function phoneOf(accountId: string): SimulatedPhone | undefined {
  for (const kind of kinds.values()) {
    const phone = kind.phone?.(accountId);
    if (phone !== undefined) return phone;
  }
  return undefined;
}

/** Adds a service. @returns removes it */
export function addService<Settings extends Parameters<ServiceKind['open']>[0]>(
  kind: ServiceKind<Settings>,
): () => void {
  kinds.set(kind.id, kind);
  return () => void kinds.delete(kind.id);
}
