import fs from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { type AnyNode, type CallExpression, type ObjectExpression, parse as parseScript } from 'acorn';
import { type HTMLElement, parse as parseHtml } from 'node-html-parser';
import { editorFacts, editorWith } from '../../scripts/editor';
import { gateSettings } from '../../nodes/lib/approval/approval-node';
import { approvalInputs } from '../../nodes/lib/approval/question';
import { accountProperties } from '../../nodes/lib/node/account-settings';
import { callbackSettings } from '../../nodes/lib/node/callback-node';
import { type Inputs, type Operation, operations } from '../../nodes/lib/contract/operations';
import type { ServiceKind } from '../../nodes/lib/contract/service';
import { serviceIds, serviceKind } from '../../nodes/lib/services/registry';

export const root = path.resolve(__dirname, '..', '..');

export function read(...names: string[]): string {
  return fs.readFileSync(path.join(root, ...names), 'utf8');
}

export function exists(...names: string[]): boolean {
  return fs.existsSync(path.join(root, ...names));
}

/** The files of a folder, by extension (with its dot). */
export function filesOf(folder: string, extension: string): string[] {
  const files = fs.readdirSync(path.join(root, folder));
  return files.filter((file) => path.extname(file) === extension).sort();
}

export const manifest = JSON.parse(read('package.json')) as {
  name: string;
  'node-red': { nodes: Record<string, string>; plugins: Record<string, string> };
};

/** Every node type, the configuration first. */
export const types = Object.keys(manifest['node-red'].nodes);

/** The operations, by node type. */
export const operationsByType: ReadonlyMap<string, Operation> = new Map(
  Object.values(operations).map((operation) => [operation.node, operation as unknown as Operation]),
);

/** A node that is no operation. */
interface OtherNode {
  readonly outputs: readonly string[];
  /** Outputs that come after these where a setting asks for them. */
  readonly moreOutputs?: readonly string[];
  /** The names of its settings, beside its inputs. */
  readonly settings?: readonly string[];
  /** Whether it has no input: it begins messages. */
  readonly isSource?: boolean;
  readonly credentials?: readonly string[];
  readonly inputs?: Inputs;
  /** What a message may hold to give an order instead of asking. */
  readonly orders?: readonly string[];
}

/** The nodes that are no operation. */
export const otherNodes: Readonly<Record<string, OtherNode>> = {
  'authy-config': {
    outputs: [],
    ...accountProperties(),
  },
  'authy-onetouch-approval': {
    outputs: ['approved', 'denied', 'expired'],
    moreOutputs: ['events'],
    settings: gateSettings,
    inputs: approvalInputs,
    orders: ['cancel', 'reset'],
  },
  'authy-onetouch-callback': {
    outputs: ['approved', 'denied', 'rejected'],
    settings: callbackSettings,
  },
  'authy-notifications': { outputs: ['handedOn'], isSource: true },
};

/** The inputs of a node: what its panel has a TypedInput for, and validates as the runtime does. */
export function inputsOf(type: string): Inputs {
  return operationsByType.get(type)?.inputs ?? otherNodes[type]?.inputs ?? {};
}

/** The outcomes that leave a node by each of its outputs, those included that a setting adds. */
export function outcomesByOutput(type: string): string[][] {
  const operation = operationsByType.get(type);
  if (operation === undefined) {
    const { outputs = [], moreOutputs = [] } = otherNodes[type] ?? {};
    return [...outputs, ...moreOutputs].map((name) => [name]);
  }
  const byOutput: string[][] = [];
  for (const [outcome, [output]] of Object.entries(operation.outcomes))
    (byOutput[output] ??= []).push(outcome);
  return byOutput;
}

/** One of the `defaults` of a panel. */
interface Property {
  value?: unknown;
  type?: string;
  required?: boolean;
  label?: string;
  validate?: (value: unknown, options: object) => unknown;
}

/** What a panel hands to `RED.nodes.registerType`, as far as it is looked at here. */
export interface Definition {
  category: string;
  categoryDescription?: string;
  color?: string;
  icon?: string;
  defaults: Record<string, Property>;
  credentials?: Record<
    string,
    { type: string; label?: string; validate?: (value: unknown, options: object) => unknown }
  >;
  inputs?: number;
  outputs?: number;
  outputLabels?: (index: number) => string;
  paletteLabel: () => string;
  label: () => string;
  oneditprepare: () => void;
}

export interface Panel {
  /** The whole file. */
  source: string;
  /** What is in its `text/javascript`. */
  script: string;
  /** The rows of its form. */
  form: HTMLElement;
  /** The type it registers, and the definition as it runs; every text in it is its key. */
  type: string;
  definition: Definition;
}

const panels = new Map<string, Panel>();

/** The panel of a node type. */
export function panelOf(type: string): Panel {
  const known = panels.get(type);
  if (known !== undefined) return known;
  const source = read('nodes', `${type}.html`);
  const form = parseHtml(templateOf(source, type));
  const script = scriptOf(source);
  const panel = { source, script, form, ...registered(script, editorPlugin) };
  panels.set(type, panel);
  return panel;
}

/** What a panel calls a property, in English; undefined if it has no label. */
export function shownLabel(type: string, property: string): string | undefined {
  const labels = panelOf(type).form.querySelectorAll('label');
  const label = labels.find(
    (one) => one.getAttribute('for')?.replace(/^node-(?:config-)?input-/, '') === property,
  );
  const key = label?.querySelector('[data-i18n]')?.getAttribute('data-i18n');
  if (key === undefined) return undefined;
  const [, catalogue = type, place] = /^(?:.*\/([\w-]+):)?(.*)$/.exec(key) ?? [];
  const texts = JSON.parse(read('locales', 'en-US', `${catalogue}.json`)) as unknown;
  return place?.split('.').reduce((part, name) => (part as Record<string, unknown>)[name], texts) as string;
}

function templateOf(source: string, type: string): string {
  const template = parseHtml(source).querySelector(`script[data-template-name="${type}"]`);
  if (template?.getAttribute('type') !== 'text/html') {
    throw new Error(`nodes/${type}.html has no <script type="text/html" data-template-name="${type}">.`);
  }
  return template.rawText;
}

/** The script of an HTML file of the editor. */
export function scriptOf(source: string): string {
  const scripts = parseHtml(source).querySelectorAll('script[type="text/javascript"]');
  return scripts.map((script) => script.rawText).join('\n');
}

/** What is looked at of the plugin that all panels share. */
interface EditorPlugin {
  readonly languages: readonly string[];
}

/** What an editor gives to panels while none is open: every text is its key, and no field has a value. */
const closedEditor = {
  $: () => ({ length: 0, val: () => undefined, on: () => undefined }),
  RED: {
    _: (key: string, options?: { defaultValue?: string }) => options?.defaultValue ?? key,
    events: { on: () => undefined },
    nodes: {
      eachConfig: () => undefined,
      filterNodes: () => [],
      node: (() => undefined) as (id: string) => unknown,
      originalFlow: (): readonly { readonly id: string }[] => [],
    },
    utils: { validateTypedProperty: () => true },
  },
};

function runInEditor(script: string, globals: object): void {
  const run = vm.runInThisContext(`(function ({ ${Object.keys(globals).join(', ')} }) {${script}\n})`) as (
    globals: object,
  ) => void;
  run(globals);
}

/** The plugin that all panels share, in an editor that knows these services. */
function pluginFor(kinds: readonly ServiceKind[], editor: typeof closedEditor): EditorPlugin {
  const window: { AuthyEditor?: EditorPlugin } = {};
  const plugin = editorWith(editorFacts(kinds), read('nodes', 'authy-editor.html'));
  runInEditor(scriptOf(plugin), { ...editor, window });
  if (window.AuthyEditor === undefined) throw new Error('The plugin does not set AuthyEditor.');
  return window.AuthyEditor;
}

/** Every service there is. */
export const kinds = serviceIds().flatMap((id) => serviceKind(id) ?? []);

export const editorPlugin = pluginFor(kinds, closedEditor);

/**
 * The panel of a node type in an editor with one account, of a service that is not among those there are.
 *
 * @param settings - of the account
 */
export function definitionOn(kind: ServiceKind, type: string, settings: object = {}): Definition {
  const account = { ...settings, service: kind.id };
  const nodes = { ...closedEditor.RED.nodes, node: (id: string) => (id === 'account' ? account : undefined) };
  const editor = { ...closedEditor, RED: { ...closedEditor.RED, nodes } };
  return registered(panelOf(type).script, pluginFor([...kinds, kind], editor)).definition;
}

/** Runs a panel as the editor would. */
function registered(script: string, plugin: EditorPlugin): { type: string; definition: Definition } {
  const found: { type: string; definition: Definition }[] = [];
  const nodes = {
    registerType: (type: string, definition: Definition) => found.push({ type, definition }),
  };
  runInEditor(script, {
    ...closedEditor,
    RED: { ...closedEditor.RED, nodes },
    AuthyEditor: plugin,
  });
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(`A panel must register one node type, and this one registers ${found.length}.`);
  }
  return first;
}

/** The node passed to a definition's functions: it has no name, and every text is its key. */
export const unnamed = { name: '', _: (key: string) => key };

/** All nodes of a script's syntax tree. */
export function syntaxOf(script: string): AnyNode[] {
  const found: AnyNode[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      if ('type' in value && 'start' in value) found.push(value as AnyNode);
      Object.values(value).forEach(visit);
    }
  };
  const sourceType = /^(?:import|export) /m.test(script) ? 'module' : 'script';
  visit(parseScript(script, { ecmaVersion: 'latest', sourceType }));
  return found;
}

/** Calls of a function by its name as written, such as `RED.nodes.registerType`. */
export function callsOf(script: string, ...names: string[]): CallExpression[] {
  return syntaxOf(script).filter((node): node is CallExpression => {
    if (node.type !== 'CallExpression') return false;
    return names.includes(script.slice(node.callee.start, node.callee.end));
  });
}

/** The keys of texts that an expression can come to; a part that is computed is `*`. */
export function textKeysIn(node: AnyNode | undefined): string[] {
  if (node?.type === 'Literal') return [String(node.value)];
  if (node?.type === 'ConditionalExpression') {
    return [...textKeysIn(node.consequent), ...textKeysIn(node.alternate)];
  }
  if (node?.type === 'TemplateLiteral') return [node.quasis.map(({ value }) => value.cooked ?? '').join('*')];
  throw new Error(`A text has a key that cannot be read: ${node?.type ?? 'none'}`);
}

/** The value of a literal; undefined for anything else. */
export function literal(node: AnyNode | undefined): unknown {
  return node?.type === 'Literal' ? node.value : undefined;
}

/** The properties of an object that is written out; throws where it holds anything else. */
export function propertiesOf(object: ObjectExpression): Map<string, AnyNode> {
  return new Map(
    object.properties.map((property) => {
      if (property.type === 'SpreadElement') throw new Error('There is a spread in the definition.');
      const { key } = property;
      if (property.computed || (key.type !== 'Identifier' && key.type !== 'Literal')) {
        throw new Error('There is a computed name in the definition.');
      }
      return [key.type === 'Identifier' ? key.name : String(key.value), property.value];
    }),
  );
}

/** The names that a type of the runtime's source lists: a union's words or an interface's members. */
export function declaredIn(source: string, declaration: string): string[] {
  const body = new RegExp(
    `(?:type ${declaration} =([^;]*);|interface ${declaration}\\b[^{]*\\{([\\s\\S]*?)\\n\\})`,
  ).exec(source);
  if (body === null) throw new Error(`The source has no "${declaration}".`);
  const [, union, members] = body;
  const pattern = union === undefined ? /^ {2}(?:readonly )?(\w+)\??:/gm : /'(\w+)'/g;
  const names = [...(union ?? members ?? '').matchAll(pattern)].map(([, name]) => name ?? '');
  if (names.length === 0) throw new Error(`"${declaration}" has no names.`);
  return names;
}
