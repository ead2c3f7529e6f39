import { Secret, TOTP } from 'otpauth';

/** For how many seconds an authenticator shows one code. */
const period = 30;

/** How many periods before and after the current one are accepted, because clocks differ. */
const skew = 1;

/** How a code was judged. */
export type Verdict = 'right' | 'reused' | 'wrong';

/**
 * An authenticator app and the server's side of it: time-based codes by SHA-1 and 30 seconds, which any
 * authenticator app computes from the secret. Such apps show 6 digits, Authy's own shows 7 of the same number.
 *
 * Source: RFC 6238; https://www.twilio.com/docs/authy/export-totp-secret-seed-for-migrating-to-verify-totp
 */
export class Authenticator {
  private readonly secret = new Secret({ size: 20 });
  /** The periods, by their number since 1970, whose code has been used. */
  private readonly used = new Set<number>();

  /** The secret in base 32, as people type it into an app. */
  get base32(): string {
    return this.secret.base32;
  }

  /** The content of a QR code for an authenticator app. */
  uri(issuer: string, label: string): string {
    return this.totp(6, issuer, label).toString();
  }

  /**
   * The code that the phone shows.
   *
   * @param now - milliseconds since 1970
   */
  current(digits: 6 | 7, now: number): { code: string; digits: number; period: number; secondsLeft: number } {
    const totp = this.totp(digits);
    const secondsLeft = Math.ceil(totp.remaining({ timestamp: now }) / 1000);
    return { code: totp.generate({ timestamp: now }), digits, period, secondsLeft };
  }

  /** Judges a token of 6 or 7 digits; a right one is used up. */
  check(token: string, now: number): Verdict {
    if (token.length !== 6 && token.length !== 7) return 'wrong';
    const delta = this.totp(token.length).validate({ token, timestamp: now, window: skew });
    if (delta === null) return 'wrong';
    const step = Math.floor(now / 1000 / period) + delta;
    if (this.used.has(step)) return 'reused';
    for (const old of this.used) if (old < step - 2 * skew) this.used.delete(old);
    this.used.add(step);
    return 'right';
  }

  private totp(digits: 6 | 7, issuer = '', label = 'simulator'): TOTP {
    return new TOTP({ issuer, label, algorithm: 'SHA1', digits, period, secret: this.secret });
  }
}
