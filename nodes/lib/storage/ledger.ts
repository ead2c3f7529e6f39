import type { Decision } from '../contract/service';

/**
 * Which approval requests an account has sent, and which answers their callbacks brought. What it is told it knows at
 * least until the request has ended, and a week longer; where it has no room for more it refuses.
 */
export interface Ledger {
  /**
   * Notes that a request was sent to a user.
   *
   * @param seconds - how long it can be answered; 0 is for ever
   * @throws AuthyError - `AUTHY_STORE`
   */
  asked(approvalId: string, authyId: string, seconds: number): Promise<void>;
  /** Whether this account sent the request, to this user. */
  wasAsked(approvalId: string, authyId: string): Promise<boolean>;
  /** Notes an answer: `duplicate` where the same came before, `conflict` where another did. */
  decided(approvalId: string, decision: Decision): Promise<'first' | 'duplicate' | 'conflict'>;
}
