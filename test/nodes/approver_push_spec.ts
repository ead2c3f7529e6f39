import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserContext, Page } from 'playwright-core';
import should from 'should';
import { type PushMessage, type PushResult, sendPush } from '../../nodes/lib/approver/push/send';
import { readSubscription } from '../../nodes/lib/approver/push/subscription';
import { Vapid } from '../../nodes/lib/approver/push/vapid';
import type { PushSubscription } from '../../nodes/lib/contract/people';
import { ChromiumPush } from '../support/chromium_push';
import { startBrowserWithProfile } from '../support/editor';
import { eventually } from '../support/node_red';

/** A service worker that shows what it is sent. */
const worker = `
addEventListener('push', (event) => {
  const { title, body, id } = event.data.json();
  event.waitUntil(registration.showNotification(title, { body, tag: id, data: { id } }));
});`;

describe('Web Push to a browser', function () {
  this.timeout(60_000);

  const vapid = new Vapid(Buffer.alloc(32, 3));
  const site = http.createServer(({ url }, response) => {
    response.setHeader('Content-Type', url === '/sw.js' ? 'text/javascript' : 'text/html');
    response.end(url === '/sw.js' ? worker : '<!doctype html><title>Approvals</title>');
  });
  let push: ChromiumPush | undefined;
  let browser: BrowserContext | undefined;
  let page: Page;
  let subscription: PushSubscription;

  before(async function () {
    push = await ChromiumPush.start();
    browser = await startBrowserWithProfile(this, push.args);
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    const origin = `http://localhost:${(site.address() as AddressInfo).port}`;
    await browser.grantPermissions(['notifications'], { origin });
    page = await browser.newPage();
    await page.goto(origin);
    subscription = await subscribe();
  });

  after(async () => {
    await browser?.close();
    site.close();
    site.closeAllConnections();
    await push?.stop();
  });

  /** As the page does it. */
  async function subscribe(): Promise<PushSubscription> {
    const json = await page.evaluate(async (key) => {
      await navigator.serviceWorker.register('/sw.js');
      const { pushManager } = await navigator.serviceWorker.ready;
      return (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })).toJSON();
    }, vapid.publicKey);
    return readSubscription(json);
  }

  const send = (payload: object, from = vapid, more: Partial<PushMessage> = {}): Promise<PushResult> =>
    sendPush(
      subscription,
      { payload, ttl: 60, ...more },
      { vapid: from, subject: 'https://home.example/approve/', reach: (push as ChromiumPush).reach },
    );

  /** The notifications that the browser shows, once there is this one. */
  const shown = (tag: string): Promise<{ title: string; body: string; tag: string }[]> =>
    (push as ChromiumPush).shown(`the notification ${tag}`, async () => {
      const all = await page.evaluate(async () => {
        const notifications = await (await navigator.serviceWorker.ready).getNotifications();
        return notifications.map(({ title, body, tag }) => ({ title, body, tag }));
      });
      return all.some((one) => one.tag === tag) ? all : undefined;
    });

  it('reaches the service worker, which reads what was encrypted for it', async () => {
    const payload = { title: 'Front door', body: 'Ünlock? 🔓', id: 'first', expiresAt: 1790000000000 };
    (await send(payload, vapid, { topic: 'first' })).should.eql({ outcome: 'delivered' });
    const { title, body, id: tag } = payload;
    should(await shown('first')).eql([{ title, body, tag }]);
    // The push service saw none of it.
    const seen = JSON.stringify(push?.service.received.map((one) => ({ ...one, body: one.body.toString() })));
    for (const text of [title, body, 'first']) seen.should.not.containEql(text);
  });

  it('takes short and long messages', async () => {
    for (const [id, length] of [
      ['short', 0],
      ['long', 1800],
      ['longest', 3900],
    ] as const) {
      (await send({ title: 't', body: 'x'.repeat(length), id })).should.eql({ outcome: 'delivered' });
      const all = await shown(id);
      should(all.find(({ tag }) => tag === id)?.body).have.length(length);
    }
  });

  it('is refused with another key than the one that the browser has subscribed to', async () => {
    const result = await send({ title: 'Forged', id: 'forged' }, new Vapid(Buffer.alloc(32, 4)));
    result.should.match({ outcome: 'failed', reason: /does not accept who sends \(HTTP 403\)/ });
  });

  it('is gone when the browser has ended its subscription', async () => {
    await page.evaluate(async () => {
      const { pushManager } = await navigator.serviceWorker.ready;
      await (await pushManager.getSubscription())?.unsubscribe();
    });
    // The browser tells its push service a moment later.
    const result = await eventually('the end of the subscription', async () => {
      const one = await send({ title: 'Late', id: 'late' });
      return one.outcome === 'delivered' ? undefined : one;
    });
    result.should.match({ outcome: 'gone', reason: /no longer knows it \(HTTP 410\)/ });
    const ended = subscription;
    subscription = await subscribe();
    subscription.endpoint.should.not.equal(ended.endpoint);
    (await send({ title: 'Again', body: '', id: 'again' })).should.eql({ outcome: 'delivered' });
    await shown('again');
  });
});
