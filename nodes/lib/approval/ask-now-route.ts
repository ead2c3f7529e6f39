import type { IncomingMessage } from 'node:http';
import type { Node, NodeAPI } from 'node-red';
import { isInSubflow } from '../node/flow-nodes';
import { serveJson } from '../node/json-route';
import type { ApprovalNode } from './approval-node';

/** A gate that runs. In an instance of a subflow, `_alias` is the id that the editor knows. */
type GateNode = Node & { readonly _alias?: string };

/** The gates that run. */
export type Gates = ReadonlyMap<GateNode, ApprovalNode>;

/**
 * `POST authy-onetouch-approval/ask` for the button "Ask now" of the panel: `{id, values}` → `{ok: true}` once the gate has asked,
 * or `{ok: false, message}` with the error of the message. It is about the gate as it was deployed; `values` are those of the
 * inputs that it takes from the message, by input. As the button of an inject node does, it needs a permission of its own.
 */
export function serveAskNow(RED: NodeAPI, gates: Gates): void {
  // Its types know no event.
  const audit = RED.log.audit as (event: object, request: IncomingMessage) => void;
  serveJson(RED, 'authy-onetouch-approval/ask', 'authy-onetouch-approval.write', async (sent, request) => {
    const id = typeof sent['id'] === 'string' ? sent['id'] : '';
    const gate = running(RED, gates, id);
    audit({ event: 'authy-onetouch-approval.ask', id }, request);
    await gate.tryNow(Object(sent['values']) as Readonly<Record<string, unknown>>);
    return { ok: true };
  });
}

/** @throws Error - not exactly one runs with this id */
function running(RED: NodeAPI, gates: Gates, id: string): ApprovalNode {
  const [found, ...others] = [...gates].filter(([node]) => node.id === id || node._alias === id);
  if (others.length > 0) {
    throw new Error(
      'Use an inject node in front of the subflow: it is used several times, so this node runs several times.',
    );
  }
  if (found !== undefined) return found[1];
  throw new Error(
    isInSubflow(RED, id)
      ? 'Put the subflow into a flow and deploy: a node in a subflow runs where that is used.'
      : 'Deploy first: this node does not run, or it is disabled.',
  );
}
