import { setMaxListeners } from 'node:events';
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { type Account, accountOf, chosenAccount } from '../account/account';
import { askerOf } from './asker';
import { answerFacts } from './answer-facts';
import { AuthyError, foreignOutcome } from '../contract/errors';
import { Badge } from './badge';
import { warnOfUnheard } from './unheard';
import { warnOfUnsupported } from './unsupported';
import { deadlineOf, NodeInputs } from './inputs';
import { type Operation, operations, type OutcomePort, portOf } from '../contract/operations';
import { readKnown } from '../contract/read-inputs';
import type { OperationName } from '../contract/results';
import type { Performed } from '../contract/service';

/** The configuration of an operation node: its account, and `x` and `xType` for each input `x`. */
export interface OperationNodeDef extends NodeDef {
  readonly account: string;
  readonly [property: string]: unknown;
}

type Send = (message: (NodeMessageInFlow | null)[]) => void;
type Done = (error?: Error) => void;

/**
 * Makes the module of an operation's node: for each message it evaluates the inputs, performs the operation on
 * the account's service, and sends the same message on by the outcome's output, or raises one error.
 *
 * @param name - the operation, a key of the table
 */
export function operationNode(name: OperationName): (RED: NodeAPI) => void {
  const { node: type } = operations[name];
  return (RED) => {
    function OperationNode(this: Node, config: OperationNodeDef): void {
      RED.nodes.createNode(this, config);
      const running = new OperationRunner(RED, this, config, name);
      this.on('input', (message, send, done) => running.input(message, send, done));
      this.on('close', (done: () => void) => void running.close().then(done));
    }
    RED.nodes.registerType(type, OperationNode);
  };
}

class OperationRunner {
  private readonly operation: Operation;
  readonly inputs: NodeInputs;
  readonly badge: Badge;
  private underWay = 0;
  /** Called when no call is running any more. */
  private onIdle: (() => void) | undefined;
  private readonly closing = new AbortController();
  private readonly stopWatching: () => void;

  constructor(
    private readonly RED: NodeAPI,
    readonly node: Node,
    private readonly config: OperationNodeDef,
    private readonly name: OperationName,
  ) {
    this.operation = operations[name];
    this.inputs = new NodeInputs(RED, node, config, this.operation.inputs);
    // Each running call listens, and Node.js takes more than ten listeners for a leak.
    setMaxListeners(0, this.closing.signal);
    this.badge = new Badge(RED, node, config.account, name);
    void this.warnOfUnsupported();
    this.stopWatching = warnOfUnheard(RED, this, config.account, name);
  }

  private async warnOfUnsupported(): Promise<void> {
    const known = readKnown(this.operation.inputs, await this.inputs.fixed());
    warnOfUnsupported(this, accountOf(this.RED, this.config.account), this.name, known);
  }

  input(message: NodeMessageInFlow, send: Send, done: Done): void {
    this.badge.begin();
    this.underWay += 1;
    void this.perform(message, send, done).then(this.ended);
  }

  /** Ends the running calls and waits until each has ended. */
  async close(): Promise<void> {
    this.closing.abort();
    this.stopWatching();
    if (this.underWay > 0) await new Promise<void>((resolve) => (this.onIdle = resolve));
    this.badge.clear();
  }

  private readonly ended = (): void => {
    this.underWay -= 1;
    if (this.underWay === 0) this.onIdle?.();
  };

  /** Never rejects: whatever happens ends in one `done`. */
  private async perform(message: NodeMessageInFlow, send: Send, done: Done): Promise<void> {
    let isOver = false;
    let account: Account | undefined;
    const fail = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      const raised = this.inputs.withSource(error);
      if (raised instanceof AuthyError && raised.response !== undefined) {
        message['authy'] = answerFacts(this.node, account, raised);
      }
      this.badge.error(raised);
      done(raised);
    };
    try {
      account = chosenAccount(this.RED, this.config.account);
      const raw = await this.inputs.evaluate(message);
      const deadline = deadlineOf(message);
      const values = await account.read(this.name, raw);
      const performed = await account.perform(this.name, values, {
        deadline,
        asker: askerOf(this.RED, this.node),
        signal: this.closing.signal,
        onCancelled: fail,
        onQueued: this.badge.queue,
      });
      // If the node was closed meanwhile, this message has had its error, and nothing may be sent any more.
      if (this.closing.signal.aborted) {
        fail(
          new AuthyError(
            'AUTHY_CANCELLED',
            'Check before you send it again: the node was closed before its answer could be sent on.',
          ),
        );
        return;
      }
      const [output, fill] = this.portOf(performed);
      this.complete(message, account, performed);
      this.badge.outcome(fill, performed.outcome);
      send([...Array<null>(output).fill(null), message]);
    } catch (error) {
      fail(error);
      return;
    }
    done();
  }

  /** @throws AuthyError - `AUTHY_BAD_RESPONSE`: an outcome that is not the operation's must leave by no output */
  private portOf({ outcome }: Performed): OutcomePort {
    const port = portOf(this.name, outcome);
    if (port === undefined) throw foreignOutcome(outcome);
    return port;
  }

  /** The same message goes on, with everything else it carries: `req` and `res`, `topic`, `parts`. */
  private complete(message: NodeMessageInFlow, account: Account, performed: Performed): void {
    const result = performed.result as Readonly<Record<string, unknown>>;
    message.payload = result;
    message['authy'] = answerFacts(this.node, account, performed.answer);
    for (const name of this.operation.carries) {
      if (result[name] !== null) message[name] = result[name];
    }
  }
}
