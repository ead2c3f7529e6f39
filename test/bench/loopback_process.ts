import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { selfSigned } from '../support/certificate';

/** A message to the stand-in. */
export type ToServer =
  | { readonly kind: 'listen'; readonly tls?: { readonly key: string; readonly cert: string } }
  | { readonly kind: 'count' }
  | { readonly kind: 'release' };

/** A message from the stand-in. */
export type FromServer = { readonly kind: 'listening'; readonly port: number } | Counts;

export interface Counts {
  readonly kind: 'counts';
  /** Opened since it started. */
  readonly connections: number;
  /** Received since it started. */
  readonly requests: number;
  /** Requests that have no answer yet. */
  readonly held: number;
}

/** The stand-in for Authy, seen from the process that measures. */
export class LoopbackAuthy {
  private constructor(
    private readonly server: ChildProcess,
    /** Scheme, host and port. */
    readonly url: string,
    /** The certificate that a client has to trust; undefined without TLS. */
    readonly certificate: string | undefined,
  ) {}

  /** @param scheme - with `https` it has a certificate of its own, made by openssl */
  static async start(scheme: 'http' | 'https'): Promise<LoopbackAuthy> {
    const server = fork(path.join(__dirname, 'loopback_authy.ts'), { execArgv: ['--import', 'tsx'] });
    const pair = scheme === 'https' ? await selfSigned() : undefined;
    server.send({ kind: 'listen', ...(pair && { tls: pair }) } satisfies ToServer);
    const [{ port }] = (await once(server, 'message')) as [FromServer & { kind: 'listening' }];
    return new LoopbackAuthy(server, `${scheme}://127.0.0.1:${port}`, pair?.cert);
  }

  async counts(): Promise<Counts> {
    this.server.send({ kind: 'count' } satisfies ToServer);
    const [counts] = (await once(this.server, 'message')) as [Counts];
    return counts;
  }

  /** Answers all requests that wait below the path `/held/`, and closes their connections. */
  release(): void {
    this.server.send({ kind: 'release' } satisfies ToServer);
  }

  stop(): void {
    this.server.disconnect();
  }
}
