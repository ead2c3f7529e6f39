import { randomUUID } from 'node:crypto';
import type { Factor, Owner, TotpFactor } from './factors';
import { type Question, Questions } from './questions';

/** How many codes may be tried for one challenge. */
const maximalTries = 5;

/** What the person is asked, on the device of a push factor. */
export interface ChallengeDetails {
  readonly message: string;
  readonly fields: readonly { readonly label: string; readonly value: string }[];
}

/** What a factor is asked to prove. */
export interface Challenge<F extends Factor = Factor> extends Question {
  readonly factor: F;
  /** Null with an authenticator: its code says nothing about what it is given for. */
  readonly details: ChallengeDetails | null;
  readonly hiddenDetails: Readonly<Record<string, string>> | null;
  tries: number;
  updatedAt: number;
}

/** The challenges, found by uuid. */
export class Challenges extends Questions<Challenge> {
  /** @param expiresAt - milliseconds since 1970 */
  ask<F extends Factor>(
    factor: F,
    question: Pick<Challenge, 'details' | 'hiddenDetails'> & { readonly expiresAt: number },
  ): Challenge<F> {
    const now = this.now();
    const challenge: Challenge<F> = {
      ...question,
      uuid: randomUUID(),
      factor,
      createdAt: now,
      updatedAt: now,
      answer: undefined,
      answeredAt: undefined,
      callback: undefined,
      tries: 0,
    };
    this.add(challenge);
    return challenge;
  }

  override answer(challenge: Challenge, answer: 'approve' | 'deny'): void {
    super.answer(challenge, answer);
    challenge.updatedAt = this.now();
  }

  /** Judges a code for a pending challenge; a right one approves it. */
  try(challenge: Challenge<TotpFactor>, code: string): 'right' | 'wrong' | 'tooMany' {
    if (challenge.tries >= maximalTries) return 'tooMany';
    challenge.tries += 1;
    challenge.updatedAt = this.now();
    // Nothing is known about a code that was used before: the client has to remember it.
    if (challenge.factor.authenticator.check(code, this.now()) === 'wrong') return 'wrong';
    this.answer(challenge, 'approve');
    return 'right';
  }

  /** The challenges of an entity, oldest first. */
  of(entity: Owner): readonly Challenge[] {
    return this.all.filter((challenge) => challenge.factor.entity === entity);
  }

  /** Who was removed cannot answer any more: pending challenges expire. */
  withdrawAll(removed: Owner | Factor): void {
    this.expire(({ factor }) => factor === removed || factor.entity === removed);
  }
}
