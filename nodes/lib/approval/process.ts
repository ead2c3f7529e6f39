import { outside, type Outside } from './outside';
import { onAnswers } from '../account/answers';
import { InTurn } from '../storage/in-turn';
import type { Request } from './request';
import type { RestedGates } from './rested';
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

/**
 * A process, to its gates. A simulation has several.
 *
 * @param onAnswers - has a new watch told of the answers that come to its account
 */
export function newProcess(
  from: Outside,
  onAnswers: (accountId: string, watch: Watch) => void = () => undefined,
): Process {
  const watches = new Map<string, Watch>();
  return {
    outside: from,
    rested: new Map(),
    atStore: new InTurn(),
    watchOf(accountId) {
      const known = watches.get(accountId);
      if (known !== undefined) return known;
      const watch = new Watch(from.time);
      watches.set(accountId, watch);
      onAnswers(accountId, watch);
      return watch;
    },
  };
}

/** This one. */
export const thisProcess: Process = newProcess(outside, (accountId, watch) => {
  onAnswers(accountId, (answer) => watch.answered(answer));
});
