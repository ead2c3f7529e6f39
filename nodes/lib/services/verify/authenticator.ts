import { Secret, TOTP } from 'otpauth';

/** The number of digits, and for how many seconds an authenticator shows a code. The defaults of Twilio, and of apps. */
export const [digits, period] = [6, 30];

/** How many steps before and after the present one a code may be of: Twilio takes one, and clocks differ. */
const window = 2;

/** A new secret of 160 bits, in base32, as RFC 4226 recommends. */
export function newSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/**
 * The time step that a code belongs to. Source: RFC 6238
 *
 * @param secret - in base32
 * @param now - milliseconds since 1970
 * @returns undefined if it is the code of no step near now
 */
export function stepOf(secret: string, code: string, now: number): number | undefined {
  if (code.length !== digits) return undefined;
  const totp = new TOTP({ algorithm: 'SHA1', digits, period, secret: Secret.fromBase32(secret) });
  const delta = totp.validate({ token: code, timestamp: now, window });
  return delta === null ? undefined : Math.floor(now / 1000 / period) + delta;
}
