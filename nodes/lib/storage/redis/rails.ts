import type { Admission, Limits, Rails } from '../rails';
import type { ApprovalRecord } from '../records';
import type { Scripts } from './link';

/** The guard rails, in Redis: they count for all instances. */
export class RedisRails implements Rails {
  constructor(private readonly scripts: Scripts) {}

  async admit(
    { id, recipient, endsAt }: Pick<ApprovalRecord, 'id' | 'recipient' | 'endsAt'>,
    { maxOpen, coolDown }: Limits,
  ): Promise<Admission> {
    const limits = [maxOpen, Math.ceil(coolDown * 1000)];
    const answer = await this.scripts.run('admit', id, recipient, Math.ceil(endsAt), ...limits);
    const [word, count] = answer as [string, number];
    if (word === 'open') return { admitted: false, open: count };
    if (word === 'wait') return { admitted: false, waitSeconds: Math.ceil(count / 1000) };
    return { admitted: true };
  }

  count(): void {
    // Redis still knows it.
  }

  async release({ id, recipient }: Pick<ApprovalRecord, 'id' | 'recipient'>): Promise<void> {
    await this.scripts.run('release', id, recipient);
  }
}
