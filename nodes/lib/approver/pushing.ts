import { canPush, pageAddress } from './address';
import type { ApproverHost } from './host';
import type { Reach } from './push/send';
import type { Vapid } from './push/vapid';
import type { Push } from './telling';

/** How long a push service keeps a message that has no end of its own, in seconds: a day. */
const usualLifetime = 86_400;

/** Where nobody can be reached by an address: some push services want one all the same. Source: RFC 8292, 2.1 */
const nobody = 'mailto:nobody@example.invalid';

/** Web Push of an account. What it needs is loaded with the first subscription. */
export class Pushing {
  /** How push services are reached: those of tests are on this machine. No setting leads here. */
  reach: Reach | undefined;
  private known: Promise<Vapid> | undefined;

  constructor(private readonly host: ApproverHost) {}

  /** The public key that browsers subscribe with, in base64url; null if there can be no subscriptions. */
  async key(): Promise<string | null> {
    if (!canPush(this.host.settings)) return null;
    try {
      return (await this.vapid()).publicKey;
    } catch (error) {
      // Without it the page still works.
      this.host.log(`There is no Web Push. ${(error as Error).message}`);
      return null;
    }
  }

  readonly send: Push = async (subscription, payload) => {
    const { expiresAt, id } = payload;
    try {
      const { sendPush } = await import('./push/send.js');
      const { url, isHttps } = pageAddress(this.host);
      const left = expiresAt === undefined ? usualLifetime : (expiresAt - this.host.now()) / 1000;
      const result = await sendPush(
        subscription,
        { payload, ttl: Math.min(usualLifetime, left), topic: id },
        {
          vapid: await this.vapid(),
          subject: isHttps ? url : nobody,
          ...(this.reach === undefined ? {} : { reach: this.reach }),
        },
      );
      if (result.outcome !== 'delivered') this.host.log(result.reason);
      return result.outcome;
    } catch (error) {
      this.host.log(`A phone could not be told by Web Push. ${(error as Error).message}`);
      return 'failed';
    }
  };

  /** Derived from the key of the people: nothing has to be kept, and all instances have the same one. */
  private vapid(): Promise<Vapid> {
    this.known ??= this.derived();
    this.known.catch(() => (this.known = undefined));
    return this.known;
  }

  private async derived(): Promise<Vapid> {
    const [{ Vapid }, key] = await Promise.all([
      import('./push/vapid.js'),
      this.host.people().keyFor('Web Push'),
    ]);
    return new Vapid(key);
  }
}
