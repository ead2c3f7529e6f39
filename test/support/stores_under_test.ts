import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { createClient } from '@redis/client';
import type { Node, NodeContext } from 'node-red';
import { ContextRecords, type KnownContexts } from '../../nodes/lib/storage/context-records';
import { FileRecords } from '../../nodes/lib/storage/file-records';
import { ProcessRun } from '../../nodes/lib/storage/owned-directory';
import type { RecordEvents, Records } from '../../nodes/lib/storage/records';
import { RedisConnection } from '../../nodes/lib/storage/redis/connection';
import { Instance } from '../../nodes/lib/storage/redis/instance';
import type { Link } from '../../nodes/lib/storage/redis/link';
import { RedisStores } from '../../nodes/lib/storage/redis/stores';
import { type Clock, realTime } from '../../nodes/lib/time';
import type { Machine } from '../simulation/machine';
import { epoch, type Scheduler } from '../simulation/scheduler';
import { eventually, temporaryDirectory } from './node_red';
import type { Redis } from './redis';

const accountId = 'account';
const gateId = 'gate';

/** How long a sign of life in files may take, in milliseconds. */
const longestSign = 25;

/** Opens the records of the gate, in one process. */
export type OpenRecords = (events: RecordEvents) => Records;

/** A real store, in which a test begins and ends processes. Its clocks are those of the machines. */
export interface StoreUnderTest {
  /**
   * Begins a process.
   *
   * @param again - the memory of a process that has ended, which the new process gets
   */
  begin(machine: Machine, again?: OpenRecords): Promise<OpenRecords>;
  /** Whether a record is there, if that can be seen in the same turn. */
  isThere(id: string): boolean;
  /**
   * Ends the process at any point. Nothing it does reaches the store from now on.
   *
   * @param isPower - whether the power fails, so that changes that were not synced are lost too
   */
  kill(machine: Machine, isPower?: boolean): void;
  /** Ends the process properly; its records are already closed. */
  stop(machine: Machine): Promise<void>;
  /** Deletes a record, or all of them, as somebody else might. */
  lose(id?: string): Promise<void>;
  /** Resolves once the work that timers have begun is done. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Records in files, on the real disk. */
export class FilesUnderTest implements StoreUnderTest {
  private readonly place = temporaryDirectory();
  private kills = 0;
  private readonly runs = new Map<OpenRecords, ProcessRun>();
  private readonly present = new Map<Machine, ProcessRun>();
  /** Timers that have gone off and have not been set again yet. */
  private owed = 0;
  /** The files that a power failure leaves. */
  private synced = new Map<string, string>();
  private readonly open = fs.promises.open;

  constructor(private readonly scheduler: Scheduler) {
    this.watchSyncs();
  }

  begin(machine: Machine, again?: OpenRecords): Promise<OpenRecords> {
    const run = (again && this.runs.get(again)) ?? new ProcessRun();
    const { kills, root } = this;
    const time: Clock = {
      wall: () => epoch + this.scheduler.now + machine.clockAhead,
      steady: () => this.scheduler.now,
      after: (milliseconds, call) => {
        this.owed = Math.max(0, this.owed - 1);
        return this.scheduler.after(milliseconds, () => {
          if (this.kills !== kills) return;
          this.owed += 1;
          call();
        });
      },
    };
    const open: OpenRecords = (events) => new FileRecords({ root, accountId, gateId }, events, { time, run });
    this.runs.set(open, run);
    this.present.set(machine, run);
    return Promise.resolve(open);
  }

  /** Renames the folder, so that the process can no longer change anything in it. */
  kill(_machine: Machine, isPower = false): void {
    const { root } = this;
    this.kills += 1;
    this.runs.clear();
    if (fs.existsSync(root)) fs.renameSync(root, this.root);
    if (isPower) this.bringBackSynced();
    else this.synced = this.records();
  }

  isThere(id: string): boolean {
    return this.filesOf(id).length > 0;
  }

  /** The content of the records' files, by their path below the life. */
  private records(): Map<string, string> {
    const found = new Map<string, string>();
    for (const file of this.files()) {
      const [life = '', ...names] = path.relative(this.root, file).split(path.sep);
      if (names.length === 3 && life === this.life)
        found.set(path.join(...names), fs.readFileSync(file, 'utf8'));
    }
    return found;
  }

  private get life(): string | undefined {
    if (!fs.existsSync(this.root)) return undefined;
    return fs.readdirSync(this.root).find((name) => name.startsWith('life-'));
  }

  /** Restores the files as of the last sync of the folder. Does not check that content was synced before its name. */
  private bringBackSynced(): void {
    const { life, root, synced } = this;
    if (life === undefined) return;
    for (const name of this.records().keys()) fs.rmSync(path.join(root, life, name));
    for (const [name, text] of synced) {
      fs.mkdirSync(path.dirname(path.join(root, life, name)), { recursive: true });
      fs.writeFileSync(path.join(root, life, name), text);
    }
  }

  /** Notices each sync of the folder of records. */
  private watchSyncs(): void {
    fs.promises.open = async (...asked) => {
      const handle = await this.open(...asked);
      const [file, flags] = asked;
      if (flags !== 'r' || path.basename(String(file)) !== gateId) return handle;
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        const { kills } = this;
        const before = this.records();
        await sync();
        if (this.kills === kills) this.synced = before;
      };
      return handle;
    };
  }

  stop(machine: Machine): Promise<void> {
    this.present.get(machine)?.end();
    return Promise.resolve();
  }

  lose(id?: string): Promise<void> {
    if (id === undefined) fs.rmSync(this.root, { recursive: true, force: true });
    else for (const file of this.filesOf(id)) fs.unlinkSync(file);
    for (const name of [...this.synced.keys()])
      if (id === undefined || path.basename(name).startsWith(`${id}.`)) this.synced.delete(name);
    return Promise.resolve();
  }

  /** A sign of life is done once its owner sets the next timer. The last one of a process sets none. */
  async settled(): Promise<void> {
    const until = performance.now() + longestSign;
    while (this.owed > 0 && performance.now() < until) await turn();
    this.owed = 0;
  }

  close(): Promise<void> {
    this.kills += 1;
    fs.promises.open = this.open;
    fs.rmSync(this.place, { recursive: true, force: true });
    return Promise.resolve();
  }

  private get root(): string {
    return path.join(this.place, `killed-${this.kills}`);
  }

  private files(): string[] {
    if (!fs.existsSync(this.root)) return [];
    return fs
      .readdirSync(this.root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json'))
      .map((name) => path.join(this.root, name));
  }

  private filesOf(id: string): string[] {
    return this.files().filter((file) => path.basename(file).startsWith(`${id}.`));
  }
}

/** Node-RED's module for the contexts of nodes. */
interface Contexts {
  init(settings: object): void;
  load(): Promise<void>;
  get(nodeId: string, flowId: string): NodeContext;
  close(): Promise<void>;
}

const nodeRed = path.dirname(require.resolve('node-red/package.json'));
const contextsModule = require.resolve('@node-red/runtime/lib/nodes/context', { paths: [nodeRed] });

/** Loads the module as a new process does, without the stores that were opened before. */
function newContexts(): Contexts {
  // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
  delete require.cache[contextsModule];
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(contextsModule) as Contexts;
}

/** Records in a context of the real Node-RED. */
export class ContextsUnderTest implements StoreUnderTest {
  private readonly place = temporaryDirectory();
  private kills = 0;
  private contexts: Contexts | undefined;
  private readonly dead: Contexts[] = [];

  constructor(private readonly store: { readonly module: string; readonly cache?: boolean }) {}

  async begin(machine: Machine): Promise<OpenRecords> {
    const contexts = newContexts();
    const { module, cache } = this.store;
    const config = { dir: this.dir, ...(cache === undefined ? {} : { cache }) };
    contexts.init({ contextStorage: { kept: { module, config } } });
    await contexts.load();
    this.contexts = contexts;
    const known: KnownContexts = new Map();
    const gate = { id: gateId, context: () => contexts.get(gateId, 'tab') } as unknown as Node;
    return (events) =>
      new ContextRecords(gate, { store: 'kept', place: { name: 'kept' } }, events, {
        contexts: known,
        time: machine.outside().time,
      });
  }

  /** Renames the folder, so that the process can no longer change anything in it. */
  kill(): void {
    const { dir } = this;
    this.kills += 1;
    if (fs.existsSync(dir)) fs.renameSync(dir, this.dir);
    if (this.contexts !== undefined) this.dead.push(this.contexts);
    this.contexts = undefined;
  }

  async stop(): Promise<void> {
    await this.contexts?.close();
    this.contexts = undefined;
  }

  isThere(id: string): boolean {
    return this.contexts?.get(gateId, 'tab').get(id, 'kept') !== undefined;
  }

  async lose(id?: string): Promise<void> {
    const context = this.contexts?.get(gateId, 'tab');
    const ask = (work: (done: (error?: Error | null, value?: unknown) => void) => void): Promise<unknown> =>
      new Promise((resolve, reject) => work((error, value) => (error ? reject(error) : resolve(value))));
    const names = await ask((done) => context?.keys('kept', done));
    for (const name of names as string[])
      if (id === undefined || id === name) await ask((done) => context?.set(name, undefined, 'kept', done));
  }

  async settled(): Promise<void> {
    // Records in contexts set no timers.
  }

  async close(): Promise<void> {
    for (const contexts of [...this.dead, this.contexts]) await contexts?.close();
    fs.rmSync(this.place, { recursive: true, force: true });
  }

  private get dir(): string {
    return path.join(this.place, `killed-${this.kills}`);
  }
}

/** Records in a real Redis, whose clock is that of the world. */
export class RedisUnderTest implements StoreUnderTest {
  private readonly client: ReturnType<typeof createClient>;
  private readonly running = new Map<Machine, { stores: RedisStores; link: RedisConnection }>();
  private underWay = 0;

  private constructor(
    private readonly redis: Redis,
    private readonly scheduler: Scheduler,
  ) {
    this.client = createClient({ url: redis.url });
  }

  static async open(redis: Redis, scheduler: Scheduler): Promise<RedisUnderTest> {
    const opened = new RedisUnderTest(redis, scheduler);
    await opened.client.connect();
    await opened.client.flushAll();
    return opened;
  }

  async begin(machine: Machine): Promise<OpenRecords> {
    const settings = { url: this.redis.url, password: '', log: () => undefined };
    const link = new RedisConnection(accountId, settings, realTime, () => epoch + this.scheduler.now);
    let isReady = false;
    const counted: Link = {
      open: (onReady, onHint) =>
        link.open(() => {
          onReady();
          isReady = true;
        }, onHint),
      run: async (...asked) => {
        this.underWay += 1;
        try {
          return await link.run(...asked);
        } finally {
          this.underWay -= 1;
        }
      },
      close: (milliseconds) => link.close(milliseconds),
    };
    const stores = new RedisStores(counted, {
      name: 'redis',
      log: () => undefined,
      onAnswer: () => undefined,
      instance: new Instance(`${machine.name}/${machine.life}`),
      time: machine.outside().time,
    });
    this.running.set(machine, { stores, link });
    await eventually('a connection', () => isReady || undefined);
    await this.settled();
    return (events) => stores.records({ id: gateId }, events);
  }

  kill(machine: Machine): void {
    void this.running.get(machine)?.link.close(0);
    this.running.delete(machine);
  }

  async stop(machine: Machine): Promise<void> {
    const closing = this.running.get(machine)?.stores.close();
    this.running.delete(machine);
    await closing;
  }

  /** In Redis this cannot be seen in the same turn. */
  isThere(): boolean {
    return false;
  }

  async lose(id?: string): Promise<void> {
    if (id === undefined) await this.client.flushAll();
    else await this.client.del(`approvals:{${accountId}}:request:${id}`);
  }

  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await turn();
      if (this.underWay > 0) quiet = -1;
    }
  }

  async close(): Promise<void> {
    for (const machine of [...this.running.keys()]) this.kill(machine);
    await this.settled();
    this.client.destroy();
  }
}
