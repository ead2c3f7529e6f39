import { call } from './api.js';
import { byId, partsOf, put, show } from './dom.js';
import { attempt, report, tell } from './news.js';
import { createPasskey } from './passkeys.js';
import { Problem } from './problems.js';
import { counted, digitsOf, text } from './texts.js';

/** What browsers call the device they run on. */
const deviceName = /iPhone|iPad|Android|Windows|Macintosh|CrOS|Linux/.exec(navigator.userAgent)?.[0] ?? '';

/** Sets up this phone by an invitation. */
export class Enrolment {
  /**
   * @param changed - is called when the phone has been set up, and is signed in
   * @param proceed - is called when the user has read everything
   */
  constructor(changed, proceed) {
    this.changed = changed;
    /** Whether the view is to stay, whatever the address says: there is something to be read. */
    this.isGoingOn = false;
    this.parts = partsOf(byId('enrolment'));
    this.heading = byId('enrolment-heading');
    this.waiting = partsOf(byId('waiting'));
    this.parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void attempt(this.parts.problem, [this.parts.submit], () => this.enrol());
    });
    this.parts.copy.addEventListener('click', () => void this.copy());
    for (const button of [this.parts.proceed, this.waiting.show]) {
      button.addEventListener('click', () => {
        // They are shown once; a page that stays open for months should not hold them.
        this.setCodes([]);
        this.isGoingOn = false;
        proceed();
      });
    }
  }

  /** Says above what is to be read, however long that is, that requests wait. @param count - how many */
  tellWaiting(count) {
    show(byId('waiting'), this.isGoingOn && count > 0);
    if (count > 0) put(this.waiting.count, counted('enrolment.waiting', count));
  }

  /**
   * @param token - of the invitation
   * @param state - of the page when it was opened
   */
  async begin(token, { isLocalOnly, signedIn }) {
    const { parts } = this;
    this.token = token;
    put(this.heading, text('enrolment.heading'));
    show(parts.already, false);
    show(parts.done, false);
    show(parts.form, false);
    try {
      await this.invite();
    } catch (problem) {
      // Whoever opens their own invitation once more is told of no problem: they have what it was for.
      const isNeedless = signedIn && problem.code === 'invitation';
      report(parts.unusable, isNeedless ? undefined : problem);
      show(parts.already, isNeedless);
      if (isNeedless) put(this.heading, text('enrolment.ready'));
      put(parts.back, text(signedIn ? 'enrolment.toRequests' : 'enrolment.back'));
      show(parts.back, true);
      return;
    }
    report(parts.unusable, undefined);
    show(parts.back, false);
    show(parts.localOnly, isLocalOnly);
    show(parts.form, true);
  }

  /** Asks what the invitation is for. */
  async invite() {
    const { parts } = this;
    const { grade, name, options, authenticator } = await call('invitation', { token: this.token });
    this.options = options;
    parts.name.value ||= name || deviceName;
    put(parts.submit, text(grade === 'passkey' ? 'enrolment.makePasskey' : 'enrolment.submit'));
    show(parts.passkey, grade === 'passkey');
    show(parts.authenticator, grade === 'code');
    if (authenticator === null) return;
    show(parts.isKnown, authenticator.isKnown);
    show(parts.isNew, !authenticator.isKnown);
    if (!authenticator.isKnown) this.showAuthenticator(authenticator);
  }

  showAuthenticator({ address, qr }) {
    const { parts } = this;
    if (!address.startsWith('otpauth://') || !qr.startsWith('data:image/svg+xml'))
      throw new Problem('failed');
    parts.address.href = address;
    parts.qr.src = qr;
    const secret = new URLSearchParams(address.split('?')[1]).get('secret') ?? '';
    put(parts.secret, secret.replace(/(.{4})(?=.)/g, '$1 '));
  }

  async enrol() {
    const { parts, token, options } = this;
    const name = parts.name.value.trim();
    if (name === '') throw missing(parts.name, 'noName');
    let proof;
    if (options === null) {
      const code = digitsOf(parts.code.value);
      if (code === '') throw missing(parts.code, 'noCode');
      parts.code.value = '';
      proof = { code };
    } else {
      proof = { credential: await createPasskey(options) };
    }
    let enrolled;
    try {
      enrolled = await call('enrol', { token, name, ...proof });
    } catch (problem) {
      // Options are for one try; if the invitation itself has ended, that is the problem to tell.
      if (options !== null) await this.invite();
      throw problem;
    }
    this.finish(enrolled);
  }

  finish({ number, recoveryCodes }) {
    const { parts } = this;
    this.isGoingOn = true;
    history.replaceState(null, '', '#requests');
    show(parts.form, false);
    put(this.heading, text('enrolment.ready'));
    put(parts.number, number);
    this.setCodes(recoveryCodes ?? []);
    show(parts.recovery, recoveryCodes !== null);
    show(this.waiting.saveFirst, recoveryCodes !== null);
    show(parts.done, true);
    this.heading.focus();
    this.changed();
  }

  setCodes(codes) {
    this.codes = codes.join('\r\n');
    this.parts.codes.replaceChildren(
      ...codes.map((code) => {
        const item = document.createElement('li');
        item.textContent = code.replace(/(\d{4})(?=\d)/g, '$1 ');
        return item;
      }),
    );
    this.parts.download.href = `data:text/plain;charset=utf-8,${encodeURIComponent(this.codes)}`;
  }

  async copy() {
    tell(text((await copied(this.codes)) ? 'recovery.copied' : 'recovery.copyFailed'));
  }
}

/** Copies a text. Pages that are not encrypted have no clipboard, only the older way. */
async function copied(value) {
  try {
    await navigator.clipboard.writeText(value);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = value;
    document.body.append(field);
    field.select();
    const isDone = document.execCommand('copy');
    field.remove();
    return isDone;
  }
}

function missing(field, code) {
  field.focus();
  return new Problem(code);
}
