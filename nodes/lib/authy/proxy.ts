/** A proxy as set in Node-RED's `http proxy` node. */
export interface ProxySetting {
  /** Such as `http://proxy.example:3128`. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Hosts that are reached without it: `example.com` (and what ends in `.example.com`), `host:port`, `*`. */
  bypass?: readonly string[] | undefined;
}

/** The form axios takes; `false` is "no proxy", undefined "as the environment variables say". */
type AxiosProxy =
  | false
  | undefined
  | { protocol: string; host: string; port: number; auth?: { username: string; password: string } };

/** Whether a host is this machine: such calls never go through a proxy. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(hostname);
}

/**
 * Which proxy to use for a URL.
 *
 * @param setting - the account's proxy; absent where the environment decides
 * @throws TypeError - where the setting's URL is none
 */
export function proxyFor(target: URL, setting: ProxySetting | undefined): AxiosProxy {
  if (isLoopback(target.hostname)) return false;
  if (setting === undefined) return undefined;
  if (setting.bypass?.some((host) => matches(target, host.trim().toLowerCase()))) return false;
  const url = new URL(setting.url);
  const username = setting.username ?? decodeURIComponent(url.username);
  const password = setting.password ?? decodeURIComponent(url.password);
  return {
    protocol: url.protocol,
    host: url.hostname,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    ...(username === '' ? {} : { auth: { username, password } }),
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
