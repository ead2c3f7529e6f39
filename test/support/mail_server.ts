import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { AddressInfo, Server } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { email } from './example_player';
import { installedInCache } from './node_red';

/** An e-mail as its reader sees it. */
export interface Mail {
  readonly subject: string;
  readonly text: string;
  /** False if there is none. */
  readonly html: string | false;
  readonly to: { readonly text: string };
  readonly from: { readonly text: string };
}

interface SmtpOptions {
  readonly allowInsecureAuth: boolean;
  readonly disabledCommands: readonly string[];
  readonly onAuth: (
    auth: object,
    session: object,
    done: (error: null, user: { user: string }) => void,
  ) => void;
  readonly onData: (stream: Readable, session: object, done: () => void) => void;
}

type SmtpServer = { readonly server: Server; listen(port: number, host: string): Server; close(): void };

/** A mail server on this machine, which takes every message and keeps it. It is the one that the node e-mail brings along. */
export class MailServer {
  readonly received: Mail[] = [];

  private constructor(private readonly server: SmtpServer) {}

  static async start(context: Mocha.Context): Promise<MailServer> {
    const modules = await installedInCache(context, 'node-red-node-email', [email]);
    const bring = createRequire(path.join(modules, 'node-red-node-email', 'package.json'));
    const { SMTPServer } = bring('smtp-server') as { SMTPServer: new (options: SmtpOptions) => SmtpServer };
    const { simpleParser } = bring('mailparser') as { simpleParser: (stream: Readable) => Promise<Mail> };
    const server = new SMTPServer({
      allowInsecureAuth: true,
      // Its certificate is nobody's.
      disabledCommands: ['STARTTLS'],
      onAuth: (_auth, _session, done) => done(null, { user: 'flow' }),
      onData(stream, _session, done) {
        void simpleParser(stream).then((mail) => {
          started.received.push(mail);
          done();
        });
      },
    });
    const started = new MailServer(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return started;
  }

  get port(): number {
    return (this.server.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server.close();
  }
}
