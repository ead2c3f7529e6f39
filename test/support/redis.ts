import fs from 'node:fs';
import { freePort, Process, skip, temporaryDirectory } from './node_red';
import net from 'node:net';

/** A real Redis server of its own, on a port that stays the same when it is started again. */
export class Redis {
  private process: Process | undefined;

  private constructor(
    private readonly executable: string,
    readonly port: number,
    private readonly directory: string,
  ) {}

  /** Starts one; skips the suite where none is installed. */
  static async start(context: Mocha.Context): Promise<Redis> {
    const places = [process.env['REDIS_SERVER'], '/usr/bin/redis-server', '/usr/local/bin/redis-server'];
    const executable = places.find((place) => place !== undefined && fs.existsSync(place));
    if (executable === undefined) skip(context, 'redis-server is not installed (REDIS_SERVER names it).');
    const redis = new Redis(executable, await freePort(), temporaryDirectory());
    await redis.startAgain();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it with what it has left on the disk: every write is there. */
  async startAgain(): Promise<void> {
    const options = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.directory];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const server = new Process(this.executable, [...options, ...durable]);
    this.process = server;
    await server.until(
      'Redis to answer',
      async () => (await this.command('PING')).includes('PONG') || undefined,
    );
  }

  async stop(): Promise<void> {
    await this.process?.stop();
    this.process = undefined;
  }

  /** Sends one command and gives its answer as it is on the wire; empty where there is none. */
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
