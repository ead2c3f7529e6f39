import type http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Reach } from '../../nodes/lib/approver/push/send';
import { selfSigned } from './certificate';

/** A message as a push service gets it. */
export interface ReceivedPush {
  method: string;
  /** Of the endpoint. */
  path: string;
  headers: http.IncomingHttpHeaders;
  /** Encrypted. */
  body: Buffer;
}

/** A push service on this machine: endpoints of any path, under the names of its certificate. */
export class PushService {
  readonly received: ReceivedPush[] = [];
  /** The status that it answers a message with. */
  answer: (push: ReceivedPush) => number = () => 201;
  private readonly server: https.Server;

  private constructor(private readonly certificate: { key: string; cert: string }) {
    this.server = https.createServer(certificate, (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const push = { method, path, headers, body: Buffer.concat(chunks) };
        this.received.push(push);
        response.writeHead(this.answer(push)).end();
      });
    });
  }

  /** @param names - of its hosts; `*.example` is any one below */
  static async start(...names: string[]): Promise<PushService> {
    const service = new PushService(await selfSigned(...names));
    await new Promise<void>((resolve) => service.server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  /** Gives a sender the way to it: whatever the host of an endpoint, it is this machine. */
  get reach(): Reach {
    return reachOf((this.server.address() as AddressInfo).port, this.certificate.cert);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The way to a server on this machine that stands in for all push services. */
export function reachOf(port: number, ca: string): Reach {
  return {
    lookup: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    allows: (address) => address === '127.0.0.1',
    port,
    ca,
    deadline: 10_000,
  };
}
