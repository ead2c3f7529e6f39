import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { type Account, accountOf } from '../account/account';
import { askerOf } from '../node/asker';
import { answerFacts } from '../node/answer-facts';
import { AuthyError, untrustedAnswer } from '../contract/errors';
import { Badge } from '../node/badge';
import { deadlineOf, NodeInputs } from '../node/inputs';
import { labelOf } from '../node/labels';
import { readInputs, readKnown } from '../contract/read-inputs';
import { without } from '../contract/without';
import { RateLimitedLog } from '../node/rate-limited-log';
import { Settings } from '../node/settings';
import { warnOfUnheard } from '../node/unheard';
import { warnOfUnsupported } from '../node/unsupported';
import { type EventName, Gate, type GateAccount, type GateHost } from './gate';
import type { Outcome } from './outcome';
import { thisProcess } from './process';
import { Trials, withdrawnFirst } from './trials';
import { isWithdrawal } from './withdrawal';
import { approvalInputs, requestOf } from './question';
import type { Request } from './request';

/** The settings of a gate beside its inputs. */
export interface GateDef extends NodeDef {
  readonly account: string;
  readonly confirm: unknown;
  readonly join: unknown;
  readonly maxOpen: unknown;
  /** In seconds. */
  readonly coolDown: unknown;
  readonly events: unknown;
  /** The fourth output is for the events. */
  readonly outputs: 3 | 4;
}

/** Their names. */
export const gateSettings = Object.keys({
  account: 0,
  confirm: 0,
  join: 0,
  maxOpen: 0,
  coolDown: 0,
  events: 0,
  outputs: 0,
} satisfies Record<Exclude<keyof GateDef, keyof NodeDef>, 0>);

/** The outputs, in order, and the colour of the badge. */
const outputs = ['approved', 'denied', 'expired'] as const;
const fills = { approved: 'green', denied: 'yellow', expired: 'yellow' } as const;

/** A gate in Node-RED: its inputs, its messages, its badge. */
export class ApprovalNode {
  private readonly gate: Gate;
  readonly inputs: NodeInputs;
  readonly badge: Badge;
  private readonly log: RateLimitedLog;
  private readonly emits: boolean;
  private readonly stopWatching: (() => void) | undefined;
  private readonly trials = new Trials();
  /** Why nothing can be asked, if so; a sentence. */
  private readonly problem: string | undefined;

  constructor(
    private readonly RED: NodeAPI,
    readonly node: Node,
    private readonly config: GateDef,
  ) {
    this.inputs = new NodeInputs(RED, node, { ...config }, approvalInputs);
    this.badge = new Badge(RED, node, config.account, 'onetouchSend');
    this.log = new RateLimitedLog((line) => node.warn(line));
    const settings = new Settings((setting) => labelOf(RED, node.type, setting));
    this.emits = settings.flag('events', config.events, false);
    this.gate = new Gate(this.host(settings), thisProcess);
    this.problem = settings.problem;
    void this.warnOfUnsupported();
    if (this.problem === undefined) {
      this.stopWatching = warnOfUnheard(RED, this, config.account, 'onetouchSend');
      return;
    }
    node.warn(this.problem);
    this.badge.error(new AuthyError('AUTHY_BAD_CONFIG', this.problem));
  }

  /** See {@link Gate.begin}. */
  begin(): void {
    this.gate.begin();
  }

  input(message: NodeMessageInFlow, done: (error?: Error) => void): void {
    this.gate.input(message, done);
  }

  /**
   * Puts a message into the node, as an inject node in front of it would. Its answer leaves by the outputs.
   *
   * @param values - by input, for those that the node takes from the message; others are not looked at
   * @returns resolves once somebody is asked
   * @throws AuthyError - what the message ended with instead
   */
  async tryNow(values: Readonly<Record<string, unknown>>): Promise<void> {
    const { RED, node, inputs } = this;
    const message = { _msgid: RED.util.generateId(), topic: '' };
    for (const [input, place] of inputs.takenFromMessage()) {
      if (Object.hasOwn(values, input)) RED.util.setMessageProperty(message, place, values[input], true);
    }
    if (isWithdrawal(message)) {
      throw new AuthyError(
        'AUTHY_BAD_CONFIG',
        'Take the inputs of this node from other properties: msg.cancel and msg.reset withdraw what is open.',
      );
    }
    const asked = this.trials.begin(message._msgid);
    node.receive(message);
    await asked;
  }

  /** See {@link Gate.close}. */
  async close(removed: boolean): Promise<void> {
    this.stopWatching?.();
    this.trials.close();
    await this.gate.close(removed);
    this.log.close();
    this.badge.clear();
  }

  private async warnOfUnsupported(): Promise<void> {
    const known = requestOf(readKnown(approvalInputs, await this.inputs.fixed()));
    for (const name of ['onetouchSend', 'onetouchStatus'] as const) {
      if (warnOfUnsupported(this, this.account(), name, known)) return;
    }
  }

  private host(settings: Settings): GateHost {
    const { RED, node, config, inputs, badge, log } = this;
    return {
      nodeId: node.id,
      accountId: config.account,
      confirm: settings.flag('confirm', config.confirm, true),
      join: settings.flag('join', config.join, false),
      limits: {
        maxOpen: settings.number('maxOpen', config.maxOpen),
        coolDown: settings.number('coolDown', config.coolDown),
      },
      badge: {
        begin: () => badge.begin(),
        end: () => badge.end(),
        waiting: (count) => badge.waiting(count),
        decided: (decision) => badge.decided(fills[decision], decision),
        failed: (error) => badge.failed(error),
      },
      account: (id = config.account) => {
        const account = accountOf(RED, id);
        return account && this.gateAccount(account);
      },
      question: async (message) => {
        if (this.problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', this.problem);
        // Before anything is counted or kept: it is refused like any other wrong input.
        deadlineOf(message);
        const asked = readInputs({ inputs: approvalInputs }, await inputs.evaluate(message));
        this.account()?.assertSupported('onetouchSend', requestOf(asked));
        return asked;
      },
      asked: ({ message }) => this.trials.end(message._msgid),
      ended: ({ message }) => this.trials.end(message._msgid, withdrawnFirst()),
      send: (request, outcome) => this.send(request, outcome),
      raise: (message, error, done) => {
        const raised = inputs.withSource(error);
        const isOpen = Object.isExtensible(message);
        if (isOpen && raised instanceof AuthyError && raised.response !== undefined) {
          message['authy'] = answerFacts(node, this.account(), raised);
        }
        this.trials.end(message._msgid, raised);
        done?.(raised);
      },
      emit: (request, event, decision, waiting) => this.emit(request, event, decision, waiting),
      receive: (message) => node.receive(message),
      warn: (kind, sentence) => log.write(kind, sentence),
      log: (sentence) => node.log(sentence),
    };
  }

  private gateAccount(account: Account): GateAccount {
    const { stores } = account;
    const { RED, node } = this;
    return {
      place: stores,
      longestPause: account.longestReadingPause,
      openRecords: (events) => stores.records(this.node, events),
      admit: (record, limits) => stores.rails.admit(record, limits),
      release: (record) => stores.rails.release(record),
      found: (record) => {
        if (record.joinedAfter === undefined) stores.rails.count(record);
        if (record.approvalId === undefined) return;
        const seconds = Math.max(1, (record.endsAt - Date.now()) / 1000);
        stores.ledger.asked(record.approvalId, record.recipient, seconds).catch((error: unknown) => {
          this.log.write('ledger', (error as Error).message);
        });
      },
      async send(asked, message) {
        const options = { deadline: deadlineOf(message), asker: askerOf(RED, node), isAdmitted: true };
        const { result } = await account.perform('onetouchSend', requestOf(asked), options);
        return result.approvalId;
      },
      async read({ approvalId = '', recipient }, deadline) {
        // The account may not know it any more: its ledger was lost, or is in another store since a deploy.
        const reading = await account.perform('onetouchStatus', { approvalId }, { deadline, recipient });
        if (reading.result.authyId !== recipient) throw untrustedAnswer('it is about another user');
        return reading;
      },
    };
  }

  private send({ record, message: asked, requestedAt, done }: Request, outcome: Outcome): void {
    const { decision } = outcome;
    // A function node may have frozen it.
    const message = Object.isExtensible(asked) ? asked : { ...asked };
    message.payload = {
      decision,
      reason: outcome.reason,
      approvalId: record.approvalId,
      authyId: record.recipient,
      requestedAt: requestedAt.toISOString(),
      decidedAt: new Date(outcome.decidedAt).toISOString(),
      decidedBy: outcome.decidedBy,
      device: outcome.device,
    };
    message['approvalId'] = record.approvalId;
    message['authyId'] = record.recipient;
    message['authy'] = answerFacts(this.node, this.account(), outcome.answer);
    // The `send` that Node-RED passes with each message does the same, and would have to be kept with it.
    this.node.send(outputs.map((output) => (output === decision ? message : null)));
    done?.();
  }

  private emit(
    { record, message, requestedAt }: Request,
    event: EventName,
    decision: string | undefined,
    waiting: number,
  ): void {
    if (!this.emits) return;
    const payload = {
      event,
      decision,
      approvalId: record.approvalId,
      authyId: record.recipient,
      requestedAt: requestedAt.toISOString(),
      endsAt: new Date(record.endsAt).toISOString(),
      waiting,
    };
    const known = decision === undefined ? without(payload, 'decision') : payload;
    this.node.send([null, null, null, { topic: message.topic, payload: known }]);
  }

  private account(): Account | undefined {
    return accountOf(this.RED, this.config.account);
  }
}
