import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { AuthyError, InputError, invalidInput, refusedInput } from '../contract/errors';
import { kind } from '../contract/validation';
import { type Evaluator, evaluator, remedyFor, sourceOf, type TypedValue } from './evaluate';
import { type Inputs, listType } from '../contract/operations';
import type { CallOptions } from '../contract/service';
import { labelOf } from './labels';
import { entriesOf, rowsOf } from './rows';
import { unsetVariable } from '../contract/placeholder';

/** The inputs of a node as its configuration has them: `x` and `xType` for each input `x`. */
export class NodeInputs {
  private readonly typed: Readonly<Record<string, TypedValue>>;
  private readonly evaluators: readonly (readonly [input: string, evaluator: Evaluator])[];

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    config: Readonly<Record<string, unknown>>,
    private readonly inputs: Inputs,
  ) {
    this.typed = Object.fromEntries(
      Object.entries(inputs).map(
        ([
          input,
          {
            default: [value, type],
          },
        ]) => [input, { value: config[input] ?? value, type: (config[`${input}Type`] ?? type) as string }],
      ),
    );
    this.evaluators = Object.entries(this.typed).map(([input, typed]): [string, Evaluator] => {
      const unset = unsetIn(typed);
      if (unset !== undefined) {
        const reason = `${this.labelOf(input)}: ${unset}`;
        return [input, () => Promise.reject(refusedInput(input, reason, 'MISSING'))];
      }
      const ofEntries = inputs[input]?.ofEntries;
      if (typed.type !== listType || ofEntries === undefined) return [input, evaluator(RED, node, typed)];
      const entries = entriesOf(RED, node, typed.value, input);
      return [
        input,
        async (message) => {
          const given = await entries(message);
          return given.length === 0 ? undefined : ofEntries(given);
        },
      ];
    });
  }

  /**
   * Evaluates all inputs for a message.
   *
   * @returns the values by name, not yet validated
   * @throws AuthyError - `AUTHY_INVALID_INPUT` if one cannot be evaluated
   */
  async evaluate(message: NodeMessageInFlow): Promise<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    const later: Promise<void>[] = [];
    for (const [input, evaluate] of this.evaluators) {
      try {
        const value = evaluate(message);
        values[input] = value;
        // Only few need waiting: those of a context store or an expression.
        if (value instanceof Promise) {
          later.push(
            value.then(
              (content: unknown) => {
                values[input] = content;
              },
              (error: unknown) => {
                throw unevaluable(input, error);
              },
            ),
          );
        }
      } catch (error) {
        later.push(Promise.reject(unevaluable(input, error)));
      }
    }
    if (later.length > 0) await Promise.all(later);
    return values;
  }

  /**
   * Evaluates the inputs that are the same for each message, as far as that is possible: fixed values, and variables of
   * the environment.
   *
   * @returns the values by name, not yet validated
   */
  async fixed(): Promise<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    for (const [input, evaluate] of this.evaluators) {
      const typed = this.typed[input];
      if (typed === undefined || !isFixed(typed)) continue;
      try {
        values[input] = await evaluate({});
      } catch {
        // Each message has this error.
      }
    }
    return values;
  }

  /** The inputs that are taken from the message, each with the property that it is taken from. */
  takenFromMessage(): (readonly [input: string, property: string])[] {
    return Object.entries(this.typed).flatMap(([input, { value, type }]) =>
      type === 'msg' && typeof value === 'string' ? [[input, value] as const] : [],
    );
  }

  /** Names a refused input as the flow builder sees it: by where its value came from, or by its label in the panel. */
  withSource(error: unknown): Error {
    if (!(error instanceof InputError)) return error instanceof Error ? error : new Error(String(error));
    const typed = this.typed[error.field];
    if (typed === undefined) return error;
    const label = this.labelOf(error.field);
    const subject = sourceOf(typed) ?? label;
    if (error.code !== 'AUTHY_INVALID_INPUT') return error.about(subject);
    const { origin } = this.inputs[error.field] ?? {};
    const remedy = remedyFor(typed, label, this.node);
    return error.about(subject, origin === undefined ? remedy : `${remedy} ${origin}`);
  }

  private labelOf(input: string): string {
    return labelOf(this.RED, this.node.type, input);
  }
}

/** The types whose value no message changes. */
const fixedTypes: readonly string[] = ['str', 'num', 'bool', 'json', 'env'];

function isFixed({ value, type }: TypedValue): boolean {
  if (type !== listType) return fixedTypes.includes(type);
  try {
    return rowsOf(value, listType).every((row) => fixedTypes.includes(row.type));
  } catch {
    return false;
  }
}

function unevaluable(input: string, error: unknown): AuthyError {
  if (error instanceof AuthyError) return error;
  return invalidInput(input, `cannot be evaluated. ${(error as Error).message}`);
}

/** What to do if an input's value is the placeholder of a variable that is not set; undefined if it is not. */
function unsetIn({ value, type }: TypedValue): string | undefined {
  // An expression may begin with a dollar and a brace; with a name in the braces it is no expression, and has its own error.
  return typeof value === 'string' && type !== 'jsonata' ? unsetVariable(value) : undefined;
}

/**
 * The deadline of a call if the message brings one, `msg.requestTimeout` in milliseconds: a number of at least 1,
 * or its digits as text, which Node-RED's http request node accepts as well.
 *
 * @returns undefined if it is left blank
 * @throws AuthyError - `AUTHY_INVALID_INPUT` for anything else: an intended time must not be ignored
 */
export function deadlineOf({ requestTimeout }: NodeMessageInFlow): CallOptions['deadline'] {
  if (requestTimeout === undefined || requestTimeout === null || requestTimeout === '') return undefined;
  const isDigits = typeof requestTimeout === 'string' && /^[1-9][0-9]*$/.test(requestTimeout);
  const milliseconds = isDigits ? Number(requestTimeout) : requestTimeout;
  if (typeof milliseconds === 'number' && milliseconds >= 1) return milliseconds;
  throw refusedInput(
    'requestTimeout',
    `msg.requestTimeout is ${kind(requestTimeout)}. It must be a number of milliseconds, 1 or more, or be left out.`,
  );
}
