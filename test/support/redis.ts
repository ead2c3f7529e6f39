import fs from 'node:fs';
import { freePort, Process, skip, temporaryDirectory } from './node_red';
import net from 'node:net';

/** Every write is on the disk before it is answered. */
const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** A real Redis server of its own, on a port that stays the same when it is started again. */
export class Redis {
  private process: Process | undefined;

  private constructor(
    private readonly executable: string,
    readonly port: number,
    private readonly directory: string,
    private readonly options: readonly string[],
  ) {}

  /** Starts one; skips the suite if none is installed. @param options - instead of those that make it durable */
  static async start(context: Mocha.Context, options: readonly string[] = durable): Promise<Redis> {
    const places = [process.env['REDIS_SERVER'], '/usr/bin/redis-server', '/usr/local/bin/redis-server'];
    const executable = places.find((place) => place !== undefined && fs.existsSync(place));
    if (executable === undefined) skip(context, 'redis-server is not installed (REDIS_SERVER names it).');
    const redis = new Redis(executable, await freePort(), temporaryDirectory(), options);
    await redis.startAgain();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it with the files that it has left on the disk. */
  async startAgain(): Promise<void> {
    const place = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.directory];
    const server = new Process(this.executable, [...place, '--save', '', ...this.options]);
    this.process = server;
    await server.until(
      'Redis to answer',
      async () => (await this.command('PING')).includes('PONG') || undefined,
    );
  }

  async stop(): Promise<void> {
    // Redis refuses to end while it rewrites its file.
    const again = setInterval(() => this.signal('SIGTERM'), 500);
    try {
      await this.process?.stop();
    } finally {
      clearInterval(again);
      this.process = undefined;
    }
  }

  /** Ends it by force, at any point. */
  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = undefined;
  }

  /** Pauses or continues it: `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    this.process?.signal(signal);
  }

  /** Sends one command and returns its raw answer; empty if there is none. */
  command(...words: string[]): Promise<string> {
    return new Promise((resolve) => {
      const socket = net.connect(this.port, '127.0.0.1', () => socket.write(`${words.join(' ')}\r\n`));
      socket.once('data', (data) => {
        resolve(data.toString());
        socket.destroy();
      });
      socket.once('error', () => resolve(''));
    });
  }
}
