/** What the id of each record begins with, to be told from what else is in a context. */
export const idPrefix = 'approval_';

/**
 * What the store says of a message that waits:
 *
 * - `unsent`: Node-RED was stopped before its request was sent. Nothing has left.
 * - `sending`: its request is on its way. Whoever finds it so after a crash cannot know whether it arrived.
 * - `waiting`: the request is on the phone.
 * - `passing`: claimed, and about to leave the node. After a crash nobody knows whether it did.
 */
export type RecordState = 'unsent' | 'sending' | 'waiting' | 'passing';

/** A message that waits for the answer to an approval request, as it is kept: plain data, no secret, bounded. */
export interface ApprovalRecord {
  /** Our own id, which is there before the service has given one: {@link idPrefix} and 22 hexadecimal digits. */
  id: string;
  readonly accountId: string;
  /** Who is asked. */
  readonly authyId: string;
  state: RecordState;
  /** The service's id of the request; absent until it has taken it. */
  approvalId?: string | undefined;
  /** What is asked, in short, to tell the same question from another; empty if nobody joins. */
  readonly question: string;
  /** When its time is over, by {@link Records.now}. */
  endsAt: number;
  /** An answer counts until so long after the service took the request, in milliseconds. */
  lifetime: number;
  /** And from so long after it, in milliseconds; absent for the message that asked. 0: every answer counts. */
  joinedAfter?: number | undefined;
  reminded: boolean;
  /** The message, as `writeMessage` wrote it. */
  readonly message: string;
  /** Counts who has held the record: each instance that takes it over raises it. One with an older number changes nothing. */
  epoch: number;
}

/**
 * What a claim came to:
 *
 * - `ours`: this instance hands the message on, and no other does
 * - `theirs`: another instance has taken it over
 * - `withdrawn`: it was withdrawn by another instance
 * - `missing`: the store has lost the record
 */
export type Claim = 'ours' | 'theirs' | 'withdrawn' | 'missing';

/** A record that an earlier run, or an instance that is gone, has left behind. */
export interface Found {
  readonly record: ApprovalRecord;
  /** Whether time ran backwards since it was written, so that its end cannot be told. */
  readonly isClockWrong: boolean;
}

/** What a store tells a gate of its own accord. */
export interface RecordEvents {
  /** There are records that nobody takes care of: {@link Records.take} hands them over. */
  onAbandoned(): void;
  /** Another instance has withdrawn these. Their messages leave by no output. */
  onWithdrawn(ids: readonly string[]): void;
  /** Something that a person has to look at; a sentence without secrets. */
  onTrouble(sentence: string): void;
}

/**
 * The records of one gate. A record is made once, by {@link create}, before anything is sent; it ends once, by
 * {@link claim}. Every change in between happens only where the record is there, is held by this instance in this epoch,
 * and is not claimed: whoever comes too late changes nothing, and what has ended is never made again.
 *
 * Changes of one record are asked for one after the other. Each rejects with an AuthyError of code `AUTHY_STORE` where
 * the store cannot say what became of it; it may be asked for again then.
 */
export interface Records {
  /** The name of the store they are kept in. Records kept in one are moved when the account is set to another. */
  readonly name: string;
  /** Milliseconds since 1970 by the one clock that all instances share. */
  now(): number;
  /**
   * Makes a record, held by this instance. Resolves once it is as safe as the store promises.
   *
   * @param isWanted - asked for as long as it is not certain whether it was made: false where nobody can wait any longer.
   *   Absent: somebody always can.
   * @returns false where it was made, and another instance has taken it over or withdrawn it since
   * @throws AuthyError - `AUTHY_STORE`: no such record is there, and none will be; certain as long as it was wanted
   */
  create(record: ApprovalRecord, isWanted?: () => boolean): Promise<boolean>;
  /**
   * Writes what has changed.
   *
   * @returns false where the record is not there any more, or not held by this instance: nothing was changed
   */
  update(record: ApprovalRecord): Promise<boolean>;
  /**
   * The one way to an end, and atomic: marks the record as `passing`. Asked for again, it answers the same.
   *
   * @param isFinal - whether nothing is handed on: the record is over then, and {@link end} need not be called
   */
  claim(record: ApprovalRecord, isFinal: boolean): Promise<Claim>;
  /**
   * Takes a claim back, since nothing was handed on: the record waits again. One that was found as `passing` stays that:
   * of it nobody knows.
   */
  unclaim(record: ApprovalRecord): Promise<void>;
  /**
   * What was claimed has been handed on, in this very turn. A store that can remembers it before this returns, so that a
   * crash cannot come between.
   *
   * @returns settles when it is as safe as the store promises
   */
  end(record: ApprovalRecord): Promise<void>;
  /**
   * Withdraws what other instances hold for this gate. They are told. What is just being handed on is waited for.
   *
   * @param approvalId - in lower case; absent: all
   * @param isWanted - asked for as long as it is not certain, as in {@link create}
   * @returns false where it is not certain that none of them is handed on any more
   */
  withdrawElsewhere(approvalId: string | undefined, isWanted?: () => boolean): Promise<boolean>;
  /**
   * Takes over records that nobody takes care of: those of an earlier run, or of an instance that is gone. What cannot be
   * read is set aside, named by {@link RecordEvents.onTrouble}, and takes nothing with it.
   *
   * @param except - those that this gate has already, by id, in their newest epoch. Where a store compares epochs, one that
   *   comes back in a newer one is handed over: with the one it has, the gate can do nothing about it any more.
   * @returns some of them, and none once all are taken
   */
  take(except: ReadonlyMap<string, number>): Promise<Found[]>;
  /** The gate is closed for now; its records stay. Settles when what is under way is done. */
  close(): Promise<void>;
}
