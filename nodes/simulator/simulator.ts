import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopback } from '../lib/contract/private-host';
import { simulatorKeyStart } from '../lib/contract/simulator-key';
import type { RequestHandler } from '../lib/contract/request-handler';
import { alsoNamed, ofNoStranger, ofThisMachine, ownPagesOnly } from '../lib/server/own-pages';
import { reachable } from '../lib/server/reachable';
import { application, below, routed } from '../lib/server/router';
import { redirect } from '../lib/server/send';
import { Languages } from '../lib/texts/languages';
import { authyProtocol } from './authy/authy-api';
import { type ControlBackend, controlInterface } from './control';
import { endpoints } from './endpoints';
import { Faults } from './faults';
import { phonePage } from './phone-page';
import { type CallbackAddress, type CallbackMethod, type Settings } from './settings';
import { State } from './state/state';
import {
  freshVerifySettings,
  type VerifyCredentials,
  type VerifyOptions,
  verifySettings,
} from './verify/settings';
import { enrol } from './verify/factor-life';
import { verifyProtocol } from './verify/verify-api';

/** What simulators say, read only once, with the first one of this process. */
let spoken: Languages | undefined;

export interface SimulatorOptions {
  /** The key that clients have to send; random if it is absent or empty. */
  apiKey?: string;
  /** Where answered approval requests are reported; nowhere if it is absent. */
  callbackUrl?: CallbackAddress | undefined;
  /** POST if absent. */
  callbackMethod?: CallbackMethod;
  /** The name of the application, of which 30 characters are taken. */
  appName?: string;
  /** What clients of Twilio Verify send, and how its service is set; each is made anew if it is absent. */
  verify?: VerifyOptions;
  /** The address or name where it listens; 127.0.0.1 if absent. Elsewhere everybody who reaches it sees all codes. */
  host?: string;
  /** Names in lower case under which it may be called besides; any web page of these may use it. */
  allowedHosts?: readonly string[];
  /** Writes one line about each event; it holds no key, token or phone number. */
  log?: (line: string) => void;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

const otherName =
  'Call the simulator by its IP address or by a name without a dot, or start it with --allow-host and this name: this could ' +
  "be a stranger's name for that machine.";

/** The name of an application, as long as Twilio allows. */
function named(name = ''): string {
  // Half of an emoji is none.
  return /^.{1,30}/su.exec(name)?.[0] ?? 'Authy Simulator';
}

/**
 * A simulator of Authy and of Twilio Verify: their endpoints, the phone page of the people, and an interface to control
 * both, in memory only, and on this machine only if it is not told otherwise. It keeps its state as long as the object exists, listening or not.
 */
export class Simulator {
  /** The page of the phones: files with relative addresses. Mountable anywhere, one level below {@link control}. */
  readonly phonePage: RequestHandler;
  /** The JSON control interface. Mountable anywhere; it checks no key and no origin: the application decides who may use it. */
  readonly control: RequestHandler;

  private readonly settings: Settings;
  private readonly backend: ControlBackend;
  private log: (line: string) => void;
  private readonly app: http.RequestListener;
  private readonly host: string;
  private server: http.Server | undefined;
  private starting: Promise<string> | undefined;
  /** Where it listened last. */
  private lastPort = 0;
  private stopped = stopController();

  constructor(options: SimulatorOptions = {}) {
    this.settings = {
      apiKey: options.apiKey || `${simulatorKeyStart}${randomBytes(16).toString('hex')}`,
      appName: named(options.appName),
      callbackUrl: options.callbackUrl || undefined,
      callbackMethod: options.callbackMethod ?? 'POST',
      callbackForm: '2019',
      verify: verifySettings(options.verify ?? {}, freshVerifySettings((options.now ?? Date.now)())),
    };
    this.log = options.log ?? (() => undefined);
    const state = new State(options.now ?? (() => Date.now()));
    const languages = (spoken ??= new Languages('authy-simulator'));
    const backend = (this.backend = {
      state,
      settings: this.settings,
      faults: new Faults(),
      languages,
      log: (line: string) => this.log(`Authy simulator: ${line}`),
      configure: (settings: Partial<Settings>) => Object.assign(this.settings, settings),
      stop: () => this.stopped.signal,
    });
    this.host = options.host ?? '127.0.0.1';
    const listed = [...(options.allowedHosts ?? []), this.host.toLowerCase()];
    const names = isLoopback(this.host)
      ? alsoNamed(ofThisMachine, listed, ofThisMachine.remedy)
      : alsoNamed(ofNoStranger, listed, otherName);
    this.phonePage = phonePage(languages);
    this.control = controlInterface(backend);
    this.app = application(
      [
        // Listening on loopback is not enough: every web page can make the browser of this machine ask it.
        ownPagesOnly(names),
        routed([
          {
            method: 'GET',
            path: '/',
            handle: (_request, response) => redirect(response, 'simulator/phone/'),
          },
        ]),
        below('/simulator/phone', this.phonePage),
        below('/simulator', this.control),
        endpoints(backend, [verifyProtocol(backend), authyProtocol(backend)]),
      ],
      (error) => {
        backend.log(`internal error: ${(error as Error).stack ?? String(error)}`);
        return 'The Authy simulator failed; its log says why.';
      },
    );
  }

  get apiKey(): string {
    return this.settings.apiKey;
  }

  /** What clients of Twilio Verify have to send. */
  get verify(): VerifyCredentials {
    return this.settings.verify;
  }

  /** Puts the simulated app of a customer's own onto somebody's phone, unless they have it. @param phone - in E.164 */
  installApp(identity: string, phone: string): void {
    const { entities } = this.backend.state;
    const entity = entities.get(identity);
    const hasApp = entity !== undefined && entities.factorsOf(entity).some(({ type }) => type === 'push');
    if (!hasApp) enrol(this.backend, identity, 'Simulated app', phone);
  }

  /**
   * The base URL while it listens: what clients use in place of https://api.authy.com, https://verify.twilio.com and
   * https://lookups.twilio.com.
   */
  get url(): string | undefined {
    return this.server?.listening === true ? this.lastUrl : undefined;
  }

  /**
   * Starts listening, if it does not listen already.
   *
   * @param port - 0 for any; absent: the last one if it is still free, otherwise any
   * @returns the base URL, such as `http://127.0.0.1:4730`
   * @throws the system's error, such as EADDRINUSE
   */
  listen(port?: number): Promise<string> {
    this.starting ??= this.start(port).catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  /** Stops listening, cuts its connections and ends running callbacks. Its memory stays. */
  async close(): Promise<void> {
    await this.starting?.catch(() => undefined);
    const { server } = this;
    this.server = undefined;
    this.starting = undefined;
    this.stopped.abort();
    this.stopped = stopController();
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  /** Changes the given options; the simulator's memory stays. An empty key leaves the old one. @throws Error - an option of Verify is wrong */
  configure(options: Partial<Omit<SimulatorOptions, 'now' | 'host' | 'allowedHosts'>>): void {
    const { settings } = this;
    if (options.apiKey) settings.apiKey = options.apiKey;
    if ('appName' in options) settings.appName = named(options.appName);
    if ('callbackUrl' in options) settings.callbackUrl = options.callbackUrl || undefined;
    if (options.callbackMethod) settings.callbackMethod = options.callbackMethod;
    if (options.verify) settings.verify = verifySettings(options.verify, settings.verify);
    if (options.log) this.log = options.log;
  }

  private get lastUrl(): string {
    return `http://${reachable(this.host)}:${this.lastPort}`;
  }

  private async start(port: number | undefined): Promise<string> {
    let server: http.Server;
    try {
      server = await bind(this.app, port ?? this.lastPort, this.host);
    } catch (error) {
      if (port !== undefined || this.lastPort === 0) throw error;
      server = await bind(this.app, 0, this.host);
    }
    this.server = server;
    this.lastPort = (server.address() as AddressInfo).port;
    this.log(`Authy simulator: listening on ${this.lastUrl}`);
    return this.lastUrl;
  }
}

function stopController(): AbortController {
  const controller = new AbortController();
  // Every late callback listens to it: many listeners are no leak.
  setMaxListeners(0, controller.signal);
  return controller;
}

function bind(app: http.RequestListener, port: number, host: string): Promise<http.Server> {
  return new Promise((resolve, reject) => {
    const server = http.createServer(app);
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve(server);
    });
  });
}
