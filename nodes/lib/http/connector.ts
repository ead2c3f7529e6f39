import net from 'node:net';
import tls, { type SecureContextOptions } from 'node:tls';
import { type Cancellation, Cancelled } from './cancellation';
import type { Proxy } from './proxy';
import { openTunnel } from './tunnel';

/** How the service is reached. */
export interface Route {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly proxy?: Proxy | undefined;
  /** The settings of Node-RED's `tls-config` node: certificates, trust, server name. */
  readonly tls?: (SecureContextOptions & { servername?: string; rejectUnauthorized?: boolean }) | undefined;
}

/** How often TCP probes an idle connection, in milliseconds. */
const probe = 60_000;

/** Opens connections to one service: directly or through a proxy, with TLS from end to end for an https address. */
export class Connector {
  private readonly host: string;
  private readonly port: number;
  private readonly isSecure: boolean;
  /** The last TLS session: with it, the next connection needs a shorter handshake. */
  private session: Buffer | undefined;

  /** @throws TypeError - if certificate, key or passphrase cannot be used */
  constructor(private readonly route: Route) {
    if (route.tls !== undefined) checkTls(route.tls);
    const { protocol, hostname, port } = new URL(route.origin);
    this.isSecure = protocol === 'https:';
    this.host = hostname.replace(/^\[|\]$/g, '');
    this.port = port === '' ? (this.isSecure ? 443 : 80) : Number(port);
  }

  /**
   * Opens a connection.
   *
   * @param abandoned - ends it while it is being opened, when nobody waits for it any more
   * @returns the connection, once requests can be written to it; with TLS, the other end is verified by then
   * @throws Error - with the system's or OpenSSL's `code`, or `PROXY_HTTP_…`
   */
  async open(abandoned: Cancellation): Promise<net.Socket> {
    const { proxy, tls: trust } = this.route;
    if (!this.isSecure) return ready(net.connect(this.port, this.host), 'connect', abandoned);
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    const socket = proxy && { socket: await openTunnel(proxy, `${host}:${this.port}`, abandoned, trust) };
    const secure = tls.connect({
      ...trust,
      ...socket,
      host: this.host,
      port: this.port,
      // A server name must not be an address: https://www.rfc-editor.org/rfc/rfc6066#section-3
      servername: trust?.servername || (net.isIP(this.host) === 0 ? this.host : ''),
      ALPNProtocols: ['http/1.1'],
      ...(this.session && { session: this.session }),
    });
    secure.on('session', (session: Buffer) => (this.session = session));
    return ready(secure, 'secureConnect', abandoned);
  }
}

/** Checks the TLS settings now: OpenSSL would report them only with each connection, and in its own words. */
function checkTls(options: SecureContextOptions): void {
  try {
    tls.createSecureContext(options);
  } catch (error) {
    const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
    throw new TypeError(
      `tls: open the TLS configuration and check its certificate, key and passphrase; they cannot be used (${code}).`,
      { cause: error },
    );
  }
}

function ready(
  socket: net.Socket,
  event: 'connect' | 'secureConnect',
  abandoned: Cancellation,
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const abandon = (): void => {
      socket.destroy(new Cancelled());
    };
    const stopListening = (): void => abandoned.off(abandon);
    socket.once(event, () => {
      stopListening();
      socket.setNoDelay(true).setKeepAlive(true, probe);
      resolve(socket);
    });
    // This listener stays: an error without a listener would end Node-RED.
    socket.on('error', reject);
    socket.once('close', stopListening);
    abandoned.onCancel(abandon);
  });
}
