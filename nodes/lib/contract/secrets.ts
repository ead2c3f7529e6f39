/** A secret of this length is also looked for inside words; a shorter one would be found by chance. */
const unmistakable = 8;

/**
 * Removes secrets from answers of the other end, which may repeat what it was sent: as they are or encoded as in a URL, in
 * upper or lower case. Use it once a text is parsed: before, a secret could be hidden in its escapes, and a secret that
 * looks like a part of the syntax would break the syntax.
 */
export class Secrets {
  private readonly placeholders = new Map<string, string>();
  private readonly pattern: RegExp | undefined;

  /** @param secrets - each with its replacement; blank ones are ignored, and of equal ones the first counts */
  constructor(secrets: readonly (readonly [secret: string, placeholder: string])[]) {
    for (const [secret, placeholder] of secrets) {
      for (const form of formsOf(secret)) {
        const known = form.toLowerCase();
        if (!this.placeholders.has(known)) this.placeholders.set(known, placeholder);
      }
    }
    // The longest first: one may be a part of another.
    const forms = [...this.placeholders.keys()].sort((one, other) => other.length - one.length);
    if (forms.length > 0) this.pattern = new RegExp(forms.map(patternOf).join('|'), 'giu');
  }

  /** The text without them. */
  outOfText(text: string): string {
    if (this.pattern === undefined) return text;
    return text.replace(this.pattern, (found) => this.placeholders.get(found.toLowerCase()) ?? '[secret]');
  }

  /** Plain data without them: a copy in which each text and each name is cleaned, however deep it is. */
  outOf<T>(value: T): T {
    return this.copyOf(value) as T;
  }

  private copyOf(value: unknown): unknown {
    if (typeof value === 'string') return this.outOfText(value);
    if (Array.isArray(value)) return value.map((item) => this.copyOf(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, content]) => [this.outOfText(name), this.copyOf(content)]),
    );
  }
}

function formsOf(secret: string): string[] {
  if (secret === '') return [];
  const inForm = new URLSearchParams({ '': secret }).toString().slice(1);
  return [secret, encodeURIComponent(secret.toWellFormed()), inForm];
}

function patternOf(form: string): string {
  const literal = form.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return form.length < unmistakable ? `(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])` : literal;
}
