import type { Node, NodeAPI, NodeDef } from 'node-red';
import { accountOf } from '../account/account';
import { onNotifications } from '../account/notifications';
import type { Notification } from '../contract/notification';
import { Badge } from './badge';

interface NotificationsNodeDef extends NodeDef {
  readonly account: string;
}

/** What a notification becomes: `msg.topic` and `msg.payload`. */
function messageOf({ topic, ...payload }: Notification): { topic: string; payload: object } {
  return { topic, payload };
}

/**
 * The node that hands on what people have to be told. It is not an output of the nodes that ask for it: one wiring serves
 * them all, and flows stay the same on services that send for themselves.
 */
export function notificationsNode(RED: NodeAPI): void {
  function NotificationsNode(this: Node, config: NotificationsNodeDef): void {
    RED.nodes.createNode(this, config);
    const badge = new Badge(RED, this, config.account);
    const stop = onNotifications(config.account, {
      isWired: () => isWired(this),
      take: (notification) => {
        this.send(messageOf(notification));
        badge.decided('green', 'handedOn');
      },
    });
    if (accountOf(RED, config.account)?.hasNotifications === false) {
      this.warn(
        'Leave this node out, or choose another account: the service of this one sends its messages itself.',
      );
    }
    this.on('close', (done: () => void) => {
      stop();
      badge.clear();
      done();
    });
  }
  RED.nodes.registerType('authy-notifications', NotificationsNode);
}

/** Its wires now: a deploy may change them without starting the node again. */
function isWired(node: Node): boolean {
  const { wires = [] } = node as Node & { wires?: readonly (readonly string[])[] };
  return wires.some((targets) => targets.length > 0);
}
