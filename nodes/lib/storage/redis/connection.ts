import { createHash } from 'node:crypto';
import type { createClient } from '@redis/client';
import { credentialsOf } from '../../contract/credentials';
import { AuthyError } from '../../contract/errors';
import { Secrets } from '../../contract/secrets';
import { type Link, NothingDone, type Scripts, type ScriptSet, unreachable } from './link';
import { type ScriptName, scripts } from './scripts';
import type { Clock } from '../../time';
import { isUrl } from '../../contract/url';

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

const approvals: ScriptSet<ScriptName> = {
  sources: scripts,
  prefixes: ['approvals', 'authy'],
  kept: 'open approval requests',
};

/** A script as it is sent. */
interface Command {
  readonly source: string;
  readonly sha: string;
  readonly keys: string[];
  readonly arguments: string[];
}

/** The connections of one account to a real Redis: one for scripts, and one that receives what they publish. */
export class RedisConnection implements Link {
  private readonly approvals: Scripts;
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
    private readonly accountId: string,
    private readonly settings: RedisSettings,
    private readonly time: Clock,
    private readonly now: () => number | undefined = () => undefined,
  ) {
    // A server repeats an unknown command in its error, and the first command holds the password.
    this.secrets = new Secrets(
      [settings.password, passwordIn(settings.url)].map((password) => [password, '[password]']),
    );
    this.approvals = this.scriptsOf(approvals);
  }

  open(onReady: () => void, onHint: (text: string) => void): void {
    this.onReady = onReady;
    this.onHint = onHint;
    if (this.settings.problem !== undefined) return;
    this.connect().catch((error: unknown) => this.settings.log((error as Error).message));
  }

  run(name: ScriptName, ...args: (string | number)[]): Promise<unknown> {
    return this.approvals.run(name, ...args);
  }

  /** Other scripts than those for approvals, by the same connection. */
  scriptsOf<Name extends string>({ sources, prefixes, kept }: ScriptSet<Name>): Scripts<Name> {
    const keys = prefixes.map((prefix) => this.prefix(prefix));
    const shas = new Map<string, string>();
    return {
      run: (name, ...args) => {
        const source = sources[name];
        const sha = shas.get(name) ?? createHash('sha1').update(source).digest('hex');
        shas.set(name, sha);
        return this.runCommand(
          { source, sha, keys, arguments: [this.now() ?? '', ...args].map(String) },
          kept,
        );
      },
    };
  }

  /** The hash tag keeps an account on one node of a cluster. */
  private prefix(name: string): string {
    return `${name}:{${this.accountId}}:`;
  }

  private async runCommand(command: Command, kept: string): Promise<unknown> {
    const progress = { isLate: false, wasSent: false };
    try {
      return await this.withDeadline(this.send(command, progress), commandDeadline);
    } catch (error) {
      progress.isLate = true;
      if (error instanceof AuthyError) throw error;
      const problem = this.textOf(error);
      if (!progress.wasSent || this.didNothing(error)) throw new NothingDone(problem, kept);
      throw new AuthyError('AUTHY_STORE', unreachable(problem, kept));
    }
  }

  private async send(
    { source, sha, ...options }: Command,
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
      return await client.evalSha(sha, options);
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      checkInTime();
      return client.eval(source, options);
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
    // Without anybody to hear the hints, one connection is enough.
    const subscriber = this.onHint === undefined ? undefined : client.duplicate();
    subscriber?.on('error', () => {
      // The other connection reports it.
    });
    this.subscriber = subscriber;
    const connectedOrFailed = new Promise<void>((resolve) => {
      client.once('ready', resolve).once('error', () => resolve());
    });
    void client.connect().catch(() => undefined);
    void subscriber
      ?.connect()
      .then(() => subscriber.subscribe(`${this.prefix('approvals')}hints`, (text) => this.hear(text)))
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
  return isUrl(url) ? credentialsOf(new URL(url)).password : '';
}

async function loadClient(): Promise<typeof import('@redis/client')> {
  try {
    return await import('@redis/client');
  } catch {
    throw new AuthyError(
      'AUTHY_BAD_CONFIG',
      'Run "npm install @redis/client" in the user directory of Node-RED, and restart it: the account keeps ' +
        'something in Redis, and the client for Redis is not installed.',
    );
  }
}
