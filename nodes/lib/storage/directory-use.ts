import { AuthyError } from '../contract/errors';
import type { Clock } from '../time';
import { OwnedDirectory, type ProcessRun, type Tell } from './owned-directory';

/** The directory to use, and by whom. */
export interface DirectoryPlace {
  readonly root: string;
  readonly run: ProcessRun;
  readonly time: Clock;
}

/**
 * The use of an {@link OwnedDirectory} by one account or gate: it enters the directory, opens something there, and leaves
 * again. What could not be opened is opened with the next call.
 */
export class DirectoryUse<T> {
  /** What was opened, once it is. */
  opened: T | undefined;
  private directory: OwnedDirectory | undefined;
  private opening: Promise<T> | undefined;
  private isClosed = false;

  /**
   * @param tell - is told if another process takes the directory over
   * @param openIn - opens it in the directory, which has been entered
   */
  constructor(
    private readonly place: DirectoryPlace,
    private readonly tell: Tell,
    private readonly openIn: (directory: OwnedDirectory) => Promise<T>,
  ) {
    // The next call reports the error.
    this.open().catch(() => undefined);
  }

  /** @throws AuthyError - `AUTHY_STORE` if another process has the directory, it cannot be used, or this was closed */
  open(): Promise<T> {
    if (this.opening !== undefined) return this.opening;
    if (this.isClosed)
      return Promise.reject(new AuthyError('AUTHY_STORE', 'Send the message again: its node was closed.'));
    const opening = this.begin();
    this.opening = opening;
    opening.then(
      (opened) => (this.opened = opened),
      () => (this.opening = undefined),
    );
    return opening;
  }

  /** @param settle - waits for the changes under way */
  async close(settle: (opened: T) => Promise<void>): Promise<void> {
    this.isClosed = true;
    const opened = await this.opening?.catch(() => undefined);
    if (opened !== undefined) await settle(opened);
    await this.directory?.leave(this.tell);
  }

  private async begin(): Promise<T> {
    const { root, run, time } = this.place;
    this.directory = await OwnedDirectory.enter(root, this.tell, run, time);
    return this.openIn(this.directory);
  }
}
