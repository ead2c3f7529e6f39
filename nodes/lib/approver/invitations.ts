import { randomBytes } from 'node:crypto';
import type { Invitation, Person } from '../contract/people';
import { signaturesMatch } from '../contract/signed-requests';
import { formats } from '../contract/validation';
import { sha256 } from './canonical';
import type { ApproverHost } from './host';

/** How long an invitation can be used, in milliseconds. */
export const invitationLifetime = 600_000;

/** 128 bits. */
const tokenLength = 16;

/** What an invitation's address holds: whom it is for, and its secret. */
export interface InvitationToken {
  readonly authyId: string;
  readonly secret: string;
}

/** A new secret for an invitation. */
export function newSecret(): string {
  return randomBytes(tokenLength).toString('base64url');
}

/** The token as the address of an invitation has it, behind `#i=`: browsers send no fragment, so no server or log sees it. */
export function tokenText({ authyId, secret }: InvitationToken): string {
  return `${authyId}.${secret}`;
}

/** Reads a token; undefined if it cannot be one. */
export function readToken(text: unknown): InvitationToken | undefined {
  if (typeof text !== 'string') return undefined;
  const [, authyId = '', secret = ''] = /^([0-9]{1,20})\.([A-Za-z0-9_-]{22})$/.exec(text) ?? [];
  return formats.authyId.test(authyId) ? { authyId, secret } : undefined;
}

/** What is kept of an invitation. */
export function invitationOf(secret: string, madeAt: number): Invitation {
  return { hash: sha256(secret), madeAt };
}

type Clocks = Pick<ApproverHost, 'now' | 'steady' | 'noted'>;

/** Whether a secret is that of a person's invitation, and its time is not over. */
export function isInvited(person: Person, { secret }: InvitationToken, clocks: Clocks): boolean {
  const { invitation } = person;
  if (invitation === undefined || !signaturesMatch(invitation.hash, sha256(secret))) return false;
  return invitedFor(person, clocks) > 0;
}

/** For how many milliseconds a person's invitation can still be used; 0 if there is none. */
export function invitedFor({ invitation, locked }: Person, { now, steady, noted }: Clocks): number {
  if (invitation === undefined || locked === true) return 0;
  const age = noted.age(invitation.hash, steady()) ?? now() - invitation.madeAt;
  return age < 0 ? 0 : Math.max(0, invitationLifetime - age);
}
