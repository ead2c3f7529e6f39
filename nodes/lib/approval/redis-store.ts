import { createHash, randomUUID } from 'node:crypto';
import type { createClient } from '@redis/client';
import type { Node } from 'node-red';
import { credentialsOf } from '../authy/credentials';
import { AuthyError } from '../authy/errors';
import { Secrets } from '../authy/secrets';
import type { Decision } from '../onetouch/approvals';
import type { CallbackAnswer } from '../onetouch/callback';
import { type ScriptName, scripts } from './redis-scripts';
import type {
  Admission,
  Announcement,
  ApprovalRecord,
  ApprovalStore,
  GateEvents,
  GateStore,
  GuardRails,
} from './store';

type Client = ReturnType<typeof createClient>;

export interface RedisSettings {
  /** `redis://` or `rediss://`, with a database number if need be. */
  readonly url: string;
  /** Empty for none. */
  readonly password: string;
  /** Why these cannot be used, if so; a sentence. */
  readonly problem?: string | undefined;
  /** Takes a line about what happens to the connection; it holds no secret. */
  readonly log: (line: string) => void;
}

/** This process, among those that share a Redis. */
const instance = randomUUID();

// All in milliseconds.
const signOfLifeEvery = 5000;
const deadAfter = 15_000;
const commandDeadline = 5000;
/** How long a request is kept after its end where nobody takes care of it, and what was answered. */
const remembered = 7 * 24 * 3600 * 1000;

/** How many requests of a dead instance are taken over in one step, which Redis does nothing else in. */
const takenAtOnce = 100;

const shas = Object.fromEntries(
  Object.entries(scripts).map(([name, source]) => [name, createHash('sha1').update(source).digest('hex')]),
) as Record<ScriptName, string>;

/**
 * Open requests in Redis, for several instances of the same flows. A request is held by the instance that sent it,
 * which alone may hand its decision on, and has the message with its `req` and `res`; where an instance gives no sign
 * of life for {@link deadAfter}, any other takes its requests over.
 */
export class RedisApprovalStore implements ApprovalStore {
  readonly name: string;
  private readonly prefix: string;
  private readonly secrets: Secrets;
  private readonly gates = new Set<RedisGateStore>();
  private connecting: Promise<Client> | undefined;
  private subscriber: Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  /** The mark that Redis had when it last answered, and when that was, by `performance.now()`. */
  private born: string | undefined;
  private aliveAt = performance.now();
  private clockOffset = 0;
  private keepingAnew: Promise<void> = Promise.resolve();

  /**
   * @param accountId - the same on all instances, since they run the same flows
   * @param onAnswer - takes the answers whose callbacks came to another instance
   */
  constructor(
    accountId: string,
    private readonly settings: RedisSettings,
    private readonly onAnswer: (answer: CallbackAnswer) => void,
  ) {
    this.name = `redis ${settings.url}`;
    this.prefix = `authy:{${accountId}}:`;
    // A server that does not know a command repeats it, and the first one holds the password.
    this.secrets = new Secrets(
      [settings.password, passwordIn(settings.url)].map((password) => [password, '[password]']),
    );
    if (settings.problem !== undefined) return;
    this.connect().catch((error: unknown) => settings.log((error as Error).message));
  }

  now(): number {
    return Date.now() + this.clockOffset;
  }

  async asked(approvalId: string, authyId: string): Promise<void> {
    await this.command((client) =>
      client.set(this.key('asked', approvalId), authyId, { expiration: { type: 'PX', value: remembered } }),
    );
  }

  async wasAsked(approvalId: string, authyId: string): Promise<boolean> {
    return (await this.command((client) => client.get(this.key('asked', approvalId)))) === authyId;
  }

  async decided(approvalId: string, decision: Decision): Promise<'first' | 'duplicate' | 'conflict'> {
    const before = await this.run('decided', approvalId.toLowerCase(), decision, remembered);
    if (before === null) return 'first';
    return before === decision ? 'duplicate' : 'conflict';
  }

  async admit(
    { id, authyId, endsAt }: Pick<ApprovalRecord, 'id' | 'authyId' | 'endsAt'>,
    { maxOpen, coolDown }: GuardRails,
  ): Promise<Admission> {
    // Counted a little longer than it can be open: what its instance does not take off falls off by itself.
    const until = Math.ceil(endsAt) + deadAfter * 2;
    const answer = await this.run('admit', id, authyId, until, maxOpen, Math.ceil(coolDown * 1000));
    const [word, count] = answer as [string, number];
    if (word === 'open') return { admitted: false, open: count };
    if (word === 'wait') return { admitted: false, waitSeconds: Math.ceil(count / 1000) };
    return { admitted: true };
  }

  async release({ id, authyId }: Pick<ApprovalRecord, 'id' | 'authyId'>): Promise<void> {
    await this.command((client) => client.zRem(`${this.prefix}user:${authyId}`, id));
  }

  announce(announcement: Announcement): void {
    const text = JSON.stringify({ from: instance, announcement });
    this.command((client) => client.publish(this.channel, text)).catch(() => {
      // What is lost here is made up for by polling.
    });
  }

  openRequests(gate: Node, events: GateEvents): GateStore {
    const store: RedisGateStore = new RedisGateStore(this, gate.id, events, () => this.gates.delete(store));
    this.gates.add(store);
    return store;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    const client = await this.connecting?.catch(() => undefined);
    await Promise.all([end(client), end(this.subscriber)]);
  }

  /**
   * Runs a script of ours, for this account.
   *
   * @throws AuthyError - `AUTHY_STORE`
   */
  run(name: ScriptName, ...values: (string | number)[]): Promise<unknown> {
    const options = { keys: [this.prefix], arguments: values.map(String) };
    return this.command(async (client) => {
      try {
        return await client.evalSha(shas[name], options);
      } catch (error) {
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
        return client.eval(scripts[name], options);
      }
    });
  }

  /** Asks Redis which requests an instance's gate holds. */
  members(gateId: string): Promise<string[]> {
    return this.command((client) => client.sMembers(`${this.prefix}held:${instance}:${gateId}`));
  }

  /** Returns once it is known that Redis holds what it was given, if need be for the second time. */
  async keepAnewWhatWasLost(): Promise<void> {
    await this.giveSignOfLife();
    await this.keepingAnew;
  }

  private get channel(): string {
    return `${this.prefix}announcements`;
  }

  private key(kind: string, approvalId: string): string {
    return `${this.prefix}${kind}:${approvalId.toLowerCase()}`;
  }

  /** Connects once, and then again and again for as long as the account is there. */
  private connect(): Promise<Client> {
    this.connecting ??= this.connectOnce().catch((error: unknown) => {
      // Not a Redis that is away, which is tried again, but settings that cannot work.
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  private async connectOnce(): Promise<Client> {
    const { url, password, problem, log } = this.settings;
    if (problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', problem);
    const redis = await loadClient();
    let client: Client;
    try {
      client = redis.createClient({
        url,
        ...(password === '' ? {} : { password }),
        // A command that cannot be sent is an error at once: whoever sent it decides whether to try again.
        disableOfflineQueue: true,
        socket: {
          connectTimeout: commandDeadline,
          reconnectStrategy: (attempts) => Math.min(100 * 2 ** attempts, 2000),
        },
      });
    } catch (error) {
      throw new AuthyError('AUTHY_BAD_CONFIG', `The Redis address of the account: ${this.said(error)}`);
    }
    let isAway = false;
    client.on('error', (error: Error) => {
      if (!isAway) log(`Redis is not reachable (${this.said(error)}); trying again.`);
      isAway = true;
    });
    client.on('ready', () => {
      if (isAway) log('Redis is reachable again.');
      isAway = false;
      if (!this.isClosed) void this.beat();
    });
    const subscriber = client.duplicate();
    subscriber.on('error', () => {
      // The other connection says so.
    });
    this.subscriber = subscriber;
    const known = new Promise<void>((resolve) => {
      client.once('ready', resolve).once('error', () => resolve());
    });
    void client.connect().catch(() => undefined);
    void subscriber
      .connect()
      .then(() => subscriber.subscribe(this.channel, (text) => this.hear(text)))
      .catch(() => undefined);
    // What comes right after a deploy must not fail because the connection is not there yet.
    await known;
    return client;
  }

  private hear(text: string): void {
    let heard: { from: string; announcement: Announcement };
    try {
      heard = JSON.parse(text) as typeof heard;
    } catch {
      // Not one of ours.
      return;
    }
    const { from, announcement } = heard;
    if (from === instance || this.isClosed) return;
    if (announcement.kind === 'answer') {
      this.onAnswer(announcement.answer);
      return;
    }
    for (const gate of this.gates) {
      if (gate.gateId === announcement.gateId) gate.events.onWithdrawn(announcement.approvalId);
    }
  }

  /** Gives a sign of life, looks after the requests of instances that give none, and goes on doing so. */
  private async beat(): Promise<void> {
    clearTimeout(this.timer);
    try {
      await this.giveSignOfLife();
      for (const gate of this.gates) gate.events.onAbandoned();
    } catch {
      // Redis is away; the connection has said so.
    }
    if (!this.isClosed) this.timer = setTimeout(() => void this.beat(), signOfLifeEvery).unref();
  }

  private async giveSignOfLife(): Promise<void> {
    const [born, time] = (await this.run('signOfLife', instance, randomUUID())) as [string, string];
    const silence = performance.now() - this.aliveAt;
    const before = this.born;
    this.aliveAt = performance.now();
    this.clockOffset = Number(time) - Date.now();
    this.born = born;
    if (before !== undefined && before !== born) this.keepingAnew = this.keepAnew(before);
    else if (silence > deadAfter) for (const gate of this.gates) gate.events.onCutOff();
  }

  private async keepAnew(before: string): Promise<void> {
    this.settings.log('Redis has lost what it held; the open approval requests are kept anew.');
    try {
      await Promise.all([...this.gates].map((gate) => gate.events.onEmptied()));
    } catch {
      // With the next sign of life it is noticed again.
      this.born = before;
    }
  }

  private async command<T>(ask: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await inTime(this.connect().then(ask), commandDeadline);
    } catch (error) {
      if (error instanceof AuthyError) throw error;
      throw new AuthyError(
        'AUTHY_STORE',
        `Redis, where the account keeps its open approval requests, does not answer: ${this.said(error)}`,
      );
    }
  }

  private said(error: unknown): string {
    const { message, name } = error as Error;
    return this.secrets.outOfText(message || name);
  }
}

class RedisGateStore implements GateStore {
  readonly name: string;

  constructor(
    private readonly redis: RedisApprovalStore,
    readonly gateId: string,
    readonly events: GateEvents,
    private readonly onClose: () => void,
  ) {
    this.name = redis.name;
  }

  async save(record: ApprovalRecord): Promise<void> {
    const keep = Math.ceil(Math.max(0, record.endsAt - this.redis.now())) + remembered;
    await this.redis.run('save', instance, this.gateId, record.id, JSON.stringify(record), keep);
  }

  async claim(record: ApprovalRecord): Promise<boolean> {
    const answer = await this.redis.run('claim', instance, record.id);
    if (answer !== -1) return answer === 1;
    // Either another instance has taken it over and is done with it, or Redis has lost all of them.
    await this.redis.keepAnewWhatWasLost();
    return (await this.redis.run('claim', instance, record.id)) === 1;
  }

  async remove(id: string): Promise<void> {
    await this.redis.run('remove', instance, this.gateId, id);
  }

  async held(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const members = new Set(await this.redis.members(this.gateId));
    return new Set(ids.filter((id) => members.has(id)));
  }

  async take(): Promise<ApprovalRecord[]> {
    const values = (await this.redis.run(
      'take',
      instance,
      this.gateId,
      deadAfter,
      remembered,
      takenAtOnce,
    )) as string[];
    const records: ApprovalRecord[] = [];
    for (let index = 0; index < values.length; index += 2) {
      const record = JSON.parse(values[index] ?? '') as ApprovalRecord;
      records.push(values[index + 1] === 'passing' ? { ...record, state: 'passing' } : record);
    }
    return records;
  }

  close(): void {
    this.onClose();
  }
}

function passwordIn(url: string): string {
  return URL.canParse(url) ? credentialsOf(new URL(url)).password : '';
}

async function loadClient(): Promise<typeof import('@redis/client')> {
  try {
    return await import('@redis/client');
  } catch {
    throw new AuthyError(
      'AUTHY_BAD_CONFIG',
      'The account keeps its open approval requests in Redis, and the client for it is not installed. ' +
        'Run "npm install @redis/client" in the user directory of Node-RED, and restart it.',
    );
  }
}

/** Lets what is on its way arrive: gates that close at the same time have records to remove. */
async function end(client: Client | undefined): Promise<void> {
  if (client?.isReady) await inTime(client.close(), commandDeadline).catch(() => undefined);
  try {
    client?.destroy();
  } catch {
    // It is closed, or never was connected.
  }
}

function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds / 1000} s`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
