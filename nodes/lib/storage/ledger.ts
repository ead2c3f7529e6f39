import type { Decision } from '../contract/service';

/**
 * Which approval requests an account has sent, and which answers their callbacks brought. It remembers everything at least
 * until the request has ended, and a week longer; without room for more it refuses.
 */
export interface Ledger {
  /**
   * Records that a request was sent to a user.
   *
   * @param seconds - how long it can be answered; 0 is for ever
   * @throws AuthyError - `AUTHY_STORE`
   */
  asked(approvalId: string, recipient: string, seconds: number): Promise<void>;
  /** The user whom this account sent a request to; undefined if it is not known to have sent it. */
  recipientOf(approvalId: string): Promise<string | undefined>;
  /** Records an answer: `duplicate` if the same came before, `conflict` if another did. */
  decided(approvalId: string, decision: Decision): Promise<'first' | 'duplicate' | 'conflict'>;
}
