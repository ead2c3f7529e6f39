import { operationNode } from './lib/operation-node';

export = operationNode('onetouchSend');
