import type { ApprovalRequest, Person, RequestAnswer } from '../contract/people';
import { mostRequests } from '../people/person';
import type { ApproverHost } from './host';

/** How many requests to one person may be open at once: each of them is one more that somebody might approve by mistake. */
export const mostOpen = 20;

type Clocks = Pick<ApproverHost, 'now' | 'steady' | 'noted'>;

/**
 * Whether the time of a request is over. By a clock that nobody can set, if this process has seen it begin; otherwise by the
 * computer's, and then a request of a time that is to come is one from before the clock was set back: nobody knows its age.
 */
export function hasExpired(
  { id, createdAt, expiresAt }: ApprovalRequest,
  { now, steady, noted }: Clocks,
): boolean {
  if (expiresAt === null) return false;
  const lifetime = expiresAt - createdAt;
  const age = noted.age(id, steady());
  if (age !== undefined) return age >= lifetime;
  const byWall = now() - createdAt;
  return byWall < 0 || byWall >= lifetime;
}

/** The requests that somebody may still answer. */
export function openRequests({ requests = [] }: Person, clocks: Clocks): ApprovalRequest[] {
  return requests.filter((request) => request.answer === undefined && !hasExpired(request, clocks));
}

/** The requests that have ended, in the order in which they were asked: no clock decides which are forgotten. */
function endedRequests({ requests = [] }: Person, clocks: Clocks): ApprovalRequest[] {
  return requests.filter((request) => request.answer !== undefined || hasExpired(request, clocks));
}

/** The requests that have ended, to be shown: the last one first. */
export function historyOf(person: Person, clocks: Clocks): ApprovalRequest[] {
  return endedRequests(person, clocks)
    .reverse()
    .sort((one, other) => endedAt(other) - endedAt(one));
}

/** When a request ended that has ended, in milliseconds since 1970. */
export function endedAt({ answer, expiresAt, createdAt }: ApprovalRequest): number {
  return answer?.at ?? expiresAt ?? createdAt;
}

/** How a request that has ended did so. */
export function outcomeOf({ answer }: ApprovalRequest): RequestAnswer['decision'] | 'notMe' | 'expired' {
  if (answer === undefined) return 'expired';
  return answer.notMe ? 'notMe' : answer.decision;
}

/** The person once one more was asked: the oldest that have ended are forgotten. */
export function withRequest(person: Person, request: ApprovalRequest, clocks: Clocks): Person {
  const { requests = [] } = person;
  const ended = endedRequests(person, clocks);
  const spare = requests.length + 1 - mostRequests;
  const forgotten = new Set(ended.slice(0, Math.max(0, spare)));
  return { ...person, requests: [...requests.filter((one) => !forgotten.has(one)), request] };
}

/** The person once a request was answered. */
export function withAnswer(person: Person, id: string, answer: RequestAnswer): Person {
  const { requests = [] } = person;
  return { ...person, requests: requests.map((one) => (one.id === id ? { ...one, answer } : one)) };
}

/** The person without a request that nobody was told of. */
export function withoutRequest(person: Person, id: string): Person {
  return { ...person, requests: (person.requests ?? []).filter((one) => one.id !== id) };
}
