import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { AuthyError } from '../../contract/errors';
import type { CodeLimits } from '../../contract/people';
import type { ResultOf } from '../../contract/results';
import { afterRight, afterSent, afterWrong, asOf, isLocked, noLimits, sendsIn } from './limits';
import { codeLifetime, mostTries, tooManySent } from './sent-code';

/** How many numbers are remembered at once. One more is refused: a limit that was forgotten would be none. */
const capacity = 50_000;

/** How long a number is remembered once nothing of it counts any more, in milliseconds. */
const rememberedFor = 3_600_000;

/** What was sent to a number. All times are by a clock that cannot be set. */
interface Check {
  readonly id: string;
  readonly mac: Buffer;
  readonly startedAt: number;
  readonly tries: number;
  readonly end?: 'approved' | 'failed' | 'canceled';
  readonly limits: CodeLimits;
}

type Reason = NonNullable<ResultOf<'phoneCheck'>['reason']>;

/**
 * The codes that were sent to phone numbers of nobody in particular, in memory. A restart forgets them: what was sent before
 * is not valid any more. Codes are kept as HMACs by a key of this process.
 */
export class PhoneChecks {
  private readonly key = randomBytes(32);
  private readonly byNumber = new Map<string, Check>();

  /**
   * A code was made for a number: it takes the place of the one before.
   *
   * @returns the id of the check
   * @throws AuthyError - `AUTHY_LIMIT_REACHED`, `AUTHY_BUSY`
   */
  start(phoneNumber: string, code: string, now: number): string {
    const known = this.byNumber.get(phoneNumber);
    const limits = asOf(now, known?.limits ?? noLimits);
    const wait = sendsIn(now, limits);
    if (wait > 0) throw tooManySent(wait);
    this.makeRoom(now);
    const id = randomUUID();
    const check = { id, mac: this.macOf(phoneNumber, code), startedAt: now, tries: 0 };
    // The newest last.
    this.byNumber.delete(phoneNumber);
    this.byNumber.set(phoneNumber, { ...check, limits: afterSent(now, limits) });
    return id;
  }

  /** Nobody has got the code. */
  cancel(phoneNumber: string, id: string): void {
    const known = this.byNumber.get(phoneNumber);
    if (known?.id === id) this.byNumber.set(phoneNumber, { ...known, end: 'canceled' });
  }

  /** Judges a code. */
  judge(phoneNumber: string, code: string, now: number): 'valid' | Reason {
    const known = this.byNumber.get(phoneNumber);
    if (known === undefined) return 'notPending';
    const limits = asOf(now, known.limits);
    if (isLocked(now, limits)) return 'tooManyAttempts';
    switch (this.stateOf(known, now)) {
      case 'failed':
        return 'tooManyAttempts';
      case 'expired':
        return 'expired';
      case 'approved':
      case 'canceled':
        return 'notPending';
      case 'pending':
    }
    if (timingSafeEqual(this.macOf(phoneNumber, code), known.mac)) {
      this.byNumber.set(phoneNumber, { ...known, end: 'approved', limits: afterRight(limits) });
      return 'valid';
    }
    const tries = known.tries + 1;
    const end = tries < mostTries ? {} : { end: 'failed' as const };
    this.byNumber.set(phoneNumber, { ...known, tries, ...end, limits: afterWrong(now, limits) });
    return 'wrong';
  }

  /** How far the check of a number is, or the one with an id. @returns undefined if there is none */
  find(
    by: { readonly id?: string | undefined; readonly phoneNumber?: string | undefined },
    now: number,
  ): { readonly state: 'approved' | 'pending' | 'expired'; readonly left: number } | undefined {
    const check =
      by.id === undefined
        ? this.byNumber.get(by.phoneNumber ?? '')
        : [...this.byNumber.values()].find(({ id }) => id === by.id);
    if (check === undefined) return undefined;
    const state = this.stateOf(check, now);
    const left = check.startedAt + codeLifetime - now;
    return { state: state === 'approved' || state === 'pending' ? state : 'expired', left };
  }

  private stateOf(check: Check, now: number): 'pending' | 'expired' | NonNullable<Check['end']> {
    return check.end ?? (now - check.startedAt < codeLifetime ? 'pending' : 'expired');
  }

  private macOf(phoneNumber: string, code: string): Buffer {
    return createHmac('sha256', this.key).update(`${phoneNumber} ${code}`).digest();
  }

  /** Forgets numbers that nothing counts of any more, if there are many. */
  private makeRoom(now: number): void {
    if (this.byNumber.size < capacity) return;
    for (const [phoneNumber, { startedAt, limits }] of this.byNumber) {
      const isQuiet = limits.lockedUntil <= now && now - startedAt > rememberedFor;
      if (isQuiet) this.byNumber.delete(phoneNumber);
    }
    if (this.byNumber.size < capacity) return;
    throw new AuthyError('AUTHY_BUSY', 'Try again in an hour: too many phone numbers are being checked.');
  }
}

/** By the account's id: a deploy must not forget them. */
const ofAccounts = new Map<string, PhoneChecks>();

export function phoneChecksOf(accountId: string): PhoneChecks {
  const checks = ofAccounts.get(accountId) ?? new PhoneChecks();
  ofAccounts.set(accountId, checks);
  return checks;
}

/** The account was deleted. */
export function forgetPhoneChecks(accountId: string): void {
  ofAccounts.delete(accountId);
}
