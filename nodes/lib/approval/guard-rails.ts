import { clock } from './clock';
import type { Admission, ApprovalRecord, GuardRails } from './store';

type Request = Pick<ApprovalRecord, 'id' | 'authyId'>;

interface User {
  /** How many requests are open. */
  open: number;
  /** When the user was asked last, by {@link clock}; undefined where that was before this process. */
  askedAt: number | undefined;
}

/** Users who have nothing open are forgotten above this number, those asked longest ago first. */
const remembered = 10_000;
/** How many users are looked at for one to forget. */
const lookedAt = 3;

/** Keeps a flow that runs in a circle from bombarding a phone: counts open requests per user, on this instance. */
export class OpenRequests {
  /** The ids of what is counted, so that nothing is counted or taken off twice. */
  private readonly open = new Set<string>();
  private readonly users = new Map<string, User>();

  admit({ id, authyId }: Request, { maxOpen, coolDown }: GuardRails): Admission {
    const now = clock();
    const user = this.users.get(authyId);
    if (user !== undefined) {
      if (maxOpen > 0 && user.open >= maxOpen) return { admitted: false, open: user.open };
      const waitSeconds = Math.ceil(coolDown - (now - (user.askedAt ?? -Infinity)) / 1000);
      if (waitSeconds > 0) return { admitted: false, waitSeconds };
    }
    this.count({ id, authyId }, now);
    return { admitted: true };
  }

  /** Counts a request that is open already: one of an earlier run. */
  count({ id, authyId }: Request, askedAt?: number): void {
    const user = this.users.get(authyId) ?? { open: 0, askedAt };
    if (!this.open.has(id)) user.open += 1;
    this.open.add(id);
    user.askedAt = askedAt ?? user.askedAt;
    // As the newest one, so that the oldest are the first of the map.
    this.users.delete(authyId);
    this.users.set(authyId, user);
    if (this.users.size > remembered) this.forgetOne();
  }

  release({ id, authyId }: Request): void {
    const user = this.users.get(authyId);
    if (this.open.delete(id) && user !== undefined) user.open -= 1;
  }

  /** Looks at a few only: those who have something open may be very many, and come up again later. */
  private forgetOne(): void {
    let looked = 0;
    for (const [authyId, user] of this.users) {
      this.users.delete(authyId);
      if (user.open === 0) return;
      this.users.set(authyId, user);
      if ((looked += 1) >= lookedAt) return;
    }
  }
}
