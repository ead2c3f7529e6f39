import type { NodeAPI } from 'node-red';
import { Languages } from '../texts/languages';
import { languageOf } from './language';

/** Where the panels have their labels: each has some of its own, and the gate has those of the node that only sends. */
const shared = [
  ['authy-onetouch-send', 'authy-onetouch-send.label'],
  ['authy-config', 'common.label'],
] as const;

/** Settings that have the label of another one, of which the panel shows one at a time. */
const labelledAs: Readonly<Record<string, string>> = { verifyBaseUrl: 'baseUrl' };

/** Read with the first error. */
const catalogues = new Map<string, Languages>();

/**
 * What the panel of a node calls a setting, in the language of this Node-RED: errors name it as the flow builder sees it.
 *
 * @param type - of the node
 * @param setting - a property of its configuration; `tls.servername` is one of the node that `tls` refers to
 * @returns the setting itself if the panel has no label for it
 */
export function labelOf(RED: NodeAPI, type: string, setting: string): string {
  const [property = setting, part] = setting.split('.');
  const places = [[type, `${type}.label`] as const, ...shared];
  const labels = places.map(([catalogue, place]) =>
    catalogueOf(catalogue)
      .ofLocale(languageOf(RED))
      .textIfAny(`${place}.${labelledAs[property] ?? property}`),
  );
  const label = labels.find((text) => text !== undefined) ?? property;
  return part === undefined ? label : `${label} (${part})`;
}

function catalogueOf(name: string): Languages {
  const catalogue = catalogues.get(name) ?? new Languages(name);
  catalogues.set(name, catalogue);
  return catalogue;
}
