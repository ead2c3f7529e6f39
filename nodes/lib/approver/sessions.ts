import { randomBytes } from 'node:crypto';
import type { Person, Phone, Session } from '../contract/people';
import { signaturesMatch } from '../contract/signed-requests';
import { formats } from '../contract/validation';
import { mostSessions } from '../people/person';
import type { PageAddress } from './address';
import { sha256 } from './canonical';

/** How long a browser stays signed in, in milliseconds. */
const lifetime = 180 * 86_400_000;

const cookieName = 'authy-approver';

/** So many sessions are looked up for one request. */
const mostCookies = 4;

/** What the cookie of a signed-in browser holds. */
export interface SessionToken {
  readonly authyId: string;
  readonly phoneId: string;
  readonly secret: string;
}

export function newSession(authyId: string, phoneId: string): SessionToken {
  return { authyId, phoneId, secret: randomBytes(32).toString('base64url') };
}

/** A phone with one more session; the oldest ones end. */
export function withSession(phone: Phone, { secret }: SessionToken, startedAt: number): Phone {
  const session: Session = { hash: sha256(secret), startedAt };
  return { ...phone, sessions: [...phone.sessions, session].slice(-mostSessions) };
}

/** A phone without a session. */
export function withoutSession(phone: Phone, { secret }: SessionToken): Phone {
  const hash = sha256(secret);
  return { ...phone, sessions: phone.sessions.filter((session) => !signaturesMatch(session.hash, hash)) };
}

/** The phone that a session is of; undefined if it is none, or has ended. */
export function phoneOf(
  { authyId, phones = [] }: Person,
  token: SessionToken,
  now: number,
): Phone | undefined {
  if (authyId !== token.authyId) return undefined;
  const hash = sha256(token.secret);
  return phones.find(
    ({ id, sessions }) =>
      id === token.phoneId &&
      sessions.some((session) => signaturesMatch(session.hash, hash) && now - session.startedAt < lifetime),
  );
}

/** The header that signs a browser in. */
export function cookieOf({ authyId, phoneId, secret }: SessionToken, page: PageAddress): string {
  return cookie(`${authyId}.${phoneId}.${secret}`, lifetime / 1000, page);
}

/** The header that signs a browser out. */
export function noCookie(page: PageAddress): string {
  return cookie('', 0, page);
}

/**
 * The sessions that a request names. Whatever else is served at the same host, at any port, can add a cookie of this name: it must
 * not take the place of the right one.
 *
 * @param header - `Cookie`
 */
export function sessionsOf(header: string | undefined): SessionToken[] {
  return (header ?? '')
    .split(';')
    .flatMap((part) => {
      const [, authyId = '', phoneId = '', secret = ''] = cookieForm.exec(part.trim()) ?? [];
      return formats.authyId.test(authyId) ? [{ authyId, phoneId, secret }] : [];
    })
    .slice(0, mostCookies);
}

const cookieForm = new RegExp(`^${cookieName}=([0-9]{1,20})\\.([A-Za-z0-9_-]{22})\\.([A-Za-z0-9_-]{43})$`);

/** No script reads it, and no other page makes a browser send it. @param seconds - how long the browser keeps it */
function cookie(value: string, seconds: number, { path, isHttps }: PageAddress): string {
  const attributes = [
    `Path=${path === '' ? '/' : path}`,
    `Max-Age=${seconds}`,
    'HttpOnly',
    'SameSite=Strict',
  ];
  if (isHttps) attributes.push('Secure');
  return [`${cookieName}=${value}`, ...attributes].join('; ');
}
