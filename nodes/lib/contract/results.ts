import type { JsonObject } from './json';

/** A phone number in E.164 form, and its calling code in digits. */
export interface PhoneResult {
  phoneNumber: string;
  countryCode: string;
}

/** A code that was sent by SMS or phone call. */
export interface SentCode {
  authyId: string;
  sent: boolean;
  /** The user has an app that makes codes: nothing was sent. */
  ignored: boolean;
  maskedPhone: string | null;
  device: string | null;
}

/**
 * The result of each operation, the same on every service: its node puts it into `msg.payload`. A value that a service
 * does not tell is null.
 */
export interface Results {
  userCreate: PhoneResult & { authyId: string };
  userStatus: {
    authyId: string;
    confirmed: boolean | null;
    registered: boolean | null;
    maskedPhone: string | null;
    countryCode: string | null;
    email: string | null;
    devices: string[];
    hasHardToken: boolean | null;
    accountDisabled: boolean | null;
    /** What the service knows the person by, if it is another id. */
    identity: string | null;
  };
  userUpdate: { authyId: string; email: string };
  userDelete: { authyId: string; deleted: true };
  userExport: PhoneResult & {
    authyId: string;
    /** Of the user's authenticator, in base32; null if it was not asked for, or if there is none. */
    totpSecret: string | null;
    /** A code of it that counts at this moment. */
    token: string | null;
  };
  userImport: PhoneResult & {
    authyId: string;
    /**
     * The user's authenticator: `confirmed` if the service takes its codes; `imported` if its first right code will
     * confirm it; null if there is none.
     */
    authenticator: 'confirmed' | 'imported' | null;
  };
  userQr: {
    authyId: string;
    /** The address of an image, which may hold the image itself. */
    qrCode: string;
    label: string | null;
    issuer: string | null;
    /** Each is valid once instead of a code, if the authenticator is lost. Null if the service makes none. */
    recoveryCodes: string[] | null;
  };
  userActivity: { authyId: string; activity: string };
  tokenSms: SentCode;
  tokenCall: SentCode;
  tokenEmail: { authyId: string; sent: true; email: string | null; emailId: string | null };
  tokenVerify: {
    authyId: string;
    valid: boolean;
    /** Null if it is valid; `notPending`: no code was sent, and there is no authenticator. */
    reason: 'wrong' | 'reused' | 'expired' | 'notPending' | 'tooManyAttempts' | null;
    device: JsonObject | null;
  };
  phoneStart: PhoneResult & {
    via: 'sms' | 'call';
    verificationId: string | null;
    secondsToExpire: number | null;
    carrier: string | null;
    isCellphone: boolean | null;
    isPorted: boolean | null;
  };
  phoneCheck: PhoneResult & {
    valid: boolean;
    /** Null if it is valid; `notPending`: expired, verified already, or given up after too many attempts, if that cannot be told. */
    reason: 'wrong' | 'expired' | 'notPending' | 'tooManyAttempts' | null;
  };
  phoneStatus: { status: 'verified' | 'pending' | 'expired'; secondsToExpire: number | null };
  phoneInfo: PhoneResult & { type: string | null; provider: string | null; ported: boolean | null };
  appDetails: {
    appId: number | null;
    name: string | null;
    plan: string | null;
    smsEnabled: boolean | null;
    phoneCallsEnabled: boolean | null;
    onetouchEnabled: boolean | null;
  };
  appStats: {
    appId: number | null;
    totalUsers: number | null;
    months: {
      month: string | null;
      year: number | null;
      smsCount: number | null;
      callsCount: number | null;
      usersCount: number | null;
      authsCount: number | null;
      apiCallsCount: number | null;
    }[];
  };
  userInvite: {
    authyId: string;
    /** Opens the page on which a phone is added: whoever has it can add one. */
    url: string;
    /** The same as a QR code: an address that holds the image itself. */
    qrCode: string;
    /** As `2026-11-28T12:00:00.000Z`. */
    expiresAt: string;
  };
  onetouchSend: {
    /** In lower case. */
    approvalId: string;
    authyId: string;
    status: 'pending';
  };
  onetouchStatus: {
    approvalId: string;
    authyId: string;
    status: ApprovalStatus;
    notified: boolean | null;
    /** Times as the service writes them. */
    createdAt: string | null;
    processedAt: string | null;
    secondsToExpire: number | null;
  };
}

export type ApprovalStatus = 'approved' | 'denied' | 'pending' | 'expired';

/** The name of an operation. */
export type OperationName = keyof Results;

/** The result of an operation. */
export type ResultOf<N extends OperationName> = Results[N];
