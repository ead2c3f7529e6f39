import type { NodeAPI, NodeDef } from 'node-red';

/** A node, a tab or a subflow, as it is deployed. */
export type FlowNode = NodeDef & Readonly<Record<string, unknown>>;

/** All nodes, tabs and subflows as they are deployed; none as long as Node-RED has no flows. */
export function flowNodes(RED: NodeAPI): FlowNode[] {
  const nodes: FlowNode[] = [];
  try {
    RED.nodes.eachNode((node) => void nodes.push(node as FlowNode));
  } catch {
    // Node-RED has loaded none: it has just been started, or its storage fails.
    return [];
  }
  return nodes;
}

/** Whether the node that the editor knows under an id is in a subflow, used or not. */
export function isInSubflow(RED: NodeAPI, id: string): boolean {
  const nodes = flowNodes(RED);
  const place = nodes.find((node) => node.id === id)?.z;
  return nodes.some((node) => node.id === place && node.type === 'subflow');
}
