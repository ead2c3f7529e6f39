import type { Factor, Person } from '../../contract/people';

/** What the authenticators of this service have as theirs. */
export const service = 'local';

/** An authenticator whose codes can be computed here. */
export type Authenticator = Factor & { readonly secret: string };

const canCompute = (factor: Factor): factor is Authenticator =>
  factor.type === 'totp' && factor.secret !== undefined;

/** The authenticator whose codes count: one of ours, otherwise one that came in a list. The newest. */
export function activeOf({ factors }: Person): Authenticator | undefined {
  const verified = factors.filter(canCompute).filter(({ state }) => state === 'verified');
  return (
    verified.filter((factor) => factor.service === service).at(-1) ??
    verified.filter((factor) => factor.service === undefined).at(-1)
  );
}

export const isPending = ({ type, state, service: of }: Factor): boolean =>
  type === 'totp' && state === 'unverified' && of === service;

/** The authenticator that none of its codes has confirmed yet. */
export function pendingOf({ factors }: Person): Authenticator | undefined {
  return factors.filter(canCompute).filter(isPending).at(-1);
}

/** The last step that was used of a secret: the same one may have come in a list, and be known at another service. */
export function lastStepOf({ factors }: Person, { secret }: Authenticator): number {
  return Math.max(
    -1,
    ...factors.flatMap((factor) => (factor.secret === secret ? (factor.lastStep ?? -1) : [])),
  );
}

/** The authenticators once a step of one was used. */
export function withStep(factors: readonly Factor[], { secret }: Authenticator, lastStep: number): Factor[] {
  return factors.map((factor) => (factor.secret === secret ? { ...factor, lastStep } : factor));
}

/** The authenticators once one was confirmed: it takes the place of the one before, with its recovery codes. */
export function withConfirmed(factors: readonly Factor[], { id, secret }: Authenticator): Factor[] {
  const isFormer = (factor: Factor): boolean =>
    factor.type === 'totp' &&
    factor.id !== id &&
    (factor.service === service || (factor.service === undefined && factor.secret !== secret));
  return factors
    .filter((factor) => !isFormer(factor))
    .map((factor) => (factor.id === id ? { ...factor, state: 'verified' } : factor));
}
