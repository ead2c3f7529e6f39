import path from 'node:path';
import type { Node } from 'node-red';

/** Where a context store is, as a person looks for it. */
export interface ContextPlace {
  /** Its name in the settings. */
  readonly name: string;
  /** Of Node-RED's `localfilesystem`, the folder of its files. */
  readonly folder?: string | undefined;
}

/** The parts of Node-RED's settings that are read. */
export interface ContextSettings {
  readonly contextStorage?: Readonly<Record<string, unknown>> | undefined;
  readonly userDir?: string | undefined;
}

/**
 * Whether the settings name a context store. Without one, Node-RED has its own in memory, and throws the context of a node
 * away whenever that node is closed.
 *
 * Source: `delete` in `nodes/context/index.js` of @node-red/runtime
 */
export function hasContextStorage({ contextStorage = {} }: ContextSettings): boolean {
  return Object.keys(contextStorage).length > 0;
}

interface FileStore {
  readonly module?: unknown;
  readonly config?: { readonly dir?: string; readonly base?: string };
}

/**
 * Finds a context store's place.
 *
 * Source: `nodes/context/index.js` and `localfilesystem.js` of @node-red/runtime
 *
 * @param store - its name; undefined for the default one
 */
export function contextPlace(settings: ContextSettings, store: string | undefined): ContextPlace {
  // Node-RED's own, if the settings have none.
  const { contextStorage = { memory: { module: 'memory' } }, userDir } = settings;
  const first = 'default' in contextStorage ? 'default' : (Object.keys(contextStorage)[0] ?? 'memory');
  const named = store ?? first;
  // The default one may only name another one.
  const alias = contextStorage[named];
  const name = typeof alias === 'string' ? alias : named;
  const { module, config: { base = 'context', dir = userDir } = {} } = (contextStorage[name] ??
    {}) as FileStore;
  return { name, folder: module === 'localfilesystem' && dir ? path.join(dir, base) : undefined };
}

/** The file of a node's context; undefined if it has none. */
export function contextFile({ folder }: ContextPlace, node: Node): string | undefined {
  // Within a subflow the file has the node's id in the subflow, and its folder is the instance.
  const { id, z, _alias } = node as Node & { _alias?: string };
  return folder === undefined ? undefined : path.join(folder, z, `${_alias ?? id}.json`);
}
