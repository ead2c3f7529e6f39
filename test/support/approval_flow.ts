import { approvalGate } from './approval_gate';
import type { FlowNode } from './node_red';

export interface ApprovalFlowOptions {
  /** The base URL of Authy, which is a simulator here. */
  baseUrl: string;
  apiKey: string;
  /** The address that each outcome is reported to. */
  collector: string;
  /** Settings of the gate and of the account that differ from the defaults of their panels. */
  gate?: Record<string, unknown>;
  account?: Record<string, unknown>;
  credentials?: Record<string, unknown>;
  /** What is reported of a decision, in JSONata; by default the decision. */
  outcome?: string;
}

/**
 * A flow with a gate, for a Node-RED in a process of its own:
 *
 * - `POST /ask {no, authyId}` asks, and is answered 202 at once; `POST /wait` is answered with the decision
 * - `POST /cancel {cancel}` withdraws
 * - `POST /callback` is the address for callbacks
 *
 * The outcome of each message is reported, with the environment variable INSTANCE.
 */
export function approvalFlow(options: ApprovalFlowOptions): FlowNode[] {
  const node = (id: string, type: string, wires: string[][], properties: object = {}): FlowNode => ({
    id,
    type,
    z: 'tab',
    x: 100,
    y: 100,
    wires,
    ...properties,
  });
  const route = (id: string, wires: string[], properties: object = {}): FlowNode =>
    node(id, 'http in', [wires], { url: `/${id}`, method: 'post', upload: false, ...properties });
  const set = (id: string, wires: string[], rules: object[]): FlowNode =>
    node(id, 'change', [wires], { rules: rules.map((rule) => ({ t: 'set', pt: 'msg', ...rule })) });
  const report = (id: string, outcome: string, wires: string[] = ['post']): FlowNode =>
    set(id, wires, [
      { p: 'payload', to: `{"no": no, "outcome": ${outcome}, "by": $env("INSTANCE")}`, tot: 'jsonata' },
    ]);
  const read = [
    { p: 'no', to: 'payload.no', tot: 'msg' },
    { p: 'authyId', to: 'payload.authyId', tot: 'msg' },
  ];
  return [
    { id: 'tab', type: 'tab', label: 'approvals' },
    route('ask', ['accepted', 'readAsk']),
    node('accepted', 'http response', [], { statusCode: '202' }),
    set('readAsk', ['forget'], read),
    // So that the HTTP request is not answered a second time.
    node('forget', 'change', [['gate']], {
      rules: [
        { t: 'delete', p: 'res', pt: 'msg' },
        { t: 'delete', p: 'req', pt: 'msg' },
      ],
    }),
    route('wait', ['readWait']),
    set('readWait', ['gate'], read),
    route('cancel', ['readCancel', 'accepted']),
    node('readCancel', 'change', [['gate']], {
      rules: [
        { t: 'set', p: 'cancel', pt: 'msg', to: 'payload.cancel', tot: 'msg' },
        { t: 'delete', p: 'res', pt: 'msg' },
      ],
    }),
    node('gate', 'authy-onetouch-approval', [['decided'], ['decided'], ['decided']], {
      ...approvalGate,
      id: 'gate',
      ...options.gate,
    }),
    report('decided', options.outcome ?? 'payload.decision', ['post', 'hasBrowser']),
    node('hasBrowser', 'switch', [['answer']], {
      property: 'res',
      propertyType: 'msg',
      rules: [{ t: 'nnull' }],
      outputs: 1,
    }),
    node('answer', 'http response', []),
    node('post', 'http request', [[]], { method: 'POST', ret: 'txt', url: options.collector }),
    node('catch', 'catch', [['failed']], { scope: ['gate'] }),
    report('failed', 'error.code'),
    route('callback', ['validate'], { skipBodyParsing: true }),
    node('validate', 'authy-onetouch-callback', [['acknowledge'], ['acknowledge'], ['acknowledge']], {
      account: 'account',
      publicUrl: '',
      publicUrlType: 'str',
      trustForwarded: false,
      strict: true,
      freshness: 'off',
      freshnessWindow: 300,
      maxSize: 64,
    }),
    node('acknowledge', 'http response', []),
    {
      id: 'account',
      type: 'authy-config',
      name: '',
      service: 'authy',
      baseUrl: options.baseUrl,
      pathPrefix: '',
      deadline: 5,
      maxInFlight: 50,
      tls: '',
      proxy: '',
      callbackUrl: '',
      callbackMethod: 'POST',
      approvalStore: 'context',
      redisUrl: '',
      ...options.account,
      credentials: { apiKey: options.apiKey, ...options.credentials },
    },
  ];
}
