import type { Node, NodeAPI } from 'node-red';
import { serveAskNow } from './lib/approval/ask-now-route';
import { ApprovalNode, type GateDef } from './lib/approval/approval-node';

/** Gates that wait until the flows have started, with one listener for all: Node.js takes more than ten for a leak. */
const starting = new Set<ApprovalNode>();

function begin(): void {
  const gates = [...starting];
  starting.clear();
  for (const gate of gates) gate.begin();
}

export = (RED: NodeAPI): void => {
  const gates = new Map<Node, ApprovalNode>();

  function AuthyOnetouchApproval(this: Node, config: GateDef): void {
    RED.nodes.createNode(this, config);
    const gate = new ApprovalNode(RED, this, config);
    gates.set(this, gate);
    // Earlier the nodes behind this one may not be there yet, and a message to them would be lost.
    if (starting.size === 0) RED.events.once('flows:started', begin);
    starting.add(gate);
    this.on('input', (message, _send, done) => gate.input(message, done));
    this.on('close', (removed: boolean, done: () => void) => {
      gates.delete(this);
      starting.delete(gate);
      if (starting.size === 0) RED.events.off('flows:started', begin);
      void gate.close(removed).then(done);
    });
  }

  RED.nodes.registerType('authy-onetouch-approval', AuthyOnetouchApproval);
  serveAskNow(RED, gates);
};
