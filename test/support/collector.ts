import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a flow reports of one message. */
export interface Report {
  no: number;
  /** approved, denied, expired, complete, or the code of an error. */
  outcome: string;
  /** Which Node-RED it came from. */
  by: string;
}

/** A server outside Node-RED that flows report to: it keeps the reports, whatever happens to Node-RED. */
export class Collector {
  readonly reports: Report[] = [];
  private readonly server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      this.reports.push(JSON.parse(body) as Report);
      response.end('{}');
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** The outcomes of one message so far. */
  outcomesOf(no: number): string[] {
    return this.reports.filter((report) => report.no === no).map(({ outcome }) => outcome);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
