import type { Node, NodeContext } from 'node-red';
import { AuthyError } from '../contract/errors';
import { contextFile, type ContextPlace } from './context-place';
import { InTurn } from './in-turn';
import { isOldRecord, recordsOfOld } from './old-records';
import {
  type ApprovalRecord,
  type Claim,
  clockTolerance,
  type Found,
  idPrefix,
  type RecordEvents,
  type Records,
} from './records';
import { storedRecord } from './stored-record';
import { realTime, type Clock } from '../time';

/** The name of the last sign of life: a time by the computer's clock. */
const aliveName = `${idPrefix}alive`;

/** The shortest time between two signs of life, in milliseconds. They are written together with changes. */
const aliveEvery = 5000;

/** How many records one step takes over: a store passes each to the callback as an argument. */
const takenAtOnce = 100;

/** The format of a record's name. It has no dots or brackets, which a store would read as a path into an object. */
const recordName = new RegExp(`^${idPrefix}\\w+$`);

/** The stage of a record of this process. `removing`: it has ended, and the store still has to remove it. */
type Stage = 'waiting' | 'passing' | 'removing';

interface Stages {
  readonly size: number;
  get(id: string): Stage | undefined;
  has(id: string): boolean;
  /** Call it once the value is there. */
  set(id: string, stage: Stage): unknown;
  delete(id: string): boolean;
}

/** The stages of records in memory. They are read from the values: a second map of 100,000 entries takes memory. */
class StagesOfValues implements Stages {
  private readonly removing = new Set<string>();

  constructor(private readonly values: ReadonlyMap<string, unknown>) {}

  get size(): number {
    return this.values.size - (this.values.has(aliveName) ? 1 : 0);
  }

  get(id: string): Stage | undefined {
    if (this.removing.has(id)) return 'removing';
    const record = this.values.get(id) as ApprovalRecord | undefined;
    return record && (record.state === 'passing' ? 'passing' : 'waiting');
  }

  has(id: string): boolean {
    return this.removing.has(id) || this.values.has(id);
  }

  set(id: string, stage: Stage): void {
    if (stage === 'removing') this.removing.add(id);
  }

  delete(id: string): boolean {
    return this.removing.delete(id);
  }
}

/** The state of the records of one gate in one store. The old and the new gate of a deploy share it. */
interface Known {
  /** The values, if Node-RED would forget them. */
  readonly values: Map<string, unknown>;
  readonly stages: Stages;
  readonly changes: InTurn;
  /** The names of records of an earlier run that are still to be taken, the last one first; undefined until they are read. */
  left: string[] | undefined;
  /** Records that end before all are taken: they must not look like records of an earlier run. */
  readonly ended: Set<string>;
  /** The last sign of life of an earlier run; undefined until it was asked for. */
  lastSign: Promise<number> | undefined;
  /** When this run last gave one, by the steady clock. */
  signedAt: number;
}

/** A store of Node-RED's contexts. */
export interface ContextStore {
  /** As in the settings' `contextStorage`; undefined for the default one. */
  readonly store?: string | undefined;
  readonly place: ContextPlace;
  /** Why it cannot be used, if so. */
  readonly problem?: string | undefined;
  /**
   * Whether the settings name no context store. Then Node-RED deletes the context of a node with each deploy, so the
   * records are kept here, in memory too.
   */
  readonly isForgotten?: boolean;
}

/** The state of the records that a process has in contexts, by gate and store. Tests have several in one process. */
export type KnownContexts = Map<string, Known>;

const thisProcess: KnownContexts = new Map();

/**
 * The records of a gate in its context, in one of Node-RED's stores: memory, file, or any that is installed. They survive
 * whatever that store survives. Only one process uses them: so a change within one turn is atomic, and a record that is
 * not known here has ended and is never brought back.
 *
 * Source: https://nodered.org/docs/api/context/
 */
export class ContextRecords implements Records {
  readonly name: string;
  readonly isMemory: boolean;
  private readonly context: NodeContext | undefined;
  private readonly storeName: string | undefined;
  private readonly problem: string | undefined;
  private readonly isForgotten: boolean;
  /** The store, and its file if it has one, as error messages name them. */
  private readonly title: string;
  private readonly file: string;
  private readonly known: Known;
  private readonly time: Clock;

  /**
   * @param store - which of the contexts' stores
   */
  constructor(
    gate: Node,
    { store: storeName, place, problem, isForgotten = false }: ContextStore,
    private readonly events: RecordEvents,
    {
      time = realTime,
      contexts = thisProcess,
    }: { readonly time?: Clock; readonly contexts?: KnownContexts } = {},
  ) {
    this.name = `context ${storeName ?? ''}`;
    this.storeName = storeName;
    this.problem = problem;
    this.isForgotten = isForgotten;
    this.isMemory = place.isMemory === true;
    this.title = `context store "${place.name}"`;
    const file = contextFile(place, gate);
    this.file = file === undefined ? '' : ` Its file is ${file}.`;
    this.time = time;
    // Node-RED would silently use its default store instead of one that it does not have.
    this.context = problem === undefined ? gate.context() : undefined;
    const key = JSON.stringify([gate.id, storeName]);
    const values = new Map<string, unknown>();
    this.known = contexts.get(key) ?? {
      values,
      stages: isForgotten ? new StagesOfValues(values) : new Map<string, Stage>(),
      changes: new InTurn(),
      left: undefined,
      ended: new Set(),
      lastSign: undefined,
      signedAt: -Infinity,
    };
    contexts.set(key, this.known);
  }

  now(): number {
    return this.time.wall();
  }

  /** Keeps the record itself, which is plain data: a store in memory then holds it once, and others write it as usual. */
  create(record: ApprovalRecord): Promise<boolean> {
    const { id } = record;
    if (this.problem !== undefined) return Promise.reject(new AuthyError('AUTHY_BAD_CONFIG', this.problem));
    return this.change(id, async () => {
      if (this.known.stages.has(id)) throw this.storeError(`there is a record ${id} already`);
      try {
        await this.set(id, record);
      } catch (error) {
        // A store that failed may have written it all the same.
        if (await this.isThere(id).catch(() => false)) await this.set(id, undefined);
        throw error;
      }
      this.known.stages.set(id, 'waiting');
      return true;
    });
  }

  update(record: ApprovalRecord): Promise<boolean> {
    const { id } = record;
    return this.change(id, async () => {
      if (this.known.stages.get(id) !== 'waiting' || !(await this.isThere(id))) return false;
      await this.set(id, record);
      return true;
    });
  }

  claim(record: ApprovalRecord, isFinal: boolean): Promise<Claim> {
    const { id } = record;
    return this.change(id, async () => {
      const stage = this.known.stages.get(id);
      // It has ended.
      if (stage === undefined) return 'theirs';
      if (stage === 'waiting' && !(await this.isThere(id))) return 'missing';
      if (isFinal) {
        await this.remove(id);
      } else if (stage === 'waiting') {
        await this.set(id, { ...record, state: 'passing' });
        this.known.stages.set(id, 'passing');
      }
      return 'ours';
    });
  }

  unclaim(record: ApprovalRecord): Promise<void> {
    const { id } = record;
    return this.change(id, async () => {
      if (this.known.stages.get(id) !== 'passing' || record.state === 'passing') return;
      // This must not bring back a record that somebody has deleted.
      if (await this.isThere(id)) await this.set(id, record);
      this.known.stages.set(id, 'waiting');
    });
  }

  /** A store that removes at once has done so before this returns. */
  end({ id }: ApprovalRecord): Promise<void> {
    return this.change(id, async () => {
      if (this.known.stages.has(id)) await this.remove(id);
    });
  }

  /** There are no other instances. */
  withdrawElsewhere(): Promise<boolean> {
    return Promise.resolve(true);
  }

  take(except: ReadonlyMap<string, number>): Promise<Found[]> {
    // The old and the new gate of a deploy must not take the same records.
    return this.known.changes.do('take', async () => {
      if (this.context === undefined) return [];
      const left = (this.known.left ??= await this.readLeft());
      while (left.length > 0) {
        const names = left.slice(-takenAtOnce).reverse();
        const found = await this.takeThese(names, except);
        left.length -= names.length;
        if (left.length === 0) this.known.ended.clear();
        if (found.length > 0) return found;
      }
      return [];
    });
  }

  async close(): Promise<void> {
    // Node-RED closes its stores itself.
    if (this.known.stages.size > 0) this.sign();
    await this.known.changes.settled();
  }

  // ---- records of an earlier run

  private async readLeft(): Promise<string[]> {
    const names = await this.keys();
    const ours = names.filter((name) => name.startsWith(idPrefix) && name !== aliveName);
    await this.readSign();
    for (const name of ours)
      if (!recordName.test(name)) this.setAside(name, 'its name is not in the right format');
    // A record made from an old one comes after that one.
    return ours
      .filter((name) => recordName.test(name))
      .sort()
      .reverse();
  }

  private readSign(): Promise<number> {
    this.known.lastSign ??= this.get([aliveName]).then(
      ([sign]) => (typeof sign === 'number' ? sign : -Infinity),
      (error: unknown) => {
        this.known.lastSign = undefined;
        throw error;
      },
    );
    return this.known.lastSign;
  }

  private async takeThese(names: readonly string[], except: ReadonlyMap<string, number>): Promise<Found[]> {
    const isLeft = (name: string): boolean => !this.known.stages.has(name) && !this.known.ended.has(name);
    const wanted = names.filter(isLeft);
    if (wanted.length === 0) return [];
    const [values, lastSign] = [await this.get(wanted), await this.readSign()];
    const read = new Map<string, ApprovalRecord>();
    for (const [index, name] of wanted.entries()) {
      // It was just made from an old record.
      if (read.has(name)) continue;
      for (const record of await this.recordsOf(name, values[index])) {
        if (isLeft(record.id)) read.set(record.id, record);
      }
    }
    // Not earlier: if the store fails in between, all of them have to be handed over again.
    for (const { id, state } of read.values()) {
      this.known.stages.set(id, state === 'passing' ? 'passing' : 'waiting');
    }
    const isNew = ({ id }: ApprovalRecord): boolean => !except.has(id);
    return [...read.values()].filter(isNew).map((record) => this.foundOf(record, lastSign));
  }

  private foundOf(record: ApprovalRecord, lastSign: number): Found {
    record.epoch += 1;
    // The record's start is a sign of life as well: the clock had reached it.
    const sign = Math.max(lastSign, record.endsAt - record.lifetime);
    return { record, isClockWrong: this.now() + clockTolerance < sign };
  }

  private async recordsOf(name: string, stored: unknown): Promise<ApprovalRecord[]> {
    if (stored === undefined || stored === null) return [];
    let records: ApprovalRecord[];
    let isOld: boolean;
    try {
      const value: unknown = typeof stored === 'string' ? JSON.parse(stored) : stored;
      isOld = isOldRecord(value);
      records = isOld ? recordsOfOld(name, value) : [storedRecord(name, value)];
    } catch (error) {
      this.setAside(name, error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message);
      return [];
    }
    // The record that replaces the old one comes last: until then the old one stands for all of them.
    if (isOld) for (const record of [...records].reverse()) await this.set(record.id, record);
    return records;
  }

  private setAside(name: string, why: string): void {
    this.events.onTrouble(
      `The value "${name}" in the ${this.title} cannot be read as an approval request: ${why}. ` +
        `It was left as it is; its message no longer waits.${this.file}`,
    );
  }

  // ---- the store

  private async change<T>(id: string, work: () => Promise<T>): Promise<T> {
    const changed = this.known.changes.do(id, work);
    if (this.time.steady() - this.known.signedAt >= aliveEvery) this.sign();
    return changed;
  }

  /** Gives a sign of life. A single one may be lost. */
  private sign(): void {
    if (this.context === undefined) return;
    this.known.signedAt = this.time.steady();
    this.known.changes
      .do(aliveName, async () => {
        const now = this.time.wall();
        // This overwrites the sign of the earlier run, which has to be read first.
        await this.readSign();
        await this.set(aliveName, now);
      })
      .catch(() => undefined);
  }

  private async remove(id: string): Promise<void> {
    this.known.stages.set(id, 'removing');
    await this.set(id, undefined);
    this.known.stages.delete(id);
    if (this.known.left?.length !== 0) this.known.ended.add(id);
  }

  private async isThere(id: string): Promise<boolean> {
    const [value] = await this.get([id]);
    return value !== undefined && value !== null;
  }

  private async set(name: string, value: unknown): Promise<void> {
    if (this.isForgotten) {
      if (value === undefined) this.known.values.delete(name);
      else this.known.values.set(name, value);
      return;
    }
    await this.call((context, done) => context.set(name, value, this.storeName, done));
  }

  private get(names: string[]): Promise<unknown[]> {
    if (this.isForgotten) return Promise.resolve(names.map((name) => this.known.values.get(name)));
    // The types say that the values come as one list; they come as arguments.
    return this.call((context, done) => context.get(names, this.storeName, done));
  }

  private async keys(): Promise<string[]> {
    if (this.isForgotten) return [...this.known.values.keys()];
    const [names = []] = await this.call((context, done) => context.keys(this.storeName, done));
    return names as string[];
  }

  /** Stores answer later or at once, and some throw in spite of the callback. */
  private async call(
    ask: (context: NodeContext, done: (...answer: unknown[]) => void) => void,
  ): Promise<unknown[]> {
    const { context } = this;
    if (context === undefined) return [];
    const [error, ...values] = await new Promise<unknown[]>((resolve) => {
      ask(context, (...answer) => resolve(answer));
    }).catch((thrown: unknown) => [thrown]);
    if (!error) return values;
    throw this.storeError(error instanceof Error ? error.message : 'it failed');
  }

  private storeError(reason: string): AuthyError {
    return new AuthyError(
      'AUTHY_STORE',
      `Check the store: the ${this.title} for open approval requests cannot be used: ${reason}.${this.file}`,
    );
  }
}
