/** The address at which this machine reaches what listens on one: all addresses are reached by loopback. */
export function reachable(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}
