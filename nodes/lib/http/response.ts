import { AuthyError } from '../contract/errors';

/** A parsed JSON object of which nothing is known. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An answer of Authy: its status and its body, which is a JSON object. */
export interface Answer {
  statusCode: number;
  /** As it came: to read, and not to hand on. */
  body: JsonObject;
  /** The same without the secrets that it repeats. */
  shown: JsonObject;
}

/** An answer that is not what the documentation says; nothing is concluded from it. */
export function untrusted(problem: string, answer?: Answer): AuthyError {
  return new AuthyError('AUTHY_BAD_RESPONSE', `Authy's answer cannot be trusted: ${problem}.`, {
    statusCode: answer?.statusCode,
    response: answer?.shown,
  });
}

/** The object's own member, never an inherited one. */
export function member(object: unknown, name: string): unknown {
  return isObject(object) && Object.hasOwn(object, name) ? object[name] : undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether there are more than so many levels in a value that was parsed from JSON. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((content) => isNestedDeeper(content, levels - 1));
}

/** Whether the body says `success`: Authy writes it as a boolean or as text. */
export function isSuccess(body: JsonObject): boolean {
  const success = member(body, 'success');
  return success === true || success === 'true';
}

/** A member that must be an object. */
export function objectOf(answer: Answer, name: string): JsonObject {
  const value = member(answer.body, name);
  if (!isObject(value)) throw untrusted(`"${name}" is missing`, answer);
  return value;
}

/** An id: a positive integer or its digits, as text; the client's parser has made text of every number that would be rounded. */
export function idOf(object: JsonObject, name: string, answer: Answer): string {
  const value = member(object, name);
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && /^[1-9][0-9]{0,19}$/.test(text)) return text;
  throw untrusted(`"${name}" is not an id`, answer);
}

// What only informs may be absent or of another type than documented: Authy has dropped and changed such fields
// before, and clients that insisted on them broke.

export function textOrNull(object: unknown, name: string): string | null {
  const value = member(object, name);
  return typeof value === 'string' ? value : null;
}

export function numberOrNull(object: unknown, name: string): number | null {
  const value = member(object, name);
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : null;
}

export function flagOrNull(object: unknown, name: string): boolean | null {
  const value = member(object, name);
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  return null;
}

export function textsOf(object: unknown, name: string): string[] {
  const value = member(object, name);
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

export function objectOrNull(object: unknown, name: string): JsonObject | null {
  const value = member(object, name);
  return isObject(value) ? value : null;
}
