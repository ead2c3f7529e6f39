import type { Node } from 'node-red';
import type { CallbackAnswer } from '../onetouch/callback';
import type { Decision } from '../onetouch/approvals';

/** What the id of each request begins with, to be told from what else is in a context. */
export const idPrefix = 'approval_';

/** An open approval request as it is kept: plain data, no secret, bounded. */
export interface ApprovalRecord {
  /**
   * Our own id: it is there before Authy has given one. {@link idPrefix} and 22 hexadecimal digits, since it is the
   * record's name in a context as well.
   */
  readonly id: string;
  readonly accountId: string;
  readonly authyId: string;
  /**
   * `asking`: on its way to Authy; whoever finds it so after a crash cannot know whether it arrived.
   * `waiting`: on the phone.
   * `passing`: decided, and about to leave the node; after a crash nobody knows whether it did.
   */
  state: 'asking' | 'waiting' | 'passing';
  /** Absent while `asking`. */
  approvalId?: string | undefined;
  /** What was asked, in short, to tell the same question from another; empty where nobody joins in. */
  readonly question: string;
  /** When its time is over, by {@link ApprovalStore.now}. */
  endsAt: number;
  /** How long an answer counts, in seconds. */
  readonly timeout: number;
  reminded: boolean;
  /** The messages that wait, each as {@link writeMessage} wrote it. */
  messages: string[];
}

/** How often one person may be asked; 0 is no limit. */
export interface GuardRails {
  /** Requests of one user that may be open at once. */
  readonly maxOpen: number;
  /** Seconds between two requests to the same user. */
  readonly coolDown: number;
}

export type Admission =
  { admitted: true } | { admitted: false; open: number } | { admitted: false; waitSeconds: number };

/** What one instance of Node-RED tells the others of the same account. */
export type Announcement =
  | { readonly kind: 'answer'; readonly answer: CallbackAnswer }
  | { readonly kind: 'withdraw'; readonly gateId: string; readonly approvalId?: string | undefined };

/**
 * Where an account keeps what must outlive a message, a deploy or a process: its open approval requests, whom it may
 * ask again, and which answers it has had. Everything may fail where the store does.
 */
export interface ApprovalStore {
  /** Tells stores apart: requests kept in one are moved when the account is set to another. */
  readonly name: string;
  /** Milliseconds since 1970 by the one clock that all instances share. */
  now(): number;
  /** Notes that a request was sent to a user. */
  asked(approvalId: string, authyId: string): Promise<void>;
  /** Whether this account sent the request, to this user. */
  wasAsked(approvalId: string, authyId: string): Promise<boolean>;
  /** Notes an answer: `duplicate` where the same came before, `conflict` where another did. */
  decided(approvalId: string, decision: Decision): Promise<'first' | 'duplicate' | 'conflict'>;
  /** Counts one more open request of a user, unless the guard rails say no. */
  admit(request: Pick<ApprovalRecord, 'id' | 'authyId' | 'endsAt'>, rails: GuardRails): Promise<Admission>;
  /** The request is no longer open. */
  release(request: Pick<ApprovalRecord, 'id' | 'authyId'>): Promise<void>;
  /** Tells the other instances, if there are any; what gets lost is made up for by polling. */
  announce(announcement: Announcement): void;
  /** The open requests of one gate. */
  openRequests(gate: Node, events: GateEvents): GateStore;
  /** Ends connections. What is kept stays. @param removed - whether the account was deleted */
  close(removed: boolean): Promise<void>;
}

/** What a store tells a gate of its own accord. */
export interface GateEvents {
  /** There are requests that nobody takes care of: {@link GateStore.take} hands them over. */
  onAbandoned(): void;
  /** The instance was cut off from the store for long enough that others may have taken over its requests. */
  onCutOff(): void;
  /** The store has lost what it held: everything is to be kept anew. */
  onEmptied(): Promise<void>;
  /** Another instance was told to withdraw a request, or all of this gate. */
  onWithdrawn(approvalId: string | undefined): void;
}

/** The open requests of one gate. */
export interface GateStore {
  /** The name of the store it belongs to. */
  readonly name: string;
  /** Keeps a request, held by this instance: a new one, or what has changed of it. */
  save(record: ApprovalRecord): Promise<void>;
  /**
   * The one atomic step: marks the request as `passing`.
   *
   * @returns whether this instance may hand the decision on; false where another one has taken the request over
   */
  claim(record: ApprovalRecord): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Which of these are still held by this instance. */
  held(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Takes over the requests that nobody takes care of: those of an earlier run, or of an instance that died.
   *
   * @param except - ids of those that this gate has already
   */
  take(except: ReadonlySet<string>): Promise<ApprovalRecord[]>;
  /** The gate is gone for now; its requests stay. */
  close(): void;
}
