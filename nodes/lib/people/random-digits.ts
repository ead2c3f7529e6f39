import { randomInt } from 'node:crypto';

/** Random digits, each as likely as any other. @param length - at most 14 */
export function randomDigits(length: number): string {
  return String(randomInt(0, 10 ** length)).padStart(length, '0');
}
