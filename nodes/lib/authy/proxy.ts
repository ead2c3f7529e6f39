/** A proxy as set in Node-RED's `http proxy` node. */
export interface ProxySetting {
  /** Such as `http://proxy.example:3128`. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Hosts that are reached without it: `example.com` (and what ends in `.example.com`), `host:port`, `*`. */
  bypass?: readonly string[] | undefined;
}

/** A proxy to be used. */
export interface Proxy {
  readonly protocol: 'http:' | 'https:';
  readonly host: string;
  readonly port: number;
  /** What its Proxy-Authorization header says, where it wants one. */
  readonly authorization?: string;
}

/** Whether a host is this machine: such calls never go through a proxy. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);
}

/**
 * Which proxy to use for a URL.
 *
 * @param setting - the account's proxy; absent where the environment variables decide: `https_proxy` or `all_proxy`,
 *   and `no_proxy` for the hosts that are reached without it
 * @returns undefined where there is none to be used
 * @throws TypeError - where the proxy's address is none
 */
export function proxyFor(
  target: URL,
  setting: ProxySetting | undefined = environmentProxy(),
): Proxy | undefined {
  if (setting === undefined || isLoopback(target.hostname)) return undefined;
  if (setting.bypass?.some((host) => matches(target, host.trim().toLowerCase()))) return undefined;
  if (!URL.canParse(setting.url)) {
    throw new TypeError('The proxy needs an address such as http://proxy.example:3128.');
  }
  const url = new URL(setting.url);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError('The address of the proxy must begin with http:// or https://.');
  }
  const username = setting.username ?? decodeURIComponent(url.username);
  const password = setting.password ?? decodeURIComponent(url.password);
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  return {
    protocol: url.protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(portOf(url)),
    ...(username === '' ? {} : { authorization: `Basic ${credentials}` }),
  };
}

/** What must not come out of what a proxy is told. */
export function secretsOf(proxy: Proxy | undefined): string[] {
  const credentials = proxy?.authorization?.slice('Basic '.length);
  if (credentials === undefined) return [];
  const text = Buffer.from(credentials, 'base64').toString();
  return [credentials, text.slice(text.indexOf(':') + 1)];
}

function environmentProxy(): ProxySetting | undefined {
  const read = (name: string): string => process.env[name] || process.env[name.toUpperCase()] || '';
  const address = read('https_proxy') || read('all_proxy');
  if (address === '') return undefined;
  return {
    url: address.includes('://') ? address : `http://${address}`,
    bypass: read('no_proxy').split(/[\s,]+/),
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
