import { AuthyError } from '../authy/errors';

/** The error where the guard rails let a request not through. */
export function refusedBy(refused: { open: number } | { waitSeconds: number }): AuthyError {
  if ('open' in refused) {
    return new AuthyError(
      'AUTHY_OPEN_LIMIT',
      `${refused.open} requests to this user are open already, as many as the node allows; nothing was sent. ` +
        'Wait for an answer, withdraw one with msg.cancel, or raise the limit in the node.',
    );
  }
  return new AuthyError(
    'AUTHY_COOL_DOWN',
    `This user was asked a moment ago; nothing was sent. Wait ${refused.waitSeconds} seconds, ` +
      'slow the flow down, or shorten the pause in the node.',
    { retryAfter: refused.waitSeconds },
  );
}

/** What can be said of a request that was being worked on when its process ended. */
export function interrupted(state: 'asking' | 'passing'): AuthyError {
  return new AuthyError(
    'AUTHY_OUTCOME_UNKNOWN',
    state === 'asking'
      ? 'Node-RED stopped while the approval request was being sent: it is not known whether it reached the phone. ' +
          'Check before you send it again.'
      : 'Node-RED stopped while a decision was being handed on: it is not known whether the flow received it. ' +
          'Check before you send it again.',
  );
}
