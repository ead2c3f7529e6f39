import type { Admission, Limits } from '../../nodes/lib/storage/rails';
import type { ApprovalRecord, RecordEvents, Records } from '../../nodes/lib/storage/records';
import type { Machine } from './machine';
import type { StoreTrouble } from './plan';

/** What a machine of a world has of its store. */
export interface MachineStore {
  /** Tells one opening of the store from another. */
  readonly place: object;
  openRecords(gateId: string, events: RecordEvents): Records;
  admit(record: ApprovalRecord, limits: Limits): Promise<Admission>;
  release(record: ApprovalRecord): Promise<void>;
}

/** The store of a world, as its machines see it. */
export interface SimulatedStore {
  of(machine: Machine): MachineStore;
  /** A process begins on a machine. */
  begin(machine: Machine): void;
  /** It has ended. */
  end(machine: Machine): void;
  trouble(what: StoreTrouble, machine: Machine, milliseconds: number): void;
  /** No more trouble. */
  calm(): void;
  /** What is still open in it, by the texts of their messages. */
  open(): string[];
}
