import { Secret, TOTP } from 'otpauth';

/** How an authenticator makes its codes. */
export interface AuthenticatorForm {
  readonly algorithm: 'SHA1' | 'SHA256' | 'SHA512';
  /** For how many seconds it shows one code. */
  readonly period: number;
  /** How many periods before and after the current one are accepted, because clocks differ. */
  readonly skew: number;
  /** How many digits a code may have; the first of them is what any app shows. */
  readonly digits: readonly [number, ...number[]];
}

/**
 * Such as any authenticator app computes from the secret. Such apps show 6 digits, Authy's own shows 7 of the same number.
 *
 * Source: https://www.twilio.com/docs/authy/export-totp-secret-seed-for-migrating-to-verify-totp
 */
const ofAuthy: AuthenticatorForm = { algorithm: 'SHA1', period: 30, skew: 1, digits: [6, 7] };

/** How a code was judged. */
export type Verdict = 'right' | 'reused' | 'wrong';

/** An authenticator app and the server's side of it: time-based codes. Source: RFC 6238 */
export class Authenticator {
  private readonly secret: Secret;
  /** The periods, by their number since 1970, whose code has been used. */
  private readonly used = new Set<number>();

  /** @param secret - in base 32; a new one if it is absent */
  constructor(
    readonly form: AuthenticatorForm = ofAuthy,
    secret?: string,
  ) {
    this.secret = secret === undefined ? new Secret({ size: 20 }) : Secret.fromBase32(secret);
  }

  /** The secret in base 32, as people type it into an app. */
  get base32(): string {
    return this.secret.base32;
  }

  /** The content of a QR code for an authenticator app. */
  uri(issuer: string, label: string): string {
    return this.totp(this.form.digits[0], issuer, label).toString();
  }

  /**
   * The code that the phone shows.
   *
   * @param now - milliseconds since 1970
   */
  current(
    digits: number,
    now: number,
  ): { code: string; digits: number; period: number; secondsLeft: number } {
    const totp = this.totp(digits);
    const secondsLeft = Math.ceil(totp.remaining({ timestamp: now }) / 1000);
    return { code: totp.generate({ timestamp: now }), digits, period: this.form.period, secondsLeft };
  }

  /** Judges a token; a right one is used up. */
  check(token: string, now: number): Verdict {
    const { digits, period, skew } = this.form;
    if (!digits.includes(token.length)) return 'wrong';
    const delta = this.totp(token.length).validate({ token, timestamp: now, window: skew });
    if (delta === null) return 'wrong';
    const step = Math.floor(now / 1000 / period) + delta;
    if (this.used.has(step)) return 'reused';
    for (const old of this.used) if (old < step - 2 * skew) this.used.delete(old);
    this.used.add(step);
    return 'right';
  }

  private totp(digits: number, issuer = '', label = 'simulator'): TOTP {
    const { algorithm, period } = this.form;
    return new TOTP({ issuer, label, algorithm, digits, period, secret: this.secret });
  }
}
