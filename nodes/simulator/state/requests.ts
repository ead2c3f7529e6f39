import { BoundedList } from './bounded';
import { capacities } from './limits';

/** A request to the Authy endpoints, without its values: they hold the key and tokens. */
export interface SeenRequest {
  /** ISO 8601. */
  readonly at: string;
  readonly method: string;
  /** Without the query string; a token in it is `***`. */
  readonly path: string;
  /** The names of its top-level parameters. */
  readonly parameters: readonly string[];
  /** Of the answer; null if the connection was dropped. */
  readonly status: number | null;
  /** The kind of the fault that made the answer. */
  readonly fault: string | null;
}

/** The requests that came to the Authy endpoints. */
export class SeenRequests {
  private readonly list = new BoundedList<SeenRequest>(capacities.requests);

  /** Oldest first. */
  get all(): readonly SeenRequest[] {
    return this.list.all;
  }

  add(request: SeenRequest): void {
    this.list.add(request);
  }

  clear(): void {
    this.list.clear();
  }
}
