/** The texts of the page in its language; the server has put them into the page. */

export const { lang } = document.documentElement;

const texts = JSON.parse(document.documentElement.dataset.texts);

const find = (key) => key.split('.').reduce((part, name) => part?.[name], texts);

/** @param values - what replaces `__name__` */
export function text(key, values = {}) {
  return find(key).replace(/__(\w+?)__/g, (placeholder, name) => values[name] ?? placeholder);
}

/** Whether there is such a text. */
export function hasText(key) {
  return typeof find(key) === 'string';
}

const plural = new Intl.PluralRules(lang);

/** A text whose form depends on a number, which replaces `__count__`. */
export function counted(key, count) {
  const isSingular = plural.select(count) === 'one' && hasText(key);
  return text(isSingular ? key : `${key}_plural`, { count });
}

const dateAndTime = new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' });

/** @param time - in milliseconds since 1970 */
export function dateOf(time) {
  return dateAndTime.format(new Date(time));
}

/** Minutes and seconds, with hours in front where there are any. */
export function durationOf(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (number) => String(number).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** The digits of a code as it was typed: with spaces, or with the wide digits of a Japanese keyboard. */
export function digitsOf(typed) {
  return typed.normalize('NFKC').replace(/\D/g, '');
}
