import type { IncomingMessage } from 'node:http';
import net from 'node:net';

/**
 * Who sends a request, for limits: what a proxy on this machine says, which has added its own entry at the end; otherwise the
 * address. What is no address does not count: a tunnel that adds nothing lets the sender write anything.
 */
export function senderOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
  const address = plain(socket.remoteAddress ?? '');
  const isProxy = address === '::1' || address.startsWith('127.');
  const forwarded = isProxy ? String(headers['x-forwarded-for'] ?? '') : '';
  const last = plain(withoutPort(forwarded.split(',').at(-1)?.trim() ?? ''));
  return network(net.isIP(last) === 0 ? address : last);
}

/** IPv4 without its form in IPv6. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** Some proxies add the port: `192.0.2.1:50000`, `[2001:db8::1]:50000`. */
function withoutPort(entry: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(entry)?.[1] ?? entry.replace(/^([\d.]+):\d+$/, '$1');
}

/** Whoever has one address of IPv6 has 2^64: those of one network are one sender. Source: RFC 4291, section 2.5.4 */
function network(address: string): string {
  if (!net.isIPv6(address) || address.includes('.')) return address;
  const [before = '', after] = address.split('%')[0]?.toLowerCase().split('::') ?? [];
  const [start, end] = [before, after ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = after === undefined ? 0 : 8 - (start?.length ?? 0) - (end?.length ?? 0);
  const groups = [...(start ?? []), ...Array.from({ length: zeros }, () => '0'), ...(end ?? [])];
  return `${groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
