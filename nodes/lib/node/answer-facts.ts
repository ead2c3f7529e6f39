import type { Node } from 'node-red';
import type { Account } from '../account/account';
import type { JsonObject } from '../contract/json';
import type { Rejection } from '../contract/service';

/** The members of `msg.authy`: facts about the answer to a message, beside the result in its payload. */
export interface AnswerFacts {
  /** The node's type without `authy-`. */
  readonly operation: string;
  readonly service: string | undefined;
  /** The HTTP status, if there was one. */
  readonly statusCode?: number | undefined;
  /** The answer as it came, parsed. */
  readonly response?: unknown;
  /** Why a callback is not believed. */
  readonly reason?: Rejection;
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

/**
 * The same for a callback.
 *
 * @param verdict - everything that it carried, or why it is not believed
 */
export function callbackFacts(
  node: Node,
  account: Account | undefined,
  verdict: { readonly response: JsonObject } | { readonly reason: Rejection },
): AnswerFacts {
  return { ...factsOf(node, account), ...verdict };
}

function factsOf({ type }: Node, account: Account | undefined): Pick<AnswerFacts, 'operation' | 'service'> {
  return { operation: type.replace('authy-', ''), service: account?.serviceName };
}
