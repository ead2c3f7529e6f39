import type { ApproverProblem } from '../contract/approver';

/** What a person's page asked for and does not get: no fault of this Node-RED. */
export class Refused extends Error {
  override readonly name = 'Refused';

  /** @param retryAfter - in seconds, for `tooMany` */
  constructor(
    readonly problem: ApproverProblem,
    readonly retryAfter?: number,
  ) {
    super(`The approver's page was refused what it asked for (${problem}).`);
  }
}
