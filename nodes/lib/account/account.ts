import type { Node, NodeAPI } from 'node-red';
import { Approver } from '../approver/approver';
import { canPush } from '../approver/address';
import { AuthyError, foreignOutcome, noAccount } from '../contract/errors';
import { operations, portOf, type ValuesOf } from '../contract/operations';
import type { Approvals, ApproverSettings } from '../contract/approver';
import type { People } from '../contract/people';
import type { ApproverHost } from '../approver/host';
import { Noted } from '../people/noted';
import { unsetVariable } from '../contract/placeholder';
import { readInputs } from '../contract/read-inputs';
import type { Notify } from '../contract/notification';
import type { OperationName } from '../contract/results';
import type {
  ApprovalAnswer,
  CallbackVerifier,
  CallOptions,
  Environment,
  Performed,
  Service,
  ServiceKind,
  ServiceSettings,
} from '../contract/service';
import { sentences } from '../contract/sentences';
import { assertSupported, notSupported, type Offer, unmetNeed, unsupportedBy } from '../contract/support';
import type { Stores } from '../storage/stores';
import { tellAnswer } from './answers';
import { isHeard, nobodyListens, notSent, onlyPagesListen, tellAll } from './notifications';
import { type ApprovalSettings, storesOf } from './approval-stores';
import { peopleOf, type PeopleSettings } from './people-stores';

/** An account as it was configured, once Node-RED has resolved its references. */
export interface AccountSettings extends Pick<Environment, 'log' | 'language'> {
  /** The node's id. */
  readonly id: string;
  /** Its service; undefined if there is none with that id. */
  readonly kind: ServiceKind | undefined;
  /** The settings of its service. */
  readonly service: ServiceSettings;
  /** In seconds. */
  readonly deadline: number;
  readonly maxInFlight: number;
  readonly maxQueued: number;
  readonly approvals: ApprovalSettings;
  readonly people: PeopleSettings;
  /** Where a path of the http in nodes is on this machine itself; undefined while Node-RED does not listen. */
  readonly ownUrl: (path: string) => string | undefined;
  /** Writes a line that somebody has to look at: the debug sidebar shows it. It must hold no secret. */
  readonly warn: (line: string) => void;
  /** Why nobody reaches the page on which people answer, as a sentence; undefined if nothing is known against it. */
  readonly noPage: () => string | undefined;
  /** Whether flows are being deployed: some of their nodes may be gone, or not there yet. */
  readonly isDeploying: () => boolean;
  /** Resolves once all nodes of the flows are there, if flows are being deployed. */
  readonly deployed: (signal?: AbortSignal) => Promise<void>;
  /** Why the account cannot be used, beside what its service says; a sentence. */
  readonly problem?: string | undefined;
}

/**
 * The account that a node refers to.
 *
 * @param id - of the config node
 * @returns undefined if none is chosen, or it is deleted or disabled
 */
export function accountOf(RED: NodeAPI, id: string): Account | undefined {
  const node = RED.nodes.getNode(id) as (Node & { account?: Account }) | null;
  return node?.account;
}

/**
 * The account that a node refers to, for a message that needs one.
 *
 * @throws AuthyError - `AUTHY_NO_ACCOUNT`
 */
export function chosenAccount(RED: NodeAPI, id: string): Account {
  const account = accountOf(RED, id);
  if (account === undefined) {
    const unset = unsetVariable(id);
    throw noAccount(unset && `account: ${unset}`);
  }
  return account;
}

/**
 * Why no message of a node can be handled, known before there is one: no account, or one that cannot be used.
 *
 * @param id - of the config node
 * @param name - what the node performs
 * @returns undefined if nothing speaks against it
 */
export function accountProblem(RED: NodeAPI, id: string, name?: OperationName): AuthyError | undefined {
  try {
    const account = chosenAccount(RED, id);
    return account.problem ?? (name && account.unreachable(name));
  } catch (error) {
    return error as AuthyError;
  }
}

/**
 * An account: the service that nodes perform their operations on, the verifier of its callbacks, and the stores of its
 * approval requests.
 */
export class Account {
  readonly stores: Stores;
  private readonly environment: Environment;
  private opened: Promise<Service> | undefined;
  /** The same, once it is there. */
  private service: Service | undefined;
  private verifier: Promise<CallbackVerifier> | undefined;
  private knownPeople: People | undefined;
  private ownApprover: Approver | undefined;

  constructor(private readonly settings: AccountSettings) {
    const { id, kind, service, deadline, maxInFlight, maxQueued, approvals, log, language } = settings;
    this.environment = {
      ...{ accountId: id, deadline: deadline * 1000, maxInFlight, maxQueued, log, language },
      people: () => this.people(),
      approvals: () => this.approvals(),
      recipientOf: (approvalId) => this.stores.ledger.recipientOf(approvalId),
      notifier: (signal) => this.notifier(signal),
    };
    this.stores = storesOf(id, approvals, log, (answer) => tellAnswer(id, answer));
    if (settings.problem === undefined && kind?.isOpenedAtDeploy?.(service) === true) {
      this.open().catch((error: unknown) => log(`The service did not start. ${(error as Error).message}`));
    }
  }

  /** The id of its kind of service; undefined if there is none. */
  get kindId(): string | undefined {
    return this.settings.kind?.id;
  }

  /** Why it cannot be used, as {@link perform} would say it; undefined if nothing is known against it. */
  get problem(): AuthyError | undefined {
    const { kind, problem, service } = this.settings;
    if (kind === undefined || problem !== undefined) return this.badConfig();
    const missing = kind.keyProblem?.(service);
    if (missing !== undefined) return new AuthyError('AUTHY_NO_API_KEY', missing);
    return service.problem === undefined ? undefined : this.badConfig();
  }

  /** What `msg.authy.service` says; undefined where there is no such service. */
  get serviceName(): string | undefined {
    return this.settings.kind && this.settings.service.name;
  }

  /** Why no answers come to it by HTTP: a sentence. Undefined if they do, or there is no such service. */
  get noCallbacks(): string | undefined {
    const { kind, service } = this.settings;
    if (kind === undefined) return undefined;
    const { answersByHttp } = kind;
    return 'unsupported' in answersByHttp
      ? answersByHttp.unsupported
      : unmetNeed(answersByHttp.needs, service.ticked);
  }

  /** The page on which its people answer; undefined if they are not asked here, or the account cannot be used. */
  get approver(): Approver | undefined {
    const { kind, problem, service } = this.settings;
    if (kind === undefined || problem !== undefined || service.problem !== undefined) return undefined;
    if (service.approver === undefined) return undefined;
    this.ownApprover ??= new Approver(this.approverHost(service.approver));
    return this.ownApprover;
  }

  /** The longest time between two readings of an approval request's status, in milliseconds; undefined: the usual one. */
  get longestReadingPause(): number | undefined {
    return this.settings.kind?.longestReadingPause;
  }

  /** Whether it keeps its people here, because its service knows nobody. */
  get keepsPeople(): boolean {
    return this.settings.kind?.keepsPeople === true;
  }

  /** Whether it runs a simulator. */
  get isSimulated(): boolean {
    return this.settings.service.isSimulated;
  }

  /** Whether it protects nobody, because it asks a simulator, wherever that runs. */
  get protectsNobody(): boolean {
    return this.isSimulated || this.settings.service.asksSimulator === true;
  }

  /**
   * The error of each message if its service does not do an operation. Undefined if nothing is known against it before
   * there is a message.
   *
   * @param known - the values that each message has, validated
   */
  unsupported(name: OperationName, known: Readonly<Record<string, unknown>>): AuthyError | undefined {
    const { kind, problem } = this.settings;
    if (kind === undefined || problem !== undefined) return undefined;
    const unable = unsupportedBy(this.offer(kind), name, known);
    return unable && notSupported(unable);
  }

  /** The error of each message of an operation that leads people to a page which they cannot reach; undefined if it does not. */
  unreachable(name: OperationName): AuthyError | undefined {
    const leadsThere = name === 'onetouchSend' || name === 'userInvite';
    const why = leadsThere && this.approver !== undefined ? this.settings.noPage() : undefined;
    return why === undefined ? undefined : new AuthyError('AUTHY_BAD_CONFIG', why);
  }

  /**
   * Why what an operation has to tell somebody may reach nobody: a sentence, and whether each message fails by that. Undefined if
   * there is a way to reach them, or it tells nothing.
   */
  unheard(name: OperationName): { readonly reason: string; readonly fails: boolean } | undefined {
    if (isHeard(this.settings.id) || this.settings.problem !== undefined) return undefined;
    const ability = this.settings.kind?.abilities[name];
    const { approver } = this.settings.service;
    if (ability !== undefined && 'notifies' in ability && ability.notifies)
      return { reason: nobodyListens, fails: true };
    const asks =
      name === 'onetouchSend' &&
      approver !== undefined &&
      !canPush(approver) &&
      this.unreachable(name) === undefined;
    return asks ? { reason: onlyPagesListen, fails: false } : undefined;
  }

  /** Whether anything that its service does has to be told by the flow. */
  get hasNotifications(): boolean | undefined {
    const { kind, service } = this.settings;
    if (kind === undefined) return undefined;
    const notifies = Object.values(kind.abilities).some((ability) => 'notifies' in ability);
    return notifies || service.approver !== undefined;
  }

  /**
   * Validates the inputs of an operation, once: later steps use the values.
   *
   * @param raw - by name, as they came from outside
   * @throws AuthyError - `AUTHY_INVALID_INPUT`; those of {@link perform} if nothing can be performed
   */
  async read<N extends OperationName>(name: N, raw: Readonly<Record<string, unknown>>): Promise<ValuesOf<N>> {
    const { phones } = this.service ?? (await this.open());
    return readInputs(operations[name], raw, phones) as ValuesOf<N>;
  }

  /** @throws AuthyError - `AUTHY_NOT_SUPPORTED` if its service does not do an operation with these values */
  assertSupported(name: OperationName, values: Readonly<Record<string, unknown>>): void {
    assertSupported(this.offer(this.kind()), name, values);
  }

  /**
   * Performs an operation on the account's service. Approval requests are remembered, so that their callbacks can be told
   * from others.
   *
   * @param values - validated
   * @throws AuthyError - those of the service; `AUTHY_BAD_CONFIG` and `AUTHY_NO_API_KEY` if it cannot be opened;
   *   `AUTHY_NOT_SUPPORTED` if it does not do this;
   *   `AUTHY_BAD_RESPONSE` if it reports an outcome that the operation does not have
   */
  async perform<N extends OperationName>(
    name: N,
    values: ValuesOf<N>,
    options?: CallOptions,
  ): Promise<Performed<N>> {
    const service = this.service ?? (await this.open());
    this.assertSupported(name, values);
    const performed = await service.perform(name, values, options);
    if (portOf(name, performed.outcome) === undefined) throw foreignOutcome(performed.outcome);
    if (isOf(performed, name, 'onetouchSend')) {
      const { approvalId, authyId } = performed.result;
      // The request is on the phone, whether this can be recorded or not.
      await this.stores.ledger.asked(approvalId, authyId, offeredFor(values)).catch((error: unknown) => {
        this.settings.log(`Could not record that a request was sent. ${(error as Error).message}`);
      });
    }
    return performed;
  }

  /** Takes a verified answer: the messages that wait for it go on, on all instances. */
  answered(answer: ApprovalAnswer): void {
    tellAnswer(this.settings.id, answer);
    this.stores.messenger.tell(answer);
  }

  /**
   * What verifies its callbacks; undefined if its service has none.
   *
   * @throws AuthyError
   */
  async callbacks(): Promise<CallbackVerifier | undefined> {
    const { kind, service } = this.settings;
    if (kind === undefined) throw this.badConfig();
    if (this.noCallbacks !== undefined) return undefined;
    const verifier = (): Promise<CallbackVerifier> | undefined =>
      kind.callbacks?.(service, this.environment, () => this.open());
    // What a simulator signs with is known once it runs.
    if (service.isSimulated) return verifier();
    this.verifier ??= verifier();
    return this.verifier;
  }

  /** Whether the fields of the panel hold something else than the deployed settings. @throws Error - they are wrong */
  isTyped(form: Readonly<Record<string, unknown>>): boolean {
    return this.kind().typed?.(this.settings.service, form) !== undefined;
  }

  /**
   * Asks for a name that only an authorized caller can know, to show that account and network work.
   *
   * @param form - the fields typed into the panel, to be tried instead of the deployed settings
   * @throws Error
   */
  async test(form: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const kind = this.kind();
    const typed = kind.typed?.(this.settings.service, form);
    if (typed === undefined) return (await this.open()).test();
    const trial = await kind.open(typed, this.environment);
    try {
      return await trial.test();
    } finally {
      trial.close();
    }
  }

  /**
   * Who is known to the account; opened with the first call that needs them.
   *
   * @throws AuthyError - `AUTHY_BAD_CONFIG` if the account cannot be used; `AUTHY_STORE` if there is no place to keep them
   */
  people(): People {
    const { id, people, approvals, log } = this.settings;
    if (this.kind().keepsPeople !== true)
      throw new Error('A service with people has to say that it keeps them.');
    this.knownPeople ??= peopleOf(id, people, approvals, log);
    return this.knownPeople;
  }

  /** Stops what the account started; `removed` forgets what it remembered. */
  async close(removed: boolean): Promise<void> {
    const opened = await this.opened?.catch(() => undefined);
    opened?.close();
    await this.settings.kind?.closed?.(this.settings.service, this.environment, removed);
    await Promise.all([this.knownPeople?.close(), this.stores.close(removed)]);
  }

  private offer({ abilities }: ServiceKind): Offer {
    return { abilities, ticked: this.settings.service.ticked };
  }

  private async notifier(signal?: AbortSignal): Promise<Notify> {
    const { id, deployed } = this.settings;
    await deployed(signal);
    if (signal?.aborted === true) {
      throw new AuthyError(
        'AUTHY_CANCELLED',
        'Send the message again: its node was closed before anything was sent.',
      );
    }
    if (!isHeard(id)) throw notSent();
    return (notification) => tellAll(id, notification);
  }

  private approvals(): Approvals {
    const { approver } = this;
    if (approver === undefined) throw this.badConfig();
    return approver;
  }

  private approverHost(settings: ApproverSettings): ApproverHost {
    const { id, approvals, language, log, warn, ownUrl, isDeploying, noPage } = this.settings;
    return {
      ...{ accountId: id, settings, language, log, warn, noPage },
      isShared: approvals.in === 'redis',
      ownUrl: () => ownUrl(settings.path),
      people: () => this.people(),
      codes: async () => {
        const { authenticators } = await this.open();
        if (authenticators !== undefined) return authenticators;
        throw new Error('A service whose approvals are asked here has to know authenticators.');
      },
      isHeard: () => isHeard(id),
      isDeploying,
      notifier: (signal) => this.notifier(signal),
      answered: (answer) => this.answered(answer),
      noted: Noted.ofProcess(),
      now: () => Date.now(),
      steady: () => performance.now(),
    };
  }

  private kind(): ServiceKind {
    const { kind, problem } = this.settings;
    if (kind === undefined || problem !== undefined) throw this.badConfig();
    return kind;
  }

  private badConfig(): AuthyError {
    const { problem, service } = this.settings;
    const why = sentences(problem, service.problem) ?? 'Open the account and choose its service.';
    return new AuthyError('AUTHY_BAD_CONFIG', why);
  }

  private open(): Promise<Service> {
    this.opened ??= this.openService();
    return this.opened;
  }

  private async openService(): Promise<Service> {
    this.service = await this.kind().open(this.settings.service, this.environment);
    return this.service;
  }
}

/** How long the phone offers a request, in seconds; 0 is for ever. */
function offeredFor({ secondsToExpire }: { readonly secondsToExpire?: unknown }): number {
  return typeof secondsToExpire === 'number' ? secondsToExpire : 86_400;
}

function isOf<N extends OperationName>(
  _performed: unknown,
  name: OperationName,
  wanted: N,
): _performed is Performed<N> {
  return name === wanted;
}
