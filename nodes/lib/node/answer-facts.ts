import type { Node } from 'node-red';
import type { Account } from '../account/account';

/** What `msg.authy` holds: about the answer that a message was given, beside the result in its payload. */
export interface AnswerFacts {
  /** The node's type without `authy-`. */
  readonly operation: string;
  readonly service: string | undefined;
  /** The HTTP status, where there was one. */
  readonly statusCode: number | undefined;
  /** The answer as it came, parsed. */
  readonly response: unknown;
}

/** See {@link AnswerFacts}. */
export function answerFacts(
  node: Node,
  account: Account | undefined,
  statusCode: number | undefined,
  response: unknown,
): AnswerFacts {
  return {
    operation: node.type.replace('authy-', ''),
    service: account?.serviceName,
    statusCode,
    response,
  };
}
