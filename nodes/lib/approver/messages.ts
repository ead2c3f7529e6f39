import type { Notification } from '../contract/notification';
import type { ApprovalRequest, Person } from '../contract/people';
import { recipientOf } from '../people/known';
import { messagesIn } from '../texts/messages';
import type { PageAddress } from './address';
import type { ApproverHost } from './host';
import { invitationLifetime } from './invitations';

type Sender = Pick<ApproverHost, 'settings' | 'language'>;

/** Something is waiting for an answer. Its address opens the page, where only a phone of the person's can answer. */
export function approvalMessage(
  { settings: { name, showsText }, language }: Sender,
  person: Person,
  { id, message, expiresAt }: ApprovalRequest,
  { url }: PageAddress,
): Notification {
  const words = messagesIn(language);
  return {
    topic: 'approval',
    title: words.text('approval.title', { name }),
    text: showsText ? message : words.text('approval.hidden'),
    url: `${url}/#r=${id}`,
    to: recipientOf(person),
    ...(expiresAt === null ? {} : { expiresAt }),
    account: name,
  };
}

export function invitationMessage(
  { settings: { name }, language }: Sender,
  person: Person,
  { url, expiresAt }: { readonly url: string; readonly expiresAt: number },
): Notification {
  const words = messagesIn(language);
  const values = { name, minutes: String(invitationLifetime / 60_000) };
  return {
    topic: 'invitation',
    title: words.text('invitation.title', values),
    text: words.text('invitation.text', values),
    url,
    to: recipientOf(person),
    expiresAt,
    account: name,
  };
}

export function phoneAddedMessage(
  { settings: { name }, language }: Sender,
  person: Person,
  phone: string,
): Notification {
  const words = messagesIn(language);
  return {
    topic: 'warning',
    title: words.text('phoneAdded.title'),
    text: words.text('phoneAdded.text', { name, phone }),
    to: recipientOf(person),
    account: name,
  };
}

/** For whoever runs the account. */
export function notMeMessage(
  { settings: { name, showsText }, language }: Sender,
  person: Person,
  { message }: ApprovalRequest,
): Notification {
  const words = messagesIn(language);
  const values = { name, person: person.email || person.authyId, message: showsText ? message : '…' };
  return {
    topic: 'warning',
    title: words.text('notMe.title', values),
    text: words.text('notMe.text', values),
    to: recipientOf(person),
    account: name,
  };
}
