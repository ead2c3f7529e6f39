/** What a person proves with who they are. @typeParam Secret - how its secret is written: in clear, or sealed where it is stored */
export interface Factor<Secret extends string = string> {
  /** The service's own id of it, such as Twilio's `YF…`. */
  readonly id: string;
  readonly type: 'totp' | 'push';
  /** The service that knows it, such as Twilio's `VA…`; absent if it came in a list. */
  readonly service?: string;
  /** Whether its owner has proved once to have it. */
  readonly state: 'unverified' | 'verified';
  readonly name: string;
  /** Of a TOTP factor, in base32, if it is known here. */
  readonly secret?: Secret;
  /** The last TOTP step that a code was accepted of, or is being asked about. No code of it, or of one before, counts. */
  readonly lastStep?: number;
  /** The recovery codes that were made with it and are left: each is a {@link KeyedHash}. Absent if none were made. */
  readonly recovery?: readonly KeyedHash[];
  /** In milliseconds since 1970. */
  readonly createdAt: number;
}

/**
 * What is kept instead of a code: its HMAC by a key of the account's people, `h1.KEY.MAC`, the id of the key and the MAC in
 * base64url. See {@link People.hashes}.
 */
export type KeyedHash = string & { readonly isHash: true };

/** A code that was sent to a person. */
export interface Verification {
  /** The service's own id of it, such as Twilio's `VE…`. */
  readonly id: string;
  readonly channel: 'sms' | 'call' | 'email';
  /** The phone number or e-mail address it went to. */
  readonly to: string;
  /** In milliseconds since 1970. */
  readonly startedAt: number;
  /** Of a code that was made here. Absent if a service outside made it, which alone can check it. */
  readonly hash?: KeyedHash;
  /** How many wrong codes were tried while it was open, if they are counted here. */
  readonly tries?: number;
  /** Absent as long as it is open. */
  readonly end?: 'approved' | 'expired' | 'failed' | 'canceled';
}

/** What limits guessing and sending, where codes are checked here. All times are in milliseconds since 1970. */
export interface CodeLimits {
  /** When the last codes were sent: those that may still count, and no more than may be sent at once. */
  readonly sent: readonly number[];
  /** When the last wrong codes were tried: those that may still count. */
  readonly wrong: readonly number[];
  /** How many wrong codes there were since the last right one. */
  readonly wrongInARow: number;
  /** How often that has locked the person since the last right code. */
  readonly locks: number;
  /** Until when no code of theirs is looked at; 0 if they were never locked. */
  readonly lockedUntil: number;
}

/** A passkey of a person's phone. Source: WebAuthn Level 3, https://www.w3.org/TR/webauthn-3/ */
export interface Passkey {
  /** Of the credential, in base64url. */
  readonly id: string;
  /** In COSE format, in base64url. */
  readonly publicKey: string;
  /** How often it has signed, as it says itself; 0 if it does not count. */
  readonly counter: number;
  /** Whether its owner's account at Apple, Google or another one has a copy. */
  readonly isSynced: boolean;
  /** The host name that it is bound to. */
  readonly rpId: string;
}

/** Where a phone is told that something is waiting. Source: https://www.w3.org/TR/push-api/ */
export interface PushSubscription {
  readonly endpoint: string;
  /** The browser's public key, in base64url. */
  readonly p256dh: string;
  /** The browser's secret for this subscription, in base64url. */
  readonly auth: string;
}

/** How far an answer can be trusted: signed by a passkey, or given with the code of an authenticator. */
export type Grade = 'passkey' | 'code';

/** A browser that is signed in as a phone. */
export interface Session {
  /** SHA-256 of its secret, in base64url. */
  readonly hash: string;
  /** In milliseconds since 1970. */
  readonly startedAt: number;
}

/** A phone on which a person answers approval requests. */
export interface Phone {
  readonly id: string;
  readonly name: string;
  /** A passkey has the grade `passkey`; without one it is `code`. */
  readonly passkey?: Passkey;
  readonly sessions: readonly Session[];
  readonly push?: PushSubscription;
  /** In milliseconds since 1970. */
  readonly addedAt: number;
  /** Of the last sign-in by its passkey: the time in its challenge, in milliseconds since 1970. */
  readonly signedInAt?: number;
}

/** What lets a person add one phone, once. */
export interface Invitation {
  /** SHA-256 of its token, in base64url. */
  readonly hash: string;
  /** In milliseconds since 1970. */
  readonly madeAt: number;
  /** What the new passkey has to sign, in base64url; absent until the invitation is opened. */
  readonly challenge?: string;
}

/** What somebody has answered, and what proves it. */
export interface RequestAnswer {
  readonly decision: 'approved' | 'denied';
  /** Whether the person says that they had nothing to do with it. */
  readonly notMe: boolean;
  /** In milliseconds since 1970. */
  readonly at: number;
  /** The phone as it was then. */
  readonly phone: { readonly id: string; readonly name: string; readonly grade: Grade };
  /** Of an approval by passkey: everything that somebody needs to check the signature. */
  readonly proof?: ApprovalProof;
}

/** A signature over the words of a request, all but the text in base64url. */
export interface ApprovalProof {
  /** The text whose SHA-256 was signed as the challenge. */
  readonly text: string;
  readonly credentialId: string;
  readonly publicKey: string;
  readonly authenticatorData: string;
  readonly clientDataJSON: string;
  readonly signature: string;
}

/** A question to a person, which they answer on one of their phones. */
export interface ApprovalRequest {
  /** A UUID in lower case. */
  readonly id: string;
  /** Who asks: the name of a flow, or of the account. */
  readonly asker: string;
  readonly message: string;
  /** Labels and values. */
  readonly details: readonly (readonly [label: string, value: string])[];
  /** SHA-256 of what the phone does not show, in base64url; blank if there is nothing. */
  readonly hidden: string;
  readonly atLeast: Grade;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  /** In milliseconds since 1970; null if it stays open. */
  readonly expiresAt: number | null;
  /** 128 random bits, in base64url. */
  readonly nonce: string;
  readonly answer?: RequestAnswer;
}

/** How often a person has said "not me" since they approved something, or the pause was ended. */
export interface NotMe {
  readonly times: number;
  /** Until when nobody may ask them, in milliseconds since 1970. */
  readonly until: number;
}

/** What was done for a person in a month, for statistics. */
export interface MonthCounts {
  /** Of UTC, such as `2026-11`. */
  readonly month: string;
  /** Codes by SMS and by phone call. */
  readonly sms: number;
  readonly calls: number;
  /** Codes that were valid, and requests that were approved. */
  readonly auths: number;
}

/** Somebody who is known to an account. */
export interface Person<Secret extends string = string> {
  /** Digits: an id of Authy that was imported, or one of ours. */
  readonly authyId: string;
  /** 32 hexadecimal digits: what a service knows the person by. It is random, and says nothing about them. */
  readonly identity: string;
  /** In E.164 format. No two people have the same one. */
  readonly phoneNumber: string;
  /** The calling code, which the phone number begins with. */
  readonly countryCode: string;
  /** Blank if none is known. */
  readonly email: string;
  /** In milliseconds since 1970. */
  readonly createdAt: number;
  readonly factors: readonly Factor<Secret>[];
  /** The last code that was sent. */
  readonly verification?: Verification;
  /** Absent if nothing counts. */
  readonly limits?: CodeLimits;
  /** The recovery codes that do not belong to an authenticator, those that are left. */
  readonly recovery?: readonly KeyedHash[];
  readonly phones?: readonly Phone[];
  readonly invitation?: Invitation;
  /** The open ones, and the last that have ended, in the order in which they were asked. */
  readonly requests?: readonly ApprovalRequest[];
  readonly notMe?: NotMe;
  /** The last months in which something was counted here, the newest at the end. */
  readonly counts?: readonly MonthCounts[];
  /** Somebody has locked the person: they are asked nothing, and no code of theirs counts. Absent otherwise. */
  readonly locked?: true;
}

/** Somebody to be added. What is absent is made up, or empty. */
export type NewPerson = Pick<Person, 'phoneNumber' | 'countryCode' | 'email'> &
  Partial<Pick<Person, 'authyId' | 'identity' | 'createdAt' | 'factors' | 'verification' | 'limits'>>;

/**
 * Who is known to an account. Every call may reject with an AuthyError `AUTHY_STORE`, if the store cannot be used, or what
 * it holds cannot be trusted: then nothing is concluded. What has resolved is as safe as the store promises.
 */
export interface People {
  find(authyId: string): Promise<Person | undefined>;

  /** @param phoneNumber - in E.164 format */
  findByPhone(phoneNumber: string): Promise<Person | undefined>;

  /**
   * Adds somebody. If the phone number is known, it is that person, who gets this e-mail address and nothing else.
   *
   * @returns the person as they are kept
   * @throws AuthyError - `AUTHY_INVALID_INPUT` if something is not in the right format, or if the Authy ID and the phone number
   *   belong to different people
   */
  add(person: NewPerson): Promise<Person>;

  /**
   * Changes a person. Changes of the same person are made one after the other, also those of other instances: each gets the
   * person as the one before has left them. So a TOTP step is accepted once if `change` returns undefined for one that is
   * not larger than `lastStep`.
   *
   * @param change - returns the changed person, or undefined to leave them as they are. It may be called again, with
   *   a newer person: only its last result counts. The ids and `createdAt` stay the same.
   * @returns the person as changed, once that is safe; undefined if they were left as they are, or are not known. After a
   *   rejection nobody knows whether they were changed
   * @throws AuthyError - `AUTHY_INVALID_INPUT` if the changed person is not in the right format, or if the new phone number
   *   belongs to another person
   */
  change(authyId: string, change: (person: Person) => Person | undefined): Promise<Person | undefined>;

  /**
   * Removes a person with all that is kept of them, also if their secrets cannot be read.
   *
   * @returns whether they were known
   */
  remove(authyId: string): Promise<boolean>;

  /**
   * All people, in no order. Those who are added or removed meanwhile may be among them or not.
   *
   * @param tell - is told of each who cannot be read and is not among them: a sentence that shows nothing of them. Without
   *   it, only the log is
   */
  all(tell?: (sentence: string) => void): AsyncIterable<Person>;

  /** How many people there are. */
  count(): Promise<number>;

  /**
   * The keyed hashes of a code, one by each key that there is: the first is the one to be kept. The keys are those that secrets
   * are encrypted with, so who has the store alone cannot try codes out.
   *
   * @param place - what the code is for, and whose: the same code has another hash in another place
   * @throws AuthyError - `AUTHY_BAD_CONFIG` if there is no key
   */
  hashes(place: string, code: string): Promise<readonly KeyedHash[]>;

  /**
   * A key for a purpose, of 32 bytes: always the same one, as long as the key that secrets are encrypted with is.
   *
   * @throws AuthyError - `AUTHY_BAD_CONFIG` if there is none
   */
  keyFor(purpose: string): Promise<Buffer>;

  close(): Promise<void>;
}
