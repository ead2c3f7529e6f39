import type { BrowserContext, Page } from 'playwright-core';
import should from 'should';
import { sendPush } from '../../nodes/lib/approver/push/send';
import { readSubscription } from '../../nodes/lib/approver/push/subscription';
import { Vapid } from '../../nodes/lib/approver/push/vapid';
import { ApproverStandIn } from '../support/approver_stand_in';
import { ChromiumPush } from '../support/chromium_push';
import { startBrowserWithProfile } from '../support/editor';
import { eventually } from '../support/node_red';

describe('notifications of the page for approvals', function () {
  this.timeout(60_000);

  const vapid = new Vapid(Buffer.alloc(32, 5));
  const standIn = new ApproverStandIn();
  let push: ChromiumPush | undefined;
  let browser: BrowserContext | undefined;
  let page: Page;

  before(async function () {
    push = await ChromiumPush.start();
    browser = await startBrowserWithProfile(this, push.args);
    await standIn.start();
    standIn.phone = 'My phone';
    standIn.pushKey = vapid.publicKey;
    await browser.grantPermissions(['notifications'], { origin: standIn.origin });
    // Compiled functions call this when they run in the page.
    await browser.addInitScript({ content: 'globalThis.__name = (value) => value;' });
    page = await browser.newPage();
    await page.goto(`${standIn.url}#phone`);
  });

  after(async () => {
    await browser?.close();
    await push?.stop();
    if (browser !== undefined) await standIn.stop();
  });

  const toggle = (name: string): Promise<void> =>
    page.getByRole('button', { name: `${name} notifications` }).click();

  /** The address of the browser's subscription; undefined if there is none. */
  const endpoint = (): Promise<string | undefined> =>
    page.evaluate(async () => {
      const { pushManager } = await navigator.serviceWorker.ready;
      return (await pushManager.getSubscription())?.endpoint;
    });

  /** Waits until the server has a subscription, another one than before. */
  const subscribed = (before?: string): Promise<string> =>
    eventually('the subscription', () => {
      if (standIn.subscription === null) return undefined;
      const { endpoint } = readSubscription(standIn.subscription);
      return endpoint === before ? undefined : endpoint;
    });

  it('are turned on by one tap, and show what is pushed', async () => {
    const hint = (text: string): Promise<void> =>
      page.locator('#phone [data-part=hint]').getByText(text).waitFor();
    await hint('Turn them on to be told of new requests');
    await toggle('Turn on');
    await page.getByRole('button', { name: 'Turn off notifications' }).waitFor();
    await hint('You are told of new requests');
    should(await endpoint()).equal(await subscribed());
    const payload = { title: 'Front door', body: 'Open the garage door?', id: 'r1' };
    const sender = { vapid, subject: 'https://home.example/approve/', reach: (push as ChromiumPush).reach };
    const result = await sendPush(readSubscription(standIn.subscription), { payload, ttl: 60 }, sender);
    result.should.eql({ outcome: 'delivered' });
    const shown = await (push as ChromiumPush).shown('the notification', () =>
      page.evaluate(async () => {
        const registration = await navigator.serviceWorker.ready;
        const [notification] = await registration.getNotifications({ tag: 'r1' });
        if (notification === undefined) return undefined;
        const { title, body, requireInteraction } = notification;
        return { title, body, data: notification.data as unknown, requireInteraction };
      }),
    );
    const { title, body, id } = payload;
    shown.should.eql({ title, body, data: { id }, requireInteraction: true });
  });

  it('are told to the server once more, if it has lost them', async () => {
    standIn.subscription = null;
    await page.reload();
    should(await endpoint()).equal(await subscribed());
    await page.getByRole('button', { name: 'Turn off notifications' }).waitFor();
  });

  it('are made anew for a new key of the server', async () => {
    const before = await endpoint();
    standIn.pushKey = new Vapid(Buffer.alloc(32, 6)).publicKey;
    await page.reload();
    should(await subscribed(before)).equal(await endpoint());
  });

  it('are told to the server by the service worker, if the browser has replaced them', async () => {
    standIn.subscription = null;
    const worker = (browser as BrowserContext).serviceWorkers()[0];
    await worker?.evaluate(`registration.pushManager.getSubscription().then((oldSubscription) => {
      dispatchEvent(Object.assign(new Event('pushsubscriptionchange'), { oldSubscription, waitUntil() {} }));
    })`);
    should(await subscribed()).equal(await endpoint());
  });

  it('are turned off', async () => {
    await toggle('Turn off');
    await page.getByRole('button', { name: 'Turn on notifications' }).waitFor();
    should(standIn.subscription).be.null();
    should(await endpoint()).be.undefined();
  });

  it('end when the phone signs out', async () => {
    await toggle('Turn on');
    await subscribed();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to approve' }).waitFor();
    should(await endpoint()).be.undefined();
  });
});
