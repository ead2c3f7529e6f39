import { AuthyError } from '../contract/errors';
import type { ApprovalRecord, Claim, Records } from '../storage/records';
import type { InTurn } from '../storage/in-turn';
import { pause, type Time } from '../time';
import { Outage } from './outage';
import { expired, grace, type Outcome, type StatusReading } from './outcome';
import type { Asked } from './question';
import { lostByStore } from './refusals';
import type { Carrier, Request } from './request';
import { isOnItsWay, type Stage } from './stages';
import type { Watch } from './watch';

/** The parts of the gate that the course of its messages needs. */
export interface Desk {
  readonly confirm: boolean;
  /** Whether there is no account (any more), so that a failed store never comes back. */
  readonly isAbandoned: boolean;
  /** The watch of the account that a message asks with. */
  watch(record: ApprovalRecord): Watch;
  /** Lets a message in. @throws AuthyError - if the guard rails do not */
  admit(record: ApprovalRecord): Promise<void>;
  release(record: ApprovalRecord): Promise<void>;
  /** Sends the request to the service. @returns the service's id of it */
  send(request: Request, asked: Asked): Promise<string>;
  read(record: ApprovalRecord, deadline: number): Promise<StatusReading>;
  /** Lets a message out. It cannot fail. */
  handOn(request: Request, outcome: Outcome): void;
  /** Ends a message with an error. It cannot fail. */
  raise(request: Request, error: Error): void;
  /** A message is complete, and leaves by no output. It cannot fail. */
  complete(request: Request): void;
  /** The stage of a request has changed, and what is shown of it. */
  moved(request: Request, before: Stage): void;
  emit(request: Request, event: 'requested' | 'reminded' | 'decided', decision?: string): void;
  warnOfStore(error: unknown): void;
  /** The store has lost the record of a message, which ends in this error. */
  warnOfLoss(error: Error): void;
  warnOfStatus(error: unknown): void;
}

/** The pause between two tries of a store that is not used any more, in milliseconds. */
const formerPause = 1000;

// Data that only few requests have is kept outside of them.
/** The questions of requests that are not sent yet. */
const questions = new WeakMap<Request, Asked>();
/** The messages that wait for another one's request to be sent. */
const followers = new WeakMap<Request, Request[]>();
/** When the request of a question that others may join was about to be sent, by the steady clock. */
const sentAt = new WeakMap<Request, number>();
/** Requests that another instance withdrew before this one knew that they are in the store. */
const withdrawnEarly = new WeakSet<Request>();
/** Requests whose event `requested` is still to come, once the store knows the request's id. */
const unannounced = new WeakSet<Request>();
/** Requests with a change that is not in the store, because their node was closed. */
const unwritten = new WeakSet<Request>();

/** Takes the messages of one gate from stage to stage, as in `stages.ts`. Read it from top to bottom. */
export class Course implements Carrier {
  /**
   * From here on nothing new is sent, and nothing is handed on; withdrawn messages are still claimed. Messages on their way
   * come to the next stage in which the node that replaces this one can take them up.
   */
  private closes = false;
  /** Work on its way to the service, and to the store. */
  private readonly sending = new Set<Promise<unknown>>();
  private readonly storing = new Set<Promise<unknown>>();
  private readonly claims = new Map<Request, Promise<void>>();
  /** Messages that have left, which the store does not know for certain yet. */
  readonly ending = new Set<Request>();

  private readonly outage: Outage;

  /** @param atStore - the queue of store calls for each message; shared by the courses of a process */
  constructor(
    readonly desk: Desk,
    readonly time: Time,
    private readonly atStore: InTurn<Request>,
  ) {
    this.outage = new Outage(time);
  }

  get isClosing(): boolean {
    return this.closes;
  }

  /** See {@link isClosing}. */
  close(): void {
    this.closes = true;
    this.outage.end();
  }

  /** The course that takes a message further now. */
  private courseOf({ course }: Request): Course {
    return (course as Course | undefined) ?? this;
  }

  // ---- arriving → kept

  /**
   * Lets a message in, keeps it, and sends its request.
   *
   * @returns settles once it is on its way, or refused
   */
  async ask(request: Request, asked: Asked): Promise<void> {
    questions.set(request, asked);
    if (await this.keep(request, () => this.desk.admit(request.record))) this.proceed(request);
  }

  /** Lets a message wait for the answer to the same question of another one. */
  async join(request: Request, leader: Request): Promise<void> {
    // Nobody can have answered a request that is not sent yet.
    if (!leader.is('arriving', 'kept')) request.joined(this.time.steady());
    if (await this.keep(request, () => Promise.resolve())) this.follow(request, leader);
  }

  /** Counts and stores a message before anything is sent: otherwise it could be lost. */
  private async keep(request: Request, admit: () => Promise<void>): Promise<boolean> {
    const { record } = request;
    let isHeld: boolean;
    try {
      await admit();
      if (this.isClosing) record.state = 'unsent';
      isHeld = await request.records.create(record, this.isWanted);
    } catch (error) {
      request.end = { kind: 'error', error: error as Error };
      this.desk.raise(request, error as Error);
      request.step('refused');
      this.free(request);
      return false;
    }
    request.step('kept');
    if (!isHeld || withdrawnEarly.has(request)) this.notHeld(request);
    return true;
  }

  private readonly isWanted = (): boolean => !this.isClosing;

  // ---- kept → sending → waiting

  /** Does the next step for a message, once there is a node that it can leave. */
  proceed(request: Request): void {
    if (request.course !== this || request.done === undefined) return;
    if (request.is('decided')) void this.startClaim(request);
    if (this.isClosing) return;
    if (request.is('kept') && questions.has(request)) void this.track(this.sending, this.send(request));
    if (request.is('waiting')) this.desk.watch(request.record).add(request);
  }

  /** Sends a request. If the node is closed meanwhile, sending goes on, and the next node handles the result. */
  private async send(request: Request): Promise<void> {
    const { record } = request;
    const asked = questions.get(request);
    if (asked === undefined) return;
    questions.delete(request);
    const isToBeSent = await this.isToBeSent(request);
    await Promise.all((followers.get(request) ?? []).map((follower) => this.isToBeSent(follower)));
    if (!isToBeSent || !request.is('kept')) {
      questions.set(request, asked);
      return;
    }
    request.step('sent');
    for (const follower of followers.get(request) ?? []) if (follower.is('kept')) follower.step('sent');
    if (record.question !== '') sentAt.set(request, this.time.steady());
    try {
      const approvalId = await this.desk.send(request, asked);
      this.courseOf(request).accepted(request, approvalId);
    } catch (error) {
      this.courseOf(request).fail(request, error as Error);
    }
    this.leave(request);
  }

  /** A record that says "nothing was sent" must be changed before something is sent. */
  private async isToBeSent(request: Request): Promise<boolean> {
    const { record } = request;
    if (record.state !== 'unsent') return request.is('kept');
    record.state = 'sending';
    await this.write(request);
    return !this.isClosing && request.is('kept');
  }

  /** The service has accepted the request: from now on an answer counts. */
  private accepted(request: Request, approvalId: string): void {
    const { record } = request;
    record.approvalId = approvalId;
    // Withdrawn meanwhile: it is on the phone, and nobody waits for the answer.
    if (!request.is('sending')) return;
    record.state = 'waiting';
    request.askedAt = this.time.steady();
    record.endsAt = request.records.now() + record.lifetime;
    request.step('accepted');
    unannounced.add(request);
    // With the id, another instance may withdraw the request: so the store has to know it before anybody else.
    void this.write(request).then(() => this.announce(request));
    this.proceed(request);
  }

  private announce(request: Request): void {
    if (unannounced.delete(request)) this.desk.emit(request, 'requested');
  }

  private fail(request: Request, error: Error): void {
    if (!request.is('kept', 'sending', 'waiting')) return;
    request.end = { kind: 'error', error };
    request.step('failed');
    this.proceed(request);
  }

  /** Called at each step: the end of a message decides about the messages that wait for its request. */
  moved(request: Request, before: Stage): void {
    this.desk.moved(request, before);
    if (isOnItsWay(before) && request.is('decided', 'ended')) this.leave(request);
  }

  /** The messages that waited for another one's request go on in the same way as that one. */
  private leave(leader: Request): void {
    const all = followers.get(leader) ?? [];
    followers.delete(leader);
    for (const follower of all) this.courseOf(follower).follow(follower, leader);
  }

  private follow(request: Request, leader: Request): void {
    // It was withdrawn, or another instance has taken it over.
    if (!request.is('kept', 'sending')) return;
    if (leader.record.approvalId !== undefined) {
      this.attach(request, leader);
    } else if (isOnItsWay(leader.stage)) {
      if (leader.is('sending') && request.is('kept')) request.step('sent');
      followers.set(leader, [...(followers.get(leader) ?? []), request]);
    } else if (leader.end?.kind === 'withdrawn') {
      void this.withdraw(request);
    } else {
      this.fail(request, leader.end?.kind === 'error' ? leader.end.error : lostByStore());
    }
  }

  /** From now on the message waits for the answer to the request of another one: until its own time is over. */
  private attach(request: Request, leader: Request): void {
    const { record } = request;
    const { askedAt, lifetime } = leader;
    const began = Math.max(0, request.waitsSince - askedAt);
    record.approvalId = leader.record.approvalId;
    record.state = 'waiting';
    record.lifetime = Math.min(lifetime, began + record.lifetime);
    record.joinedAfter = joinedAfter(request, leader);
    request.askedAt = askedAt;
    record.endsAt = request.records.now() + request.endsAt - this.time.steady();
    request.step(request.is('kept') ? 'joined' : 'accepted');
    void this.write(request);
    this.proceed(request);
  }

  // ---- waiting → decided

  get confirm(): boolean {
    return this.desk.confirm;
  }

  read({ record }: Request, deadline: number): Promise<StatusReading> {
    return this.desk.read(record, deadline);
  }

  onUnreadable(error: unknown): void {
    this.desk.warnOfStatus(error);
  }

  /** Half of the time is over. */
  remind(request: Request): void {
    request.record.reminded = true;
    void this.write(request);
    this.desk.emit(request, 'reminded');
  }

  /**
   * Takes a message back. Once it is claimed, or has ended in an error, it is too late.
   *
   * @returns whether it is certain that no outcome of it leaves any more: if the node is closed meanwhile, the node that
   *   replaces it goes on with it, but a crash might bring it back
   */
  async withdraw(request: Request): Promise<boolean> {
    this.takeBack(request);
    if (request.is('decided')) await (this.claims.get(request) ?? this.startClaim(request));
    return !request.is('decided');
  }

  private takeBack(request: Request): void {
    const isOpen = request.is('kept', 'sending', 'waiting');
    if (!isOpen && !(request.is('decided') && request.end?.kind === 'outcome')) return;
    this.unwatch(request);
    request.end = { kind: 'withdrawn' };
    if (isOpen) request.step('withdrawn');
  }

  /** Withdraws a message whose node is gone: it is complete at once, since the Complete nodes close as well. */
  async withdrawForGood(request: Request): Promise<void> {
    if (request.is('arriving', 'claimed', 'ended')) return;
    request.done?.();
    request.done = undefined;
    this.takeBack(request);
    request.end = { kind: 'withdrawn' };
    await this.withdraw(request);
  }

  /** Another instance was told to withdraw the request, and the store says so: the message is complete. */
  withdrawnElsewhere(request: Request): void {
    if (request.is('arriving')) withdrawnEarly.add(request);
    if (!request.is('kept', 'sending', 'waiting', 'decided')) return;
    this.unwatch(request);
    request.end = { kind: 'withdrawn' };
    request.step('takenOver');
    this.desk.complete(request);
  }

  /** Another instance has taken the message over: this one may not let it out any more. */
  takenOver(request: Request): void {
    if (!request.is('kept', 'sending', 'waiting', 'decided')) return;
    this.unwatch(request);
    request.step('takenOver');
  }

  unwatch(request: Request): void {
    if (request.is('waiting')) this.desk.watch(request.record).remove(request);
  }

  // ---- decided → claimed → ended

  private startClaim(request: Request): Promise<void> {
    const underWay = this.claims.get(request);
    if (underWay !== undefined) return underWay;
    const claim = this.track(this.storing, this.claim(request)).finally(() => this.claims.delete(request));
    this.claims.set(request, claim);
    return claim;
  }

  /** Asks the store, until it answers, whether this instance may hand the message on. */
  private async claim(request: Request): Promise<void> {
    const { record } = request;
    const isFinal = (): boolean => request.end?.kind === 'withdrawn';
    while (request.course === this && request.is('decided') && (isFinal() || !this.isClosing)) {
      try {
        const claim = await this.atStore.do(request, () => request.records.claim(record, isFinal()));
        this.outage.answered();
        if (request.is('decided')) await this.conclude(request, claim);
        break;
      } catch (error) {
        if (await this.mayTryAgain(error)) continue;
        // A withdrawal that the store has not recorded is none: a later node of this gate goes on with it.
        if (!this.isClosing && !isFinal()) this.abandon(request, error as Error);
        break;
      }
    }
  }

  /** The store has answered. What is claimed is handed on in this very turn. */
  private async conclude(request: Request, claim: Claim): Promise<void> {
    if (claim === 'theirs') {
      request.step('takenOver');
    } else if (claim === 'withdrawn' || request.end?.kind === 'withdrawn') {
      // If it was withdrawn while it was being claimed, the claim was not final.
      if (claim === 'ours') this.end(request);
      request.step('finished');
      this.free(request);
      this.desk.complete(request);
    } else if (this.isClosing) {
      // The node cannot send any more. The node that replaces it claims the message again.
      if (claim === 'ours') await request.records.unclaim(request.record);
    } else {
      // No instance has it, so only this one can say that it is lost.
      if (claim === 'missing') this.lose(request);
      this.handOn(request);
    }
  }

  /** The store never comes back: its account is gone. */
  private abandon(request: Request, error: Error): void {
    if (!request.is('decided')) return;
    this.desk.raise(request, error);
    request.step('finished');
  }

  private lose(request: Request): void {
    const error = lostByStore();
    request.end = { kind: 'error', error };
    this.desk.warnOfLoss(error);
  }

  /**
   * Lets a claimed message out. It must not be interrupted: otherwise nobody knows the outcome. Node-RED delivers to the
   * next nodes after this turn.
   */
  private handOn(request: Request): void {
    const { end } = request;
    request.step('claimed');
    const outcome = end?.kind === 'outcome' ? this.inTime(request, end.outcome) : undefined;
    this.announce(request);
    try {
      if (outcome !== undefined) this.desk.handOn(request, outcome);
      else if (end?.kind === 'error') this.desk.raise(request, end.error);
    } catch (error) {
      // With any error: the message must not stay here for ever.
      this.desk.raise(request, error as Error);
    }
    this.end(request);
    request.step('handedOn');
    this.free(request);
    if (outcome !== undefined) this.desk.emit(request, 'decided', outcome.decision);
  }

  /**
   * Tells the store that a claimed message has left: files within this very turn, Redis a little later. Until the store
   * knows it, the message would end in an error as well if the process died: so the node that replaces this one goes on
   * telling it.
   */
  end(request: Request): void {
    this.ending.add(request);
    const told = this.insist(() => request.records.end(request.record)).then((isTold) => {
      if (isTold) this.ending.delete(request);
    });
    void this.track(this.storing, told);
  }

  /** An approval counts only if it is handed on in time, however long the store took. */
  private inTime(request: Request, outcome: Outcome): Outcome {
    this.time.noticeSleep();
    const isOverdue = outcome.decision === 'approved' && this.time.steady() > request.endsAt + grace;
    return isOverdue ? expired('overdue', this.time.wall(), outcome.answer) : outcome;
  }

  // ---- found in the store, and moved to another one

  /**
   * Moves a message to another store. Until it is there, neither store is used for it in any other way.
   *
   * @param id - its new id: the other store may remember the end of the old one
   */
  async move(request: Request, to: Records, id: string): Promise<void> {
    await this.atStore.do(request, () => this.carryOver(request, to, id));
    // What has changed meanwhile.
    await this.write(request);
  }

  /** Writes changes that could not be written when the previous node was closed. */
  catchUp(request: Request): void {
    if (unwritten.has(request)) void this.write(request);
  }

  private async carryOver(request: Request, to: Records, id: string): Promise<void> {
    const { record, records: from } = request;
    const before = { ...record };
    const after = { ...record, id, epoch: 1 };
    // It is removed from the old store only once it is in the new one: a crash leaves it in both. This node reads only the
    // new one; an instance that still uses the old one may take it over there.
    const isThere = await this.insist(async () => {
      await to.create(after, this.isWanted);
    });
    if (!isThere) return;
    if (!(await this.takeOut(request, from, before))) {
      await this.insist(async () => {
        await to.claim(after, true);
      });
      return;
    }
    record.id = id;
    record.epoch = 1;
    request.records = to;
  }

  /** @returns false if another instance had it. True also if the store, which is not used any more, cannot say. */
  private async takeOut(request: Request, from: Records, record: ApprovalRecord): Promise<boolean> {
    for (let tries = 0; tries < 3; tries++) {
      try {
        const claim = await from.claim(record, true);
        if (claim === 'ours' || claim === 'missing') return true;
        request.step(request.is('decided') ? 'finished' : 'takenOver');
        if (claim === 'withdrawn') this.desk.complete(request);
        return false;
      } catch (error) {
        this.desk.warnOfStore(error);
        await pause(this.time, formerPause);
      }
    }
    return true;
  }

  /** Records that the request of a message was not sent, in case no node replaces this one. */
  async keepUnsent(request: Request): Promise<void> {
    const { record, end } = request;
    const isRefused = request.is('decided') && end?.kind === 'error' && !isUnknown(end.error);
    if (record.state !== 'sending' || !(request.is('kept') || isRefused)) return;
    record.state = 'unsent';
    await this.insist(() =>
      this.atStore.do(request, async () => {
        await request.records.update(record);
      }),
    );
  }

  // ---- closing

  /** Settles when nothing is on its way to the store, and nothing to the service or the given time has passed. */
  async settled(milliseconds: number): Promise<void> {
    await Promise.race([allOf(this.sending), pause(this.time, milliseconds)]);
    await allOf(this.storing);
  }

  private async track(set: Set<Promise<unknown>>, work: Promise<unknown>): Promise<void> {
    set.add(work);
    await work;
    set.delete(work);
  }

  /** Writes the changes of a message that is not decided. */
  private write(request: Request): Promise<void> {
    unwritten.add(request);
    const written = this.insist(() =>
      this.atStore.do(request, async () => {
        if (!request.is('kept', 'sending', 'waiting')) return;
        const isHeld = await request.records.update(request.record);
        if (!isHeld) this.notHeld(request);
      }),
    ).then((isWritten) => {
      if (isWritten) unwritten.delete(request);
    });
    return this.track(this.storing, written);
  }

  /** The store refused the change. A claim tells who has the record, or that nobody has it. */
  private notHeld(request: Request): void {
    if (!request.is('kept', 'sending', 'waiting')) return;
    this.unwatch(request);
    this.fail(request, lostByStore());
  }

  private free({ record }: Request): void {
    if (record.joinedAfter === undefined)
      void this.track(
        this.storing,
        this.insist(() => this.desk.release(record)),
      );
  }

  /** Tries a store until it works, or the node is closed. @returns whether it worked; never rejects */
  private async insist(change: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await change();
        this.outage.answered();
        return true;
      } catch (error) {
        if (!(await this.mayTryAgain(error))) return false;
      }
    }
  }

  /** Waits until a store that failed may be tried again. @returns false if the node is closed, or its account is gone */
  private async mayTryAgain(error: unknown): Promise<boolean> {
    this.desk.warnOfStore(error);
    if (this.isClosing) return false;
    const { isAbandoned } = this.desk;
    await this.outage.wait();
    // Seen twice: a deploy closes an account a moment before its gate.
    return !(isAbandoned && this.desk.isAbandoned);
  }
}

/** From when on an answer counts for a message that joined: in milliseconds since the service took the request. */
function joinedAfter({ waitsSince }: Request, leader: Request): number {
  if (waitsSince === -Infinity) return 0;
  const sent = sentAt.get(leader);
  // If it is not known when the request was sent, only answers seen from now on count.
  return sent === undefined ? leader.lifetime : Math.max(1, waitsSince - sent);
}

async function allOf(set: ReadonlySet<Promise<unknown>>): Promise<void> {
  while (set.size > 0) await Promise.all(set);
}

/** The errors after which nobody can say whether the request was carried out. */
const unknown: readonly string[] = ['AUTHY_OUTCOME_UNKNOWN', 'AUTHY_BAD_RESPONSE'];

function isUnknown(error: Error): boolean {
  return error instanceof AuthyError && unknown.includes(error.code);
}
