/**
 * How far a message that asks has come:
 *
 * - `arriving`: it is let in and kept. Nothing was sent, and an error ends it at once.
 * - `kept`: it is in the store. Nothing was sent: its node was closed before, or another message is to ask the question.
 * - `sending`: the service is asked.
 * - `waiting`: the request is on the phone, and the watch looks after it.
 * - `decided`: how it ends is known. The store has to be asked whether this instance may hand it on.
 * - `claimed`: this instance hands it on, in this very turn.
 * - `ended`: nothing comes of it any more.
 */
export type Stage = 'arriving' | 'kept' | 'sending' | 'waiting' | 'decided' | 'claimed' | 'ended';

/**
 * What leads from one stage to the next. What is not in this table does not happen.
 *
 * If the power fails in a stage, whoever finds the record goes by the state that the store has safely got, and by nothing
 * else. Stage and state do not run in step: the store answers later. What each call to it promises is in
 * `storage/records.ts`.
 *
 * | stage      | state of the record                            | what becomes of the message                            |
 * | ---------- | ---------------------------------------------- | ------------------------------------------------------ |
 * | `arriving` | none yet, or `sending`                         | lost as any message is; or as `sending`                |
 * | `kept`     | `sending`, or `unsent` once its node is closed | as `sending`; or an error: nothing was sent            |
 * | `sending`  | `sending`, also while it waits for its turn    | an error: nobody knows whether it is on the phone      |
 * | `waiting`  | `waiting` once that is written; before, as was | it goes on waiting; or as `sending`                    |
 * | `decided`  | as was, until the store has taken the claim:   | as was; what was answered, its status decides again    |
 * |            | `passing`, or none where it was withdrawn      | as `claimed`; or nothing                               |
 * | `claimed`  | `passing`                                      | an error: nobody knows whether it left                 |
 * | `ended`    | `passing`, until the store has taken the end:  | it has left, and that error comes as well              |
 * |            | ended, or none                                 | nothing: it has left                                   |
 */
export const course = {
  arriving: { kept: 'kept', refused: 'ended' },
  kept: { sent: 'sending', joined: 'waiting', failed: 'decided', withdrawn: 'decided', takenOver: 'ended' },
  sending: { taken: 'waiting', failed: 'decided', withdrawn: 'decided', takenOver: 'ended' },
  waiting: { answered: 'decided', failed: 'decided', withdrawn: 'decided', takenOver: 'ended' },
  decided: { claimed: 'claimed', takenOver: 'ended', finished: 'ended' },
  claimed: { handedOn: 'ended' },
  ended: {},
} as const satisfies Record<Stage, Partial<Record<string, Stage>>>;

/** Whether a message has not come to where its answer is waited for. */
export function isOnItsWay(stage: Stage): boolean {
  return stage === 'arriving' || stage === 'kept' || stage === 'sending';
}
