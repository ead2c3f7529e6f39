/**
 * The languages of Verify's messages.
 *
 * Source: https://www.twilio.com/docs/verify/supported-languages
 */
const locales: ReadonlySet<string> = new Set(
  (
    'af ar ca zh zh-cn zh-hk hr cs da nl en en-gb et fi fr de el he hi hu id it ja kn ko lt ms mr nb pl pt pt-br ro ru ' +
    'sk es sv tl te th tr uk vi'
  ).split(' '),
);

/** Whether there are messages in a language, such as `pt-BR`. */
export function isLocale(tag: string): boolean {
  return locales.has(tag.toLowerCase());
}
