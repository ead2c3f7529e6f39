import { Instance } from '../../nodes/lib/storage/redis/instance';
import { type Link, NothingDone } from '../../nodes/lib/storage/redis/link';
import { RedisStores } from '../../nodes/lib/storage/redis/stores';
import type { ApprovalRecord } from '../../nodes/lib/storage/records';
import { RedisStandIn } from '../support/redis_stand_in';
import type { Random } from '../support/random';
import type { Machine } from './machine';
import { StoreLine } from './store_line';
import type { Plan, StoreTrouble } from './plan';
import type { Scheduler } from './scheduler';
import type { MachineStore, SimulatedStore } from './stores';

/** The package's own way to Redis, as far as the scripts: those are run by the stand-in, over a line that has troubles. */
export class SimulatedRedis implements SimulatedStore {
  private readonly redis: RedisStandIn;
  private readonly line: StoreLine;
  private readonly stores = new Map<Machine, RedisStores>();

  constructor(
    plan: Plan,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly epoch: number,
    StandIn: typeof RedisStandIn,
  ) {
    this.redis = new StandIn();
    this.line = new StoreLine(plan, scheduler, random);
  }

  begin(machine: Machine): void {
    const link: Link = {
      open: (onReady, onHint) => {
        this.redis.listeners.add((text) => this.line.tells(machine, () => onHint(text)));
        machine.does(onReady);
      },
      run: (name, ...args) =>
        this.line.ask(machine, () => {
          if (this.line.isRefusing && !harmless.has(name)) throw new NothingDone('it is read-only');
          return this.redis.run(name, args, this.epoch + this.scheduler.now);
        }),
      close: () => Promise.resolve(),
    };
    const stores = new RedisStores(link, {
      name: 'redis',
      log: () => undefined,
      onAnswer: () => undefined,
      instance: new Instance(`${machine.name}/${machine.life}`),
      time: machine.outside().time,
    });
    this.stores.set(machine, stores);
  }

  end(machine: Machine): void {
    this.stores.delete(machine);
  }

  of(machine: Machine): MachineStore {
    const stores = this.stores.get(machine) as RedisStores;
    return {
      place: stores,
      openRecords: (id, events) => stores.records({ id }, events),
      admit: (record, limits) => stores.rails.admit(record, limits),
      release: (record) => stores.rails.release(record),
    };
  }

  trouble(what: StoreTrouble, machine: Machine, milliseconds: number): void {
    if (what === 'flush') this.redis.flush();
    else if (what === 'evict') this.evict();
    else this.line.trouble(what, machine, milliseconds);
  }

  calm(): void {
    this.line.calm();
  }

  open(): string[] {
    return [...this.redis.keys.values()].flatMap((value) => {
      const text = value instanceof Map ? value.get('record') : undefined;
      return typeof text === 'string' ? [(JSON.parse(text) as ApprovalRecord).message] : [];
    });
  }

  private evict(): void {
    const records = [...this.redis.keys.keys()].filter((key) => key.startsWith('request:'));
    if (records.length > 0) this.redis.evict(this.random.pick(records));
  }
}

/** What changes nothing that a message depends on. */
const harmless: ReadonlySet<string> = new Set(['signOfLife', 'holders', 'withdrawn']);
