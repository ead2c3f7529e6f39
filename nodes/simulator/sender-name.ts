import type { Language } from './languages';
import type { Settings } from './settings';

/** Who a message says it is from: it has to say that it is a simulator's. */
export function senderName({ appName }: Readonly<Settings>, language: Language): string {
  return /simulator/i.test(appName) ? appName : language.text('message.sender', { app: appName });
}
