import { AuthyError } from '../contract/errors';

interface Trial {
  readonly asked: () => void;
  readonly failed: (error: Error) => void;
}

/** For a message that has ended without an answer and without an error. */
export function withdrawnFirst(): AuthyError {
  return new AuthyError('AUTHY_CANCELLED', 'Ask again: the message was withdrawn before anybody was asked.');
}

/** Messages that somebody has put into a gate by the button of its panel, until they are asked or fail. */
export class Trials {
  private readonly open = new Map<string, Trial>();

  /** @returns resolves once the message is asked; rejects with its error */
  begin(messageId: string): Promise<void> {
    return new Promise((resolve, reject) => this.open.set(messageId, { asked: resolve, failed: reject }));
  }

  asked(messageId: string): void {
    this.open.get(messageId)?.asked();
    this.open.delete(messageId);
  }

  failed(messageId: string, error: Error): void {
    this.open.get(messageId)?.failed(error);
    this.open.delete(messageId);
  }

  /** The node is closed: what becomes of its messages is known to the node that follows it. */
  close(): void {
    for (const { failed } of this.open.values()) {
      failed(
        new AuthyError(
          'AUTHY_CANCELLED',
          'Look at the outputs of the node: it was deployed again before it had asked.',
        ),
      );
    }
    this.open.clear();
  }
}
