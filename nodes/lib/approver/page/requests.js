import { byId, partsOf, put, show } from './dom.js';
import { tell } from './news.js';
import { RequestCard } from './request-card.js';
import { counted, text } from './texts.js';

/** How long a tap is not trusted after something has moved: nobody reads and taps in that time. In milliseconds. */
const settling = 500;

/** How long it is shown how a request ended. In milliseconds. */
const shownAfterwards = 3000;

/** How long no finger and no key must have done anything before a card goes. In milliseconds. */
const quiet = 1000;

/**
 * The open requests, the oldest first. So what arrives comes below everything else and moves no button. A card that has
 * ended stays as high as it was, and goes while nobody does anything; a tap right after that is not taken.
 */
export class Requests {
  /**
   * @param tried - is called when something was tried with a request, which may be over since
   * @param counted - is called with how many are open
   */
  constructor(tried, counted) {
    this.tried = tried;
    this.counted = counted;
    this.cards = new Map();
    this.unseen = new Set();
    this.movedAt = -Infinity;
    this.touchedAt = -Infinity;
    this.section = byId('requests');
    this.parts = partsOf(this.section);
    this.pill = byId('new-below');
    this.pill.addEventListener('click', () => this.goTo([...this.unseen][0]));
    const seen = (entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting) this.saw(target.dataset.id);
    };
    // Not below the tabs.
    this.observer = new IntersectionObserver(seen, { rootMargin: '0px 0px -96px 0px' });
    const touched = () => {
      this.touchedAt = performance.now();
    };
    for (const event of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel', 'scroll', 'keydown']) {
      addEventListener(event, touched, { capture: true, passive: true });
    }
    addEventListener('pointerdown', () => (this.isHeld = true), true);
    for (const event of ['pointerup', 'pointercancel']) {
      addEventListener(event, () => (this.isHeld = false), true);
    }
    addEventListener('resize', () => this.moved());
    setInterval(() => this.tick(), 250);
  }

  /** @param state - of a phone that is signed in */
  render({ requests, history, phone, grade, now }) {
    const isFirst = this.receivedAt === undefined;
    this.receivedAt = performance.now();
    this.now = now;
    show(this.parts.gradeCode, grade === 'code');
    const open = new Map(requests.map((request) => [request.id, request]));
    for (const [id, card] of this.cards) {
      const request = open.get(id);
      if (request !== undefined) card.compare(request);
      else if (card.isOpen && !card.isAnswering) this.endElsewhere(card, history, phone);
    }
    // They come newest first, and those of the same millisecond keep their order.
    const fresh = requests.filter(({ id }) => !this.cards.has(id)).reverse();
    fresh.sort((one, other) => one.createdAt - other.createdAt);
    for (const request of fresh) this.add(request, phone.grade, isFirst);
    this.tick();
  }

  /** Forgets everything: the phone is signed out. */
  clear() {
    for (const id of [...this.cards.keys()]) this.remove(id);
    this.receivedAt = undefined;
  }

  add(request, grade, isFirst) {
    const card = new RequestCard(
      request,
      grade,
      () => this.isSettled(),
      () => {
        this.moved();
        this.count();
        this.tried();
      },
    );
    const { element } = card;
    element.dataset.id = request.id;
    this.cards.set(request.id, card);
    this.parts.list.append(element);
    if (isFirst) return;
    element.classList.add('fresh');
    this.unseen.add(request.id);
    this.observer.observe(element);
    tell(text('news.request', { message: request.message }));
  }

  /** A request that is no longer open, and was not answered by this page. */
  endElsewhere(card, history, phone) {
    const end = history.find(({ id }) => id === card.request.id);
    const other = end?.phone === phone.name ? undefined : (end?.phone ?? undefined);
    card.end(end?.outcome ?? 'withdrawn', other);
  }

  remove(id) {
    const { element } = this.cards.get(id);
    const hadFocus = element.contains(document.activeElement);
    this.saw(id);
    this.cards.delete(id);
    element.remove();
    this.moved();
    if (hadFocus)
      ([...this.cards.values()][0]?.parts.message ?? byId('requests-heading')).focus({ preventScroll: true });
  }

  saw(id) {
    this.observer.unobserve(this.cards.get(id).element);
    this.unseen.delete(id);
    this.count();
  }

  moved() {
    this.movedAt = performance.now();
  }

  isSettled() {
    return performance.now() - this.movedAt > settling;
  }

  get openCount() {
    return [...this.cards.values()].filter(({ isOpen }) => isOpen).length;
  }

  /** Brings a request to the front. @returns whether it is there */
  goTo(id) {
    const card = this.cards.get(id);
    if (card === undefined) return false;
    card.element.scrollIntoView({ block: 'start' });
    card.parts.message.focus({ preventScroll: true });
    this.moved();
    return true;
  }

  count() {
    const count = this.openCount;
    show(byId('open-count'), count > 0);
    put(byId('open-count'), String(count));
    show(this.parts.empty, this.cards.size === 0);
    show(this.pill, this.unseen.size > 0 && !this.section.hidden);
    if (this.unseen.size > 0) put(this.pill, counted('requests.newBelow', this.unseen.size));
    const account = byId('account').textContent;
    const title = count === 0 ? account : text('titleWaiting', { count, title: account });
    if (document.title !== title) document.title = title;
    this.counted(count);
  }

  tick() {
    if (this.receivedAt === undefined || document.hidden) return;
    const time = performance.now();
    for (const card of this.cards.values()) card.tick(this.now + time - this.receivedAt);
    if (!this.isHeld && time - this.touchedAt > quiet) {
      for (const [id, { endedAt }] of this.cards) if (time - endedAt > shownAfterwards) this.remove(id);
    }
    this.count();
  }
}
