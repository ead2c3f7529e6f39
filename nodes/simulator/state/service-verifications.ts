import { randomUUID } from 'node:crypto';
import { BoundedList, BoundedMap } from './bounded';
import { capacities } from './limits';
import type { SendingChannel } from './messages';
import { RollingLimit, within } from './rolling-limit';
import { codeTries, isOver, type SentCode } from './sent-code';

/** How often a verification's code may be sent. */
const maximalSends = 5;

/** How often a verification may be read. Source: https://www.twilio.com/docs/verify/api/programmable-rate-limits */
const readings = [within.minute(60), within.hour(180), within.day(250)];

/** One sending of a code. */
export interface Attempt {
  readonly uuid: string;
  readonly verification: ServiceVerification;
  readonly channel: SendingChannel;
  readonly locale: string | undefined;
  readonly at: number;
  updatedAt: number;
  /** Whether the code that it sent was given back. */
  converted: boolean;
}

/** A payment that a person confirms by the code. */
export interface Payment {
  readonly amount: string;
  readonly payee: string;
}

/** The verification of an address: a phone number or an e-mail address, of a person who need not be known. */
export interface ServiceVerification extends SentCode {
  /** E.164, or an e-mail address. */
  readonly to: string;
  code: string;
  readonly payment: Payment | undefined;
  /** Oldest first. */
  readonly attempts: Attempt[];
  updatedAt: number;
  end: 'approved' | 'canceled' | undefined;
  readonly readings: RollingLimit;
}

export type ServiceVerificationStatus =
  'pending' | 'approved' | 'canceled' | 'max_attempts_reached' | 'expired';

/** What is sent. */
export interface CodeToSend {
  readonly to: string;
  readonly channel: SendingChannel;
  readonly locale: string | undefined;
  readonly payment: Payment | undefined;
  /** The client's own code; undefined: one that was made here. */
  readonly customCode: string | undefined;
}

/** The verifications of a service, by uuid and by address. */
export class ServiceVerifications {
  private readonly byUuid = new BoundedMap<string, ServiceVerification>(capacities.verifications);
  private readonly sendings = new BoundedList<Attempt>(capacities.attempts);

  constructor(private readonly now: () => number) {}

  /** Every sending, oldest first. */
  get attempts(): readonly Attempt[] {
    return this.sendings.all;
  }

  withUuid(uuid: string): ServiceVerification | undefined {
    return this.byUuid.get(uuid);
  }

  /** The last one of an address. */
  of(to: string): ServiceVerification | undefined {
    return [...this.byUuid.all].reverse().find((verification) => verification.to === to);
  }

  /**
   * Starts one, or continues the pending one of this address: it keeps its code, unless the client gives another.
   *
   * @param makeCode - makes a code
   * @returns undefined if the code was sent too often
   */
  send(
    { to, channel, locale, payment, customCode }: CodeToSend,
    makeCode: () => string,
  ): Attempt | undefined {
    const now = this.now();
    const last = this.of(to);
    const pending = last !== undefined && this.isPending(last) ? last : undefined;
    if (pending !== undefined && pending.attempts.length >= maximalSends) return undefined;
    const verification = pending ?? {
      uuid: randomUUID(),
      to,
      code: customCode ?? makeCode(),
      payment,
      startedAt: now,
      attempts: [],
      wrongCodes: 0,
      updatedAt: now,
      end: undefined,
      readings: new RollingLimit(readings),
    };
    verification.code = customCode ?? verification.code;
    verification.updatedAt = now;
    const attempt: Attempt = {
      uuid: randomUUID(),
      verification,
      channel,
      locale,
      at: now,
      updatedAt: now,
      converted: false,
    };
    verification.attempts.push(attempt);
    this.sendings.add(attempt);
    if (pending === undefined) this.byUuid.set(verification.uuid, verification);
    return attempt;
  }

  /**
   * Judges a code for a pending verification; a right one ends it.
   *
   * @param payment - what the person was shown, where the code confirms a payment
   */
  check(
    verification: ServiceVerification,
    code: string,
    payment: Payment | undefined,
  ): 'right' | 'wrong' | 'tooMany' {
    if (verification.wrongCodes >= codeTries) return 'tooMany';
    verification.updatedAt = this.now();
    const { payment: asked } = verification;
    const isSamePayment = asked?.amount === payment?.amount && asked?.payee === payment?.payee;
    if (verification.code !== code || !isSamePayment) {
      verification.wrongCodes += 1;
      return 'wrong';
    }
    this.end(verification, 'approved');
    return 'right';
  }

  end(verification: ServiceVerification, end: 'approved' | 'canceled'): void {
    verification.end = end;
    verification.updatedAt = this.now();
    const attempt = verification.attempts.at(-1);
    if (end === 'canceled' || attempt === undefined) return;
    attempt.converted = true;
    attempt.updatedAt = this.now();
  }

  /** Whether it was not ended and its time has not passed: codes may be left to try or not. */
  isPending(verification: ServiceVerification): boolean {
    return verification.end === undefined && !isOver(verification, this.now());
  }

  statusOf(verification: ServiceVerification): ServiceVerificationStatus {
    if (verification.end !== undefined) return verification.end;
    if (isOver(verification, this.now())) return 'expired';
    return verification.wrongCodes >= codeTries ? 'max_attempts_reached' : 'pending';
  }

  clear(): void {
    this.byUuid.clear();
    this.sendings.clear();
  }
}
