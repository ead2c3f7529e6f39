import { approvalFlow, type ApprovalFlowOptions } from './approval_flow';
import type { FlowNode } from './node_red';

/** Where the phones find the page: the name need not lead to this machine. */
export const approverPage = 'https://home.example/approve';

/** What is for the callbacks of services outside. */
const ofCallbacks = ['callback', 'validate', 'acknowledge'];

/**
 * The flow of `approvalFlow`, whose account asks people on Node-RED's own page, and a notifications node: so everybody can be
 * asked.
 */
export function approverFlow(options: Omit<ApprovalFlowOptions, 'apiKey' | 'baseUrl'>): FlowNode[] {
  const account = { version: 2, service: 'local', localName: 'Front door', approverUrl: approverPage };
  const flow = approvalFlow({
    ...options,
    baseUrl: '',
    apiKey: '',
    account: { ...account, ...options.account },
  });
  const node = (id: string, type: string, properties: object): FlowNode => ({
    id,
    type,
    z: 'tab',
    x: 100,
    y: 100,
    ...properties,
  });
  return [
    ...flow.filter(({ id }) => !ofCallbacks.includes(id)),
    node('notifications', 'authy-notifications', { account: 'account', wires: [['told']] }),
    node('told', 'change', { rules: [], wires: [[]] }),
  ];
}
