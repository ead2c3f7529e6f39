/** Whether a text has no control characters, and none that turn the direction: others read it among words that are not its author's. */
export function isPlain(text: string): boolean {
  return !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(text);
}

/** A text from elsewhere as it may stand in a warning: on one line, in one direction, and without what nobody sees. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
}
