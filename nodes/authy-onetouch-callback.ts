import type { Node, NodeAPI } from 'node-red';
import { type CallbackNodeDef, CallbackValidator } from './lib/node/callback-node';

export = (RED: NodeAPI): void => {
  function AuthyOnetouchCallback(this: Node, config: CallbackNodeDef): void {
    RED.nodes.createNode(this, config);
    const validator = new CallbackValidator(RED, this, config);
    this.on('input', (message, send, done) => {
      validator.input(message, send).then(
        () => done(),
        (error: unknown) => done(error as Error),
      );
    });
    this.on('close', (done: () => void) => {
      validator.close();
      done();
    });
  }

  RED.nodes.registerType('authy-onetouch-callback', AuthyOnetouchCallback);
};
