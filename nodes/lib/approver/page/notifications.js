import { call } from './api.js';
import { fromBase64url, toBase64url } from './base64url.js';
import { byId, partsOf, put, show } from './dom.js';
import { attempt, tell } from './news.js';
import { Problem } from './problems.js';
import { text } from './texts.js';

/** Whether this browser can show notifications at this address. */
const isSupported = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

/** On iPhones and iPads, only pages on the home screen can. */
const needsHomeScreen = !isSupported && navigator.standalone === false;

/** Turns notifications on and off, in each place of the page that has `data-place="notifications"`. */
export class Notifications {
  /** @param changed - is called when the server has been told something */
  constructor(changed) {
    this.changed = changed;
    this.latest = 0;
    this.places = [...document.querySelectorAll('[data-place=notifications]')].map((place) => {
      place.append(byId('notifications-template').content.cloneNode(true));
      const parts = partsOf(place);
      parts.toggle.addEventListener('click', () => {
        void attempt(parts.problem, [parts.toggle], () => (this.isOn ? this.turnOff() : this.turnOn())).then(
          () => this.show(),
        );
      });
      return parts;
    });
  }

  /** @param push - what the server knows of this phone's notifications @param requests - those that are open */
  async render({ push, requests }) {
    this.latest += 1;
    const turn = this.latest;
    this.key = push.key;
    const registration = await registered();
    await closeOthers(registration, requests);
    const subscription = await registration?.pushManager.getSubscription();
    if (turn !== this.latest) return;
    this.isOn = push.isOn && hasKey(subscription, push.key);
    this.show();
    // Turning off ends the subscription here. So if there is one, it got lost at the server, or the server has a new key.
    if (subscription && !this.isOn && push.key !== null && !this.isRepaired) {
      this.isRepaired = true;
      await this.turnOn().catch(() => undefined);
      this.show();
    }
  }

  show() {
    const isPossible = isSupported && this.key !== null && Notification.permission !== 'denied';
    for (const { hint, toggle } of this.places) {
      put(hint, text(`notifications.${this.hint}`));
      show(toggle, isPossible);
      put(toggle, text(this.isOn ? 'notifications.turnOff' : 'notifications.turnOn'));
      toggle.classList.toggle('primary', !this.isOn);
    }
  }

  get hint() {
    if (needsHomeScreen) return 'homeScreen';
    if (this.key === null) return 'none';
    if (!isSupported) return 'unsupported';
    if (Notification.permission === 'denied') return 'blocked';
    return this.isOn ? 'isOnHint' : 'isOffHint';
  }

  async turnOn() {
    if ((await Notification.requestPermission()) !== 'granted') return;
    let subscription;
    try {
      await navigator.serviceWorker.register('sw.js');
      const { pushManager } = await navigator.serviceWorker.ready;
      const old = await pushManager.getSubscription();
      if (old !== null && !hasKey(old, this.key)) await old.unsubscribe();
      const applicationServerKey = fromBase64url(this.key);
      subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    } catch {
      throw new Problem('noPush');
    }
    await this.tellServer(subscription);
    tell(text('notifications.isOn'));
  }

  async turnOff() {
    await unsubscribe();
    await this.tellServer(null);
    tell(text('notifications.isOff'));
  }

  async tellServer(subscription) {
    await call('push', { subscription });
    this.isOn = subscription !== null;
    // What the server said before is out of date.
    await this.changed();
  }
}

/** Ends the subscription of this browser. */
export async function unsubscribe() {
  const registration = await registered();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

/** The service worker's registration; undefined if there is none, or the browser allows none. */
function registered() {
  return isSupported ? navigator.serviceWorker.getRegistration().catch(() => undefined) : undefined;
}

/** Takes the notifications away of requests that are over. */
async function closeOthers(registration, requests) {
  const open = new Set(requests.map(({ id }) => id));
  for (const notification of (await registration?.getNotifications()) ?? []) {
    const { id } = notification.data ?? {};
    if (id !== undefined && !open.has(id)) notification.close();
  }
}

/** Whether there is a subscription to the server's key of now. */
function hasKey(subscription, key) {
  const bytes = subscription?.options.applicationServerKey;
  return bytes != null && toBase64url(bytes) === key;
}
