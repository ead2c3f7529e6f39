import { AuthyError } from '../../nodes/lib/contract/errors';
import { NothingDone } from '../../nodes/lib/storage/redis/link';
import type { Random } from '../support/random';
import type { Machine } from './machine';
import type { Plan, StoreTrouble } from './plan';
import type { Scheduler } from './scheduler';

/** A command is given up after this, in milliseconds. */
const deadline = 5000;

/** The way from the machines of a world to its store, and back. */
export class StoreLine {
  private readonly cutUntil = new Map<Machine, number>();
  private readonly deafUntil = new Map<Machine, number>();
  private refusesUntil = 0;

  constructor(
    private readonly plan: Plan,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
  ) {}

  /** Whether the store changes nothing. */
  get isRefusing(): boolean {
    return this.scheduler.now < this.refusesUntil;
  }

  trouble(what: StoreTrouble, machine: Machine, milliseconds: number): void {
    const until = this.scheduler.now + milliseconds;
    if (what === 'cut') this.cutUntil.set(machine, until);
    if (what === 'loseAnswers') this.deafUntil.set(machine, until);
    if (what === 'refuse') this.refusesUntil = until;
  }

  calm(): void {
    this.cutUntil.clear();
    this.deafUntil.clear();
    this.refusesUntil = 0;
  }

  /**
   * Has something done at the store.
   *
   * @throws NothingDone - or rejects with it, where it certainly was not
   * @throws AuthyError - `AUTHY_STORE`, where nobody knows
   */
  ask<T>(machine: Machine, what: () => T): Promise<T> {
    return machine.hears(this.carry(machine, what));
  }

  /** The store says something of its own accord. It may get lost. */
  tells(machine: Machine, what: () => void): void {
    if (this.isCut(machine)) return;
    const { life } = machine;
    this.scheduler.after(this.way(), () => {
      if (!this.isCut(machine)) machine.does(what, life);
    });
  }

  private async carry<T>(machine: Machine, what: () => T): Promise<T> {
    if (this.isCut(machine)) throw new NothingDone('not connected');
    const { life } = machine;
    await this.scheduler.sleep(this.way());
    // What is on its way to a server arrives also if its sender has died. On its own disk a dead process writes nothing.
    const isLost = this.plan.store !== 'redis' && machine.life !== life;
    if (this.isCut(machine) || isLost) return this.silence();
    const answer = what();
    await this.scheduler.sleep(this.way());
    if (this.isCut(machine) || this.scheduler.now < (this.deafUntil.get(machine) ?? 0)) return this.silence();
    return answer;
  }

  private async silence(): Promise<never> {
    await this.scheduler.sleep(deadline);
    throw new AuthyError('AUTHY_STORE', 'no answer');
  }

  private isCut(machine: Machine): boolean {
    return this.scheduler.now < (this.cutUntil.get(machine) ?? 0);
  }

  private way(): number {
    return this.random.next() * this.plan.storeLatency;
  }
}
