import { timingSafeEqual } from 'node:crypto';

// What it takes to verify a request that somebody has signed, whichever service it comes from.

/**
 * Compares two signatures, or hashes of secrets, in a time that does not depend on where they differ.
 *
 * @param received - whatever the request carried, or what was computed of it
 * @param expected - the signature computed here, or the hash that is kept
 */
export function signaturesMatch(received: string, expected: string): boolean {
  const a = Buffer.from(received);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}

export function hasForm(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value);
}

/** What is wrong with a header that is missing or has another form. */
export function headerProblem(name: string, value: unknown): string {
  return value === undefined ? `there is no ${name} header` : `the ${name} header has another form`;
}
