import type { Node, NodeAPI, NodeMessage } from 'node-red';
import { invalidInput, missingInput, refusedInput } from '../contract/errors';
import type { Entry } from '../contract/operations';
import { evaluator, preparedNow, remedyFor, sourceOf } from './evaluate';
import { placeholder } from '../contract/placeholder';

/** One row of such a list: a name, which is fixed, and a TypedInput. */
interface Row {
  readonly name: string;
  readonly value: string;
  readonly type: string;
}

/**
 * Reads the rows of a list once, for all messages.
 *
 * @param list - the rows as the panel writes them, JSON text such as `[{"name": "Door", "value": "Garage", "type": "str"}]`
 * @param field - the input's name, for the error
 * @returns gives the entries for a message: each row's name and the value of its TypedInput
 * @throws what is returned throws, or rejects with, `AUTHY_INVALID_INPUT` if the list is not a list of rows, two rows have
 *   one name, or one has none, or no value; the error of Node-RED or JSONata if an expression is wrong
 */
export function entriesOf(
  RED: NodeAPI,
  node: Node,
  list: unknown,
  field: string,
): (message: NodeMessage) => Promise<Entry[]> {
  return preparedNow(() => {
    const rows = rowsOf(list, field)
      .map(withVariable)
      .map((row) => [row, evaluator(RED, node, row)] as const);
    return (message) =>
      Promise.all(rows.map(([row, evaluate]) => entryOf(row, () => evaluate(message), field, node)));
  });
}

/** @param evaluate - called in here, so that its exceptions are rejections like any other: all rows are awaited together */
async function entryOf(row: Row, evaluate: () => unknown, field: string, node: Node): Promise<Entry> {
  const value = await evaluate();
  if (value !== undefined && value !== null && value !== '') return [row.name, value];
  const source = sourceOf(row);
  if (source === undefined) throw missingInput(field, `has no value for “${row.name}”.`);
  throw refusedInput(field, `${source} is missing. ${remedyFor(row, row.name, node)}`, 'MISSING');
}

/** The rows of a list. @throws AuthyError - `AUTHY_INVALID_INPUT` if it is none */
export function rowsOf(list: unknown, field: string): readonly Row[] {
  const rows = typeof list === 'string' ? (JSON.parse(list) as unknown) : list;
  if (!Array.isArray(rows) || !rows.every(isRow)) {
    throw invalidInput(field, 'is no list of rows, each with name, value and type.');
  }
  const names = new Set<string>();
  for (const { name } of rows) {
    if (name.trim() === '') throw invalidInput(field, 'has a row without a name. Give it one, or remove it.');
    if (names.has(name)) throw invalidInput(field, `has two rows named “${name}”.`);
    names.add(name);
  }
  return rows;
}

/** Node-RED replaces a variable only if it is a whole setting, and a row is a part of one: so it is done here. */
function withVariable(row: Row): Row {
  const name = row.type === 'str' ? placeholder(row.value) : undefined;
  return name === undefined ? row : { ...row, type: 'env', value: name };
}

function isRow(row: unknown): row is Row {
  const { name, value, type } = (row ?? {}) as Partial<Record<keyof Row, unknown>>;
  return typeof name === 'string' && typeof value === 'string' && typeof type === 'string';
}
