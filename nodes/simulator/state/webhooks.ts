import { randomUUID } from 'node:crypto';
import { BoundedMap } from './bounded';
import { capacities } from './limits';

/** An address that wants to be told of events. */
export interface Webhook {
  /** Lower case. */
  readonly uuid: string;
  friendlyName: string;
  /** The names of the events; `*` is all of them. */
  events: readonly string[];
  url: string;
  isEnabled: boolean;
  version: string;
  readonly createdAt: number;
  updatedAt: number;
}

/** The webhooks, found by uuid. */
export class Webhooks {
  private readonly byUuid = new BoundedMap<string, Webhook>(capacities.webhooks);

  constructor(private readonly now: () => number) {}

  /** Oldest first. */
  get all(): readonly Webhook[] {
    return this.byUuid.all;
  }

  get(uuid: string): Webhook | undefined {
    return this.byUuid.get(uuid);
  }

  add(webhook: Omit<Webhook, 'uuid' | 'createdAt' | 'updatedAt'>): Webhook {
    const now = this.now();
    const added: Webhook = { ...webhook, uuid: randomUUID(), createdAt: now, updatedAt: now };
    this.byUuid.set(added.uuid, added);
    return added;
  }

  remove({ uuid }: Webhook): void {
    this.byUuid.delete(uuid);
  }

  /** Those that want to be told of an event. */
  of(event: string): readonly Webhook[] {
    return this.all.filter(
      ({ isEnabled, events }) => isEnabled && (events.includes('*') || events.includes(event)),
    );
  }

  clear(): void {
    this.byUuid.clear();
  }
}
