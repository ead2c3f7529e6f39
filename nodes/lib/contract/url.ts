/**
 * Whether a text is a URL. Not by `URL.canParse`: in Node.js 20 it refuses letters such as ü once it was called often enough to be
 * compiled.
 *
 * @param base - what a relative one begins at
 */
export function isUrl(text: string, base?: string | URL): boolean {
  try {
    return new URL(text, base) instanceof URL;
  } catch {
    return false;
  }
}
