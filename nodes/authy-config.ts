import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { Account, type AccountSettings, type ApprovalSettings } from './lib/account/account';
import { apiKeyProblem } from './lib/services/authy/api-key';
import { authyBaseUrl } from './lib/services/authy/endpoint';
import type { ProxySetting } from './lib/http/proxy';
import { contextPlace, hasContextStorage } from './lib/storage/context-place';
import { type AccountNode, type Instance, Instances, isInSubflow } from './lib/node/instances';
import { isJson, ofNoStranger, ownPagesOnly } from './lib/server/own-pages';
import { ownAddress } from './lib/server/own-server';
import { placeholder, Settings } from './lib/node/settings';
import { simulatorOf } from './lib/services/authy/simulators';

interface AccountDef extends NodeDef {
  service: string;
  baseUrl: string;
  pathPrefix: string;
  /** In seconds. */
  deadline: unknown;
  maxInFlight: unknown;
  tls: string;
  proxy: string;
  callbackUrl: string;
  callbackMethod: string;
  /** Where open approval requests are kept: `files`, `context`, `context:<store>`, or `redis`. */
  approvalStore: string;
  redisUrl: string;
}

interface AccountCredentials {
  apiKey?: unknown;
  previousApiKey?: unknown;
  redisPassword?: unknown;
}

const defaultRedisUrl = 'redis://127.0.0.1:6379';

type ConfigNode = Node<AccountCredentials> & AccountNode;

/** Node-RED's own config nodes, as far as they are used. */
type TlsConfigNode = Node<Partial<Record<(typeof tlsCredentials)[number], unknown>>> & {
  valid?: boolean;
  servername?: unknown;
  addTLSOptions(options: object): SecureContextOptions;
};
type HttpProxyNode = Node<{ username?: unknown; password?: unknown }> & { url: unknown; noproxy?: unknown };

const tlsCredentials = ['certdata', 'keydata', 'cadata', 'passphrase'] as const;

export = (RED: NodeAPI): void => {
  const instances = new Instances();

  function AuthyConfig(this: ConfigNode, config: AccountDef): void {
    RED.nodes.createNode(this, config);
    const settings = accountSettings(RED, this, config);
    const account = new Account(settings);
    this.account = account;
    for (const problem of problemsOf(settings)) this.warn(problem);
    instances.add(this);
    this.on('close', (removed: boolean, done: () => void) => {
      instances.remove(this);
      void account.close(removed).then(done);
    });
  }

  RED.nodes.registerType<ConfigNode, AccountDef, object, AccountCredentials>('authy-config', AuthyConfig, {
    credentials: {
      apiKey: { type: 'password' },
      previousApiKey: { type: 'password' },
      redisPassword: { type: 'password' },
    },
  });

  serveTestButton(RED, instances);
  servePhone(RED, instances);
};

/** Reads every setting of an account that its service uses. Never throws: what is wrong is told by each message. */
function accountSettings(RED: NodeAPI, node: ConfigNode, config: AccountDef): AccountSettings {
  const { credentials } = node;
  const settings = new Settings();
  const service = settings.choice('service', config.service, ['authy', 'simulator']);
  const current = new Settings();
  const previous = new Settings();
  const isAuthy = service === 'authy';
  const apiKey = current.apiKey('apiKey', credentials.apiKey);
  const previousApiKey = isAuthy ? previous.apiKey('previousApiKey', credentials.previousApiKey) : '';
  const read: Omit<AccountSettings, 'problem'> = {
    id: node.id,
    service,
    apiKey,
    noApiKey: current.problem,
    previousApiKey,
    noPreviousApiKey: previous.problem,
    baseUrl: isAuthy ? settings.text('baseUrl', config.baseUrl, authyBaseUrl) : authyBaseUrl,
    pathPrefix: isAuthy ? settings.text('pathPrefix', config.pathPrefix) : '',
    deadline: settings.number('deadline', config.deadline),
    maxInFlight: settings.number('maxInFlight', config.maxInFlight),
    tls: isAuthy ? tlsSettings(settings, RED, config.tls) : undefined,
    proxy: isAuthy ? proxySetting(settings, RED, config.proxy) : undefined,
    simulator: isAuthy ? {} : simulatorSettings(settings, RED, config),
    approvals: approvalSettings(RED, config, credentials),
    log: (line) => node.log(line),
  };
  return { ...read, problem: settings.problem };
}

/** What is said at deploy, once each: nobody would look for it with an account that seems to work. */
function problemsOf({ service, problem, noApiKey, noPreviousApiKey, approvals }: AccountSettings): string[] {
  const key =
    noApiKey !== undefined && service === 'simulator'
      ? `${noApiKey} The simulator goes on with a key of its own.`
      : noApiKey;
  return [problem, key, noPreviousApiKey, approvals.problem].filter((text) => text !== undefined);
}

function simulatorSettings(
  settings: Settings,
  RED: NodeAPI,
  config: AccountDef,
): AccountSettings['simulator'] {
  const address = settings.text('callbackUrl', config.callbackUrl, '/authy/callback');
  return {
    callbackUrl: address.startsWith('/') ? () => ownAddress(RED, address) : address,
    callbackMethod: settings.choice('callbackMethod', config.callbackMethod, ['POST', 'GET']),
  };
}

function approvalSettings(
  RED: NodeAPI,
  config: AccountDef,
  { redisPassword }: AccountCredentials,
): ApprovalSettings {
  const settings = new Settings();
  const approvalStore = settings.text('approvalStore', config.approvalStore, 'context');
  if (approvalStore === 'redis') {
    const url = settings.text('redisUrl', config.redisUrl, defaultRedisUrl);
    const password = settings.secret('redisPassword', redisPassword);
    return { in: 'redis', url, password, problem: settings.problem };
  }
  if (approvalStore === 'files') return { in: 'files', root: filesFolder(RED), problem: settings.problem };
  const [kind, store] = approvalStore.split(':');
  if (kind !== 'context' || store === '') {
    settings.refuse('approvalStore', 'choose one of files, context, context:<store>, redis.');
  }
  // Without any of its own, a Node-RED has one store of this name.
  const { contextStorage = { memory: {} } } = RED.settings as { contextStorage?: object };
  if (settings.problem === undefined && store !== undefined && !Object.hasOwn(contextStorage, store)) {
    settings.refuse(
      'approvalStore',
      `open the account and choose another; the settings of this Node-RED have no context store "${store}".`,
    );
  }
  return {
    in: 'context',
    store,
    place: contextPlace(RED.settings, store),
    isForgotten: !hasContextStorage(RED.settings),
    problem: settings.problem,
  };
}

/** The folder of all accounts that keep their approvals in files. */
function filesFolder(RED: NodeAPI): string | undefined {
  const { userDir } = RED.settings as { userDir?: string };
  return userDir === undefined ? undefined : path.join(userDir, 'authy-approvals');
}

/**
 * A node that a setting refers to. One that is set but cannot be found must not silently be left out.
 *
 * @param what - what it is, for the sentence
 */
function referredNode(
  settings: Settings,
  RED: NodeAPI,
  setting: string,
  value: unknown,
  what: string,
): Node | undefined {
  const id = settings.text(setting, value);
  if (id === '') return undefined;
  // The types say a node is always found; a disabled or deleted one is not.
  const node = RED.nodes.getNode(id) as Node | null;
  if (node === null)
    settings.refuse(setting, `choose another ${what}; the chosen one is missing or disabled.`);
  return node ?? undefined;
}

function tlsSettings(settings: Settings, RED: NodeAPI, id: unknown): AccountSettings['tls'] {
  const node = referredNode(settings, RED, 'tls', id, 'TLS configuration') as TlsConfigNode | undefined;
  if (node === undefined) return undefined;
  if (node.valid === false) settings.refuse('tls', 'open the TLS configuration and fix it; it is not valid.');
  settings.text('tls.servername', node.servername);
  // Node-RED leaves the credentials out where none were ever entered.
  const credentials = (node.credentials as TlsConfigNode['credentials'] | undefined) ?? {};
  const read = tlsCredentials.map(
    (name) => [name, settings.secret(`tls.${name}`, credentials[name])] as const,
  );
  const { passphrase = '' } = Object.fromEntries(read);
  return { ...node.addTLSOptions({}), ...(passphrase === '' ? {} : { passphrase }) };
}

function proxySetting(settings: Settings, RED: NodeAPI, id: unknown): ProxySetting | undefined {
  const node = referredNode(settings, RED, 'proxy', id, 'http proxy') as HttpProxyNode | undefined;
  if (node === undefined) return undefined;
  const credentials = (node.credentials as HttpProxyNode['credentials'] | undefined) ?? {};
  const { noproxy = [] } = node;
  return {
    url: settings.text('proxy.url', node.url),
    username: given(settings.secret('proxy.username', credentials.username)),
    password: given(settings.secret('proxy.password', credentials.password)),
    bypass: [noproxy].flat().map((host) => settings.text('proxy.noproxy', host)),
  };
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * Lets in who has a permission and is no foreign web page: where Node-RED has no adminAuth, or gives permissions to
 * everybody, or a proxy signs users in, its admin routes would obey every page otherwise.
 */
function guarded(RED: NodeAPI, permission: string): RequestHandler {
  const hasPermission = RED.auth.needsPermission(permission);
  const isOwnPage = ownPagesOnly({
    ...ofNoStranger,
    allows: (name, request) => hasToken(request) || ofNoStranger.allows(name, request),
  });
  return (request, response, next) => {
    hasPermission(request, response, (error?: unknown) => {
      if (error !== undefined) next(error);
      else void isOwnPage(request, response, next);
    });
  };
}

/** Whether a user has signed in by a token, which no page has that was loaded under another name than the editor. */
function hasToken(request: IncomingMessage & { user?: { anonymous?: boolean } }): boolean {
  const { user, headers } = request;
  return user !== undefined && user.anonymous !== true && /^Bearer /i.test(headers.authorization ?? '');
}

/**
 * `POST authy-config/test` for the panel's button: `{id, service, apiKey?}` → `{ok: true, name}` or
 * `{ok: false, message}`. The browser may try a key that is not deployed yet, but never choose the address.
 */
function serveTestButton(RED: NodeAPI, instances: Instances): void {
  RED.httpAdmin.post(
    '/authy-config/test',
    guarded(RED, 'authy-config.write'),
    (request: Request, response: Response) => {
      if (!isJson(request)) {
        response.status(415).json({ error: 'Content-Type has to be application/json.' });
        return;
      }
      testAccount(RED, instances, Object(request.body) as Record<string, unknown>).then(
        (name) => response.json({ ok: true, name }),
        (error: unknown) => response.json({ ok: false, message: (error as Error).message }),
      );
    },
  );
}

async function testAccount(
  RED: NodeAPI,
  instances: Instances,
  form: Record<string, unknown>,
): Promise<string> {
  const id = typeof form['id'] === 'string' ? form['id'] : '';
  const key = typeof form['apiKey'] === 'string' ? form['apiKey'].trim() : undefined;
  const problem = key === undefined || key === '' ? undefined : apiKeyProblem(key);
  const deployed = instances
    .of(RED, id)
    .filter(
      ({ account }) => account.serviceName === (form['service'] === 'simulator' ? 'simulator' : 'authy'),
    );
  if (deployed.length === 0 && key === undefined && isInSubflow(RED, id)) {
    throw new Error(
      'Put the subflow into a flow and deploy: an account in a subflow runs where that is used.',
    );
  }
  if (form['service'] === 'simulator') {
    if (deployed.length > 0) return testAll(deployed);
    throw new Error('The simulator starts when you deploy.');
  }
  if (key !== undefined && placeholder(key) !== undefined) {
    throw new Error('The key comes from the environment: deploy first, then test.');
  }
  if (key === '') throw new Error('Enter the API key first.');
  if (problem !== undefined) throw new Error(`API key: ${problem}`);
  const [one] = deployed;
  if (one !== undefined) return key === undefined ? testAll(deployed) : one.account.test(key);
  if (key === undefined) throw new Error('Enter the API key first.');
  const trial = new Account({ ...trialSettings, apiKey: key });
  try {
    return await trial.test();
  } finally {
    await trial.close(true);
  }
}

/** Tests each instance, which may have a key of its own from the subflow's environment; names the one that fails. */
async function testAll(instances: readonly Instance[]): Promise<string> {
  const names = new Set<string>();
  for (const { name, account } of instances) {
    try {
      names.add(await account.test());
    } catch (error) {
      const { message } = error as Error;
      throw instances.length > 1 ? new Error(`${name}: ${message}`) : error;
    }
  }
  return [...names].join(', ');
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
  approvals: { in: 'context', place: { name: 'memory' } },
  log: () => undefined,
};

/**
 * The phone of an account's simulator, behind the editor's own authentication: the page itself holds nothing and
 * is served to anyone, what it shows and does needs the permission to read or to change accounts. By the id that an
 * account has in a subflow its only instance is found; where there are several, what is answered is their list.
 */
function servePhone(RED: NodeAPI, instances: Instances): void {
  const route = /^\/authy-simulator\/([^/]+)(\/.*)$/;
  const read = guarded(RED, 'authy-config.read');
  const write = guarded(RED, 'authy-config.write');
  const serve = (request: Request, response: Response, next: NextFunction): void => {
    const [, id = '', place = ''] = route.exec(request.url) ?? [];
    const found = instances.of(RED, id).filter((instance) => simulatorOf(instance.id) !== undefined);
    // While it is deployed anew an account has no instance, and its simulator runs on.
    const simulator = simulatorOf(found[0]?.id ?? id);
    if (place === '/phone') {
      response.redirect('phone/');
    } else if (simulator === undefined) {
      const error =
        'No simulator runs for this account. Choose it in the account and deploy. ' +
        'An account in a subflow has one as soon as the subflow is used in a flow.';
      response.status(404).json({ error });
    } else if (place.startsWith('/phone/')) {
      request.url = place.slice('/phone'.length);
      simulator.phonePage(request, response, next);
    } else {
      const permission = request.method === 'GET' ? read : write;
      void permission(request, response, (error?: unknown) => {
        if (error !== undefined) {
          next(error);
          return;
        }
        if (found.length > 1) {
          response.status(300).json({ instances: found.map(({ id, name }) => ({ id, name })) });
          return;
        }
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
