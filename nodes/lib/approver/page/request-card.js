import { call } from './api.js';
import { challengeOf } from './canonical.js';
import { confirmed } from './confirmation.js';
import { fromTemplate, put, putAsked, putDetails, setIcon, show } from './dom.js';
import { attempt, report, tell } from './news.js';
import { usePasskey } from './passkeys.js';
import { Problem } from './problems.js';
import { dateOf, digitsOf, durationOf, text } from './texts.js';

/** From here on a countdown is a date. In milliseconds. */
const day = 86_400_000;

/** From here on the countdown stands out. In milliseconds. */
const soon = 30_000;

/** The icon of each way in which a request ends. */
export const outcomeIcons = {
  approved: 'check',
  denied: 'cross',
  notMe: 'hand',
  expired: 'clock',
  withdrawn: 'clock',
};

/**
 * One request: it shows what was asked when the card was made, and answers that alone. What is shown never changes; if
 * the server's request does, this card no longer approves.
 */
export class RequestCard {
  /**
   * @param request - as the server gave it
   * @param grade - of this phone
   * @param mayTap - whether a tap is meant for what is under it now
   * @param changed - is called when the card has ended or has become higher
   */
  constructor(request, grade, mayTap, changed) {
    this.request = request;
    this.grade = grade;
    this.changed = changed;
    const { element, parts } = fromTemplate('request-template');
    Object.assign(this, { element, parts });
    parts.message.id = `r-${request.id}`;
    element.setAttribute('aria-labelledby', parts.message.id);
    putAsked(parts.asker, request.asker);
    putAsked(parts.message, request.message);
    putDetails(parts.rows, request.details);
    show(parts.details, request.details.length > 0);
    this.isApprovable = grade === 'passkey' || request.atLeast === 'code';
    show(parts.passkeyOnly, !this.isApprovable);
    show(parts.approve, this.isApprovable);
    this.buttons = [parts.approve, parts.deny, parts.notMe];
    for (const button of this.buttons) button.setAttribute('aria-describedby', parts.message.id);
    const whenMeant = (answer) => (event) => {
      event.preventDefault();
      // A click by keyboard has no place on the screen that another button could have come to.
      if (event.detail === 0 || mayTap()) void answer();
      else report(parts.problem, new Problem('moved'));
    };
    parts.approve.addEventListener(
      'click',
      whenMeant(() => this.approve()),
    );
    parts.deny.addEventListener(
      'click',
      whenMeant(() => this.deny(false)),
    );
    parts.notMe.addEventListener(
      'click',
      whenMeant(() => this.notMe()),
    );
    // The enter key in the field of the code.
    parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.approve();
    });
  }

  get isOpen() {
    return this.endedAt === undefined;
  }

  /** Compares with the server's request of now. */
  compare(request) {
    if (JSON.stringify(request) === JSON.stringify(this.request)) return;
    this.refuse();
    report(this.parts.problem, new Problem('changed'));
  }

  refuse() {
    this.isApprovable = false;
    show(this.parts.approve, false);
    show(this.parts.codeField, false);
  }

  /** @param now - the server's clock */
  tick(now) {
    if (!this.isOpen) return;
    const { createdAt, expiresAt } = this.request;
    const { parts } = this;
    if (expiresAt === null) {
      put(parts.countdown, text('requests.unlimited'));
      show(parts.left, false);
      return;
    }
    const left = expiresAt - now;
    if (left <= 0 && !this.isAnswering) {
      this.end('expired');
      return;
    }
    put(
      parts.countdown,
      left < day
        ? text('requests.left', { time: durationOf(left) })
        : text('requests.until', { time: dateOf(expiresAt) }),
    );
    parts.left.value = Math.min(1, Math.max(0, left / (expiresAt - createdAt)));
    this.element.classList.toggle('soon', left < soon);
  }

  async approve() {
    if (!this.isApprovable || !this.isOpen) return;
    const { parts } = this;
    if (this.grade === 'code' && parts.codeField.hidden) {
      show(parts.codeField, true);
      parts.code.focus();
      this.changed();
      return;
    }
    await this.answer('approved', async () => {
      const { id } = this.request;
      const proof =
        this.grade === 'code' ? { code: this.typedCode() } : { credential: await this.signature() };
      await call('approve', { id, ...proof });
    });
  }

  typedCode() {
    const code = digitsOf(this.parts.code.value);
    this.parts.code.value = '';
    this.parts.code.focus();
    if (code.length === 0) throw new Problem('noCode');
    return code;
  }

  /** Signs what is shown, and nothing else: the server may only ask for that. */
  async signature() {
    const { options } = await call('approve-options', { id: this.request.id });
    if (options.challenge !== (await challengeOf(this.shown()))) {
      this.refuse();
      throw new Problem('changed');
    }
    return usePasskey(options);
  }

  /** The request, with the words that are on the screen. */
  shown() {
    const { asker, message, rows } = this.parts;
    return {
      ...this.request,
      asker: asker.textContent,
      message: message.textContent,
      details: [...rows.rows].map(({ cells: [label, value] }) => [label.textContent, value.textContent]),
    };
  }

  async notMe() {
    const { message } = this.request;
    if (this.isOpen && (await confirmed('notMe', message))) await this.deny(true);
  }

  async deny(notMe) {
    if (!this.isOpen) return;
    await this.answer(notMe ? 'notMe' : 'denied', () => call('deny', { id: this.request.id, notMe }));
  }

  async answer(outcome, action) {
    const { parts } = this;
    const isDone = await attempt(parts.problem, this.buttons, async () => {
      this.isAnswering = true;
      this.element.setAttribute('aria-busy', 'true');
      try {
        await action();
      } finally {
        this.isAnswering = false;
        this.element.removeAttribute('aria-busy');
      }
    });
    if (isDone) this.end(outcome);
    else this.changed();
  }

  /**
   * Shows how it ended, in place of the buttons.
   *
   * @param phone - the name of the phone that answered, if it was another one
   */
  end(outcome, phone) {
    if (!this.isOpen) return;
    const { element, parts } = this;
    this.endedAt = performance.now();
    const hadFocus = element.contains(document.activeElement);
    // The cards below stay where they are until this one goes.
    element.style.minHeight = `${element.offsetHeight}px`;
    element.dataset.outcome = outcome;
    element.classList.remove('soon');
    for (const part of [parts.left, parts.form, parts.notMe, parts.passkeyOnly]) show(part, false);
    show(parts.countdown.parentElement, false);
    const by = phone === undefined ? '' : ` ${text('history.by', { phone })}`;
    setIcon(parts.resultIcon, outcomeIcons[outcome]);
    put(parts.resultText, text(`outcome.${outcome}`) + by);
    show(parts.result, true);
    if (hadFocus) parts.result.focus({ preventScroll: true });
    tell(text('news.result', { outcome: text(`outcome.${outcome}`) + by, message: this.request.message }));
    this.changed();
  }
}
