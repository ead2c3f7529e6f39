import os from 'node:os';

/** The IPv4 addresses of this machine in its networks, as far as it knows them: a container or a proxy may have others. */
export function networkAddresses(): string[] {
  return Object.values(os.networkInterfaces())
    .flatMap((known) => known ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}
