import { AccessTokens } from './access-tokens';
import { Approvals } from './approvals';
import { Challenges } from './challenges';
import { Entities } from './entities';
import { Messages } from './messages';
import { SeenRequests } from './requests';
import { ServiceVerifications } from './service-verifications';
import { Statistics } from './statistics';
import { Users } from './users';
import { Verifications } from './verifications';
import { Webhooks } from './webhooks';

/** The simulator's whole state, in memory only. */
export class State {
  readonly users: Users;
  readonly messages: Messages;
  readonly approvals: Approvals;
  /** Authy's, of phone numbers. */
  readonly verifications: Verifications;
  /** Twilio Verify's. */
  readonly serviceVerifications: ServiceVerifications;
  /** Twilio Verify's people. */
  readonly entities: Entities;
  readonly challenges: Challenges;
  readonly webhooks: Webhooks;
  readonly accessTokens: AccessTokens;
  readonly statistics: Statistics;
  readonly requests = new SeenRequests();

  /** @param now - the clock, in milliseconds since 1970 */
  constructor(readonly now: () => number) {
    this.users = new Users(now);
    this.messages = new Messages(now);
    this.approvals = new Approvals(now);
    this.verifications = new Verifications(now);
    this.serviceVerifications = new ServiceVerifications(now);
    this.entities = new Entities(now);
    this.challenges = new Challenges(now);
    this.webhooks = new Webhooks(now);
    this.accessTokens = new AccessTokens(now);
    this.statistics = new Statistics(now);
  }

  /** Forgets everything. */
  clear(): void {
    for (const part of [
      this.users,
      this.messages,
      this.approvals,
      this.verifications,
      this.serviceVerifications,
      this.entities,
      this.challenges,
      this.webhooks,
      this.accessTokens,
      this.statistics,
      this.requests,
    ]) {
      part.clear();
    }
  }
}
