/**
 * How far a message that asks has come:
 *
 * - `arriving`: it is let in and kept. Nothing was sent, and an error ends it at once.
 * - `kept`: it is in the store. Nothing was sent: its node was closed before, or another message asks the question.
 * - `sending`: the service is asked.
 * - `waiting`: the request is on the phone, and the watch reads its status.
 * - `decided`: its end is known. The store has to say whether this instance may hand it on.
 * - `claimed`: this instance hands it on, in this very turn.
 * - `ended`: it is over, and never leaves again.
 */
export type Stage = 'arriving' | 'kept' | 'sending' | 'waiting' | 'decided' | 'claimed' | 'ended';

/**
 * The steps from one stage to the next. No other steps happen.
 *
 * If the power fails in a stage, the instance that finds the record goes by the state that is safely in the store, and by
 * nothing else. Stage and state do not change together: the store answers later. `storage/records.ts` says what each call
 * to it promises.
 *
 * | stage      | state of the record                            | what becomes of the message                            |
 * | ---------- | ---------------------------------------------- | ------------------------------------------------------ |
 * | `arriving` | none yet, or `sending`                         | lost as any message is; or as `sending`                |
 * | `kept`     | `sending`, or `unsent` once its node is closed | as `sending`; or an error: nothing was sent            |
 * | `sending`  | `sending`, also while it waits for its turn    | an error: nobody knows whether it is on the phone      |
 * | `waiting`  | the old one, until `waiting` is written        | as `sending`; or it goes on waiting                    |
 * | `decided`  | the old one, until the claim is written:       | as in that state; the status is read and decides again |
 * |            | `passing`, or none if it was withdrawn         | as `claimed`; or nothing                               |
 * | `claimed`  | `passing`                                      | an error: nobody knows whether it left                 |
 * | `ended`    | `passing`, until the end is written:           | it has left, and that error comes as well              |
 * |            | ended, or none                                 | nothing: it has left                                   |
 */
export const course = {
  arriving: { kept: 'kept', refused: 'ended' },
  kept: { sent: 'sending', joined: 'waiting', failed: 'decided', withdrawn: 'decided', takenOver: 'ended' },
  sending: { accepted: 'waiting', failed: 'decided', withdrawn: 'decided', takenOver: 'ended' },
  waiting: { answered: 'decided', failed: 'decided', withdrawn: 'decided', takenOver: 'ended' },
  decided: { claimed: 'claimed', takenOver: 'ended', finished: 'ended' },
  claimed: { handedOn: 'ended' },
  ended: {},
} as const satisfies Record<Stage, Partial<Record<string, Stage>>>;

/** Whether a message does not wait for its answer yet. */
export function isOnItsWay(stage: Stage): boolean {
  return stage === 'arriving' || stage === 'kept' || stage === 'sending';
}
