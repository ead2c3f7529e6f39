import http from 'node:http';
import type { ApproverClient } from './approver_client';

/** The server-sent events of the approver's page, as an open page hears them. */
export class EventStream {
  /** How often the page was told that something has changed; the first time as it was opened. */
  changes = 0;
  /** The status of the answer, once it is there. */
  status: number | undefined;
  private readonly request: http.ClientRequest;

  constructor({ server, path, page, cookie = '', from }: ApproverClient) {
    const headers = {
      Host: new URL(page).host,
      Cookie: cookie,
      ...(from === undefined ? {} : { 'X-Forwarded-For': from }),
    };
    // Not one of the connections that are kept: it is in use as long as the page is open.
    this.request = http.get(new URL(`${path}/api/events`, server), { headers, agent: false }, (response) => {
      this.status = response.statusCode;
      response.on('data', (chunk: Buffer) => {
        this.changes += chunk.toString('utf8').split('event: changed').length - 1;
      });
      response.on('error', () => undefined);
    });
    // The server may end at any time.
    this.request.on('error', () => undefined);
  }

  close(): void {
    this.request.destroy();
  }
}
