import { Approvals } from './approvals';
import { Messages } from './messages';
import { QrCodes } from './qr-codes';
import { SeenRequests } from './requests';
import { Statistics } from './statistics';
import { Users } from './users';
import { Verifications } from './verifications';

/** The simulator's whole state, in memory only. */
export class State {
  readonly users: Users;
  readonly messages: Messages;
  readonly approvals: Approvals;
  readonly verifications: Verifications;
  readonly statistics: Statistics;
  readonly requests = new SeenRequests();
  readonly qrCodes = new QrCodes();

  /** @param now - the clock, in milliseconds since 1970 */
  constructor(readonly now: () => number) {
    this.users = new Users(now);
    this.messages = new Messages(now);
    this.approvals = new Approvals(now);
    this.verifications = new Verifications(now);
    this.statistics = new Statistics(now);
  }

  /** Forgets everything. */
  clear(): void {
    const { users, messages, approvals, verifications, statistics, requests, qrCodes } = this;
    for (const part of [users, messages, approvals, verifications, statistics, requests, qrCodes])
      part.clear();
  }
}
