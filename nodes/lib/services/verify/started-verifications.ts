/** How long a verification is open, in milliseconds. Source: https://www.twilio.com/docs/verify/api/verification */
export const verificationLifetime = 600_000;

/** How many are remembered: those of ten minutes at a high rate. */
const capacity = 20_000;

interface Started {
  readonly id: string;
  readonly startedAt: number;
  isApproved: boolean;
}

/**
 * The verifications of phone numbers that this process has started. Twilio answers "not found" for one that has ended, however
 * it ended: this memory tells approved ones from expired ones. After a restart they all count as expired.
 */
export class StartedVerifications {
  private readonly byNumber = new Map<string, Started>();

  /** @param id - of the verification. Another start of the same one is the same. */
  started(phoneNumber: string, id: string, now: number): void {
    const known = this.byNumber.get(phoneNumber);
    this.byNumber.delete(phoneNumber);
    this.byNumber.set(phoneNumber, known?.id === id ? known : { id, startedAt: now, isApproved: false });
    for (const oldest of this.byNumber.keys()) {
      if (this.byNumber.size <= capacity) break;
      this.byNumber.delete(oldest);
    }
  }

  approved(phoneNumber: string): void {
    const known = this.byNumber.get(phoneNumber);
    if (known !== undefined) known.isApproved = true;
  }

  /** Whether the verification of this number, or with this id, was approved. */
  isApproved(by: { readonly phoneNumber?: string | undefined; readonly id?: string | undefined }): boolean {
    const all = [...this.byNumber].filter(([phoneNumber, { id }]) =>
      by.id === undefined ? phoneNumber === by.phoneNumber : id === by.id,
    );
    return all.some(([, { isApproved }]) => isApproved);
  }

  /** Whether a verification of this number was started so long ago that it has expired. */
  hasExpired(phoneNumber: string, now: number): boolean {
    const known = this.byNumber.get(phoneNumber);
    return known !== undefined && now - known.startedAt >= verificationLifetime;
  }
}
