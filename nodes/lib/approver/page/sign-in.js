import { call } from './api.js';
import { byId, partsOf, show } from './dom.js';
import { attempt } from './news.js';
import { hasPasskeys, usePasskey } from './passkeys.js';
import { Problem } from './problems.js';
import { digitsOf } from './texts.js';

/** Lets a phone in that has a passkey, or somebody who has lost theirs. */
export class SignIn {
  /**
   * @param signedIn - is called when the phone is signed in
   * @param invited - is called with a token when a recovery code was accepted
   */
  constructor(signedIn, invited) {
    const parts = partsOf(byId('sign-in'));
    this.parts = parts;
    parts.start.addEventListener('click', () => {
      void attempt(parts.problem, [parts.start], async () => {
        const { options } = await call('sign-in-options');
        await call('sign-in', { credential: await usePasskey(options) });
        await signedIn();
      });
    });
    parts.recover.addEventListener('submit', (event) => {
      event.preventDefault();
      void attempt(parts.recoverProblem, [parts.recoverSubmit], async () => {
        invited(await this.recover());
      });
    });
  }

  render({ grade }) {
    show(this.parts.passkey, grade === 'passkey' && hasPasskeys);
  }

  /** @returns the token of an invitation */
  async recover() {
    const { phoneNumber, code } = this.parts;
    if (phoneNumber.value.trim() === '') throw missing(phoneNumber, 'noPhoneNumber');
    const digits = digitsOf(code.value);
    if (digits === '') throw missing(code, 'noRecoveryCode');
    const { token } = await call('recover', { phoneNumber: phoneNumber.value.trim(), code: digits });
    code.value = '';
    return token;
  }
}

function missing(field, code) {
  field.focus();
  return new Problem(code);
}
