import { isUrl } from './url';

/** How every key and secret begins that a simulator makes. None of Authy's or Twilio's does: theirs have letters and digits alone. */
export const simulatorKeyStart = 'simulator-';

/** Whether a key or secret is a simulator's: then nothing real can leak with it, and it protects nobody. */
export function isSimulatorKey(key: string): boolean {
  return key.startsWith(simulatorKeyStart);
}

/** What an account says at deploy whose key is a simulator's. */
export function simulatorWarning(baseUrl: string): string {
  // Without what else an address may hold, such as a password.
  const place = isUrl(baseUrl) ? ` (${new URL(baseUrl).origin})` : '';
  return `Use a key of your own for real people: this account asks a simulator${place}, as its key says, and protects nobody.`;
}
