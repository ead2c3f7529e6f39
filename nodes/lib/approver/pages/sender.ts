import type { IncomingMessage } from 'node:http';

/** Who sends a request: what a proxy on this machine says, which has added its own entry at the end; otherwise the address. */
export function senderOf({ socket, headers }: IncomingMessage): string {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const isProxy = address === '::1' || address.startsWith('127.');
  const forwarded = isProxy ? String(headers['x-forwarded-for'] ?? '') : '';
  return forwarded.split(',').at(-1)?.trim() || address;
}
