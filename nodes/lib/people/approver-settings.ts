import type { ApproverSettings } from '../contract/approver';
import type { SettingsReader } from '../contract/service';
import { isUrl } from '../contract/url';

/** The names of the settings that say how people are asked on this Node-RED's own page. */
export const approverProperties = ['approverUrl', 'approverPath', 'approverPush', 'approverText'] as const;

const usualPath = '/approve';

/**
 * Reads how people are asked on this Node-RED's own page. Never throws.
 *
 * @param name - what people see as the one who asks
 */
export function approverSettings(
  settings: SettingsReader,
  config: Readonly<Record<string, unknown>>,
  name: string,
): ApproverSettings {
  const url = settings.text('approverUrl', config['approverUrl']).trim().replace(/\/+$/, '');
  if (url !== '' && !isPageUrl(url)) {
    settings.refuse('approverUrl', 'enter an address such as https://home.example/approve, without a query.');
  }
  const path = settings.text('approverPath', config['approverPath'], usualPath).trim().replace(/\/+$/, '');
  if (!/^(?:\/[A-Za-z0-9_-]+){1,5}$/.test(path)) {
    settings.refuse('approverPath', 'enter a path such as /approve, of letters, digits, - and _.');
  }
  return {
    name,
    path,
    publicUrl: url === '' || !isPageUrl(url) ? undefined : url,
    push: settings.flag('approverPush', config['approverPush'], true),
    showsText: settings.flag('approverText', config['approverText'], true),
  };
}

function isPageUrl(text: string): boolean {
  if (!isUrl(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((part) => part === '');
}
