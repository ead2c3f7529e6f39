import fs from 'node:fs';
import path from 'node:path';
import { type FlowNode, root } from './node_red';

/** The examples of the package, by the names that the import dialog lists: a number, which sorts them, and a title. */
export function examples(): Map<string, FlowNode[]> {
  const folder = path.join(root, 'examples');
  return new Map(
    fs
      .readdirSync(folder)
      .map((file) => [
        path.basename(file, '.json'),
        JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')) as FlowNode[],
      ]),
  );
}

/** The title of an example: its name without the number. */
export function titleOf(name: string): string {
  return name.replace(/^\d+ /, '');
}

/** The name of an example's picture in `docs/pictures/`, without its ending. The number may change, the picture does not. */
export function pictureOf(name: string): string {
  const slug = titleOf(name)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return `example-${slug}`;
}

/** One example, by its title. */
export function example(title: string): FlowNode[] {
  const [, found] = [...examples()].find(([name]) => titleOf(name) === title) ?? [];
  if (found === undefined) throw new Error(`There is no example "${title}".`);
  return found;
}

/** The only node of a type, or of a type and a name. */
export function nodeOf(flows: readonly FlowNode[], type: string, name?: string): FlowNode {
  const found = flows.filter((node) => node.type === type && (name === undefined || node.name === name));
  const [node] = found;
  if (node === undefined || found.length > 1) {
    throw new Error(`There are ${found.length} nodes of type ${type}${name ? ` named "${name}"` : ''}.`);
  }
  return node;
}

/** The tab of a flow. */
export function tabOf(flows: readonly FlowNode[]): string {
  return nodeOf(flows, 'tab').id;
}

/** The key in the flow's context under which {@link recorded} puts what leaves a node. */
export function recordKey(node: FlowNode, output = 0): string {
  return `left_${node.id}_${output}`;
}

/**
 * The same flow, which also writes to its context what leaves each of our nodes and each subflow, and what each catch node catches:
 * the admin API can read contexts, but not messages.
 */
export function recorded(flows: readonly FlowNode[]): FlowNode[] {
  const result: FlowNode[] = [];
  for (const node of flows) {
    const isCatch = node.type === 'catch';
    if (node.wires === undefined || !(isCatch || /^(?:authy-|subflow:)/.test(node.type))) {
      result.push(node);
      continue;
    }
    const recorders = node.wires.map((_wires, output) =>
      recorder(node, output, isCatch ? 'error' : 'payload'),
    );
    const wires = node.wires.map((targets, output) => [...targets, recorders[output]?.id ?? '']);
    result.push({ ...node, wires }, ...recorders);
  }
  return result;
}

function recorder(node: FlowNode, output: number, property: string): FlowNode {
  return {
    id: `${node.id}recorder${output}`,
    type: 'change',
    z: node.z,
    name: '',
    // On a tab, a node without a position counts as a configuration.
    x: 10,
    y: 10,
    wires: [[]],
    rules: [{ t: 'set', p: recordKey(node, output), pt: 'flow', to: property, tot: 'msg' }],
  };
}
