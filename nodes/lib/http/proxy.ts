import type { ProxySetting } from '../contract/service';
import { credentialsOf } from '../contract/credentials';
import { isLoopback } from '../contract/private-host';
import { isUrl } from '../contract/url';

/** A proxy to use. */
export interface Proxy {
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  /** The value of the Proxy-Authorization header, if the proxy needs one. */
  readonly authorization?: string;
}

/**
 * Which proxy to use for a URL.
 *
 * @param setting - the account's proxy; absent if the environment variables decide: `https_proxy` or `all_proxy`,
 *   and `no_proxy` for the hosts that are reached without it
 * @returns undefined if none is used
 * @throws TypeError - if the proxy's address is not valid
 */
export function proxyFor(
  target: URL,
  setting: ProxySetting | undefined = environmentProxy(),
): Proxy | undefined {
  // This machine is never asked through a proxy.
  if (setting === undefined || isLoopback(target.hostname)) return undefined;
  if (setting.bypass?.some((host) => matches(target, host.trim().toLowerCase()))) return undefined;
  const url = addressOf(setting);
  const own = credentialsOf(url);
  const username = setting.username || own.username;
  const password = setting.password || own.password;
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  return {
    protocol: url.protocol === 'https:' ? 'https:' : 'http:',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(portOf(url)),
    ...(username === '' ? {} : { authorization: `Basic ${credentials}` }),
  };
}

/** The secrets of a proxy, which must not be shown. */
export function secretsOf(proxy: Proxy | undefined): string[] {
  const credentials = proxy?.authorization?.slice('Basic '.length);
  if (credentials === undefined) return [];
  const text = Buffer.from(credentials, 'base64').toString();
  return [credentials, text.slice(text.indexOf(':') + 1)];
}

function addressOf({ url: address, variable }: ProxySetting): URL {
  const where = variable === undefined ? '' : ` in the environment variable ${variable}`;
  const refused = (problem: string): TypeError =>
    new TypeError(`The address of the proxy${where} must ${problem}, such as http://proxy.example:3128.`);
  if (!isUrl(address)) throw refused('be a URL');
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refused('begin with http:// or https://');
  }
  // Otherwise a password with one of these characters would be taken for the port, and the user name for the host.
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    throw refused('end with its port (in a password, write / as %2F, ? as %3F and # as %23)');
  }
  return url;
}

function environmentProxy(): ProxySetting | undefined {
  const set = (name: string): string[] => [name, name.toUpperCase()].filter((each) => process.env[each]);
  const [variable] = [...set('https_proxy'), ...set('all_proxy')];
  if (variable === undefined) return undefined;
  const address = process.env[variable] ?? '';
  const [bypass] = set('no_proxy');
  return {
    url: address.includes('://') ? address : `http://${address}`,
    bypass: (bypass === undefined ? '' : (process.env[bypass] ?? '')).split(/[\s,]+/),
    variable,
  };
}

function matches(target: URL, pattern: string): boolean {
  if (pattern === '') return false;
  if (pattern === '*') return true;
  const [host = '', port] = pattern.split(':');
  if (port !== undefined && port !== portOf(target)) return false;
  const suffix = host.replace(/^\*?\.?/, '');
  return target.hostname === suffix || target.hostname.endsWith(`.${suffix}`);
}

function portOf(url: URL): string {
  return url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
}
