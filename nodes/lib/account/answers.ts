import type { ApprovalAnswer } from '../contract/service';

/** Takes an answer that came by HTTP and was verified. */
export type OnAnswer = (answer: ApprovalAnswer) => void;

/** The listeners for answers, by the id of the account's node: they outlive it. */
const listeners = new Map<string, Set<OnAnswer>>();

/** Listens to an account's answers, also those that came to other instances. @returns stops listening */
export function onAnswers(accountId: string, listener: OnAnswer): () => void {
  const all = listeners.get(accountId) ?? new Set();
  listeners.set(accountId, all.add(listener));
  return () => void all.delete(listener);
}

/** Calls all listeners in this process. */
export function tellAnswer(accountId: string, answer: ApprovalAnswer): void {
  for (const listener of listeners.get(accountId) ?? []) listener(answer);
}
