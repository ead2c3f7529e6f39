import http from 'node:http';
import type { BrowserContext, Page, Worker } from 'playwright-core';
import should from 'should';
import { ownGate } from '../support/approval_gate';
import { ApproverPage } from '../support/approver_page';
import { ChromiumPush } from '../support/chromium_push';
import { startBrowserWithProfile } from '../support/editor';
import type { Flow } from '../support/flow';
import { LocalAccount } from '../support/local_account';
import { eventually, freePort } from '../support/node_red';

/** An address that stays, while flows are started behind it. */
class Front {
  /** Where the http in nodes are now. */
  target = '';
  private readonly server = http.createServer((request, response) => {
    const { method, headers, url = '' } = request;
    const forwarded = http.request(new URL(url, this.target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    request.pipe(forwarded);
  });

  listen(port: number): void {
    this.server.listen(port, '127.0.0.1');
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** A tap on the notification: it comes from the system, which no test can reach, and alone lets a window be opened. */
const tap = `(async () => {
  const [notification] = await registration.getNotifications();
  clients.openWindow = async (url) => void (globalThis.opened = String(url));
  dispatchEvent(new NotificationEvent('notificationclick', { notification }));
})()`;

describe('A phone that is told by Web Push', function () {
  this.timeout(60_000);
  const front = new Front();
  let push: ChromiumPush | undefined;
  let browser: BrowserContext | undefined;
  let local: LocalAccount;
  let flow: Flow;
  let phone: ApproverPage;
  let authyId: string;

  before(async function () {
    push = await ChromiumPush.start();
    browser = await startBrowserWithProfile(this, push.args);
    const origin = `http://localhost:${await freePort()}`;
    front.listen(Number(new URL(origin).port));
    await browser.grantPermissions(['notifications'], { origin });
    local = new LocalAccount();
    Object.assign(local.account, { approverUrl: `${origin}/approve` });
    const [user] = await local.ask('userCreate', {
      email: 'ada@example.com',
      phoneNumber: '+13175550142',
      countryCode: '1',
    });
    authyId = String(user['authyId']);
    // Nothing but the phone can be told.
    flow = await local.startNode(ownGate(), 3, [local.account]);
    front.target = flow.url;
    const { approver } = flow.account('account');
    if (approver === undefined) throw new Error('The account has no approver.');
    approver.pushing.reach = push.reach;
    phone = await ApproverPage.in(browser);
    await phone.enrol((await approver.invite(authyId)).url, 'Ada’s phone');
  });

  after(async () => {
    await browser?.close();
    front.close();
    await (local as LocalAccount | undefined)?.stop();
    await push?.stop();
  });

  async function worker(): Promise<Worker> {
    return eventually('the service worker', () => browser?.serviceWorkers()[0]);
  }

  /** What the browser shows, once there is something. */
  const notifications = (page: Page): Promise<{ title: string; body: string; tag: string }[]> =>
    (push as ChromiumPush).shown('a notification', async () => {
      const all = await page.evaluate(async () => {
        const [registration] = await navigator.serviceWorker.getRegistrations();
        const shown = (await registration?.getNotifications()) ?? [];
        return shown.map(({ title, body, tag }) => ({ title, body, tag }));
      });
      return all.length > 0 ? all : undefined;
    });

  it('is told of a request while the page is closed; a tap on the notification opens it', async () => {
    const { page } = phone;
    await page.getByRole('link', { name: 'This phone' }).click();
    await page.locator('#phone').getByRole('button', { name: 'Turn on notifications' }).click();
    await page.locator('#phone').getByRole('button', { name: 'Turn off notifications' }).waitFor();
    await page.goto(new URL('/elsewhere', page.url()).href);
    const given = flow.give({ authyId });
    const { requests = [] } = await eventually('the request', async () => {
      const person = await flow.account('account').people().find(authyId);
      return person?.requests === undefined ? undefined : person;
    });
    const [shown] = await notifications(page);
    should(shown).match({ title: /Front door/, body: 'Open the garage?', tag: requests[0]?.id });
    await (await worker()).evaluate(tap);
    const url = await eventually('a window to be opened', async () =>
      (await worker()).evaluate<string | undefined>('globalThis.opened'),
    );
    should(url).endWith(`/approve/#r=${requests[0]?.id}`);
    await page.goto(url);
    await phone.approve('Open the garage?');
    const { sent } = await flow.ending(given);
    should(sent[0]?.message.payload).match({ decision: 'approved', device: { name: 'Ada’s phone' } });
  });

  it('nobody is told any more once the browser has ended its subscription: the message fails', async () => {
    const { page } = phone;
    await page.goto(new URL('/elsewhere', page.url()).href);
    await page.evaluate(async () => {
      const [registration] = await navigator.serviceWorker.getRegistrations();
      await (await registration?.pushManager.getSubscription())?.unsubscribe();
    });
    // Until then nobody takes the page for closed.
    await page.waitForTimeout(4000);
    const failed = await eventually('a push to be refused', async () => {
      const { caught, sent } = await flow.deliver({ authyId, cancel: undefined });
      return sent.length === 0 && caught.length > 0 ? caught[0]?.error : undefined;
    });
    should(failed).match({ code: 'AUTHY_NOT_SENT', message: /Add a notifications node/ });
    const person = await flow.account('account').people().find(authyId);
    should(person?.phones?.map(({ push: one }) => one)).eql([undefined]);
  });
});
