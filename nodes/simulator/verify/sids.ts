import { randomBytes } from 'node:crypto';

/** What a SID names: `VE` a verification, `VL` a sending of its code, and so on. */
export type SidPrefix = 'AC' | 'SK' | 'VA' | 'VE' | 'VL' | 'YE' | 'YF' | 'YC' | 'YW' | 'YK' | 'NT';

/** Two letters and 32 hexadecimal digits. */
export function isSid(prefix: SidPrefix, text: string): boolean {
  return text.startsWith(prefix) && /^[A-Z]{2}[0-9a-f]{32}$/.test(text);
}

export function randomSid(prefix: SidPrefix): string {
  return prefix + randomBytes(16).toString('hex');
}

/** The SID with the digits of a UUID. */
export function sidOf(prefix: SidPrefix, uuid: string): string {
  return prefix + uuid.replaceAll('-', '');
}

/** The UUID with the digits of a SID, in lower case; undefined if it is none with this prefix. */
export function uuidOf(prefix: SidPrefix, sid: string): string | undefined {
  const digits = sid.slice(2).toLowerCase();
  if (!isSid(prefix, sid.slice(0, 2) + digits)) return undefined;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
