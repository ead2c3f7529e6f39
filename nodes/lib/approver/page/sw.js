/** Shows notifications of requests while the page is closed. It holds no data and answers no requests of the page. */

addEventListener('push', (event) => {
  const { title, body, id } = contentOf(event.data);
  event.waitUntil(
    registration.showNotification(title, {
      body,
      // A request has one notification, however often it is told of.
      tag: id ?? '',
      renotify: id !== undefined,
      requireInteraction: true,
      icon: 'icon-192.png',
      badge: 'badge-96.png',
      data: { id },
    }),
  );
});

addEventListener('notificationclick', (event) => {
  const { id } = event.notification.data;
  event.notification.close();
  event.waitUntil(bring(id));
});

/** The browser has replaced the subscription: the server has to know the new one. */
addEventListener('pushsubscriptionchange', (event) => event.waitUntil(resubscribe(event)));

/** Browsers insist on a notification for each push, so that one without its content has at least the page's name. */
function contentOf(data) {
  try {
    return data.json();
  } catch {
    return { title: location.host };
  }
}

/** The windows that show the page. */
async function pages() {
  const all = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  return all.filter(({ url }) => url.startsWith(registration.scope));
}

/** Brings a request to the front: in a window that is open already, otherwise in a new one. */
async function bring(id) {
  const [page] = await pages();
  if (page === undefined) {
    await clients.openWindow(new URL(id === undefined ? './' : `./#r=${id}`, registration.scope));
    return;
  }
  page.postMessage({ id });
  await page.focus();
}

async function resubscribe({ oldSubscription, newSubscription }) {
  const subscription =
    newSubscription ??
    (await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: oldSubscription.options.applicationServerKey,
    }));
  await fetch('api/push', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ subscription }),
  });
  for (const page of await pages()) page.postMessage({});
}
