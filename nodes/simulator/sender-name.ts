import type { Language } from '../lib/texts/languages';
import type { Settings } from './settings';

/** The sender's name in a message: it has to say that a simulator sent it. */
export function senderName({ appName }: Pick<Settings, 'appName'>, language: Language): string {
  return /simulator/i.test(appName) ? appName : language.text('message.sender', { app: appName });
}
