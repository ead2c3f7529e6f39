/** The prefix of each record's id, to tell it from other values in a context. */
export const idPrefix = 'approval_';

/**
 * The state of a waiting message in the store:
 *
 * - `unsent`: Node-RED was stopped before its request was sent. Nothing has left.
 * - `sending`: its request is on its way. After a crash nobody knows whether it arrived.
 * - `waiting`: the request is on the phone.
 * - `passing`: claimed, and about to leave the node. After a crash nobody knows whether it did.
 */
export type RecordState = 'unsent' | 'sending' | 'waiting' | 'passing';

/** A message that waits for the answer to an approval request, as it is kept: plain data, no secret, bounded. */
export interface ApprovalRecord {
  /** Our own id, which exists before the service has given one: {@link idPrefix} and 22 hexadecimal digits. */
  id: string;
  readonly accountId: string;
  /** Who is asked. */
  readonly recipient: string;
  state: RecordState;
  /** The service's id of the request; absent until it has accepted the request. */
  approvalId?: string | undefined;
  /** A short text that is the same for the same question; empty if nobody joins. */
  readonly question: string;
  /** When its time is over, by {@link Records.now}. */
  endsAt: number;
  /** For how long after the service accepted the request an answer counts, in milliseconds. */
  lifetime: number;
  /** How long after that an answer begins to count, in milliseconds; 0: every answer. Absent for the message that asked. */
  joinedAfter?: number | undefined;
  reminded: boolean;
  /** The message, as `writeMessage` wrote it; in memory it may be {@link onlyInMemory} instead. */
  readonly message: string;
  /** Counts the holders of the record: each instance that takes it over raises it. One with an older number can change nothing. */
  epoch: number;
}

/**
 * The result of a claim:
 *
 * - `ours`: this instance hands the message on, and no other does
 * - `theirs`: another instance has taken it over
 * - `withdrawn`: it was withdrawn by another instance
 * - `missing`: the store has lost the record
 */
export type Claim = 'ours' | 'theirs' | 'withdrawn' | 'missing';

/** How far a clock may be set back before it counts as wrong, in milliseconds. */
export const clockTolerance = 1000;

/** A record of an earlier run, or of an instance that is gone. */
export interface Found {
  readonly record: ApprovalRecord;
  /** Whether the clock was set back since the record was written: then its end is not known. */
  readonly isClockWrong: boolean;
}

/** Events that a store sends to a gate. */
export interface RecordEvents {
  /** There are abandoned records: {@link Records.take} hands them over. */
  onAbandoned(): void;
  /** Another instance has withdrawn these. Their messages leave by no output. */
  onWithdrawn(ids: readonly string[]): void;
  /** A problem for a person to look at: a sentence without secrets. */
  onTrouble(sentence: string): void;
}

/**
 * The records of one gate. A record is made once, by {@link create}, before anything is sent; it ends once, by
 * {@link claim}. Every change in between happens only if the record is there, is held by this instance in this epoch,
 * and is not claimed: a late change does nothing, and a record that has ended is never made again.
 *
 * Changes of one record are made one after the other. Each rejects with an AuthyError of code `AUTHY_STORE` if the store
 * cannot say whether it was made; it may be tried again then.
 */
export interface Records {
  /** The name of the store. Its records are moved when the account is set to another store. */
  readonly name: string;
  /** Whether all that it keeps is gone with this process, which has the messages themselves. */
  readonly isMemory?: boolean;
  /** Milliseconds since 1970 by the clock that all instances share. */
  now(): number;
  /**
   * Makes a record, held by this instance. Resolves once it is as safe as the store promises.
   *
   * @param isWanted - asked again as long as it is not certain whether it was made: false if nobody can wait any longer.
   *   Absent: the caller always waits.
   * @returns false if it was made, and another instance has taken it over or withdrawn it since
   * @throws AuthyError - `AUTHY_STORE`: no such record is there, and none will be; certain as long as it was wanted
   */
  create(record: ApprovalRecord, isWanted?: () => boolean): Promise<boolean>;
  /**
   * Writes the changes of a record.
   *
   * @returns false if the record is no longer there, or not held by this instance: nothing was changed
   */
  update(record: ApprovalRecord): Promise<boolean>;
  /**
   * The only way to an end, and atomic: marks the record as `passing`. A repeated call gives the same answer.
   *
   * @param isFinal - whether nothing is handed on: then the record has ended, and {@link end} need not be called
   */
  claim(record: ApprovalRecord, isFinal: boolean): Promise<Claim>;
  /**
   * Takes a claim back, since nothing was handed on: the record waits again. One that was found as `passing` stays so:
   * nobody knows whether its message left.
   */
  unclaim(record: ApprovalRecord): Promise<void>;
  /**
   * The claimed message has been handed on, in this very turn. If the store can, it remembers that before this returns, so
   * that a crash cannot come between.
   *
   * @returns settles when it is as safe as the store promises
   */
  end(record: ApprovalRecord): Promise<void>;
  /**
   * Withdraws records that other instances hold for this gate, and tells them. Waits for those that are being handed on.
   *
   * @param approvalId - in lower case; absent: all
   * @param isWanted - asked again as long as it is not certain, as in {@link create}
   * @returns false if it is not certain that none of them is handed on any more
   */
  withdrawElsewhere(approvalId: string | undefined, isWanted?: () => boolean): Promise<boolean>;
  /**
   * Takes over abandoned records: those of an earlier run, or of an instance that is gone. A record that cannot be read is
   * set aside, named by {@link RecordEvents.onTrouble}, and does not affect the others.
   *
   * @param except - those that this gate has already, by id, in their newest epoch. If a store compares epochs, a record in
   *   a newer epoch is handed over: with the old epoch, the gate can no longer change it.
   * @returns some of them, and none once all are taken
   */
  take(except: ReadonlyMap<string, number>): Promise<Found[]>;
  /** The gate is closed for now; its records stay. Settles when all running changes are done. */
  close(): Promise<void>;
}
