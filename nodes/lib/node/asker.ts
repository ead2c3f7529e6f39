import type { Node, NodeAPI } from 'node-red';

/** Who asks, as people see it on this Node-RED's own page: the name of the node's flow; blank if it has none. */
export function askerOf(RED: NodeAPI, node: Node): string {
  const name: unknown = RED.util.getSetting(node, 'NR_FLOW_NAME');
  return typeof name === 'string' ? name.trim() : '';
}
