import type { ServerResponse } from 'node:http';
import type { ApproverProblem } from '../../contract/approver';
import { sendJson } from '../../server/send';
import type { Refused } from '../refused';

const statusOf: Readonly<Record<ApproverProblem, number>> = {
  invalid: 400,
  signedOut: 401,
  foreign: 403,
  locked: 403,
  gone: 404,
  invitation: 404,
  answered: 409,
  expired: 409,
  changed: 409,
  tooLarge: 413,
  notJson: 415,
  wrongCode: 422,
  reusedCode: 422,
  tooManyAttempts: 422,
  passkeyRefused: 422,
  passkeyNeeded: 422,
  tooMany: 429,
  unavailable: 503,
};

/** Tells the page why it does not get what it asked for. */
export function sendRefusal(
  response: ServerResponse,
  { problem, retryAfter }: Pick<Refused, 'problem' | 'retryAfter'>,
): void {
  sendJson(response, statusOf[problem], { error: problem, ...(retryAfter && { retryAfter }) });
}
