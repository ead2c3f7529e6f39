import type { NodeAPI } from 'node-red';

/** The language of this Node-RED, found as it does: in settings.js, otherwise in the environment. */
export function languageOf(RED: NodeAPI): string | undefined {
  const { lang } = RED.settings as { lang?: unknown };
  const [system] = ['LC_ALL', 'LC_MESSAGES', 'LANG'].flatMap((name) => process.env[name] ?? []);
  return typeof lang === 'string' ? lang : system?.slice(0, 2);
}
