import { isoTime } from './iso-time';
import type { CallbackReport } from './state/callback-report';
import type { Approval, Approvals, Logo } from './state/approvals';
import type { QuestionStatus } from './state/questions';
import type { User } from './state/users';

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

/** An approval request, as the control interface shows it. Times are ISO 8601. */
export interface ApprovalView {
  uuid: string;
  authyId: number;
  phone: string;
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
    authenticator: { secret: authenticator.base32, ...authenticator.current(user.app ? 7 : 6, now) },
    activities: user.activities.all.map(({ at, ...activity }) => ({ at: isoTime(at), ...activity })),
  };
}

/** @param now - milliseconds since 1970 */
export function approvalView(approvals: Approvals, approval: Approval, now: number): ApprovalView {
  const { uuid, user, message, details, hiddenDetails, logos, expiresAt, answeredAt } = approval;
  const status = approvals.statusOf(approval);
  return {
    uuid,
    authyId: user.id,
    phone: user.phone.e164,
    message,
    details,
    hiddenDetails,
    logos,
    status,
    createdAt: isoTime(approval.createdAt),
    expiresAt: expiresAt === undefined ? null : isoTime(expiresAt),
    expiresIn: expiresAt === undefined || status !== 'pending' ? null : expiresAt - now,
    answeredAt: answeredAt === undefined ? null : isoTime(answeredAt),
    callback: approval.callback ?? null,
  };
}
