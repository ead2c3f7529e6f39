import { type Operation, operations } from '../../nodes/lib/contract/operations';
import type { OperationName } from '../../nodes/lib/contract/results';

/** How many outputs the node of an operation has. */
export function outputsOf(name: OperationName): number {
  const { outcomes }: Operation = operations[name];
  return Math.max(...Object.values(outcomes).map(([output]) => output)) + 1;
}

/** The node of an operation as its panel makes it, and what is set beyond that. */
export function newNode(
  name: OperationName,
  properties: Readonly<Record<string, unknown>> = {},
): { id: string; type: string; account: string; [property: string]: unknown } {
  const { inputs, node }: Operation = operations[name];
  const defaults = Object.entries(inputs).flatMap(
    ([
      input,
      {
        default: [value, type],
      },
    ]): [string, unknown][] => [
      [input, value],
      [`${input}Type`, type],
    ],
  );
  return { id: 'node', type: node, account: 'account', ...Object.fromEntries(defaults), ...properties };
}
