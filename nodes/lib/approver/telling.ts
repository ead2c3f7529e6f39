import { AuthyError } from '../contract/errors';
import type { Notification } from '../contract/notification';
import type { ApprovalRequest, Person, Phone, PushSubscription } from '../contract/people';
import { canPush, type PageAddress } from './address';
import type { ApproverHost } from './host';
import { hasPage, tellPages } from './live';
import { approvalMessage } from './messages';

/** What a phone is told by Web Push: nothing that has to be kept from whoever sees its screen. */
export interface PushPayload {
  readonly title: string;
  readonly body: string;
  /** Of the request; absent for a warning. */
  readonly id?: string;
  /** In milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** What became of a push: `gone` if the browser has ended the subscription. */
export type Pushed = 'delivered' | 'gone' | 'failed';

/** Sends one push. Never rejects. */
export type Push = (subscription: PushSubscription, payload: PushPayload) => Promise<Pushed>;

/** The ways in which a person would learn of a request. */
interface Ways {
  readonly phones: readonly Phone[];
  readonly isHeard: boolean;
  readonly isOpen: boolean;
}

/** Tells people: by their open pages, by Web Push, and by the flow. */
export class Telling {
  constructor(
    private readonly host: ApproverHost,
    private readonly push: Push,
  ) {}

  /** @throws AuthyError - `AUTHY_NOT_SENT` if a person would not learn of a request */
  async assertReachable(person: Person, page: PageAddress, signal: AbortSignal | undefined): Promise<void> {
    const { phones, isHeard, isOpen } = this.waysTo(person);
    if (phones.length > 0 || isHeard || isOpen) return;
    try {
      // While flows are deployed, its nodes are not there yet.
      await this.host.notifier(signal);
    } catch (error) {
      if ((error as Partial<AuthyError>).code !== 'AUTHY_NOT_SENT') throw error;
      const push = canPush(this.host.settings) ? ' or turn on notifications there,' : '';
      throw new AuthyError(
        'AUTHY_NOT_SENT',
        `Have the user open ${page.url}/,${push} or add a notifications node for this account, wired to what sends your ` +
          'messages: at the moment they would not learn of a request.',
      );
    }
  }

  /**
   * Tells a person that something is waiting. Where Web Push is the only way, it waits for the result. If flows are being
   * deployed meanwhile, the flow is told once all of its nodes are there: nobody waits for that, not the node that asks and is
   * being stopped by this deploy either.
   *
   * @throws AuthyError - `AUTHY_NOT_SENT` if nobody was told
   */
  async ask(person: Person, request: ApprovalRequest, page: PageAddress): Promise<void> {
    const { phones, isHeard, isOpen } = this.waysTo(person);
    const message = approvalMessage(this.host, person, request, page);
    this.changed(person.authyId);
    const isDeploying = this.host.isDeploying();
    if (isDeploying) void this.tellLater(message);
    else if (isHeard) (await this.host.notifier())(message);
    const pushed = this.pushTo(person, phones, message, request.id);
    if (isDeploying || isHeard || isOpen) return;
    if (!(await pushed)) {
      throw new AuthyError(
        'AUTHY_NOT_SENT',
        'Add a notifications node for this account as a second way: no push service has taken the notification, see the log.',
      );
    }
  }

  /** Tells the flow that is being deployed. Never rejects. */
  private async tellLater(message: Notification): Promise<void> {
    try {
      (await this.host.notifier())(message);
    } catch (error) {
      this.host.log(`A request was sent while flows were deployed. ${(error as Error).message}`);
    }
  }

  /** Tells the phones of a person, all but one, and the flow, if it listens. It is no fault if nobody does. */
  async warn(person: Person, message: Notification, except?: Phone): Promise<void> {
    const others = this.waysTo(person).phones.filter(({ id }) => id !== except?.id);
    void this.pushTo(person, others, message);
    await this.byFlow(message);
  }

  /** Has the flow tell somebody something, if it listens. While flows are deployed, nobody waits for that. */
  async byFlow(message: Notification): Promise<void> {
    const isDeploying = this.host.isDeploying();
    if (!this.host.isHeard() && !isDeploying) return;
    const told = this.host
      .notifier()
      .then((notify) => notify(message))
      .catch(() => undefined);
    if (!isDeploying) await told;
  }

  /** What the pages of a person show is no longer what there is. */
  changed(authyId: string): void {
    tellPages(this.host.accountId, authyId);
  }

  private waysTo({ authyId, phones = [] }: Person): Ways {
    const { settings, accountId } = this.host;
    return {
      phones: canPush(settings) ? phones.filter(({ push }) => push !== undefined) : [],
      isHeard: this.host.isHeard(),
      isOpen: hasPage(accountId, authyId),
    };
  }

  /** @returns whether one of the phones was told */
  private async pushTo(
    { authyId }: Person,
    phones: readonly Phone[],
    { title, text, expiresAt }: Notification,
    id?: string,
  ): Promise<boolean> {
    const payload: PushPayload = {
      title,
      body: text,
      ...(id === undefined ? {} : { id }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    const all = phones.map(async ({ push }) => {
      if (push === undefined) return false;
      const pushed = await this.push(push, payload);
      if (pushed === 'gone') await this.forget(authyId, push);
      return pushed === 'delivered';
    });
    return (await Promise.all(all)).some(Boolean);
  }

  private async forget(authyId: string, { endpoint }: PushSubscription): Promise<void> {
    try {
      await this.host.people().change(authyId, (person) => ({
        ...person,
        phones: (person.phones ?? []).map(({ push, ...phone }) =>
          push === undefined || push.endpoint === endpoint ? phone : { ...phone, push },
        ),
      }));
    } catch (error) {
      this.host.log(`Could not forget a push subscription that has ended. ${(error as Error).message}`);
    }
  }
}
