import path from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { type AccountSettings } from '../account/account';
import type { ApprovalSettings } from '../account/approval-stores';
import type { PeopleSettings } from '../account/people-stores';
import { sentences } from '../contract/sentences';
import type { AccountReader, OwnAddress, ProxySetting, SettingsReader } from '../contract/service';
import { ownAddress } from '../server/own-server';
import { serviceIds, serviceKind } from '../services/registry';
import { contextPlace, hasContextStorage } from '../storage/context-place';
import { deploysOf } from './deploys';
import { labelOf } from './labels';
import { languageOf } from './language';
import { migrated } from './migrate';
import { Settings } from './settings';

/** The configuration of an account. Its service reads its own settings itself. */
export interface AccountDef extends NodeDef {
  readonly service: unknown;
  /** In seconds. */
  readonly deadline: unknown;
  readonly maxInFlight: unknown;
  readonly maxQueued: unknown;
  /** Where open approval requests are kept: `files`, `context`, `context:<store>`, or `redis`. */
  readonly approvalStore: unknown;
  readonly redisUrl: unknown;
  readonly [property: string]: unknown;
}

/** The settings that an account has with every service. */
const ownSettings =
  'version service simulated deadline maxInFlight maxQueued approvalStore redisUrl tls proxy'.split(' ');
const ownCredentials = ['redisPassword'];

/** The names of all settings and credentials of an account's node. */
export function accountProperties(): { settings: string[]; credentials: string[] } {
  const kinds = serviceIds().map((id) => serviceKind(id));
  return {
    settings: [...ownSettings, ...new Set(kinds.flatMap((kind) => kind?.settings ?? []))],
    credentials: [...ownCredentials, ...kinds.flatMap((kind) => kind?.credentials ?? [])],
  };
}

export type AccountCredentials = Readonly<Record<string, unknown>>;

const defaultRedisUrl = 'redis://127.0.0.1:6379';

/** Node-RED's own config nodes: the parts that are used here. */
type TlsConfigNode = Node<Partial<Record<(typeof tlsCredentials)[number], unknown>>> & {
  valid?: boolean;
  servername?: unknown;
  addTLSOptions(options: object): SecureContextOptions;
};
type HttpProxyNode = Node<{ username?: unknown; password?: unknown }> & { url: unknown; noproxy?: unknown };

const tlsCredentials = ['certdata', 'keydata', 'cadata', 'passphrase'] as const;

/** Reads every setting of an account that its service uses. Never throws: each message reports what is wrong. */
export function accountSettings(
  RED: NodeAPI,
  node: Node<AccountCredentials>,
  saved: AccountDef,
): Omit<AccountSettings, 'noPage'> {
  const config = migrated(saved);
  const labelled = (): Settings => new Settings((setting) => labelOf(RED, 'authy-config', setting));
  const [settings, chosen] = [labelled(), labelled()];
  const id = chosen.choice('service', config.service, serviceIds());
  // One that does not exist is not taken for another.
  const kind = chosen.problem === undefined ? serviceKind(id) : undefined;
  const reader: AccountReader = {
    settings: labelled,
    tls: (into, id) => tlsSettings(into, RED, id),
    proxy: (into, id) => proxySetting(into, RED, id),
    ownAddress: (place): OwnAddress | undefined => ownAddress(RED, place),
  };
  const credentials = (node.credentials as AccountCredentials | undefined) ?? {};
  const read = {
    id: node.id,
    kind,
    service: kind?.read(reader, config, credentials) ?? { warnings: [], name: '', isSimulated: false },
    deadline: settings.number('deadline', config.deadline),
    maxInFlight: settings.number('maxInFlight', config.maxInFlight),
    maxQueued: settings.number('maxQueued', config.maxQueued),
    approvals: approvalSettings(labelled(), RED, config, credentials),
    people: peopleSettings(RED),
    log: (line: string): void => node.log(line),
    warn: (line: string): void => node.warn(line),
    language: languageOf(RED),
    ownUrl: (place: string): string | undefined => {
      const { url } = ownAddress(RED, place) ?? {};
      // Passkeys need a name.
      return url?.replace(/^(https?:\/\/)(?:127\.0\.0\.1|\[::1\])(?=[:/])/, '$1localhost');
    },
    isDeploying: (): boolean => deploysOf(RED).isUnderWay,
    deployed: (signal?: AbortSignal): Promise<void> => deploysOf(RED).settled(signal),
  };
  return { ...read, problem: sentences(chosen.problem, settings.problem) };
}

/** The warnings at deploy, once each. */
export function problemsOf({
  problem,
  service,
  approvals,
}: Pick<AccountSettings, 'problem' | 'service' | 'approvals'>): string[] {
  return [problem, service.problem, ...service.warnings, approvals.problem].filter(
    (text) => text !== undefined,
  );
}

function approvalSettings(
  settings: Settings,
  RED: NodeAPI,
  config: AccountDef,
  { redisPassword }: AccountCredentials,
): ApprovalSettings {
  const approvalStore = settings.text('approvalStore', config.approvalStore, 'context');
  if (approvalStore === 'redis') {
    const url = settings.text('redisUrl', config.redisUrl, defaultRedisUrl);
    const password = settings.secret('redisPassword', redisPassword);
    return { in: 'redis', url, password, problem: settings.problem };
  }
  if (approvalStore === 'files')
    return { in: 'files', root: inUserDirectory(RED, 'authy-approvals'), problem: settings.problem };
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

function peopleSettings(RED: NodeAPI): PeopleSettings {
  const { credentialSecret } = RED.settings as { credentialSecret?: unknown };
  return {
    root: inUserDirectory(RED, 'authy-people'),
    // Node-RED takes `false` for "credentials are not encrypted".
    credentialSecret: typeof credentialSecret === 'string' ? credentialSecret : undefined,
  };
}

/** A folder of the user directory; undefined if there is none. */
function inUserDirectory(RED: NodeAPI, name: string): string | undefined {
  const { userDir } = RED.settings as { userDir?: string };
  return userDir === undefined ? undefined : path.join(userDir, name);
}

/**
 * A node that a setting refers to. One that is set but cannot be found must not be ignored silently.
 *
 * @param what - what it is, for the sentence
 */
function referredNode(
  settings: SettingsReader,
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

function tlsSettings(settings: SettingsReader, RED: NodeAPI, id: unknown): SecureContextOptions | undefined {
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

function proxySetting(settings: SettingsReader, RED: NodeAPI, id: unknown): ProxySetting | undefined {
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
