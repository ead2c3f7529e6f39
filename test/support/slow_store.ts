/**
 * A context store as a user may have installed it: it answers after a time that differs from call to call, so that a
 * later call may be done first.
 *
 * Source: https://nodered.org/docs/api/context/
 */
export function slowStore(): object {
  const scopes = new Map<string, Map<string, unknown>>();
  const later = (work: () => void): void => {
    setTimeout(work, Math.random() * 30);
  };
  const valuesOf = (scope: string): Map<string, unknown> => {
    const values = scopes.get(scope) ?? new Map<string, unknown>();
    scopes.set(scope, values);
    return values;
  };
  type Done = (error?: unknown, ...values: unknown[]) => void;
  return {
    open: () => Promise.resolve(),
    close: () => Promise.resolve(),
    get: (scope: string, names: string | string[], done: Done) =>
      later(() => done(undefined, ...[names].flat().map((name) => valuesOf(scope).get(name)))),
    set: (scope: string, names: string | string[], value: unknown, done?: Done) =>
      later(() => {
        for (const name of [names].flat()) {
          if (value === undefined) valuesOf(scope).delete(name);
          else valuesOf(scope).set(name, value);
        }
        done?.();
      }),
    keys: (scope: string, done: Done) => later(() => done(undefined, [...valuesOf(scope).keys()])),
    delete: (scope: string) => Promise.resolve(scopes.delete(scope)),
    clean: () => Promise.resolve(),
  };
}
