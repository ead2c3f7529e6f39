import type { RestedGates } from './gate';
import { outside, type Outside } from './outside';
import { InTurn } from '../storage/in-turn';
import type { Request } from './request';
import { Watch } from './watch';

/** What the gates of one process share. It outlives their nodes. */
export interface Process {
  readonly outside: Outside;
  /** What the closed gates have left. */
  readonly rested: RestedGates;
  /** What is asked of a store about a message, each one in its turn. */
  readonly atStore: InTurn<Request>;
  /** The watch of an account, which outlives a deploy as the requests do. */
  watchOf(accountId: string): Watch;
}

/** A process, to its gates. A simulation has several. */
export function newProcess(from: Outside): Process {
  const watches = new Map<string, Watch>();
  return {
    outside: from,
    rested: new Map(),
    atStore: new InTurn(),
    watchOf(accountId) {
      const watch = watches.get(accountId) ?? new Watch(from.time);
      watches.set(accountId, watch);
      return watch;
    },
  };
}

/** This one. */
export const thisProcess: Process = newProcess(outside);
