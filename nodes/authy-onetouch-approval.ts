import type { Node, NodeAPI } from 'node-red';
import { ApprovalGate, type GateDef } from './lib/approval/gate';

export = (RED: NodeAPI): void => {
  function AuthyOnetouchApproval(this: Node, config: GateDef): void {
    RED.nodes.createNode(this, config);
    const gate = new ApprovalGate(RED, this, config);
    // Earlier the nodes behind this one may not be there yet, and a message to them would be lost.
    const begin = (): void => gate.begin();
    RED.events.once('flows:started', begin);
    this.on('input', (message, send, done) => gate.input(message, send, done));
    this.on('close', (removed: boolean, done: () => void) => {
      RED.events.off('flows:started', begin);
      void gate.close(removed).then(done);
    });
  }

  RED.nodes.registerType('authy-onetouch-approval', AuthyOnetouchApproval);
};
