import path from 'node:path';
import type { Node } from 'node-red';

/** A context store, as error messages name it. */
export interface ContextPlace {
  /** Its name in the settings. */
  readonly name: string;
  /** The folder of its files, if it is Node-RED's `localfilesystem`. */
  readonly folder?: string | undefined;
  /** Whether it is Node-RED's `memory`: what it keeps is gone with this process. */
  readonly isMemory?: boolean;
}

/** The parts of Node-RED's settings that are read. */
export interface ContextSettings {
  readonly contextStorage?: Readonly<Record<string, unknown>> | undefined;
  readonly userDir?: string | undefined;
}

/**
 * Whether the settings name a context store. Without one, Node-RED has its own in memory, and deletes the context of a node
 * whenever that node is closed.
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
  // `default` may hold only the name of another store.
  const alias = contextStorage[named];
  const name = typeof alias === 'string' ? alias : named;
  const { module, config: { base = 'context', dir = userDir } = {} } = (contextStorage[name] ??
    {}) as FileStore;
  return {
    name,
    folder: module === 'localfilesystem' && dir ? path.join(dir, base) : undefined,
    isMemory: module === 'memory' || !hasContextStorage(settings),
  };
}

/** The file of a node's context; undefined if it has none. */
export function contextFile({ folder }: ContextPlace, node: Node): string | undefined {
  // In a subflow instance, the folder is named by the instance, and the file by the node's id in the subflow.
  const { id, z, _alias } = node as Node & { _alias?: string };
  return folder === undefined ? undefined : path.join(folder, z, `${_alias ?? id}.json`);
}
