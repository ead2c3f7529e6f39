import type { SecureContextOptions } from 'node:tls';
import type { NextFunction, Request, Response } from 'express';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Account, accountOf, type AccountSettings, type ApprovalSettings } from './lib/account';
import { authyBaseUrl } from './lib/authy/endpoint';
import type { ProxySetting } from './lib/authy/proxy';
import { positiveNumber } from './lib/settings';
import { simulatorOf } from './lib/simulators';

interface AccountDef extends NodeDef {
  service: string;
  baseUrl: string;
  pathPrefix: string;
  /** In seconds. A number, or text where it came from an environment variable. */
  deadline: number | string;
  maxInFlight: number | string;
  tls: string;
  proxy: string;
  callbackUrl: string;
  callbackMethod: string;
  /** Where open approval requests are kept: `context`, `context:<store>`, or `redis`. */
  approvalStore: string;
  redisUrl: string;
}

interface AccountCredentials {
  apiKey?: string;
  previousApiKey?: string;
  redisPassword?: string;
}

const defaultRedisUrl = 'redis://127.0.0.1:6379';

type ConfigNode = Node<AccountCredentials> & { account: Account };

/** Node-RED's own config nodes, as far as they are used. */
type TlsConfigNode = Node & { valid?: boolean; addTLSOptions(options: object): SecureContextOptions };
type HttpProxyNode = Node<{ username?: string; password?: string }> & { url: string; noproxy?: string[] };

export = (RED: NodeAPI): void => {
  function AuthyConfig(this: ConfigNode, config: AccountDef): void {
    RED.nodes.createNode(this, config);
    const account = new Account(accountSettings(RED, this, config));
    this.account = account;
    this.on('close', (removed: boolean, done: () => void) => void account.close(removed).then(done));
  }

  RED.nodes.registerType<ConfigNode, AccountDef, object, AccountCredentials>('authy-config', AuthyConfig, {
    credentials: {
      apiKey: { type: 'password' },
      previousApiKey: { type: 'password' },
      redisPassword: { type: 'password' },
    },
  });

  serveTestButton(RED);
  servePhone(RED);
};

function accountSettings(RED: NodeAPI, node: ConfigNode, config: AccountDef): AccountSettings {
  const tls = referredNode(RED, config.tls) as TlsConfigNode | null;
  const proxy = referredNode(RED, config.proxy) as HttpProxyNode | null;
  return {
    id: node.id,
    service: config.service === 'simulator' ? 'simulator' : 'authy',
    apiKey: node.credentials.apiKey?.trim() ?? '',
    previousApiKey: node.credentials.previousApiKey?.trim() ?? '',
    baseUrl: config.baseUrl || authyBaseUrl,
    pathPrefix: config.pathPrefix,
    deadline: positiveNumber(config.deadline, 15),
    maxInFlight: positiveNumber(config.maxInFlight, 10),
    tls: tls?.addTLSOptions({}),
    proxy: proxy ? proxySetting(proxy) : undefined,
    simulator: {
      callbackUrl: callbackUrl(RED, config.callbackUrl || '/authy/callback'),
      callbackMethod: config.callbackMethod === 'GET' ? 'GET' : 'POST',
    },
    approvals: approvalSettings(RED, config, node.credentials),
    log: (line) => node.log(line),
    problem: problemOf(config, tls, proxy),
  };
}

function approvalSettings(
  RED: NodeAPI,
  { approvalStore = 'context', redisUrl }: Partial<AccountDef>,
  { redisPassword }: AccountCredentials,
): ApprovalSettings {
  if (approvalStore === 'redis') {
    return { in: 'redis', url: redisUrl || defaultRedisUrl, password: redisPassword ?? '' };
  }
  const store = approvalStore.split(':')[1] || undefined;
  // Without any of its own, a Node-RED has one store of this name.
  const { contextStorage = { memory: {} } } = RED.settings as { contextStorage?: object };
  const problem =
    store === undefined || Object.hasOwn(contextStorage, store)
      ? undefined
      : `The settings of this Node-RED have no context store "${store}"; open the account and choose another.`;
  return { in: 'context', store, problem };
}

/** The types say a node is always found; a disabled or deleted one is not. */
function referredNode(RED: NodeAPI, id: string | undefined): Node | null {
  return id ? RED.nodes.getNode(id) : null;
}

/** A setting that is referred to but cannot be used must not silently be left out. */
function problemOf(
  config: AccountDef,
  tls: TlsConfigNode | null,
  proxy: HttpProxyNode | null,
): string | undefined {
  if (config.tls && tls === null) return 'The TLS configuration of the account is missing or disabled.';
  if (tls?.valid === false) return 'The TLS configuration of the account is not valid; open it and mend it.';
  if (config.proxy && proxy === null) return 'The proxy of the account is missing or disabled.';
  return undefined;
}

function proxySetting(node: HttpProxyNode): ProxySetting {
  // Node-RED leaves the credentials out where none were ever entered.
  const credentials = node.credentials as HttpProxyNode['credentials'] | undefined;
  return {
    url: node.url,
    username: credentials?.username,
    password: credentials?.password,
    bypass: node.noproxy,
  };
}

/**
 * Where the simulator delivers callbacks.
 *
 * @param address - an absolute address, or a path of this Node-RED's own http in nodes
 * @returns undefined where this Node-RED cannot be reached
 */
function callbackUrl(RED: NodeAPI, address: string): string | undefined {
  if (!address.startsWith('/')) return address;
  const settings = RED.settings as unknown as {
    uiPort?: number | string;
    https?: unknown;
    httpNodeRoot?: string | false;
  };
  if (settings.uiPort === undefined || settings.httpNodeRoot === false) return undefined;
  const scheme = settings.https ? 'https' : 'http';
  const root = (settings.httpNodeRoot ?? '/').replace(/^\/|\/$/g, '');
  const path = [root, address.slice(1)].filter(Boolean).join('/');
  return `${scheme}://127.0.0.1:${settings.uiPort}/${path}`;
}

/**
 * `POST authy-config/test` for the panel's button: `{id, service, apiKey?}` → `{ok: true, name}` or
 * `{ok: false, message}`. The browser may try a key that is not deployed yet, but never choose the address.
 */
function serveTestButton(RED: NodeAPI): void {
  RED.httpAdmin.post(
    '/authy-config/test',
    RED.auth.needsPermission('authy-config.write'),
    (request: Request, response: Response) => {
      testAccount(RED, Object(request.body) as Record<string, unknown>).then(
        (name) => response.json({ ok: true, name }),
        (error: unknown) => response.json({ ok: false, message: (error as Error).message }),
      );
    },
  );
}

async function testAccount(RED: NodeAPI, form: Record<string, unknown>): Promise<string> {
  const id = typeof form['id'] === 'string' ? form['id'] : '';
  const key = typeof form['apiKey'] === 'string' ? form['apiKey'].trim() : undefined;
  const deployed = accountOf(RED, id);
  if (form['service'] === 'simulator') {
    if (deployed?.serviceName === 'simulator') return deployed.test();
    throw new Error('The simulator starts when you deploy.');
  }
  if (key?.includes('${')) throw new Error('The key comes from the environment: deploy first, then test.');
  if (key === '') throw new Error('Enter the API key first.');
  if (deployed?.serviceName === 'authy') return deployed.test(key);
  if (key === undefined) throw new Error('Enter the API key first.');
  const trial = new Account({ ...trialSettings, apiKey: key });
  try {
    return await trial.test();
  } finally {
    await trial.close(true);
  }
}

/** An account that is not deployed yet is tried at Authy's own address. */
const trialSettings: Omit<AccountSettings, 'apiKey'> = {
  id: 'authy-config/test',
  service: 'authy',
  previousApiKey: '',
  baseUrl: authyBaseUrl,
  pathPrefix: '',
  deadline: 15,
  maxInFlight: 1,
  tls: undefined,
  proxy: undefined,
  simulator: {},
  approvals: { in: 'context' },
  log: () => undefined,
};

/**
 * The phone of an account's simulator, behind the editor's own authentication: the page itself holds nothing and
 * is served to anyone, what it shows and does needs the permission to read or to change accounts.
 */
function servePhone(RED: NodeAPI): void {
  const route = /^\/authy-simulator\/([^/]+)(\/.*)$/;
  const read = RED.auth.needsPermission('authy-config.read');
  const write = RED.auth.needsPermission('authy-config.write');
  const serve = (request: Request, response: Response, next: NextFunction): void => {
    const [, id = '', place = ''] = route.exec(request.url) ?? [];
    const simulator = simulatorOf(id);
    if (place === '/phone') {
      response.redirect('phone/');
    } else if (simulator === undefined) {
      const error = 'No simulator runs for this account. Choose it in the account and deploy.';
      response.status(404).json({ error });
    } else if (place.startsWith('/phone/')) {
      request.url = place.slice('/phone'.length);
      simulator.phonePage(request, response, next);
    } else {
      const permission = request.method === 'GET' ? read : write;
      permission(request, response, () => {
        request.url = place;
        simulator.control(request, response, next);
      });
    }
  };
  // Without an editor Node-RED stands in an application that knows these four and not `use`.
  for (const method of ['get', 'post', 'put', 'delete'] as const) {
    RED.httpAdmin[method](route, serve);
  }
}
