// A Node-RED in a process of its own whose account asks people on Node-RED's own page, in a user directory that is given. It
// gives messages to its gate as it is told, and tells when one has left.
import { approvalGate } from '../support/approval_gate';
import { approverPage } from '../support/approver_process_flow';
import type { FlowNode } from '../support/node_red';
import { EmbeddedNodeRed } from './embedded_node_red';
import { heapUsed } from './heap';
import { processorTime } from './processor_time';

/** A message to this process. */
export type ToNodeRed =
  { readonly kind: 'ask'; readonly no: number; readonly authyId: string } | { readonly kind: 'usage' };

/** A message from it. */
export type FromNodeRed =
  | { readonly kind: 'started'; readonly url: string }
  | { readonly kind: 'left'; readonly no: number; readonly decision: string; readonly at: string }
  | Usage;

export interface Usage {
  readonly kind: 'usage';
  /** In milliseconds. */
  readonly processorTime: number;
  /** In bytes. */
  readonly heap: number;
  /** Of the whole process, in bytes. */
  readonly resident: number;
}

function node(id: string, type: string, properties: object): FlowNode {
  return { id, type, z: 'tab', x: 1, y: 1, wires: [], ...properties };
}

const flows: FlowNode[] = [
  { id: 'tab', type: 'tab', label: 'bench' },
  {
    ...approvalGate,
    z: 'tab',
    x: 1,
    y: 1,
    timeout: '600',
    maxOpen: 0,
    wires: [['left'], ['left'], ['left']],
  },
  node('left', 'change', { rules: [], wires: [[]] }),
  node('notifications', 'authy-notifications', { account: 'account', wires: [['told']] }),
  node('told', 'change', { rules: [], wires: [[]] }),
  node('plain', 'http in', { url: '/plain', method: 'post', wires: [['answer']] }),
  node('answer', 'http response', {}),
  {
    id: 'account',
    type: 'authy-config',
    version: 2,
    service: 'local',
    localName: 'Front door',
    approverUrl: approverPage,
    approvalStore: 'files',
  },
];

function tell(message: FromNodeRed): void {
  process.send?.(message);
}

async function main(userDir: string): Promise<void> {
  const nodeRed = await EmbeddedNodeRed.start(flows, { userDir, servesNodes: true });
  nodeRed.node('left').on('input', ({ no, payload }, _send, done) => {
    const at = String(process.hrtime.bigint());
    tell({ kind: 'left', no: Number(no), decision: (payload as { decision: string }).decision, at });
    done();
  });
  process.on('message', (message: ToNodeRed) => {
    if (message.kind === 'ask') {
      nodeRed.node('gate').receive({ no: message.no, authyId: message.authyId });
      return;
    }
    tell({
      kind: 'usage',
      processorTime: processorTime(),
      heap: heapUsed(),
      resident: process.memoryUsage().rss,
    });
  });
  process.once('disconnect', () => process.exit());
  tell({ kind: 'started', url: nodeRed.url });
}

main(process.argv[2] ?? '').catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
