import type { Notification } from '../../contract/notification';
import { messagesIn } from '../../texts/messages';
import { codeLifetime } from './sent-code';

/** In which language, and from whom. */
interface Sender {
  readonly displayName: string;
  /** Of this Node-RED. */
  readonly language: string | undefined;
}

type Worded = Pick<Notification, 'title' | 'text' | 'account'>;

/**
 * The message with a code. The title holds no code: it may be shown on a locked screen.
 *
 * @param locale - the language that was asked for; that of this Node-RED if none was
 * @param template - a text with `{{code}}` in it, instead of ours
 */
export function codeMessage(
  { displayName: name, language }: Sender,
  code: string,
  locale: string | undefined,
  template?: string,
): Worded {
  const words = messagesIn(locale ?? language);
  const values = { name, code, minutes: String(codeLifetime / 60_000) };
  return {
    title: words.text('code.title', values),
    text: template?.replaceAll('{{code}}', code) ?? words.text('code.text', values),
    account: name,
  };
}

/** The message that few recovery codes are left. */
export function recoveryMessage({ displayName: name, language }: Sender, left: number): Worded {
  const words = messagesIn(language);
  const values = { name, count: String(left) };
  return {
    title: words.text('recovery.title', values),
    text: words.text('recovery.text', values),
    account: name,
  };
}
