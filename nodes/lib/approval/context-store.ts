import type { Node, NodeContext } from 'node-red';
import { AuthyError } from '../authy/errors';
import { contextFile, type ContextPlace } from '../context-place';
import { Approvals, type Decision } from '../onetouch/approvals';
import { OpenRequests } from './guard-rails';
import {
  type Admission,
  type ApprovalRecord,
  type ApprovalStore,
  type GateStore,
  type GuardRails,
  idPrefix,
} from './store';

/** How many requests are taken over in one step: a store hands each over as an argument. */
const takenAtOnce = 100;

/**
 * What an account remembers in this process. It outlives a deploy, which makes a new account of the same id; after a
 * restart only the open requests are known, from the context store.
 */
interface Memory {
  readonly approvals: Approvals;
  readonly open: OpenRequests;
}

const memories = new Map<string, Memory>();

/**
 * Open requests in the context of their gate, in a store of Node-RED's: memory, file, or whatever is installed. One
 * process has them to itself, so what is atomic is atomic because nothing else runs.
 *
 * Source: https://nodered.org/docs/api/context/
 */
export class ContextApprovalStore implements ApprovalStore {
  readonly name: string;
  private readonly memory: Memory;

  /**
   * @param accountId - whose memory it is
   * @param storeName - as in the settings' `contextStorage`; undefined for the default one
   * @param place - where that is
   * @param problem - why it cannot be used, if so
   */
  constructor(
    private readonly accountId: string,
    private readonly storeName: string | undefined,
    private readonly place: ContextPlace,
    private readonly problem: string | undefined,
  ) {
    this.name = `context ${storeName ?? ''}`;
    this.memory = memories.get(accountId) ?? { approvals: new Approvals(), open: new OpenRequests() };
    memories.set(accountId, this.memory);
  }

  now(): number {
    return Date.now();
  }

  asked(approvalId: string, authyId: string): Promise<void> {
    this.memory.approvals.asked(approvalId, authyId);
    return Promise.resolve();
  }

  wasAsked(approvalId: string, authyId: string): Promise<boolean> {
    return Promise.resolve(this.memory.approvals.wasAsked(approvalId, authyId));
  }

  decided(approvalId: string, decision: Decision): Promise<'first' | 'duplicate' | 'conflict'> {
    return Promise.resolve(this.memory.approvals.decided(approvalId, decision));
  }

  admit(request: ApprovalRecord, rails: GuardRails): Promise<Admission> {
    if (this.problem !== undefined) return Promise.reject(new AuthyError('AUTHY_BAD_CONFIG', this.problem));
    return Promise.resolve(this.memory.open.admit(request, rails));
  }

  release(request: ApprovalRecord): Promise<void> {
    this.memory.open.release(request);
    return Promise.resolve();
  }

  announce(): void {
    // There is nobody else.
  }

  openRequests(gate: Node): GateStore {
    // Node-RED would quietly take its default store for one that it does not have.
    const context = this.problem === undefined ? gate.context() : undefined;
    const file = contextFile(this.place, gate);
    const where = { store: this.place.name, file: file === undefined ? '' : ` Its file is ${file}.` };
    return new ContextGateStore(this.name, context, this.storeName, where, (record) => {
      this.memory.open.count(record);
      if (record.approvalId !== undefined) this.memory.approvals.asked(record.approvalId, record.authyId);
    });
  }

  close(removed: boolean): Promise<void> {
    if (removed) memories.delete(this.accountId);
    return Promise.resolve();
  }
}

class ContextGateStore implements GateStore {
  /** The names of what an earlier run has left and is still to be taken; undefined until they were read. */
  private left: string[] | undefined;
  /** What this run has kept and removed until all is taken, and what it reads must not be taken for. */
  private readonly ours = new Set<string>();
  /** The last change of each request that is not done yet. */
  private readonly changing = new Map<string, Promise<void>>();
  /** The names of what was read last and is no request; told once, and left as it is. */
  private unreadable: string[] = [];

  constructor(
    readonly name: string,
    private readonly context: NodeContext | undefined,
    private readonly storeName: string | undefined,
    /** What a person is told of it: its name, and the sentence on its file, if it has one. */
    private readonly where: Readonly<Record<'store' | 'file', string>>,
    private readonly found: (record: ApprovalRecord) => void,
  ) {}

  /** Keeps the record itself: plain data, which a store in memory then holds once, and any other writes as it does. */
  save(record: ApprovalRecord): Promise<void> {
    if (!this.isTaken) this.ours.add(record.id);
    return this.set(record.id, record);
  }

  async claim(record: ApprovalRecord): Promise<boolean> {
    await this.save({ ...record, state: 'passing' });
    return true;
  }

  remove(id: string): Promise<void> {
    if (!this.isTaken) this.ours.add(id);
    return this.set(id, undefined);
  }

  held(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(ids));
  }

  async take(except: ReadonlySet<string>): Promise<ApprovalRecord[]> {
    this.left ??= (await this.keys()).filter((name) => name.startsWith(idPrefix));
    for (;;) {
      this.tellUnreadable();
      const names = this.left.slice(0, takenAtOnce);
      if (names.length === 0) return [];
      const values = await this.get(names);
      this.left.splice(0, names.length);
      const taken = names.flatMap((name, index) =>
        except.has(name) || this.ours.has(name) ? [] : this.recordOf(name, values[index]),
      );
      if (this.isTaken) this.ours.clear();
      taken.forEach(this.found);
      if (taken.length > 0) return taken;
    }
  }

  close(): void {
    // Node-RED closes its stores itself.
  }

  /** What a store gives back for a name: a record, or the text of one. */
  private recordOf(name: string, value: unknown): ApprovalRecord[] {
    const content = typeof value === 'string' ? parsed(value) : value;
    if (content === undefined || content === null) return [];
    if (isRecord(content)) return [Object.assign(content, { id: name })];
    this.unreadable.push(name);
    return [];
  }

  /** @throws AuthyError - where what was read last held something else */
  private tellUnreadable(): void {
    const names = this.unreadable.splice(0);
    if (names.length === 0) return;
    throw new AuthyError(
      'AUTHY_STORE',
      `The context store "${this.where.store}" holds what is no approval request, and is left as it is: ` +
        `${names.join(', ')}.${this.where.file}`,
    );
  }

  private get isTaken(): boolean {
    return this.left?.length === 0;
  }

  /** One change of a request after the other: nothing says that a store keeps to the order it is asked in. */
  private set(id: string, value: ApprovalRecord | undefined): Promise<void> {
    const change = async (): Promise<void> => {
      await this.call((context, done) => context.set(id, value, this.storeName, done));
    };
    const changed = (this.changing.get(id) ?? Promise.resolve()).then(change, change);
    this.changing.set(id, changed);
    const forget = (): void => {
      if (this.changing.get(id) === changed) this.changing.delete(id);
    };
    changed.then(forget, forget);
    return changed;
  }

  private get(names: string[]): Promise<unknown[]> {
    // The types say that the values come as one list; they come as arguments.
    return this.call((context, done) => context.get(names, this.storeName, done));
  }

  private async keys(): Promise<string[]> {
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
    const reason = error instanceof Error ? error.message : 'it failed';
    throw new AuthyError(
      'AUTHY_STORE',
      `The context store "${this.where.store}" for open approval requests cannot be used: ` +
        `${reason}.${this.where.file}`,
    );
  }
}

/** The value of a JSON text; the text itself where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Whether it is what {@link GateStore.save} keeps: a file can be changed by hand, or break. */
function isRecord(value: unknown): value is ApprovalRecord {
  const record = value as Partial<Record<keyof ApprovalRecord, unknown>>;
  return (
    typeof record.authyId === 'string' &&
    ['asking', 'waiting', 'passing'].includes(record.state as string) &&
    (record.approvalId === undefined ? record.state !== 'waiting' : typeof record.approvalId === 'string') &&
    typeof record.endsAt === 'number' &&
    typeof record.timeout === 'number' &&
    Array.isArray(record.messages) &&
    record.messages.every((message) => typeof message === 'string')
  );
}
