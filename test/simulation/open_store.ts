import type { Random } from '../support/random';
import { RedisStandIn } from '../support/redis_stand_in';
import type { Machine } from './machine';
import type { Plan } from './plan';
import { SimulatedRedis } from './redis_store';
import { ReferenceStore } from './reference_store';
import { epoch, type Scheduler } from './scheduler';
import type { SimulatedStore } from './stores';

/** The store that a world was drawn with. */
export function openStore(
  plan: Plan,
  scheduler: Scheduler,
  random: Random,
  machines: readonly Machine[],
  StandIn = RedisStandIn,
): SimulatedStore {
  if (plan.store === 'redis' && plan.isReal)
    return new SimulatedRedis(plan, scheduler, random, epoch, StandIn);
  return new ReferenceStore(plan, scheduler, random, machines, epoch);
}
