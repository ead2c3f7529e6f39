import { call } from './api.js';
import { confirmed } from './confirmation.js';
import { byId, partsOf, put, show } from './dom.js';
import { attempt, tell } from './news.js';
import { unsubscribe } from './notifications.js';
import { Problem } from './problems.js';
import { counted, text } from './texts.js';

/** What can be set about this phone. */
export class Phone {
  /** @param changed - is called when the server's state has changed */
  constructor(changed) {
    const parts = partsOf(byId('phone'));
    this.parts = parts;
    parts.rename.addEventListener('submit', (event) => {
      event.preventDefault();
      void attempt(parts.renameProblem, [parts.renameSubmit], async () => {
        const name = parts.name.value.trim();
        if (name === '') throw new Problem('noName');
        await call('rename', { name });
        tell(text('phone.renamed'));
        await changed();
      });
    });
    for (const name of ['signOut', 'leave']) {
      parts[name].addEventListener('click', () => {
        void attempt(parts.problem, [parts.signOut, parts.leave], async () => {
          await this[name]();
          await changed();
        });
      });
    }
  }

  render({ phone, phones, recoveryLeft, isLocalOnly }) {
    const { parts } = this;
    this.isLast = phones < 2;
    // What is being typed stays.
    if (parts.name.value === (this.name ?? '')) parts.name.value = phone.name;
    this.name = phone.name;
    put(parts.number, phone.number);
    put(parts.grade, text(`grade.name.${phone.grade}`));
    put(parts.recoveryLeft, counted('phone.recoveryLeft', recoveryLeft));
    put(parts.signOutHint, text(phone.grade === 'passkey' ? 'phone.signOutHint' : 'phone.signOutHintCode'));
    show(parts.second, this.isLast);
    show(parts.localOnly, isLocalOnly);
  }

  async signOut() {
    await unsubscribe();
    await call('sign-out');
  }

  async leave() {
    if (!(await confirmed(this.isLast ? 'leaveLast' : 'leave', this.name))) return;
    await unsubscribe();
    await call('leave');
  }
}
