import type { Node } from 'node-red';
import { ContextRecords, type ContextStore } from './context-records';
import { FileRecords } from './file-records';
import { MemoryLedger } from './memory-ledger';
import { MemoryRails } from './memory-rails';
import type { RecordEvents, Records } from './records';
import type { Messenger, Stores } from './stores';
import { Unusable } from './unusable';

/**
 * The memory of an account in this process. It outlives a deploy, which makes a new account with the same id; after a
 * restart only the records are known.
 */
interface Memory {
  readonly ledger: MemoryLedger;
  readonly rails: MemoryRails;
}

const memories = new Map<string, Memory>();

/** Opens the records of a gate. */
type OpenRecords = (gate: Node, events: RecordEvents) => Records;

/** The stores of an account on this machine only: records where its settings say, everything else in memory. */
export class LocalStores implements Stores {
  readonly ledger: MemoryLedger;
  readonly rails: MemoryRails;
  readonly messenger: Messenger = {
    tell: () => {
      // There are no other instances.
    },
  };

  private constructor(
    private readonly accountId: string,
    readonly records: OpenRecords,
  ) {
    const memory = memories.get(accountId) ?? { ledger: new MemoryLedger(), rails: new MemoryRails() };
    memories.set(accountId, memory);
    this.ledger = memory.ledger;
    this.rails = memory.rails;
  }

  /** With records in one of Node-RED's context stores. */
  static inContext(accountId: string, store: ContextStore): LocalStores {
    return new LocalStores(accountId, (gate, events) => new ContextRecords(gate, store, events));
  }

  /** With records in files. @param root - the folder of all accounts; undefined if there is no user directory */
  static inFiles(accountId: string, root: string | undefined): LocalStores {
    return new LocalStores(accountId, (gate, events) =>
      root === undefined
        ? new Unusable(
            'Open the account and keep approvals somewhere else: this Node-RED has no user directory.',
          )
        : new FileRecords({ root, accountId, gateId: gate.id }, events),
    );
  }

  close(removed: boolean): Promise<void> {
    if (removed) memories.delete(this.accountId);
    return Promise.resolve();
  }
}
