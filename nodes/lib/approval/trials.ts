import { AuthyError } from '../contract/errors';
import { type Clock, realTime } from '../time';

/** How long the panel waits, in milliseconds: a message may never arrive, for example because a hook of Node-RED stops it. */
const longest = 60_000;

/** For a message that has ended without an answer and without an error. */
export function withdrawnFirst(): AuthyError {
  return new AuthyError('AUTHY_CANCELLED', 'Ask again: the message was withdrawn before anybody was asked.');
}

/** Messages that somebody has put into a gate by the button of its panel, until they are asked or fail. */
export class Trials {
  private readonly open = new Map<string, (error?: Error) => void>();

  constructor(private readonly time: Pick<Clock, 'after'> = realTime) {}

  /** @returns resolves once the message is asked; rejects with its error, or after a minute */
  begin(messageId: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const stopWaiting = this.time.after(longest, () => this.end(messageId, tooLate()));
      this.open.set(messageId, (error) => {
        stopWaiting();
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  }

  /** @param error - absent if the message is asked */
  end(messageId: string, error?: Error): void {
    const tell = this.open.get(messageId);
    this.open.delete(messageId);
    tell?.(error);
  }

  /** The node is closed: what becomes of its messages is known to the node that follows it. */
  close(): void {
    for (const messageId of [...this.open.keys()]) this.end(messageId, closed());
  }
}

function closed(): AuthyError {
  return new AuthyError(
    'AUTHY_CANCELLED',
    'Look at the outputs of the node: it was deployed again before it had asked.',
  );
}

function tooLate(): AuthyError {
  return new AuthyError('AUTHY_TIMEOUT', 'Look at the badge of the node: it has not asked within a minute.');
}
