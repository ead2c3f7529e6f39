import type { PhoneNumber } from '../phone-numbers';
import { Authenticator, type Verdict } from './authenticator';
import { BoundedList, BoundedMap } from './bounded';
import { capacities } from './limits';
import type { SendingChannel } from './messages';
import { randomCode } from './random';
import { codeLifetime } from './sent-code';

/** Digits of a code that Authy sends by SMS, call or e-mail. */
const codeLength = 7;

/** How a code reaches a user. */
export type Channel = Exclude<SendingChannel, 'whatsapp'>;

interface IssuedCode {
  readonly code: string;
  readonly action: string | undefined;
  readonly sentAt: number;
  used: boolean;
}

export interface Activity {
  readonly at: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A user of the simulated application. */
export interface User {
  readonly id: number;
  readonly phone: PhoneNumber;
  /** The first one gets the mail. */
  emails: string[];
  /** Whether the Authy app counts as installed, so that unforced text messages and calls are ignored. */
  app: boolean;
  /** Whether a token of this user has been verified. */
  confirmed: boolean;
  readonly createdAt: number;
  /** Replaced with each new QR code. */
  authenticator: Authenticator;
  /** Whether a QR code of it was made: then it may be in an app of another maker. */
  hasQrCode: boolean;
  /** The last code of each channel. */
  readonly codes: Map<Channel, IssuedCode>;
  readonly activities: BoundedList<Activity>;
}

/** The users, found by id or phone. */
export class Users {
  private readonly byId = new BoundedMap<number, User>(capacities.users);
  /** Never given out twice, not even after a reset: an old id must not become another person's. */
  private nextId = 1_000_001;

  constructor(private readonly now: () => number) {}

  /** Oldest first. */
  get all(): readonly User[] {
    return this.byId.all;
  }

  get(id: number): User | undefined {
    return this.byId.get(id);
  }

  /** The user with this phone, created if there is none; a further e-mail address is added to the known ones. */
  register(phone: PhoneNumber, email: string): { user: User; isNew: boolean } {
    const known = this.all.find((user) => user.phone.e164 === phone.e164);
    if (known !== undefined) {
      if (!known.emails.includes(email)) known.emails.push(email);
      return { user: known, isNew: false };
    }
    const user: User = {
      id: this.nextId++,
      phone,
      emails: [email],
      app: false,
      confirmed: false,
      createdAt: this.now(),
      authenticator: new Authenticator(),
      hasQrCode: false,
      codes: new Map(),
      activities: new BoundedList(capacities.activitiesPerUser),
    };
    this.byId.set(user.id, user);
    return { user, isNew: true };
  }

  remove(user: User): void {
    this.byId.delete(user.id);
  }

  clear(): void {
    this.byId.clear();
  }

  /** Makes a code for a channel; the previous one is invalid. */
  issueCode(user: User, channel: Channel, action: string | undefined): string {
    const code = randomCode(codeLength);
    user.codes.set(channel, { code, action, sentAt: this.now(), used: false });
    return code;
  }

  /**
   * Judges a token: the last code of any channel, for the action it was sent for, or the authenticator's.
   * A right one is used up and confirms the user.
   */
  checkToken(user: User, token: string, action: string | undefined): Verdict {
    const verdict = this.judge(user, token, action);
    if (verdict === 'right') user.confirmed = true;
    return verdict;
  }

  private judge(user: User, token: string, action: string | undefined): Verdict {
    const issued = [...user.codes.values()].find(
      (candidate) => candidate.code === token && candidate.action === action,
    );
    // No source says how long such a code is accepted; it is the same as for a phone verification.
    if (issued !== undefined && this.now() - issued.sentAt < codeLifetime) {
      if (issued.used) return 'reused';
      issued.used = true;
      return 'right';
    }
    // The authenticator's codes are not made for an action.
    return action === undefined ? user.authenticator.check(token, this.now()) : 'wrong';
  }
}
