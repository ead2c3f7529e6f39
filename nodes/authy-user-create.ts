import { operationNode } from './lib/operation-node';

export = operationNode('userCreate');
