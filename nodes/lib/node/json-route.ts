import type { ServerResponse } from 'node:http';
import type { NodeAPI } from 'node-red';
import type { MountedRequest } from '../contract/request-handler';
import { isJson } from '../server/own-pages';
import { sendJson } from '../server/send';
import { guarded } from './admin-guard';

/** As Node-RED names them: of what kind of node, and whether something changes. */
type Permission = 'authy-config.read' | 'authy-config.write' | 'authy-onetouch-approval.write';

/** What the editor has sent. */
export type Sent = Readonly<Record<string, unknown>>;

/**
 * A route for the editor's requests: `POST` with JSON, from the editor's own page, by somebody with the permission. What `work`
 * rejects with is answered with `{ok: false, message}`.
 *
 * @param route - without a slash before it
 * @param work - resolves to the answer
 */
export function serveJson(
  RED: NodeAPI,
  route: string,
  permission: Permission,
  work: (sent: Sent, request: MountedRequest) => object | Promise<object>,
): void {
  const handle = (request: MountedRequest, response: ServerResponse): void => {
    if (!isJson(request)) {
      sendJson(response, 415, { error: 'Content-Type has to be application/json.' });
      return;
    }
    Promise.resolve(Object(request.body) as Sent)
      .then((sent) => work(sent, request))
      .then(
        (answer) => sendJson(response, 200, answer),
        (error: unknown) => sendJson(response, 200, { ok: false, message: (error as Error).message }),
      );
  };
  RED.httpAdmin.post(`/${route}`, guarded(RED, permission), handle);
}
