import type { NodeMessageInFlow } from 'node-red';
import type { AuthyError } from '../authy/errors';
import type { ApprovalGate } from './gate';
import type { Outcome } from './outcome';
import type { ApprovalRecord, GateStore } from './store';

export type Send = (messages: (NodeMessageInFlow | null)[]) => void;
export type Done = (error?: Error) => void;

/** A message that waits for the outcome of a request. */
export interface Waiter {
  readonly message: NodeMessageInFlow;
  /** How it ends; absent while its node is closed, and until a new one has received the message again. */
  ways: { readonly send: Send; readonly done: Done } | undefined;
}

/**
 * How far a request has come. Each step is taken once and none is taken back:
 *
 *     asking → waiting → decided → passing → over
 *        └→ failed ─────────────────────────→ over
 *
 * Withdrawn, `asking` and `waiting` are over at once.
 */
export type Stage =
  | { readonly name: 'asking' | 'waiting' | 'over' }
  | { readonly name: 'failed'; readonly error: AuthyError | Error }
  | { readonly name: 'decided' | 'passing'; readonly outcome: Outcome };

/** An open approval request in this process, with the messages that wait for it. It outlives the nodes of a deploy. */
export class OpenRequest {
  stage: Stage = { name: 'asking' };
  /** The node that takes care of it; undefined while that is closed. */
  gate: ApprovalGate | undefined;
  /** Whether it lay where nobody looked at it: an answer may be there already. */
  hasRested = false;
  readonly waiters: Waiter[] = [];
  /** By `performance.now()`, which no change of the clock moves. */
  askedAt = performance.now();
  endsAt: number;

  /**
   * @param remaining - how long an answer counts from now on, in milliseconds
   * @param store - where its record is kept
   */
  constructor(
    readonly record: ApprovalRecord,
    public store: GateStore,
    remaining: number,
  ) {
    this.endsAt = this.askedAt + remaining;
  }

  /** Whether each of its messages can leave the node. */
  get isReady(): boolean {
    return this.waiters.every(({ ways }) => ways !== undefined);
  }

  is(...stages: Stage['name'][]): boolean {
    return stages.includes(this.stage.name);
  }

  /** Authy has taken it: from now on an answer counts. @param now - by the store's clock */
  sent(approvalId: string, now: number): void {
    const length = this.record.timeout * 1000;
    Object.assign(this.record, { state: 'waiting', approvalId, askedAt: now, endsAt: now + length });
    this.askedAt = performance.now();
    this.endsAt = this.askedAt + length;
    this.stage = { name: 'waiting' };
  }
}
