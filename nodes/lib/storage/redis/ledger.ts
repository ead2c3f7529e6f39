import type { Decision } from '../../contract/service';
import type { Ledger } from '../ledger';
import type { Scripts } from './link';

// All in milliseconds.
const week = 7 * 24 * 3600 * 1000;
/** The longest time that a request may be open; one that can be answered for ever is remembered for as long. */
const year = 31_536_000 * 1000;

/**
 * How long to remember that a request was sent.
 *
 * @param seconds - how long it can be answered; 0 is for ever
 * @returns in milliseconds
 */
export function remembered(seconds: number): number {
  return (seconds === 0 ? year : Math.ceil(seconds * 1000)) + week;
}

/** The sent requests and their answers, in Redis. */
export class RedisLedger implements Ledger {
  constructor(private readonly scripts: Scripts) {}

  async asked(approvalId: string, recipient: string, seconds: number): Promise<void> {
    await this.scripts.run('asked', approvalId, recipient, remembered(seconds));
  }

  async recipientOf(approvalId: string): Promise<string | undefined> {
    const recipient = await this.scripts.run('recipientOf', approvalId);
    return typeof recipient === 'string' ? recipient : undefined;
  }

  async decided(approvalId: string, decision: Decision): Promise<'first' | 'duplicate' | 'conflict'> {
    const before = await this.scripts.run('decided', approvalId, decision, week, remembered(0));
    if (before === null) return 'first';
    return before === decision ? 'duplicate' : 'conflict';
  }
}
