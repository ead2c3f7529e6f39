import type { NodeMessageInFlow } from 'node-red';
import type { Request } from './request';

/** What a closed gate leaves to the gate that replaces it after a deploy. */
export interface Rested {
  readonly requests: readonly Request[];
  /** Messages that have left, which the store does not know for certain yet. */
  readonly ending: readonly Request[];
  /** Messages that ended when their node, and the Catch and Complete nodes, were closed already. */
  readonly unheard: readonly Unheard[];
}

export interface Unheard {
  readonly message: NodeMessageInFlow;
  /** Absent if it was withdrawn. */
  readonly error: Error | undefined;
}

/** What the closed gates of a process have left, by the id of their node. Some may still be closing. */
export type RestedGates = Map<string, Promise<Rested>>;
