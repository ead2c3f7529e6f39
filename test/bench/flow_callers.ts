import { numbers } from '../../nodes/lib/node/settings';
import type { FlowNode } from '../support/node_red';
import { apiKey, authyId, type Caller, checkAnswer, token, verifyPath } from './call';
import type { EmbeddedNodeRed, Message } from './embedded_node_red';

export const nodeName = 'token verify node';
export const flowName = 'function + http request + function';

const place = { z: 'tab', x: 1, y: 1 };

/**
 * Three flows that ask the same: our node, the core nodes with two functions, and the core node alone.
 *
 * @param prefix - of their ids
 * @param url - of the server, with the prefix of every path
 * @param maxInFlight - how many calls the account makes at once; an account makes 100 at most, and the others wait
 */
export function callFlows(prefix: string, url: string, maxInFlight: number): FlowNode[] {
  const id = (name: string): string => `${prefix}-${name}`;
  const { origin, pathname } = new URL(url);
  const request = (name: string, next: string): FlowNode => ({
    ...place,
    id: id(name),
    type: 'http request',
    method: 'GET',
    ret: 'obj',
    // Connections are kept, which the node does not do by default.
    persist: true,
    url: '',
    headers: [],
    wires: [[next]],
  });
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    {
      id: id('account'),
      type: 'authy-config',
      service: 'authy',
      baseUrl: origin,
      pathPrefix: pathname === '/' ? '' : pathname,
      deadline: 15,
      maxInFlight: Math.min(maxInFlight, numbers.maxInFlight.most),
      approvalStore: 'context',
      credentials: { apiKey },
    },
    {
      ...place,
      id: id('verify'),
      type: 'authy-token-verify',
      account: id('account'),
      authyId: 'authyId',
      authyIdType: 'msg',
      token: 'payload',
      tokenType: 'msg',
      force: 'true',
      forceType: 'bool',
      action: '',
      actionType: 'str',
      wires: [['sink'], ['sink']],
    },
    {
      ...place,
      id: id('before'),
      type: 'function',
      outputs: 1,
      func: [
        `msg.url = '${url}/protected/json/verify/' + msg.payload + '/' + msg.authyId + '?force=true';`,
        `msg.headers = { 'X-Authy-API-Key': '${apiKey}' };`,
        'return msg;',
      ].join('\n'),
      wires: [[id('between')]],
    },
    request('between', id('after')),
    {
      ...place,
      id: id('after'),
      type: 'function',
      outputs: 1,
      func: [
        `const { success, token } = msg.payload;`,
        `msg.valid = msg.statusCode === 200 && success === 'true' && token === 'is valid';`,
        'return msg;',
      ].join('\n'),
      wires: [['sink']],
    },
    request('alone', 'sink'),
  ];
}

/** A message passes through it and nothing is done with it: this shows the time of Node-RED itself. */
export const passFlow: readonly FlowNode[] = [{ ...place, id: 'pass', type: 'junction', wires: [['sink']] }];

/** Where all messages end: a node that does nothing, and one that catches errors. */
export const sinkFlow: readonly FlowNode[] = [
  { ...place, id: 'sink', type: 'comment' },
  { ...place, id: 'catch', type: 'catch', scope: null, uncaught: false, wires: [['sink']] },
];

/** Sends messages into flows and waits until they come out at the sink. */
export class FlowPlayer {
  private readonly waiting = new Map<unknown, (message: Message) => void>();
  private serial = 0;

  constructor(private readonly nodeRed: EmbeddedNodeRed) {
    nodeRed.node('sink').on('input', (message, _send, done) => {
      this.waiting.get(message['_msgid'])?.(message);
      this.waiting.delete(message['_msgid']);
      done();
    });
  }

  /** The flows of {@link callFlows} as callers: our node first, then the core nodes with functions, then without. */
  callers(prefix: string, url: string): [node: Caller, flow: Caller, alone: Caller] {
    const [verify, before, alone] = ['verify', 'before', 'alone'].map((name) => (message: Message) => {
      return this.play(`${prefix}-${name}`, message);
    }) as [Play, Play, Play];
    const checkValid = (isValid: unknown): void => {
      if (isValid !== true) throw new Error('A wrong answer.');
    };
    return [
      {
        name: nodeName,
        async call() {
          const { payload } = await verify({ payload: token, authyId });
          checkValid((payload as { valid?: unknown }).valid);
        },
      },
      {
        name: flowName,
        async call() {
          checkValid((await before({ payload: token, authyId }))['valid']);
        },
      },
      {
        name: 'http request alone',
        async call() {
          const headers = { 'X-Authy-API-Key': apiKey };
          const { statusCode, payload } = await alone({ url: url + verifyPath, headers });
          checkAnswer(statusCode as number, payload);
        },
      },
    ];
  }

  /** Sends a message through {@link passFlow}. */
  async pass(): Promise<void> {
    await this.play('pass', { payload: token, authyId });
  }

  private play(id: string, message: Message): Promise<Message> {
    const _msgid = String((this.serial += 1));
    const out = new Promise<Message>((resolve) => this.waiting.set(_msgid, resolve));
    this.nodeRed.node(id).receive({ ...message, _msgid });
    return out;
  }
}

type Play = (message: Message) => Promise<Message>;
