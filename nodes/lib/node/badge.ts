import type { Node, NodeAPI, NodeStatusFill } from 'node-red';
import { accountOf, accountProblem } from '../account/account';
import { AuthyError } from '../contract/errors';
import type { OperationName } from '../contract/results';
import { deploysOf } from './deploys';

const catalogue = '@flowauth/node-red-authy/authy-config:status';

/** What is shown: `word` is a key of the catalogue; behind it stand the input that it is `about`, and `count` if it is more than one. */
interface Shown {
  readonly fill: NodeStatusFill;
  readonly shape: 'dot' | 'ring';
  readonly word: string;
  readonly about?: string | undefined;
  readonly count?: number;
}

/**
 * This many changes go out at once, so that a flow that watches the status sees each step of a few messages; nobody could
 * see each of more.
 */
const burst = 100;

/** The time after which one more may go out, in milliseconds. */
const interval = 100;

/**
 * The status below a node: blue and counting while calls are running or messages wait, then the last outcome. The
 * words are translated here, in the language of the server, so that Status nodes receive words and not keys.
 */
export class Badge {
  private underWay = 0;
  private waitingFor = 0;
  /** Those under way that wait for their turn. */
  private queued = 0;
  private last: Shown | undefined;
  /** What the last deploy has left wrong with the account. */
  private problem: Shown | undefined;
  private readonly stopLooking: () => void;
  /** How many changes may go out now, as of `asOf`, by `performance.now()`. */
  private allowed = burst;
  private asOf = performance.now();
  /** If changes came too fast: shows the state later. */
  private later: NodeJS.Timeout | undefined;

  /**
   * @param account - the id of the node's account. What is wrong with it shows from each deploy on, before any message
   * @param operation - what the node performs with it
   */
  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly account: string,
    private readonly operation?: OperationName,
  ) {
    // The account may be deleted, disabled or changed by a deploy that leaves this node as it is.
    this.stopLooking = deploysOf(RED).onEnd(() => this.look());
  }

  /** A call begins. */
  begin(): void {
    this.underWay += 1;
    this.changed();
  }

  /** A call ended, and its outcome is still to come. */
  end(): void {
    this.underWay = Math.max(0, this.underWay - 1);
    this.changed();
  }

  /** A call ended with an outcome, `word` being its key in the catalogue. */
  outcome(fill: NodeStatusFill, word: string): void {
    this.last = { fill, shape: 'dot', word };
    this.end();
  }

  /** A call ended with an error. */
  error(error: unknown): void {
    this.last = failure(error);
    this.end();
  }

  /** A message ended with an error, and no call of it was running. */
  failed(error: unknown): void {
    this.last = failure(error);
    this.changed();
  }

  /** A call begins to wait for its turn, or no longer does. */
  readonly queue = (isQueued: boolean): void => {
    this.queued = Math.max(0, this.queued + (isQueued ? 1 : -1));
    this.changed();
  };

  /** So many messages wait for something that comes later than the call. */
  waiting(count: number): void {
    this.waitingFor = count;
    this.changed();
  }

  /** A message that waited has its outcome. */
  decided(fill: NodeStatusFill, word: string): void {
    this.last = { fill, shape: 'dot', word };
    this.changed();
  }

  /** Something is wrong before any call began. */
  wrong(word: string): void {
    this.last = { fill: 'red', shape: 'ring', word };
    this.changed();
  }

  /** Nothing is shown any more. */
  clear(): void {
    this.stopLooking();
    clearTimeout(this.later);
    this.later = undefined;
    this.underWay = 0;
    this.waitingFor = 0;
    this.queued = 0;
    this.last = undefined;
    this.node.status({});
  }

  private look(): void {
    const problem = accountProblem(this.RED, this.account, this.operation);
    const before = this.problem;
    this.problem = problem && failure(problem);
    if (this.problem?.word === before?.word) return;
    // What else went wrong since then still holds.
    if (this.problem !== undefined || this.last?.word === before?.word) this.last = this.problem;
    this.changed();
  }

  /** Shows the current state, or, if changes come too fast, the state a little later. */
  private changed(): void {
    if (this.later !== undefined) return;
    const now = performance.now();
    this.allowed = Math.min(burst, this.allowed + (now - this.asOf) / interval);
    this.asOf = now;
    if (this.allowed >= 1) {
      this.show();
      return;
    }
    this.later = setTimeout(
      () => {
        this.later = undefined;
        this.changed();
      },
      Math.ceil((1 - this.allowed) * interval),
    ).unref();
  }

  private show(): void {
    this.allowed -= 1;
    const shown = this.current();
    if (shown === undefined) {
      this.node.status({});
      return;
    }
    const { fill, shape, word, about, count = 1 } = shown;
    const subject = about === undefined ? '' : `: ${about}`;
    const counted = count > 1 ? ` (${count})` : '';
    const queued =
      shown.word === 'sending' && this.queued > 0 ? ` · ${this.word('waiting')} (${this.queued})` : '';
    const suffix =
      accountOf(this.RED, this.account)?.protectsNobody === true ? ` · ${this.word('simulator')}` : '';
    this.node.status({ fill, shape, text: this.word(word) + subject + counted + queued + suffix });
  }

  private current(): Shown | undefined {
    if (this.underWay > 0)
      return { fill: 'blue', shape: 'dot', word: 'sending', count: this.underWay - this.queued };
    if (this.waitingFor > 0) return { fill: 'blue', shape: 'ring', word: 'waiting', count: this.waitingFor };
    return this.last;
  }

  private word(key: string): string {
    return this.RED._(`${catalogue}.${key}`);
  }
}

function failure(error: unknown): Shown {
  const wrong = { fill: 'red', shape: 'ring' } as const;
  if (!(error instanceof AuthyError)) return { ...wrong, word: 'error.UNEXPECTED' };
  const { code, field, badge } = error;
  const about = code === 'AUTHY_INVALID_INPUT' ? field : undefined;
  return { ...wrong, word: `error.${badge ?? code.replace(/^AUTHY_/, '')}`, about };
}
