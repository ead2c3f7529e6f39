import { AuthyError } from '../../contract/errors';
import { InTurn } from '../in-turn';
import type { ApprovalRecord, Claim, Found, RecordEvents, Records } from '../records';
import type { Instance } from './instance';
import { remembered } from './ledger';
import { NothingDone, type Scripts } from './link';
import { readOldRecord, readRecord } from './texts';
import { pause, type Clock } from '../../time';

/** How many records one step handles: Redis does nothing else meanwhile. */
const atOnce = 100;

// In milliseconds.
/** The pause between two tries of a change that has to become certain. */
const retryPause = 1000;
/** The first pause while others hand messages on, which takes them two round trips; each further one is twice as long. */
const passingPause = 50;
/** A record that is being handed on for longer than this belongs to an instance that died, and is taken over by then. */
const passesWithin = 30_000;
/** A claim whose answer took longer is made again: this process may have stood still, and others may think it dead. */
const claimValidFor = 5000;

/** The state that the records of all gates of an account share. */
export interface Shared {
  readonly name: string;
  readonly scripts: Scripts;
  readonly instance: Instance;
  readonly time: Clock;
  now(): number;
  /** Settles once {@link now} is the time of Redis. */
  knowTime(): Promise<void>;
  /** Settles once the records of instances of the previous version are known. */
  lookForOld(): Promise<void>;
}

/** The records of one gate, in Redis. */
export class RedisRecords implements Records {
  readonly name: string;
  /** Settles when it is closed. */
  readonly closed: Promise<void>;
  private readonly me: string;
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly closing: Promise<void>;
  private readonly inTurn = new InTurn<'take' | 'withdrawn'>();
  /** The records that the last step took over: the next step confirms them. */
  private got: string[] = [];
  private isClosed = false;
  private beginClosing!: () => void;
  private endClosing!: () => void;

  constructor(
    private readonly shared: Shared,
    readonly gateId: string,
    readonly events: RecordEvents,
  ) {
    this.name = shared.name;
    this.me = shared.instance.id;
    this.closing = new Promise((resolve) => (this.beginClosing = resolve));
    this.closed = new Promise((resolve) => (this.endClosing = resolve));
  }

  now(): number {
    return this.shared.now();
  }

  create(record: ApprovalRecord, isWanted = (): boolean => true): Promise<boolean> {
    return this.track(this.make(record, () => !this.isClosed && isWanted()));
  }

  update(record: ApprovalRecord): Promise<boolean> {
    const { id, epoch } = record;
    return this.track(
      this.ask('update', this.me, id, epoch, this.number(), ...content(record)).then(
        (answer) => answer === 1,
      ),
    );
  }

  claim(record: ApprovalRecord, isFinal: boolean): Promise<Claim> {
    return this.track(this.claimInTime(record, isFinal));
  }

  async unclaim({ id, epoch, state }: ApprovalRecord): Promise<void> {
    if (state === 'passing') return;
    await this.track(this.ask('unclaim', this.me, id, epoch, this.number()));
  }

  async end({ id, epoch }: ApprovalRecord): Promise<void> {
    await this.track(this.ask('end', this.me, id, epoch, this.number()));
  }

  withdrawElsewhere(approvalId: string | undefined, isWanted = (): boolean => true): Promise<boolean> {
    return this.track(this.withdraw(approvalId, () => !this.isClosed && isWanted()));
  }

  take(except: ReadonlyMap<string, number>): Promise<Found[]> {
    return this.track(this.inTurn.do('take', () => this.takeOver(except)));
  }

  /** Tells the gate which records others have withdrawn, if any. */
  tellWithdrawn(): Promise<void> {
    return this.track(this.inTurn.do('withdrawn', () => this.learnWithdrawn()));
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.beginClosing();
    await Promise.allSettled(this.underWay);
    this.endClosing();
  }

  // ---- making

  private async make(record: ApprovalRecord, isWanted: () => boolean): Promise<boolean> {
    const { id, recipient, epoch } = record;
    const number = this.number();
    const [state, endsAt, lifetime, approvalId, text] = content(record);
    const fields = [state, endsAt, lifetime, recipient, approvalId, text];
    try {
      const answer = await this.ask('create', this.me, this.gateId, id, epoch, number, ...fields);
      if (answer === 1) return true;
    } catch (error) {
      if (!isUncertain(error)) throw error;
      if (await this.makeVoid(record, number, isWanted)) throw error;
      return false;
    }
    throw new AuthyError(
      'AUTHY_STORE',
      `Send the message again: Redis has had a request with the id ${id} before, and an id is used only once.`,
    );
  }

  /**
   * Repeats until it is certain that no such record is there.
   *
   * @returns false if it was made, and another instance has changed it since
   */
  private async makeVoid(
    { id, epoch, endsAt, lifetime }: ApprovalRecord,
    number: number,
    isWanted: () => boolean,
  ): Promise<boolean> {
    const { time } = this.shared;
    const times = [Math.ceil(endsAt), Math.ceil(lifetime)];
    const args = (): (string | number)[] => [
      ...[this.me, this.gateId, id, epoch, this.number()],
      ...times,
      number,
    ];
    while (isWanted()) {
      try {
        return (await this.ask('void', ...args())) === 1;
      } catch {
        await Promise.race([pause(time, retryPause), this.closing]);
      }
    }
    this.shared.instance.givenUp.set(`${this.name} ${id}`, args);
    return true;
  }

  // ---- ending

  private async claimInTime(
    { id, epoch, approvalId = '' }: ApprovalRecord,
    isFinal: boolean,
  ): Promise<Claim> {
    const { time } = this.shared;
    for (;;) {
      const [steady, wall] = [time.steady(), time.wall()];
      const final = isFinal ? 1 : 0;
      const answer = await this.ask(
        'claim',
        this.me,
        this.gateId,
        id,
        epoch,
        this.number(),
        final,
        approvalId,
      );
      // While a computer sleeps, perhaps only one of its clocks runs.
      const took = Math.max(time.steady() - steady, time.wall() - wall);
      if (answer !== 'ours' || took <= claimValidFor) return answer as Claim;
    }
  }

  /** Repeats until no record is being handed on: such a record may leave, or wait again because its gate was closed. */
  private async withdraw(approvalId: string | undefined, isWanted: () => boolean): Promise<boolean> {
    const { time } = this.shared;
    const begun = time.steady();
    for (let wait = passingPause; (await this.withdrawOpen(approvalId)) > 0; wait *= 2) {
      if (!isWanted() || time.steady() - begun > passesWithin) return false;
      await Promise.race([pause(time, Math.min(wait, retryPause)), this.closing]);
    }
    return true;
  }

  /** @returns how many are being handed on now */
  private async withdrawOpen(approvalId: string | undefined): Promise<number> {
    const hint = JSON.stringify({ from: this.me, gate: this.gateId });
    if (approvalId !== undefined) {
      const answer = await this.ask('withdraw', this.me, this.gateId, approvalId, hint);
      const [known, passing] = answer as [number, number];
      if (known > 0) return passing;
      // It has ended, or Redis has lost the list: look through all records.
    }
    // If a record is taken over from a dead instance meanwhile, the first round may miss it with both holders. After that
    // it stays with a living one: so all are asked twice.
    return (await this.withdrawFromAll(approvalId, hint)) + (await this.withdrawFromAll(approvalId, hint));
  }

  /** Withdraws part by part, from each other instance with records. @returns how many are being handed on now */
  private async withdrawFromAll(approvalId: string | undefined, hint: string): Promise<number> {
    let passing = 0;
    for (const holder of (await this.ask('holders', this.me, this.gateId)) as string[]) {
      let after = '';
      do {
        const args = [this.gateId, holder, after, atOnce, approvalId ?? '', hint];
        const [next, more] = (await this.ask('withdrawHeld', ...args)) as [string, number];
        passing += more;
        after = next;
      } while (after !== '');
    }
    return passing;
  }

  private async learnWithdrawn(): Promise<void> {
    let ids: string[] = [];
    while (!this.isClosed) {
      // The next call confirms these ids.
      ids = (await this.ask('withdrawn', this.me, this.gateId, atOnce, ...ids)) as string[];
      if (ids.length === 0) return;
      this.events.onWithdrawn(ids);
    }
  }

  // ---- taking over

  private async takeOver(except: ReadonlyMap<string, number>): Promise<Found[]> {
    // Redis's clock decides which instances are dead.
    await this.shared.knowTime();
    while (!this.isClosed) {
      const [lost, isMore, ...values] = (await this.ask(
        'take',
        this.me,
        this.gateId,
        atOnce,
        ...this.got,
      )) as [number, number, ...(string | number)[]];
      this.tellLost(lost);
      this.got = [];
      const got: string[] = [];
      const found: Found[] = [];
      for (const [id = '', text = '', state = '', epoch, isLate] of groups(values, 5)) {
        got.push(String(id));
        // The gate has it. A copy in an older epoch cannot be handed on: another instance has had the record since.
        if ((except.get(String(id)) ?? -1) >= Number(epoch)) continue;
        try {
          const record = readRecord(String(id), String(text), String(state), Number(epoch));
          found.push({ record, isClockWrong: isLate === 1 });
        } catch (error) {
          this.tellBroken(String(id), error);
          await this.ask('setAside', this.me, this.gateId, String(id));
        }
      }
      // Not earlier: records that the gate does not get have to be handed over again.
      this.got = got;
      if (found.length > 0) return found;
      if (isMore === 1 || values.length > 0) continue;
      if (!(await this.moveOld())) return [];
    }
    return [];
  }

  /** Converts records of the previous version. @returns whether there were any: they can be taken now */
  private async moveOld(): Promise<boolean> {
    await this.shared.lookForOld();
    const [lost, ...values] = (await this.ask('oldHeld', this.gateId, atOnce)) as [number, ...string[]];
    this.tellLost(lost);
    let isMoved = false;
    for (const [holder = '', id = '', text = '', state = ''] of groups(values, 4)) {
      let records: ApprovalRecord[] = [];
      try {
        records = readOldRecord(id, text, state);
      } catch (error) {
        this.tellBroken(id, error);
      }
      const rememberFor = remembered((records[0]?.lifetime ?? 0) / 1000);
      const all = records.flatMap((record) => {
        const [stateNow, endsAt, lifetime, approvalId, textNow] = content(record);
        return [record.id, stateNow, endsAt, lifetime, record.recipient, approvalId, textNow];
      });
      const args = [this.me, this.gateId, holder, id, text, state, rememberFor, ...all];
      if ((await this.ask('moveOld', ...args)) === 1) isMoved = true;
    }
    return isMoved;
  }

  private tellLost(count: number): void {
    if (count === 0) return;
    this.events.onTrouble(
      `Redis has lost ${count} approval requests: it still has their ids, but not the requests. ` +
        'Set its maxmemory-policy to noeviction, and let nothing else remove its keys.',
    );
  }

  private tellBroken(id: string, error: unknown): void {
    this.events.onTrouble(
      `${id}: this approval request cannot be read, and is set aside in Redis (broken:${this.gateId}): ` +
        `${(error as Error).name === 'SyntaxError' ? 'it is not JSON' : (error as Error).message}.`,
    );
  }

  // ---- asking

  private ask(...[name, ...args]: Parameters<Scripts['run']>): Promise<unknown> {
    return this.shared.scripts.run(name, ...args);
  }

  private number(): number {
    return this.shared.instance.next();
  }

  /** Closing waits for this work. */
  private track<T>(work: Promise<T>): Promise<T> {
    this.underWay.add(work);
    const forget = (): boolean => this.underWay.delete(work);
    work.then(forget, forget);
    return work;
  }
}

/** The changing members of a record, as the scripts take them. */
function content(record: ApprovalRecord): [string, number, number, string, string] {
  const { state, endsAt, lifetime, approvalId = '' } = record;
  return [state, Math.ceil(endsAt), Math.ceil(lifetime), approvalId, JSON.stringify(record)];
}

/** Whether a script may have run, or still may. */
function isUncertain(error: unknown): boolean {
  return !(error instanceof NothingDone) && error instanceof AuthyError && error.code === 'AUTHY_STORE';
}

function groups<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.floor(values.length / size) }, (_item, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}
