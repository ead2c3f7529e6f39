import type { SecureContextOptions } from 'node:tls';
import type { Node, NodeAPI } from 'node-red';
import type { SimulatorOptions } from '../../simulator/simulator';
import { thisProcess } from '../approval/process';
import type { AuthyClientOptions, CallOptions } from '../services/authy/client';
import { AuthyError } from '../contract/errors';
import type { ProxySetting } from '../http/proxy';
import type { CallbackAnswer } from '../services/authy/callback/callback';
import type { OperationName } from '../contract/operations';
import { AuthyService, type Performed, type Service, type ServiceName } from '../contract/service';
import { unsetVariable } from '../node/settings';
import { simulatorOf, startSimulator, stopSimulator } from '../services/authy/simulators';
import type { ContextStore } from '../storage/context-records';
import { LocalStores } from '../storage/local-stores';
import { redisStores } from '../storage/redis/stores';
import type { Stores } from '../storage/stores';

/** An account as it was configured, once Node-RED has resolved what it refers to. */
export interface AccountSettings {
  /** The node's id. */
  id: string;
  service: ServiceName;
  /** Empty where there is none. */
  apiKey: string;
  /** Why there is none although something was entered; a sentence. */
  noApiKey?: string | undefined;
  /** Still accepted in callbacks while the key is being changed; may be empty. */
  previousApiKey: string;
  /** As `noApiKey`, of the previous one. */
  noPreviousApiKey?: string | undefined;
  baseUrl: string;
  pathPrefix: string;
  /** In seconds. */
  deadline: number;
  maxInFlight: number;
  tls: SecureContextOptions | undefined;
  proxy: ProxySetting | undefined;
  simulator: Pick<SimulatorOptions, 'callbackUrl' | 'callbackMethod'>;
  /** Takes a line about what happens beside the messages; it holds no secret. */
  log: (line: string) => void;
  approvals: ApprovalSettings;
  /** Why the account cannot be used, found while resolving; a sentence. */
  problem?: string | undefined;
}

/** Where open approval requests are kept. */
export type ApprovalSettings =
  /** One of Node-RED's context stores by name, or the default one; and why it cannot be used, if so. */
  | ({ readonly in: 'context' } & ContextStore)
  /** Files in a folder; undefined where this Node-RED has no user directory. */
  | { readonly in: 'files'; readonly root: string | undefined; readonly problem?: string | undefined }
  | {
      readonly in: 'redis';
      readonly url: string;
      readonly password: string;
      readonly problem?: string | undefined;
    };

/**
 * The account that a node refers to.
 *
 * @param id - of the config node
 * @returns undefined where none is chosen, or it is deleted or disabled
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
    throw new AuthyError(
      'AUTHY_NO_ACCOUNT',
      unset === undefined
        ? 'No Authy account is chosen, or it is disabled. Open the node and choose one.'
        : `account: ${unset}`,
    );
  }
  return account;
}

/**
 * An account: the service that nodes perform their operations on, the keys that sign its callbacks, and what is known
 * of its approval requests.
 */
export class Account {
  readonly stores: Stores;
  private started: Promise<Service> | undefined;

  constructor(private readonly settings: AccountSettings) {
    this.stores = storesOf(settings, (answer) => this.heard(answer));
    // A simulator shows its phone from the first deploy on, before any message asks for it.
    if (settings.service === 'simulator' && settings.problem === undefined) {
      this.start().catch((error: unknown) => settings.log(`The simulator did not start: ${String(error)}`));
    }
  }

  get serviceName(): ServiceName {
    return this.settings.service;
  }

  /**
   * Performs an operation on the account's service; see {@link Service.perform}. Approval requests are remembered,
   * so that their callbacks can be told from others.
   *
   * @throws AuthyError - also `AUTHY_NO_API_KEY` and `AUTHY_BAD_CONFIG`
   */
  async perform<N extends OperationName>(
    name: N,
    inputs: Readonly<Record<string, unknown>>,
    options?: CallOptions,
  ): Promise<Performed<N>> {
    const service = await this.start();
    const performed = await service.perform(name, inputs, options);
    if (isOf(performed, name, 'onetouchSend')) {
      const { approvalId, authyId } = performed.result;
      // It is on the phone whether this can be noted or not.
      await this.stores.ledger.asked(approvalId, authyId, offeredFor(inputs)).catch((error: unknown) => {
        this.settings.log(`Could not record that a request was sent. ${(error as Error).message}`);
      });
    }
    return performed;
  }

  /** Takes the answer of a verified callback: whatever waits for it goes on, on whichever instance it waits. */
  answered(answer: CallbackAnswer): void {
    this.heard(answer);
    this.stores.messenger.tell(answer);
  }

  /** Wakes what waits for it in this process. */
  private heard(answer: CallbackAnswer): void {
    thisProcess.watchOf(this.settings.id).answered(answer);
  }

  /**
   * The API keys that a callback may be signed with: the current one and, in a change of keys, the previous.
   *
   * @throws AuthyError - where there is none; it says why
   */
  async callbackKeys(): Promise<string[]> {
    const { id, service, apiKey, previousApiKey } = this.settings;
    if (service === 'simulator') {
      await this.start();
      const key = simulatorOf(id)?.apiKey;
      return key === undefined ? [] : [key];
    }
    // Without a current key nobody is changing keys.
    if (apiKey === '') throw this.noApiKey();
    return [apiKey, previousApiKey].filter((key) => key !== '');
  }

  /**
   * Asks for the application's name, to show that account and network work.
   *
   * @param apiKey - a key to try at Authy's API instead of the account's own
   * @throws AuthyError
   */
  async test(apiKey?: string): Promise<string> {
    const trial = apiKey === undefined ? undefined : await this.authyService(apiKey);
    try {
      const service = trial ?? (await this.start());
      const { result } = await service.perform('appDetails', {});
      return result.name ?? '';
    } finally {
      trial?.close();
    }
  }

  /** Stops what the account started; `removed` forgets what it remembered. */
  async close(removed: boolean): Promise<void> {
    const started = await this.started?.catch(() => undefined);
    started?.close();
    if (this.serviceName === 'simulator') await stopSimulator(this.settings.id, removed);
    await this.stores.close(removed);
  }

  private start(): Promise<Service> {
    this.started ??= this.serviceName === 'simulator' ? this.startSimulator() : this.startAuthy();
    return this.started;
  }

  private async startAuthy(): Promise<Service> {
    const { apiKey } = this.settings;
    if (apiKey === '') throw this.noApiKey();
    return this.authyService(apiKey);
  }

  private noApiKey(): AuthyError {
    const { noApiKey = 'The Authy account has no API key. Open the account and enter it.' } = this.settings;
    return new AuthyError('AUTHY_NO_API_KEY', noApiKey);
  }

  private async startSimulator(): Promise<Service> {
    const { id, apiKey, log, simulator: options, problem } = this.settings;
    if (problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', problem);
    const key = apiKey === '' ? {} : { apiKey };
    const { simulator, url } = await startSimulator(id, { ...options, ...key, log });
    return this.serviceOf('simulator', { apiKey: simulator.apiKey, baseUrl: url });
  }

  private async authyService(apiKey: string): Promise<Service> {
    const { baseUrl, pathPrefix, proxy, tls, problem } = this.settings;
    if (problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', problem);
    try {
      return await this.serviceOf('authy', { apiKey, baseUrl, pathPrefix, proxy, tls });
    } catch (error) {
      throw new AuthyError('AUTHY_BAD_CONFIG', (error as Error).message);
    }
  }

  private async serviceOf(name: ServiceName, options: AuthyClientOptions): Promise<Service> {
    const { deadline, maxInFlight, apiKey, previousApiKey } = this.settings;
    // Loaded with the first call: an editor that is only opened needs no HTTP.
    const { AuthyClient } = await import('../services/authy/client.js');
    const client = new AuthyClient({
      ...options,
      deadline: deadline * 1000,
      maxInFlight,
      secrets: [apiKey, previousApiKey],
    });
    return new AuthyService(name, client);
  }
}

function storesOf(
  { id, approvals, log }: AccountSettings,
  onAnswer: (answer: CallbackAnswer) => void,
): Stores {
  switch (approvals.in) {
    case 'context':
      return LocalStores.inContext(id, approvals);
    case 'files':
      return LocalStores.inFiles(id, approvals.root);
    case 'redis':
      return redisStores(id, { ...approvals, log }, onAnswer);
  }
}

/** For how long the phone offers a request, in seconds; 0 is for ever. */
function offeredFor({ secondsToExpire }: Readonly<Record<string, unknown>>): number {
  const seconds = Number(secondsToExpire ?? '');
  return secondsToExpire === '' || !Number.isFinite(seconds) ? 86_400 : seconds;
}

function isOf<N extends OperationName>(
  _performed: Performed,
  name: OperationName,
  wanted: N,
): _performed is Performed<N> {
  return name === wanted;
}
