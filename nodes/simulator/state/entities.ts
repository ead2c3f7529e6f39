import { randomUUID } from 'node:crypto';
import { BoundedMap } from './bounded';
import { type Factor, isGivenUp, type Owner } from './factors';
import { capacities } from './limits';
import { RollingLimit, within } from './rolling-limit';

/** How many factors of each type an entity may have. */
const maximalFactors = { totp: 100, push: 20 };

/** A person as a service of Verify knows them: an identity, and the factors that prove it. */
export interface Entity extends Owner {
  readonly createdAt: number;
  readonly updatedAt: number;
  /** By uuid, oldest first. */
  readonly factors: Map<string, Factor>;
  /** How many factors may be made for it. */
  readonly creations: RollingLimit;
}

/** The entities, found by identity. */
export class Entities {
  private readonly byIdentity = new BoundedMap<string, Entity>(capacities.entities);

  constructor(private readonly now: () => number) {}

  /** Oldest first. */
  get all(): readonly Entity[] {
    return this.byIdentity.all;
  }

  get(identity: string): Entity | undefined {
    return this.byIdentity.get(identity);
  }

  add(identity: string): Entity {
    const now = this.now();
    const entity: Entity = {
      uuid: randomUUID(),
      identity,
      createdAt: now,
      updatedAt: now,
      factors: new Map(),
      creations: new RollingLimit([within.day(100)]),
    };
    this.byIdentity.set(identity, entity);
    return entity;
  }

  remove(entity: Entity): void {
    this.byIdentity.delete(entity.identity);
  }

  /** The factors of an entity, oldest first, without those that nobody confirmed in time. */
  factorsOf(entity: Entity): readonly Factor[] {
    for (const factor of entity.factors.values()) {
      if (isGivenUp(factor, this.now())) entity.factors.delete(factor.uuid);
    }
    return [...entity.factors.values()];
  }

  /** Every factor, oldest first. */
  get factors(): readonly Factor[] {
    return this.all
      .flatMap((entity) => this.factorsOf(entity))
      .sort((one, other) => one.createdAt - other.createdAt);
  }

  /** Gives an entity a factor. @returns what it would be too many of, if it is */
  addFactor(entity: Entity, factor: Factor): 'factors' | 'today' | undefined {
    const { type } = factor;
    const others = this.factorsOf(entity).filter((other) => other.type === type);
    if (others.length >= maximalFactors[type]) return 'factors';
    if (!entity.creations.take(this.now())) return 'today';
    entity.factors.set(factor.uuid, factor);
    return undefined;
  }

  removeFactor(factor: Factor): void {
    this.get(factor.entity.identity)?.factors.delete(factor.uuid);
  }

  clear(): void {
    this.byIdentity.clear();
  }
}
