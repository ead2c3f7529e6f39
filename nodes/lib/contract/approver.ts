import type { JsonObject } from './json';
import type { ApprovalRequest } from './people';
import type { ValuesOf } from './operations';

/** How an account asks people on its own page. */
export interface ApproverSettings {
  /** What people see as the one who asks. */
  readonly name: string;
  /** Where the page is, below the address of the http in nodes: `/approve`. */
  readonly path: string;
  /** Where people reach the page, without a slash at its end; undefined: at this machine itself. */
  readonly publicUrl: string | undefined;
  /** Whether phones are told by Web Push. */
  readonly push: boolean;
  /** Whether notifications say what is asked. */
  readonly showsText: boolean;
}

/** An invitation as it was made: whoever has its address can add a phone. */
export interface MadeInvitation {
  readonly url: string;
  /** A QR code with the address: an address that holds the image itself. */
  readonly qrCode: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A request as it is kept. */
export interface FoundRequest {
  readonly request: ApprovalRequest;
  readonly hasExpired: boolean;
  /** The phone that answered, for the flow; undefined if none did. */
  readonly device: JsonObject | undefined;
  /** The request, its answer and what proves it, for the flow. */
  readonly body: JsonObject;
}

/** The approval requests of an account that people answer on its own page. */
export interface Approvals {
  /**
   * Asks a person, and tells them. What resolves is safe.
   *
   * @param asker - who asks, as the person sees it; the account if it is blank
   * @throws AuthyError - `AUTHY_NOT_SENT` if the person has no phone, or nobody would be told; `AUTHY_LIMIT_REACHED`,
   *   `AUTHY_USER_UNAVAILABLE`, `AUTHY_USER_NOT_FOUND`, `AUTHY_INVALID_INPUT`, `AUTHY_STORE`
   */
  ask(
    question: ValuesOf<'onetouchSend'>,
    options: { readonly asker: string; readonly signal?: AbortSignal | undefined },
  ): Promise<ApprovalRequest>;
  /**
   * A request, and what has become of it.
   *
   * @throws AuthyError - `AUTHY_NOT_FOUND`, `AUTHY_USER_NOT_FOUND`, `AUTHY_STORE`
   */
  find(authyId: string, approvalId: string): Promise<FoundRequest>;
  /**
   * Makes an invitation, in place of an earlier one of this person, and has the flow send it, if it sends such things.
   *
   * @throws AuthyError - `AUTHY_USER_NOT_FOUND`, `AUTHY_USER_UNAVAILABLE`, `AUTHY_BAD_CONFIG`, `AUTHY_STORE`
   */
  invite(authyId: string): Promise<MadeInvitation>;
  /** @throws AuthyError - `AUTHY_BAD_CONFIG` if the page has no address, so that nobody could be invited or asked */
  assertAddress(): void;
}

/** How a code was judged. */
export type CodeVerdict = 'valid' | 'wrong' | 'reused' | 'tooManyAttempts';

/** The authenticator of a person, for answers of the grade `code`. */
export interface AuthenticatorCodes {
  /** Whether the person has one that is confirmed. @throws AuthyError */
  isKnown(authyId: string): Promise<boolean>;
  /**
   * A new one, which its first right code confirms.
   *
   * @returns its `otpauth://` address
   * @throws AuthyError
   */
  make(authyId: string): Promise<string>;
  /** Judges a code of it, and of nothing else. @throws AuthyError */
  check(authyId: string, code: string): Promise<CodeVerdict>;
}

/** Why a person's page is not answered as it wants, as `error` of the answer. */
export type ApproverProblem =
  | 'invalid'
  | 'signedOut'
  | 'foreign'
  | 'locked'
  | 'gone'
  | 'invitation'
  | 'answered'
  | 'expired'
  | 'changed'
  | 'wrongCode'
  | 'reusedCode'
  | 'tooManyAttempts'
  | 'passkeyRefused'
  | 'passkeyNeeded'
  | 'tooLarge'
  | 'notJson'
  | 'tooMany'
  | 'unavailable';
