import { isNestedDeeper, isObject, type JsonObject } from '../contract/json';
import { parseExact } from '../contract/json-numbers';
import type { Body } from './connections';

/** How many levels an answer may have. Answers of services have four or five. */
const deepest = 100;

/** A value as JSON; members that are undefined are left out. */
export function jsonBody(value: object): Body {
  return { type: 'application/json', text: JSON.stringify(value) };
}

/** Fields as an HTML form sends them; see {@link formText}. */
export function formBody(fields: Readonly<Record<string, unknown>>): Body {
  return { type: 'application/x-www-form-urlencoded', text: formText(fields) };
}

/**
 * Fields as a query or a form has them: text as it is, other values as JSON. A list repeats the name; those that are undefined
 * are left out.
 */
export function formText(fields: Readonly<Record<string, unknown>>): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (one !== undefined) text.append(name, typeof one === 'string' ? one : JSON.stringify(one));
    }
  }
  return text.toString();
}

/** An `Authorization` header with a user name and a password. Source: RFC 7617 */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** The body as an object, with its numbers as they were sent; undefined if it is not an object, or too deep to copy. */
export function jsonObject(text: string): JsonObject | undefined {
  try {
    const body: unknown = parseExact(text);
    return isObject(body) && !isNestedDeeper(body, deepest) ? body : undefined;
  } catch {
    return undefined;
  }
}
