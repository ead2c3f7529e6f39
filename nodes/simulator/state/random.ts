import { createHash, randomInt } from 'node:crypto';

/** A random code: text, because leading zeros count. */
export function randomCode(digits: number): string {
  return Array.from({ length: digits }, () => String(randomInt(10))).join('');
}

/** An id of 24 hexadecimal digits, as Authy's database gives them; the same text gives the same id. */
export function objectId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}
