/** How long a verification is open, in milliseconds. Source: https://www.twilio.com/docs/verify/api/verification */
export const verificationLifetime = 600_000;

/** How many are remembered: those of ten minutes at a high rate. */
const capacity = 20_000;

interface Started {
  readonly id: string;
  readonly startedAt: number;
  /** When it was approved; absent if it was not. */
  approvedAt?: number;
}

/** How long it is known that a verification was approved, in milliseconds. */
const rememberedFor = 3_600_000;

/**
 * The verifications of phone numbers that this process has started or approved. Twilio answers "not found" for one that has
 * ended, however it ended: this memory tells approved ones from expired ones. After a restart they all count as expired.
 */
export class StartedVerifications {
  private readonly byNumber = new Map<string, Started>();

  /** @param id - of the verification. Another start of the same one is the same. */
  started(phoneNumber: string, id: string, now: number): void {
    const known = this.byNumber.get(phoneNumber);
    this.byNumber.delete(phoneNumber);
    this.byNumber.set(phoneNumber, known?.id === id ? known : { id, startedAt: now });
    for (const oldest of this.byNumber.keys()) {
      if (this.byNumber.size <= capacity) break;
      this.byNumber.delete(oldest);
    }
  }

  /** @param id - of the verification that was approved: it may be another one than was started here last */
  approved(phoneNumber: string, id: string, now: number): void {
    this.started(phoneNumber, id, now);
    const known = this.byNumber.get(phoneNumber);
    if (known !== undefined) known.approvedAt = now;
  }

  /** Whether the last verification of this number, or the one with this id, was approved within the last hour. */
  isApproved(
    by: { readonly phoneNumber?: string | undefined; readonly id?: string | undefined },
    now: number,
  ): boolean {
    return [...this.byNumber].some(([phoneNumber, { id, approvedAt = -Infinity }]) => {
      const isMeant = by.id === undefined ? phoneNumber === by.phoneNumber : id === by.id;
      return isMeant && now - approvedAt < rememberedFor;
    });
  }

  /** Whether a verification of this number was started so long ago that it has expired. */
  hasExpired(phoneNumber: string, now: number): boolean {
    const known = this.byNumber.get(phoneNumber);
    return known !== undefined && now - known.startedAt >= verificationLifetime;
  }
}
