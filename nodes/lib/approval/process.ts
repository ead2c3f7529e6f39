import { outside, type Outside } from './outside';
import { onAnswers } from '../account/answers';
import { InTurn } from '../storage/in-turn';
import type { Request } from './request';
import type { Handovers } from './handover';
import { Watch } from './watch';

/** The state that the gates of one process share. It outlives their nodes. */
export interface Process {
  readonly outside: Outside;
  /** What closed gates leave to their successors. */
  readonly handovers: Handovers;
  /** The store calls for each message, one after the other. */
  readonly atStore: InTurn<Request>;
  /** The watch of an account, which outlives a deploy as the requests do. */
  watchOf(accountId: string): Watch;
}

/**
 * The shared state of a process's gates. A simulation has several.
 *
 * @param onAnswers - makes a new watch listen to the answers that come to its account
 */
export function newProcess(
  from: Outside,
  onAnswers: (accountId: string, watch: Watch) => void = () => undefined,
): Process {
  const watches = new Map<string, Watch>();
  return {
    outside: from,
    handovers: new Map(),
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

/** The state of this process. */
export const thisProcess: Process = newProcess(outside, (accountId, watch) => {
  onAnswers(accountId, (answer) => watch.answered(answer));
});
