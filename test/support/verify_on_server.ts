import type { People } from '../../nodes/lib/contract/people';
import { filePeople } from '../../nodes/lib/people/file-people';
import { VerifyClient } from '../../nodes/lib/services/verify/client';
import { VerifyService } from '../../nodes/lib/services/verify/service';
import { StartedVerifications } from '../../nodes/lib/services/verify/started-verifications';
import { WrongTries } from '../../nodes/lib/services/verify/wrong-tries';
import { temporaryDirectory } from './node_red';
import { ScriptedServer } from './scripted_server';

const hex = (digit: string): string => digit.repeat(32);

/** What the account sends. */
export const credentials = { user: `SK${hex('5')}`, secret: 'a-secret-of-the-tests' };
export const serviceSid = `VA${hex('1')}`;

/** The service of an account on Twilio Verify, whose Twilio answers as it is told. */
export class VerifyOnServer {
  readonly server = new ScriptedServer();
  readonly people: People = filePeople(
    { root: temporaryDirectory(), accountId: 'account' },
    { credentialSecret: 'a secret of the tests', tell: () => undefined },
  );
  /** Who was asked, by the id of the request. */
  readonly asked = new Map<string, string>();
  private opened: VerifyService | undefined;

  async start(): Promise<this> {
    await this.server.start();
    const client = (): VerifyClient =>
      new VerifyClient({ ...credentials, baseUrl: this.server.url, deadline: 5000, maxInFlight: 10 });
    const context = { verify: client(), lookups: client(), people: this.people, serviceSid, lookup: true };
    this.opened = new VerifyService(
      {
        ...context,
        recipientOf: (approvalId) => Promise.resolve(this.asked.get(approvalId)),
        hasOwnApp: true,
        approvals: () => {
          throw new Error('Nobody is asked here.');
        },
        now: Date.now,
        steady: () => performance.now(),
        started: new StartedVerifications(),
        wrongTries: new WrongTries(),
      },
      5000,
    );
    return this;
  }

  get service(): VerifyService {
    if (this.opened === undefined) throw new Error('It was not started.');
    return this.opened;
  }

  async stop(): Promise<void> {
    this.opened?.close();
    await this.people.close();
    await this.server.stop();
  }
}
