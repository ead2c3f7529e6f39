import type { Node, NodeAPI, NodeMessage } from 'node-red';

/** A TypedInput as a node's configuration holds it. */
export interface TypedValue {
  readonly value: unknown;
  readonly type: string;
}

/**
 * Evaluates a TypedInput for a message.
 *
 * Source: https://nodered.org/docs/api/modules/v/1.3/@node-red_util_util.html; the callback form is the one that
 * works with context stores that answer later.
 *
 * @returns the value; undefined where it was left blank or nothing was found
 * @throws Error - of Node-RED or JSONata, where the expression or the JSON is wrong; where a number or a switch is
 *   written in another way than the panel writes it
 */
export function evaluate(
  RED: NodeAPI,
  node: Node,
  { value, type }: TypedValue,
  message: NodeMessage,
): Promise<unknown> {
  // Left blank, a number is not 0 and a property not the whole message: it is not given.
  if (value === '') return Promise.resolve(undefined);
  if (typeof value !== 'string') return Promise.resolve(value);
  if (!isAsWritten(value, type)) return Promise.reject(new Error(`It is not ${spelling[type]}.`));
  return new Promise((resolve, reject) => {
    // Some types throw in spite of the callback; the executor turns that into a rejection.
    RED.util.evaluateNodeProperty(value, type, node, message, (error, result: unknown) => {
      if (error) reject(error);
      else resolve(result);
    });
  }).catch((error: unknown) => {
    // Of `user.id` without a `user`, Node-RED says what JavaScript says; of `id` alone that there is nothing.
    if (type === 'msg' && error instanceof TypeError) return undefined;
    throw error;
  });
}

const spelling: Readonly<Record<string, string>> = {
  num: 'a number in plain digits, such as 300',
  bool: 'true or false',
};

/** Node-RED would make 12345 of "012345" and of "0x3039", and false of "yes": repaired, where it has to be refused. */
function isAsWritten(value: string, type: string): boolean {
  if (type === 'num') return String(Number(value)) === value;
  return type !== 'bool' || value === 'true' || value === 'false';
}

/** Where a TypedInput's value comes from, as a person would say it; undefined where it is fixed text. */
export function sourceOf({ value, type }: TypedValue): string | undefined {
  switch (type) {
    case 'msg':
    case 'flow':
    case 'global':
      return `${type}.${String(value)}`;
    case 'env':
      return `the environment variable ${String(value)}`;
    case 'jsonata':
      return 'the JSONata expression';
    default:
      return undefined;
  }
}
