import type { NodeMessageInFlow } from 'node-red';
import type { ApprovalRecord, Records } from '../storage/records';
import type { Clock } from '../time';
import { course, type Stage } from './stages';
import type { Outcome, StatusReading } from './outcome';
import type { Watched } from './watch';

export type Done = (error?: Error) => void;

/** Takes a message from stage to stage. */
export interface Carrier {
  readonly time: Pick<Clock, 'steady'>;
  readonly confirm: boolean;
  /** Called at each step. */
  moved(request: Request, before: Stage): void;
  /** Does the next step for a message. */
  proceed(request: Request): void;
  /** Half of the time is over. */
  remind(request: Request): void;
  read(request: Request, deadline: number): Promise<StatusReading>;
  onUnreadable(error: unknown): void;
}

/** How a message ends: by an output, by an error, or without either. */
export type End =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'error'; readonly error: Error }
  | { readonly kind: 'withdrawn' };

// Data that only few requests have is kept outside of them.
const restored = new WeakSet<Request>();
const unwatched = new WeakSet<Request>();
/** For messages that joined a request already sent: when they did so, by the steady clock. */
const joinedAt = new WeakMap<Request, number>();

/**
 * A message that asks and waits, in this process. It outlives the nodes of a deploy.
 *
 * There may be 100,000 of them: so each is one object and its record, which the watch and the store use as they are,
 * and values that can be computed are not stored.
 */
export class Request implements Watched {
  private at: Stage = 'arriving';
  /** How it ends, once that is decided. */
  end: End | undefined;
  /** Takes it further; undefined while its node is closed. */
  course: Carrier | undefined;
  /** Its place in the watch. */
  place = -1;
  /** When the service accepted it, by the steady clock. */
  askedAt: number;

  /**
   * @param records - where its record is kept
   * @param done - how Node-RED is told that the message is complete; absent while no node has received it
   */
  constructor(
    readonly record: ApprovalRecord,
    public records: Records,
    readonly message: NodeMessageInFlow,
    public done: Done | undefined,
    now: number,
  ) {
    this.askedAt = now;
  }

  get stage(): Stage {
    return this.at;
  }

  /** Whether it is in one of these stages. */
  is(...stages: Stage[]): boolean {
    return stages.includes(this.at);
  }

  /**
   * Takes the one step that the table has for an event.
   *
   * @throws Error - if there is none: a fault of this package, which must not be ignored
   */
  step(event: string): void {
    const next = (course[this.at] as Readonly<Record<string, Stage>>)[event];
    if (next === undefined) throw new Error(`An approval request that is ${this.at} cannot be ${event}.`);
    const before = this.at;
    this.at = next;
    this.course?.moved(this, before);
  }

  get key(): string {
    return this.record.approvalId ?? '';
  }

  get recipient(): string {
    return this.record.recipient;
  }

  get lifetime(): number {
    return this.record.lifetime;
  }

  get joinedAfter(): number {
    return this.record.joinedAfter ?? 0;
  }

  /** Like {@link askedAt}. */
  get endsAt(): number {
    return this.askedAt + this.record.lifetime;
  }

  get waitsSince(): number {
    return joinedAt.get(this) ?? -Infinity;
  }

  /** It has joined another message's request, which may have been sent before. @param at - when, by the steady clock */
  joined(at: number): void {
    joinedAt.set(this, at);
  }

  seenOpen(): void {
    if (this.record.joinedAfter !== undefined) this.record.joinedAfter = 0;
  }

  /** When the service accepted it, by the store's clock. */
  get requestedAt(): Date {
    return new Date(this.record.endsAt - this.record.lifetime);
  }

  get isBeforeEnd(): boolean {
    if (restored.has(this) || this.course === undefined) return false;
    return this.course.time.steady() < this.endsAt && this.records.now() < this.record.endsAt;
  }

  get mayBeAnswered(): boolean {
    return unwatched.has(this);
  }

  /** Its node was closed for a while: nobody looked at it. */
  markUnwatched(): void {
    unwatched.add(this);
  }

  /** It was found in the store: no clock of this process knows when its request was sent. */
  markRestored(): void {
    restored.add(this);
  }

  get confirm(): boolean {
    return restored.has(this) || (this.course?.confirm ?? true);
  }

  get remind(): (() => void) | undefined {
    return this.record.reminded ? undefined : () => this.course?.remind(this);
  }

  async read(deadline: number): Promise<StatusReading> {
    if (this.course === undefined) throw new Error('its node is closed');
    return this.course.read(this, deadline);
  }

  decide(outcome: Outcome): void {
    this.step('answered');
    this.end = { kind: 'outcome', outcome };
    this.course?.proceed(this);
  }

  onUnreadable(error: unknown): void {
    this.course?.onUnreadable(error);
  }
}
