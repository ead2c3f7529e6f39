import { AuthyError } from '../contract/errors';
import { promiseOf } from './in-turn';
import type { Admission, Limits, Rails } from './rails';
import type { ApprovalRecord } from './records';
import { realTime, type Clock } from '../time';

type Request = Pick<ApprovalRecord, 'id' | 'recipient'>;

interface User {
  /**
   * The ids of the open requests, so that none is counted or removed twice. A single id has no set around it: there may be
   * 100,000 users with one request each.
   */
  open: string | Set<string> | undefined;
  /** When the user was asked last, by the steady clock; undefined if that was before this process. */
  askedAt: number | undefined;
}

/** How many users are known at once. More are refused: none is forgotten before the pause is over. */
const most = 500_000;
/** How many users are checked, and forgotten if possible, whenever one is asked. */
const lookedAt = 3;
const lookedAtWhenFull = 1000;

/** The guard rails in memory: they count the open requests of each user, on this instance. */
export class MemoryRails implements Rails {
  /** Those who were asked longest ago come first. */
  private readonly users = new Map<string, User>();
  /** The longest pause of any gate so far, in seconds. */
  private longest = 0;

  constructor(
    private readonly time: Clock = realTime,
    private readonly limit = most,
  ) {}

  admit(request: Request, limits: Limits): Promise<Admission> {
    return promiseOf(() => this.admitted(request, limits));
  }

  /** Counts a request that is open already, from an earlier run. */
  count({ id, recipient }: Request, askedAt?: number): void {
    const user = this.users.get(recipient) ?? { open: undefined, askedAt };
    if (user.open instanceof Set) user.open.add(id);
    else if (user.open === undefined || user.open === id) user.open = id;
    else user.open = new Set([user.open, id]);
    user.askedAt = askedAt ?? user.askedAt;
    this.users.delete(recipient);
    this.users.set(recipient, user);
  }

  release({ id, recipient }: Request): Promise<void> {
    const user = this.users.get(recipient);
    if (user?.open instanceof Set) user.open.delete(id);
    else if (user?.open === id) user.open = undefined;
    return Promise.resolve();
  }

  /** How many users are known. */
  get size(): number {
    return this.users.size;
  }

  private admitted({ id, recipient }: Request, { maxOpen, coolDown }: Limits): Admission {
    const now = this.time.steady();
    this.longest = Math.max(this.longest, coolDown);
    const isFull = this.users.size >= this.limit;
    this.forget(now, isFull ? lookedAtWhenFull : lookedAt);
    const user = this.users.get(recipient);
    if (user === undefined) {
      if (this.users.size >= this.limit) throw full(this.users.size);
    } else {
      const open = openOf(user);
      if (maxOpen > 0 && open >= maxOpen) return { admitted: false, open };
      const waitSeconds = Math.ceil(coolDown - (now - (user.askedAt ?? -Infinity)) / 1000);
      if (waitSeconds > 0) return { admitted: false, waitSeconds };
    }
    this.count({ id, recipient }, now);
    return { admitted: true };
  }

  /** Forgets users without open requests whose pause is over. The others are checked again later. */
  private forget(now: number, atMost: number): void {
    let looked = 0;
    for (const [recipient, user] of this.users) {
      if ((looked += 1) > atMost) return;
      if (openOf(user) > 0) {
        this.users.delete(recipient);
        this.users.set(recipient, user);
      } else if (now - (user.askedAt ?? -Infinity) >= this.longest * 1000) {
        this.users.delete(recipient);
      }
    }
  }
}

function openOf({ open }: User): number {
  return open instanceof Set ? open.size : open === undefined ? 0 : 1;
}

function full(size: number): AuthyError {
  return new AuthyError(
    'AUTHY_STORE',
    `Shorten the pause between two requests: ${size} users were asked within it, and no more fit into memory.`,
  );
}
