import { operations, type ValuesOf } from '../../nodes/lib/contract/operations';
import type { OperationName } from '../../nodes/lib/contract/results';
import type { Abilities, Performed, ServiceKind, ServiceSettings } from '../../nodes/lib/contract/service';

/** What a service in memory does, by operation; what is not there it does not do. */
export type Does = { readonly [N in OperationName]?: (values: ValuesOf<N>) => Performed<N> };

/** A service that asks nobody: all there has to be of one. */
export function memoryService(id: string, does: Does, refuses: Partial<Abilities> = {}): ServiceKind {
  const names = Object.keys(operations) as OperationName[];
  const abilities = names.map((name) => [name, does[name] ? {} : { unsupported: `Leave out ${name}.` }]);
  const settings: ServiceSettings = { name: id, warnings: [], isSimulated: false };
  return {
    id,
    abilities: { ...(Object.fromEntries(abilities) as Abilities), ...refuses },
    answersByHttp: {},
    settings: [],
    credentials: [],
    read: () => settings,
    open: () =>
      Promise.resolve({
        phones: 'valid',
        perform: <N extends OperationName>(name: N, values: ValuesOf<N>) => {
          const perform = does[name];
          if (perform === undefined) throw new Error(`It was asked for ${name}.`);
          return Promise.resolve(perform(values));
        },
        test: () => Promise.resolve('memory'),
        close: () => undefined,
      }),
  };
}
