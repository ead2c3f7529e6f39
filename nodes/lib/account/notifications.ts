import { AuthyError } from '../contract/errors';
import type { Notification } from '../contract/notification';

/** A notifications node of an account. */
export interface Notified {
  /** Whether anything is behind it. */
  isWired(): boolean;
  take(notification: Notification): void;
}

/** The notifications nodes of this process, by the id of the account's node: they outlive it. */
const listeners = new Map<string, Set<Notified>>();

const remedy = 'Add a notifications node for this account, and wire it to what sends your messages';

/** What to do where nobody listens: a sentence. */
export const nobodyListens = `${remedy}: without one nothing can be sent.`;

/** The same for approvals where there is no Web Push either: a sentence. */
export const onlyPagesListen = `${remedy}: without one, and without Web Push, a request to somebody who does not have the page open fails.`;

/** Listens to what an account's people have to be told. @returns stops listening */
export function onNotifications(accountId: string, listener: Notified): () => void {
  const all = listeners.get(accountId) ?? new Set();
  listeners.set(accountId, all.add(listener));
  return () => {
    all.delete(listener);
    if (all.size === 0 && listeners.get(accountId) === all) listeners.delete(accountId);
  };
}

/** Whether somebody would be told. */
export function isHeard(accountId: string): boolean {
  return wired(accountId).length > 0;
}

/** Tells all of them, in this turn. @throws AuthyError - `AUTHY_NOT_SENT` if there is none */
export function tellAll(accountId: string, notification: Notification): void {
  const all = wired(accountId);
  if (all.length === 0) throw notSent();
  for (const listener of all) listener.take(notification);
}

export function notSent(): AuthyError {
  return new AuthyError('AUTHY_NOT_SENT', nobodyListens);
}

function wired(accountId: string): Notified[] {
  return [...(listeners.get(accountId) ?? [])].filter((listener) => listener.isWired());
}
