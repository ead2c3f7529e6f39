import type { ApprovalRecord } from './records';

/** How often one person may be asked; 0 is no limit. */
export interface Limits {
  /** The number of requests of one user that may be open at once. */
  readonly maxOpen: number;
  /** Seconds between two requests to the same user. */
  readonly coolDown: number;
}

export type Admission =
  { admitted: true } | { admitted: false; open: number } | { admitted: false; waitSeconds: number };

/** The guard rails: they keep a flow that runs in a circle from flooding a phone with requests. */
export interface Rails {
  /** Counts one more open request of a user, unless the limits say no. */
  admit(request: Pick<ApprovalRecord, 'id' | 'recipient' | 'endsAt'>, limits: Limits): Promise<Admission>;
  /** Counts a request that was open before this process began. */
  count(request: Pick<ApprovalRecord, 'id' | 'recipient'>): void;
  /** The request is no longer open. */
  release(request: Pick<ApprovalRecord, 'id' | 'recipient'>): Promise<void>;
}
