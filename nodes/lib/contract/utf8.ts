/** The text that bytes are; undefined if they are not UTF-8. Nothing is replaced: that would be another text. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
