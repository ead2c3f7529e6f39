import type { Node } from 'node-red';
import type { ApprovalAnswer } from '../contract/service';
import type { Ledger } from './ledger';
import type { Rails } from './rails';
import type { RecordEvents, Records } from './records';

/** Tells the other instances of Node-RED that share an account, if there are any. */
export interface Messenger {
  /** A verified callback came here. If this message gets lost, polling finds the answer. */
  tell(answer: ApprovalAnswer): void;
}

/** The stores of an account. */
export interface Stores {
  readonly ledger: Ledger;
  readonly rails: Rails;
  readonly messenger: Messenger;
  /** Opens the records of one gate. */
  records(gate: Node, events: RecordEvents): Records;
  /** Ends connections, once the opened records are closed. Stored data stays. @param removed - whether the account was deleted */
  close(removed: boolean): Promise<void>;
}
