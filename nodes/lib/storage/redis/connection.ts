import { createHash } from 'node:crypto';
import type { createClient } from '@redis/client';
import { credentialsOf } from '../../contract/credentials';
import { AuthyError } from '../../contract/errors';
import { Secrets } from '../../contract/secrets';
import { type Link, NothingDone, unreachable } from './link';
import { type ScriptName, scripts } from './scripts';
import type { Clock } from '../../time';

type Client = ReturnType<typeof createClient>;

export interface RedisSettings {
  /** `redis://` or `rediss://`, with a database number if needed. */
  readonly url: string;
  /** Empty if there is none. */
  readonly password: string;
  /** Why these cannot be used, if so; a sentence. */
  readonly problem?: string | undefined;
  /** Writes a line about the connection to the log; it holds no secret. */
  readonly log: (line: string) => void;
}

/** In milliseconds. */
const commandDeadline = 5000;

const shas = Object.fromEntries(
  Object.entries(scripts).map(([name, source]) => [name, createHash('sha1').update(source).digest('hex')]),
) as Record<ScriptName, string>;

/** The connections of one account to a real Redis: one for scripts, and one that receives what they publish. */
export class RedisConnection implements Link {
  private readonly keys: [string, string];
  private readonly secrets: Secrets;
  private connecting: Promise<Client> | undefined;
  private subscriber: Client | undefined;
  private nothingDoneErrors: (new (message: string) => Error)[] = [];
  private onReady: (() => void) | undefined;
  private onHint: ((text: string) => void) | undefined;
  private isClosed = false;

  /**
   * @param accountId - the same on all instances, since they run the same flows
   * @param now - the time for the scripts; undefined for Redis's own, which is used except in tests that move the time
   */
  constructor(
    accountId: string,
    private readonly settings: RedisSettings,
    private readonly time: Clock,
    private readonly now: () => number | undefined = () => undefined,
  ) {
    // A server repeats an unknown command in its error, and the first command holds the password.
    this.secrets = new Secrets(
      [settings.password, passwordIn(settings.url)].map((password) => [password, '[password]']),
    );
    this.keys = [`approvals:{${accountId}}:`, `authy:{${accountId}}:`];
  }

  open(onReady: () => void, onHint: (text: string) => void): void {
    this.onReady = onReady;
    this.onHint = onHint;
    if (this.settings.problem !== undefined) return;
    this.connect().catch((error: unknown) => this.settings.log((error as Error).message));
  }

  async run(name: ScriptName, ...args: (string | number)[]): Promise<unknown> {
    const options = { keys: this.keys, arguments: [this.now() ?? '', ...args].map(String) };
    const progress = { isLate: false, wasSent: false };
    try {
      return await this.withDeadline(this.send(name, options, progress), commandDeadline);
    } catch (error) {
      progress.isLate = true;
      if (error instanceof AuthyError) throw error;
      const problem = this.textOf(error);
      if (!progress.wasSent || this.didNothing(error)) throw new NothingDone(problem);
      throw new AuthyError('AUTHY_STORE', unreachable(problem));
    }
  }

  private async send(
    name: ScriptName,
    options: { keys: string[]; arguments: string[] },
    progress: { readonly isLate: boolean; wasSent: boolean },
  ): Promise<unknown> {
    const client = await this.connect();
    const checkInTime = (): void => {
      // A command that was given up as not sent must not be sent afterwards.
      if (progress.isLate) throw new NothingDone('the connection came too late');
      progress.wasSent = true;
    };
    checkInTime();
    try {
      return await client.evalSha(shas[name], options);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      checkInTime();
      return client.eval(scripts[name], options);
    }
  }

  /** Whether an error says that Redis did nothing: it refused the command, or never got it. */
  private didNothing(error: unknown): boolean {
    return this.nothingDoneErrors.some((kind) => error instanceof kind);
  }

  async close(milliseconds: number): Promise<void> {
    this.isClosed = true;
    const client = await this.connecting?.catch(() => undefined);
    await Promise.all([client, this.subscriber].map((one) => this.end(one, milliseconds)));
  }

  /** Connects once. After that, the client reconnects by itself for as long as the account is there. */
  private connect(): Promise<Client> {
    this.connecting ??= this.connectOnce().catch((error: unknown) => {
      // The settings cannot work. A Redis that is away is no error here: the client tries again.
      this.connecting = undefined;
      throw error;
    });
    return this.connecting;
  }

  private async connectOnce(): Promise<Client> {
    const { url, password, problem, log } = this.settings;
    if (problem !== undefined) throw new AuthyError('AUTHY_BAD_CONFIG', problem);
    const redis = await loadClient();
    this.nothingDoneErrors = [redis.ErrorReply, redis.ClientOfflineError, redis.ClientClosedError];
    let client: Client;
    try {
      client = redis.createClient({
        url,
        ...(password === '' ? {} : { password }),
        // A command that cannot be sent is an error at once: its sender decides whether to try again.
        disableOfflineQueue: true,
        socket: {
          connectTimeout: commandDeadline,
          reconnectStrategy: (attempts) => Math.min(100 * 2 ** attempts, 2000),
        },
      });
    } catch (error) {
      throw new AuthyError(
        'AUTHY_BAD_CONFIG',
        `Check the Redis address of the account: ${this.textOf(error)}`,
      );
    }
    let isAway = false;
    client.on('error', (error: Error) => {
      if (!isAway) log(`Redis is not reachable (${this.textOf(error)}); trying again.`);
      isAway = true;
    });
    client.on('ready', () => {
      if (isAway) log('Redis is reachable again.');
      isAway = false;
      if (!this.isClosed) this.onReady?.();
    });
    const subscriber = client.duplicate();
    subscriber.on('error', () => {
      // The other connection reports it.
    });
    this.subscriber = subscriber;
    const connectedOrFailed = new Promise<void>((resolve) => {
      client.once('ready', resolve).once('error', () => resolve());
    });
    void client.connect().catch(() => undefined);
    void subscriber
      .connect()
      .then(() => subscriber.subscribe(`${this.keys[0]}hints`, (text) => this.hear(text)))
      .catch(() => undefined);
    // A call right after a deploy must not fail because the connection is not there yet.
    await connectedOrFailed;
    return client;
  }

  private textOf(error: unknown): string {
    const { message, name } = error as Error;
    return this.secrets.outOfText(message || name);
  }

  private hear(text: string): void {
    if (!this.isClosed) this.onHint?.(text);
  }

  /** Waits for commands on their way: gates that close at the same time still end records. */
  private async end(client: Client | undefined, milliseconds: number): Promise<void> {
    if (client?.isReady)
      await this.withDeadline(client.close(), Math.min(milliseconds, commandDeadline)).catch(() => undefined);
    try {
      client?.destroy();
    } catch {
      // It is closed, or was never connected.
    }
  }

  private withDeadline<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
    let cancel: (() => void) | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      cancel = this.time.after(milliseconds, () =>
        reject(new Error(`no answer within ${milliseconds / 1000} s`)),
      );
    });
    return Promise.race([promise, late]).finally(() => cancel?.());
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
      'Run "npm install @redis/client" in the user directory of Node-RED, and restart it: the account keeps its open ' +
        'approval requests in Redis, and the client for Redis is not installed.',
    );
  }
}
