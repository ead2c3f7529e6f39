import type { NodeMessageInFlow } from 'node-red';
import type { Request } from './request';

/** What a closed gate leaves to the gate that replaces it after a deploy. */
export interface Handover {
  readonly requests: readonly Request[];
  /** Messages that have left, which the store does not know for certain yet. */
  readonly ending: readonly Request[];
  /** Messages that ended when their node, and the Catch and Complete nodes, were closed already. */
  readonly unreported: readonly Unreported[];
}

export interface Unreported {
  readonly message: NodeMessageInFlow;
  /** Absent if it was withdrawn. */
  readonly error: Error | undefined;
}

/** What the closed gates of a process have left, by the id of their node. Some may still be closing. */
export type Handovers = Map<string, Promise<Handover>>;
