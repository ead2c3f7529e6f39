import type { Unnumbered } from './error-numbers';
import type { RepeatPolicy } from '../../http/retry';
import type { Answer } from './answer';

/** Where Authy's API is. */
export const authyBaseUrl = 'https://api.authy.com';

/** The outcome of an operation, and the result to hand on. */
export interface Outcome<Name extends string, Result extends object> {
  outcome: Name;
  result: Result;
}

/**
 * How one operation is asked of Authy: rows U1 to P2 of the API. `Values` are its validated inputs.
 */
export interface Endpoint<Values, Name extends string = string, Result extends object = object> {
  method: 'GET' | 'POST';
  /**
   * Path templates such as `/protected/json/users/{authyId}/status`; the names are those of `pathValues`. The
   * ones after the first are tried in order, and only if the server has no such route.
   */
  paths: readonly [string, ...string[]];
  /** What may happen when an attempt fails; see retry.ts. */
  repeat: RepeatPolicy;
  /** The values in the path. */
  pathValues?(values: Values): Readonly<Record<string, string>>;
  /** The query of a GET or the JSON body of a POST; undefined members are left out. */
  parameters?(values: Values): Readonly<Record<string, unknown>>;
  /** False: the documented answer has no `success`. One that has it has to say yes all the same. */
  saysSuccess?: false;
  /** Members of the answer that only the result may have: they are in nothing else that is handed on. */
  secretMembers?: readonly string[];
  /**
   * A further request that the result needs, if these values ask for it; its own result is the whole one.
   *
   * @param result - so far
   */
  next?(values: Values, result: Result): Endpoint<Values, Name, Result> | undefined;
  /** Reads an answer with HTTP 200 and `success`; throws if it is not the documented one. */
  read(answer: Answer, values: Values): Outcome<Name, Result>;
  /** Reads a refusal that is an outcome of the operation rather than an error, by Authy's error number. */
  refusals?: Readonly<Record<string, (answer: Answer, values: Values) => Outcome<Name, Result>>>;
  /** Texts of old answers, which had no such numbers. */
  unnumbered?: readonly Unnumbered[];
  /** As `refusals`, for numbers which mean that an earlier attempt, whose answer was lost, had worked. */
  doneBefore?: Readonly<Record<string, (answer: Answer, values: Values) => Outcome<Name, Result>>>;
}

/**
 * Fills a path template. Nothing is escaped: a value that would need it, or could be read as another path, does not fit.
 *
 * @returns the path, beginning with a slash
 * @throws Error - if a value does not fit, which validated values cannot cause
 */
export function endpointPath(template: string, values: Readonly<Record<string, string>> = {}): string {
  let parts = partsOf.get(template);
  if (parts === undefined) partsOf.set(template, (parts = template.split(/[{}]/)));
  let path = '';
  for (const [index, part] of parts.entries())
    path += index % 2 === 0 ? part : fitting(template, values[part]);
  return path;
}

/** The parts of each template: text and names, in turn. */
const partsOf = new Map<string, string[]>();

function fitting(template: string, value: string | undefined): string {
  if (value !== undefined && /^[\w-]+$/.test(value)) return value;
  throw new Error(`A value does not fit into the path ${template}`);
}
