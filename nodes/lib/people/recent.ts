import type { Kept, Row } from './people-store';

/** So many characters of texts are remembered: those of a thousand people, or of thirty who have many answers with proofs. */
const most = 2_000_000;

/**
 * The people who were read or changed last, as objects: a text that was read is not read again until it is another one. They are
 * frozen: what somebody changed in one would be believed by the next who asks.
 */
export class RecentPeople {
  /** By their id; the one that was used last is the last. */
  private readonly kept = new Map<string, Kept>();
  private characters = 0;

  /** The person of a text, if it was that text the last time. */
  find({ authyId, text }: Row): Kept | undefined {
    const kept = this.kept.get(authyId);
    if (kept?.text !== text) return undefined;
    this.kept.delete(authyId);
    this.kept.set(authyId, kept);
    return kept;
  }

  /** Remembers a person instead of what they were before. */
  remember(kept: Kept): void {
    if (!Object.isFrozen(kept.person)) freeze(kept.person);
    this.forget(kept.authyId);
    this.kept.set(kept.authyId, kept);
    this.characters += kept.text.length;
    for (const oldest of this.kept.keys()) {
      if (this.characters <= most) break;
      this.forget(oldest);
    }
  }

  forget(authyId: string): void {
    this.characters -= this.kept.get(authyId)?.text.length ?? 0;
    this.kept.delete(authyId);
  }
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  for (const within of Object.values(value)) if (!Object.isFrozen(within)) freeze(within);
}
