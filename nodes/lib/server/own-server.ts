import type http from 'node:http';
import tls from 'node:tls';
import type { NodeAPI } from 'node-red';
import type { OwnAddress } from '../contract/service';
import { networkAddresses } from './network-addresses';
import { reachable } from './reachable';

/**
 * The address at which this Node-RED itself listens, for a path of its http in nodes. Only its server knows: the machine may
 * have several addresses, the system may choose the port, the certificate may change while it runs.
 *
 * @param path - beginning with a slash
 * @returns undefined if it serves no http nodes, does not listen (yet), or listens on no port
 */
export function ownAddress(RED: NodeAPI, path: string): OwnAddress | undefined {
  // Node-RED in an application may have no server.
  const server = RED.server as Partial<Pick<http.Server, 'address'>> | null | undefined;
  const { httpNodeRoot } = RED.settings as unknown as { httpNodeRoot?: string | false };
  const address = server?.address?.();
  if (httpNodeRoot === false || typeof address !== 'object' || address === null) return undefined;
  const root = (httpNodeRoot ?? '').replace(/^\/|\/$/g, '');
  const fullPath = [root, path.slice(1)].filter(Boolean).join('/');
  const withoutScheme = `${reachable(address.address)}:${address.port}/${fullPath}`;
  if (!(server instanceof tls.Server)) return { url: `http://${withoutScheme}` };
  const certificates = certificatesOf(server);
  // A certificate that came as PKCS #12 cannot be read back: then this machine has to trust it already.
  return { url: `https://${withoutScheme}`, ...(certificates.length === 0 ? {} : { certificates }) };
}

/** The origins at which others in the network reach this Node-RED, as far as it can tell: see {@link networkAddresses}. */
export function networkOrigins(RED: NodeAPI): string[] {
  const server = RED.server as Partial<Pick<http.Server, 'address'>> | null | undefined;
  const address = server?.address?.();
  if (typeof address !== 'object' || address === null) return [];
  const scheme = server instanceof tls.Server ? 'https' : 'http';
  const listensOnAll = ['0.0.0.0', '::'].includes(address.address);
  return networkAddresses()
    .filter((own) => listensOnAll || own === address.address)
    .map((own) => `${scheme}://${own}:${address.port}`);
}

/** The server's latest certificates, as Node-RED itself reads them when it renews them. */
function certificatesOf(server: tls.Server): (string | Buffer)[] {
  const { cert } = server as tls.Server & Pick<tls.SecureContextOptions, 'cert'>;
  return [cert ?? []].flat();
}
