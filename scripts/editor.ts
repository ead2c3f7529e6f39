// The plugin that all panels share. The contract and what the services do of it are put into it when it is built.
import { languages, type Operation, operations } from '../nodes/lib/contract/operations';
import type { OperationName } from '../nodes/lib/contract/results';
import type { Need, Refusal, ServiceKind } from '../nodes/lib/contract/service';
import { privateHost } from '../nodes/lib/contract/private-host';
import { formats } from '../nodes/lib/contract/validation';

/** What a service does not do of a node. */
interface Limits {
  /** What the texts about it are called by. */
  readonly operation: OperationName | 'answersByHttp';
  readonly unsupported?: string;
  readonly needs?: Need;
  readonly refuses?: Readonly<Record<string, Refusal>>;
}

/** What the panels know of the contract and of the services. */
export interface EditorFacts {
  readonly languages: readonly string[];
  /** By name: source and flags of a regular expression. */
  readonly formats: Readonly<Record<string, readonly [source: string, flags: string]>>;
  /** By the id of a service and the type of a node. */
  readonly services: Readonly<Record<string, Readonly<Record<string, Limits>>>>;
}

const place = '{ languages: [], formats: {}, services: {} }';

/** The operation that the messages of a node ask for. */
const operationOf = new Map<string, OperationName>([
  ...Object.entries(operations).map(
    ([name, { node }]: [string, Operation]) => [node, name] as [string, OperationName],
  ),
  ['authy-onetouch-approval', 'onetouchSend'],
]);

/** What the panels have to know. @param kinds the services */
export function editorFacts(kinds: readonly ServiceKind[]): EditorFacts {
  return {
    languages,
    formats: Object.fromEntries(
      Object.entries({ ...formats, privateHost }).map(([name, { source, flags }]) => [name, [source, flags]]),
    ),
    services: Object.fromEntries(kinds.map((kind) => [kind.id, limitsOf(kind)])),
  };
}

function limitsOf({ abilities, answersByHttp }: ServiceKind): Record<string, Limits> {
  const all: [string, Limits][] = [
    ...[...operationOf].map(([type, operation]): [string, Limits] => [
      type,
      { operation, ...abilities[operation] },
    ]),
    ['authy-onetouch-callback', { operation: 'answersByHttp', ...answersByHttp }],
  ];
  return Object.fromEntries(all.filter(([, limits]) => limits.unsupported ?? limits.needs ?? limits.refuses));
}

/**
 * The plugin as the editor gets it.
 *
 * @param source of `nodes/authy-editor.html`
 * @throws Error if the source has no place for the facts
 */
export function editorWith(facts: EditorFacts, source: string): string {
  if (source.split(place).length !== 2) throw new Error(`authy-editor.html needs ${place}, once.`);
  // In a script, "</" could end it.
  return source.replace(place, () => JSON.stringify(facts).replaceAll('</', '<\\/'));
}
