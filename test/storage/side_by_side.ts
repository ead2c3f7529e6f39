import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import should from 'should';
import type { ApprovalRecord, Claim, Found, RecordEvents, Records } from '../../nodes/lib/storage/records';
import { Machine } from '../simulation/machine';
import { type Plan, planOf, type StoreKind } from '../simulation/plan';
import { ReferenceStore } from '../simulation/reference_store';
import { epoch, Scheduler } from '../simulation/scheduler';
import { Random } from '../support/random';
import { takeAll } from '../support/records';
import type { OpenRecords, StoreUnderTest } from '../support/stores_under_test';

/** How the promises of a store differ from those of others. Everything else is the same for all stores. */
export interface Promises {
  /** The reference that it is compared with. */
  readonly reference: StoreKind;
  /** How many machines use it at the same time. */
  readonly machines: number;
  /** Which records a killed process leaves. */
  readonly killLeaves: 'everything' | 'the records at its start' | 'nothing';
  /** Whether a process can be killed in the middle of a change, which is then done or not. */
  readonly midway: boolean;
  /** Whether a change that was answered survives a power failure. */
  readonly powerMayFail: boolean;
  /** Whether an end survives a kill as soon as it was asked for. */
  readonly endsAtOnce: boolean;
  /** Whether each end is remembered: an id is created only once, and a final claim can be asked for again. */
  readonly tombstones: boolean;
  /** Whether the store compares the epoch of a record. Otherwise the process decides who may change the record. */
  readonly epochs: boolean;
  /** Whether a claim of a deleted record is answered from memory, once there was a claim or an end. */
  readonly remembersLost: boolean;
  /** How exactly the store notices a clock that was set back: by each sign of life, or by some of them. */
  readonly clock: 'exact' | 'roughly';
  /** Whether another process can take over the records of one that stands still. */
  readonly takenAlive: boolean;
}

/** The records of one opening, in the real store and in the reference. */
interface Opened {
  readonly real: Records;
  readonly reference: Records;
}

/** A record that a process has. Some stores count its epochs differently. */
interface Held {
  readonly record: ApprovalRecord;
  readonly referenceEpoch: number;
  isClaimed: boolean;
  /** Whether it was found as passing: it cannot wait again. */
  readonly wasPassing: boolean;
}

/** A process that runs on a machine. */
interface Process {
  readonly machine: Machine;
  open: OpenRecords;
  opened: Opened;
  /** Whether it has taken the records that were there. */
  hasTaken: boolean;
  /** Whether the last sign of life before it is known. */
  isSignSure: boolean;
  readonly held: Map<string, Held>;
  /** Ids of all records that it ever had claimed. */
  readonly claimed: Set<string>;
  /** Ids of the records that were deleted since it began. */
  readonly lost: Set<string>;
  readonly told: { readonly real: Set<string>; readonly reference: Set<string> };
}

/** A change that is asked for. */
interface Change {
  readonly what: 'create' | 'update' | 'claim' | 'claim finally' | 'unclaim' | 'end';
  readonly id: string;
  readonly held: Held;
}

type Answer = { readonly is: unknown } | { readonly failed: unknown };

const minute = 60_000;

const beforeClaim = [
  ...(['update', 'update', 'update', 'claim', 'claim', 'claim', 'claim finally', 'unclaim'] as const),
];
const afterClaim = [
  'update',
  'claim',
  'claim finally',
  'unclaim',
  'unclaim',
  'unclaim',
  'end',
  'end',
] as const;

/** Everything happens at a multiple of this, in milliseconds. */
const step = 100;

/** One random sequence of changes and failures from one seed, with a real store and the reference side by side. */
export class SideBySide {
  readonly trace: string[] = [];
  readonly scheduler = new Scheduler();
  private readonly random: Random;
  private readonly machines: readonly Machine[];
  private readonly reference: ReferenceStore;
  private readonly running = new Map<Machine, Process>();
  /** Processes that stand still, and have been taken over. */
  private stale: Process[] = [];
  /** Processes that have ended, whose memory may be there again. */
  private ended: OpenRecords[] = [];
  private readonly lost = new Set<string>();
  /** The epoch in which each record was last written. */
  private written = new Map<string, number>();
  /** The ids of all created records, in order. */
  private readonly made: string[] = [];
  private putBack: () => void = () => undefined;
  private latest = -Infinity;
  /** When the last process ended properly with records, by its clock. */
  private endedAt = -Infinity;
  private isRootGone = false;
  private number = 0;

  private constructor(
    seed: number,
    private readonly promises: Promises,
    private readonly store: StoreUnderTest,
    scheduler: Scheduler,
  ) {
    this.random = new Random(seed);
    this.scheduler = scheduler;
    const plan: Plan = { ...planOf(new Random(seed)), store: promises.reference, storeLatency: 0 };
    this.machines = Array.from(
      { length: promises.machines },
      (_, index) => new Machine(`m${index}`, this.scheduler, epoch),
    );
    this.reference = new ReferenceStore(plan, this.scheduler, this.random, this.machines, epoch);
  }

  /** Runs a sequence. @throws Error - with the trace, if the two differ */
  static async run(
    seed: number,
    promises: Promises,
    openStore: (scheduler: Scheduler) => StoreUnderTest | Promise<StoreUnderTest>,
    steps: number,
  ): Promise<void> {
    const scheduler = new Scheduler();
    const store = await openStore(scheduler);
    const sides = new SideBySide(seed, promises, store, scheduler);
    try {
      for (const machine of sides.machines) await sides.begin(machine);
      for (let count = 0; count < steps; count++) await sides.next();
      await sides.last();
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`seed ${seed}:\n${sides.trace.join('\n')}\n${message}`, { cause: error });
    } finally {
      await store.close();
    }
  }

  // ---- what happens

  private async next(): Promise<void> {
    const machine = this.random.pick(this.machines);
    const process = machine.standsStill ? undefined : this.running.get(machine);
    if (process === undefined) {
      if (!machine.standsStill && this.random.happens(0.3)) await this.begin(machine);
      else await this.pass();
      return;
    }
    const { promises } = this;
    const choices: [weight: number, does: () => Promise<void>][] = [
      [12, () => this.change(process)],
      [2, () => this.take(process, this.random.happens(0.5))],
      [1, () => this.deploy(process)],
      [1, () => this.kill(process)],
      [promises.midway ? 2 : 0, () => this.killMidway(process)],
      [promises.midway ? 0.5 : 0, () => this.killOpening(process)],
      [0.7, () => this.stop(process)],
      [promises.takenAlive && !this.isRootGone ? 0.7 : 0, () => this.takeAlive(process)],
      [promises.machines > 1 ? 1 : 0, () => this.standStill(machine)],
      [this.stale.length > 0 ? 2 : 0, () => this.changeStale()],
      [1.5, () => this.lose(process)],
      [0.2, () => this.loseAll(process)],
      [promises.reference === 'redis' ? 1 : 0.2, () => this.withdraw(process)],
      [2, () => this.pass()],
      [0.7, () => this.setClock(machine)],
    ];
    let drawn = this.random.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, does] of choices) {
      drawn -= weight;
      if (drawn > 0) continue;
      await does();
      return;
    }
  }

  /** Checks at the end that the next process finds all records that are left, and that they come to an end. */
  private async last(): Promise<void> {
    await this.pass(minute);
    for (const process of [...this.running.values()]) await this.stop(process);
    await this.pass(20_000);
    const [machine] = this.machines as [Machine];
    if (!this.running.has(machine)) await this.begin(machine);
    const process = this.running.get(machine) as Process;
    await this.take(process);
    const changes = [...process.held].map(([id, held]): Change => ({ what: 'claim finally', id, held }));
    await this.ask(process, changes);
    should(this.reference.open()).eql([]);
    await this.stop(process);
    await this.pass(20_000);
    if (!this.running.has(machine)) await this.begin(machine);
    await this.take(this.running.get(machine) as Process);
  }

  private async begin(machine: Machine, again?: OpenRecords, isSignSure = true): Promise<void> {
    this.say(`${machine.name} begins${again === undefined ? '' : ', with the memory of one that has ended'}`);
    machine.start();
    const putBack = this.reference.remember();
    const written = new Map(this.written);
    this.putBack = () => {
      putBack();
      this.written = written;
    };
    this.reference.begin(machine);
    await this.scheduler.run(this.scheduler.now);
    const process = this.entered(machine, await this.store.begin(machine, again));
    process.isSignSure = isSignSure;
    await this.isOpen(process);
    if (this.random.happens(0.6)) await this.take(process);
  }

  /** Notes that a process has begun. */
  private entered(machine: Machine, open: OpenRecords): Process {
    const told = { real: new Set<string>(), reference: new Set<string>() };
    const opened = this.opened(machine, open, told);
    const process: Process = {
      ...{
        machine,
        open,
        opened,
        told,
        held: new Map(),
        claimed: new Set(),
        lost: new Set(),
        hasTaken: false,
        isSignSure: true,
      },
    };
    this.running.set(machine, process);
    this.isRootGone = false;
    return process;
  }

  private opened(machine: Machine, open: OpenRecords, told: Process['told']): Opened {
    return {
      real: open(this.events(told.real)),
      reference: this.reference.of(machine).openRecords('gate', this.events(told.reference)),
    };
  }

  /** Makes the store read the records that are there. */
  private async isOpen({ opened }: Process): Promise<void> {
    if (this.promises.midway) await opened.real.update(newRecord('approval_none', {}));
  }

  private events(withdrawn: Set<string>): RecordEvents {
    return {
      onAbandoned: () => undefined,
      onWithdrawn: (ids) => {
        for (const id of ids) withdrawn.add(id);
      },
      onTrouble: (sentence) => this.say(`  told: ${sentence}`),
    };
  }

  private async stop(process: Process): Promise<void> {
    const { machine } = process;
    this.say(`${machine.name} ends`);
    this.endedAt = process.hasTaken && process.held.size > 0 ? this.wall(machine) : -Infinity;
    await this.both(process, 'close', (records) => records.close());
    this.reference.stop(machine);
    await this.store.stop(machine);
    this.ended.push(process.open);
    this.gone(process);
    await this.away(machine);
    // A process whose memory is from before another process.
    const again = this.promises.takenAlive && this.ended.length > 1 && this.random.happens(0.3);
    if (this.machines.length === 1) await this.begin(machine, again ? this.ended.shift() : undefined);
  }

  private async kill(process: Process): Promise<void> {
    this.say(`${process.machine.name} is killed`);
    this.store.kill(process.machine);
    this.killed(process);
    await this.away(process.machine);
    if (this.machines.length === 1) await this.begin(process.machine);
  }

  private killed(process: Process): void {
    this.ended = [];
    this.stale = [];
    this.endedAt = -Infinity;
    this.gone(process);
    if (this.promises.killLeaves === 'the records at its start') this.putBack();
  }

  private gone({ machine }: Process): void {
    machine.kill();
    this.reference.end(machine);
    this.running.delete(machine);
  }

  /** Some time passes while a machine is away, and its clock may be set meanwhile. */
  private async away(machine: Machine): Promise<void> {
    if (this.random.happens(0.4)) await this.setClock(machine);
    if (this.random.happens(0.3)) await this.pass();
  }

  /** The process is killed while several changes are under way. Each of them is then done or not. */
  private async killMidway(process: Process): Promise<void> {
    this.noteTime();
    const { machine } = process;
    const changes = this.changesOf(process);
    const isDone = new Set<Change>();
    const ended = new Set<Change>();
    for (const change of changes) {
      this.say(`${machine.name} asks: ${change.what} ${change.id}`);
      this.askedInTurn(process, change).then(
        () => isDone.add(change),
        () => undefined,
      );
      if (change.what === 'end' && this.promises.endsAtOnce) ended.add(change);
    }
    const turns = Math.floor(this.random.next() * 40);
    for (let count = 0; count < turns; count++) await turn();
    const isPower = this.promises.powerMayFail && this.random.happens(0.5);
    this.store.kill(machine, isPower);
    // An end survives a kill at once, but a power failure only once it was answered.
    const done = new Set(isPower ? isDone : [...isDone, ...ended]);
    this.say(`${machine.name} ${isPower ? 'loses its power' : 'is killed'} meanwhile`);
    // The records that are found show which changes were done. Those were done by the previous clock.
    const before = machine.clockAhead;
    const after = this.random.happens(0.3) ? before + this.jump() : before;
    machine.clockAhead = after;
    const open = await this.store.begin(machine);
    const real = open(this.events(new Set()));
    const found = await takeAll(real);
    machine.clockAhead = before;
    const seen = new Map(found.map((one) => [one.record.id, one.record]));
    for (const change of changes.filter((one) => done.has(one) || looksDone(one, seen.get(one.id)))) {
      this.say(`  done: ${change.what} ${change.id}`);
      const asked = this.asked(process.opened.reference, change, change.held.referenceEpoch);
      const [answer] = (await this.settle([asked])) as [Answer];
      if (isYes(answer)) this.remember(process, change);
    }
    this.killed(process);
    machine.clockAhead = after;
    machine.start();
    this.reference.begin(machine);
    const next = this.entered(machine, () => real);
    next.open = open;
    const { reference } = next.opened;
    const [expected] = await this.settle([takeAll(reference)]);
    this.compareFound(next, { is: found }, expected as Answer);
  }

  /** The process is killed, and the next one is killed while it begins. */
  private async killOpening(process: Process): Promise<void> {
    const { machine } = process;
    this.say(`${machine.name} is killed, and once more while it begins`);
    this.store.kill(machine);
    const open = await this.store.begin(machine);
    const opening = open(this.events(new Set()));
    const taking = this.random.happens(0.5) ? opening.take(new Map()) : Promise.resolve();
    taking.catch(() => undefined);
    const turns = Math.floor(this.random.next() * 15);
    for (let count = 0; count < turns; count++) await turn();
    this.store.kill(machine);
    this.killed(process);
    // The killed process may have given a sign of life, or not.
    await this.begin(machine, undefined, false);
  }

  /** Another process takes over while this one stands still. */
  private async takeAlive(process: Process): Promise<void> {
    const { machine } = process;
    this.say(`${machine.name} stands still, and another one takes over`);
    this.gone(process);
    this.stale.push(process);
    await this.begin(machine);
    await this.take(this.running.get(machine) as Process);
  }

  /** The process does nothing for a while; the others may take it for dead. */
  private async standStill(machine: Machine): Promise<void> {
    const milliseconds = this.random.pick([8000, 20_000, 40_000]);
    this.say(`${machine.name} stands still for ${milliseconds} ms`);
    machine.standStill(milliseconds, false);
    if (this.random.happens(0.6)) await this.pass(16_000);
  }

  /** A process that was taken over goes on, and can change nothing. */
  private async changeStale(): Promise<void> {
    const process = this.random.pick(this.stale);
    if (this.random.happens(0.2)) {
      this.say('one that was taken over ends');
      this.stale = this.stale.filter((one) => one !== process);
      await process.opened.real.close();
      return;
    }
    if (this.random.happens(0.3)) {
      const record = this.newRecord(process.machine);
      this.say(`one that was taken over makes ${record.id}`);
      const [answer] = await this.settle([process.opened.real.create(record)]);
      should(answer).have.property('failed');
      return;
    }
    this.say('one that was taken over goes on');
    const changes = this.changesOf(process).filter(({ what }) => what !== 'create');
    await this.ask(process, changes);
  }

  /** The node is replaced; the old and the new one overlap, or not. */
  private async deploy(process: Process): Promise<void> {
    const { opened } = process;
    const overlap = this.random.happens(0.5);
    this.say(`${process.machine.name} is deployed${overlap ? ', with both nodes there for a while' : ''}`);
    const close = (): Promise<unknown> => this.settle([opened.real.close(), opened.reference.close()]);
    if (!overlap) await close();
    process.opened = this.opened(process.machine, process.open, process.told);
    await this.isOpen(process);
    if (!overlap) return;
    await this.change(process);
    await close();
  }

  private async lose(process: Process): Promise<void> {
    const id = this.random.pick([...process.held.keys(), ...this.made.slice(-5)]) as string | undefined;
    if (id === undefined) return;
    this.say(`${id} is deleted`);
    await this.store.lose(id);
    this.reference.lose(id);
    this.lost.add(id);
    process.lost.add(id);
  }

  private async loseAll(by: Process): Promise<void> {
    this.say('everything is deleted');
    await this.store.lose();
    this.reference.lose();
    for (const id of this.made) {
      this.lost.add(id);
      for (const process of this.running.values()) process.lost.add(id);
    }
    this.isRootGone = true;
    this.stale = [];
    this.ended = [];
    if (this.random.happens(0.5)) await this.deploy(by);
  }

  private async withdraw(process: Process): Promise<void> {
    const approvalId = this.random.pick(['p', 'q', 'r', undefined]);
    this.say(`${process.machine.name} withdraws ${approvalId ?? 'all'} elsewhere`);
    await this.both(process, 'withdraw', (records) => records.withdrawElsewhere(approvalId, () => false));
  }

  /** Time passes, in which signs of life are given. */
  private async pass(
    milliseconds = this.random.pick([100, 1000, 4900, 10_000, 15_000, 16_000, minute]),
  ): Promise<void> {
    this.say(`${milliseconds} ms pass`);
    const until = this.scheduler.now + milliseconds;
    while (this.scheduler.now < until) {
      await this.scheduler.run(this.scheduler.now + step);
      await this.store.settled();
    }
    if (milliseconds < 10_000) return;
    // By then each process has asked for withdrawals.
    for (const { machine, told } of this.running.values()) {
      if (machine.standsStill) continue;
      same([...told.real].sort(), [...told.reference].sort(), `withdrawn, as ${machine.name} was told`);
    }
    if (milliseconds <= 15_000 || this.machines.length === 1) return;
    // By then a silent process counts as dead.
    for (const process of [...this.running.values()])
      if (!process.machine.standsStill && this.random.happens(0.5)) await this.take(process);
  }

  private setClock(machine: Machine): Promise<void> {
    machine.clockAhead += this.jump();
    this.say(`the clock of ${machine.name} is ${machine.clockAhead} ms ahead`);
    return Promise.resolve();
  }

  private jump(): number {
    return this.random.pick([-60 * minute, -20_000, -2000, -1100, -900, 900, 20_000, 60 * minute]);
  }

  // ---- what is asked

  private async change(process: Process): Promise<void> {
    await this.ask(process, this.changesOf(process));
  }

  /** Some changes, each of another record. */
  private changesOf(process: Process): Change[] {
    const count = this.random.pick([1, 1, 1, 2, 4]);
    const changes = new Map<string, Change>();
    for (let index = 0; index < count; index++) {
      const change = this.changeOf(process);
      if (change !== undefined) changes.set(change.id, change);
    }
    return [...changes.values()];
  }

  private changeOf(process: Process): Change | undefined {
    if (this.random.happens(0.3)) return this.makes(process);
    // Now and then a record that has ended, or that another process has.
    const others = [...this.running.values(), ...this.stale].flatMap(({ held }) => [...held]);
    const all = [...process.held];
    const lost = all.filter(([id]) => process.lost.has(id));
    const own = lost.length > 0 && this.random.happens(0.3) ? lost : all;
    const from = own.length === 0 || this.random.happens(0.15) ? [...others, ...this.over] : own;
    const one = this.random.pick(from) as (typeof from)[number] | undefined;
    if (one === undefined) return undefined;
    const [id, known] = one;
    const mine = process.held.get(id) ?? known;
    const what = this.random.pick(mine.isClaimed ? afterClaim : beforeClaim);
    const held = what === 'update' ? { ...mine, record: this.changed(process.machine, mine.record) } : mine;
    if (!this.promises.epochs || !this.random.happens(0.1)) return { what, id, held };
    // With the epoch of an earlier or a later owner.
    const by = this.random.pick([-1, 1]);
    const record = { ...held.record, epoch: held.record.epoch + by };
    return { what, id, held: { ...held, record, referenceEpoch: held.referenceEpoch + by } };
  }

  /** Records that have ended, with the values of their last owner. */
  private readonly over: [string, Held][] = [];

  private makes(process: Process): Change {
    const again = this.random.pick([
      ...process.held.keys(),
      ...(this.promises.tombstones ? this.made : []),
    ]) as string | undefined;
    const id = again !== undefined && !this.lost.has(again) && this.random.happens(0.1) ? again : undefined;
    const record = this.newRecord(process.machine, id);
    return {
      what: 'create',
      id: record.id,
      held: { record, referenceEpoch: record.epoch, isClaimed: false, wasPassing: false },
    };
  }

  private newRecord(machine: Machine, id = `approval_${this.made.length}`): ApprovalRecord {
    if (id === `approval_${this.made.length}`) this.made.push(id);
    return this.changed(machine, newRecord(id, { epoch: this.random.pick([0, 0, 1]) }));
  }

  private changed(machine: Machine, record: ApprovalRecord): ApprovalRecord {
    this.number += 1;
    const lifetime = this.random.pick([1000, minute, 15 * minute]);
    return {
      ...record,
      state: this.random.pick(['unsent', 'sending', 'waiting', 'waiting']),
      approvalId: this.random.pick(['p', 'q', undefined]),
      lifetime,
      endsAt: this.wall(machine) + lifetime,
      reminded: this.random.happens(0.5),
      message: JSON.stringify({ number: this.number, payload: 'x'.repeat(this.random.pick([0, 0, 5000])) }),
    };
  }

  private asked(records: Records, { what, held }: Change, as: number): Promise<unknown> {
    const record = { ...held.record, epoch: as };
    switch (what) {
      case 'create':
        return records.create(record);
      case 'update':
        return records.update(record);
      case 'claim':
        return records.claim(record, false);
      case 'claim finally':
        return records.claim(record, true);
      case 'unclaim':
        return records.unclaim(record);
      case 'end':
        return records.end(record);
    }
  }

  /** Asks the real store. If an end has to be safe at once, checks this before anything else can happen. */
  private askedInTurn({ opened, held }: Process, change: Change): Promise<unknown> {
    const isOurs = held.has(change.id);
    const asked = this.asked(opened.real, change, change.held.record.epoch);
    const isSafe = change.what === 'end' && this.promises.endsAtOnce && isOurs;
    if (isSafe && this.store.isThere(change.id)) throw new Error(`${change.id} is there after its end`);
    return asked;
  }

  /** Asks both stores for all changes at once, and compares their answers. */
  private async ask(process: Process, changes: readonly Change[]): Promise<void> {
    const { reference } = process.opened;
    const answers = await this.settle(
      changes.flatMap((change) => [
        this.askedInTurn(process, change),
        this.asked(reference, change, change.held.referenceEpoch),
      ]),
    );
    for (const [index, change] of changes.entries()) {
      const [answer, expected] = answers.slice(index * 2) as [Answer, Answer];
      this.say(`${process.machine.name}: ${change.what} ${change.id}: ${textOf(answer)}`);
      this.compare(process, change, answer, expected);
      if (isYes(answer)) this.remember(process, change);
      else if ('is' in answer) this.drop(process, change, answer.is);
    }
  }

  private compare(process: Process, { what, id }: Change, answer: Answer, expected: Answer): void {
    const said = `${what} ${id}`;
    if ('failed' in expected) {
      should(answer).have.property('failed');
      should(answer).match({ failed: { code: 'AUTHY_STORE' } }, said);
      return;
    }
    const isLost = this.promises.remembersLost && expected.is === 'missing';
    if (!isLost) {
      same(answer, expected, said);
      return;
    }
    // The store notices a deletion when it writes; for a record that is already claimed it does not write.
    const allowed = ['missing'];
    if (!process.held.has(id) || this.stale.includes(process)) allowed.push('theirs');
    if (process.claimed.has(id)) allowed.push('ours');
    if ('is' in answer && allowed.includes(answer.is as Claim)) return;
    throw new Error(`${said}: ${textOf(answer)}, and it was deleted`);
  }

  /** The process no longer has the record, unless it only cannot be written now. */
  private drop(process: Process, { what, id, held }: Change, answer: unknown): void {
    const own = process.held.get(id);
    if (own === undefined || own.record.epoch !== held.record.epoch) return;
    if (what === 'update' && own.isClaimed && answer === false) return;
    process.held.delete(id);
    this.over.push([id, own]);
  }

  private remember(process: Process, { what, id, held }: Change): void {
    const own = process.held.get(id);
    if (what === 'create') {
      process.held.set(id, { ...held });
      this.written.set(id, held.record.epoch);
      return;
    }
    if (own?.referenceEpoch !== held.referenceEpoch) return;
    if (what === 'update') {
      process.held.set(id, { ...own, record: held.record });
      this.written.set(id, held.record.epoch);
    } else if (what === 'claim') {
      own.isClaimed = true;
      process.claimed.add(id);
    } else if (what === 'unclaim') {
      own.isClaimed = own.wasPassing;
    } else {
      process.held.delete(id);
      this.over.push([id, own]);
    }
  }

  /** @param isBusy - whether records that it already has change meanwhile */
  private async take(process: Process, isBusy = false): Promise<void> {
    const { real, reference } = process.opened;
    const mine = (side: 'real' | 'reference'): Map<string, number> =>
      new Map(
        [...process.held].map(([id, held]) => [
          id,
          side === 'real' ? held.record.epoch : held.referenceEpoch,
        ]),
      );
    const taking = this.settle([takeAll(real, mine('real')), takeAll(reference, mine('reference'))]);
    const isOwn = ({ what, id }: Change): boolean => what === 'create' || process.held.has(id);
    if (isBusy) await this.ask(process, this.changesOf(process).filter(isOwn));
    const [found, expected] = await taking;
    this.compareFound(process, found as Answer, expected as Answer);
  }

  private compareFound(process: Process, answer: Answer, expected: Answer): void {
    should(answer).have.property('is');
    process.hasTaken = true;
    const [real, wanted] = [answer, expected].map((one) => (one as { is: Found[] }).is) as [Found[], Found[]];
    const { name } = process.machine;
    this.say(
      `${name} finds ${real.map(({ record: { id, state } }) => `${id} (${state})`).join(', ') || 'nothing'}`,
    );
    const plain = (found: readonly Found[]): unknown[] =>
      found
        .map(({ record }) => ({ ...record, epoch: this.promises.epochs ? record.epoch : 0 }))
        .sort((one, other) => (one.id < other.id ? -1 : 1));
    // A record that was read before it was deleted may still be found; a claim then says that it is gone.
    const isRead = ({ record: { id } }: Found): boolean =>
      process.lost.has(id) && !wanted.some(({ record }) => record.id === id);
    const there = this.promises.remembersLost ? real.filter((one) => !isRead(one)) : real;
    sameFound(plain(there), plain(JSON.parse(JSON.stringify(wanted)) as Found[]), `found by ${name}`);
    const now = this.wall(process.machine);
    for (const { record, isClockWrong } of there) {
      const { id } = record;
      const counterpart = wanted.find((one) => one.record.id === id) as Found;
      const before = this.written.get(id) ?? 0;
      should(record.epoch).be.within(before + 1, counterpart.record.epoch, `epoch of ${id}`);
      this.compareClock(process, isClockWrong, counterpart, now);
      if (record.state === 'passing') process.claimed.add(id);
      process.held.set(id, {
        record,
        referenceEpoch: counterpart.record.epoch,
        isClaimed: record.state === 'passing',
        wasPassing: record.state === 'passing',
      });
    }
  }

  private compareClock(process: Process, isWrong: boolean, wanted: Found, now: number): void {
    const { isClockWrong, record } = wanted;
    if (!process.isSignSure) return;
    const said = `whether the clock was set back, for ${record.id}`;
    if (this.promises.clock === 'exact') {
      same(isWrong, isClockWrong, said);
      return;
    }
    // Every store knows when the record was asked for, and when the previous process ended.
    const least = Math.max(record.endsAt - record.lifetime, this.endedAt);
    if (now + 1000 < least) same(isWrong, true, said);
    if (now + 1000 >= this.latest) same(isWrong, false, said);
  }

  private async both<T>(
    process: Process,
    what: string,
    ask: (records: Records) => Promise<T>,
  ): Promise<void> {
    const { real, reference } = process.opened;
    const [answer, expected] = await this.settle([ask(real), ask(reference)]);
    same(answer, expected, what);
  }

  /** Waits for all of these, without time passing, and returns the answers. */
  private async settle(asked: readonly Promise<unknown>[]): Promise<Answer[]> {
    this.noteTime();
    const answers = asked.map((promise) =>
      promise.then(
        (is): Answer => ({ is }),
        (failed: unknown): Answer => ({ failed }),
      ),
    );
    await this.scheduler.run(this.scheduler.now);
    const all = await Promise.all(answers);
    await this.store.settled();
    return all;
  }

  private noteTime(): void {
    this.latest = Math.max(this.latest, ...this.machines.map((machine) => this.wall(machine)));
  }

  private wall({ clockAhead }: Machine): number {
    return epoch + this.scheduler.now + clockAhead;
  }

  private say(line: string): void {
    this.trace.push(line);
  }
}

function newRecord(id: string, more: Partial<ApprovalRecord>): ApprovalRecord {
  return {
    id,
    accountId: 'account',
    recipient: '209',
    state: 'waiting',
    question: 'q',
    endsAt: 0,
    lifetime: 0,
    reminded: false,
    message: '{}',
    epoch: 0,
    ...more,
  };
}

/** Whether a change was done, judged by the record that was found after it. */
function looksDone({ what, held }: Change, found: ApprovalRecord | undefined): boolean {
  switch (what) {
    case 'create':
    case 'update':
      return found?.message === held.record.message;
    case 'claim':
      return found?.state === 'passing';
    case 'unclaim':
      return found !== undefined && found.state !== 'passing';
    case 'claim finally':
    case 'end':
      return found === undefined;
  }
}

/** Whether the answer means that the change was done. */
function isYes(answer: Answer): boolean {
  return 'is' in answer && ![false, 'theirs', 'withdrawn', 'missing'].includes(answer.is as Claim | false);
}

function same(real: unknown, reference: unknown, what: string): void {
  if (isDeepStrictEqual(real, reference)) return;
  throw new Error(`${what}:\n  the store:     ${inspect(real)}\n  the reference: ${inspect(reference)}`);
}

/** Compares two lists, and reports only the members that differ. */
function sameFound(real: readonly unknown[], reference: readonly unknown[], what: string): void {
  const [ours, theirs] = [real.map(inspect), reference.map(inspect)];
  same(
    ours.filter((one) => !theirs.includes(one)),
    theirs.filter((one) => !ours.includes(one)),
    what,
  );
}

function inspect(value: unknown): string {
  return JSON.stringify(value).replace(/x{9,}/g, 'xx…');
}

function textOf(answer: Answer): string {
  return 'failed' in answer
    ? (answer.failed as Error).message
    : String((answer.is as Claim | boolean | undefined) ?? 'done');
}
