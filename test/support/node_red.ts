import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Agent, fetch as undiciFetch } from 'undici';
import { member } from '../../nodes/lib/contract/json';

const run = promisify(execFile);

export const root = path.resolve(__dirname, '..', '..');
export const packageName = '@flowauth/node-red-authy';

/** The types of all our nodes, the account first. */
export const types = Object.keys(
  (
    JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      'node-red': { nodes: Record<string, string> };
    }
  )['node-red'].nodes,
);

/** A node of a flow file. */
export interface FlowNode {
  id: string;
  type: string;
  z?: string;
  name?: string;
  wires?: string[][];
  [property: string]: unknown;
}

/** A Node-RED, and the Node.js it runs on. */
export interface Runtime {
  /** The beginning of its version. */
  readonly version: '4.1.' | '5.';
  /** Gets its files; skips the suite if they cannot be downloaded. */
  readonly executables: (context: Mocha.Context) => Promise<{ node: string; red: string }>;
}

/** The versions of Node-RED that the package supports. */
export const runtimes: readonly Runtime[] = [
  {
    version: '4.1.',
    executables: () =>
      Promise.resolve({ node: process.execPath, red: path.join(root, 'node_modules', 'node-red', 'red.js') }),
  },
  { version: '5.', executables: nodeRed5 },
];

/** Skips the suite and says why. On the CI machine this is an error, because everything has to run there. */
export function skip(context: Mocha.Context, why: string): never {
  if (process.env['CI']) throw new Error(why);
  process.stderr.write(`  Skipped: ${why}\n`);
  context.skip();
}

/** Waits until `probe` returns something other than undefined. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  seconds = 20,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  // Often it takes only a few milliseconds.
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`Waited ${seconds} s for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** A free port of 127.0.0.1. Node-RED needs a fixed one, because it is part of the callback address. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = (lastPort += 1);
    const server = net.createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/**
 * The files of tests run in parallel processes. Each process has ports of its own, below those that the system gives
 * out for port 0.
 */
let lastPort = 12_000 + 2000 * Number(process.env['MOCHA_WORKER_ID'] ?? 4) + Math.floor(Math.random() * 1500);

const directories: string[] = [];

/** A new directory, which is deleted at the end of the process whatever happens. */
export function temporaryDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'node-red-authy-'));
  directories.push(directory);
  return directory;
}

/**
 * Installs packages into a folder of `.cache/`, once: it takes longer than all tests together.
 *
 * @param options - more options of npm
 * @returns its node_modules; skips the suite if they are missing and cannot be downloaded
 */
export async function installedInCache(
  context: Mocha.Context,
  folder: string,
  packages: readonly string[],
  options: readonly string[] = [],
): Promise<string> {
  const prefix = path.join(root, '.cache', folder);
  const done = path.join(prefix, `${packages.join(' ').replaceAll('/', '+')}.installed`);
  fs.mkdirSync(prefix, { recursive: true });
  await alone(path.join(prefix, '.lock'), async () => {
    if (fs.existsSync(done)) return;
    await npm(
      ['install', '--prefix', prefix, '--no-audit', '--no-fund', ...options, ...packages],
      root,
    ).catch((error: unknown) => {
      if (isOffline(error)) skip(context, `${packages.join(', ')} cannot be downloaded.`);
      throw error;
    });
    fs.writeFileSync(done, '');
  });
  return path.join(prefix, 'node_modules');
}

/** Does something that no other process of the tests may do at the same time. */
async function alone(lock: string, work: () => Promise<void>): Promise<void> {
  while (!locked(lock)) await new Promise((resolve) => setTimeout(resolve, 200));
  try {
    await work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function locked(lock: string): boolean {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (isLeftBehind(lock)) fs.rmSync(lock, { force: true });
    return false;
  }
}

/** Whether the process that has a lock is gone. */
function isLeftBehind(lock: string): boolean {
  try {
    process.kill(Number(fs.readFileSync(lock, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function nodeRed5(context: Mocha.Context): Promise<{ node: string; red: string }> {
  const modules = await installedInCache(context, 'node-red-5', ['node@22', 'node-red@5']);
  return {
    node: path.join(modules, 'node', 'bin', 'node'),
    red: path.join(modules, 'node-red', 'red.js'),
  };
}

let installed: Promise<string> | undefined;

/** The node_modules of a user directory in which the packed package is installed, as users install it. */
export function installedModules(context: Mocha.Context): Promise<string> {
  installed ??= install();
  return installed.catch((error: unknown) => {
    if (isOffline(error)) skip(context, 'the dependencies of the package cannot be downloaded.');
    throw error;
  });
}

async function install(): Promise<string> {
  const directory = temporaryDirectory();
  // `npm test` has built it, and another process of the tests may be packing it as well.
  const isBuilt = process.env['MOCHA_WORKER_ID'] !== undefined;
  const options = ['--json', '--silent', ...(isBuilt ? ['--ignore-scripts'] : [])];
  const { stdout } = await npm(['pack', ...options, '--pack-destination', directory], root);
  // The output of the build comes before it.
  const [tarball] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as { filename: string }[];
  if (tarball === undefined) throw new Error(`npm pack made nothing: ${stdout}`);
  const userDir = path.join(directory, 'user');
  fs.mkdirSync(userDir);
  fs.writeFileSync(path.join(userDir, 'package.json'), '{"name":"node-red-project","private":true}');
  await npm(
    ['install', '--omit=dev', '--no-audit', '--prefer-offline', path.join(directory, tarball.filename)],
    userDir,
  );
  return path.join(userDir, 'node_modules');
}

function npm(args: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  return run('npm', args, { cwd, maxBuffer: 64 * 1024 * 1024 });
}

function isOffline(error: unknown): boolean {
  return /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT/.test(
    String(error),
  );
}

/** The options of a Node-RED. */
export interface NodeRedOptions {
  /** Settings that can be written as JSON. */
  settings?: Readonly<Record<string, unknown>> & { uiHost?: string };
  /** A settings.js that those are added to: its text. */
  documented?: string;
  /** Its certificate for https. */
  certificate?: { key: string; cert: string };
  env?: Readonly<Record<string, string>>;
  /** What its log says once it is ready; that its flows have started, unless told. */
  readyWith?: string;
  /** The user who signs in, if the settings require it. */
  user?: User;
  /** Other packages that a user would install: from this repository, or, with a version as in `name@5`, from the registry. */
  packages?: readonly string[];
}

export interface User {
  username: string;
  password: string;
}

/** A Node-RED in its own process, with the packed package in a clean user directory, driven by its admin API. */
export class NodeRed {
  private token: string | undefined;

  private constructor(
    private process: Process,
    private readonly launch: () => Promise<Process>,
    /** The address of the editor, with a slash at its end. */
    readonly adminUrl: string,
    /** The address below which `http in` nodes are reached, with a slash at its end. */
    readonly nodeUrl: string,
    /** Its user directory. */
    readonly userDir: string,
    /** Trusts its certificate, if it has one. */
    private readonly fetch: Fetch,
  ) {}

  /** Starts one and waits until it answers. */
  static async start(
    context: Mocha.Context,
    runtime: Runtime,
    options: NodeRedOptions = {},
  ): Promise<NodeRed> {
    const { settings = {}, documented = '', certificate, env = {}, user, packages = [] } = options;
    const { readyWith = 'Started flows' } = options;
    const { node, red } = await runtime.executables(context);
    const userDir = temporaryDirectory();
    const modules = path.join(userDir, 'node_modules');
    fs.cpSync(await installedModules(context), modules, { recursive: true });
    for (const wanted of packages) {
      const [, name = wanted, version] = /^(.+)@(.+)$/.exec(wanted) ?? [];
      const from =
        version === undefined
          ? path.join(root, 'node_modules')
          : await installedInCache(context, name, [wanted]);
      // A link, so that the package finds its own dependencies.
      fs.mkdirSync(path.dirname(path.join(modules, name)), { recursive: true });
      fs.symlinkSync(path.join(from, name), path.join(modules, name), 'junction');
    }
    const port = await freePort();
    const all = {
      uiHost: '127.0.0.1',
      uiPort: port,
      flowFile: 'flows.json',
      credentialSecret: 'a secret of the tests',
      telemetry: { enabled: false, updateNotification: false },
      editorTheme: { tours: false },
      externalModules: { palette: { allowInstall: false } },
      ...(certificate === undefined ? {} : { https: certificate }),
      ...settings,
    };
    // Node-RED's own editor has an error while it shows the first tip, if it loads slowly.
    const withoutTips = { editor: { view: { 'view-show-tips': false } } };
    const users = (member(settings['adminAuth'], 'users') ?? []) as readonly { username: string }[];
    const preferences = Object.fromEntries(
      ['_', ...users.map(({ username }) => username)].map((name) => [name, withoutTips]),
    );
    fs.writeFileSync(path.join(userDir, '.config.users.json'), JSON.stringify(preferences));
    const settingsFile = path.join(userDir, 'settings.js');
    fs.writeFileSync(path.join(userDir, 'documented.js'), documented);
    fs.writeFileSync(
      settingsFile,
      `module.exports = { ...require('./documented.js'), ...${JSON.stringify(all)} };`,
    );

    const host = all.uiHost === '0.0.0.0' ? '127.0.0.1' : all.uiHost;
    const scheme = certificate === undefined ? 'http' : 'https';
    const address = (base: unknown): string =>
      `${scheme}://${host}:${port}${typeof base === 'string' ? base : ''}/`;
    const ask = fetchTrusting(certificate?.cert);
    const adminUrl = address(settings['httpAdminRoot']);
    const launch = async (): Promise<Process> => {
      const child = new Process(node, [red, '-s', settingsFile, '-u', userDir], env);
      try {
        await child.until('Node-RED to answer', () => answers(ask, `${adminUrl}settings`));
        await child.until('it to be ready', () => child.output.includes(readyWith) || undefined);
      } catch (error) {
        await child.stop();
        throw error;
      }
      return child;
    };
    const nodeUrl = address(settings['httpNodeRoot']);
    const nodeRed = new NodeRed(await launch(), launch, adminUrl, nodeUrl, userDir, ask);
    try {
      if (user !== undefined) await nodeRed.signIn(user);
      const { version } = (await nodeRed.get('settings')) as { version: string };
      if (!version.startsWith(runtime.version)) throw new Error(`This is Node-RED ${version}.`);
    } catch (error) {
      await nodeRed.stop();
      throw error;
    }
    return nodeRed;
  }

  /** Everything that it has logged. */
  get log(): string {
    return this.process.output;
  }

  /** Sends a request to the admin API, or to any other route of the editor, as the signed-in user. */
  request(route: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    if (this.token !== undefined) headers.set('authorization', `Bearer ${this.token}`);
    return this.fetch(this.adminUrl + route, { ...init, headers });
  }

  /** Reads from the admin API. */
  async get(route: string): Promise<unknown> {
    const response = await this.request(route);
    if (!response.ok) throw new Error(`GET ${route}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Posts JSON to the admin API. @returns the parsed answer; undefined if it is not JSON */
  async post(route: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const response = await this.request(route, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`POST ${route}: ${response.status} ${text}`);
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return isJson ? JSON.parse(text) : undefined;
  }

  /**
   * Replaces all flows and waits until the new ones run.
   *
   * @param type - with `flows` unchanged tabs keep running, with `nodes` unchanged nodes
   */
  async deploy(flows: readonly FlowNode[], type: DeployType = 'full'): Promise<void> {
    const seen = this.log.length;
    await this.post('flows', flows, { 'node-red-deployment-type': type });
    await this.process.until('the deployed flows to start', () =>
      /Started (?:flows|modified)/.test(this.log.slice(seen)) ? true : undefined,
    );
  }

  /** Presses the button of an inject node. */
  async inject(id: string): Promise<void> {
    await this.post(`inject/${id}`, {});
  }

  /** Waits until a flow's context holds a value under a key, and returns it. */
  async flowContext(tab: string, key: string): Promise<unknown> {
    return this.process.until(`"${key}" is in the context of the flow`, async () =>
      decode((await this.get(`context/flow/${tab}/${key}`)) as EncodedValue),
    );
  }

  /** Ends it as Ctrl+C would. */
  async stop(): Promise<void> {
    await this.process.stop();
  }

  /** Ends it as the system does when it shuts down. */
  async terminate(): Promise<void> {
    this.process.signal('SIGTERM');
    await this.process.exit();
  }

  /** Ends it by force at any point, as a power cut would. */
  async kill(): Promise<void> {
    await this.process.kill();
  }

  /** Pauses or continues it: `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    this.process.signal(signal);
  }

  /** Starts it again after its end, with the files that it has left on the disk. */
  async startAgain(): Promise<void> {
    this.process = await this.launch();
  }

  /** The same Node-RED, with the requests of another user. */
  async signedInAs(user: User): Promise<NodeRed> {
    const other = new NodeRed(
      this.process,
      this.launch,
      this.adminUrl,
      this.nodeUrl,
      this.userDir,
      this.fetch,
    );
    await other.signIn(user);
    return other;
  }

  private async signIn({ username, password }: User): Promise<void> {
    const response = await this.fetch(`${this.adminUrl}auth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: 'node-red-admin',
        grant_type: 'password',
        scope: '',
        username,
        password,
      }),
    });
    if (!response.ok) throw new Error(`Signing in: ${response.status} ${await response.text()}`);
    this.token = ((await response.json()) as { access_token: string }).access_token;
  }
}

export type DeployType = 'full' | 'flows' | 'nodes';

/** A value as the context API returns it. */
interface EncodedValue {
  msg: string;
  format: string;
}

function decode({ msg, format }: EncodedValue): unknown {
  if (format === 'undefined') return undefined;
  return format.startsWith('string') ? msg : (JSON.parse(msg) as unknown);
}

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** @param certificate - of a server that is reached by another name, such as an address of this machine */
function fetchTrusting(certificate: string | undefined): Fetch {
  if (certificate === undefined) return fetch;
  const dispatcher = new Agent({ connect: { ca: certificate, checkServerIdentity: () => undefined } });
  const ask = undiciFetch as unknown as Fetch;
  return (url, init) => ask(url, { ...init, dispatcher } as RequestInit);
}

async function answers(ask: Fetch, url: string): Promise<true | undefined> {
  const response = await ask(url).catch(() => undefined);
  await response?.body?.cancel();
  // If users have to sign in, a refusal shows that it is running.
  return response !== undefined && [200, 401].includes(response.status) ? true : undefined;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) killGroup(child);
  for (const directory of directories) fs.rmSync(directory, { recursive: true, force: true });
});

// If the test run is ended from outside, processes are ended and directories deleted too.
process.once('SIGTERM', () => process.exit(143));

/** Ends a process and its children, by force. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // The process has already ended.
  }
}

/** A Node.js script in a process of its own, with its output. */
export class Process {
  output = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;
  private exited = false;

  constructor(
    node: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    cwd: string = root,
  ) {
    // The options of the test run must not reach the processes that it starts.
    const child = spawn(node, args, {
      cwd,
      env: { ...process.env, NODE_OPTIONS: undefined, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that its children end too if it has to be ended by force.
      detached: true,
    });
    this.child = child;
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    // "close" comes once all of its output has been read.
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.output += String(error);
        resolve(null);
      });
      child.once('close', (code) => resolve(code));
    });
    void this.ended.then(() => {
      this.exited = true;
      running.delete(child);
    });
  }

  /** Waits for a condition, for as long as the process runs. */
  async until<T>(
    what: string,
    probe: () => Promise<T | undefined> | T | undefined,
    seconds = 30,
  ): Promise<T> {
    try {
      return await eventually(
        what,
        () => {
          if (this.exited) throw new Error(`The process ended before ${what}.`);
          return probe();
        },
        seconds,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message} It wrote:\n${this.output.slice(-4000)}`, { cause: error });
    }
  }

  /** Waits for its end and returns its exit code. */
  async exit(seconds = 30): Promise<number | null> {
    const ended = this.ended.then((code) => ({ code }));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`The process did not end. It wrote:\n${this.output.slice(-4000)}`)),
        seconds * 1000,
      );
    });
    try {
      return (await Promise.race([ended, late])).code;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Pauses or continues it: `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it by force, at once. */
  async kill(): Promise<void> {
    killGroup(this.child);
    await this.exit();
  }

  /** Ends it as Ctrl+C would, or by force if it ignores that. */
  async stop(): Promise<number | null> {
    if (!this.exited) this.child.kill('SIGINT');
    try {
      return await this.exit();
    } catch (error) {
      killGroup(this.child);
      throw error;
    }
  }
}
