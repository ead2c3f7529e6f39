import { AuthyError } from '../contract/errors';
import { secondsText } from '../contract/sentences';

/** The error if the guard rails refuse a request. */
export function refusedBy(refused: { open: number } | { waitSeconds: number }): AuthyError {
  if ('open' in refused) {
    return new AuthyError(
      'AUTHY_OPEN_LIMIT',
      'Wait for an answer, withdraw a request with msg.cancel, or raise the limit in the node: ' +
        `${refused.open} requests to this user are open already. Nothing was sent.`,
    );
  }
  return new AuthyError(
    'AUTHY_COOL_DOWN',
    `Wait ${secondsText(refused.waitSeconds)}. This user was asked a moment ago: slow the flow down, or shorten the pause ` +
      'in the node. Nothing was sent.',
    { retryAfter: refused.waitSeconds },
  );
}

/** The error for a message whose record an earlier run of the process left in this state. */
export function interrupted(state: 'unsent' | 'sending' | 'passing'): AuthyError {
  switch (state) {
    case 'unsent':
      return new AuthyError(
        'AUTHY_CANCELLED',
        'Send the message again: Node-RED was stopped before its approval request was sent. Nothing was sent.',
      );
    case 'sending':
      return new AuthyError(
        'AUTHY_OUTCOME_UNKNOWN',
        'Check the phone before you send it again: Node-RED stopped while the approval request was being sent. ' +
          'It is not known whether it reached the phone.',
      );
    case 'passing':
      return new AuthyError(
        'AUTHY_OUTCOME_UNKNOWN',
        'Check before you send it again: Node-RED stopped while a decision was being handed on. ' +
          'It is not known whether the flow received it.',
      );
  }
}

/** The error for a message whose record is no longer in the store. */
export function lostByStore(): AuthyError {
  return new AuthyError(
    'AUTHY_STORE',
    'Look at the store of open approvals: it has lost this request, and so its answer does not count. ' +
      'The request may still be on the phone.',
  );
}
