/** The format of an API key; Authy's own have 32 characters. The panel applies the same to an entered key. */
const plausible = /^(?!.*\$[{(])[\x21-\x7e]{16,}$/;

/**
 * Why a text is not an API key. A short one can be guessed, and `${NAME}` is in every documentation: anybody who knows the
 * key can sign callbacks.
 *
 * @returns what to do, as a sentence that does not show the text; undefined if it may be a key
 */
export function apiKeyProblem(text: string): string | undefined {
  if (plausible.test(text)) return undefined;
  return 'copy it anew from the Authy application: a key has at least 16 letters, digits or signs, without spaces or placeholders.';
}
