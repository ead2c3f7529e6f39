import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { type Account, accountOf, chosenAccount } from '../account';
import { type AnswerFacts, answerFacts } from '../answer-facts';
import type { CallOptions } from '../authy/client';
import { AuthyError } from '../authy/errors';
import { untrusted } from '../authy/response';
import { Badge } from '../badge';
import { deadlineOf, NodeInputs } from '../inputs';
import { readInputs } from '../operations';
import { RateLimitedLog } from '../rate-limited-log';
import { Settings } from '../settings';
import { inParts } from './in-parts';
import { type Done, OpenRequest, stages, type Waiter } from './open-request';
import { expired, grace, type Outcome, type StatusReading } from './outcome';
import { approvalInputs, type Asked, questionOf } from './question';
import { interrupted, refusedBy } from './refusals';
import { readMessage, writeMessage } from './storable';
import { type ApprovalRecord, type ApprovalStore, type GateStore, type GuardRails, idPrefix } from './store';
import { watchOf } from './watch';
import { isWithdrawal, withdrawnBy } from './withdrawal';

/** The settings of a gate beside its inputs. */
export interface GateDef extends NodeDef {
  readonly account: string;
  readonly confirm: unknown;
  readonly join: unknown;
  readonly maxOpen: unknown;
  /** In seconds. */
  readonly coolDown: unknown;
  readonly events: unknown;
  /** The fourth is that of the events. */
  readonly outputs: 3 | 4;
}

/** The outputs, in order, and the colour of the badge. */
const outputs = ['approved', 'denied', 'expired'] as const;
const fills = { approved: 'green', denied: 'yellow', expired: 'yellow' } as const;

/** How much one gate keeps: requests, characters of their messages, messages that share a request. */
const limits = { requests: 100_000, characters: 64 * 1024 * 1024, sharing: 100 };

/** Between two tries of a store that fails, in milliseconds. */
const storePause = 1000;

/** The requests of gates that are closed: a deploy brings a new node of the same id, which goes on with them. */
const resting = new Map<string, OpenRequest[]>();

/**
 * Asks, waits, and lets each message out once: approved, denied or expired. How far a request can come is in
 * {@link OpenRequest}, when it is looked at in `watch.ts`, what survives a restart in `store.ts`.
 */
export class ApprovalGate {
  private readonly inputs: NodeInputs;
  private readonly badge: Badge;
  private readonly log: RateLimitedLog;
  private readonly requests = new Set<OpenRequest>();
  /** How many messages wait, and their characters. */
  private messages = 0;
  private characters = 0;
  /** Messages not yet on their way: closing waits until each has said how it ends. */
  private readonly preparing = new Set<Promise<void>>();
  /** Records on their way out of the store: to the node that comes next they would look like those of an earlier run. */
  private readonly removing = new Set<Promise<void>>();
  /** What is being withdrawn, part by part. */
  private readonly withdrawing = new Set<readonly OpenRequest[]>();
  /** While it goes on with the requests of before: what withdraws or closes waits for it, so that it meets all of them. */
  private beginning: Promise<void> | undefined;
  /** Messages given to the node again, so that they end as messages of a node do. */
  private readonly returning = new WeakMap<object, { request: OpenRequest; waiter: Waiter }>();
  /** Whether an approval by callback is confirmed by reading the status. */
  readonly confirm: boolean;
  private readonly joins: boolean;
  private readonly emits: boolean;
  private readonly rails: GuardRails;
  /** Why nothing can be asked, if so; a sentence. */
  private readonly problem: string | undefined;
  private opened: { readonly of: ApprovalStore; readonly store: GateStore } | undefined;
  private isClosed = false;

  constructor(
    private readonly RED: NodeAPI,
    private readonly node: Node,
    private readonly config: GateDef,
  ) {
    this.inputs = new NodeInputs(RED, node, { ...config }, approvalInputs);
    this.badge = new Badge(RED, node, () => this.account()?.serviceName);
    this.log = new RateLimitedLog((line) => node.warn(line));
    const settings = new Settings();
    this.confirm = settings.flag('confirm', config.confirm, true);
    this.joins = settings.flag('join', config.join, false);
    this.emits = settings.flag('events', config.events, false);
    this.rails = {
      maxOpen: settings.number('maxOpen', config.maxOpen),
      coolDown: settings.number('coolDown', config.coolDown),
    };
    this.problem = settings.problem;
    if (this.problem === undefined) return;
    node.warn(this.problem);
    this.badge.error(new AuthyError('AUTHY_BAD_CONFIG', this.problem));
  }

  /** Goes on with the requests that were open before. To be called once the nodes of the flow are all there. */
  begin(): void {
    if (this.isClosed) return;
    const rested = resting.get(this.node.id) ?? [];
    resting.delete(this.node.id);
    this.beginning = this.goOn(rested).finally(() => (this.beginning = undefined));
  }

  /** Handles one message: one that asks, one that withdraws, or one of before that comes back. */
  input(message: NodeMessageInFlow, done: Done): void {
    const returned = this.returning.get(message);
    if (returned !== undefined) {
      this.returning.delete(message);
      returned.waiter.done = done;
      this.proceed(returned.request);
      return;
    }
    if (isWithdrawal(message)) {
      this.control(message).then(() => done(), done);
      return;
    }
    const asking = this.ask(message, done);
    this.preparing.add(asking);
    void asking.finally(() => this.preparing.delete(asking));
  }

  /**
   * @param removed - whether the node was deleted or disabled: what waits is withdrawn. Else it rests until the node
   *   is back.
   */
  async close(removed: boolean): Promise<void> {
    this.isClosed = true;
    // At once: those who might hear of it are about to close as well.
    for (const request of [...this.withdrawing].flat()) void this.withdraw(request);
    const withdrawing = removed ? this.withdrawForGood() : undefined;
    await this.beginning;
    await Promise.all(this.preparing);
    await withdrawing;
    await inParts([...this.requests], (request) => this.rest(request));
    await Promise.all(this.removing);
    if (this.requests.size > 0) resting.set(this.node.id, [...this.requests]);
    this.opened?.store.close();
    this.log.close();
    this.badge.clear();
  }

  /** Does what a request's stage calls for. */
  proceed(request: OpenRequest): void {
    if (request.gate !== this || !request.isReady) return;
    const { stage } = request;
    if (stage.name === 'waiting') this.watch(request);
    else if (stage.name === 'failed') this.fail(request, stage.error);
    else if (stage.name === 'decided') void this.claim(request, stage.outcome);
    else if (stage.name === 'passing') this.deliver(request, stage.outcome);
  }

  // ---- asking

  /** Takes a message up to where its request is on its way. Never rejects. */
  private async ask(message: NodeMessageInFlow, done: Done): Promise<void> {
    this.badge.begin();
    let request: OpenRequest | undefined;
    try {
      if (this.problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', this.problem);
      const account = chosenAccount(this.RED, this.config.account);
      const deadline = deadlineOf(message);
      const values = readInputs({ inputs: approvalInputs }, await this.inputs.evaluate(message));
      const text = writeMessage(message);
      const question = this.joins ? questionOf(values) : '';
      const same = this.joins ? this.openFor(question) : undefined;
      if (same !== undefined) {
        await this.join(same, text, message, done);
        return;
      }
      request = this.newRequest(account, values, question);
      this.addWaiter(request, text, message, done);
      await this.admit(account, request);
      void this.send(account, request, values, deadline);
    } catch (error) {
      const raised = this.inputs.withSource(error);
      if (request === undefined) {
        this.badge.error(raised);
        done(raised);
      } else {
        this.fail(request, raised);
      }
    }
  }

  private openFor(question: string): OpenRequest | undefined {
    for (const request of this.requests) {
      if (request.record.question === question && request.is('asking', 'waiting')) return request;
    }
    return undefined;
  }

  /** Lets a message wait for the open request of the same question. */
  private async join(same: OpenRequest, text: string, message: NodeMessageInFlow, done: Done): Promise<void> {
    if (same.waiters.length >= limits.sharing) {
      throw new AuthyError(
        'AUTHY_OPEN_LIMIT',
        `${limits.sharing} messages wait for the answer to this question already; nothing was sent. ` +
          'Slow the flow down, for example with a delay node.',
      );
    }
    this.addWaiter(same, text, message, done);
    this.badge.end();
    await this.keep(same);
  }

  private newRequest(account: Account, { authyId, timeout }: Asked, question: string): OpenRequest {
    if (this.requests.size >= limits.requests || this.characters >= limits.characters) {
      throw new AuthyError(
        'AUTHY_BUSY',
        `${this.requests.size} requests wait for an answer at this node, as many as it keeps; nothing was sent. ` +
          'Slow the flow down, or shorten the timeout.',
      );
    }
    const record: ApprovalRecord = {
      // With the prefix, a text that just fits into 48 bytes of memory.
      id: idPrefix + randomBytes(11).toString('hex'),
      accountId: this.config.account,
      authyId,
      state: 'asking',
      approvalId: undefined,
      question,
      endsAt: account.approvals.now() + timeout * 1000,
      timeout,
      reminded: false,
      messages: [],
    };
    const request = new OpenRequest(record, this.storeOf(account), timeout * 1000);
    request.gate = this;
    this.requests.add(request);
    return request;
  }

  private addWaiter(request: OpenRequest, text: string, message: NodeMessageInFlow, done: Done): void {
    request.add(message, done);
    // A list that is pushed to takes room for sixteen more.
    request.record.messages = request.record.messages.concat(text);
    this.messages += 1;
    this.characters += text.length;
    this.badge.waiting(this.messages);
  }

  /** Counts and keeps a request before anything is sent: what is not kept could be lost. */
  private async admit(account: Account, { record, store }: OpenRequest): Promise<void> {
    const admission = await account.approvals.admit(record, this.rails);
    if (!admission.admitted) throw refusedBy(admission);
    await store.save(record);
    if (this.isClosed) {
      throw new AuthyError(
        'AUTHY_CANCELLED',
        'The node was closed before the request was sent; nothing was sent.',
      );
    }
  }

  /** Sends a request. It goes on where the node is closed meanwhile: the next one takes care of what comes of it. */
  private async send(
    account: Account,
    request: OpenRequest,
    values: Asked,
    deadline: CallOptions['deadline'],
  ): Promise<void> {
    const inputs = { ...values, secondsToExpire: values.secondsToExpire ?? values.timeout };
    try {
      const { result } = await account.perform('onetouchSend', inputs, { deadline });
      // Withdrawn meanwhile: it is on the phone, and nobody waits for the answer.
      if (request.is('over')) return;
      request.sent(result.approvalId, account.approvals.now());
      void (request.gate ?? this).keep(request);
      request.gate?.emit(request, 'requested');
    } catch (error) {
      if (request.is('over')) return;
      request.stage = { name: 'failed', error: this.inputs.withSource(error) };
    }
    request.gate?.badge.end();
    request.gate?.proceed(request);
  }

  // ---- waiting

  private watch(request: OpenRequest): void {
    watchOf(request.record.accountId).add(request);
  }

  private unwatch({ record }: OpenRequest): void {
    if (record.approvalId !== undefined) watchOf(record.accountId).remove(record.approvalId);
  }

  /** Reads the status of a request, in at most so many milliseconds. */
  async readStatus(record: ApprovalRecord, deadline: number): Promise<StatusReading> {
    const account = chosenAccount(this.RED, record.accountId);
    const reading = await account.perform('onetouchStatus', { approvalId: record.approvalId }, { deadline });
    if (reading.result.authyId !== record.authyId) throw untrusted('it is about another user');
    return reading;
  }

  /** Half of the time is over. */
  remind(request: OpenRequest): void {
    request.record.reminded = true;
    void this.keep(request);
    this.emit(request, 'reminded');
  }

  warnOfStatus(error: unknown): void {
    const { code, message } = error as Partial<AuthyError>;
    this.log.write(
      code ?? 'unknown',
      `The status of an approval request cannot be read; it is tried again until the time is over. ${message ?? ''}`,
    );
  }

  // ---- ending

  /** Gets hold of the one right to hand a decision on. */
  private async claim(request: OpenRequest, outcome: Outcome): Promise<void> {
    const { record, store } = request;
    while (request.gate === this && request.is('decided')) {
      try {
        const isOurs = await store.claim(record);
        // The node that came with a deploy has asked as well, and was quicker.
        if (!request.is('decided')) return;
        if (isOurs) request.stage = { name: 'passing', outcome: inTime(request, outcome) };
        else this.letGo(request);
      } catch (error) {
        this.warnOfStore(error);
        await pause(storePause);
      }
    }
    request.gate?.proceed(request);
  }

  private deliver(request: OpenRequest, outcome: Outcome): void {
    const { record, waiters } = request;
    void this.over(request);
    const { decision } = outcome;
    this.badge.decided(fills[decision], decision);
    for (const { message, done } of waiters) {
      message.payload = {
        decision,
        reason: outcome.reason,
        approvalId: record.approvalId,
        authyId: record.authyId,
        requestedAt: request.requestedAt.toISOString(),
        decidedAt: new Date(outcome.decidedAt).toISOString(),
        decidedBy: outcome.decidedBy,
        device: outcome.device,
      };
      message['approvalId'] = record.approvalId;
      message['authyId'] = record.authyId;
      message['authy'] = this.facts(outcome.statusCode, outcome.response);
      // What Node-RED hands over with each message does the same, and would have to be kept beside it.
      this.node.send(outputs.map((output) => (output === decision ? message : null)));
      done?.();
    }
    this.emit(request, 'decided', decision);
  }

  /** Nothing was decided, and nothing will be: one error for each message. */
  private fail(request: OpenRequest, error: Error): void {
    void this.over(request);
    this.badge.error(error);
    for (const { message, done } of request.waiters) {
      if (error instanceof AuthyError && error.response !== undefined) {
        message['authy'] = this.facts(error.statusCode, error.response);
      }
      done?.(error);
    }
  }

  /** Ends a request without an outcome: its messages leave by no output, and are complete. */
  private async withdraw(request: OpenRequest): Promise<void> {
    // Decided already, it is too late.
    if (!request.is('asking', 'waiting')) return;
    this.unwatch(request);
    const kept = this.over(request);
    for (const { done } of request.waiters) done?.();
    await kept;
  }

  private async withdrawForGood(): Promise<void> {
    if (this.requests.size === 0) return;
    this.node.log(`${this.requests.size} open approval requests were withdrawn with their node.`);
    await Promise.all([...this.requests].map((request) => this.withdraw(request)));
  }

  /** Another instance takes care of it, its messages included. */
  private letGo(request: OpenRequest): void {
    this.unwatch(request);
    request.stage = stages.over;
    this.forget(request);
  }

  /** From here on nothing more comes of a request. @returns settles when its record is gone, or cannot be removed */
  private over(request: OpenRequest): Promise<void> {
    request.stage = stages.over;
    this.forget(request);
    const { record, store } = request;
    const approvals = accountOf(this.RED, record.accountId)?.approvals;
    const removing = Promise.all([
      this.insist(() => store.remove(record.id)),
      this.insist(() => approvals?.release(record) ?? Promise.resolve()),
    ]).then(() => undefined);
    this.removing.add(removing);
    void removing.then(() => this.removing.delete(removing));
    return removing;
  }

  private forget(request: OpenRequest): void {
    this.requests.delete(request);
    this.count(request, -1);
  }

  // ---- withdrawing by message

  /** `msg.reset` withdraws all; `msg.cancel` one by its approval id, or all of this node. */
  private async control(message: NodeMessageInFlow): Promise<void> {
    const approvalId = withdrawnBy(message);
    // What came in before it is meant as well.
    await Promise.all([this.beginning, ...this.preparing]);
    accountOf(this.RED, this.config.account)?.approvals.announce({
      kind: 'withdraw',
      gateId: this.node.id,
      approvalId,
    });
    await this.withdrawAll(approvalId);
  }

  /** Withdraws what this instance holds by now. @param approvalId - in lower case; absent: all */
  private async withdrawAll(approvalId: string | undefined): Promise<void> {
    const meant = [...this.requests].filter(
      ({ record }) => approvalId === undefined || record.approvalId?.toLowerCase() === approvalId,
    );
    this.withdrawing.add(meant);
    await inParts(meant, (request) => this.withdraw(request));
    this.withdrawing.delete(meant);
  }

  // ---- the requests of before, and of others

  private async goOn(rested: readonly OpenRequest[]): Promise<void> {
    await inParts(rested, (request) => this.adopt(request));
    // Before one of them ends: until its record is gone it would look like one of an earlier run.
    void this.takeOver();
    await inParts(rested, (request) => this.giveBack(request));
  }

  private adopt(request: OpenRequest): void {
    request.gate = this;
    request.markRested();
    this.requests.add(request);
    this.count(request, 1);
    const account = this.account();
    if (account === undefined) return;
    const before = request.store;
    request.store = this.storeOf(account);
    if (request.store.name === before.name) return;
    // The account keeps its requests in another store now.
    void this.keep(request).then(() => before.remove(request.record.id).catch(this.warnOfStore));
  }

  /** Gives its messages to the node again: so they reach Catch and Complete nodes as any other message does. */
  private giveBack(request: OpenRequest): void {
    // The node that comes next does.
    if (this.isClosed) return;
    for (const waiter of request.waiters) {
      this.returning.set(waiter.message, { request, waiter });
      this.node.receive(waiter.message);
    }
  }

  /** Leaves a request to the node that comes with a deploy. */
  private rest(request: OpenRequest): void {
    request.gate = undefined;
    this.unwatch(request);
    for (const waiter of request.waiters) waiter.done = undefined;
  }

  /** Takes over what nobody takes care of, part by part, for as long as it takes to read the store. */
  private async takeOver(): Promise<void> {
    const mine = new Set([...this.requests].map(({ record }) => record.id));
    for (let account = this.account(); account !== undefined && !this.isClosed; account = this.account()) {
      const store = this.storeOf(account);
      try {
        const taken = await store.take(mine);
        if (taken.length === 0) return;
        for (const record of taken) this.restore(store, record);
        await turn();
      } catch (error) {
        this.warnOfStore(error);
        await pause(storePause);
      }
    }
  }

  private restore(store: GateStore, record: ApprovalRecord): void {
    const now = this.account()?.approvals.now() ?? Date.now();
    const length = record.timeout * 1000;
    // A clock that was set back must not lengthen the time.
    const request = new OpenRequest(record, store, Math.min(record.endsAt - now, length));
    request.askedAt = request.endsAt - length;
    if (record.state === 'waiting') request.stage = stages.waiting;
    else request.stage = { name: 'failed', error: interrupted(record.state) };
    for (const text of record.messages) request.add(readMessage(text) as NodeMessageInFlow);
    this.adopt(request);
    this.giveBack(request);
  }

  /** After a time without the store others may have taken over: what is not held any more is theirs. */
  private async letGoOfLost(): Promise<void> {
    const before = [...this.requests];
    try {
      const held = await this.opened?.store.held(before.map(({ record }) => record.id));
      if (held === undefined) return;
      for (const request of before) if (!held.has(request.record.id)) this.letGo(request);
    } catch (error) {
      this.warnOfStore(error);
    }
  }

  // ---- keeping

  /** Keeps what has changed of a request that waits. */
  private keep(request: OpenRequest): Promise<void> {
    return this.insist(() => {
      const { record, store } = request;
      return request.is('asking', 'waiting') ? store.save(record) : Promise.resolve();
    });
  }

  private async keepAll(): Promise<void> {
    await inParts([...this.requests], (request) => request.store.save(request.record));
  }

  /** Tries a store until it works. Never rejects. */
  private async insist(change: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await change();
        return;
      } catch (error) {
        this.warnOfStore(error);
        if (this.isClosed) return;
        await pause(storePause);
      }
    }
  }

  private readonly warnOfStore = (error: unknown): void => {
    this.log.write('store', (error as Error).message);
  };

  // ---- what is shown

  private emit(request: OpenRequest, event: 'requested' | 'reminded' | 'decided', decision?: string): void {
    if (!this.emits || this.isClosed) return;
    const { record, waiters } = request;
    const payload = {
      event,
      decision,
      approvalId: record.approvalId,
      authyId: record.authyId,
      requestedAt: request.requestedAt.toISOString(),
      endsAt: new Date(record.endsAt).toISOString(),
      waiting: this.requests.size,
    };
    this.node.send([null, null, null, { topic: waiters[0]?.message.topic, payload }]);
  }

  private count({ record }: OpenRequest, sign: 1 | -1): void {
    this.messages += sign * record.messages.length;
    for (const text of record.messages) this.characters += sign * text.length;
    this.badge.waiting(this.messages);
  }

  private facts(statusCode: number | undefined, response: unknown): AnswerFacts {
    return answerFacts(this.node, this.account(), statusCode, response);
  }

  /** The gate's place in the store of its account, which may be a new one after a deploy. */
  private storeOf({ approvals }: Account): GateStore {
    if (this.opened?.of !== approvals) {
      this.opened?.store.close();
      const store = approvals.openRequests(this.node, {
        onAbandoned: () => void this.takeOver(),
        onCutOff: () => void this.letGoOfLost(),
        onEmptied: () => this.keepAll(),
        onWithdrawn: (approvalId) => void this.withdrawAll(approvalId),
      });
      this.opened = { of: approvals, store };
    }
    return this.opened.store;
  }

  private account(): Account | undefined {
    return accountOf(this.RED, this.config.account);
  }
}

function inTime(request: OpenRequest, outcome: Outcome): Outcome {
  const isOverdue = outcome.decision === 'approved' && performance.now() > request.endsAt + grace;
  return isOverdue ? expired('overdue', outcome) : outcome;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
