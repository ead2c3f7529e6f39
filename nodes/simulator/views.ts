import type { Backend } from './backend';
import { isoTime } from './iso-time';
import type { Approval, Logo } from './state/approvals';
import type { Authenticator } from './state/authenticator';
import type { CallbackReport } from './state/callback-report';
import type { Challenge } from './state/challenges';
import type { Factor } from './state/factors';
import type { Question, Questions, QuestionStatus } from './state/questions';
import type { User } from './state/users';
import { sidOf } from './verify/sids';

/** A user, as the control interface shows it. */
export interface UserView {
  authyId: number;
  /** E.164. */
  phone: string;
  countryCode: string;
  phoneNumber: string;
  /** The first one gets the mail. */
  emails: readonly string[];
  app: boolean;
  confirmed: boolean;
  /** ISO 8601. */
  createdAt: string;
  /** The code that the phone's authenticator shows, and its secret in base 32. */
  authenticator: { secret: string; code: string; digits: number; period: number; secondsLeft: number };
  activities: readonly { at: string; type: string; data: Readonly<Record<string, unknown>> }[];
}

/**
 * An approval request of Authy's, or a challenge of Twilio Verify's on a device, as the control interface shows it. Times
 * are ISO 8601.
 */
export interface ApprovalView {
  uuid: string;
  /** Null with a challenge. */
  authyId: number | null;
  /** E.164; null with a challenge on a device whose number nobody has said: Verify knows none. */
  phone: string | null;
  /** Null with an approval request. */
  identity: string | null;
  /** Of a challenge. */
  sid: string | null;
  message: string;
  details: Readonly<Record<string, string>> | null;
  hiddenDetails: Readonly<Record<string, string>> | null;
  logos: readonly Logo[] | null;
  status: QuestionStatus;
  createdAt: string;
  /** Null if it never expires. */
  expiresAt: string | null;
  /** Milliseconds; null if it never expires or is not pending any more. */
  expiresIn: number | null;
  answeredAt: string | null;
  /** Null until it is answered. */
  callback: CallbackReport | null;
}

/** @param now - milliseconds since 1970 */
export function userView(user: User, now: number): UserView {
  const { phone, authenticator } = user;
  return {
    authyId: user.id,
    phone: phone.e164,
    countryCode: phone.countryCode,
    phoneNumber: phone.national,
    emails: user.emails,
    app: user.app,
    confirmed: user.confirmed,
    createdAt: isoTime(user.createdAt),
    // An authenticator app shows six digits; Authy's own shows seven.
    authenticator: authenticatorView(authenticator, now, user.app ? 7 : 6),
    activities: user.activities.all.map(({ at, ...activity }) => ({ at: isoTime(at), ...activity })),
  };
}

/** A factor of Twilio Verify's, as the control interface shows it. */
export interface FactorView {
  sid: string;
  identity: string;
  friendlyName: string;
  type: Factor['type'];
  verified: boolean;
  /** ISO 8601. */
  createdAt: string;
  /** What the authenticator app shows; null with a push factor. */
  authenticator: UserView['authenticator'] | null;
}

export function approvalView({ state }: Pick<Backend, 'state'>, approval: Approval): ApprovalView {
  const { user, message, details, hiddenDetails, logos } = approval;
  return {
    ...questionView(state.approvals, approval, state.now()),
    authyId: user.id,
    phone: user.phone.e164,
    identity: null,
    sid: null,
    message,
    details,
    hiddenDetails,
    logos,
  };
}

export function challengeView({ state }: Pick<Backend, 'state'>, challenge: Challenge): ApprovalView {
  const { uuid, factor, details, hiddenDetails } = challenge;
  const fields = (details?.fields ?? []).map(({ label, value }) => [label, value] as const);
  return {
    ...questionView(state.challenges, challenge, state.now()),
    authyId: null,
    phone: factor.type === 'push' ? factor.phone : null,
    identity: factor.entity.identity,
    sid: sidOf('YC', uuid),
    message: details?.message ?? '',
    details: fields.length === 0 ? null : Object.fromEntries(fields),
    hiddenDetails,
    logos: null,
  };
}

/** What both say about their course. */
function questionView<Q extends Question>(questions: Questions<Q>, question: Q, now: number) {
  const { uuid, createdAt, expiresAt, answeredAt, callback } = question;
  const status = questions.statusOf(question);
  return {
    uuid,
    status,
    createdAt: isoTime(createdAt),
    expiresAt: expiresAt === undefined ? null : isoTime(expiresAt),
    expiresIn: expiresAt === undefined || status !== 'pending' ? null : expiresAt - now,
    answeredAt: answeredAt === undefined ? null : isoTime(answeredAt),
    callback: callback ?? null,
  };
}

/** @param now - milliseconds since 1970 */
export function factorView(factor: Factor, now: number): FactorView {
  const { uuid, entity, friendlyName, type, isVerified, createdAt } = factor;
  return {
    sid: sidOf('YF', uuid),
    identity: entity.identity,
    friendlyName,
    type,
    verified: isVerified,
    createdAt: isoTime(createdAt),
    authenticator: factor.type === 'totp' ? authenticatorView(factor.authenticator, now) : null,
  };
}

/** @param digits - how many it shows; absent: as many as any app does */
function authenticatorView(authenticator: Authenticator, now: number, digits = authenticator.form.digits[0]) {
  return { secret: authenticator.base32, ...authenticator.current(digits, now) };
}
