import { notificationsNode } from './lib/node/notifications-node';

export = notificationsNode;
