import { randomUUID } from 'node:crypto';
import { type Question, Questions } from './questions';
import type { User } from './users';

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
export interface Approval extends ApprovalQuestion, Question {
  readonly user: User;
}

/** The approval requests, found by uuid. */
export class Approvals extends Questions<Approval> {
  ask(user: User, question: ApprovalQuestion): Approval {
    const createdAt = this.now();
    const { secondsToExpire } = question;
    return this.add({
      ...question,
      uuid: randomUUID(),
      user,
      createdAt,
      expiresAt: secondsToExpire === 0 ? undefined : createdAt + secondsToExpire * 1000,
      answer: undefined,
      answeredAt: undefined,
      callback: undefined,
    });
  }

  /** A removed user cannot answer any more: pending requests expire. */
  withdrawAll(user: User): void {
    this.expire((approval) => approval.user === user);
  }
}
