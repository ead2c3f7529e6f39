import { operationNode } from './lib/node/operation-node';

export = operationNode('userInvite');
