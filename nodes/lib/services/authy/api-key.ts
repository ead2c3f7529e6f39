/** What an API key must be; Authy's own have 32 characters. A panel says the same of a key that is entered. */
const plausible = /^(?!.*\$[{(])[\x21-\x7e]{16,}$/;

/**
 * Why a text is no API key. What is short can be guessed, and `${NAME}` stands in every documentation: whoever knows the
 * key can sign callbacks.
 *
 * @returns what to do, as a sentence that does not show the text; undefined if it may be a key
 */
export function apiKeyProblem(text: string): string | undefined {
  if (plausible.test(text)) return undefined;
  return 'copy it anew from the Authy application: a key has at least 16 letters, digits or signs, without spaces or placeholders.';
}
