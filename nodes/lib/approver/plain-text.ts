/** Control characters and those that turn the direction of text. */
const misleading = '[\\p{Cc}\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069]';

/** Whether a text shows what it holds: others read it in warnings, among words that are not its author's. */
export function isPlain(text: string): boolean {
  return !new RegExp(misleading, 'u').test(text);
}

/** A text from elsewhere as it may stand in a warning, on one line and in one direction. */
export function plain(text: string): string {
  return text.replace(new RegExp(misleading, 'gu'), ' ');
}
