import type { NodeMessageInFlow } from 'node-red';
import type { AuthyError } from '../authy/errors';
import { clock } from './clock';
import type { ApprovalGate } from './gate';
import type { Outcome, StatusReading } from './outcome';
import type { ApprovalRecord, GateStore } from './store';
import type { Watched } from './watch';

export type Done = (error?: Error) => void;

/** A message that waits for the outcome of a request. */
export interface Waiter {
  readonly message: NodeMessageInFlow;
  /** How it ends; absent while its node is closed, and until a new one has received the message again. */
  done: Done | undefined;
}

// What only few requests have is kept beside them.
/** The messages that joined one of the same question. */
const joined = new WeakMap<OpenRequest, Waiter[]>();
const rested = new WeakSet<OpenRequest>();

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

/** The stages that have nothing to say but their name: the same for all requests. */
export const stages = {
  asking: { name: 'asking' },
  waiting: { name: 'waiting' },
  over: { name: 'over' },
} as const satisfies Record<string, Stage>;

/**
 * An open approval request in this process, with the messages that wait for it. It outlives the nodes of a deploy.
 *
 * There may be 100,000 of them: so each is one object and its record, which the watch and the store use as they are,
 * and what can be told from something else is not kept.
 */
export class OpenRequest implements Watched {
  stage: Stage = stages.asking;
  /** The node that takes care of it; undefined while that is closed. */
  gate: ApprovalGate | undefined;
  /** Its place in the watch. */
  place = -1;
  /** The message that asked. */
  private first: Waiter | undefined;
  /** By {@link clock}, which no change of the computer's moves. */
  askedAt: number;

  /**
   * @param remaining - how long an answer counts from now on, in milliseconds
   * @param store - where its record is kept
   */
  constructor(
    readonly record: ApprovalRecord,
    public store: GateStore,
    remaining: number,
  ) {
    this.askedAt = clock() + remaining - this.length;
  }

  get approvalId(): string {
    return this.record.approvalId ?? '';
  }

  get authyId(): string {
    return this.record.authyId;
  }

  get timeout(): number {
    return this.record.timeout;
  }

  /** As {@link askedAt}. */
  get endsAt(): number {
    return this.askedAt + this.length;
  }

  /** When it was asked, by the store's clock. */
  get requestedAt(): Date {
    return new Date(this.record.endsAt - this.length);
  }

  /** Whether it lay where nobody looked at it: an answer may be there already. */
  get hasRested(): boolean {
    return rested.has(this);
  }

  /** From now on {@link hasRested} is so. */
  markRested(): void {
    rested.add(this);
  }

  get confirm(): boolean {
    return this.gate?.confirm ?? true;
  }

  get remind(): (() => void) | undefined {
    return this.record.reminded ? undefined : () => this.gate?.remind(this);
  }

  /** The messages that wait, in the order in which they came. */
  get waiters(): readonly Waiter[] {
    return this.first === undefined ? [] : [this.first, ...(joined.get(this) ?? [])];
  }

  /** One more message waits. @param done - how it ends, if that is known by now */
  add(message: NodeMessageInFlow, done?: Done): void {
    const waiter = { message, done };
    if (this.first === undefined) this.first = waiter;
    else joined.set(this, [...(joined.get(this) ?? []), waiter]);
  }

  /** Whether each of its messages can leave the node. */
  get isReady(): boolean {
    return this.waiters.every(({ done }) => done !== undefined);
  }

  is(...stages: Stage['name'][]): boolean {
    return stages.includes(this.stage.name);
  }

  /** Authy has taken it: from now on an answer counts. @param now - by the store's clock */
  sent(approvalId: string, now: number): void {
    Object.assign(this.record, { state: 'waiting', approvalId, endsAt: now + this.length });
    this.askedAt = clock();
    this.stage = stages.waiting;
  }

  async read(deadline: number): Promise<StatusReading> {
    if (this.gate === undefined) throw new Error('its node is closed');
    return this.gate.readStatus(this.record, deadline);
  }

  decide(outcome: Outcome): void {
    this.stage = { name: 'decided', outcome };
    this.gate?.proceed(this);
  }

  onUnreadable(error: unknown): void {
    this.gate?.warnOfStatus(error);
  }

  /** How long an answer counts, in milliseconds. */
  private get length(): number {
    return this.record.timeout * 1000;
  }
}
