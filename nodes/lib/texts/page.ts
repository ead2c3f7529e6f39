import type { Language } from './languages';

/**
 * A page in a language.
 *
 * @param template - in which `{{key}}` is a text of the page, `{{language}}` its language, and `{{texts}}` all its texts
 *   as JSON
 */
export function pageIn(language: Language, template: string): string {
  const facts: Readonly<Record<string, string>> = {
    language: language.tag,
    texts: JSON.stringify(language.page),
  };
  return template.replace(/\{\{([\w.]+)\}\}/g, (_placeholder, key: string) =>
    escaped(facts[key] ?? language.text(`page.${key}`)),
  );
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
