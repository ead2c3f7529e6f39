import { type AuthyError, untrustedAnswer } from '../../contract/errors';
import { isObject, type JsonObject, member } from '../../contract/json';
import { formats } from '../../contract/validation';

/** An answer of Authy: its status and its body, which is a JSON object. */
export interface Answer {
  statusCode: number;
  /** As it came: only for reading, never handed on. */
  body: JsonObject;
  /** The same without the secrets that it repeats. */
  shown: JsonObject;
}

/** An answer that is not what the documentation says; nothing is concluded from it. */
export function untrusted(problem: string, answer?: Answer): AuthyError {
  return untrustedAnswer(problem, 'Authy', { statusCode: answer?.statusCode, response: answer?.shown });
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

/** An id: a positive integer or its digits, as text; the client's parser made every number text that would be rounded. */
export function idOf(object: JsonObject, name: string, answer: Answer): string {
  const value = member(object, name);
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && formats.authyId.test(text)) return text;
  throw untrusted(`"${name}" is not an id`, answer);
}
