import { randomUUID } from 'node:crypto';
import type { PhoneNumber } from '../phone-numbers';
import { BoundedMap } from './bounded';
import { capacities } from './limits';
import { randomCode } from './random';
import { codeLifetime, codeTries, isOver, type SentCode } from './sent-code';

/** The verification of a phone number that need not belong to a user. */
export interface Verification extends SentCode {
  readonly phone: PhoneNumber;
  readonly code: string;
  verified: boolean;
}

export type VerificationStatus = 'pending' | 'verified' | 'expired';

/** The phone verifications: the last one of each phone number. */
export class Verifications {
  private readonly byPhone = new BoundedMap<string, Verification>(capacities.verifications);

  constructor(private readonly now: () => number) {}

  of(phone: PhoneNumber): Verification | undefined {
    return this.byPhone.get(phone.e164);
  }

  withUuid(uuid: string): Verification | undefined {
    return this.byPhone.all.find((verification) => verification.uuid === uuid.toLowerCase());
  }

  /** Starts one, or continues the pending one: its code is sent again, unless another code is asked for. */
  start(phone: PhoneNumber, codeLength: number, customCode: string | undefined): Verification {
    const pending = this.pendingOf(phone);
    if (pending !== undefined && (customCode === undefined || customCode === pending.code)) return pending;
    const verification: Verification = {
      uuid: randomUUID(),
      phone,
      code: customCode ?? randomCode(codeLength),
      startedAt: this.now(),
      wrongCodes: 0,
      verified: false,
    };
    this.byPhone.set(phone.e164, verification);
    return verification;
  }

  /** @returns undefined if none is pending: never started, expired, verified, or given up after too many tries */
  check(phone: PhoneNumber, code: string): 'right' | 'wrong' | undefined {
    const pending = this.pendingOf(phone);
    if (pending === undefined) return undefined;
    if (pending.code === code) {
      pending.verified = true;
      return 'right';
    }
    pending.wrongCodes += 1;
    if (pending.wrongCodes >= codeTries) this.byPhone.delete(phone.e164);
    return 'wrong';
  }

  statusOf(verification: Verification): VerificationStatus {
    if (verification.verified) return 'verified';
    return isOver(verification, this.now()) ? 'expired' : 'pending';
  }

  /** Whole seconds; Authy says 599 for one that has just begun. */
  secondsLeft(verification: Verification): number {
    return Math.max(0, Math.floor((verification.startedAt + codeLifetime - this.now() - 1) / 1000));
  }

  clear(): void {
    this.byPhone.clear();
  }

  private pendingOf(phone: PhoneNumber): Verification | undefined {
    const verification = this.of(phone);
    return verification !== undefined && this.statusOf(verification) === 'pending' ? verification : undefined;
  }
}
