import fs from 'node:fs';
import path from 'node:path';
import { read, root, types } from './panels';

/** The languages that there are catalogues for; English is the one the others are held to. */
export const languages = fs
  .readdirSync(path.join(root, 'locales'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort((one, other) => Number(other === 'en-US') - Number(one === 'en-US'));

export const translations = languages.filter((language) => language !== 'en-US');

/** The catalogue of the simulator, which belongs to no node. */
export const simulatorCatalogue = 'authy-simulator';

/** The catalogue of what people are told, which belongs to no node. */
export const messagesCatalogue = 'authy-messages';

/** The catalogue of the page that people answer on, which belongs to no node. */
export const approverCatalogue = 'authy-approver';

/** The catalogue of the sidebar, which is a plugin of the editor. */
export const sidebarCatalogue = 'authy-sidebar';

/** Every catalogue of a language. */
export const catalogues = [
  ...types,
  simulatorCatalogue,
  messagesCatalogue,
  approverCatalogue,
  sidebarCatalogue,
];

/** The texts of one catalogue, by key, such as `authy-token-verify.label.token`. */
export function textsOf(language: string, catalogue: string): Map<string, string> {
  return flat(JSON.parse(read('locales', language, `${catalogue}.json`)) as object);
}

/**
 * The keys that hold a text's forms in a language, where a number decides on the form; Node-RED's `x` and `x_plural`
 * for one and several, and i18next's `x_few` and so on for languages with more.
 */
export function formsOf(language: string, key: string): string[] {
  const rules = new Intl.PluralRules(language);
  const categories = new Set(Array.from({ length: 200 }, (_, number) => rules.select(number + 1)));
  const suffixes: Partial<Record<Intl.LDMLPluralRule, string>> = { one: '', other: '_plural' };
  return [...categories].map((category) => key + (suffixes[category] ?? `_${category}`));
}

/** The texts of Node-RED's own nodes and of its editor, with the catalogue in front of each key. */
export function coreTexts(): Map<string, string> {
  return new Map(
    [
      ['node-red:', '@node-red/nodes/locales/en-US/messages.json'],
      ['editor:', '@node-red/editor-client/locales/en-US/editor.json'],
    ].flatMap(([prefix = '', file = '']) => [
      ...flat(JSON.parse(fs.readFileSync(require.resolve(file), 'utf8')) as object, prefix),
    ]),
  );
}

function flat(catalogue: object, prefix = ''): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(catalogue) as [string, unknown][]) {
    if (typeof value === 'object' && value !== null) {
      for (const [key, text] of flat(value, `${prefix}${name}.`)) texts.set(key, text);
    } else {
      texts.set(prefix + name, String(value));
    }
  }
  return texts;
}
