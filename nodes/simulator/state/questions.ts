import { BoundedMap } from './bounded';
import type { CallbackReport } from './callback-report';
import { capacities } from './limits';

export type QuestionStatus = 'pending' | 'approved' | 'denied' | 'expired';

export type Answer = 'approve' | 'deny';

/** What is asked of a person. */
export interface Question {
  /** Lower case. */
  readonly uuid: string;
  readonly createdAt: number;
  /** Undefined if it never expires. */
  expiresAt: number | undefined;
  answer: Answer | undefined;
  answeredAt: number | undefined;
  /** The report on the callback; undefined until an answer was given. */
  callback: CallbackReport | undefined;
}

/** Questions of a kind, found by uuid. */
export class Questions<Q extends Question> {
  private readonly byUuid = new BoundedMap<string, Q>(capacities.approvals);

  constructor(protected readonly now: () => number) {}

  /** Oldest first. */
  get all(): readonly Q[] {
    return this.byUuid.all;
  }

  get(uuid: string): Q | undefined {
    return this.byUuid.get(uuid.toLowerCase());
  }

  /** The current status: a question expires by its time, without a timer. */
  statusOf({ answer, expiresAt }: Q): QuestionStatus {
    if (answer !== undefined) return answer === 'approve' ? 'approved' : 'denied';
    return expiresAt !== undefined && this.now() >= expiresAt ? 'expired' : 'pending';
  }

  /** Answers a question that is pending. */
  answer(question: Q, answer: Answer): void {
    question.answer = answer;
    question.answeredAt = this.now();
  }

  clear(): void {
    this.byUuid.clear();
  }

  protected add(question: Q): Q {
    this.byUuid.set(question.uuid, question);
    return question;
  }

  /** Who was asked cannot answer any more: such pending questions expire. */
  protected expire(isMeant: (question: Q) => boolean): void {
    for (const question of this.all) {
      if (isMeant(question) && this.statusOf(question) === 'pending') question.expiresAt = this.now();
    }
  }
}
