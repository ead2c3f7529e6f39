import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { parseExact } from '../contract/json-numbers';

/** A TypedInput as a node's configuration holds it. */
export interface TypedValue {
  readonly value: unknown;
  readonly type: string;
}

/** Gives the value for a message, or a promise of it; undefined if it was left blank or nothing was found. */
export type Evaluator = (message: NodeMessage) => unknown;

/**
 * Prepares a TypedInput once for all messages: a fixed value is read here, an expression is compiled here.
 *
 * Source: https://nodered.org/docs/api/modules/v/1.3/@node-red_util_util.html; the callback form is the one that
 * works with context stores that answer later.
 *
 * @throws the evaluator throws, or rejects with, the error of Node-RED or JSONata if the expression or the JSON is wrong;
 *   an Error if a number or a switch is not written as the panel writes it
 */
export function evaluator(RED: NodeAPI, node: Node, typed: TypedValue): Evaluator {
  return preparedNow(() => prepareEvaluator(RED, node, typed));
}

/**
 * Prepares something for all messages. Each message gets its error: at deploy nobody would catch it.
 *
 * @param prepare - called once
 */
export function preparedNow<Result>(
  prepare: () => (message: NodeMessage) => Result,
): (message: NodeMessage) => Result {
  try {
    return prepare();
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/**
 * As {@link evaluator}, for callers that can report at deploy what is wrong.
 *
 * @throws at once if the expression, the JSON, the number or the switch is wrong
 */
export function prepareEvaluator(RED: NodeAPI, node: Node, { value, type }: TypedValue): Evaluator {
  // A blank number is not 0, and a blank property is not the whole message: there is no value.
  if (value === '') return () => undefined;
  if (typeof value !== 'string') return () => value;
  switch (type) {
    case 'str':
      return () => value;
    case 'num':
    case 'bool':
    case 'json': {
      const fixed = fixedValue(value, type);
      return () => fixed;
    }
    case 'msg':
      return (message) => propertyOf(RED, message, value);
    case 'jsonata': {
      const expression = RED.util.prepareJSONataExpression(value, node);
      return (message) =>
        promised((callback) => RED.util.evaluateJSONataExpression(expression, message, callback));
    }
    default:
      return (message) =>
        promised((callback) => RED.util.evaluateNodeProperty(value, type, node, message, callback));
  }
}

function promised(ask: (callback: (error: Error | null, value: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // Some types throw in spite of the callback; the executor turns that into a rejection.
    ask((error, value) => {
      if (error) reject(error);
      else resolve(value);
    });
  });
}

/** For `user.id` without a `user`, Node-RED throws JavaScript's error; for a missing `id` it says that there is nothing. */
function propertyOf(RED: NodeAPI, message: NodeMessage, property: string): unknown {
  try {
    return RED.util.getMessageProperty(message, property) as unknown;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Node-RED would repair "012345" and "0x3039" to 12345, and "yes" to false: they have to be refused. */
function fixedValue(value: string, type: 'num' | 'bool' | 'json'): unknown {
  switch (type) {
    case 'num':
      if (String(Number(value)) === value) return Number(value);
      throw new Error('It must be a number in plain digits, such as 300.');
    case 'bool':
      if (value === 'true' || value === 'false') return value === 'true';
      throw new Error('It must be true or false.');
    case 'json':
      return parseExact(value);
  }
}

/** Where a TypedInput's value comes from, as a person would say it; undefined if it is in the node itself. */
export function sourceOf({ value, type }: TypedValue): string | undefined {
  switch (type) {
    case 'msg':
      return `msg.${String(value)}`;
    case 'flow':
    case 'global':
      // In front of the name there may be a context store: `#:(file)::name`.
      return `${type}.${String(value).replace(/^#:\([^)]*\)::/, '')}`;
    case 'env':
      return `Environment variable ${String(value)}`;
    default:
      return undefined;
  }
}

/** Where a TypedInput's value is changed: a sentence. @param label - what the panel calls it @param node - that it is a setting of */
export function remedyFor({ value, type }: TypedValue, label: string, node: object): string {
  switch (type) {
    case 'msg':
    case 'flow':
    case 'global':
      return `Set it before this node, or change “${label}” in the node.`;
    case 'env':
      // A node in a subflow has the id of its template, too.
      return '_alias' in node
        ? `Enter it in the properties of the subflow’s node, or set it and restart Node-RED, or change “${label}” in the subflow.`
        : `Set it and restart Node-RED, or change “${label}” in the node.`;
    case 'jsonata':
      return 'Change its JSONata expression in the node.';
    default:
      return value === '' ? 'Enter it in the node.' : 'Change it in the node.';
  }
}
