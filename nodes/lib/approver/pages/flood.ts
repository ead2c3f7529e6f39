import type { IncomingMessage } from 'node:http';

/** How many addresses are remembered at once. */
const capacity = 20_000;

/** Limits how often something may be done within a minute. */
export class Flood {
  private counts = new Map<string, number>();
  private since = -Infinity;

  /** @param most - within a minute, for each of them */
  constructor(private readonly most: number) {}

  /**
   * Counts one more.
   *
   * @param who - for example an address
   * @param now - milliseconds by a clock that cannot be set
   * @returns in how many seconds it may be done again; 0 if it may now
   */
  count(who: string, now: number): number {
    if (now - this.since >= 60_000) {
      this.counts = new Map();
      this.since = now;
    }
    // Whoever comes from so many addresses is one crowd.
    const key = this.counts.has(who) || this.counts.size < capacity ? who : '';
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    return count <= this.most ? 0 : Math.ceil((this.since + 60_000 - now) / 1000);
  }
}

/** Who sends a request: what a proxy on this machine says, which has added its own entry at the end; otherwise the address. */
export function senderOf({ socket, headers }: IncomingMessage): string {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const isProxy = address === '::1' || address.startsWith('127.');
  const forwarded = isProxy ? String(headers['x-forwarded-for'] ?? '') : '';
  return forwarded.split(',').at(-1)?.trim() || address;
}
