/** What somebody is told about. */
export type NotificationTopic = 'code' | 'approval' | 'invitation' | 'warning';

/** Who is told. What is not known is null. */
export interface Recipient {
  readonly authyId: string | null;
  /** In E.164 format. */
  readonly phoneNumber: string | null;
  readonly email: string | null;
  readonly name: string | null;
}

/**
 * Something that somebody has to be told, by whatever the flow sends messages with. It may hold a code: so it is in no log, no
 * badge and no error, and goes to the notifications nodes alone.
 */
export interface Notification {
  readonly topic: NotificationTopic;
  readonly title: string;
  readonly text: string;
  /** Absent where there is nothing to open. */
  readonly url?: string;
  readonly to: Recipient;
  /** How the flow was asked to send it; absent if it may choose. */
  readonly via?: 'sms' | 'call' | 'email';
  /** When it is of no use any more, in milliseconds since 1970; absent if that is never. */
  readonly expiresAt?: number;
  /** The name of the account, as people see it. */
  readonly account: string;
}

/** Hands a notification to the flow. @throws AuthyError - `AUTHY_NOT_SENT` if nobody took it */
export type Notify = (notification: Notification) => void;
