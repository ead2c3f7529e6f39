import type { OnPhone } from './service';

/** How a message came out of a node. */
export type Ending = 'approved' | 'denied' | 'expired' | 'error' | 'unknown' | 'cancelled' | 'withdrawn';

/** All that is known of one message, by the world's own clock. */
export interface Told {
  readonly no: number;
  readonly authyId: string;
  /** When it was given to a gate. */
  readonly givenAt: number;
  /** In milliseconds. */
  readonly timeout: number;
  /** Whether its process was killed while the store may not have had it yet. */
  mayBeLost: boolean;
  /** Whether its process was killed, or was cut off from store or service, so that nobody may know what became of it. */
  mayBeUnknown: boolean;
  /** Whether the store may have lost it. */
  readonly mayBeGone: boolean;
  /** When somebody was told that it is withdrawn. */
  withdrawnAt: number | undefined;
  /** When the service's answer that took its request reached its process. */
  takenAt: number | undefined;
  readonly endings: { readonly how: Ending; readonly at: number; readonly approvalId: string | undefined }[];
}

/** How long after its end an approval may still leave a node. */
const grace = 10_000;
/** How far behind its timers a process may be. */
const slack = 50;

/**
 * What this package promises of each message, held against what happened to it.
 *
 * @param setBack - by how much clocks were set back: if that was while Node-RED was away, nobody can tell how long it was
 * @returns what is wrong, in sentences
 */
export function faultsOf(told: Told, requests: ReadonlyMap<string, OnPhone>, setBack: number): string[] {
  const faults: string[] = [];
  const { no, endings } = told;
  const say = (what: string): void => {
    faults.push(`message ${no} ${what}`);
  };
  // Of what the store has lost nobody can say whether another instance had it.
  const isLostToo = ({ how }: { how: Ending }): boolean =>
    told.mayBeGone && how === 'error' && endings.length > 1;
  // Where nobody knew whether the store had it, and then the process died, the error may come a second time.
  const isRepeated = (ending: { how: Ending }, index: number): boolean =>
    told.mayBeUnknown && ending.how === 'error' && endings.findIndex(({ how }) => how === 'error') < index;
  const certain = endings.filter(
    (ending, index) => ending.how !== 'unknown' && !isLostToo(ending) && !isRepeated(ending, index),
  );
  const unknown = endings.filter(({ how }) => how === 'unknown').length;
  if (certain.length > 1) say(`ended ${certain.length} times: ${certain.map(({ how }) => how).join(', ')}`);
  if (unknown > 0 && !told.mayBeUnknown) say('ended in an unknown outcome without need');
  if (unknown > 0 && certain.length > 0 && !told.mayBeUnknown)
    say('ended, and in an unknown outcome as well');
  if (endings.length === 0 && !told.mayBeLost) say('never ended');
  for (const { how, at, approvalId } of certain) {
    const isGone = told.mayBeGone && how === 'error';
    if (told.withdrawnAt !== undefined && told.withdrawnAt < at && how !== 'withdrawn' && !isGone) {
      say(`left as ${how} although it was withdrawn ${at - told.withdrawnAt} ms before`);
    }
    if (how !== 'approved') continue;
    const request = requests.get(approvalId ?? '');
    const answeredAt = request?.answeredAt;
    if (request?.answer !== 'approved' || answeredAt === undefined) {
      say('left as approved, and nobody approved it');
      continue;
    }
    if (request.authyId !== told.authyId) say('left as approved by somebody else');
    if (answeredAt < told.givenAt)
      say(`left by a yes given ${told.givenAt - answeredAt} ms before it was asked`);
    const end = Math.max(told.takenAt ?? told.givenAt, told.givenAt) + told.timeout;
    if (answeredAt > end) say(`left by a yes given ${answeredAt - end} ms after its end`);
    if (at > end + grace + slack + setBack) say(`left as approved ${at - end} ms after its end`);
  }
  return faults;
}
