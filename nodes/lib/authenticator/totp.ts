import { Secret, TOTP } from 'otpauth';

/** The number of digits, and for how many seconds an authenticator shows a code. The defaults of Twilio, and of apps. */
export const [digits, period] = [6, 30];

const form = { algorithm: 'SHA1', digits, period } as const;

/** A new secret of 160 bits, in base32, as RFC 4226 recommends. */
export function newSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/**
 * The time step that a code belongs to. Source: RFC 6238
 *
 * @param secret - in base32
 * @param now - milliseconds since 1970
 * @param window - how many steps before and after the present one count: clocks differ, and typing takes a while
 * @returns undefined if it is the code of no step near now
 */
export function stepOf(secret: string, code: string, now: number, window: number): number | undefined {
  if (code.length !== digits) return undefined;
  const totp = new TOTP({ ...form, secret: Secret.fromBase32(secret) });
  const delta = totp.validate({ token: code, timestamp: now, window });
  return delta === null ? undefined : Math.floor(now / 1000 / period) + delta;
}

/**
 * The address that an authenticator app is set up by. It holds the secret.
 *
 * @param secret - in base32
 * @param issuer - whose codes they are, as the app shows it
 * @param label - whose authenticator it is
 */
export function addressOf(secret: string, { issuer, label }: { issuer: string; label: string }): string {
  return new TOTP({ ...form, issuer, label, secret: Secret.fromBase32(secret) }).toString();
}
