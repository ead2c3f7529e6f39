import { type Language, Languages } from './languages';

/** Read with the first message. */
let languages: Languages | undefined;

/** The texts of what people are told, in a language. @param locale - such as `de`; English if it is not given or not known */
export function messagesIn(locale: string | undefined): Language {
  languages ??= new Languages('authy-messages');
  return languages.ofLocale(locale);
}
