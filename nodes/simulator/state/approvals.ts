import { randomUUID } from 'node:crypto';
import type { CallbackReport } from './callback-report';
import { BoundedMap } from './bounded';
import { capacities } from './limits';
import type { User } from './users';

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired';

export type Answer = 'approve' | 'deny';

/** An application's question to its user. */
export interface ApprovalQuestion {
  readonly message: string;
  readonly details: Readonly<Record<string, string>> | null;
  readonly hiddenDetails: Readonly<Record<string, string>> | null;
  readonly logos: readonly Logo[] | null;
  /** 0 means never. */
  readonly secondsToExpire: number;
}

export interface Logo {
  readonly res: string;
  readonly url: string;
}

/** An approval request on the phone of a user. */
export interface Approval extends ApprovalQuestion {
  readonly uuid: string;
  readonly user: User;
  readonly createdAt: number;
  /** Undefined if it never expires. */
  expiresAt: number | undefined;
  answer: Answer | undefined;
  answeredAt: number | undefined;
  /** The report on the callback; undefined until an answer was given. */
  callback: CallbackReport | undefined;
}

/** The approval requests, found by uuid. */
export class Approvals {
  private readonly byUuid = new BoundedMap<string, Approval>(capacities.approvals);

  constructor(private readonly now: () => number) {}

  /** Oldest first. */
  get all(): readonly Approval[] {
    return this.byUuid.all;
  }

  get(uuid: string): Approval | undefined {
    return this.byUuid.get(uuid.toLowerCase());
  }

  ask(user: User, question: ApprovalQuestion): Approval {
    const createdAt = this.now();
    const { secondsToExpire } = question;
    const approval: Approval = {
      ...question,
      uuid: randomUUID(),
      user,
      createdAt,
      expiresAt: secondsToExpire === 0 ? undefined : createdAt + secondsToExpire * 1000,
      answer: undefined,
      answeredAt: undefined,
      callback: undefined,
    };
    this.byUuid.set(approval.uuid, approval);
    return approval;
  }

  /** The current status: a request expires by its time, without a timer. */
  statusOf({ answer, expiresAt }: Approval): ApprovalStatus {
    if (answer !== undefined) return answer === 'approve' ? 'approved' : 'denied';
    return expiresAt !== undefined && this.now() >= expiresAt ? 'expired' : 'pending';
  }

  /** Answers a request that is pending. */
  answer(approval: Approval, answer: Answer): void {
    approval.answer = answer;
    approval.answeredAt = this.now();
  }

  /** A removed user cannot answer any more: pending requests expire. */
  withdrawAll(user: User): void {
    for (const approval of this.all) {
      if (approval.user === user && this.statusOf(approval) === 'pending') approval.expiresAt = this.now();
    }
  }

  clear(): void {
    this.byUuid.clear();
  }
}
