import type { FlowNode } from './flow';

let gates = 0;

/**
 * A gate that no other test has: what waits at one outlives its flow in the same process, as it outlives a deploy, and would be
 * taken over by the next gate with its id.
 */
export function ownGate(properties: Readonly<Record<string, unknown>> = {}): FlowNode {
  gates += 1;
  return { ...approvalGate, id: `gate of its own ${gates}`, ...properties };
}

/** A gate with the defaults of its panel, but without a pause between two requests. */
export const approvalGate: FlowNode = {
  id: 'gate',
  type: 'authy-onetouch-approval',
  account: 'account',
  authyId: 'authyId',
  authyIdType: 'msg',
  message: 'Open the garage?',
  messageType: 'str',
  details: '[{"name":"Door","value":"Garage","type":"str"}]',
  detailsType: 'list',
  hiddenDetails: '[]',
  hiddenDetailsType: 'list',
  logos: '[]',
  logosType: 'list',
  timeout: '60',
  timeoutType: 'num',
  secondsToExpire: '',
  secondsToExpireType: 'num',
  confirm: true,
  join: false,
  maxOpen: 3,
  coolDown: 0,
  events: false,
  outputs: 3,
};
