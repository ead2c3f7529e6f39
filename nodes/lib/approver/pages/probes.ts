import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** How long a probe is known, in milliseconds. */
const lifetime = 60_000;
/** How many are known at once. */
const most = 20;

/** A request of a probe, as it came in: what stands in between may have changed it. */
export type Arrival = Pick<IncomingMessage, 'headers'>;

/** A question of this Node-RED to itself: does the public address of the page lead here? */
export interface Probe {
  /** Nobody else knows it. */
  readonly nonce: string;
  /** The call, once it has come in. */
  call?: Arrival;
}

/** The probes of an account's page. */
export class Probes {
  private readonly known = new Map<string, { readonly probe: Probe; readonly until: number }>();

  /** @param now - milliseconds by a clock that cannot be set */
  begin(now: number): Probe {
    const probe: Probe = { nonce: randomBytes(16).toString('base64url') };
    this.known.set(probe.nonce, { probe, until: now + lifetime });
    const [oldest] = this.known.keys();
    if (this.known.size > most && oldest !== undefined) this.known.delete(oldest);
    return probe;
  }

  end({ nonce }: Probe): void {
    this.known.delete(nonce);
  }

  /** Whether any probe is under way: otherwise nothing is read of what claims to be of one. */
  areOpen(now: number): boolean {
    return [...this.known.values()].some(({ until }) => now < until);
  }

  /** The probe that a request is of; undefined if it is of none. @param nonce - as it was sent */
  find(nonce: unknown, now: number): Probe | undefined {
    const found = typeof nonce === 'string' ? this.known.get(nonce) : undefined;
    return found !== undefined && now < found.until ? found.probe : undefined;
  }
}
