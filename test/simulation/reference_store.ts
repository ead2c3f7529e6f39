import { NothingDone } from '../../nodes/lib/storage/redis/link';
import type { ApprovalRecord, Claim, Found, RecordEvents, Records } from '../../nodes/lib/storage/records';
import { pause } from '../../nodes/lib/time';
import type { Random } from '../support/random';
import type { Outside } from '../../nodes/lib/approval/outside';
import type { Machine } from './machine';
import type { Plan, StoreTrouble } from './plan';
import type { Scheduler } from './scheduler';
import { StoreLine } from './store_line';
import type { MachineStore, SimulatedStore } from './stores';

interface Kept {
  text: string | undefined;
  holder: string;
  epoch: number;
  state: 'open' | 'passing' | 'ended' | 'withdrawn';
  writtenAt: number;
  isUnconfirmed?: boolean;
  /** It was ended by a claim whose answer may get lost: it can be asked for again. */
  isFinal?: boolean;
  /** It is certain that none was made. */
  isVoid?: boolean;
}

const deadAfter = 15_000;

/** Between two signs of life, in milliseconds. */
const beatEvery = { files: 2000, redis: 5000 };

/** The contract of a store, in the shortest form: what is kept is in one place, and each change happens at once. */
export class ReferenceStore implements SimulatedStore {
  private kept = new Map<string, Kept>();
  /** The approval ids of requests that were withdrawn. */
  private readonly cancelled = new Set<string>();
  private readonly alive = new Map<string, number>();
  private readonly events = new Map<Machine, Set<{ events: RecordEvents; holder: string }>>();
  private readonly line: StoreLine;
  private readonly holders = new Map<Machine, string>();
  /** The last sign of life in files, by the computer's clock; undefined where somebody has deleted it. */
  private sign: number | undefined = -Infinity;
  private isSigning = false;
  /** The last one there was when the present life began. */
  private signBefore = -Infinity;

  constructor(
    private readonly plan: Plan,
    private readonly scheduler: Scheduler,
    private readonly random: Random,
    private readonly machines: readonly Machine[],
    private readonly epoch: number,
  ) {
    this.line = new StoreLine(plan, scheduler, random);
  }

  begin(machine: Machine): void {
    const holder = `${machine.name}/${machine.life}`;
    this.holders.set(machine, holder);
    this.events.set(machine, new Set());
    this.isSigning = false;
    const writtenAt = [...this.kept.values()].filter(isOpen).map((kept) => kept.writtenAt);
    this.signBefore = Math.max(this.sign ?? -Infinity, ...writtenAt);
    const { time } = machine.outside();
    const beat = (): void => {
      this.beat(machine, holder);
      time.after(beatEvery.redis, beat);
    };
    if (this.plan.store === 'redis') beat();
  }

  /** Gives signs of life in files, from the first use until the process ends. */
  private beginSigns({ time }: Outside): void {
    if (this.isSigning) return;
    this.isSigning = true;
    const beat = (): void => {
      if (this.sign !== undefined) this.sign = time.wall();
      time.after(beatEvery.files, beat);
    };
    this.sign = time.wall();
    time.after(beatEvery.files, beat);
  }

  private beat(machine: Machine, holder: string): void {
    this.ask(machine, () => this.alive.set(holder, this.scheduler.now)).then(
      () => {
        for (const { events } of this.events.get(machine) ?? []) events.onAbandoned();
      },
      () => undefined,
    );
  }

  /** A process ends properly, in this very turn. */
  stop(machine: Machine): void {
    if (this.isSigning && this.sign !== undefined) this.sign = machine.outside().time.wall();
  }

  end(machine: Machine): void {
    this.events.delete(machine);
    if (this.plan.store === 'memory') this.kept.clear();
  }

  trouble(what: StoreTrouble, machine: Machine, milliseconds: number): void {
    if (what === 'flush') this.lose();
    else if (what === 'evict') this.evict();
    else this.line.trouble(what, machine, milliseconds);
  }

  /** Somebody has deleted a record; or all there is, where none is named. */
  lose(id?: string): void {
    if (id !== undefined) {
      this.kept.delete(id);
      return;
    }
    this.kept.clear();
    this.alive.clear();
    this.sign = undefined;
  }

  /** @returns makes it hold again what it holds now */
  remember(): () => void {
    const kept = [...this.kept].map(([id, one]): [string, Kept] => [id, { ...one }]);
    return () => (this.kept = new Map(kept));
  }

  private evict(): void {
    const open = [...this.kept].filter(([, kept]) => isOpen(kept));
    if (open.length > 0) this.lose(this.random.pick(open)[0]);
  }

  calm(): void {
    this.line.calm();
  }

  open(): string[] {
    return [...this.kept.values()].flatMap(({ text }) => (text === undefined ? [] : [text]));
  }

  of(machine: Machine): MachineStore {
    return {
      place: {},
      openRecords: (_gateId, events) => this.records(machine, events),
      admit: () => Promise.resolve({ admitted: true }),
      release: () => Promise.resolve(),
    };
  }

  private records(machine: Machine, events: RecordEvents): Records {
    const holder = this.holders.get(machine) ?? '';
    const { life } = machine;
    const entry = { events, holder };
    const { time } = machine.outside();
    let isClosed = false;
    const opened = this.events.get(machine);
    if (this.plan.store === 'files') this.beginSigns(machine.outside());
    opened?.add(entry);
    const now = (): number =>
      this.epoch + this.scheduler.now + (this.plan.store === 'redis' ? 0 : machine.clockAhead);
    const mine = ({ id, epoch }: ApprovalRecord): Kept | undefined => {
      const kept = this.kept.get(id);
      return kept?.holder === holder && kept.epoch === epoch && kept.text !== undefined ? kept : undefined;
    };
    const isCancelled = ({ approvalId = '' }: ApprovalRecord): boolean => this.cancelled.has(approvalId);
    const withdraw = (kept: Kept, id: string): void => {
      kept.state = 'withdrawn';
      kept.text = undefined;
      this.tellWithdrawn(new Map([[kept.holder, [id]]]));
    };
    const claim = (record: ApprovalRecord, isFinal: boolean): Claim => {
      const kept = this.kept.get(record.id);
      if (kept === undefined) return 'missing';
      if (kept.state === 'withdrawn' || kept.state === 'ended') {
        if (kept.holder !== holder || kept.epoch !== record.epoch) return 'theirs';
        if (kept.state === 'withdrawn') return 'withdrawn';
        return kept.isFinal ? 'ours' : 'theirs';
      }
      const held = mine(record);
      if (held === undefined) return 'theirs';
      if (held.state === 'open' && isCancelled(record)) {
        withdraw(held, record.id);
        return 'withdrawn';
      }
      held.state = isFinal ? 'ended' : 'passing';
      if (!isFinal) return 'ours';
      held.text = undefined;
      held.isFinal = this.plan.store === 'redis';
      return 'ours';
    };
    const recordOf = ({ text = '', epoch, state, writtenAt }: Kept): Found => {
      const record = { ...(JSON.parse(text) as ApprovalRecord), epoch };
      if (state === 'passing') record.state = 'passing';
      const sign = this.plan.store === 'redis' ? writtenAt : this.signBefore;
      return { record, isClockWrong: now() < sign - 1000 };
    };
    const ask = <T>(what: () => T): Promise<T> => this.ask(machine, what);
    return {
      name: 'reference',
      now,
      create: async (record, isWanted = () => true) => {
        const text = JSON.stringify(record);
        const make = (): void => {
          if (this.line.isRefusing) throw new NothingDone('refused');
          if (this.kept.has(record.id)) throw new NothingDone('it was there before');
          this.alive.set(holder, this.scheduler.now);
          this.sign ??= now();
          this.kept.set(record.id, { text, holder, epoch: record.epoch, state: 'open', writtenAt: now() });
          const made = this.kept.get(record.id);
          if (made !== undefined && isCancelled(record)) withdraw(made, record.id);
        };
        const { id, epoch } = record;
        /** @returns false where it went on without this instance */
        const bury = (): boolean => {
          const kept = this.kept.get(id);
          if (kept?.isVoid === true) return true;
          if (kept !== undefined && (kept.holder !== holder || kept.state !== 'open')) return false;
          this.kept.set(id, {
            text: undefined,
            holder,
            epoch,
            state: 'ended',
            writtenAt: now(),
            isVoid: true,
          });
          return true;
        };
        const becomesCertain = async (isWaitedFor: () => boolean): Promise<boolean | undefined> => {
          while (isWaitedFor()) {
            try {
              return await ask(bury);
            } catch {
              await machine.hears(this.scheduler.sleep(1000));
            }
          }
          return undefined;
        };
        try {
          await ask(make);
          return true;
        } catch (error) {
          if (error instanceof NothingDone) throw error;
          // Nobody knows whether it was made: it must never come alive.
          const isBuried = await becomesCertain(isWanted);
          if (isBuried === false) return false;
          if (isBuried === undefined) void becomesCertain(() => true);
          throw error;
        }
      },
      update: (record) => {
        const text = JSON.stringify(record);
        return ask(() => {
          if (this.line.isRefusing) throw new NothingDone('refused');
          const kept = mine(record);
          if (kept?.state !== 'open') return false;
          if (isCancelled(record)) {
            withdraw(kept, record.id);
            return false;
          }
          kept.text = text;
          kept.writtenAt = now();
          return true;
        });
      },
      claim: async (record, isFinal) => {
        for (;;) {
          const begun = this.scheduler.now;
          const answer = await ask(() => {
            if (this.line.isRefusing) throw new NothingDone('refused');
            return claim(record, isFinal);
          });
          if (this.scheduler.now - begun < 5000 || isFinal || this.plan.store !== 'redis') return answer;
        }
      },
      unclaim: (record) =>
        ask(() => {
          const kept = mine(record);
          if (kept?.state === 'passing' && record.state !== 'passing') kept.state = 'open';
        }),
      end: (record) => {
        const finish = (): void => {
          const kept = mine(record);
          if (kept === undefined) return;
          kept.state = 'ended';
          kept.text = undefined;
        };
        if (this.plan.store === 'redis') return ask(finish);
        finish();
        return Promise.resolve();
      },
      withdrawElsewhere: async (approvalId, isWanted = () => true) => {
        const withdrawOpen = (): boolean => {
          if (approvalId !== undefined && this.plan.store === 'redis') this.cancelled.add(approvalId);
          const gone = new Map<string, string[]>();
          let isPassing = false;
          // What an earlier run has left is with nobody else.
          if (this.plan.store !== 'redis') return false;
          for (const [id, kept] of this.kept) {
            if (kept.text === undefined || kept.holder === holder) continue;
            if (
              approvalId !== undefined &&
              (JSON.parse(kept.text) as ApprovalRecord).approvalId !== approvalId
            )
              continue;
            if (kept.state === 'passing') {
              isPassing = true;
              continue;
            }
            kept.state = 'withdrawn';
            kept.text = undefined;
            gone.set(kept.holder, [...(gone.get(kept.holder) ?? []), id]);
          }
          this.tellWithdrawn(gone);
          return isPassing;
        };
        while (await ask(withdrawOpen)) {
          if (isClosed || !isWanted()) return false;
          await pause(time, 100);
        }
        return true;
      },
      take: async (except) => {
        const answer = await ask(() => {
          const found: Found[] = [];
          for (const [id, kept] of this.kept) {
            if (kept.text === undefined) continue;
            // What was handed over before may not have arrived.
            if (kept.holder === holder) {
              const isHere = !kept.isUnconfirmed || (except.get(id) ?? -1) >= kept.epoch;
              if (!isHere) found.push(recordOf(kept));
              continue;
            }
            const silence = this.scheduler.now - (this.alive.get(kept.holder) ?? -Infinity);
            if (this.plan.store === 'redis' && silence <= deadAfter) continue;
            kept.holder = holder;
            kept.epoch += 1;
            kept.isUnconfirmed = true;
            this.alive.set(holder, this.scheduler.now);
            found.push(recordOf(kept));
          }
          return found;
        });
        for (const { record } of answer) {
          const kept = this.kept.get(record.id);
          if (kept?.holder === holder) kept.isUnconfirmed = false;
        }
        return answer;
      },
      close: () => {
        isClosed = true;
        if (machine.life !== life) return Promise.resolve();
        opened?.delete(entry);
        return Promise.resolve();
      },
    };
  }

  /** @param gone - the ids of what was withdrawn, by who held it */
  private tellWithdrawn(gone: ReadonlyMap<string, readonly string[]>): void {
    for (const machine of this.machines) {
      for (const { events, holder } of this.events.get(machine) ?? []) {
        const ids = gone.get(holder);
        if (ids !== undefined) this.scheduler.after(20, () => machine.does(() => events.onWithdrawn(ids)));
      }
    }
  }

  private ask<T>(machine: Machine, what: () => T): Promise<T> {
    return this.line.ask(machine, what);
  }
}

function isOpen({ text }: Kept): boolean {
  return text !== undefined;
}
