import type { NodeMessageInFlow } from 'node-red';
import type { AuthyError } from '../../nodes/lib/contract/errors';
import type { Gate as GateClass, GateAccount, GateHost } from '../../nodes/lib/approval/gate';
import type { Process, newProcess as newProcessFunction } from '../../nodes/lib/approval/process';
import type { ApprovalAnswer } from '../../nodes/lib/contract/service';
import { Random } from '../support/random';
import type { RedisStandIn } from '../support/redis_stand_in';
import { Machine } from './machine';
import { openStore } from './open_store';
import { type Happening, type Moment, type Plan, planOf, type Strike } from './plan';
import { epoch, Scheduler } from './scheduler';
import { type OnPhone, Service } from './service';
import type { SimulatedStore } from './stores';
import { faultsOf, type Told } from './verdict';

/** The modules under test: those of the package, or a copy with a fault put back. */
export interface Core {
  readonly Gate: typeof GateClass;
  readonly StandIn?: typeof RedisStandIn | undefined;
  readonly newProcess: typeof newProcessFunction;
}

const accountId = 'account';
const nodeId = 'gate';

/** A node of a gate, from one deploy to the next. */
interface RunningGate {
  readonly gate: GateClass;
  isClosed: boolean;
}

/** A machine, and the Node-RED that runs on it. */
interface Instance {
  readonly machine: Machine;
  process: Process;
  running: RunningGate | undefined;
  deploying: Promise<void> | undefined;
}

/** What a badge counts. */
interface Counts {
  onTheirWay: number;
  waiting: number;
}

/** A message as a gate has it. */
type Message = NodeMessageInFlow & { readonly no: number; readonly authyId: string };

/** One world: machines with Node-RED, a service, people, a store; all that happens follows from its seed. */
export class World {
  readonly trace: string[] = [];
  private readonly random: Random;
  private readonly scheduler = new Scheduler();
  private readonly plan: Plan;
  private strikes: readonly Strike[];
  private readonly service: Service;
  private readonly instances: Instance[];
  private readonly store: SimulatedStore;
  private readonly messages = new Map<number, Told>();
  private readonly counts = new Map<RunningGate, Counts>();
  /** The machine that each message was given to. */
  private readonly givenTo = new Map<number, Machine>();
  /** Messages whose end is written down already. */
  private readonly sent = new WeakSet();
  /** By how much clocks were set back in all. */
  private setBack = 0;
  /** How many withdrawals are under way. */
  private withdrawals = 0;
  private readonly problems: string[] = [];
  private isQuiet = false;

  constructor(
    readonly seed: number,
    private readonly core: Core,
  ) {
    this.random = new Random(seed);
    this.plan = planOf(this.random);
    this.strikes = [...this.plan.strikes];
    this.service = new Service(this.scheduler, this.random, this.plan.service, epoch, this.plan.serviceClock);
    this.service.onAnswer = (request) => {
      this.strike('answered');
      this.callBack(request);
    };
    const machines = Array.from(
      { length: this.plan.instances },
      (_, index) => new Machine(`m${index}`, this.scheduler, epoch),
    );
    this.store = openStore(this.plan, this.scheduler, this.random, machines, core.StandIn);
    this.instances = machines.map((machine) => ({
      machine,
      process: core.newProcess(machine.outside()),
      running: undefined,
      deploying: undefined,
    }));
  }

  /** Lets it all happen. @returns what is wrong with how it ended, in sentences */
  async run(): Promise<string[]> {
    for (const instance of this.instances) this.boot(instance);
    for (const { at, does } of this.plan.events) {
      this.scheduler.after(at, () => this.happen(does));
    }
    await this.scheduler.run(this.plan.busyFor);
    this.calm();
    await this.scheduler.run(this.plan.quietAt);
    return this.verdict();
  }

  // ---- what happens

  /** A moment has come that trouble waits for. */
  private strike(moment: Moment): void {
    if (this.isQuiet) return;
    const now = this.strikes.filter(({ when }) => when === moment);
    this.strikes = this.strikes.filter(({ when }) => when !== moment);
    for (const { after, does } of now) {
      this.scheduler.after(after, () => {
        if (!this.isQuiet) this.happen(does);
      });
    }
  }

  private happen(event: Happening): void {
    const instance = this.instances[event.instance % this.instances.length] as Instance;
    switch (event.kind) {
      case 'ask':
        this.ask(instance, event.no, event.authyId);
        return;
      case 'withdraw':
        this.withdraw(instance, event.no);
        return;
      case 'deploy':
        this.deploy(instance);
        return;
      case 'stop':
        this.stop(instance, event.away, event.clock);
        return;
      case 'kill':
        this.kill(instance, event.away, event.clock);
        return;
      case 'standStill':
        this.say(
          `${instance.machine.name} stands still for ${event.ms} ms${event.isAsleep ? ', asleep' : ''}`,
        );
        instance.machine.standStill(event.ms, event.isAsleep);
        // Another one may take it for dead.
        if (event.ms > 10_000 && this.plan.instances > 1) this.markUnknown(instance);
        return;
      case 'store':
        this.say(`store: ${event.what} ${instance.machine.name}`);
        this.store.trouble(event.what, instance.machine, event.ms);
        if (event.what === 'cut' || event.what === 'loseAnswers') this.markUnknown(instance);
        return;
      case 'clock':
        this.say(`the clock of ${instance.machine.name} jumps by ${event.by} ms`);
        this.setClock(instance.machine, event.by);
        return;
    }
  }

  private setClock(machine: Machine, by: number): void {
    machine.clockAhead += by;
    if (by < 0) this.setBack -= by;
  }

  /** No more trouble: whatever is open comes to its end. */
  private calm(): void {
    this.isQuiet = true;
    this.say('quiet');
    this.store.calm();
    for (const instance of this.instances) {
      if (!instance.machine.isRunning && instance.deploying === undefined) this.boot(instance);
    }
  }

  private boot(instance: Instance): void {
    const { machine } = instance;
    if (machine.isRunning) return;
    machine.start();
    this.say(`${machine.name} starts`);
    instance.process = this.core.newProcess(machine.outside());
    this.store.begin(machine);
    this.open(instance);
    // Not those that the world begins with.
    if (machine.life > 1) this.strike('started');
  }

  private open(instance: Instance): void {
    const running: { gate: GateClass | undefined; isClosed: boolean } = { gate: undefined, isClosed: false };
    const gate = new this.core.Gate(this.host(instance, running as RunningGate), instance.process);
    running.gate = gate;
    instance.running = running as RunningGate;
    gate.begin();
  }

  private deploy(instance: Instance): void {
    const { machine, running } = instance;
    if (
      !machine.isRunning ||
      machine.standsStill ||
      running === undefined ||
      instance.deploying !== undefined
    )
      return;
    this.say(`${machine.name} is deployed`);
    instance.running = undefined;
    running.isClosed = true;
    const { life } = machine;
    instance.deploying = running.gate.close(false).then(() => {
      instance.deploying = undefined;
      if (machine.life === life && machine.isRunning) this.open(instance);
    });
  }

  private stop(instance: Instance, away: number, clock: number): void {
    const { machine, running } = instance;
    if (
      !machine.isRunning ||
      machine.standsStill ||
      running === undefined ||
      instance.deploying !== undefined
    )
      return;
    this.say(`${machine.name} is stopped`);
    this.markMemory(machine);
    instance.running = undefined;
    running.isClosed = true;
    let isOver = false;
    const off = (): void => {
      if (isOver) return;
      isOver = true;
      instance.deploying = undefined;
      this.off(instance, away, clock);
    };
    instance.deploying = running.gate.close(false).then(off);
    // Node-RED waits no longer, and what is then under way is as if it were killed.
    this.scheduler.after(15_000, () => {
      if (isOver) return;
      this.markUnknown(instance);
      off();
    });
  }

  private kill(instance: Instance, away: number, clock: number): void {
    const { machine } = instance;
    if (!machine.isRunning) return;
    this.say(`${machine.name} is killed`);
    this.markUnknown(instance);
    this.off(instance, away, clock);
  }

  private off(instance: Instance, away: number, clock: number): void {
    const { machine } = instance;
    instance.running = undefined;
    instance.deploying = undefined;
    machine.kill();
    this.setClock(machine, clock);
    this.store.end(machine);
    if (this.isQuiet) this.boot(instance);
    else this.scheduler.after(away, () => this.boot(instance));
  }

  /** The process may not live to say what becomes of its messages. What the service has not got may be lost as well. */
  private markUnknown({ machine }: Instance): void {
    const sent = new Set([...this.service.requests.values()].map(({ no }) => no));
    for (const told of this.messages.values()) {
      if (told.endings.length > 0) continue;
      told.mayBeUnknown = true;
      if (this.givenTo.get(told.no) !== machine) continue;
      // A message that joins sends nothing.
      if (this.plan.store === 'memory' || !sent.has(told.no)) told.mayBeLost = true;
    }
  }

  /** What is in memory alone is lost with the process. */
  private markMemory(machine: Machine): void {
    // What could not be kept, the log alone tells of.
    const isTroubled = this.hasAny('cut', 'loseAnswers', 'refuse');
    const sent = new Set([...this.service.requests.values()].map(({ no }) => no));
    for (const told of this.messages.values()) {
      const isKept = this.plan.store !== 'memory' && (sent.has(told.no) || !isTroubled);
      if (this.givenTo.get(told.no) === machine && !isKept) told.mayBeLost = true;
    }
  }

  private ask({ machine, running }: Instance, no: number, authyId: string): void {
    if (running === undefined || machine.standsStill) return;
    this.say(`message ${no} is given to ${machine.name}`);
    this.messages.set(no, {
      no,
      authyId,
      givenAt: this.scheduler.now,
      timeout: this.plan.timeoutOf(no),
      // What the store has lost only its own process can tell of.
      mayBeLost: (this.hasAny('evict', 'flush') || this.withdrawals > 0) && this.hasAny('kill', 'stop'),
      mayBeUnknown: this.plan.service.lost > 0 || this.hasAny('cut', 'loseAnswers', 'refuse'),
      mayBeGone: this.hasAny('evict', 'flush'),
      withdrawnAt: undefined,
      takenAt: undefined,
      endings: [],
    });
    this.givenTo.set(no, machine);
    this.strike('asked');
    this.give(running, { _msgid: String(no), no, authyId });
  }

  private withdraw({ machine, running }: Instance, no: number | 'all'): void {
    if (running === undefined || machine.standsStill) return;
    const request = [...this.service.requests.values()].find((one) => one.no === no);
    if (no !== 'all' && request === undefined) return;
    const told = [...this.messages.values()].filter((one) => this.isWithdrawn(one, no, machine));
    this.say(`${no === 'all' ? 'all' : `message ${no}`} to be withdrawn at ${machine.name}`);
    // Of a message that is withdrawn by another instance its own may not live to hear, also if it comes meanwhile.
    for (const one of this.messages.values()) {
      if (this.hasAny('kill', 'stop') && (no === 'all' || no === one.no || this.plan.join))
        one.mayBeLost = true;
    }
    const message = {
      _msgid: 'w',
      ...(no === 'all' ? { reset: true } : { cancel: uuidOf(request?.id ?? '') }),
    };
    this.withdrawals += 1;
    running.gate.input(message, (error) => {
      this.withdrawals -= 1;
      if (error !== undefined || running.isClosed) return;
      this.say(`withdrawn: ${told.map((one) => one.no).join(', ')}`);
      for (const one of told) one.withdrawnAt ??= this.scheduler.now;
    });
  }

  /** Whether somebody may count on it that a message does not leave once the withdrawal is complete. */
  private isWithdrawn({ no, takenAt }: Told, meant: number | 'all', machine: Machine): boolean {
    if (meant !== 'all' && meant !== no) return false;
    if (this.plan.instances === 1) return meant === 'all' || takenAt !== undefined;
    // Another instance finds it in the store once that has had the time to be told.
    const isSettled = takenAt !== undefined && takenAt + 3000 < this.scheduler.now;
    return isSettled && !this.hasAny('cut', 'loseAnswers', 'refuse') && machine.isRunning;
  }

  // ---- the node that a gate works for

  private give(running: RunningGate, message: Message): void {
    running.gate.input(message, (error) => {
      // Errors are written down where they are raised, and outcomes where they are sent.
      if (error === undefined && !this.sent.has(message))
        this.ended(message, 'withdrawn', undefined, running);
      this.sent.delete(message);
    });
  }

  private ended(
    { no }: Message,
    how: Told['endings'][number]['how'],
    approvalId: string | undefined,
    running: RunningGate,
  ): void {
    this.say(`message ${no} ends: ${how}${running.isClosed ? ', and nobody hears of it' : ''}`);
    // That nothing comes of a message need not be heard.
    const isHeard = !running.isClosed || how === 'withdrawn';
    if (isHeard) this.messages.get(no)?.endings.push({ how, at: this.scheduler.now, approvalId });
  }

  private host(instance: Instance, running: RunningGate): GateHost {
    const { machine } = instance;
    const counts: Counts = { onTheirWay: 0, waiting: 0 };
    this.counts.set(running, counts);
    const store = this.store.of(machine);
    const account: GateAccount = {
      place: store.place,
      openRecords: (events) => store.openRecords(nodeId, events),
      admit: (record, limits) => store.admit(record, limits),
      release: (record) => store.release(record),
      found: () => undefined,
      send: (asked, message) => this.send(machine, asked, message as Message),
      read: ({ approvalId = '' }) => machine.hears(this.service.read(idOf(approvalId))),
    };
    return {
      nodeId,
      accountId,
      confirm: this.plan.confirm,
      join: this.plan.join,
      limits: { maxOpen: 0, coolDown: 0 },
      badge: {
        begin: () => (counts.onTheirWay += 1),
        end: () => (counts.onTheirWay -= 1),
        waiting: (count) => (counts.waiting = count),
        decided: () => undefined,
        failed: () => undefined,
      },
      account: () => account,
      asked: () => undefined,
      ended: () => undefined,
      question: async (message) => {
        await Promise.resolve();
        const { no, authyId } = message as Message;
        const timeout = this.plan.timeoutOf(no) / 1000;
        return {
          authyId,
          message: 'Open?',
          details: undefined,
          hiddenDetails: undefined,
          logos: undefined,
          timeout,
          secondsToExpire: timeout * this.plan.offered,
        };
      },
      send: ({ message, record, done }, { decision }) => {
        this.ended(message as Message, decision, idOf(record.approvalId ?? ''), running);
        this.strike('handedOn');
        this.sent.add(message);
        done?.();
      },
      raise: (message, error, done) => {
        const { code } = error as Partial<AuthyError>;
        const how = code === 'AUTHY_OUTCOME_UNKNOWN' ? 'unknown' : 'error';
        this.say(error.message);
        this.ended(message as Message, how, undefined, running);
        this.sent.add(message);
        done?.(error);
      },
      emit: () => undefined,
      receive: (message) => this.give(running, message as Message),
      warn: (_kind, sentence) => this.say(`${machine.name} warns: ${sentence}`),
      log: (sentence) => this.say(`${machine.name}: ${sentence}`),
    };
  }

  private async send(
    machine: Machine,
    {
      authyId,
      timeout,
      secondsToExpire,
    }: { authyId: string; timeout: number; secondsToExpire?: number | undefined },
    { no }: Message,
  ): Promise<string> {
    const id = await machine.hears(this.service.send(no, authyId, secondsToExpire ?? timeout));
    const told = this.messages.get(no);
    if (told !== undefined) told.takenAt = this.scheduler.now;
    this.strike('taken');
    return uuidOf(id);
  }

  private callBack({ id, authyId, answer }: OnPhone): void {
    const { random, scheduler, plan } = this;
    if (answer === undefined || random.happens(plan.callback.lost)) return;
    const copies = random.happens(plan.callback.repeated) ? 3 : 1;
    const callback: ApprovalAnswer = {
      decision: answer,
      approvalId: uuidOf(id),
      authyId,
      nonce: 0,
      about: { message: null, details: null, hiddenDetails: null, device: null },
      body: {},
    };
    for (let copy = 0; copy < copies; copy++) {
      scheduler.after(random.next() * plan.callback.latest, () => {
        // It comes to one instance, which tells the others.
        for (const { machine, process } of this.instances) {
          if (!machine.isRunning || random.happens(0.2)) continue;
          scheduler.after(random.next() * 50, () =>
            machine.does(() => process.watchOf(accountId).answered(callback)),
          );
        }
      });
    }
  }

  // ---- how it ended

  private verdict(): string[] {
    const { requests } = this.service;
    const problems = [...this.problems];
    for (const told of this.messages.values()) {
      const leaders = told.endings.map(({ approvalId }) =>
        this.messages.get(requests.get(approvalId ?? '')?.no ?? -1),
      );
      const takenAt = Math.max(told.takenAt ?? 0, ...leaders.map((leader) => leader?.takenAt ?? 0));
      problems.push(...faultsOf({ ...told, takenAt: takenAt || undefined }, requests, this.setBack));
    }
    problems.push(...this.store.open().map((text) => `the store still has ${text}`));
    for (const { machine, running } of this.instances) {
      const counts = running && this.counts.get(running);
      if (counts === undefined) problems.push(`${machine.name} does not run`);
      else if (counts.onTheirWay !== 0 || counts.waiting !== 0) {
        problems.push(`the badge of ${machine.name} shows ${counts.onTheirWay} and ${counts.waiting}`);
      }
    }
    return problems;
  }

  private hasAny(...what: Parameters<Plan['has']['has']>[0][]): boolean {
    return what.some((one) => this.plan.has.has(one));
  }

  private say(what: string): void {
    this.trace.push(`${this.scheduler.now.toFixed(0).padStart(7)}  ${what}`);
  }
}

/** The service's ids as a gate takes them. */
function uuidOf(id: string): string {
  return `00000000-0000-4000-8000-${id.slice(2).padStart(12, '0')}`;
}

function idOf(uuid: string): string {
  return uuid === '' ? '' : `r-${Number(uuid.slice(-12))}`;
}
