import type http from 'node:http';
import tls from 'node:tls';
import type { NodeAPI } from 'node-red';
import type { OwnAddress } from '../contract/service';

/**
 * Where this Node-RED itself listens, for a path of its own http in nodes. Only its server knows: the address may be one
 * of several of the machine, the port may be left to the system, the certificate is changed while it runs.
 *
 * @param path - beginning with a slash
 * @returns undefined if it serves no http nodes, does not listen (yet), or listens on no port
 */
export function ownAddress(RED: NodeAPI, path: string): OwnAddress | undefined {
  // Node-RED that stands in an application may have been given no server.
  const server = RED.server as Partial<Pick<http.Server, 'address'>> | null | undefined;
  const { httpNodeRoot } = RED.settings as unknown as { httpNodeRoot?: string | false };
  const address = server?.address?.();
  if (httpNodeRoot === false || typeof address !== 'object' || address === null) return undefined;
  const root = (httpNodeRoot ?? '').replace(/^\/|\/$/g, '');
  const place = [root, path.slice(1)].filter(Boolean).join('/');
  const at = `${reachable(address.address)}:${address.port}/${place}`;
  if (!(server instanceof tls.Server)) return { url: `http://${at}` };
  const certificates = certificatesOf(server);
  // One that came as PKCS #12 cannot be read back: then it has to be one that this machine trusts.
  return { url: `https://${at}`, ...(certificates.length === 0 ? {} : { certificates }) };
}

/** Who listens on all addresses is reached by loopback. */
function reachable(address: string): string {
  if (address === '0.0.0.0' || address === '::') return '127.0.0.1';
  return address.includes(':') ? `[${address}]` : address;
}

/** What the server was given last, as Node-RED itself reads it when it renews the certificate. */
function certificatesOf(server: tls.Server): (string | Buffer)[] {
  const { cert } = server as tls.Server & Pick<tls.SecureContextOptions, 'cert'>;
  return [cert ?? []].flat();
}
