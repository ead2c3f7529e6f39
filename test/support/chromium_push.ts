import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import type { Reach } from '../../nodes/lib/approver/push/send';
import { selfSigned } from './certificate';
import { eventually } from './node_red';
import { field, fixed64, sized } from './protobuf';
import { readAuthorization } from './push_receiver';
import { PushService, type ReceivedPush } from './push_service';

/** What a browser has registered. */
interface Registration {
  /** The browser's product. */
  app: string;
  /** The page and the worker that the messages are for. */
  subtype: string;
  /** The public key of whoever may send them. */
  sender: string;
}

/** Of a device that has checked in; any one will do. */
const deviceId = 1234567890123456789n;
const secret = 987654321n;

/** In milliseconds. */
const sendAgainAfter = 1_500;

/** The messages of the connection by which Chromium receives pushes. */
const tags = { loginResponse: 3, data: 8 };
const protocolVersion = 41;

/**
 * All that Chromium needs of Google for Web Push, on this machine: where it checks in, where it registers, where its endpoints
 * are, and the connection by which messages reach it. So `subscribe()` is real, the browser itself decrypts what we have
 * sent, and no network is needed.
 *
 * Source: google_apis/gcm/protocol (checkin.proto, mcs.proto) and google_apis/gcm/engine of Chromium
 */
export class ChromiumPush {
  private readonly registrations = new Map<string, Registration>();
  private readonly connections = new Set<TLSSocket>();
  private last: Buffer | undefined;
  /** Messages for a browser that has not connected yet. */
  private waiting: Buffer[] = [];
  private readonly google = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('end', () => {
      if (request.url === '/checkin') response.end(checkedIn());
      else response.end(this.registered(new URLSearchParams(body)));
    });
  });
  private readonly mcs: tls.Server;

  private constructor(
    /** Its endpoints. */
    readonly service: PushService,
    private readonly certificate: { key: string; cert: string },
  ) {
    service.answer = (push) => this.taken(push);
    this.mcs = tls.createServer(certificate, (socket) => this.connected(socket));
  }

  static async start(): Promise<ChromiumPush> {
    // The host of its endpoints is not documented, and has changed.
    const service = await PushService.start('*.google.com', '*.googleapis.com');
    const push = new ChromiumPush(service, await selfSigned('localhost'));
    for (const server of [push.google, push.mcs]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return push;
  }

  /** How Chromium is started. It needs a profile on the disk: elsewhere it does not allow pushes. */
  get args(): string[] {
    const google = `http://127.0.0.1:${portOf(this.google)}`;
    const { publicKey } = new X509Certificate(this.certificate.cert);
    const pin = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }));
    return [
      `--gcm-checkin-url=${google}/checkin`,
      `--gcm-registration-url=${google}/register`,
      `--gcm-mcs-endpoint=https://localhost:${portOf(this.mcs)}`,
      `--ignore-certificate-errors-spki-list=${pin.digest('base64')}`,
    ];
  }

  /** Gives a sender the way to the endpoints. */
  get reach(): Reach {
    return this.service.reach;
  }

  async stop(): Promise<void> {
    for (const socket of this.connections) socket.destroy();
    this.google.closeAllConnections();
    for (const server of [this.google, this.mcs]) await new Promise((resolve) => server.close(resolve));
    await this.service.stop();
  }

  /**
   * Waits for what the browser shows. Chromium looks at the messages one by one, and forgets one that comes while it looks at
   * another, until the next one comes: so the last one is sent again meanwhile.
   *
   * @param probe - returns undefined as long as it is not there
   */
  shown<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
    let again = performance.now() + sendAgainAfter;
    return eventually(what, async () => {
      const found = await probe();
      if (found === undefined && performance.now() > again) {
        again = performance.now() + sendAgainAfter;
        if (this.last !== undefined) this.waiting.push(this.last);
        this.deliver();
      }
      return found;
    });
  }

  /** Registers, or ends a registration. @returns the answer */
  private registered(form: URLSearchParams): string {
    const { app = '', 'X-subtype': subtype = '', sender = '' } = Object.fromEntries(form);
    if (form.get('delete') === 'true') {
      for (const [token, one] of this.registrations) {
        if (one.subtype === subtype) this.registrations.delete(token);
      }
      return `token=${subtype}`;
    }
    const token = `${randomBytes(8).toString('base64url')}:${randomBytes(32).toString('base64url')}`;
    this.registrations.set(token, { app, subtype, sender });
    return `token=${token}`;
  }

  /** Takes a message for a registration from whom it was made for. @returns the status of the answer */
  private taken({ path, headers, body }: ReceivedPush): number {
    const registration = this.registrations.get(path.slice(path.lastIndexOf('/') + 1));
    if (registration === undefined) return 410;
    const { claims, key } = readAuthorization(headers.authorization ?? '');
    const isRight = claims.aud === `https://${headers.host ?? ''}` && claims.exp * 1000 > Date.now();
    if (!isRight || key !== registration.sender) return 403;
    const message = Buffer.concat([
      field(3, registration.sender),
      field(5, registration.app),
      appData('subtype', registration.subtype),
      appData('content-encoding', headers['content-encoding'] ?? ''),
      field(9, randomBytes(8).toString('hex')),
      field(21, body),
    ]);
    this.last = Buffer.concat([Buffer.of(tags.data), sized(message)]);
    this.waiting.push(this.last);
    this.deliver();
    return 201;
  }

  /** A browser has connected: with the first that it says, it logs in. */
  private connected(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.connections.delete(socket));
    socket.once('data', () => {
      const login = Buffer.concat([field(1, 'login'), field(5, 1n), field(8, BigInt(Date.now()))]);
      socket.write(Buffer.concat([Buffer.of(protocolVersion, tags.loginResponse), sized(login)]));
      this.connections.add(socket);
      this.deliver();
    });
    socket.on('data', () => undefined);
  }

  private deliver(): void {
    const socket = [...this.connections].at(-1);
    if (socket === undefined) return;
    for (const message of this.waiting.splice(0)) socket.write(message);
  }
}

function checkedIn(): Buffer {
  const time = BigInt(Date.now());
  return Buffer.concat([field(1, 1n), field(3, time), fixed64(7, deviceId), fixed64(8, secret)]);
}

function appData(key: string, value: string): Buffer {
  return field(7, Buffer.concat([field(1, key), field(2, value)]));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
