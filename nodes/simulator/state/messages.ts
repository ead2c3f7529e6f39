import { randomUUID } from 'node:crypto';
import { BoundedList } from './bounded';
import { capacities } from './limits';

/** The kind of a message: a code by one of three channels, the code of a verification, or the link to the app. */
export type MessageKind = 'sms' | 'call' | 'email' | 'verification' | 'install';

/** How a message comes to a person. */
export type SendingChannel = 'sms' | 'call' | 'email' | 'whatsapp';

/** A message that came to a simulated phone. */
export interface Message {
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  /** Null if the phone belongs to no user, as in a phone verification. */
  readonly authyId: number | null;
  /** The phone it came to, E.164: also that of a user who got an e-mail. The address itself if no phone belongs to it. */
  readonly phone: string;
  /** The phone number or e-mail address it was sent to. */
  readonly to: string;
  readonly kind: MessageKind;
  readonly via: SendingChannel;
  readonly text: string;
  /** The language it is written in, such as `es-ES`; null if the words are the client's own. */
  readonly language: string | null;
  readonly code: string | null;
  readonly action: string | null;
  /** The client's `locale`. */
  readonly locale: string | null;
}

/** The messages of all phones. */
export class Messages {
  private readonly list = new BoundedList<Message>(capacities.messages);

  constructor(private readonly now: () => number) {}

  /** Oldest first. */
  get all(): readonly Message[] {
    return this.list.all;
  }

  /** Members that are not given count as absent. */
  send(
    message: Pick<Message, 'authyId' | 'phone' | 'to' | 'kind' | 'via' | 'text'> &
      Partial<Pick<Message, 'language' | 'code' | 'action' | 'locale'>>,
  ): void {
    this.list.add({
      language: null,
      code: null,
      action: null,
      locale: null,
      ...message,
      id: randomUUID(),
      at: new Date(this.now()).toISOString(),
    });
  }

  clear(): void {
    this.list.clear();
  }
}
