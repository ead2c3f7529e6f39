import type { NodeMessageInFlow } from 'node-red';
import { AuthyError, noAccount } from '../contract/errors';
import type { Admission, Limits } from '../storage/rails';
import type { ApprovalRecord, Found, RecordEvents, Records } from '../storage/records';
import { pause } from '../time';
import { Course, type Desk } from './course';
import { inParts } from './in-parts';
import { expired, type Outcome, type StatusReading } from './outcome';
import type { Process } from './process';
import { type Asked, questionOf } from './question';
import { interrupted, refusedBy } from './refusals';
import { type Done, Request } from './request';
import { onlyInMemory, readMessage, sizeOf, writeMessage } from '../storage/storable';
import type { Handover, Unreported } from './handover';
import { isOnItsWay, type Stage } from './stages';
import { usualLongestPause, type Watch } from './watch';
import { isWithdrawal, withdrawnBy } from './withdrawal';

/** The parts of an account that a gate needs. */
export interface GateAccount {
  /** The store where records are kept: another object for another store. */
  readonly place: object;
  /** See {@link Watch.longestPause}; absent: the usual one. */
  readonly longestPause?: number | undefined;
  openRecords(events: RecordEvents): Records;
  admit(record: ApprovalRecord, limits: Limits): Promise<Admission>;
  release(record: ApprovalRecord): Promise<void>;
  /** A record from before this process was found. */
  found(record: ApprovalRecord): void;
  /** Sends a request. @returns the service's id of it */
  send(asked: Asked, message: NodeMessageInFlow): Promise<string>;
  /** Reads the status of a request, in at most so many milliseconds. */
  read(record: ApprovalRecord, deadline: number): Promise<StatusReading>;
}

/** What a gate shows below its node. */
export interface GateBadge {
  /** One more message is on its way to the service. */
  begin(): void;
  end(): void;
  /** So many messages wait. */
  waiting(count: number): void;
  decided(decision: Outcome['decision']): void;
  failed(error: Error): void;
}

export type EventName = 'requested' | 'reminded' | 'decided';

/** The node that a gate works for. */
export interface GateHost {
  readonly nodeId: string;
  readonly accountId: string;
  readonly confirm: boolean;
  readonly join: boolean;
  readonly limits: Limits;
  readonly badge: GateBadge;
  /** The account as it is now; undefined if it is missing or disabled. @param id - another one than the gate's */
  account(id?: string): GateAccount | undefined;
  /** The question of a message. @throws AuthyError - `AUTHY_INVALID_INPUT` */
  question(message: NodeMessageInFlow): Promise<Asked>;
  /** The request of a message is on the phone, or it joined one that is. */
  asked(request: Request): void;
  /** A message has ended here; its error was told before. */
  ended(request: Request): void;
  /** Sends a message on by the output of its outcome. */
  send(request: Request, outcome: Outcome): void;
  /** Ends a message with an error. */
  raise(message: NodeMessageInFlow, error: Error, done: Done | undefined): void;
  emit(request: Request, event: EventName, decision: string | undefined, waiting: number): void;
  /** Gives the node a message again, as if it had just come. */
  receive(message: NodeMessageInFlow): void;
  /** Writes to the log, but not too often. @param kind - what it is about */
  warn(kind: string, sentence: string): void;
  log(sentence: string): void;
}

/**
 * What a store keeps of a message. One in memory need not: what leaves is the message itself, and after the process there is nothing.
 *
 * @throws AuthyError - `AUTHY_INVALID_INPUT` if the store cannot keep it
 */
function textOf(message: NodeMessageInFlow, { isMemory = false }: Records): string {
  try {
    return writeMessage(message);
  } catch (error) {
    if (!isMemory) throw error;
    return onlyInMemory;
  }
}

/** The most that one gate keeps: messages, their characters, and messages that share a request. */
const most = { messages: 100_000, characters: 64 * 1024 * 1024, sharing: 100 };

// In milliseconds.
/** How long a close waits for requests that are being sent. Node-RED waits for 15 seconds. */
const sendingDeadline = 10_000;
/** Between two tries of a store that fails. */
const storePause = 1000;

/** For messages that joined another one's request: the message that asked, and how many joined it. */
const joinedTo = new WeakMap<Request, Request>();
const joiners = new WeakMap<Request, number>();

/**
 * Asks, waits, and lets each message out once: approved, denied or expired. The life of one message is in `course.ts` and
 * `stages.ts`, the times of its readings in `watch.ts`, what survives a restart in `storage/`. This class handles many
 * messages: letting them in, joining, withdrawing, closing, and going on after a deploy or a restart.
 */
export class Gate implements Desk {
  private readonly course: Course;
  private readonly requests = new Set<Request>();
  /** The requests that others may join, by their question. */
  private readonly leaders = new Map<string, Request>();
  /** Characters of the messages that wait. */
  private characters = 0;
  /** Messages that are just coming in: closing and withdrawing wait until each has come to its next stage. */
  private readonly arriving = new Set<Promise<void>>();
  /** Messages that withdraw. Closing waits for them. */
  private readonly controls = new Set<Promise<void>>();
  private readonly unreported: Unreported[] = [];
  /** Requests that were taken over during a withdrawal, for each message that withdraws. */
  private readonly takenMeanwhile = new Set<Set<Request>>();
  /** Requests that are being withdrawn, part by part. */
  private readonly withdrawing = new Set<readonly Request[]>();
  /** Pending while it takes up earlier requests: withdrawing and closing wait for it, so that they include all of them. */
  private beginning: Promise<void> | undefined;
  private takingOver: Promise<void> | undefined;
  /** Messages given to the node again, so that they end as messages of a node do. */
  private readonly returning = new WeakMap<object, (done: Done) => void>();
  private opened: { readonly account: GateAccount; readonly records: Records } | undefined;
  /** Records of stores that the account kept its approvals in before. */
  private readonly former = new Set<Records>();

  constructor(
    private readonly host: GateHost,
    private readonly process: Process,
  ) {
    this.course = new Course(this, process.outside.time, process.atStore);
  }

  /** Goes on with the requests that were open before. Call it once all nodes of the flow are there. */
  begin(): void {
    if (this.course.isClosing) return;
    const { handovers } = this.process;
    const left = handovers.get(this.host.nodeId);
    handovers.delete(this.host.nodeId);
    this.beginning = this.goOn(left).finally(() => (this.beginning = undefined));
  }

  /** Handles one message: one that asks, one that withdraws, or an earlier one that comes back. */
  input(message: NodeMessageInFlow, done: Done): void {
    const returned = this.returning.get(message);
    if (returned !== undefined) {
      this.returning.delete(message);
      returned(done);
    } else if (isWithdrawal(message)) {
      const control = this.control(message).then(
        () => this.finishControl(message, done),
        (error: unknown) => this.finishControl(message, done, error as Error),
      );
      this.controls.add(control);
      void control.finally(() => this.controls.delete(control));
    } else {
      const asking = this.ask(message, done);
      this.arriving.add(asking);
      void asking.finally(() => this.arriving.delete(asking));
    }
  }

  private finishControl(message: NodeMessageInFlow, done: Done, error?: Error): void {
    if (!this.course.isClosing) done(error);
    else if (error === undefined) this.unreported.push({ message, error });
    else this.end(message, error, done);
  }

  /**
   * @param removed - whether the node was deleted or disabled: then waiting messages are withdrawn. Otherwise they stay
   *   until the node is back.
   */
  async close(removed: boolean): Promise<void> {
    this.course.close();
    const { handovers } = this.process;
    const { nodeId } = this.host;
    const handover = this.handOver(removed);
    // At once: the next node may begin before this one is done.
    if (!removed) handovers.set(nodeId, handover);
    const { requests, ending, unreported } = await handover;
    if (requests.length + ending.length + unreported.length === 0 && handovers.get(nodeId) === handover)
      handovers.delete(nodeId);
  }

  private async handOver(removed: boolean): Promise<Handover> {
    for (const request of this.requests) this.course.unwatch(request);
    // At once: the nodes that could be told are about to close as well.
    const withdrawing = removed ? this.withdrawForGood() : this.withdrawNow();
    await Promise.all([this.beginning, this.takingOver, ...this.arriving]);
    await withdrawing;
    if (removed) await this.withdrawForGood();
    await Promise.all(this.controls);
    await this.course.settled(sendingDeadline);
    const requests = [...this.requests];
    if (removed && requests.length > 0) {
      this.host.log(
        `${requests.length} of them could not be taken out of the store of open approvals, which does not answer. ` +
          'They stay there, and on the phones; their answers do not count here any more.',
      );
    }
    await inParts(requests, (request) => this.course.keepUnsent(request), this.time);
    for (const request of requests) {
      request.course = undefined;
      request.done = undefined;
    }
    this.host.badge.waiting(0);
    for (const records of [...this.former, this.opened?.records]) await records?.close();
    return { requests, ending: [...this.course.ending], unreported: this.unreported };
  }

  private get time(): Process['outside']['time'] {
    return this.process.outside.time;
  }

  // ---- asking

  /** Takes a message up to where its request is on its way. Never rejects. */
  private async ask(message: NodeMessageInFlow, done: Done): Promise<void> {
    this.host.badge.begin();
    let asked: Asked;
    let request: Request;
    let leader: Request | undefined;
    try {
      this.account();
      asked = await this.host.question(message);
      const records = this.recordsOf(this.account());
      const text = textOf(message, records);
      const question = this.host.join ? questionOf(asked) : '';
      leader = this.leaderOf(question);
      this.checkRoom(leader);
      const record = this.newRecord(records, asked, question, text);
      request = new Request(record, records, message, done, this.time.steady());
    } catch (error) {
      this.host.badge.end();
      this.end(message, error as Error, done);
      return;
    }
    this.add(request);
    if (leader === undefined) {
      await this.course.ask(request, asked);
    } else {
      joinedTo.set(request, leader);
      joiners.set(leader, (joiners.get(leader) ?? 0) + 1);
      await this.course.join(request, leader);
    }
  }

  /** The open request of a question. */
  private leaderOf(question: string): Request | undefined {
    const leader = this.leaders.get(question);
    if (leader === undefined || question === '') return undefined;
    const isWaiting = leader.is('waiting') && this.time.steady() < leader.endsAt;
    return isWaiting || isOnItsWay(leader.stage) ? leader : undefined;
  }

  private checkRoom(leader: Request | undefined): void {
    if (this.requests.size >= most.messages || this.characters >= most.characters) {
      throw new AuthyError(
        'AUTHY_BUSY',
        `Slow the flow down, or shorten the timeout: ${this.requests.size} messages wait for an answer at this node, ` +
          'as many as it keeps. Nothing was sent.',
      );
    }
    if (leader !== undefined && (joiners.get(leader) ?? 0) + 1 >= most.sharing) {
      throw new AuthyError(
        'AUTHY_OPEN_LIMIT',
        `Slow the flow down, for example with a delay node: ${most.sharing} messages wait for the answer to this ` +
          'question already. Nothing was sent.',
      );
    }
  }

  private newRecord(
    records: Records,
    { authyId, timeout }: Asked,
    question: string,
    message: string,
  ): ApprovalRecord {
    const lifetime = timeout * 1000;
    return {
      id: this.process.outside.newId(),
      accountId: this.host.accountId,
      recipient: authyId,
      state: 'sending',
      approvalId: undefined,
      question,
      endsAt: records.now() + lifetime,
      lifetime,
      joinedAfter: undefined,
      reminded: false,
      message,
      epoch: 1,
    };
  }

  // ---- what the course needs

  get confirm(): boolean {
    return this.host.confirm;
  }

  watch({ accountId }: ApprovalRecord): Watch {
    return this.process.watchOf(accountId);
  }

  async admit(record: ApprovalRecord): Promise<void> {
    const admission = await this.account().admit(record, this.host.limits);
    if (!admission.admitted) throw refusedBy(admission);
  }

  async release(record: ApprovalRecord): Promise<void> {
    await (this.host.account(record.accountId) ?? this.opened?.account)?.release(record);
  }

  get isAbandoned(): boolean {
    return this.host.account() === undefined;
  }

  send({ message }: Request, asked: Asked): Promise<string> {
    return this.account().send(asked, message);
  }

  async read(record: ApprovalRecord, deadline: number): Promise<StatusReading> {
    // The gate may have been set to another account since it asked.
    const account = this.host.account(record.accountId);
    if (account === undefined) throw noAccount();
    return account.read(record, deadline);
  }

  handOn(request: Request, outcome: Outcome): void {
    this.host.badge.decided(outcome.decision);
    this.host.send(request, outcome);
  }

  raise({ message, done }: Request, error: Error): void {
    this.end(message, error, done);
  }

  complete({ message, done }: Request): void {
    if (this.course.isClosing) this.unreported.push({ message, error: undefined });
    else if (done !== undefined) done();
    // The node was to receive it again, and it has not come yet.
    else this.giveBack(message, (whenBack) => whenBack());
  }

  /** Ends a message with an error that reaches a Catch node or the log. */
  private end(message: NodeMessageInFlow, error: Error, done: Done | undefined): void {
    if (this.course.isClosing) {
      this.host.log(`A message ended while its node was closed. ${error.message}`);
      this.unreported.push({ message, error });
      return;
    }
    this.host.badge.failed(error);
    this.host.raise(message, error, done);
  }

  moved(request: Request, before: Stage): void {
    if (isOnItsWay(before) && !isOnItsWay(request.stage)) this.host.badge.end();
    if (isOnItsWay(before) && request.is('waiting')) this.host.asked(request);
    if (!request.is('ended')) return;
    this.host.ended(request);
    this.requests.delete(request);
    this.characters -= sizeOf(request.record.message);
    if (this.leaders.get(request.record.question) === request) this.leaders.delete(request.record.question);
    const leader = joinedTo.get(request);
    if (leader !== undefined) joiners.set(leader, (joiners.get(leader) ?? 0) - 1);
    this.host.badge.waiting(this.requests.size);
  }

  emit(request: Request, event: EventName, decision?: string): void {
    // Events are about requests: a message that joined has no events.
    const hasJoined = request.record.joinedAfter !== undefined;
    if (!this.course.isClosing && !hasJoined) this.host.emit(request, event, decision, this.requests.size);
  }

  warnOfStore(error: unknown): void {
    this.host.warn('store', (error as Error).message);
  }

  warnOfLoss(error: Error): void {
    this.host.warn('loss', error.message);
  }

  warnOfStatus(error: unknown): void {
    const { code, message } = error as Partial<AuthyError>;
    this.host.warn(
      code ?? 'unknown',
      `The status of an approval request cannot be read; it is tried again until the time is over. ${message ?? ''}`,
    );
  }

  // ---- withdrawing

  /** `msg.reset` withdraws all; `msg.cancel` one by its approval id, or all of this node. */
  private async control(message: NodeMessageInFlow): Promise<void> {
    const approvalId = withdrawnBy(message);
    const isMeant = ({ key }: Request): boolean => approvalId === undefined || key === approvalId;
    const meant = (): Request[] => [...this.requests].filter(isMeant);
    const taken = new Set<Request>();
    this.takenMeanwhile.add(taken);
    try {
      // At once: what follows may have to wait for the store.
      const withdrawing = this.withdraw(meant());
      // Messages that came in before it are meant as well.
      const areComing = this.beginning !== undefined || this.arriving.size > 0;
      await Promise.all([this.beginning, ...this.arriving]);
      const areCertain = await Promise.all([
        withdrawing,
        areComing ? this.withdraw(meant()) : true,
        this.opened?.records.withdrawElsewhere(approvalId, () => !this.course.isClosing),
      ]);
      // Requests that were just being taken over were neither here nor on another instance.
      await this.takingOver;
      areCertain.push(await this.withdraw([...taken].filter(isMeant)));
      if (!areCertain.includes(false)) return;
    } finally {
      this.takenMeanwhile.delete(taken);
    }
    throw new AuthyError(
      'AUTHY_CANCELLED',
      'Withdraw it again: it is not certain that it was withdrawn. Its node was closed, or its account gone, before the ' +
        'store could record it; or another Node-RED was handing the decision on.',
    );
  }

  /** @returns whether it is certain that no outcome of them leaves any more */
  private async withdraw(meant: readonly Request[]): Promise<boolean> {
    let uncertain = 0;
    this.withdrawing.add(meant);
    await inParts(
      meant,
      async (request) => {
        if (!(await this.course.withdraw(request))) uncertain += 1;
      },
      this.time,
    );
    this.withdrawing.delete(meant);
    return uncertain === 0;
  }

  /** Withdraws at once all that were being withdrawn part by part: the next node must not find them waiting. */
  private async withdrawNow(): Promise<void> {
    await Promise.all([...this.withdrawing].flat().map((request) => this.course.withdraw(request)));
  }

  /** The node is gone, and with it the outputs. */
  private async withdrawForGood(): Promise<void> {
    if (this.requests.size === 0) return;
    this.host.log(`${this.requests.size} open approval requests were withdrawn with their node.`);
    await Promise.all([...this.requests].map((request) => this.course.withdrawForGood(request)));
  }

  // ---- the requests of before, and of others

  private async goOn(left: Promise<Handover> | undefined): Promise<void> {
    const { requests = [], ending = [], unreported = [] } = (await left) ?? {};
    await inParts(requests, (request) => this.adopt(request), this.time);
    for (const { message, error } of unreported) {
      this.giveBack(message, (done) => {
        if (error === undefined) done();
        else this.end(message, error, done);
      });
    }
    for (const request of ending) this.finish(request);
    // Begin before one of them ends: until its record is gone it would look like one of an earlier run.
    const takingOver = this.takeOver();
    await inParts(requests, (request) => this.returned(request), this.time);
    await takingOver;
  }

  /** Adds a request to those of this gate. It is not watched before the node has received its message again. */
  private add(request: Request): void {
    const { question, message } = request.record;
    request.course = this.course;
    this.requests.add(request);
    this.characters += sizeOf(message);
    if (question !== '' && this.leaderOf(question) === undefined) this.leaders.set(question, request);
    this.host.badge.waiting(this.requests.size);
  }

  private adopt(request: Request): void {
    // If it was on its way to the store when its node closed, it may have ended since.
    if (request.is('ended')) return;
    this.add(request);
    request.markUnwatched();
    if (isOnItsWay(request.stage)) this.host.badge.begin();
  }

  /** Gives its message to the node again: so it reaches Catch and Complete nodes as any other message does. */
  private async returned(request: Request): Promise<void> {
    await this.move(request);
    // The next node returns it.
    if (this.course.isClosing || request.is('ended')) return;
    this.giveBack(request.message, (done) => {
      request.done = done;
      this.course.proceed(request);
    });
  }

  private giveBack(message: NodeMessageInFlow, then: (done: Done) => void): void {
    const isOnItsWay = this.returning.has(message);
    this.returning.set(message, then);
    if (!isOnItsWay) this.host.receive(message);
  }

  /** Goes on telling the store that a message has left, which the previous gate could not. */
  private finish(request: Request): void {
    const records = this.openRecords();
    if (records?.name === request.records.name) {
      request.records = records;
      this.course.end(request);
      return;
    }
    // For a store that is not used any more this may be too late.
    request.records.end(request.record).catch((error: unknown) => this.warnOfStore(error));
  }

  /** The account may keep its approvals in another store now. */
  private async move(request: Request): Promise<void> {
    const records = this.openRecords();
    if (records === undefined) return;
    if (records.name === request.records.name) {
      request.records = records;
      this.course.catchUp(request);
    } else {
      await this.course.move(request, records, this.process.outside.newId());
    }
  }

  /** Takes over abandoned records. One run at a time: a record that a store hands over twice would end twice. */
  private takeOver(): Promise<void> {
    this.takingOver ??= this.takeAll().finally(() => (this.takingOver = undefined));
    return this.takingOver;
  }

  /** Takes over part by part, until all records in the store are read. */
  private async takeAll(): Promise<void> {
    const mine = new Map<string, number>();
    for (const { record } of this.requests) {
      mine.set(record.id, Math.max(record.epoch, mine.get(record.id) ?? 0));
    }
    for (let account = this.host.account(); account !== undefined; account = this.host.account()) {
      if (this.course.isClosing) return;
      const records = this.recordsOf(account);
      try {
        const found = await records.take(mine);
        if (found.length === 0) return;
        for (const one of found) {
          if (mine.has(one.record.id)) this.giveWay(one.record.id);
          this.restore(records, one);
        }
        await this.time.turn();
      } catch (error) {
        this.warnOfStore(error);
        await pause(this.time, storePause);
      }
    }
  }

  /** While this process stood still, another instance had the request. It comes back as a new one, also for the store. */
  private giveWay(id: string): void {
    for (const request of [...this.requests]) if (request.record.id === id) this.course.takenOver(request);
  }

  private restore(records: Records, { record, isClockWrong }: Found): void {
    const message = readMessage(record.message) as NodeMessageInFlow;
    const request = new Request(record, records, message, undefined, this.time.steady());
    // A clock that was set back must not lengthen the time.
    const remaining = Math.min(record.endsAt - records.now(), record.lifetime);
    request.askedAt += remaining - record.lifetime;
    request.markRestored();
    request.step('kept');
    if (record.state === 'waiting') {
      request.step('joined');
      if (isClockWrong) request.decide(expired('clock', this.time.wall()));
    } else {
      request.step('failed');
      request.end = { kind: 'error', error: interrupted(record.state) };
    }
    for (const taken of this.takenMeanwhile) taken.add(request);
    this.host.account()?.found(record);
    this.adopt(request);
    void this.returned(request);
  }

  private openRecords(): Records | undefined {
    const account = this.host.account();
    return account && this.recordsOf(account);
  }

  /** The gate's records in the store of its account, which may be a new one after a deploy. */
  private recordsOf(account: GateAccount): Records {
    if (this.opened?.account.place === account.place) return this.opened.records;
    if (this.opened !== undefined) this.former.add(this.opened.records);
    const records = account.openRecords({
      onAbandoned: () => void this.takeOver(),
      onWithdrawn: (ids) => this.lose(new Set(ids)),
      // Each of them is different, and none may be left out of the log.
      onTrouble: (sentence) => this.host.warn(sentence, sentence),
    });
    this.opened = { account, records };
    const { longestPause = usualLongestPause } = account;
    this.process.watchOf(this.host.accountId).longestPause = longestPause;
    return records;
  }

  /** Another instance was told to withdraw these. */
  private lose(ids: ReadonlySet<string>): void {
    for (const request of [...this.requests]) {
      // A request that this gate has handed over is its successor's.
      if (ids.has(request.record.id) && request.course === this.course)
        this.course.withdrawnElsewhere(request);
    }
  }

  private account(): GateAccount {
    // The account closes at the same time; it still finishes the calls that were made.
    const account = this.course.isClosing ? this.opened?.account : this.host.account();
    if (account !== undefined) return account;
    throw noAccount();
  }
}
