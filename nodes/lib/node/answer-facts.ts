import type { Node } from 'node-red';
import type { Account } from '../account/account';

/** What `msg.authy` holds: about the answer that a message was given, beside the result in its payload. */
export interface AnswerFacts {
  /** The node's type without `authy-`. */
  readonly operation: string;
  readonly service: string | undefined;
  /** The HTTP status, where there was one. */
  readonly statusCode?: number | undefined;
  /** The answer as it came, parsed. */
  readonly response?: unknown;
  /** Of a callback that is not believed. */
  readonly reason?: string;
}

/** An answer, or an error that holds one. */
interface Answered {
  readonly statusCode?: number | undefined;
  readonly body?: unknown;
  readonly response?: unknown;
}

/** See {@link AnswerFacts}. */
export function answerFacts(
  node: Node,
  account: Account | undefined,
  { statusCode, body, response = body }: Answered = {},
): AnswerFacts {
  return { ...factsOf(node, account), statusCode, response };
}

/** What `msg.authy` says of the node and its service. */
export function factsOf(
  { type }: Node,
  account: Account | undefined,
): Pick<AnswerFacts, 'operation' | 'service'> {
  return { operation: type.replace('authy-', ''), service: account?.serviceName };
}
