/** The kinds of things that Twilio names by a SID. Source: https://www.twilio.com/docs/glossary/what-is-a-sid */
export type SidPrefix = 'AC' | 'SK' | 'VA' | 'VE' | 'YF' | 'YC';

/** Whether a text is a SID of a kind: its prefix and 32 hexadecimal digits in lower case, as Twilio writes them. */
export function isSid(prefix: SidPrefix, text: unknown): text is string {
  return typeof text === 'string' && new RegExp(`^${prefix}[0-9a-f]{32}$`).test(text);
}

/** A SID as the UUID of the same digits, in lower case: ids have this format on every service. */
export function uuidOf(sid: string): string {
  const digits = sid.slice(2).toLowerCase();
  return [0, 8, 12, 16, 20].map((from, index, all) => digits.slice(from, all[index + 1])).join('-');
}

/** The SID that {@link uuidOf} made a UUID of. */
export function sidOf(prefix: SidPrefix, uuid: string): string {
  return prefix + uuid.replaceAll('-', '');
}
